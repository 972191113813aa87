package propose

import (
	"cmp"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// tieKeys has keys of documents become what the values of the column do that holds
// the same, if these stay apart, and ties both by a link.
func (w *proposer) tieKeys(all []Proposal, found []Suspicion) error {
	byRoot := map[*schema.Column]*Proposal{}
	for i := range all {
		byRoot[all[i].Root] = &all[i]
	}
	for i := range found {
		m := byRoot[found[i].Root]
		for j, key := range found[i].Keys {
			if key.Same == nil || m == nil || j >= len(m.Rule.JSON) || byRoot[key.Same] == nil {
				continue
			}
			if err := w.tieKey(&m.Rule.JSON[j].Rule, byRoot[key.Same]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *proposer) tieKey(keys *spec.Rule, same *Proposal) error {
	if same.Rule.Transform == transform.Text && same.tie == "" {
		why, err := w.refuses([]Proposal{*same}, &spec.Rule{Transform: transform.Token})
		if err != nil {
			return err
		}
		if why == "" {
			same.Rule.Transform = transform.Token
		}
	}
	if transform.EffectOf(same.Rule) != transform.KeepsApart {
		return nil
	}
	same.tie = cmp.Or(same.tie, same.Root.Table.Name.Table+"_"+same.Root.Name)
	keys.Transform = same.Rule.Transform
	w.keyTies[keys] = cmp.Or(w.meaning(same.Rule), same.tie)
	return nil
}
