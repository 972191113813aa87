package spec

import (
	"slices"
	"strings"

	"daybefore/internal/spec/guess"
)

// String writes the name as a drill file does: public.users, a part quoted
// where it holds a dot, a quote or a star.
func (n Name) String() string { return Dotted(n.Schema, n.Table) }

// Column is the full name of one of the table's columns, written likewise.
func (n Name) Column(column string) string { return Dotted(n.Schema, n.Table, column) }

// Dotted joins the parts of a name as a drill file writes it.
func Dotted(parts ...string) string {
	quoted := make([]string, len(parts))
	for i, part := range parts {
		quoted[i] = quotePart(part)
	}
	return strings.Join(quoted, ".")
}

// blanks stand in a name only where it is quoted.
const blanks = " \t\r\n"

func quotePart(part string) string {
	if part != "" && !strings.ContainsAny(part, blanks+"\".*") {
		return part
	}
	return `"` + strings.ReplaceAll(part, `"`, `""`) + `"`
}

// String is the pattern as it was written.
func (p ColumnPattern) String() string { return p.Source }

// Match reports whether the pattern names the column. Names are compared as they
// are, upper and lower case apart.
func (p ColumnPattern) Match(schema, table, column string) bool {
	return matchPart(p.Schema, p.LiteralSchema, schema) &&
		matchPart(p.Table, p.LiteralTable, table) &&
		matchPart(p.Column, p.LiteralColumn, column)
}

// NarrowerThan reports whether p names fewer columns than other wherever both
// match: no part of it is wider, and one is narrower. A whole name is narrower
// than a pattern with a star, and that than a lone star. Of two rules for a
// column, the narrower one holds.
func (p ColumnPattern) NarrowerThan(other ColumnPattern) bool {
	mine := p.Widths()
	theirs := other.Widths()
	for i := range mine {
		if mine[i] > theirs[i] {
			return false
		}
	}
	return mine != theirs
}

// Widths are those of its parts: 0 of a whole name, 1 of one with a star, 2 of a
// lone star.
func (p ColumnPattern) Widths() [3]int {
	return [3]int{width(p.Schema, p.LiteralSchema), width(p.Table, p.LiteralTable), width(p.Column, p.LiteralColumn)}
}

func width(part string, literal bool) int {
	switch {
	case literal || !strings.Contains(part, "*"):
		return 0
	case strings.Trim(part, "*") != "":
		return 1
	}
	return 2
}

// TablePattern names tables; each part may hold *, unless it was quoted.
type TablePattern struct {
	Schema, Table               string
	Source                      string // as written
	LiteralSchema, LiteralTable bool
}

// String is the pattern as it was written.
func (p TablePattern) String() string { return p.Source }

// Match reports whether the pattern names the table.
func (p TablePattern) Match(schema, table string) bool {
	return matchPart(p.Schema, p.LiteralSchema, schema) && matchPart(p.Table, p.LiteralTable, table)
}

func matchPart(pattern string, literal bool, name string) bool {
	if literal {
		return pattern == name
	}
	return Glob(pattern, name)
}

// Glob reports whether s is what the pattern says: a star stands for any text,
// also none; everything else stands for itself.
func Glob(pattern, s string) bool {
	if strings.IndexByte(pattern, '*') < 0 {
		return pattern == s
	}
	pieces := strings.Split(pattern, "*")
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		_, after, found := strings.Cut(s, piece)
		if !found {
			return false
		}
		s = after
	}
	return true
}

// ParseTablePattern reads schema.table, as exclude_table_data writes it. The
// error says what is wrong and the hint.
func ParseTablePattern(s string) (TablePattern, error) {
	parts, fault := nameParts(s, "schema.table")
	if fault != nil {
		return TablePattern{}, fault
	}
	return TablePattern{
		Schema: parts[0].text, LiteralSchema: parts[0].quoted,
		Table: parts[1].text, LiteralTable: parts[1].quoted,
		Source: s,
	}, nil
}

