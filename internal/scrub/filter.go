package scrub

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/distinct"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// timedRows is how many rows one timing stands for: two looks at the clock
// take a tenth of what a row does.
const timedRows = 64

var (
	errFields = errors.New("not as many fields as columns")
	errOpen   = errors.New("the row ends inside an escape")
)

// Filter returns the function that rewrites the rows under one COPY header,
// nil if they pass as they are. Several workers may call Filter at once; what
// it returns is for one goroutine. Its errors name table, column and row,
// never a value.
func (p *Plan) Filter(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error) {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: table}]
	planned, ok := p.loaded[t]
	if t == nil || !ok || !slices.Equal(planned, columns) {
		return nil, verdict.Errorf(verdict.CodeScrub, "the archive contradicts its own table of contents",
			"scrub %s.%s: the rows that come are not those that the scrub was planned for", namespace, table)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.met[t] = true
	r := p.newRewriter(t, columns)
	switch {
	case r == nil:
		return nil, nil
	case p.looking:
		return r.lookOn, nil
	}
	p.rewriters = append(p.rewriters, r)
	return r.rewrite, nil
}

// rewriter rewrites the rows of one block.
type rewriter struct {
	table   *schema.Table
	names   []string
	charset copytext.Charset
	cells   []*cell // by field; nil: passes as it is
	keepers []rowKeeper
	*originals
	watch   *leakscan.Watcher // nil: no column needs it
	storing *storing          // nil: no column is shown, or nothing but the load writes rows
	sights  *sights           // nil: nothing passes that is told of
	whole   bool              // rows pass as they are: nothing but sights is there
	ends    []int             // of the row's fields
	row     int64
	spent   time.Duration
	made    []byte       // by lookOn
	ended   *atomic.Bool // the plan's
}

// rowKeeper is a keeper for the fields of this header.
type rowKeeper struct {
	*keeper
	match []fieldGlob
	set   [][]byte // by field; nil: stays
}

type fieldGlob struct {
	field int
	glob  leakscan.FoldedGlob
	cell  *cell // unescapes, decodes and normalizes
}

func (p *Plan) newRewriter(t *schema.Table, columns []string) *rewriter {
	r := &rewriter{table: t, names: columns, charset: p.encoding.Charset, cells: make([]*cell, len(columns)),
		ends: make([]int, 0, len(columns)), ended: &p.ended}
	mask := transform.NewMasker(p.key)
	decode := p.encoding.NewDecoder()
	work := false
	for i, name := range columns {
		c := t.ByName[name]
		if made := p.recipes[c]; made != nil {
			r.cells[i] = newCell(p, c, made, mask, decode)
			work = true
		}
	}
	for _, c := range r.cells {
		if c != nil {
			c.by = r.byField(p, p.assigned[c.column], c.made.Normal(), mask, decode)
		}
	}
	for _, k := range p.keeps {
		if k.governs(t) {
			r.keepers = append(r.keepers, r.rowKeeper(p, k, mask, decode))
			work = true
		}
	}
	if work {
		r.originals = p.newOriginals(r, decode)
	}
	r.storing = p.newStoring(t, columns)
	r.watch = p.newWatcher(t, columns, decode)
	r.sights = p.newSights(r, decode)
	r.whole = !work && r.watch == nil && r.storing == nil
	if r.whole && r.sights == nil {
		return nil
	}
	return r
}

func (r *rewriter) rowKeeper(p *Plan, k *keeper, mask *transform.Masker, decode *copytext.Decoder) rowKeeper {
	out := rowKeeper{keeper: k, set: make([][]byte, len(r.names))}
	for i, name := range r.names {
		out.set[i] = k.set[name]
		g, ok := k.match[name]
		if !ok {
			continue
		}
		reader := r.cells[i]
		if reader == nil {
			c := r.table.ByName[name]
			reader = newCell(p, c,
				&change{Recipe: transform.Reader(transform.Domain{}, transform.Normal{Blanks: c.Base.Is("bpchar")})}, mask, decode)
		}
		out.match = append(out.match, fieldGlob{i, g, reader})
	}
	return out
}

