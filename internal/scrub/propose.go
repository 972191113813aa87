package scrub

import (
	"cmp"
	"maps"
	"slices"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// Lineage is a column with all that is inherited from it, of those that are
// loaded and have no rule.
type Lineage struct {
	Root    *schema.Column
	Columns []*schema.Column
}

// lineages are in the order of the tables' names.
func (p *planner) lineages() []Lineage {
	byRoot := map[*schema.Column][]*schema.Column{}
	var roots []*schema.Column
	for _, t := range p.schema.Tables {
		for _, name := range p.loaded[t] {
			c := t.ByName[name]
			if c == nil || p.assigned[c] != nil {
				continue
			}
			root := c.Root()
			if byRoot[root] == nil {
				roots = append(roots, root)
			}
			byRoot[root] = append(byRoot[root], c)
		}
	}
	slices.SortStableFunc(roots, func(a, b *schema.Column) int {
		return cmp.Or((*schema.Table).Compare(a.Table, b.Table), cmp.Compare(a.Number, b.Number))
	})
	all := make([]Lineage, len(roots))
	for i, root := range roots {
		all[i] = Lineage{root, byRoot[root]}
	}
	return all
}

// Sensitive is what a name or type tells of any of the columns.
func (f Lineage) Sensitive() (what, fitting string) {
	for _, c := range f.Columns {
		what, fitting = Sensitive(c)
		if what != "" {
			break
		}
	}
	return what, fitting
}

// Suspicion is a family that looks sensitive.
type Suspicion struct {
	Lineage
	What      string        // as in "looks like …"
	Transform string        // that would suit what the values look like
	Keys      []DocumentKey // of its documents, that look sensitive
	Passes    string        // why it may pass as it is; empty: it may not
	Within    bool          // it stands in longer texts, so that equal values mean nothing
	Varies    bool          // some values hold capitals or outer blanks
	Folds     bool          // of those that differ, some are equal without
	Few       int           // different values that there are, where Transform is choice
}

// DocumentKey is a member's name in a column's documents; or, where it has a path
// instead, the objects whose keys are values.
type DocumentKey struct {
	Name            string
	Path            string
	What, Transform string
	Same            *schema.Column // that holds the values which the keys are; nil: none is known
}

// Proposal is the rule to add for a family: since it looks sensitive, or since
// its values must stay equal to those of one that does.
type Proposal struct {
	Lineage
	Rule   *spec.Rule
	Equals *schema.Column // a foreign key asks for it; nil where the family looks sensitive itself
	// Refused says why no transform fits: the column is left without a rule, so
	// that a drill is refused until somebody decides.
	Refused string
	tie     string // a name for all that a foreign key ties together and that must stay equal
}

// proposer finds rules that their columns take.
type proposer struct {
	*planner
	asked    map[string]bool
	lineages map[*schema.Column]Lineage // by root
	means    map[*spec.Rule]string
	before   map[string]string     // transforms, by the names of the drill file's links
	links    map[string]string     // likewise, with those of proposals
	keyTies  map[*spec.Rule]string // names for what keys of documents have in common with a column
}

// propose finds a rule for each that looks sensitive, and for what a foreign
// key ties to it. What takes no rule is refused, with the reason.
func (p *planner) propose(found []Suspicion) ([]Proposal, error) {
	w := &proposer{planner: p, asked: map[string]bool{}, lineages: map[*schema.Column]Lineage{},
		means: map[*spec.Rule]string{}, before: map[string]string{}, keyTies: map[*spec.Rule]string{}}
	for _, f := range p.lineages() {
		w.lineages[f.Root] = f
	}
	for _, r := range p.rules.Rules {
		w.note(&r)
		for i := range r.JSON {
			w.note(&r.JSON[i].Rule)
		}
		for i := range r.Fields {
			w.note(&r.Fields[i].Rule)
		}
	}
	w.links = maps.Clone(w.before)
	var all []Proposal
	done := map[*schema.Column]bool{}
	for i := range found {
		s := &found[i]
		if done[s.Root] {
			continue
		}
		tied := w.tied(s.Root)
		made, err := w.forAll(s, tied)
		if err != nil {
			return nil, err
		}
		for j := range made {
			done[made[j].Root] = true
			if !slices.ContainsFunc(found, func(f Suspicion) bool { return f.Root == made[j].Root }) {
				made[j].Equals = s.Root
			}
		}
		for _, m := range made {
			// what does not look sensitive needs no rule
			if m.Equals == nil || !m.Rule.Preserve && m.Refused == "" {
				all = append(all, m)
			}
		}
	}
	if err := w.alike(all); err != nil {
		return nil, err
	}
	if err := w.tieKeys(all, found); err != nil {
		return nil, err
	}
	w.link(all)
	w.normalize(all, found)
	return all, nil
}

// alike lets texts of one meaning become equal: where one column keeps values
// apart, the others do it in the same way, if they can.
func (w *proposer) alike(all []Proposal) error {
	apart := map[string]string{} // transforms, by meaning
	for _, m := range all {
		if means := w.meaning(m.Rule); means != m.Rule.Transform &&
			transform.EffectOf(m.Rule) == transform.KeepsApart && apart[means] == "" {
			apart[means] = m.Rule.Transform
		}
	}
	for i := range all {
		m := &all[i]
		means := w.meaning(m.Rule)
		if m.Rule.Transform != transform.Text && m.Rule.Transform != transform.Phone || means == "" || apart[means] == "" {
			continue
		}
		why, err := w.refuses(all[i:i+1], &spec.Rule{Transform: apart[means]})
		if err != nil {
			return err
		}
		if why == "" {
			m.Rule.Transform = apart[means]
		}
	}
	return nil
}

// note remembers under which link a rule of the drill file stands.
func (w *proposer) note(r *spec.Rule) {
	if r.Link != "" {
		w.before[r.Link] = r.Transform
	}
}

// tied are the columns whose values a foreign key ties to a column's, directly
// or by way of others, itself among them.
func (p *planner) tied(root *schema.Column) []*schema.Column {
	all := []*schema.Column{root}
	for i := 0; i < len(all); i++ {
		for _, fk := range p.fks {
			if fk.To == nil {
				continue
			}
			for k, name := range fk.Columns {
				a, b := fk.From.ByName[name], fk.To.ByName[fk.Referenced[k]]
				if a == nil || b == nil {
					continue
				}
				for _, end := range [][2]*schema.Column{{a.Root(), b.Root()}, {b.Root(), a.Root()}} {
					if end[0] == all[i] && !slices.Contains(all, end[1]) {
						all = append(all, end[1])
					}
				}
			}
		}
	}
	return all
}

// forAll proposes for a family and all that is tied to it.
func (w *proposer) forAll(s *Suspicion, tied []*schema.Column) ([]Proposal, error) {
	var made []Proposal
	for _, root := range tied {
		if f, ok := w.lineages[root]; ok {
			made = append(made, Proposal{Lineage: f})
		}
	}
	ways := s.ways()
	refused := ""
	tie := ""
	if ruled := w.ruled(tied); ruled != nil { // the drill file has decided for one of them
		ways = []spec.Rule{*ruled}
	} else if len(made) > 1 {
		ways = keepingApart(ways)
		tie = s.Root.Table.Name.Table + "_" + s.Root.Name
	}
	for i := range ways {
		why, err := w.refuses(made, &ways[i])
		if err != nil {
			return nil, err
		}
		if why == "" {
			w.write(made, &ways[i], s, tie)
			return made, nil
		}
		refused = cmp.Or(refused, "it "+why)
	}
	w.write(made, &spec.Rule{}, s, "")
	for i := range made {
		made[i].Refused = cmp.Or(refused, "nothing that suits its type leaves a key a key")
	}
	return made, nil
}

// ruled is the rule that the drill file has for one of the columns.
func (p *planner) ruled(columns []*schema.Column) *spec.Rule {
	for _, c := range columns {
		if r := p.assigned[c]; r != nil {
			return r
		}
	}
	return nil
}

// keepingApart are the ways that leave keys keys.
func keepingApart(ways []spec.Rule) []spec.Rule {
	return slices.DeleteFunc(ways, func(r spec.Rule) bool { return transform.EffectOf(&r) != transform.KeepsApart })
}

// refuses says why one of the columns would refuse a rule, or nothing.
func (w *proposer) refuses(made []Proposal, r *spec.Rule) (string, error) {
	if r.Preserve {
		return "", nil
	}
	for _, m := range made {
		for _, c := range m.Columns {
			if _, why, _, err := w.try(c, ruleFor(c, r), w.asked); err != nil || why != "" {
				return why, err
			}
		}
	}
	return "", nil
}

// ruleFor is the rule for a column.
func ruleFor(c *schema.Column, r *spec.Rule) *spec.Rule {
	out := *r
	out.Column, _ = spec.ParseColumnPattern(c.Dotted()) // which is one
	out.Pos = spec.Pos{}
	out.Each = c.Array && r.Transform != transform.SetNull && r.Transform != transform.Constant && !r.Preserve
	return &out
}

// write gives each of the families its rule, and notes what its values mean.
func (w *proposer) write(made []Proposal, r *spec.Rule, s *Suspicion, tie string) {
	for i := range made {
		m := &made[i]
		m.Rule = ruleFor(m.Root, r)
		m.tie = tie
		if !s.Within {
			w.means[m.Rule] = s.What
		}
		for j := range m.Rule.JSON {
			w.means[&m.Rule.JSON[j].Rule] = s.Keys[j].What
		}
		for j := range m.Rule.Fields {
			f := &m.Rule.Fields[j]
			w.means[&f.Rule], _ = Sensitive(m.Root.Field(f.Field))
		}
	}
}

// ways are the rules that might suit, the best first.
func (s *Suspicion) ways() []spec.Rule {
	var all []spec.Rule
	switch c := s.Root; {
	case s.Passes != "":
		return []spec.Rule{{Preserve: true, Why: s.Passes}}
	case c.Base.Is("json", "jsonb"):
		if paths := s.paths(); len(paths) > 0 {
			all = append(all, spec.Rule{JSON: paths, Unmatched: document.Redact})
		}
		all = append(all, spec.Rule{JSON: []spec.PathRule{}, Unmatched: document.Redact})
	case len(c.Fields) > 0:
		if fields := fieldRules(c, nil); len(fields) > 0 {
			all = append(all, spec.Rule{Fields: fields})
		}
	}
	if s.Transform == transform.Choice {
		all = append(all, choices(s.Root, s.Few)...)
	}
	for _, t := range transformsFor(s.Transform) {
		all = append(all, spec.Rule{Transform: t})
	}
	if s.Root.Family() == schema.Opaque {
		for _, value := range []string{"", "{}", "<empty/>", "(0,0)"} { // of types that may not be null
			all = append(all, spec.Rule{Transform: transform.Constant, Value: &value})
		}
	}
	return all
}

// transformsFor are a transform and those that may suit where it does not fit.
func transformsFor(fitting string) []string {
	if fitting == transform.Choice { // which is tried with its values
		return []string{transform.SetNull, transform.Text, transform.Number}
	}
	all := []string{fitting, transform.Text, transform.Number, transform.Token, transform.Hash, transform.Permute,
		transform.SetNull}
	if fitting == transform.Phone { // where it must stay apart it stays a number to dial
		all = slices.Insert(all, 1, transform.Permute)
	}
	return append(all[:1], slices.DeleteFunc(all[1:], func(t string) bool { return t == fitting })...)
}

// paths are the rules for the keys that look sensitive, at any depth.
func (s *Suspicion) paths() []spec.PathRule {
	var all []spec.PathRule
	for _, k := range s.Keys {
		path, _ := spec.ParseJSONPath(cmp.Or(k.Path, "$.."+k.Name)) // which is one: the key is a plain word
		all = append(all,
			spec.PathRule{Path: path, Keys: k.Path != "",
				Rule: spec.Rule{Transform: suitable(s.Root.AsText(), k.Transform)}})
	}
	return all
}

// fieldRules are those for the fields of a composite that look sensitive or
// hold text.
func fieldRules(within *schema.Column, path []string) []spec.FieldRule {
	var all []spec.FieldRule
	for _, f := range within.Fields {
		here := append(slices.Clone(path), f.Name)
		if len(f.Fields) > 0 && !f.Array {
			all = append(all, fieldRules(f, here)...)
			continue
		}
		what, fitting := Sensitive(f)
		switch {
		case f.Array && (what != "" || f.Family() == schema.Textual):
			fitting = transform.SetNull
		case what == "" && f.Family() == schema.Textual:
			fitting = transform.Text
		case what == "":
			continue
		}
		rule := spec.FieldRule{Field: here, Rule: spec.Rule{Transform: cmp.Or(suitable(f, fitting), transform.SetNull)}}
		rule.Source = spec.Dotted(here...)
		all = append(all, rule)
	}
	return all
}

// suitable is the transform, or else another that the column takes, as far as
// can be told without its server: a hint that is refused in turn is none.
func suitable(c *schema.Column, fitting string) string {
	for _, t := range transformsFor(fitting) {
		if transform.Takes(c, t) {
			return t
		}
	}
	return ""
}

// linkedRule is a rule that may stand under a link with others.
type linkedRule struct {
	rule *spec.Rule
	name string // of the link; empty: none
	must bool   // a foreign key asks for it
}

// link puts values of one meaning under one link, where several columns hold
// them or a foreign key ties them.
func (w *proposer) link(all []Proposal) {
	var found []linkedRule
	for _, m := range all {
		found = append(found, linkedRule{m.Rule, cmp.Or(w.meaning(m.Rule), m.tie), m.tie != ""})
		for i := range m.Rule.JSON {
			r := &m.Rule.JSON[i].Rule
			tie := w.keyTies[r]
			found = append(found, linkedRule{rule: r, name: cmp.Or(tie, w.meaning(r)), must: tie != ""})
		}
		for i := range m.Rule.Fields {
			found = append(found, linkedRule{rule: &m.Rule.Fields[i].Rule, name: w.meaning(&m.Rule.Fields[i].Rule)})
		}
	}
	count := map[string]int{}
	for _, l := range found {
		count[l.name+" "+l.rule.Transform]++
	}
	for _, l := range found {
		if l.name != "" && l.rule.Link == "" &&
			(l.must || count[l.name+" "+l.rule.Transform] > 1 || w.linkedBefore(l) != "") {
			l.rule.Link = w.linkFor(l)
		}
	}
}

// meaning is the name of a link for what a rule's values mean; empty where
// equal values mean nothing.
func (w *proposer) meaning(r *spec.Rule) string {
	switch r.Transform {
	case transform.Email, transform.Phone, transform.IBAN, transform.Card, transform.IP, transform.MAC, transform.Name,
		transform.FirstName, transform.LastName, transform.Position:
		return r.Transform
	}
	if r.Transform == transform.SetNull || r.Transform == "" {
		return ""
	}
	switch w.means[r] {
	case detect.Email.Words():
		return transform.Email
	case "an account's name":
		return "login"
	case detect.PersonWords:
		if transform.EffectOf(r) == transform.KeepsApart {
			return "person"
		}
	case detect.Phone.Words():
		if transform.EffectOf(r) == transform.KeepsApart || r.Transform == transform.Text {
			return transform.Phone
		}
	case detect.NationalID.Words():
		return "official_number"
	}
	return ""
}

// linkedBefore is the link under which the drill file puts values of this
// meaning.
func (w *proposer) linkedBefore(l linkedRule) string {
	for _, name := range slices.Sorted(maps.Keys(w.before)) {
		if w.before[name] == l.rule.Transform && (name == l.name || l.name == l.rule.Transform) {
			return name
		}
	}
	return ""
}

// linkFor is the link's name, which no other transform has taken.
func (w *proposer) linkFor(l linkedRule) string {
	if before := w.linkedBefore(l); before != "" {
		return before
	}
	name := l.name
	if l.rule.Transform == transform.Permute && transform.Known(name) { // which leaves the name to that one
		name += "_" + transform.Permute
	}
	for w.links[name] != "" && w.links[name] != l.rule.Transform {
		name += "_" + l.rule.Transform
	}
	w.links[name] = l.rule.Transform
	return name
}
