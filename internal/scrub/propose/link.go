package propose

import (
	"cmp"
	"maps"
	"slices"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

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

// note remembers under which link a rule of the drill file stands.
func (w *proposer) note(r *spec.Rule) {
	if r.Link != "" {
		w.before[r.Link] = r.Transform
	}
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