// byField is the field that says who a row is about, for the rule of a cell;
// linked is what is taken off the persons of its link, if it has one.
func (r *rewriter) byField(p *Plan, rule *spec.Rule, linked transform.Normal, mask *transform.Masker,
	decode *copytext.Decoder) *person {
	i := slices.Index(r.names, rule.By)
	if rule.By == "" || i < 0 {
		return nil
	}
	c := r.table.ByName[rule.By]
	normalized := transform.NormalOf(c, &spec.Rule{})
	if rule.Link != "" {
		normalized = linked
	}
	// what a person's own pseudonym shows must not tell by how much dates move
	about := transform.DomainOf(rule.Link, c).Within("person")
	made := &change{Recipe: transform.Reader(about, normalized)}
	return &person{field: i, cell: newCell(p, c, made, mask, decode)}
}

// person is a field of the row that says who its values are about.
type person struct {
	field int
	cell  *cell // reads it
}

// read leaves the person's seed in the masker, or nothing where the row does
// not say whose it is.
func (w *person) read(r *rewriter, row []byte) error {
	w.cell.mask.ClearPerson()
	field := r.field(row, w.field)
	if copytext.IsNull(field) {
		return nil
	}
	value, err := w.cell.read(field)
	if err != nil {
		return r.failed(w.field, err)
	}
	w.cell.mask.SetPerson(w.cell.made.Recipe, w.cell.normalize(value))
	return nil
}

func (r *rewriter) rewrite(dst, row []byte) (_ []byte, err error) {
	r.row++
	if r.row%timedRows != 0 {
		dst, err = r.apply(dst, row)
	} else {
		start := time.Now()
		dst, err = r.apply(dst, row)
		r.spent += timedRows * time.Since(start)
	}
	if err != nil {
		r.ended.Store(true)
	}
	return dst, err
}

func (r *rewriter) apply(dst, row []byte) ([]byte, error) {
	if r.whole {
		r.glance(row)
		return append(dst, row...), nil
	}
	if err := r.split(row); err != nil {
		return dst, verdict.Failf(verdict.CodeCorrupt,
			"the backup's rows are not what their header says: take another backup, and look at how this one was stored",
			"scrub %s, row %d: %w", r.table.Name, r.row, err)
	}
	leak, err := r.inspect(row)
	if err != nil {
		return dst, err
	}
	kept, err := r.keptBy(row)
	if err != nil {
		return dst, err
	}
	copied, from := 0, 0
	for i, end := range r.ends {
		replaces := r.cells[i] != nil
		if kept != nil {
			replaces = kept.set[i] != nil
		}
		if !replaces {
			r.storing.add(i, row[from:end])
			from = end + 1
			continue
		}
		dst = append(dst, row[copied:from]...)
		start := len(dst)
		if kept != nil {
			dst = append(dst, kept.set[i]...)
		} else {
			dst, err = r.replace(dst, row, i, row[from:end])
		}
		switch {
		case errors.Is(err, ErrLeak):
			leak = err
		case err != nil:
			return dst, err
		}
		r.storing.add(i, dst[start:])
		copied, from = end, end+1
	}
	if kept != nil {
		kept.remember(r.table, r.row)
		r.countKept(row, kept)
	}
	return append(dst, row[copied:]...), leak
}

// inspect looks at a row before anything of it is replaced. A leak is no error
// yet: the row is looked at to its end.
func (r *rewriter) inspect(row []byte) (leak, err error) {
	if r.sights.due(r.row) {
		r.sights.look(r, row)
	}
	if r.originals != nil {
		if err := r.checkRow(row); err != nil {
			return nil, err
		}
	}
	if r.watch == nil {
		return nil, nil
	}
	field, err := r.watch.Look(row, r.ends)
	switch {
	case errors.Is(err, ErrLeak):
		return leakError(r.table.Name.String(), r.row), nil
	case err != nil:
		return nil, r.failed(field, err)
	}
	return nil, nil
}

