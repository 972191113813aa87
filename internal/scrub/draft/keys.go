package draft

import (
	"fmt"
	"slices"

	"daybefore/internal/scrub"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
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
			key := scrub.DocumentKey{Path: m.Path, Transform: transform.Hash}
			j.confidence = high
			j.reason += fmt.Sprintf("; about %d different keys of %s at %s, as values are", m.Different,
				verdict.Count(m.Objects, "object"), m.Path)
			if of := sameValues(m, all, byRoot); of != nil {
				key.What = of.What
				key.Transform = of.Transform
				j.reason += ", those of " + of.Root.String()
			}
			j.Keys = append(j.Keys, key)
		}
	}
}

// sameValues is what is judged of the column that holds nearly all of the keys, and
// whose values stay apart; nil for none.
func sameValues(m document.ManyKeys, all []judged, byRoot map[*schema.Column]*evidence) *judged {
	const most = 0.8
	var found *judged
	best := most
	for i := range all {
		j := &all[i]
		e := byRoot[j.Root]
		apart := transform.EffectOf(&spec.Rule{Transform: j.Transform}) == transform.KeepsApart
		if e == nil || j.Root.Family() != schema.Textual || !apart || j.Within {
			continue
		}
		if share := m.Share(e.different.holds()); share > best {
			found = j
			best = share
		}
	}
	return found
}

// holds says of a hash whether it was counted, and whether that is known: some were
// let go.
func (s *sketch) holds() func(hash uint64) (holds, known bool) {
	s.shrink()
	return func(hash uint64) (holds, known bool) {
		if s.full && hash > s.kept[sketchSize-1] {
			return false, false
		}
		_, holds = slices.BinarySearch(s.kept, hash)
		return holds, true
	}
}
