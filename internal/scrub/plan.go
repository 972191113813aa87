// Package scrub decides, before the first row is loaded, what becomes of every
// column of a backup, and rewrites the rows on their way to the server. It
// refuses to begin while a column that looks sensitive has no rule, or a rule
// would be refused by its column. It never shows a value: not in an error, not
// in a count, not in a log.
package scrub

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/distinct"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// Header is a COPY header that the archive holds: the rows of one entry.
type Header struct {
	DumpID int
	copytext.Header
}

// Request is what a plan is made from.
type Request struct {
	Schema  *schema.Schema
	Headers []Header // every one that the archive has, also of tables that are not loaded
	// SQL of the archive's post-data that rests on what columns hold: constraints, indexes, materialized views
	Definitions  []string
	Rules        spec.Scrub
	File         string      // the drill file, for messages
	Encoding     string      // of the rows: the archive's client_encoding, by PostgreSQL's name; empty: UTF8
	LargeObjects bool        // the archive has some
	Rebuildable  []spec.Name // tables that may be missing or empty, so that rules for them may meet nothing
	OwnCode      bool        // of the backup may run once rows are stored: what was looked at is looked at again
	Names        *told.Names // that checks may tell; nil: all
	LatestEvents []spec.LatestEvents
	// tables that the archive makes and the restore, as it says itself, did not: no rule for them is judged
	Lost []spec.Name
}

// Plan says what becomes of each column. Its methods may be called by several
// goroutines at once.
type Plan struct {
	file     string
	schema   *schema.Schema
	rules    spec.Scrub
	key      []byte
	encoding copytext.Encoding
	assigned map[*schema.Column]*spec.Rule
	recipes  map[*schema.Column]*change
	keeps    []*keeper
	loaded   map[*schema.Table][]string // columns, by the headers of what is loaded
	excluded map[*schema.Table]bool
	looked   int                       // columns that were judged by name and type
	fallen   map[*schema.Column]string // what a column without a rule looks like, where unmatched decides about it
	watched  map[*schema.Column]detect.Scanner
	scanner  detect.Scanner
	leaks    leakscan.Findings
	people   *leakscan.People
	seed     maphash.Seed // of samples

	columnNames func() map[string]bool // of the schema; nil: none are known

	// the request's, to be tried where values became equal, and to be blamed where they were refused
	definitions []string
	pairsEach   int // of each column that is counted
	unjudged    int
	ownCode     bool
	names       *told.Names
	stored      map[*schema.Column]*leakscan.ValueSet // by the topmost column; where own code may run, of what is shown
	real        *leakscan.Overlap                     // what Aftermath looked for; nil: nothing was sampled

	mu        sync.Mutex
	rewriters []*rewriter
	met       map[*schema.Table]bool
	looking   bool // LookOn is under way

	ended atomic.Bool // the load: by a row that no filter could rewrite, or see Ended
}

// planner collects what is wrong while a plan is made.
type planner struct {
	*Plan
	schema.Prober
	req    Request
	fks    []schema.ForeignKey
	checks []verdict.Check
	links  map[string]transform.Normal
	limits map[string]int // by link: characters of its shortest column that has a limit
	tried  map[string]bool
}

// NewPlan decides. Everything that is wrong with the rules is in the checks,
// all of outcome error: a plan with any must not be used. The error is the
// connection's, or of a request that makes no sense.
func NewPlan(ctx context.Context, conn *pgx.Conn, req Request) (*Plan, []verdict.Check, error) {
	p, err := newPlanner(ctx, conn, req)
	if err != nil {
		return nil, nil, err
	}
	err = p.run(p.exclude, p.load, p.assign, p.fallback, p.unmet, p.fit, p.foreignKeys, p.keep, p.largeObjects,
		p.unmatched, p.watch, p.count, p.remember)
	if err != nil {
		return nil, nil, err
	}
	return p.Plan, p.checks, nil
}