// glance looks at a row that passes as it is, and of which the server judges
// whether it is one.
func (r *rewriter) glance(row []byte) {
	if r.sights.due(r.row) && r.split(row) == nil {
		r.sights.look(r, row)
	}
}

// replace appends what becomes of one field.
func (r *rewriter) replace(dst, row []byte, i int, field []byte) ([]byte, error) {
	c := r.cells[i]
	if c.by != nil {
		if err := c.by.read(r, row); err != nil {
			return dst, err
		}
		defer c.forget()
	}
	dst, err := c.append(dst, field)
	if err != nil {
		return dst, r.failed(i, err)
	}
	return dst, nil
}

// failed is an error of one value, without it.
func (r *rewriter) failed(field int, err error) error {
	if errors.Is(err, ErrLeak) {
		return leakError(r.table.Name.String(), r.row)
	}
	if unnamed, ok := errors.AsType[*document.UnnamedError](err); ok {
		line := fmt.Sprintf("- {path: %s, transform: text}", unnamed.Path)
		if unnamed.Key {
			line = keyRuleFor(unnamed.Path, transform.Hash)
		}
		return verdict.Errorf(verdict.CodeUnmatched, "add under json: "+line+", or let unmatched_paths be redact",
			"scrub %s, row %d, column %s: %w", r.table.Name, r.row, r.names[field], err)
	}
	return verdict.Errorf(verdict.CodeScrub,
		"look at this row in production: if the value is so there, the rule does not suit this column; "+
			"if not, the backup is damaged",
		"scrub %s, row %d, column %s: %w", r.table.Name, r.row, r.names[field], err)
}

func (r *rewriter) split(row []byte) error {
	r.ends = r.charset.AppendEnds(r.ends[:0], row)
	if len(r.ends) != len(r.names) {
		return errFields
	}
	if r.charset.Open(row) {
		return errOpen
	}
	return nil
}

// field is a field of the row that was split last.
func (r *rewriter) field(row []byte, i int) []byte { return copytext.Field(row, r.ends, i) }

// keptBy is the keeper whose patterns all match the row; nil for none.
func (r *rewriter) keptBy(row []byte) (*rowKeeper, error) {
	for i := range r.keepers {
		k := &r.keepers[i]
		all, err := r.matches(k, row)
		if err != nil {
			return nil, err
		}
		if all {
			return k, k.count()
		}
	}
	return nil, nil
}

func (r *rewriter) matches(k *rowKeeper, row []byte) (bool, error) {
	for _, m := range k.match {
		field := r.field(row, m.field)
		if copytext.IsNull(field) {
			return false, nil
		}
		value, err := m.cell.read(field)
		if err != nil {
			return false, r.failed(m.field, err)
		}
		if !m.glob.Match(m.cell.normalize(value)) {
			return false, nil
		}
	}
	return len(k.match) > 0, nil
}

// countKept counts what a kept row's columns under a rule held and hold.
func (r *rewriter) countKept(row []byte, kept *rowKeeper) {
	for i, c := range r.cells {
		if c == nil {
			continue
		}
		null := copytext.IsNull(r.field(row, i))
		if null {
			c.nullsIn++
		}
		if null && kept.set[i] == nil {
			c.nullsOut++
			continue
		}
		c.kept++
		field := r.field(row, i)
		if kept.set[i] != nil {
			field = kept.set[i]
		}
		if value, err := c.read(field); err == nil { // it is not changed: whether the server takes it, it says
			c.counter.Remained(value)
			c.written.Add(value)
		}
	}
}

