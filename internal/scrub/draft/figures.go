package draft

import (
	"cmp"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/sketch"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Measure measures what the rules of a plan make of the values that pass. It
// keeps numbers of what it is shown, and no value.
type Measure struct {
	plan *scrub.Plan
	seed maphash.Seed

	mu     sync.Mutex
	blocks []*measured
}

// NewMeasure begins to measure, for rows that are not loaded: nothing ends it
// that looks sensitive and has no rule. The plan is of no use for a load then.
func NewMeasure(plan *scrub.Plan) *Measure {
	plan.Unwatch()
	return &Measure{plan: plan, seed: maphash.MakeSeed()}
}

// Filter returns the function that measures the rows under one COPY header,
// nil where no column is under a rule. Several workers may call Filter at
// once; what it returns is for one goroutine, and appends nothing.
func (m *Measure) Filter(namespace, name string, columns []string) (func(dst, row []byte) ([]byte, error), error) {
	rewrite, err := m.plan.Filter(namespace, name, columns)
	if err != nil {
		return nil, err
	}
	encoding := m.plan.Encoding()
	t := m.plan.Table(namespace, name)
	b := &measured{seed: m.seed, rewrite: rewrite, charset: encoding.Charset, decode: encoding.NewDecoder()}
	for i, name := range columns {
		if c := t.ByName[name]; m.plan.Rule(c) != nil {
			b.columns = append(b.columns, &measuredColumn{column: c, field: i})
		}
	}
	if len(b.columns) == 0 {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocks = append(m.blocks, b)
	return b.row, nil
}

// measured are the columns of one block.
type measured struct {
	seed    maphash.Seed
	rewrite func(dst, row []byte) ([]byte, error) // nil: all of it passes
	columns []*measuredColumn
	charset copytext.Charset
	decode  *copytext.Decoder
	ends    []int
	made    []byte
	raw     []byte
	rows    int64
}

type measuredColumn struct {
	column        *schema.Column
	field         int
	before, after profile
}

func (b *measured) row(dst, row []byte) (_ []byte, err error) {
	b.rows++
	made := row
	if b.rewrite != nil {
		b.made, err = b.rewrite(b.made[:0], row)
		if err != nil {
			return dst, err
		}
		made = b.made
	}
	if err := b.fields(row, func(c *measuredColumn) *profile { return &c.before }); err != nil {
		return dst, err
	}
	return dst, b.fields(made, func(c *measuredColumn) *profile { return &c.after })
}

func (b *measured) fields(row []byte, of func(*measuredColumn) *profile) error {
	b.ends = b.charset.AppendEnds(b.ends[:0], row)
	for _, c := range b.columns {
		if c.field >= len(b.ends) {
			return errFields
		}
		field := copytext.Field(row, b.ends, c.field)
		if copytext.IsNull(field) {
			of(c).nulls++
			continue
		}
		if !copytext.Plain(field) {
			var err error
			b.raw, err = b.charset.AppendUnescaped(b.raw[:0], field)
			if err != nil {
				return err
			}
			field = b.raw
		}
		of(c).add(b.decode.Decode(field), b.seed)
	}
	return nil
}

// profile is what values are like. The zero value is ready; one serves one
// goroutine.
type profile struct {
	nulls             int64
	lengths           map[int]int64 // long ones rounded
	shortest, longest int
	different         sketch.Sketch
	characters        verdict.Characters
}

func (s *profile) add(value []byte, seed maphash.Seed) {
	n := utf8.RuneCount(value)
	if s.lengths == nil {
		s.lengths = map[int]int64{}
		s.shortest = n
	}
	s.lengths[rounded(n)]++
	s.shortest, s.longest = min(s.shortest, n), max(s.longest, n)
	s.different.Add(maphash.Bytes(seed, value))
	for _, c := range value {
		s.characters |= classes[c]
	}
}

// rounded keeps lengths few: those above a thousand to seven binary digits.
func rounded(n int) int {
	const exact, digits = 1 << 10, 7
	if n < exact {
		return n
	}
	shift := bits.Len(uint(n)) - digits
	return n >> shift << shift
}

// classes are those of bytes; bytes of characters that are not ASCII's are of
// the last.
var classes = func() (t [256]verdict.Characters) {
	for i := range t {
		c := byte(i)
		switch {
		case 'a' <= c && c <= 'z':
			t[i] = verdict.LowerCase
		case 'A' <= c && c <= 'Z':
			t[i] = verdict.UpperCase
		case '0' <= c && c <= '9':
			t[i] = verdict.Digits
		case c == ' ' || '\t' <= c && c <= '\r':
			t[i] = verdict.Blanks
		case c >= utf8.RuneSelf:
			t[i] = verdict.OtherScripts
		default:
			t[i] = verdict.Signs
		}
	}
	return t
}()

func (s *profile) join(other *profile) {
	s.nulls += other.nulls
	s.different.Join(&other.different)
	s.characters |= other.characters
	if other.lengths == nil {
		return
	}
	if s.lengths == nil {
		s.lengths = map[int]int64{}
		s.shortest = other.shortest
	}
	s.shortest, s.longest = min(s.shortest, other.shortest), max(s.longest, other.longest)
	for n, count := range other.lengths {
		s.lengths[n] += count
	}
}

func (s *profile) told() verdict.Shape {
	n, exact := s.different.Count()
	n = min(n, s.values()) // an estimate may be above what can be
	return verdict.Shape{
		Nulls: s.nulls, Shortest: s.shortest, Median: s.median(), Longest: s.longest,
		Different: n, Estimated: !exact, Characters: s.characters,
	}
}

func (s *profile) values() (n int64) {
	for _, count := range s.lengths {
		n += count
	}
	return n
}

func (s *profile) median() int {
	values := s.values()
	var below int64
	for _, length := range slices.Sorted(maps.Keys(s.lengths)) {
		below += s.lengths[length]
		if 2*below >= values {
			return min(max(length, s.shortest), s.longest)
		}
	}
	return 0
}

// ruleOf is a column's rule, or that of one that is inherited from it: it may
// hold no rows itself.
func (m *Measure) ruleOf(c *schema.Column) *spec.Rule {
	for _, t := range c.Table.WithDescendants() {
		if r := m.plan.Rule(t.ByName[c.Name]); r != nil {
			return r
		}
	}
	return nil
}

// Shapes are those of all columns under a rule whose rows were measured, each
// with all that is inherited from it, in the order of names.
func (m *Measure) Shapes() []verdict.Shapes {
	m.mu.Lock()
	defer m.mu.Unlock()
	type pair struct {
		before, after profile
		rows          int64
	}
	byRoot := map[*schema.Column]*pair{}
	for _, b := range m.blocks {
		for _, c := range b.columns {
			root := c.column.Root()
			if byRoot[root] == nil {
				byRoot[root] = &pair{}
			}
			byRoot[root].before.join(&c.before)
			byRoot[root].after.join(&c.after)
			byRoot[root].rows += b.rows
		}
	}
	all := []verdict.Shapes{}
	for _, c := range slices.SortedFunc(maps.Keys(byRoot), func(a, b *schema.Column) int {
		return cmp.Or(a.Table.Compare(b.Table), cmp.Compare(a.Number, b.Number), strings.Compare(a.Name, b.Name))
	}) {
		made := byRoot[c]
		out := verdict.Shapes{
			Table: c.Table.Name.String(), Column: c.Name, Rows: made.rows,
			Before: made.before.told(), After: made.after.told(),
		}
		if r := m.ruleOf(c); r != nil && !r.Preserve {
			out.Transform = scrub.WayOf(r)
			out.Link = r.Link
		}
		all = append(all, out)
	}
	return all
}
