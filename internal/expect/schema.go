package expect

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"daybefore/internal/expect/structure"
	"daybefore/internal/spec"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// checkSchema compares the database's structure with the baseline, or takes it
// down where there is none.
func checkSchema(b spec.Baseline, take func(*spec.Structure), names *told.Names) pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: "schema", Code: verdict.CodeSchema, Expected: "as in " + b.File},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			salt := b.Salt
			switch {
			case b.Structure != nil:
				salt = b.Structure.Salt
			case salt == "":
				salt = structure.NewSalt()
			}
			version, err := q.version(ctx)
			if err != nil {
				return err
			}
			now, err := structure.Read(ctx, version, q.rows, salt)
			if err != nil {
				return err
			}
			if b.Structure != nil {
				judgeSchema(c, b, now, names)
				return nil
			}
			if take != nil {
				take(now)
			}
			c.Say(verdict.Skipped, objects(now), "it is written if this drill passes",
				"not compared, since the baseline is being made")
			return nil
		},
	}
}

func objects(s *spec.Structure) string { return fmt.Sprintf("%d objects", len(s.Objects)) }

// change is a difference between two structures: something added (was is
// empty), removed (is is empty), or changed.
type change struct {
	key     string
	was, is *string
}

// mostLines of a difference are shown.
const mostLines = 40

func judgeSchema(c *verdict.Check, b spec.Baseline, now *spec.Structure, names *told.Names) {
	outcome := verdict.Pass
	shown := []change(nil)
	counts := map[string]int{}
	for _, d := range differences(b.Structure, now) {
		kind, severity := "changed", b.OnChanged
		switch {
		case d.was == nil:
			kind, severity = "added", b.OnAdded
		case d.is == nil:
			kind, severity = "removed", b.OnRemoved
		}
		if severity != "ignore" {
			outcome = verdict.Worst(outcome, verdict.Outcome(severity))
			shown = append(shown, d)
			counts[kind]++
		}
	}
	note := ""
	if b.Structure.PostgreSQL != now.PostgreSQL {
		note = fmt.Sprintf("; definitions were not compared, since PostgreSQL %d wrote those of the baseline, and "+
			"%d writes them in other words", b.Structure.PostgreSQL, now.PostgreSQL)
	}
	if len(shown) == 0 {
		c.Pass(objects(now) + note)
		return
	}
	var observed []string
	for _, kind := range []string{"added", "removed", "changed"} {
		if n := counts[kind]; n > 0 {
			observed = append(observed, fmt.Sprintf("%d %s", n, kind))
		}
	}
	names.Know(structure.SQL) // whose words describe
	for was := range b.Structure.Objects {
		names.Know(was) // in a file that people have read
	}
	lines := changeLines(shown)
	for i, line := range lines {
		if !names.Words(line) {
			lines[i] = line[:1] + " something that neither the backup nor the baseline names"
		}
	}
	if more := len(lines) - mostLines; more > 0 {
		lines = append(lines[:mostLines], fmt.Sprintf("… and %d lines more", more))
	}
	c.Say(outcome, strings.Join(observed, ", ")+note,
		"if that was meant, write the baseline anew (bin/drill baseline -name=DRILL) and look at what changes in it; else "+
			"find out who changed production, or what the dump leaves out",
		"the structure is not that of %s:\n%s", b.File, strings.Join(lines, "\n"))
}

// Differences writes what is not alike in two structures, a line each: what
// was after a minus, what is after a plus.
func Differences(was, now *spec.Structure) []string { return changeLines(differences(was, now)) }

func changeLines(changes []change) []string {
	var lines []string
	add := func(sign, key string, text *string) {
		if text != nil {
			lines = append(lines, strings.Map(visible, strings.TrimSuffix(sign+" "+key+": "+*text, ": ")))
		}
	}
	for _, d := range changes {
		add("-", d.key, d.was)
		add("+", d.key, d.is)
	}
	return lines
}

// differences are sorted by what they are about. Of what belongs to a table
// that came or went as a whole nothing is said.
func differences(was, now *spec.Structure) []change {
	definitions := was.PostgreSQL == now.PostgreSQL
	keys := slices.Collect(maps.Keys(was.Objects))
	for key := range now.Objects {
		if _, both := was.Objects[key]; !both {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys,
		func(a, b string) int { return cmp.Or(strings.Compare(nameIn(a), nameIn(b)), strings.Compare(a, b)) })
	var all []change
	whole := map[bool][]string{} // names of tables that came, or went
	for _, key := range keys {
		d := change{key, describe(was, key, definitions), describe(now, key, definitions)}
		if d.was != nil && d.is != nil && *d.was == *d.is {
			continue
		}
		if came := d.was == nil; came != (d.is == nil) && isRelation(key) {
			whole[came] = append(whole[came], nameIn(key)+".")
		}
		all = append(all, d)
	}
	return slices.DeleteFunc(all, func(d change) bool {
		came := d.was == nil
		return came != (d.is == nil) && !isRelation(d.key) &&
			slices.ContainsFunc(whole[came], func(table string) bool { return strings.HasPrefix(nameIn(d.key), table) })
	})
}

var relationKinds = []string{"table ", "view ", "materialized view ", "foreign table "}

func isRelation(key string) bool {
	return slices.ContainsFunc(relationKinds, func(kind string) bool { return strings.HasPrefix(key, kind) })
}

// nameIn is a key without the words for its kind.
func nameIn(key string) string {
	for _, kind := range relationKinds {
		if name, ok := strings.CutPrefix(key, kind); ok {
			return name
		}
	}
	_, name, _ := strings.Cut(key, " ")
	return name
}

// describe is what an object is, nil where there is none.
func describe(s *spec.Structure, key string, definitions bool) *string {
	text, there := s.Objects[key]
	if !there {
		return nil
	}
	if d := s.Definitions[key]; d != "" && definitions {
		text = strings.TrimPrefix(text+": "+d, ": ")
	}
	return &text
}
