package scrub

import (
	"bytes"
	"encoding/hex"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/jsontext"
)

// gatherer adds to a sample what a value holds that a rule takes away as a
// whole, or field by field: the elements of an array, the values of an hstore,
// the fields of a composite, the texts of a document, each by itself, since so
// they are found elsewhere. One serves one goroutine.
type gatherer struct {
	sample  *sampler
	column  *column
	array   copytext.ArrayRewriter
	hstore  copytext.HstoreRewriter
	fields  copytext.CompositeRewriter
	inner   []*gatherer // by field of a composite
	element func(dst, value []byte) ([]byte, error)
	pair    func(dst, value []byte) ([]byte, error)
	field   func(i int, dst, value []byte) ([]byte, bool, error)
	out     []byte // what the readers write, which nobody wants
	within  []byte
}

// newGatherer is nil where there is no sample, or where nothing in a value
// means anything by itself.
func newGatherer(c *column, s *sampler) *gatherer {
	if s == nil || !sampledType(c) {
		return nil
	}
	g := &gatherer{sample: s, column: c}
	for _, f := range c.fields {
		g.inner = append(g.inner, newGatherer(f, s))
	}
	g.element = func(dst, value []byte) ([]byte, error) {
		g.one(value)
		return dst, nil
	}
	g.pair = func(dst, value []byte) ([]byte, error) {
		s.add(value)
		return dst, nil
	}
	g.field = func(i int, dst, value []byte) ([]byte, bool, error) {
		g.inner[i].add(value)
		return dst, true, nil
	}
	return g
}

// sampledType tells the types whose values are looked for elsewhere. Numbers
// and times mean nothing by themselves: one of a person is another's too.
func sampledType(c *column) bool {
	f := familyOf(c)
	return f == textual || f == opaque || isUUID(c.base)
}

// add takes a value of the column in UTF-8.
func (g *gatherer) add(value []byte) {
	switch {
	case g == nil:
	case g.column.array:
		g.out, _ = g.array.Append(g.out[:0], value, g.column.delim, g.element)
	default:
		g.one(value)
	}
}

// one takes a value that is no array, or an element of one. What is not what
// its type says is left out: the server refuses it, if anybody gives it to it.
func (g *gatherer) one(value []byte) {
	switch base := g.column.base; {
	case len(g.inner) > 0:
		g.within, _ = g.fields.Append(g.within[:0], value, len(g.inner), g.field)
	case isHstore(base):
		g.within, _ = g.hstore.Append(g.within[:0], value, g.pair)
	case base.is("json", "jsonb"):
		g.document(value)
	case isBytes(base):
		g.bytes(value)
	default:
		g.sample.add(value)
	}
}

// document adds a document's texts, without its keys.
func (g *gatherer) document(s []byte) {
	for text, value := range jsontext.Texts(s) {
		if value < 0 {
			g.within = jsontext.AppendUnquoted(g.within[:0], text)
			g.sample.add(g.within)
		}
	}
}

// bytes adds what is text of a bytea, in hexadecimal digits or, where the
// source had bytea_output so, with escapes as COPY has them.
func (g *gatherer) bytes(value []byte) {
	var err error
	if digits, isHex := bytes.CutPrefix(value, []byte(`\x`)); isHex {
		g.within, err = hex.AppendDecode(g.within[:0], digits)
	} else {
		g.within, err = copytext.AppendUnescaped(g.within[:0], value)
	}
	if err == nil && utf8.Valid(g.within) {
		g.sample.add(g.within)
	}
}