// cell rewrites one field of each row.
type cell struct {
	column  *schema.Column
	made    *change
	charset copytext.Charset
	mask    *transform.Masker
	decode  *copytext.Decoder
	by      *person
	sample  *leakscan.Sampler     // nil: its values are not looked for
	gather  *leakscan.Gatherer    // adds to the sample what is in a value; nil: the value itself is added
	written *leakscan.Sampler     // of what stands in the column afterwards; nil: nobody asks
	stays   []leakscan.FoldedGlob // values of the link that keep leaves as they are
	direct  bool                  // what it makes of a value without escapes needs none

	document                *document.Rewriter // nil: the value is no document
	inside                  *leakscan.Within   // looks at what passes of documents; nil: nobody does
	fields                  *composite         // nil: the value is no composite
	hstore                  *hstoreValues      // nil: the value is no hstore
	one                     func(dst, value []byte) ([]byte, error)
	each                    bool // the field is an array, of whose elements each is a value
	array                   copytext.ArrayRewriter
	raw, out                []byte
	element                 func(dst, value []byte) ([]byte, error) // one, for which what leaks is no error
	stayed                  bool                                    // the last value did
	leaked                  bool                                    // some element of the last value did
	rows, nullsIn, nullsOut int64
	kept                    int64
	counter                 *distinct.Counter // nil: its values are not counted
}

func newCell(p *Plan, c *schema.Column, made *change, mask *transform.Masker, decode *copytext.Decoder) *cell {
	out := &cell{column: c, made: made, charset: p.encoding.Charset, mask: mask, decode: decode}
	out.counter = p.newCounter(c, made, decode)
	out.one = out.value
	switch {
	case made.document != nil:
		out.rewriteDocuments(p, made.document)
		out.one = out.document.Append
	case made.composite != nil:
		out.fields = newComposite(p, made.composite, mask, decode)
		out.one = out.fields.append
	case c.Base.IsHstore() && made.name != transform.Constant:
		out.hstore = newHstoreValues(p, c.Root().String(), out.value)
		out.one = out.pairs
	default:
		out.direct = out.charset == copytext.ASCIISafe && made.WritesPlain()
	}
	out.element = out.one
	if made.document != nil || made.composite != nil {
		out.element = func(dst, value []byte) ([]byte, error) {
			dst, err := out.one(dst, value)
			if errors.Is(err, ErrLeak) {
				out.leaked, err = true, nil
			}
			return dst, err
		}
	}
	if r := p.assigned[c]; r != nil {
		out.stays = p.keptInLink(r.Link)
		out.each = r.Each
		out.sampleTo(p.newSampler(c), made)
		out.written = p.newWritten(out)
	}
	out.direct = out.direct && !out.each // an array quotes
	return out
}

// sampleTo has the cell add to a sample what its rule takes away.
func (c *cell) sampleTo(s *leakscan.Sampler, made *change) {
	c.sample = s
	switch {
	case s == nil:
	case c.document != nil:
		c.document.Sample = s.Add
	case c.fields != nil:
		c.fields.sampleTo(c.column, s)
	case made.effect == transform.Clears || made.IsFixed() || c.column.Base.IsBytes():
		whole := *c.column
		whole.Array = whole.Array && !c.each
		c.gather = leakscan.NewGatherer(&whole, s)
	}
}

func (c *cell) forget() { c.mask.ClearPerson() }

// append appends what becomes of a field, as COPY needs it.
func (c *cell) append(dst, field []byte) ([]byte, error) {
	null := copytext.IsNull(field)
	if null {
		c.nullsIn++
	}
	switch {
	case c.made.effect == transform.Clears:
		if !null {
			c.rows++
			if err := c.sampled(field); err != nil {
				return dst, err
			}
		}
		c.nullsOut++
		return append(dst, copytext.Null...), nil
	case null:
		c.nullsOut++
		return append(dst, field...), nil
	case c.direct && copytext.Plain(field):
		return c.appendDirect(dst, field)
	case c.document != nil && !c.each && copytext.Plain(field):
		return c.appendDocument(dst, field)
	}
	value, err := c.unescape(field)
	if err != nil {
		return dst, err
	}
	if err := c.replace(value); err != nil {
		return dst, err
	}
	if c.stayed {
		c.kept++
		return append(dst, field...), nil
	}
	c.rows++
	return copytext.AppendEscaped(dst, c.out), nil
}

