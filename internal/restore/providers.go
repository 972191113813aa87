package restore

import (
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/archive"
	"daybefore/internal/restore/provider"
	"daybefore/internal/verdict"
)

// leftovers is what a provider's server added to the backup, and what became of
// it here.
type leftovers struct {
	provider.Provider
	triggers map[string]bool // event triggers, by name
	roles    []string        // created, without a word
	leftOut  []archive.Entry // likewise
}

// findProviders tells whose servers the backup was taken from, and takes out of
// the lists what is theirs alone.
func (s *Session) findProviders() {
	names := s.archive.Roles()
	for _, e := range s.archive.Entries {
		if e.Desc == "SCHEMA" {
			names = append(names, e.Tag)
		}
	}
	for _, p := range provider.Of(names) {
		l := &leftovers{Provider: p, triggers: map[string]bool{}}
		for _, e := range s.archive.Entries {
			l.triggers[e.Tag] = e.Desc == "EVENT TRIGGER" && p.Trigger(e.Tag, e.Defn) || l.triggers[e.Tag]
		}
		for _, list := range []*[]archive.Entry{
			&s.lists.pre, &s.lists.rows, &s.lists.direct, &s.lists.post, &s.lists.leftOut, &s.lists.dropped,
		} {
			l.leftOut = append(l.leftOut, take(list, l.owns)...)
		}
		s.providers = append(s.providers, l)
	}
}

// owns reports whether an entry is the provider's alone: an event trigger or a
// schema, all that is in it, and what is said of them.
func (l *leftovers) owns(e archive.Entry) bool {
	if e.Desc == "EVENT TRIGGER" {
		return l.triggers[e.Tag]
	}
	if name, ok := strings.CutPrefix(e.Tag, "EVENT TRIGGER "); ok && saidOfAnother(e) {
		return l.triggers[unquoted(name)]
	}
	return e.Desc == "SCHEMA" && l.Schema(e.Tag) || l.Schema(schemaOf(e))
}

// providesRole notes a role that is a provider's, and reports whether it is one.
func (s *Session) providesRole(name string) bool {
	for _, l := range s.providers {
		if l.Role(name) {
			l.roles = append(l.roles, name)
			return true
		}
	}
	return false
}

// withoutProvided leaves those extensions out that the image lacks as all do but
// their provider's servers, and returns the others.
func (s *Session) withoutProvided(missing []string) []string {
	for _, l := range s.providers {
		own := func(name string) bool { return slices.Contains(missing, name) && l.Extension(name) }
		l.leftOut = append(l.leftOut, take(&s.lists.pre, func(e archive.Entry) bool { return ofExtension(e, own) })...)
		s.skipped = s.skipped || slices.ContainsFunc(missing, own)
		missing = slices.DeleteFunc(missing, l.Extension)
	}
	return missing
}

// ofExtension reports whether an entry creates one of these extensions, or is
// said of it.
func ofExtension(e archive.Entry, wanted func(name string) bool) bool {
	name, about := strings.CutPrefix(e.Tag, "EXTENSION ")
	return e.Desc == "EXTENSION" && wanted(e.Tag) || about && saidOfAnother(e) && wanted(unquoted(name))
}

// providerChecks say, in a line for each, what providers had added.
func (s *Session) providerChecks() (checks []verdict.Check) {
	for _, l := range s.providers {
		var became []string
		if len(l.roles) > 0 {
			became = append(became, "roles created without login: "+shortList(slices.Clone(l.roles)))
		}
		if len(l.leftOut) > 0 {
			var names []string
			for _, e := range l.leftOut {
				names = append(names, strings.TrimSpace(e.Desc+" "+e.Tag))
			}
			became = append(became, fmt.Sprintf("left out: %s", shortList(names)))
		}
		if len(became) == 0 {
			continue
		}
		c := verdict.Check{
			ID: "provider:" + l.ID, Stage: verdict.StageRestore, Code: verdict.CodeProvider, Outcome: verdict.Pass,
			Expected: "what its servers add", Observed: l.Name + "; " + strings.Join(became, "; "),
		}
		if slices.ContainsFunc(l.leftOut, func(e archive.Entry) bool { return e.Desc == "TABLE DATA" }) {
			c.Outcome = verdict.Skipped
			c.Message = "rows were left out with the schema that is " + l.Name + "'s alone: they are not proven"
		}
		checks = append(checks, c)
	}
	return checks
}
