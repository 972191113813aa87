package scrub

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	// mostPairs is how many values with their pseudonyms are remembered, in all
	// columns together: some megabytes.
	mostPairs = 1 << 17
	// leastPairs are those of one column, however many there are.
	leastPairs = 1 << 8
	// mostReadBack is how many rows of a table are read back; of a larger one
	// about so many.
	mostReadBack = 1 << 18
)

// pairs remembers what became of values, as hashes: those whose pseudonym's
// hash is not above a limit, which sinks as they become too many. So whatever
// became one pseudonym is remembered, or forgotten, together. The zero value
// of of is ready; one serves one goroutine.
type pairs struct {
	seed    maphash.Seed
	most    int
	halved  int // times: one pseudonym of 2^halved is remembered
	of      map[uint64]uint64
	further map[[2]uint64]struct{} // values that became a pseudonym which another had
	buf     []byte
}

// itself stands for a value that stayed as it is.
const itself = 0

// wants reports whether a pseudonym is one of those that are remembered; none is
// where nothing is counted.
func (p *pairs) wants(pseudonym uint64) bool {
	return p != nil && pseudonym <= ^uint64(0)>>p.halved
}

// add notes that a value, told by its hash, became a pseudonym, told likewise.
func (p *pairs) add(value, pseudonym uint64) {
	if !p.wants(pseudonym) {
		return
	}
	old, known := p.of[pseudonym]
	switch {
	case !known && p.of == nil:
		p.of = map[uint64]uint64{pseudonym: value}
	case !known:
		p.of[pseudonym] = value
		for len(p.of) > p.most {
			p.halve()
		}
	case old != value:
		if p.further == nil {
			p.further = map[[2]uint64]struct{}{}
		}
		if len(p.further) < p.most {
			p.further[[2]uint64{pseudonym, value}] = struct{}{}
		}
	}
}

func (p *pairs) halve() {
	p.halved++
	limit := ^uint64(0) >> p.halved
	maps.DeleteFunc(p.of, func(pseudonym, _ uint64) bool { return pseudonym > limit })
	maps.DeleteFunc(p.further, func(f [2]uint64, _ struct{}) bool { return f[0] > limit })
}

// join takes in what another remembers.
func (p *pairs) join(other *pairs) {
	for p.halved < other.halved {
		p.halve()
	}
	for pseudonym, value := range other.of {
		p.add(value, pseudonym)
	}
	for f := range other.further {
		p.add(f[1], f[0])
	}
}

// values is how many different values are remembered, and how many of them
// became several pseudonyms.
func (p *pairs) values() (n, parted int) {
	became := map[uint64]int{}
	for _, value := range p.of {
		became[value]++
	}
	for f := range p.further {
		became[f[1]]++
	}
	n = became[itself]
	delete(became, itself)
	for _, pseudonyms := range became {
		n++
		if pseudonyms > 1 {
			parted++
		}
	}
	return n, parted
}

// hash tells values apart. A UUID is the same with hyphens and without: types
// write it as they like.
func (p *pairs) hash(value []byte) uint64 {
	const hyphenated = 36
	if len(value) == hyphenated && value[8] == '-' && value[13] == '-' && value[18] == '-' && value[23] == '-' {
		p.buf = p.buf[:0]
		for _, c := range value {
			if c != '-' {
				p.buf = append(p.buf, c)
			}
		}
		value = p.buf
	}
	return max(maphash.Bytes(p.seed, value), itself+1)
}

// counters are what a cell's values are counted in: as the column's own, which
// a key or a unique index rests on, and as a link's. Either may be nil.
type counters struct {
	own, linked *pairs
	normal      transform.Normal // what the column's type takes for equal
}

// newCounters are those of a column whose values are plain: what lies within
// documents, arrays and the like no query compares.
func (p *Plan) newCounters(c *schema.Column, made *change) (out counters) {
	r := p.assigned[c]
	if !p.counts(c, made) {
		return out
	}
	one := func() *pairs { return &pairs{seed: p.seed, most: p.pairsEach} }
	if len(c.Unique) > 0 {
		out.own = one()
		out.normal = transform.NormalOf(c, &spec.Rule{})
	}
	if r.Link != "" {
		out.linked = one()
	}
	return out
}

// counts reports whether a column's values are counted.
func (p *Plan) counts(c *schema.Column, made *change) bool {
	r := p.assigned[c]
	if !changes(r) || made == nil || made.name != r.Transform || r.Each || made.OfRanges() || c.Base.IsHstore() {
		return false
	}
	return r.Link != "" && r.Transform != transform.DateShift || len(c.Unique) > 0 &&
		made.effect == transform.KeepsApart
}

