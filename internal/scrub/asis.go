package scrub

import (
	"cmp"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
	"daybefore/internal/verdict"
)

// Nothing passes in silence: each column that can hold text, each field and each
// path that stays as it is is told, with what a sample of its values looks like
// in kind; and what looks personal and is preserved, by itself.

// asIs is a column, or a part of one, that passes as it is.
type asIs struct {
	column  *schema.Column // the topmost
	part    string         // a field behind a dot, or a path behind " at "
	path    int            // of those of the rule; below 0: what none of them names
	typ     string
	rule    *spec.Rule // nil: nobody decided
	textual bool       // it can hold text
	looks   string     // what its name or type tells; empty: nothing
}

func (a *asIs) name() string { return a.column.String() + a.part }

// asIsOf are what passes of a loaded column.
func (p *Plan) asIsOf(c *schema.Column) []asIs {
	r := p.assigned[c]
	if r == nil && looksLike(c) != "" { // it is refused
		return nil
	}
	if r == nil || r.Preserve {
		return listed(asIs{column: c.Root(), typ: c.SQL, rule: r, textual: c.MayHoldText(), looks: looksLike(c)})
	}
	if made := p.recipes[c]; made != nil && made.composite != nil {
		return fieldsAsIs(c, c, nil, r)
	}
	var all []asIs
	if r.JSON != nil && r.Unmatched == document.Keep {
		all = append(all, asIs{column: c.Root(), part: " at what no path names", path: -1, typ: c.SQL, rule: r,
			textual: true})
	}
	for i := range r.JSON {
		if path := &r.JSON[i]; path.Preserve {
			all = append(all, asIs{column: c.Root(), part: " at " + path.Path.String(), path: i, typ: c.SQL,
				rule: &path.Rule, textual: true, looks: pathLooksLike(c, path.Path)})
		}
	}
	return all
}

// fieldsAsIs are the fields that pass of a composite column, in within, to which
// path leads.
func fieldsAsIs(c, within *schema.Column, path []string, r *spec.Rule) []asIs {
	var all []asIs
	for _, f := range within.Fields {
		here := append(slices.Clone(path), f.Name)
		rule := fieldRule(r, here)
		if rule == nil && ruledWithin(r, here) {
			all = append(all, fieldsAsIs(c, f, here, r)...)
			continue
		}
		if rule != nil && !rule.Preserve || rule == nil && looksLike(f) != "" {
			continue
		}
		one := asIs{column: c.Root(), part: "." + strings.Join(here, "."), typ: f.SQL, textual: f.MayHoldText(),
			looks: looksLike(f)}
		if rule != nil {
			one.rule = &rule.Rule
		}
		all = append(all, listed(one)...)
	}
	return all
}

// listed is nothing where neither the list of texts nor that of personal data
// would hold it.
func listed(a asIs) []asIs {
	if !a.textual && (a.rule == nil || a.looks == "") {
		return nil
	}
	return []asIs{a}
}

// looksLike is what a column's name or type tells; empty: nothing.
func looksLike(c *schema.Column) string {
	what, _ := propose.Sensitive(c)
	return what
}

// pathLooksLike is what the last key of a path tells.
func pathLooksLike(c *schema.Column, path jsonpath.Path) string {
	for _, step := range slices.Backward(path.Steps) {
		if step.Key != "" {
			what, _ := detect.Column(c.Table.Name.Table, step.Key, detect.Text)
			return what
		}
	}
	return ""
}

// sight is what a sample of the values of one place looks like.
type sight struct {
	asIs
	leakscan.Sight
}

// newSight asks the values what they are where a rule lets them pass and no name
// tells. Where nobody decided, the watch looks.
func (p *Plan) newSight(a asIs) *sight {
	if a.rule == nil || a.looks != "" {
		return &sight{asIs: a}
	}
	return &sight{a, leakscan.NewSight(p.scanner.Named(a.column.Name), p.seed)}
}

// sights are those of what passes in the rows of one block. One serves one
// goroutine.
type sights struct {
	all    []*sight
	fields []fieldSight
	awake  bool // this row is looked at
	left   int  // parts of values of this row that are to be looked at
	reader *leakscan.SightReader
}

// fieldSight is the sight of a whole field.
type fieldSight struct {
	field  int
	column *schema.Column
	*sight
}

