package leakscan

import (
	"bytes"
	"encoding/hex"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/jsontext"
	"daybefore/internal/scrub/schema"
)

// Gatherer adds to a sample what a value holds that a rule takes away as a
// whole, or field by field: the elements of an array, the values of an hstore,
// the fields of a composite, the texts of a document, each by itself, since so
// they are found elsewhere. One serves one goroutine.
type Gatherer struct {
	sample  *Sampler
	column  *schema.Column
	array   copytext.ArrayRewriter
	hstore  copytext.HstoreRewriter
	fields  copytext.CompositeRewriter
	inner   []*Gatherer // by field of a composite
	element func(dst, value []byte) ([]byte, error)
	pair    func(dst, value []byte) ([]byte, error)
	field   func(i int, dst, value []byte) ([]byte, bool, error)
	out     []byte // what the readers write, which nobody wants
	within  []byte
}

// NewGatherer is nil where there is no sample, or where nothing in a value
// means anything by itself.
func NewGatherer(c *schema.Column, s *Sampler) *Gatherer {
	if s == nil || !c.HoldsText() {
		return nil
	}
	g := &Gatherer{sample: s, column: c}
	for _, f := range c.Fields {
		g.inner = append(g.inner, NewGatherer(f, s))
	}
	g.element = func(dst, value []byte) ([]byte, error) {
		g.one(value)
		return dst, nil
	}
	g.pair = func(dst, value []byte) ([]byte, error) {
		s.Add(value)
		return dst, nil
	}
	g.field = func(i int, dst, value []byte) ([]byte, bool, error) {
		g.inner[i].Add(value)
		return dst, true, nil
	}
	return g
}

// Add takes a value of the column in UTF-8.
func (g *Gatherer) Add(value []byte) {
	switch {
	case g == nil:
	case g.column.Array:
		g.out, _ = g.array.Append(g.out[:0], value, g.column.Delim, g.element)
	default:
		g.one(value)
	}
}

// one takes a value that is no array, or an element of one. What is not what
// its type says is left out: the server refuses it, if anybody gives it to it.
func (g *Gatherer) one(value []byte) {
	base := g.column.Base
	switch {
	case len(g.inner) > 0:
		g.within, _ = g.fields.Append(g.within[:0], value, len(g.inner), g.field)
	case base.IsHstore():
		g.within, _ = g.hstore.Append(g.within[:0], value, g.pair)
	case base.Is("json", "jsonb"):
		g.document(value)
	case base.IsBytes():
		g.bytes(value)
	default:
		g.sample.Add(value)
	}
}

// document adds a document's texts, and those of its keys that are no plain words.
func (g *Gatherer) document(s []byte) {
	for text, value := range jsontext.Texts(s) {
		if value < 0 || !jsontext.PlainKey(text) {
			g.within = jsontext.AppendUnquoted(g.within[:0], text)
			g.sample.Add(g.within)
		}
	}
}

// bytes adds what is text of a bytea.
func (g *Gatherer) bytes(value []byte) {
	var err error
	g.within, err = appendBytes(g.within[:0], value)
	if err == nil && utf8.Valid(g.within) {
		g.sample.Add(g.within)
	}
}

// appendBytes appends the bytes of a bytea, which are hexadecimal digits or, where
// the source had bytea_output so, written with escapes as COPY has them.
func appendBytes(dst, value []byte) ([]byte, error) {
	if digits, isHex := bytes.CutPrefix(value, []byte(`\x`)); isHex {
		return hex.AppendDecode(dst, digits)
	}
	return copytext.AppendUnescaped(dst, value)
}