// became notes what became of a value.
func (c *cell) became(value, normalized, pseudonym []byte) {
	p := cmp.Or(c.counted.linked, c.counted.own)
	if p == nil {
		return
	}
	if c.decode.Converts() && copytext.HasHighBytes(pseudonym) { // words of a template or a locale
		value = bytes.Clone(value)
		normalized = bytes.Clone(normalized)
		pseudonym = c.decode.Decode(pseudonym)
	}
	h := p.hash(c.comparable(pseudonym))
	if linked := c.counted.linked; linked.wants(h) {
		linked.add(p.hash(normalized), h)
	}
	if own := c.counted.own; own.wants(h) {
		own.buf = c.counted.normal.Append(own.buf[:0], value)
		own.add(max(maphash.Bytes(p.seed, own.buf), itself+1), h)
	}
}

// remained notes a value that stays as it is.
func (c *cell) remained(value []byte) {
	p := cmp.Or(c.counted.linked, c.counted.own)
	if p == nil {
		return
	}
	h := p.hash(c.comparable(value))
	for _, p := range []*pairs{c.counted.linked, c.counted.own} {
		if p != nil {
			p.add(itself, h)
		}
	}
}

// comparable is a value as the server's text of it is read: without the blanks
// that a char(n) is filled up with.
func (c *cell) comparable(value []byte) []byte {
	if c.column.Base.Is("bpchar") {
		value = bytes.TrimRight(value, " ")
	}
	return value
}

// keySpace is where different values have to stay apart: a column that is a key
// or in a unique index, with what is inherited from it, or a link.
type keySpace struct {
	name    string
	own     bool
	made    *change
	columns []*schema.Column
	pairs   *pairs
	cell    *cell // one of them

	mu       sync.Mutex
	seen     map[uint64]bool
	unknown  int
	complete bool
	short    string // a table whose rows did not all arrive
}

// Distinct compares, after the load and before the post-data, how many
// different values the columns that a link, a key or a unique index rests on
// had, and how many pseudonyms the server holds. Checks of outcome error say
// where values became one, or came out otherwise than they were written; the
// error is the connection's.
func (p *Plan) Distinct(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	jobs int) ([]verdict.Check, error) {
	domains, reads := p.domains()
	if err := p.readBack(ctx, connect, reads, jobs); err != nil {
		return nil, err
	}
	var checks []verdict.Check
	for _, d := range domains {
		check, err := p.distinct(ctx, connect, d)
		if err != nil {
			return nil, err
		}
		checks = append(checks, check)
	}
	return checks, nil
}

// readBack is a table to read back, with the domains of each column.
type readBack struct {
	table   *schema.Table
	columns []*schema.Column
	domains [][]*keySpace
	rows    int64 // that were written
	percent float64
}

// domains joins what the blocks' cells counted, by name; and says what to read.
func (p *Plan) domains() ([]*keySpace, []*readBack) {
	p.mu.Lock()
	defer p.mu.Unlock()
	byName := map[string]*keySpace{}
	reads := map[*schema.Table]*readBack{}
	for _, r := range p.rewriters {
		for _, c := range r.cells {
			if c == nil || c.counted.own == nil && c.counted.linked == nil {
				continue
			}
			tree := p.treeOf(r.table)
			for _, d := range p.domainsOf(byName, c) {
				rd := reads[tree]
				if rd == nil {
					rd = &readBack{table: tree}
					reads[tree] = rd
				}
				switch {
				case d.made.effect != transform.KeepsApart:
				case !p.changesAll(tree, c.column.Name): // where else its values are is not known
					d.complete = false
				default:
					rd.add(tree.ByName[c.column.Name], d)
				}
			}
		}
	}
	for _, r := range p.rewriters {
		if rd := reads[p.treeOf(r.table)]; rd != nil {
			rd.rows += r.row
		}
	}
	all := slices.SortedFunc(maps.Values(reads), func(a, b *readBack) int { return cmp.Compare(b.rows, a.rows) })
	for _, rd := range all {
		if rd.rows > mostReadBack {
			rd.percent = 100 * mostReadBack / float64(rd.rows)
			for _, domains := range rd.domains {
				for _, d := range domains {
					d.complete = false
				}
			}
		}
	}
	return slices.SortedFunc(maps.Values(byName),
		func(a, b *keySpace) int { return strings.Compare(a.name, b.name) }), all
}

