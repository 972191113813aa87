package setup

import (
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/setup/figures"
	"daybefore/internal/spec"
)

// More is an existing drill file with what is new in a backup: rules for columns that
// have none, and tables that are not listed. What stands there stays, to the byte.
// It is the file itself where nothing is new.
func More(file string, d *spec.Drill, section *Section, r Read) string {
	if section.Rules > 0 {
		file = insert(file, "scrub", "rules", rulesOf(section.Additions()))
	}
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
	lines := strings.Split(strings.TrimSuffix(file, "\n"), "\n")
	head := slices.IndexFunc(lines, func(l string) bool { return keyAt(l, 0) == section })
	if head < 0 {
		return strings.Join(slices.Concat(lines, []string{"", section + ":", "  " + key + ":"}, items), "\n") + "\n"
	}
	end := endOf(lines, head+1, 0)
	at := head + 1
	for at < end && keyAt(lines[at], childIndent(lines[head+1:end])) != key {
		at++
	}
	if at == end {
		return joined(lines, head+1, append([]string{"  " + key + ":"}, items...))
	}
	end = endOf(lines, at+1, indentOf(lines[at]))
	for _, line := range lines[at+1 : end] {
		m := item.FindStringSubmatch(line)
		if m != nil {
			items = indented(items, len(m[1]))
			break
		}
	}
	return joined(lines, end, items)
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
