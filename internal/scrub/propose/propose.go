// Package propose finds rules for columns that look sensitive by what they are
// called or hold: what suits the values, is taken by the column, and leaves keys
// and foreign keys whole. It must never decide that a rule holds, which a drill
// file or its unmatched does, or put a value into a proposal.
package propose

import (
	"cmp"
	"maps"
	"slices"

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

// Lineages groups columns, in the order of their tables' names.
func Lineages(columns []*schema.Column) []Lineage {
	byRoot := map[*schema.Column][]*schema.Column{}
	var roots []*schema.Column
	for _, c := range columns {
		root := c.Root()
		if byRoot[root] == nil {
			roots = append(roots, root)
		}
		byRoot[root] = append(byRoot[root], c)
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

// Suspicion is a lineage that looks sensitive.
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

// Proposal is the rule to add for a lineage: since it looks sensitive, or since
// its values must stay equal to those of one that does.
type Proposal struct {
	Lineage
	Rule   *spec.Rule
	Equals *schema.Column // a foreign key asks for it; nil where the lineage looks sensitive itself
	// Refused says why no transform fits: the column is left without a rule, so
	// that a drill is refused until somebody decides.
	Refused string
	tie     string // a name for all that a foreign key ties together and that must stay equal
}

// Request is what is known of the columns.
type Request struct {
	Rules   []spec.Rule // the drill file's
	Unruled []Lineage
	Keys    []schema.ForeignKey
	// Assigned is the rule that a column has; nil where it has none.
	Assigned func(c *schema.Column) *spec.Rule
	Refuses  Refuser
}

// Refuser says why a column would refuse a rule, or nothing. The error is the
// server's.
type Refuser func(c *schema.Column, r *spec.Rule) (why string, err error)

// proposer finds rules that their columns take.
type proposer struct {
	Request
	lineages map[*schema.Column]Lineage // by root
	means    map[*spec.Rule]string
	before   map[string]string     // transforms, by the names of the drill file's links
	links    map[string]string     // likewise, with those of proposals
	keyTies  map[*spec.Rule]string // names for what keys of documents have in common with a column
}

// Rules finds a rule for each that looks sensitive, and for what a foreign key
// ties to it. What takes no rule is refused, with the reason. The error is the
// server's.
func Rules(found []Suspicion, req Request) ([]Proposal, error) {
	w := newProposer(req)
	var all []Proposal
	done := map[*schema.Column]bool{}
	for i := range found {
		if done[found[i].Root] {
			continue
		}
		made, err := w.forSuspicion(&found[i], found)
		if err != nil {
			return nil, err
		}
		for _, m := range made {
			done[m.Root] = true
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

func newProposer(req Request) *proposer {
	w := &proposer{Request: req, lineages: map[*schema.Column]Lineage{}, means: map[*spec.Rule]string{},
		before: map[string]string{}, keyTies: map[*spec.Rule]string{}}
	for _, f := range req.Unruled {
		w.lineages[f.Root] = f
	}
	for i := range req.Rules {
		r := &req.Rules[i]
		w.note(r)
		for j := range r.JSON {
			w.note(&r.JSON[j].Rule)
		}
		for j := range r.Fields {
			w.note(&r.Fields[j].Rule)
		}
	}
	w.links = maps.Clone(w.before)
	return w
}

// forSuspicion proposes for a lineage and all that is tied to it, and says of what
// does not look sensitive itself to which it must be equal.
func (w *proposer) forSuspicion(s *Suspicion, found []Suspicion) ([]Proposal, error) {
	made, err := w.forAll(s, Tied(s.Root, w.Keys))
	for i := range made {
		root := made[i].Root
		if !slices.ContainsFunc(found, func(f Suspicion) bool { return f.Root == root }) {
			made[i].Equals = s.Root
		}
	}
	return made, err
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

// Tied are the columns whose values a foreign key ties to a column's, directly
// or by way of others, itself among them.
func Tied(root *schema.Column, keys []schema.ForeignKey) []*schema.Column {
	all := []*schema.Column{root}
	for i := 0; i < len(all); i++ {
		for _, fk := range keys {
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

// forAll proposes for a lineage and all that is tied to it.
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
func (w *proposer) ruled(columns []*schema.Column) *spec.Rule {
	for _, c := range columns {
		if r := w.Assigned(c); r != nil {
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
		if why, err := m.Lineage.Refuses(r, w.Refuses); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// Refuses says why one of the columns would refuse a rule, or nothing.
func (f Lineage) Refuses(r *spec.Rule, refuses Refuser) (string, error) {
	for _, c := range f.Columns {
		if why, err := refuses(c, RuleFor(c, r)); err != nil || why != "" {
			return why, err
		}
	}
	return "", nil
}

// write gives each of the lineages its rule, and notes what its values mean.
func (w *proposer) write(made []Proposal, r *spec.Rule, s *Suspicion, tie string) {
	for i := range made {
		m := &made[i]
		m.Rule = RuleFor(m.Root, r)
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