// changesAll reports whether every partition through which a tree is loaded has
// the column rewritten; of a table by itself that is known.
func (p *Plan) changesAll(tree *schema.Table, column string) bool {
	return tree.Kind != "p" || !slices.ContainsFunc(tree.Descendants(), func(t *schema.Table) bool {
		_, loaded := p.loaded[t]
		return loaded && p.recipes[t.ByName[column]] == nil
	})
}

func (p *Plan) domainsOf(byName map[string]*keySpace, c *cell) []*keySpace {
	var all []*keySpace
	add := func(name string, counted *pairs) {
		if counted == nil {
			return
		}
		d := byName[name]
		if d == nil {
			counted.most = mostPairs
			d = &keySpace{name: name, own: counted == c.counted.own, made: c.made, cell: c, complete: true,
				pairs: counted, seen: map[uint64]bool{}}
			byName[name] = d
		} else {
			d.pairs.join(counted)
		}
		if !slices.Contains(d.columns, c.column) {
			d.columns = append(d.columns, c.column)
		}
		all = append(all, d)
	}
	add(c.column.Root().String(), c.counted.own)
	add("link "+p.assigned[c.column].Link, c.counted.linked)
	return all
}

func (rd *readBack) add(c *schema.Column, d *keySpace) {
	i := slices.Index(rd.columns, c)
	if i < 0 {
		i = len(rd.columns)
		rd.columns = append(rd.columns, c)
		rd.domains = append(rd.domains, nil)
	}
	if !slices.Contains(rd.domains[i], d) {
		rd.domains[i] = append(rd.domains[i], d)
	}
}

func (rd *readBack) sql() string {
	var columns []string
	for _, c := range rd.columns {
		text := "::text"
		if c.Base.IsAddress() { // whose cast writes a netmask that COPY does not
			text = ""
		}
		columns = append(columns, pgx.Identifier{c.Name}.Sanitize()+text)
	}
	from := " FROM ONLY "
	if rd.table.Kind == "p" { // its rows went on into partitions
		from = " FROM "
	}
	from += pgx.Identifier{rd.table.Name.Schema, rd.table.Name.Table}.Sanitize()
	if rd.percent > 0 {
		from += fmt.Sprintf(" TABLESAMPLE SYSTEM (%f) REPEATABLE (1)", rd.percent)
	}
	return "COPY (SELECT " + strings.Join(columns, ", ") + from + ") TO STDOUT"
}

// readBack reads what the server holds, over as many connections as there are
// jobs.
func (p *Plan) readBack(ctx context.Context, connect func(context.Context) (*pgx.Conn, error), reads []*readBack,
	jobs int) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan *readBack, len(reads))
	for _, rd := range reads {
		if len(rd.columns) > 0 {
			next <- rd
		}
	}
	close(next)
	for range min(max(jobs, 1), len(next)) {
		work.Go(func() error {
			conn, err := leakscan.Connect(ctx, connect)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for rd := range next {
				if err := rd.run(ctx, conn); err != nil {
					return cmp.Or(context.Cause(ctx), fmt.Errorf("read %s back: %w", rd.table.Name, err))
				}
			}
			return nil
		})
	}
	return work.Wait()
}

func (rd *readBack) run(ctx context.Context, conn *pgx.Conn) error {
	rows := int64(0)
	var raw []byte
	hashed := &pairs{seed: rd.domains[0][0].pairs.seed}
	w := &leakscan.RowWriter{Row: func(row []byte) (err error) {
		rows++
		fields := copytext.Split(row)
		for _, domains := range rd.domains {
			field, ok := fields.Next()
			if !ok {
				return errFields
			}
			if copytext.IsNull(field) {
				continue
			}
			raw, err = copytext.AppendUnescaped(raw[:0], field)
			if err != nil {
				return err
			}
			h := hashed.hash(raw)
			for _, d := range domains {
				d.holds(h)
			}
		}
		return nil
	}}
	if _, err := conn.PgConn().CopyTo(ctx, w, rd.sql()); err != nil {
		return errors.Join(w.Err, err)
	}
	if rd.percent == 0 && rows != rd.rows {
		for _, domains := range rd.domains {
			for _, d := range domains {
				d.short = rd.table.Name.String()
			}
		}
	}
	return nil
}

