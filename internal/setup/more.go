package setup

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/setup/figures"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// More is an existing drill file with what is new in a backup: rules for columns that
// have none, and tables that are not listed. What stands there stays, to the byte.
// It is the file itself where nothing is new.
func More(file string, d *spec.Drill, section *Section, r Read) string {
	var rules []string
	if section.Rules > 0 {
		rules = rulesOf(section.Additions())
	}
	if len(rules) > 0 || holds(file, "scrub", "rules") {
		for _, column := range Unnamed(file, section) {
			rules = append(rules, "    # passes as it is: "+column)
		}
	}
	file = insert(file, "scrub", "rules", rules)
	t := r.tables()
	t.all = slices.DeleteFunc(t.all, func(one *figures.Table) bool {
		name := spec.Name{Schema: one.Name.Schema, Table: one.Name.Table}
		return slices.ContainsFunc(d.Expectations.Tables, func(e spec.Table) bool { return e.Table == name })
	})
	out := &text{}
	for _, one := range t.foremost() {
		t.writeTable(out, one)
	}
	return insert(file, "expectations", "tables", out.lines)
}

// Unnamed are the columns that look harmless, that no rule decides, and that a drill
// file names nowhere, not in a comment either: they came since it was written. Each
// is followed by what it holds.
func Unnamed(file string, section *Section) (all []string) {
	for _, c := range section.Passed {
		named := regexp.MustCompile(`(^|[^\w.])` + regexp.QuoteMeta(c.Column) + `($|\W)`)
		if c.DecidedBy != verdict.DecidedByNobody || named.MatchString(file) {
			continue
		}
		looks := cmp.Or(strings.Join(c.LooksLike, ", "), "no value seen")
		all = append(all, oneLine(fmt.Sprintf("%s (%s): %s, %s", c.Column, c.Type, verdict.Count(c.Rows, "row"), looks)))
	}
	return all
}

// rulesOf are the lines of a draft that are rules, with their reasons.
func rulesOf(additions string) (lines []string) {
	for line := range strings.Lines(additions) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "    ") {
			lines = append(lines, line)
		}
	}
	return lines
}

var item = regexp.MustCompile(`^( *)- `)

// insert puts items, indented by four, at the end of a list of a section. A section or
// list that is not there is made.
func insert(file, section, key string, items []string) string {
	if len(items) == 0 {
		return file
	}
	lines := linesOf(file)
	head, at := find(lines, section, key)
	switch {
	case head < 0:
		return strings.Join(slices.Concat(lines, []string{"", section + ":", "  " + key + ":"}, items), "\n") + "\n"
	case at < 0:
		return joined(lines, head+1, append([]string{"  " + key + ":"}, items...))
	}
	end := endOf(lines, at+1, indentOf(lines[at]))
	for _, line := range lines[at+1 : end] {
		m := item.FindStringSubmatch(line)
		if m != nil {
			items = indented(items, len(m[1]))
			break
		}
	}
	return joined(lines, end, items)
}

func linesOf(file string) []string { return strings.Split(strings.TrimSuffix(file, "\n"), "\n") }

// holds reports whether a file has a key of a section.
func holds(file, section, key string) bool {
	_, at := find(linesOf(file), section, key)
	return at >= 0
}

// find finds the lines of a section and of a key in it; -1 where they are not.
func find(lines []string, section, key string) (head, at int) {
	head = slices.IndexFunc(lines, func(l string) bool { return keyAt(l, 0) == section })
	if head < 0 {
		return -1, -1
	}
	within := lines[head+1 : endOf(lines, head+1, 0)]
	at = slices.IndexFunc(within, func(l string) bool { return keyAt(l, childIndent(within)) == key })
	if at < 0 {
		return head, -1
	}
	return head, head + 1 + at
}

// joined are lines with others put in before one of them.
func joined(lines []string, at int, more []string) string {
	return strings.Join(slices.Insert(lines, at, more...), "\n") + "\n"
}

// indented are items that begin at another column than the fifth.
func indented(items []string, by int) (all []string) {
	for _, line := range items {
		all = append(all, strings.Repeat(" ", by)+strings.TrimPrefix(line, "    "))
	}
	return all
}

// keyAt is the key of a line that begins at a column; empty where none does.
func keyAt(line string, column int) string {
	if indentOf(line) != column {
		return ""
	}
	key, _, is := strings.Cut(line[column:], ":")
	if !is || strings.HasPrefix(key, "#") || strings.HasPrefix(key, "-") {
		return ""
	}
	return key
}

// endOf is behind the last line that belongs to a key at a column: blank lines and
// comments before the next key do not.
func endOf(lines []string, from, column int) int {
	end := from
	for i := from; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case indentOf(lines[i]) < column, indentOf(lines[i]) == column && !strings.HasPrefix(line, "-"):
			return end
		}
		end = i + 1
	}
	return end
}

// childIndent is the column at which the keys of a section begin.
func childIndent(lines []string) int {
	for _, line := range lines {
		words := strings.TrimSpace(line)
		if words != "" && !strings.HasPrefix(words, "#") {
			return indentOf(line)
		}
	}
	return 0
}

func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