// ParseColumnPattern reads schema.table.column, as a rule writes it. The error
// says what is wrong and the hint.
func ParseColumnPattern(s string) (ColumnPattern, error) {
	parts, fault := nameParts(s, "schema.table.column")
	if fault != nil {
		return ColumnPattern{}, fault
	}
	return ColumnPattern{
		Schema: parts[0].text, LiteralSchema: parts[0].quoted,
		Table: parts[1].text, LiteralTable: parts[1].quoted,
		Column: parts[2].text, LiteralColumn: parts[2].quoted,
		Source: s,
	}, nil
}

// Error is the fault with its hint.
func (f *unplaced) Error() string { return f.message + "; " + f.hint }

// parseName reads schema.table without patterns.
func parseName(s string) (Name, *unplaced) {
	parts, fault := nameParts(s, "schema.table")
	if fault != nil {
		return Name{}, fault
	}
	for _, p := range parts {
		if !p.quoted && strings.Contains(p.text, "*") {
			return Name{}, unplacedf("name one table; quote the part if its name holds a *", "%s is a pattern", shown(s))
		}
	}
	return Name{Schema: parts[0].text, Table: parts[1].text}, nil
}

// parseColumn reads a single column's name, quoted or not.
func parseColumn(s string) (string, *unplaced) {
	parts, fault := nameParts(s, "column")
	if fault != nil {
		return "", fault
	}
	if !parts[0].quoted && strings.Contains(parts[0].text, "*") {
		return "", unplacedf("name one column; quote it if its name holds a *", "%s is a pattern", shown(s))
	}
	return parts[0].text, nil
}

type namePart struct {
	text   string
	quoted bool
}

// nameParts splits a dotted name and wants as many parts as shape has.
func nameParts(s, shape string) ([]namePart, *unplaced) {
	hint := "write " + shape + ", a part that holds a dot quoted \"like.this\""
	var parts []namePart
	for rest, more := s, true; more; {
		var part namePart
		var ok bool
		part, rest, more, ok = nextPart(rest)
		if !ok {
			return nil, unplacedf(hint, "%s is not a name", shown(s))
		}
		parts = append(parts, part)
	}
	if want := strings.Count(shape, ".") + 1; len(parts) != want {
		return nil, unplacedf(hint, "%s has %d of the %d parts of %s", shown(s), len(parts), want, shape)
	}
	return parts, nil
}

// nextPart cuts the first part off; more tells that a dot followed.
func nextPart(s string) (part namePart, rest string, more, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		part.text, rest, more = strings.Cut(s, ".")
		return part, rest, more, part.text != "" && !strings.ContainsAny(part.text, blanks+"\"\x00")
	}
	var b strings.Builder
	s = s[1:]
	for {
		before, after, closed := strings.Cut(s, `"`)
		if !closed {
			return part, "", false, false
		}
		b.WriteString(before)
		s = after
		if !strings.HasPrefix(s, `"`) {
			break
		}
		b.WriteByte('"')
		s = s[1:]
	}
	part = namePart{text: b.String(), quoted: true}
	rest, more = strings.CutPrefix(s, ".")
	return part, rest, more, part.text != "" && !strings.Contains(part.text, "\x00") && (more || s == "")
}

// Near reports whether two tables are one but for what guess.Near says and their
// schema, or for where a dot stands within quotes. Schemas of other digits
// keep tables apart, as those of two years do.
func (n Name) Near(other Name) bool {
	near := guess.Near(n.Table, other.Table) ||
		strings.Contains(other.Table, ".") && guess.Near(n.Schema+"."+n.Table, other.Table) ||
		strings.Contains(n.Table, ".") && guess.Near(n.Table, other.Schema+"."+other.Table)
	return near && slices.Equal(guess.Numbers(n.String()), guess.Numbers(other.String()))
}
