package scrub

import (
	"daybefore/internal/copytext"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// Code of the backup's own may copy what no rule names, and no detector knows,
// into a column that is shown. So where such code can run, the load remembers
// which values it stored in the columns that are shown, and no other is.

// remember makes the sets of what latest_events shows.
func (p *planner) remember() error {
	if !p.ownCode {
		return nil
	}
	for _, e := range p.req.LatestEvents {
		for _, name := range e.Columns {
			if !p.Shown(e.Table.Schema, e.Table.Table, name) {
				continue
			}
			root := p.schema.ByName[schema.Name{Schema: e.Table.Schema, Table: e.Table.Table}].ByName[name].Root()
			if p.stored[root] != nil {
				continue
			}
			s := leakscan.NewValueSet(p.seed)
			for _, t := range root.Table.WithDescendants() {
				s.Loose = s.Loose || p.loose(t.ByName[name])
			}
			p.stored[root] = s
		}
	}
	return nil
}

// loose reports whether the server may write a column's values otherwise than
// they were loaded: what a filter put together, and what is written by settings
// within something else.
func (p *Plan) loose(c *schema.Column) bool {
	if c == nil {
		return true
	}
	within := c.Array || c.Base.Kind != "b" && c.Base.Kind != "e"
	made := p.recipes[c]
	switch {
	case made != nil &&
		(made.document != nil || made.composite != nil || c.Array || c.Base.IsBytes() || c.Base.IsHstore()):
		return true
	case c.Base.Is("money"), c.Base.Kind == "c":
		return true
	case within:
		return c.Base.Is("timestamptz", "float4", "float8", "tstzrange", "tstzmultirange")
	}
	return false
}

// storing adds what a rewriter writes into the fields that are shown to their
// sets.
type storing struct {
	sets    []*leakscan.ValueSet // by field; nil: is not shown
	columns []*schema.Column
	charset copytext.Charset
	decode  *copytext.Decoder
	raw     []byte
}

// newStoring is nil where none of the columns is shown.
func (p *Plan) newStoring(t *schema.Table, columns []string) *storing {
	s := &storing{sets: make([]*leakscan.ValueSet, len(columns)), columns: make([]*schema.Column, len(columns)),
		charset: p.encoding.Charset, decode: p.encoding.NewDecoder()}
	some := false
	for i, name := range columns {
		if c := t.ByName[name]; c != nil && p.stored[c.Root()] != nil {
			s.sets[i] = p.stored[c.Root()]
			s.columns[i] = c
			some = true
		}
	}
	if !some {
		return nil
	}
	return s
}

// add takes a field as it is stored. One that cannot be read the server refuses.
func (s *storing) add(i int, field []byte) {
	if s == nil || s.sets[i] == nil || copytext.IsNull(field) {
		return
	}
	value := field
	if !copytext.Plain(field) {
		var err error
		s.raw, err = s.charset.AppendUnescaped(s.raw[:0], field)
		if err != nil {
			return
		}
		value = s.raw
	}
	s.sets[i].Add(transform.PlainForm(s.columns[i], s.decode.Decode(value), verdict.CellRead))
}
