// Package distinct shows that a scrub keeps apart what was different: it counts
// values and pseudonyms as rows pass, and compares with what the server holds
// after the load. It must never keep a value, only hashes, or change what a row
// becomes.
package distinct

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/verdict"
)

// Block is what was counted while the rows under one COPY header passed.
type Block struct {
	Tree     *schema.Table // through which they were loaded
	Rows     int64
	Counters []*Counter // those that count anything
}

// Request is what is compared.
type Request struct {
	Blocks  []Block
	OwnCode bool // of the backup may have run since the rows were stored
	// ChangesAll reports whether a column of a tree is rewritten in each table
	// whose rows are loaded through it.
	ChangesAll func(tree *schema.Table, column string) bool
	// EqualIn names a key or unique index over a column that cannot be built since
	// two rows are equal in it; empty: all can.
	EqualIn func(ctx context.Context, conn *pgx.Conn, c *schema.Column) (string, error)
}

// Compare says of each column, and of each link, how many different values there
// were before and are after. Checks of outcome error say where values became one,
// or came out otherwise than they were written; the error is the connection's.
func Compare(ctx context.Context, connect leakscan.Connector, jobs int, req Request) ([]verdict.Check, error) {
	spaces, reads := req.keySpaces()
	if err := readAll(ctx, connect, reads, jobs); err != nil {
		return nil, err
	}
	var checks []verdict.Check
	for _, d := range spaces {
		check, err := req.check(ctx, connect, d)
		if err != nil {
			return nil, err
		}
		checks = append(checks, check)
	}
	return checks, nil
}

// keySpace is where different values have to stay apart: a column that is a key
// or in a unique index, with what is inherited from it, or a link.
type keySpace struct {
	name    string
	own     bool
	first   *Counter // one of them
	columns []*schema.Column
	pairs   *pairs

	mu       sync.Mutex
	seen     map[uint64]bool
	unknown  int
	complete bool
	short    string // a table whose rows did not all arrive
}

// keySpaces joins what the blocks counted, by name; and says what to read.
func (req *Request) keySpaces() ([]*keySpace, []*readBack) {
	byName := map[string]*keySpace{}
	reads := map[*schema.Table]*readBack{}
	for _, b := range req.Blocks {
		for _, c := range b.Counters {
			rd := reads[b.Tree]
			if rd == nil {
				rd = &readBack{table: b.Tree}
				reads[b.Tree] = rd
			}
			for _, d := range spacesOf(byName, c) {
				switch {
				case !d.first.column.KeepsApart:
				case !req.ChangesAll(b.Tree, c.column.Name): // where else its values are is not known
					d.complete = false
				default:
					rd.add(b.Tree.ByName[c.column.Name], d)
				}
			}
		}
	}
	all := slices.SortedFunc(maps.Values(byName), func(a, b *keySpace) int { return strings.Compare(a.name, b.name) })
	return all, readBacks(req.Blocks, reads)
}

// spacesOf has the key spaces of a counter take in what it counted.
func spacesOf(byName map[string]*keySpace, c *Counter) []*keySpace {
	var all []*keySpace
	add := func(name string, counted *pairs) {
		if counted == nil {
			return
		}
		d := byName[name]
		if d == nil {
			counted.most = mostPairs
			d = &keySpace{name: name, own: counted == c.own, first: c, complete: true, pairs: counted,
				seen: map[uint64]bool{}}
			byName[name] = d
		} else {
			d.pairs.join(counted)
		}
		if !slices.Contains(d.columns, c.column.Column) {
			d.columns = append(d.columns, c.column.Column)
		}
		all = append(all, d)
	}
	add(c.column.Root().String(), c.own)
	add("link "+c.column.Link, c.linked)
	return all
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

// check says what became of a key space.
func (req *Request) check(ctx context.Context, connect leakscan.Connector, d *keySpace) (verdict.Check, error) {
	before, parted := d.pairs.values()
	after := len(d.pairs.of)
	c := verdict.Check{ID: "distinct:" + d.name, Stage: verdict.StageScrub, Code: verdict.CodeDistinct,
		Outcome:  verdict.Pass,
		Expected: "as many different values after as before",
		Observed: fmt.Sprintf("%d before, %d after", before, after)}
	first := d.first.column
	if !first.KeepsApart {
		c.Expected = "no more different values after than before: " + first.Transform + " makes some of them equal"
		return d.sampled(c), nil
	}
	missing := after - len(d.seen)
	switch {
	case d.short != "":
		c.Outcome = verdict.Skipped
		c.Message = "not all rows of " + d.short + " arrived: see its rows_held"
	case d.unknown > 0, d.complete && missing > 0:
		c.Outcome = verdict.Error
		c.Hint = bugHint
		if req.OwnCode {
			c.Hint = changedHint
		}
		c.Message = fmt.Sprintf("%s: the server holds %s that no filter wrote, and lacks %d that one did", d.name,
			verdict.Count(int64(d.unknown), "value"), missing)
	case parted > 0:
		c.Outcome = verdict.Error
		c.Hint = bugHint
		c.Message = fmt.Sprintf("%s: %s became several, so that equal values parted", d.name,
			verdict.Count(int64(parted), "value"))
	case len(d.pairs.further) > 0 && d.own && first.Normal != d.first.normal:
		return req.normalizedApart(ctx, connect, d, c)
	case len(d.pairs.further) > 0:
		c.Outcome = verdict.Error
		c.Hint = bugHint
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
	if !d.complete && d.first.column.KeepsApart {
		c.Observed += ", with some of the rows read back"
	}
	return c
}

// normalizedApart is about values that only normalizing made equal, as the rule
// says it shall: what was unique may be so no more.
func (req *Request) normalizedApart(ctx context.Context, connect leakscan.Connector, d *keySpace,
	c verdict.Check) (verdict.Check, error) {
	conn, err := connect(ctx)
	if err != nil {
		return c, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	merged := verdict.Count(int64(len(d.pairs.further)), "value")
	c.Message = fmt.Sprintf("%s: %s of %s became equal to others by normalizing alone", d.first.column.Place, merged,
		d.name)
	for _, column := range d.columns {
		broken, err := req.EqualIn(ctx, conn, column)
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
