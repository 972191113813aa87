package catalog

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/spec/family"
	"daybefore/internal/verdict"
)

// Databases are those of which a store holds backups, sorted: what stands for
// {database} in their names, which source.name is the pattern of. Names whose
// time cannot be read tell of none; they are told by the drill of the database
// that they may be of, if it has others.
//
// Problems: CodeNoBackup (fail) if there is none; those of Open and List.
func Databases(ctx context.Context, src spec.Source) ([]string, error) {
	store, err := Open(ctx, src)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	before, after, _ := strings.Cut(src.Name, family.Mark)
	src.Name = before + "*" + after
	p, err := newPattern(src)
	if err != nil {
		return nil, err
	}
	side, err := sideOf(before, after)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for o, err := range candidates(ctx, store, p) {
		if err != nil {
			return nil, err
		}
		if database := p.database(o.Name, before, side); database != "" {
			found[database] = true
		}
	}
	if len(found) == 0 {
		return nil, noBackup(ctx, store, p)
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// sideOf finds the database in what stands beside {time}, on its side.
func sideOf(before, after string) (*regexp.Regexp, error) {
	_, fromTime, timeFirst := strings.Cut(before, timeMark)
	if timeFirst {
		before = fromTime
	}
	after, _, _ = strings.Cut(after, timeMark)
	side, err := regexp.Compile("(?s)^" + starred(before) + "([^/]+)" + starred(after) + "$")
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSpec, "correct databases.pattern", "look for databases: %w", err)
	}
	return side, nil
}

// starred is a part of a pattern as a regular expression.
func starred(part string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(part), `\*`, `[^/]*?`)
}

// database is that of a name; empty where it is no backup's.
func (p namePattern) database(name, before string, side *regexp.Regexp) string {
	_, ok, err := p.match(name)
	if !ok || err != nil {
		return ""
	}
	if p.timed {
		_, at, _, _ := p.matchTime(name)
		if strings.Contains(before, timeMark) {
			name = name[at[1]:]
		} else {
			name = name[:at[0]]
		}
	}
	found := side.FindStringSubmatch(name)
	if found == nil {
		return ""
	}
	return found[1]
}
