package leakscan

import "daybefore/internal/detect"

// Within looks at what a rule lets pass within a value: members of a document,
// fields of a composite, keys of an hstore. The nil one looks at nothing. One
// serves one goroutine.
type Within struct {
	found   *Findings
	scanner detect.Scanner
	share
	asleep bool // this value is not looked at
	hit    bool
	every  func(text []byte) // instead of the detectors, and of what a rule preserves too
}

// NewWithin is nil where there is nothing to look for.
func NewWithin(scanner detect.Scanner, percent float64, into *Findings) *Within {
	if !scanner.Looks() {
		return nil
	}
	return &Within{found: into, scanner: scanner, share: share{percent: percent}}
}

// NewReader has f look at all that passes, instead of the detectors, and at what a
// rule preserves too.
func NewReader(f func(text []byte)) *Within { return &Within{every: f} }

// Begin begins with a value.
func (w *Within) Begin() {
	if w != nil {
		w.hit, w.asleep = false, w.skips()
	}
}

// Looked is how many values were begun with and not skipped; 0 of nil.
func (w *Within) Looked() int64 {
	if w == nil {
		return 0
	}
	return w.rows
}

// Looks reports whether what passes is to be looked at; named is what a rule
// preserves.
func (w *Within) Looks(named bool) bool { return w != nil && !w.asleep && (!named || w.every != nil) }

// Find looks at a text that passes, for which Looks said so.
func (w *Within) Find(text []byte) (detect.Hit, bool) {
	if w.every != nil {
		w.every(text)
		return detect.Hit{}, false
	}
	return w.scanner.Find(text)
}

// FindsKey reports whether Find would find something in a key as a document writes it,
// in its quotes. The nil one finds nothing.
func (w *Within) FindsKey(key []byte) bool {
	if w == nil {
		return false
	}
	_, found := w.Find(append(append([]byte{'"'}, key...), '"'))
	return found
}

// Leaked notes what Find found, and how the drill file is fixed.
func (w *Within) Leaked(place string, hit detect.Hit, fix string) {
	at := Finding{Place: place, What: hit.Kind.Words(), Fix: fix, Doubtful: hit.Confidence == detect.Doubtful}
	w.hit = w.found.Add(at, 1) || w.hit
}

// End returns ErrLeak if the value that was begun with held something.
func (w *Within) End() error {
	if w != nil && w.hit {
		return ErrLeak
	}
	return nil
}
