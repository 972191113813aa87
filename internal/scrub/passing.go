package scrub

import (
	"cmp"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/leakscan"
)

// newInside is nil where there is nothing to look for.
func (p *Plan) newInside(scanner detect.Scanner) *leakscan.Within {
	return leakscan.NewWithin(scanner, p.rules.LeakScan.Percent, &p.leaks)
}

// hstoreValues rewrites the values of hstores, and looks at their keys, which stay.
// One serves one goroutine.
type hstoreValues struct {
	copytext.HstoreRewriter
	*leakscan.Within
	value func(dst, value []byte) ([]byte, error)
}

func newHstoreValues(p *Plan, place string, value func(dst, value []byte) ([]byte, error)) *hstoreValues {
	out := &hstoreValues{Within: p.newInside(p.scanner), value: value}
	if out.Within != nil {
		out.Key = func(quoted []byte) { out.key(place, quoted) }
	}
	return out
}

func (h *hstoreValues) key(place string, quoted []byte) {
	if !h.Looks(false) {
		return
	}
	if hit, ok := h.Find(quoted); ok {
		h.Leaked(place+" (a key)", hit, "keys of an hstore stay: use set_null, or preserve it with a why")
	}
}

func (h *hstoreValues) append(dst, value []byte) ([]byte, error) {
	h.Begin()
	dst, err := h.Append(dst, value, h.value)
	return dst, cmp.Or(err, h.End())
}

// looked is how many values had something in them that was looked at.
func (c *cell) looked() int64 {
	switch {
	case c == nil:
	case c.inside != nil:
		return c.inside.Looked()
	case c.fields != nil:
		return c.fields.looked()
	case c.hstore != nil:
		return c.hstore.Within.Looked()
	}
	return 0
}

func (c *composite) looked() (n int64) {
	for i, w := range c.inside {
		n += w.Looked()
		if c.inner[i] != nil {
			n += c.inner[i].looked()
		}
		if h := c.pairs[i]; h != nil {
			n += h.Within.Looked()
		}
	}
	return n
}

// every has f look at all that the cell's rule lets pass.
func (c *cell) every(f func(text []byte, isKey bool)) {
	switch {
	case c.document != nil:
		c.readDocuments(f)
	case c.fields != nil:
		c.fields.every(leakscan.NewReader(func(text []byte) { f(text, false) }), f)
	case c.hstore != nil:
		c.hstore.readKeys(f)
	}
}

func (c *composite) every(w *leakscan.Within, f func(text []byte, isKey bool)) {
	for i := range c.inside {
		c.inside[i] = w
		if c.inner[i] != nil {
			c.inner[i].every(w, f)
		}
		if c.pairs[i] != nil {
			c.pairs[i].readKeys(f)
		}
	}
}

// passesWithin reports whether a rule lets texts pass within the values of a
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
