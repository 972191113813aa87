package leakscan

import (
	"context"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
)

// Stream streams the rows of those tables that are wanted through filters, which
// make nothing of them, several at once.
type Stream = func(ctx context.Context, filter func(namespace, table string,
	columns []string) (func(dst, row []byte) ([]byte, error), error), wanted func(namespace, table string) bool) error

// lookAgain looks for real values in the columns that no rule rewrites, in the
// rows as they came.
func (a *aftermath) lookAgain(ctx context.Context) error {
	if a.Again == nil || a.Overlap == nil {
		return nil
	}
	return a.Again(ctx, a.filter, func(namespace, table string) bool {
		t := a.Schema.ByName[schema.Name{Schema: namespace, Table: table}]
		return t != nil && slices.ContainsFunc(t.Columns, a.comesAgain)
	})
}

// comesAgain reports whether a column's values are looked at in the rows as they
// came, since they are stored so; of those that may hold text.
func (a *aftermath) comesAgain(c *schema.Column) bool {
	d := a.Decision(c)
	return a.Again != nil && d.Loaded && !d.Rewritten && !d.Recomputed && !d.Set && !c.Generated && c.HoldsText()
}

// filter looks at the rows of one block.
func (a *aftermath) filter(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error) {
	t := a.Schema.ByName[schema.Name{Schema: namespace, Table: table}]
	s := &seeker{aftermath: a, sink: (*seeker).suspect, keyed: transform.NewKeyed(a.Key)}
	var fields []int
	for i, name := range columns {
		c := t.ByName[name]
		if c != nil && a.comesAgain(c) {
			fields = append(fields, i)
			s.columns = append(s.columns, siteColumnOf(c))
		}
	}
	a.mu.Lock()
	seen := new(int64)
	a.streamed[t] = append(a.streamed[t], seen)
	a.mu.Unlock()
	var ends []int
	return func(dst, row []byte) ([]byte, error) {
		ends = copytext.ASCIISafe.AppendEnds(ends[:0], row)
		if len(ends) != len(columns) {
			return dst, errFields
		}
		err := s.fields(row, ends, fields)
		*seen = s.seen
		return dst, err
	}, nil
}

// fields looks at those fields of a row that hold the seeker's columns.
func (s *seeker) fields(row []byte, ends, fields []int) error {
	for i, at := range fields {
		field := copytext.Field(row, ends, at)
		if len(field) < sampleLeast {
			continue
		}
		text, err := s.text(field, s.columns[i].binary)
		if err != nil {
			return err
		}
		s.seen++
		s.seek(s.columns[i].name, text, s.columns[i])
	}
	return nil
}