// The rows that are looked at: of each block the first ones, and then one in
// so many.
const (
	sightFirst = 200
	sightEvery = 64
	sightParts = 1 << 12 // of a row: a long document is like its beginning
)

// newSights is nil where nothing passes that is told of.
func (p *Plan) newSights(r *rewriter, decode *copytext.Decoder) *sights {
	out := &sights{reader: leakscan.NewSightReader(r.charset, decode)}
	for i, name := range r.names {
		c := r.table.ByName[name]
		if c == nil {
			continue
		}
		for _, a := range p.asIsOf(c) {
			s := p.newSight(a)
			out.all = append(out.all, s)
			if a.part == "" {
				out.fields = append(out.fields, fieldSight{i, c, s})
			} else if r.cells[i] != nil {
				out.watchPart(r.cells[i], s)
			}
		}
	}
	if len(out.all) == 0 {
		return nil
	}
	return out
}

// watchPart has a cell show what a part of its values holds.
func (s *sights) watchPart(c *cell, part *sight) {
	show := func(text []byte) {
		if s.left > 0 {
			part.Add(leakscan.Cut(text))
		}
		s.left--
	}
	switch {
	case c.document != nil:
		c.document.ShowKept(part.path, &s.awake, show)
	case c.fields != nil:
		c.fields.showKept(part.part, &s.awake, show)
	}
}

// showKept has what passes of the field of that name shown, while the cell is
// awake.
func (c *composite) showKept(name string, awake *bool, show func(text []byte)) {
	c.awake = awake
	if c.kept == nil {
		c.kept = make([]func([]byte), len(c.fields))
	}
	for i, f := range c.fields {
		if "."+f.path == name {
			c.kept[i] = show
		}
		if c.inner[i] != nil {
			c.inner[i].showKept(name, awake, show)
		}
	}
}

// due reports whether the row of that number, from 1 on, is looked at. The nil
// one looks at none.
func (s *sights) due(row int64) bool {
	if s == nil {
		return false
	}
	s.awake = row <= sightFirst || row%sightEvery == 0
	s.left = sightParts
	return s.awake
}

// look looks at the fields of a row that pass as a whole. What cannot be read
// the server refuses.
func (s *sights) look(r *rewriter, row []byte) {
	for i := range s.fields {
		f := &s.fields[i]
		field := r.field(row, f.field)
		switch {
		case copytext.IsNull(field):
		case f.column.Base.IsBytes():
			f.AddBytes()
		default:
			s.reader.Add(&f.Sight, f.column, field)
		}
	}
}

// passed lists what passed as it is, and of that what is personal and was let
// through on purpose.
func (p *Plan) passed() (all []verdict.ScrubPassed, kept []verdict.ScrubPreserved) {
	names, seen, rows := p.seen()
	for _, name := range names {
		s := seen[name]
		why := ""
		one := verdict.ScrubPassed{Column: name, Type: s.typ, Rows: rows[name], LooksLike: s.Forms.Words(),
			DecidedBy: verdict.DecidedByNobody}
		if s.rule != nil {
			why = s.rule.Why
			one.DecidedBy, one.Why = verdict.DecidedByRule, why
		}
		if s.textual {
			all = append(all, one)
		}
		if s.rule == nil {
			continue
		}
		if what := cmp.Or(s.looks, s.Tells()); what != "" {
			kept = append(kept, verdict.ScrubPreserved{Column: name, Why: why, LooksLike: what})
		}
	}
	return all, kept
}

// seen joins what was seen of each place, whatever blocks it came in, and counts
// the rows. The names are in the order of tables and columns.
func (p *Plan) seen() (names []string, seen map[string]*sight, rows map[string]int64) {
	seen, rows = map[string]*sight{}, map[string]int64{}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.schema.Tables {
		for _, column := range p.loaded[t] {
			c := t.ByName[column]
			if c == nil {
				continue
			}
			for _, a := range p.asIsOf(c) {
				if seen[a.name()] == nil {
					names = append(names, a.name())
					seen[a.name()] = p.newSight(a)
				}
			}
		}
	}
	for _, r := range p.rewriters {
		if r.sights == nil {
			continue
		}
		for _, s := range r.sights.all {
			seen[s.name()].Join(&s.Sight)
			rows[s.name()] += r.row
		}
	}
	return names, seen, rows
}