func newPlanner(ctx context.Context, conn *pgx.Conn, req Request) (*planner, error) {
	encoding, known := copytext.EncodingOf(req.Encoding)
	key := req.Rules.Key
	switch {
	case key == nil:
		key = transform.NewKey()
	case len(key) < transform.KeySize:
		return nil, verdict.Errorf(verdict.CodeSpec, "give at least 32 random bytes",
			"plan the scrub: the key has %d bytes", len(key))
	}
	seed := maphash.MakeSeed()
	p := &planner{
		Plan: &Plan{
			file: req.File, ownCode: req.OwnCode, names: req.Names, schema: req.Schema, rules: req.Rules,
			key: slices.Clone(key), encoding: encoding,
			assigned: map[*schema.Column]*spec.Rule{}, recipes: map[*schema.Column]*change{},
			loaded: map[*schema.Table][]string{}, excluded: map[*schema.Table]bool{}, met: map[*schema.Table]bool{},
			watched: map[*schema.Column]detect.Scanner{}, fallen: map[*schema.Column]string{},
			stored: map[*schema.Column]*leakscan.ValueSet{}, seed: seed, people: leakscan.NewPeople(seed),
			columnNames: sync.OnceValue(func() map[string]bool { return columnNames(req.Schema) }),
		},
		Prober: schema.Prober{Context: ctx, Conn: conn, Told: req.Names}, req: req,
		links: map[string]transform.Normal{}, limits: map[string]int{},
		tried: map[string]bool{},
	}
	if !known && len(req.Rules.Rules) > 0 {
		p.problem(verdict.CodeRuleUnfit, "encoding", spec.Pos{}, "dump with --encoding=UTF8",
			"the rows are in %s, of which this program has no table to read them by", encoding.Name)
	}
	p.fks = req.Schema.Define(req.Definitions)
	return p, nil
}

func (p *planner) run(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("plan the scrub: %w", err)
		}
	}
	return nil
}

// problem records that the rules do not fit. id tells it from others of its
// code, of which the first is enough; pos is the rule's place in the file, if
// it has one.
func (p *planner) problem(code verdict.Code, id string, pos spec.Pos, hint, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if place := p.place(pos); place != "" {
		message = place + ": " + message
	}
	c := verdict.Check{ID: string(code) + ":" + id, Stage: verdict.StageScrub, Code: code, Outcome: verdict.Error,
		Message: message, Hint: hint}
	if !slices.ContainsFunc(p.checks, func(old verdict.Check) bool { return old.ID == c.ID }) {
		p.checks = append(p.checks, c)
	}
}

// count deals out what may be remembered of the values that are counted.
func (p *planner) count() error {
	n := 0
	for c, made := range p.recipes {
		if p.counts(c, made) {
			n++
		}
	}
	p.pairsEach = distinct.Share(n)
	p.definitions = p.req.Definitions
	return nil
}

func (p *Plan) place(pos spec.Pos) string {
	if pos.Line == 0 {
		return p.file
	}
	return fmt.Sprintf("%s:%d:%d", cmp.Or(pos.File, p.file), pos.Line, pos.Column)
}

// exclude finds the tables whose rows are not loaded: those that a pattern
// names, and what is inherited from them.
func (p *planner) exclude() error {
	for i, pattern := range p.rules.ExcludeTableData {
		found := false
		pos := spec.Pos{}
		if i < len(p.rules.ExcludePos) {
			pos = p.rules.ExcludePos[i]
		}
		tables, err := spec.ParseTablePattern(pattern)
		for _, t := range p.schema.Tables {
			if err != nil || !tables.Match(t.Name.Schema, t.Name.Table) {
				continue
			}
			found, p.excluded[t] = true, true
			for _, d := range t.Descendants() {
				p.excluded[d] = true
			}
		}
		switch {
		case found, err == nil && p.mayMiss(tables.Schema, tables.Table), err == nil && p.isLost(tables.Match):
		default:
			p.problem(verdict.CodeRuleUnmet, pattern, pos,
				p.meant(spec.Name{Schema: tables.Schema, Table: tables.Table},
					"take the pattern out of exclude_table_data, or correct it"),
				"exclude_table_data: no table of the backup is of the pattern %s", pattern)
		}
	}
	return nil
}

// load finds the tables that the headers fill.
func (p *planner) load() error {
	for _, h := range p.req.Headers {
		t := p.schema.ByName[schema.Name{Schema: h.Schema, Table: h.Table}]
		if t == nil && slices.Contains(p.req.Lost, spec.Name{Schema: h.Schema, Table: h.Table}) {
			continue
		}
		if t == nil {
			p.problem(verdict.CodeScrub, h.Schema+"."+h.Table, spec.Pos{}, "see the errors of the restore",
				"the archive holds rows of %s.%s, which does not exist after the restore of the schema", h.Schema,
				h.Table)
			continue
		}
		if p.excluded[t] || t.Kind == "f" { // there is nowhere to load foreign rows to
			continue
		}
		p.loaded[t] = h.Columns
		for _, name := range h.Columns {
			if t.ByName[name] == nil {
				p.problem(verdict.CodeScrub, t.Name.String()+"."+name, spec.Pos{}, "see the errors of the restore",
					"the archive holds values of %s.%s, a column that the restored table lacks", t.Name, name)
			}
		}
	}
	return nil
}

