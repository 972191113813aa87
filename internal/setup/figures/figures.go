// Package figures is what the rows and the schema of one backup tell of what may
// be expected of the next: how many rows, how new, which columns refer to which. It
// keeps counts, times and keyed hashes of what it is shown, and no value. It must
// never decide what is expected.
package figures

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/sketch"
)

// Survey looks at the rows of a backup as they pass. It implements drill.Beside.
type Survey struct {
	seed     maphash.Seed
	schema   *schema.Schema
	encoding copytext.Encoding

	mu     sync.Mutex
	blocks []*block

	built built
}

// NewSurvey begins a survey.
func NewSurvey() *Survey { return &Survey{seed: maphash.MakeSeed()} }

// Begin takes the restored schema.
func (s *Survey) Begin(restored *schema.Schema, encoding string) {
	s.schema = restored
	s.encoding, _ = copytext.EncodingOf(encoding) // one that is not known the scrub refuses
}

// Filter returns the function that looks at the rows under one COPY header. It
// appends nothing. Several workers may call Filter at once; what it returns is for
// one goroutine.
func (s *Survey) Filter(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error) {
	t := s.schema.ByName[schema.Name{Schema: namespace, Table: table}]
	if t == nil {
		return nil, nil
	}
	b := &block{survey: s, table: t}
	for i, name := range columns {
		c := t.ByName[name]
		if c == nil {
			continue
		}
		k := kindOf(c)
		if k != untold {
			b.columns = append(b.columns, &seen{column: c, kind: k, field: i})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blocks = append(s.blocks, b)
	return b.row, nil
}

// kind is what the values of a column may tell.
type kind int

const (
	untold   kind = iota
	instant       // timestamp with time zone
	wall          // timestamp without time zone
	calendar      // date
	integer
	keyed // anything else that rows refer to
)

// kindOf is untold for a column that nothing is asked of.
func kindOf(c *schema.Column) kind {
	base := c.Base
	switch {
	case c.Array || c.Generated:
		return untold
	case base.Is("timestamptz"):
		return instant
	case base.Is("timestamp"):
		return wall
	case base.Is("date"):
		return calendar
	case base.Is("int2", "int4", "int8"):
		return integer
	case base.IsUUID(), refers(c.Name) && base.IsText():
		return keyed
	}
	return untold
}

// refers reports whether a column is called as one is that rows refer to, or by
// which they do.
func refers(name string) bool {
	n := strings.ToLower(name)
	return strings.HasSuffix(n, "id") || strings.HasSuffix(n, "_code") || n == "code"
}

// block is the rows under one COPY header.
type block struct {
	survey  *Survey
	table   *schema.Table
	columns []*seen
	ends    []int
	rows    int64
}

// seen is what was seen of one column in a block.
type seen struct {
	column    *schema.Column
	kind      kind
	field     int
	values    int64
	endless   bool // infinity, which is no time
	newest    time.Time
	largest   int64
	different sketch.Sketch
}

func (b *block) row(dst, row []byte) ([]byte, error) {
	b.rows++
	b.ends = b.survey.encoding.Charset.AppendEnds(b.ends[:0], row)
	for _, c := range b.columns {
		if c.field >= len(b.ends) { // the survey of the scrub, which looks first, refuses such rows
			break
		}
		field := copytext.Field(row, b.ends, c.field)
		if !copytext.IsNull(field) {
			c.add(field, b.survey.seed)
		}
	}
	return dst, nil
}

func (c *seen) add(field []byte, seed maphash.Seed) {
	c.values++
	switch c.kind {
	case instant, wall, calendar:
		at, ok := readTime(field)
		switch {
		case !ok:
			c.endless = true
		case at.After(c.newest):
			c.newest = at
		}
		return
	case integer:
		n, ok := readInteger(field)
		if ok && (n > c.largest || c.values == 1) {
			c.largest = n
		}
		if !refers(c.column.Name) {
			return
		}
	}
	c.different.Add(maphash.Bytes(seed, field))
}

// Table is what was seen of a table and of all that is inherited from it.
type Table struct {
	*schema.Table
	Rows    int64
	Columns []*Column
}

// Column is what was seen of a column and of all that is inherited from it.
type Column struct {
	*schema.Column
	Values  int64
	Newest  time.Time // of one that tells times; as if in UTC where it tells no zone
	Endless bool      // some value is no time
	Largest int64     // of integers

	kind      kind
	different sketch.Sketch
}

// Zoned reports whether the column's times tell their zone.
func (c *Column) Zoned() bool { return c.kind == instant }

// IsDay reports whether the column tells days.
func (c *Column) IsDay() bool { return c.kind == calendar }

// IsTime reports whether the column tells times.
func (c *Column) IsTime() bool { return c.kind == instant || c.kind == wall || c.kind == calendar }

// IsInteger reports whether it holds whole numbers.
func (c *Column) IsInteger() bool { return c.kind == integer }

// Tables are all whose rows were seen, each with what is inherited from it, by
// name. Call it when no function of Filter is running any more.
func (s *Survey) Tables() []*Table {
	byRoot := map[*schema.Table]*Table{}
	for _, b := range s.blocks {
		root := rootOf(b.table)
		t := byRoot[root]
		if t == nil {
			t = &Table{Table: root}
			byRoot[root] = t
		}
		t.Rows += b.rows
		for _, c := range b.columns {
			t.take(c)
		}
	}
	var all []*Table
	for _, t := range byRoot {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *Table) int { return a.Compare(b.Table) })
	return all
}

// rootOf is the table that a partition or child belongs to; of several parents the first.
func rootOf(t *schema.Table) *schema.Table {
	for len(t.Parents) > 0 {
		t = t.Parents[0]
	}
	return t
}

// take joins what was seen in one block.
func (t *Table) take(of *seen) {
	root := t.ByName[of.column.Name]
	if root == nil { // a child's own
		return
	}
	c := t.column(root.Name)
	if c == nil {
		c = &Column{Column: root, kind: of.kind, Largest: of.largest}
		t.Columns = append(t.Columns, c)
	}
	c.Largest = max(c.Largest, of.largest)
	c.Values += of.values
	c.Endless = c.Endless || of.endless
	if of.newest.After(c.Newest) {
		c.Newest = of.newest
	}
	c.different.Join(&of.different)
}

// column is one of the table's that was looked at; nil if there is none.
func (t *Table) column(name string) *Column {
	i := slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return t.Columns[i]
}
