package draft

import (
	"fmt"

	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// ruleKeys has a rule proposed for keys that are many and different, as values are:
// with what a column becomes that holds the same values, where one does.
func (s *Survey) ruleKeys(all []judged, byRoot map[*schema.Column]*evidence) {
	for i := range all {
		j := &all[i]
		e := byRoot[j.Root]
		if e == nil || e.census == nil || !j.Root.Base.Is("json", "jsonb") {
			continue
		}
		for _, m := range e.census.Many() {
			key := propose.DocumentKey{Path: m.Path, Transform: transform.Hash}
			j.confidence = high
			j.reason += fmt.Sprintf("; about %d different keys of %s at %s, as values are", m.Different,
				verdict.Count(m.Objects, "object"), m.Path)
			key.Same = sameValues(m, all, byRoot)
			if key.Same != nil {
				j.reason += ", those of " + key.Same.String()
			}
			j.Keys = append(j.Keys, key)
		}
	}
}

// sameValues is the column, of those for which a rule is proposed, that holds nearly
// all of the keys; nil for none.
func sameValues(m document.ManyKeys, all []judged, byRoot map[*schema.Column]*evidence) *schema.Column {
	const most = 0.8
	var found *schema.Column
	best := most
	for _, j := range all {
		e := byRoot[j.Root]
		if e == nil || j.Root.Family() != schema.Textual || j.Within {
			continue
		}
		if share := m.Share(e.different.Holds()); share > best {
			found = j.Root
			best = share
		}
	}
	return found
}