// appendDirect appends what becomes of a field in which nothing is escaped, by
// a transform that makes nothing to be escaped.
func (c *cell) appendDirect(dst, field []byte) (_ []byte, err error) {
	c.stayed = false
	dst, err = c.value(dst, field)
	switch {
	case err != nil:
	case c.stayed:
		c.kept++
	default:
		c.rows++
	}
	return dst, err
}

// appendDocument appends what becomes of a document in which nothing is escaped.
// Only what was put in can need it then.
func (c *cell) appendDocument(dst, field []byte) ([]byte, error) {
	start := len(dst)
	dst, err := c.document.Append(dst, field)
	if err != nil {
		return dst[:start], err
	}
	if c.document.Escapes() {
		c.out = append(c.out[:0], dst[start:]...)
		dst = copytext.AppendEscaped(dst[:start], c.out)
	}
	c.rows++
	return dst, nil
}

// replace leaves what becomes of a value in c.out.
func (c *cell) replace(value []byte) (err error) {
	c.stayed, c.leaked = false, false
	if !c.each {
		c.out, err = c.one(c.out[:0], value)
		return err
	}
	c.out, err = c.array.Append(c.out[:0], value, c.column.Delim, c.element)
	c.stayed = false // some elements may have; the array as a whole was rewritten
	if c.leaked && err == nil {
		err = ErrLeak
	}
	return err
}

// pairs appends an hstore with each of its values rewritten.
func (c *cell) pairs(dst, value []byte) ([]byte, error) {
	dst, err := c.hstore.append(dst, value)
	c.stayed = false // some values may have; the hstore as a whole was rewritten
	return dst, err
}

// value appends what becomes of one value, or of one element of an array. An
// empty value holds nothing, and stays.
func (c *cell) value(dst, value []byte) ([]byte, error) {
	decoded := c.decode.Decode(value)
	normalized := c.normalize(decoded)
	if len(normalized) == 0 && c.made.name != transform.Constant {
		c.counter.Remained(decoded)
		return append(dst, value...), nil
	}
	for _, g := range c.stays {
		if g.Match(normalized) {
			c.stayed = true
			c.counter.Remained(decoded)
			c.written.Add(decoded)
			return append(dst, value...), nil
		}
	}
	if c.gather != nil {
		c.gather.Add(decoded)
	} else {
		c.sample.Add(decoded)
	}
	start := len(dst)
	dst, err := c.mask.Append(dst, c.made.Recipe, decoded, normalized)
	c.counter.Became(decoded, normalized, dst[start:])
	if c.written != nil {
		c.written.Add(c.decode.Decode(dst[start:]))
	}
	return dst, err
}

// sampled adds a field that nobody else reads to the sample.
func (c *cell) sampled(field []byte) error {
	if c.gather == nil {
		return nil
	}
	value, err := c.read(field)
	c.gather.Add(value)
	return err
}

// read is a field's value in UTF-8, valid until the next one is read.
func (c *cell) read(field []byte) ([]byte, error) {
	value, err := c.unescape(field)
	return c.decode.Decode(value), err
}

func (c *cell) unescape(field []byte) (value []byte, err error) {
	if copytext.Plain(field) {
		return field, nil
	}
	c.raw, err = c.charset.AppendUnescaped(c.raw[:0], field)
	return c.raw, err
}

// normalize is valid until the next call of any cell of the row.
func (c *cell) normalize(value []byte) []byte { return c.mask.Normalize(c.made.Recipe, value) }
