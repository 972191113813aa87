package scrub

import (
	"fmt"
	"slices"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// Undecided says why a column that looks sensitive is left without a rule, and
// what a person may do about it.
func (m *Proposal) Undecided() string {
	t := m.Root.Table.Name
	return fmt.Sprintf("no transform fits: %s; leave its rows out (exclude_table_data: [%s]), "+
		"or preserve it with a why of your own", m.Refused, spec.Dotted(t.Schema, t.Table))
}

// normalize has e-mail addresses under one link become equal where they differ
// by case and outer blanks alone: to people these are the same. Where a unique
// index holds two such they stay apart.
func (w *proposer) normalize(all []Proposal, found []Suspicion) {
	values := map[*schema.Column]*Suspicion{}
	for i := range found {
		values[found[i].Root] = &found[i]
	}
	varies := map[string]bool{}
	forbidden := map[string]bool{}
	for _, m := range all {
		s := values[m.Root]
		if s == nil || !w.linksMail(m.Rule) {
			continue
		}
		varies[m.Rule.Link] = varies[m.Rule.Link] || s.Varies
		unique := slices.ContainsFunc(m.Columns, func(c *schema.Column) bool { return len(c.Unique) > 0 })
		forbidden[m.Rule.Link] = forbidden[m.Rule.Link] || unique && s.Folds
	}
	for _, m := range all {
		if link := m.Rule.Link; w.linksMail(m.Rule) && varies[link] && !forbidden[link] {
			m.Rule.Normalize = []string{"trim", "lower"}
		}
	}
}

// linksMail reports whether a rule puts e-mail addresses under a link that the
// drill file does not have.
func (w *proposer) linksMail(r *spec.Rule) bool {
	return r.Link != "" && w.before[r.Link] == "" &&
		(r.Transform == transform.Email || w.means[r] == detect.Email.Words())
}
