package distinct

import (
	"bytes"
	"cmp"
	"hash/maphash"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// Column is one whose values are counted, and what its rule does to them.
type Column struct {
	*schema.Column
	Transform  string
	KeepsApart bool             // the transform does
	Normal     transform.Normal // what the rule takes off a value
	Link       string           // empty: none
	Place      string           // of the rule, for messages
}

// Counter counts what becomes of a column's values in the rows of one block: as
// the column's own, where a key or a unique index rests on it, and as its link's.
// The nil one counts nothing. One serves one goroutine.
type Counter struct {
	column      Column
	own, linked *pairs           // nil: is not counted so
	normal      transform.Normal // what the column's type takes for equal
	decode      *copytext.Decoder
}

// NewCounter counts with hashes of a seed, and remembers so many pairs at most. It
// is nil for a column that neither a key nor a link has.
func NewCounter(column Column, seed maphash.Seed, most int, decode *copytext.Decoder) *Counter {
	if len(column.Unique) == 0 && column.Link == "" {
		return nil
	}
	c := &Counter{column: column, decode: decode}
	if len(column.Unique) > 0 {
		c.own = &pairs{seed: seed, most: most}
		c.normal = transform.NormalOf(column.Column, &spec.Rule{})
	}
	if column.Link != "" {
		c.linked = &pairs{seed: seed, most: most}
	}
	return c
}

// Became notes what became of a value, which is given in UTF-8; the pseudonym is
// as the rows are written.
func (c *Counter) Became(value, normalized, pseudonym []byte) {
	if c == nil {
		return
	}
	if c.decode.Converts() && copytext.HasHighBytes(pseudonym) { // words of a template or a locale
		value = bytes.Clone(value)
		normalized = bytes.Clone(normalized)
		pseudonym = c.decode.Decode(pseudonym)
	}
	p := cmp.Or(c.linked, c.own)
	h := p.hash(c.comparable(pseudonym))
	if c.linked.wants(h) {
		c.linked.add(p.hash(normalized), h)
	}
	if c.own.wants(h) {
		c.own.buf = c.normal.Append(c.own.buf[:0], value)
		c.own.add(max(maphash.Bytes(p.seed, c.own.buf), itself+1), h)
	}
}

// Remained notes a value that stays as it is.
func (c *Counter) Remained(value []byte) {
	if c == nil {
		return
	}
	h := cmp.Or(c.linked, c.own).hash(c.comparable(value))
	c.linked.add(itself, h)
	c.own.add(itself, h)
}

// comparable is a value as the server's text of it is read: without the blanks
// that a char(n) is filled up with.
func (c *Counter) comparable(value []byte) []byte {
	if c.column.Base.Is("bpchar") {
		value = bytes.TrimRight(value, " ")
	}
	return value
}
