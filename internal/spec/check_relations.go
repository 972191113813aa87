package spec

import "strings"

func (c checker) relationships(raw []rawRelationship) []Relationship {
	const key = "expectations.tables.relationships"
	var all []Relationship
	columns := unique[string]{}
	for _, r := range raw {
		relation := Relationship{Column: c.column(r.Column, key+".column"), Pos: r.at}
		columns.check(c, r.Column, relation.Column, key+".column",
			"count the orphans of its other reference by failed_rows")
		relation.References, relation.ReferencedColumn = c.wholeColumn(r.References, key+".references")
		relation.WarnIf, relation.FailIf = c.conditions(r.WarnIf, r.FailIf, key)
		if !r.WarnIf.given() && !r.FailIf.given() {
			relation.FailIf = &Condition{">", 0}
		}
		all = append(all, relation)
	}
	return all
}

// wholeColumn reads schema.table.column without patterns.
func (c checker) wholeColumn(t text, key string) (table Name, column string) {
	if !t.given() {
		return Name{}, ""
	}
	parts, fault := nameParts(t.Value, "schema.table.column")
	if fault != nil {
		c.refuseUnplaced(t.at, key, fault)
		return Name{}, ""
	}
	for _, p := range parts {
		if !p.quoted && strings.Contains(p.text, "*") {
			c.refuse(t.at, "name one column; quote the part if its name holds a *", "%s: %s is a pattern", key,
				shown(t.Value))
		}
	}
	return Name{Schema: parts[0].text, Table: parts[1].text}, parts[2].text
}

func (c checker) tableChecksum(raw *rawChecksum) *Checksum {
	if raw == nil {
		return nil
	}
	const key = "expectations.tables.checksum.columns"
	sum := &Checksum{Pos: raw.at}
	seen := unique[string]{}
	for _, t := range raw.Columns {
		column := c.column(t, key)
		seen.check(c, t, column, key, "list it once")
		sum.Columns = append(sum.Columns, column)
	}
	return sum
}

func (c checker) canary(raw *rawCanary) *Canary {
	if raw == nil {
		return nil
	}
	return &Canary{
		SQL: strings.TrimRight(c.filled(raw.SQL, "expectations.canary.sql", "write a query that gives one value"),
			"; \t\r\n"),
		EqualsEnv: raw.EqualsEnv.Value,
		Value:     c.planted(raw.EqualsEnv),
		Pos:       raw.at,
	}
}

// planted reads the canary that equals_env names, and repeats it nowhere.
func (c checker) planted(name text) []byte {
	const key = "expectations.canary.equals_env"
	value, ok := c.loader.lookup(name.Value)
	switch {
	case !name.given():
	case !envName.MatchString(name.Value):
		c.refuse(name.at, "write the variable's name, such as DRILL_CANARY, never the value",
			"%s is not the name of an environment variable", key)
	case c.loader.WithoutSecrets:
	case !ok || value == "":
		c.refuse(name.at, "set it to the value that was planted", "%s: the environment variable %s is not set", key,
			name.Value)
	default:
		return []byte(value)
	}
	return nil
}

// scrubbedAlike refuses a relationship that the scrub tears apart: its orphans
// would be the scrub's, not the backup's.
func (c checker) scrubbedAlike(drill *Drill, raw rawRelationship, table Name, r Relationship) {
	if r.Column == "" || r.ReferencedColumn == "" {
		return // which was refused, or has the wrong key: there is no place to say more
	}
	from := drill.Scrub.scrubbing(table, r.Column)
	to := drill.Scrub.scrubbing(r.References, r.ReferencedColumn)
	const key, hint = "expectations.tables.relationships",
		"give both columns the same transform and the same link, or preserve both"
	switch {
	case from == nil && to == nil:
	case from == nil:
		c.refuse(raw.References.at, hint, "%s.references: %s is scrubbed (%s, line %d), and %s is not", key,
			r.References.Column(r.ReferencedColumn), to.Transform, to.Pos.Line, table.Column(r.Column))
	case to == nil:
		c.refuse(raw.Column.at, hint, "%s.column: %s is scrubbed (%s, line %d), and %s is not", key,
			table.Column(r.Column), from.Transform, from.Pos.Line, r.References.Column(r.ReferencedColumn))
	case from.Transform == "set_null":
		c.refuse(raw.Column.at, "judge a column that is not emptied",
			"%s.column: %s is set to null (line %d), so that nothing of it could be an orphan", key,
			table.Column(r.Column), from.Pos.Line)
	case from.Transform != to.Transform || from.Link != to.Link:
		c.refuse(raw.Column.at, hint, "%s: %s and %s are scrubbed in different ways (lines %d and %d)", key,
			table.Column(r.Column), r.References.Column(r.ReferencedColumn), from.Pos.Line, to.Pos.Line)
	}
}