// assign gives each column the narrowest rule that reaches it.
func (p *planner) assign() error {
	for _, t := range p.schema.Tables {
		for _, c := range t.Columns {
			best, rival := schema.NarrowestRule(p.rules.Rules, c)
			if best == nil || c.Generated && !schema.Exact(best) {
				continue
			}
			p.assigned[c] = best
			if rival != nil {
				p.problem(verdict.CodeRuleUnfit, c.Root().String(), best.Pos, "write one rule for "+patternOf(c.Root()),
					"%s and %s both name %s, and neither is narrower", best.Names(), rival.Names(), c.Root())
			}
		}
	}
	return nil
}

func changes(r *spec.Rule) bool { return r != nil && !r.Preserve }

func (p *planner) largeObjects() error {
	if p.req.LargeObjects && p.rules.LargeObjects == "" {
		p.problem(verdict.CodeLargeObjects, "large_objects", spec.Pos{},
			"add to scrub: large_objects: drop (or preserve, if nothing in them is private)",
			"the backup holds large objects, and the drill file does not say what becomes of them")
	}
	return nil
}

// Excluded reports whether the rows of a table are not to be loaded: the table,
// or one that it is inherited from, is under exclude_table_data.
func (p *Plan) Excluded(namespace, table string) bool {
	return p.excluded[p.schema.ByName[schema.Name{Schema: namespace, Table: table}]]
}

// Related reports whether rows of one table may come under the name of another:
// they are the same, or one inherits from the other.
func (p *Plan) Related(one, other spec.Name) bool {
	a := p.schema.ByName[schema.Name{Schema: one.Schema, Table: one.Table}]
	b := p.schema.ByName[schema.Name{Schema: other.Schema, Table: other.Table}]
	return a != nil && b != nil && (a == b || slices.Contains(a.Ancestors(), b) || slices.Contains(b.Ancestors(), a))
}

// Shown reports whether values of a column may be shown: what was rewritten, or
// preserved with a why; not where keep leaves some as they are.
func (p *Plan) Shown(namespace, table, column string) bool {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: table}]
	if t == nil || p.excluded[t] {
		return false
	}
	for _, t := range t.WithDescendants() {
		c := t.ByName[column]
		r := p.assigned[c]
		if c == nil || r == nil || c.Generated || hasRecompute(r) || changes(r) && p.keptSome(c, r) {
			return false
		}
	}
	return true
}

// Rewritten reports whether the column, or that of a table that is inherited
// from this one, does not hold what the backup does.
func (p *Plan) Rewritten(namespace, name, column string) bool {
	t := p.schema.ByName[schema.Name{Schema: namespace, Table: name}]
	return t != nil &&
		slices.ContainsFunc(t.WithDescendants(),
			func(t *schema.Table) bool { return changes(p.assigned[t.ByName[column]]) })
}

// Agree reports whether two columns hold equal values after the scrub where they
// did before.
func (p *Plan) Agree(table spec.Name, column string, other spec.Name, otherColumn string) bool {
	from := p.schema.ByName[schema.Name{Schema: table.Schema, Table: table.Table}]
	to := p.schema.ByName[schema.Name{Schema: other.Schema, Table: other.Table}]
	if from == nil || to == nil { // views hold what their tables do
		return true
	}
	for _, from := range from.WithDescendants() {
		for _, to := range to.WithDescendants() {
			a, b := from.ByName[column], to.ByName[otherColumn]
			if a != nil && b != nil && !p.agree(a, b) {
				return false
			}
		}
	}
	return true
}

// keptSome reports whether some values of a scrubbed column stay.
func (p *Plan) keptSome(c *schema.Column, r *spec.Rule) bool {
	return slices.ContainsFunc(p.keeps, func(k *keeper) bool { return k.governs(c.Table) }) || p.keptWithin(r)
}

// Fingerprint stands for a value that may not be shown: equal for equal values
// under one key, and of no use without it.
func (p *Plan) Fingerprint(value string) string { return transform.Fingerprint(p.key, value) }

// loadedWithRules are the assigned columns that are loaded, in the order of names.
func (p *Plan) loadedWithRules() []*schema.Column {
	var all []*schema.Column
	for t, names := range p.loaded {
		for _, name := range names {
			if c := t.ByName[name]; c != nil && p.assigned[c] != nil {
				all = append(all, c)
			}
		}
	}
	slices.SortFunc(all, func(a, b *schema.Column) int {
		return cmp.Or((*schema.Table).Compare(a.Table, b.Table), cmp.Compare(a.Number, b.Number))
	})
	return all
}

func joined(names []string) string { return strings.Join(names, ", ") }
