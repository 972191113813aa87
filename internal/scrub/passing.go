package scrub

import "daybefore/internal/detect"

// inside looks at what a rule lets pass within a value: members of a document,
// fields of a composite, keys of an hstore. The nil one looks at nothing. One
// serves one goroutine.
type inside struct {
	found   *leaks
	scanner detect.Scanner
	share
	asleep bool // this value is not looked at
	hit    bool
	every  func(text []byte) // instead of the detectors, and of what a rule preserves too
}

// newInside is nil where there is nothing to look for.
func newInside(scanner detect.Scanner, percent float64, found *leaks) *inside {
	if !scanner.Looks() {
		return nil
	}
	return &inside{found: found, scanner: scanner, share: share{percent: percent}}
}

// newReader has f look at all that passes, instead of the detectors, and at what a
// rule preserves too.
func newReader(f func(text []byte)) *inside { return &inside{every: f} }

// begin begins with a value.
func (w *inside) begin() {
	if w != nil {
		w.hit, w.asleep = false, w.skips()
	}
}

// looked is how many values were begun with and not skipped; 0 of nil.
func (w *inside) looked() int64 {
	if w == nil {
		return 0
	}
	return w.rows
}

// readsAll reports whether it looks at what a rule preserves too.
func (w *inside) readsAll() bool { return w.every != nil }

// looks tells whether what passes is to be looked at; named is what a rule
// preserves.
func (w *inside) looks(named bool) bool { return w != nil && !w.asleep && (!named || w.every != nil) }

func (w *inside) find(text []byte) (detect.Kind, bool) {
	if w.every != nil {
		w.every(text)
		return 0, false
	}
	h, ok := w.scanner.Find(text)
	return h.Kind, ok
}

func (w *inside) leaked(place string, kind detect.Kind, mend string) {
	w.hit = true
	w.found.add(leak{place: place, what: kind.Words(), mend: mend}, 1)
}

// end tells whether the value that was begun with held something.
func (w *inside) end() error {
	if w != nil && w.hit {
		return ErrLeak
	}
	return nil
}
