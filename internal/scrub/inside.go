package scrub

import (
	"cmp"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
)

// inside looks at what a rule lets pass within a value: members of a document,
// fields of a composite, keys of an hstore. The nil one looks at nothing. One
// serves one goroutine.
type inside struct {
	plan    *Plan
	scanner detect.Scanner
	share
	asleep bool // this value is not looked at
	hit    bool
	every  func(text []byte) // instead of the detectors, and of what a rule preserves too
}

// newInside is nil where there is nothing to look for.
func (p *Plan) newInside(scanner detect.Scanner) *inside {
	if !scanner.Looks() {
		return nil
	}
	return &inside{plan: p, scanner: scanner, share: share{percent: p.rules.LeakScan.Percent}}
}

// begin begins with a value.
func (w *inside) begin() {
	if w != nil {
		w.hit, w.asleep = false, w.skips()
	}
}

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
	w.plan.leaks.add(leak{place: place, what: kind.Words(), mend: mend}, 1)
}

// end tells whether the value that was begun with held something.
func (w *inside) end() error {
	if w != nil && w.hit {
		return ErrLeak
	}
	return nil
}

// hstoreValues rewrites the values of hstores, and looks at their keys, which stay.
// One serves one goroutine.
type hstoreValues struct {
	copytext.HstoreRewriter
	*inside
	value func(dst, value []byte) ([]byte, error)
}

func newHstoreValues(p *Plan, place string, value func(dst, value []byte) ([]byte, error)) *hstoreValues {
	out := &hstoreValues{inside: p.newInside(p.scanner), value: value}
	if out.inside != nil {
		out.Key = func(quoted []byte) { out.key(place, quoted) }
	}
	return out
}

func (h *hstoreValues) key(place string, quoted []byte) {
	if !h.looks(false) {
		return
	}
	if kind, ok := h.find(quoted); ok {
		h.leaked(place+" (a key)", kind, "keys of an hstore stay: use set_null, or preserve it with a why")
	}
}

func (h *hstoreValues) append(dst, value []byte) ([]byte, error) {
	h.begin()
	dst, err := h.Append(dst, value, h.value)
	return dst, cmp.Or(err, h.end())
}

// looked is how many values had something in them that was looked at.
func (c *cell) looked() int64 {
	switch {
	case c == nil:
	case c.inside != nil:
		return c.inside.rows
	case c.fields != nil:
		return c.fields.looked()
	case c.hstore != nil && c.hstore.inside != nil:
		return c.hstore.rows
	}
	return 0
}

func (c *composite) looked() (n int64) {
	for i, w := range c.inside {
		if w != nil {
			n += w.rows
		}
		if c.inner[i] != nil {
			n += c.inner[i].looked()
		}
		if h := c.pairs[i]; h != nil && h.inside != nil {
			n += h.rows
		}
	}
	return n
}

// every has f look at all that the cell's rule lets pass.
func (c *cell) every(f func(text []byte)) {
	w := &inside{every: f}
	if c.document != nil {
		c.watchDocuments(w)
	}
	if c.fields != nil {
		c.fields.every(w)
	}
}

func (c *composite) every(w *inside) {
	for i := range c.inside {
		c.inside[i] = w
		if c.inner[i] != nil {
			c.inner[i].every(w)
		}
	}
}

// passesWithin tells whether a rule lets texts pass within the values of a
// column.
func (c *change) passesWithin() bool {
	switch {
	case c == nil:
		return false
	case c.document != nil:
		return c.document.PassesSome()
	case c.composite != nil:
		for _, f := range c.composite.fields {
			if f.made == nil || f.made.passesWithin() {
				return true
			}
		}
	}
	return false
}