// holds notes that the server holds a pseudonym.
func (d *keySpace) holds(pseudonym uint64) {
	if pseudonym > ^uint64(0)>>d.pairs.halved {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.pairs.of[pseudonym]; known {
		d.seen[pseudonym] = true
	} else {
		d.unknown++
	}
}

const (
	bugHint     = "this is a bug of the harness: report it"
	changedHint = "rows were changed after they had been scrubbed: code of the backup's own, which ran while " +
		"it was restored, may have written them, so nothing is known of the backup; " +
		"look at the functions that its schema calls"
)

// distinct says what became of a domain.
func (p *Plan) distinct(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	d *keySpace) (verdict.Check, error) {
	before, parted := d.pairs.values()
	after, missing := len(d.pairs.of), len(d.pairs.of)-len(d.seen)
	c := verdict.Check{ID: "distinct:" + d.name, Stage: verdict.StageScrub, Code: verdict.CodeDistinct,
		Outcome:  verdict.Pass,
		Expected: "as many different values after as before",
		Observed: fmt.Sprintf("%d before, %d after", before, after)}
	if d.made.effect != transform.KeepsApart {
		c.Expected = "no more different values after than before: " + d.made.name + " makes some of them equal"
		return d.sampled(c), nil
	}
	switch {
	case d.short != "":
		c.Outcome, c.Message = verdict.Skipped, "not all rows of "+d.short+" arrived: see its rows_held"
	case d.unknown > 0, d.complete && missing > 0:
		c.Outcome, c.Hint = verdict.Error, bugHint
		if p.ownCode {
			c.Hint = changedHint
		}
		c.Message = fmt.Sprintf("%s: the server holds %s that no filter wrote, and lacks %d that one did", d.name,
			verdict.Count(int64(d.unknown), "value"), missing)
	case parted > 0:
		c.Outcome, c.Hint = verdict.Error, bugHint
		c.Message = fmt.Sprintf("%s: %s became several, so that equal values parted", d.name,
			verdict.Count(int64(parted), "value"))
	case len(d.pairs.further) > 0 && d.own && d.cell.made.Normal() != d.cell.counted.normal:
		return p.normalizedApart(ctx, connect, d, c)
	case len(d.pairs.further) > 0:
		c.Outcome, c.Hint = verdict.Error, bugHint
		c.Message = fmt.Sprintf("%s: %s became equal to others", d.name,
			verdict.Count(int64(len(d.pairs.further)), "value"))
	}
	return d.sampled(c), nil
}

// sampled says of which part of the values the numbers are.
func (d *keySpace) sampled(c verdict.Check) verdict.Check {
	if d.pairs.halved > 0 {
		c.Observed = fmt.Sprintf("of one pseudonym in %d: ", 1<<d.pairs.halved) + c.Observed
	}
	if !d.complete && d.made.effect == transform.KeepsApart {
		c.Observed += ", with some of the rows read back"
	}
	return c
}

// normalizedApart is about values that only normalizing made equal, as the
// rule says it shall: what was unique may be so no more.
func (p *Plan) normalizedApart(ctx context.Context, connect func(context.Context) (*pgx.Conn, error), d *keySpace,
	c verdict.Check) (verdict.Check, error) {
	conn, err := connect(ctx)
	if err != nil {
		return c, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	merged := verdict.Count(int64(len(d.pairs.further)), "value")
	c.Message = fmt.Sprintf("%s: %s of %s became equal to others by normalizing alone",
		p.place(p.assigned[d.columns[0]].Pos), merged, d.name)
	for _, column := range d.columns {
		broken, err := p.brokenBy(ctx, conn, column)
		if err != nil {
			return c, err
		}
		if broken != "" {
			c.Outcome = verdict.Error
			c.Hint = "take normalize away, from the other rules of its link too; " +
				"or correct these rows where the backup is from"
			c.Message += ", which " + broken + " forbids"
			break
		}
	}
	return d.sampled(c), nil
}

// brokenBy tries the keys and unique indexes that rest on a column, and names
// the first that cannot be built since two rows are equal; none of them stays.
func (p *Plan) brokenBy(ctx context.Context, conn *pgx.Conn, c *schema.Column) (string, error) {
	for _, a := range p.attempts() {
		if a.Kind == schema.Foreign || !a.Bears() || p.schema.ByName[a.Table] != c.Table ||
			!slices.Contains(a.Columns, c.Name) {
			continue
		}
		refused, err := try(ctx, conn, a.sql)
		if err != nil {
			return "", err
		}
		if refused != nil && refused.Code == "23505" {
			return a.Name, nil
		}
	}
	return "", nil
}
