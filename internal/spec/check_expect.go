package spec

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultCheckTimeout = 5 * time.Minute
	defaultMaxFuture    = 5 * time.Minute
	defaultLimit        = 5
	mostEvents          = 100
)

var checkName = regexp.MustCompile(`^[a-z0-9_]+$`)

func (c checker) expectations(raw *rawExpectations) Expectations {
	if raw == nil {
		return Expectations{}
	}
	e := Expectations{
		Warnings: "warn",
		Timeout:  c.positive(raw.Timeout, "expectations.timeout", defaultCheckTimeout),
	}
	e.AsOf, e.AsOfTime = c.asOf(raw.AsOf)
	roles := unique[string]{}
	for _, role := range raw.Roles {
		roles.check(c, role, role.Value, "expectations.roles", "list it once")
		e.Roles = append(e.Roles, c.filled(role, "expectations.roles", "write a role's name"))
	}
	if r := raw.Restore; r != nil {
		e.Warnings = r.Warnings.or("warn")
		e.Errors = r.Errors.pointer()
		if r.Errors.Value < 0 {
			c.refuse(r.Errors.at, "write 0 or more", "expectations.restore.errors: %d errors cannot be", r.Errors.Value)
		}
	}
	if r := raw.Recovery; r != nil {
		warn, fail := c.limits(r.at, "expectations.recovery_time", r.WarnAfter, r.FailAfter)
		e.Recovery = &Age{WarnAfter: warn, FailAfter: fail}
	}
	c.database(raw, &e)
	if len(raw.Tables) == 0 && len(raw.FailedRows) == 0 && len(raw.Witness) == 0 && !e.ofDatabase() {
		c.refuse(raw.at, "name a table under tables, or a query under failed_rows",
			"expectations names no table and no query: a drill that expects nothing proves nothing")
	}
	tables := unique[Name]{}
	names := unique[string]{}
	for _, t := range raw.Tables {
		table := c.table(t)
		tables.check(c, t.Table, table.Table, "expectations.tables.table",
			"put all that is expected of it under one entry")
		e.Tables = append(e.Tables, table)
	}
	for _, f := range raw.FailedRows {
		names.check(c, f.Name, f.Name.Value, "expectations.failed_rows.name", "give each query its own name")
		e.FailedRows = append(e.FailedRows, c.failedRows(f))
	}
	return e
}

func (c checker) asOf(t text) (string, time.Time) {
	if !t.given() || t.Value == AsOfBackup || t.Value == AsOfNow {
		return t.or(AsOfBackup), time.Time{}
	}
	at, err := time.Parse(time.RFC3339, t.Value)
	if err != nil {
		c.refuse(t.at, "write backup, now, or a time such as 2026-11-21T03:15:00Z",
			"expectations.as_of: %s is not a time", shown(t.Value))
	}
	return AsOfFixed, at.UTC()
}

func (c checker) table(raw rawTable) Table {
	return Table{
		Table:     c.name(raw.Table, "expectations.tables.table"),
		RowCount:  c.rowCount(raw.RowCount),
		Freshness: c.freshness(raw.Freshness),

		RowCountChange: c.drift(raw.RowCountChange, "expectations.tables.row_count_change"),
		MaxRegression:  c.regression(raw.MaxRegression),

		Relationships: c.relationships(raw.Relationships),
		Checksum:      c.tableChecksum(raw.Checksum),
		Rebuildable:   raw.Rebuildable.Value,

		Pos: raw.at,
	}
}

func (c checker) rowCount(raw *rawRowCount) *RowCount {
	if raw == nil {
		return nil
	}
	const key = "expectations.tables.row_count"
	count := &RowCount{Min: raw.Min.pointer(), Max: raw.Max.pointer(), Severity: raw.Severity.or("fail")}
	ways := 0
	for _, given := range []bool{raw.Min.given() || raw.Max.given(), len(raw.Between) > 0, raw.Equals.given()} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		c.refuse(raw.at, "write min, max, between or equals", "%s sets no number", key)
		return count
	case ways > 1:
		c.refuse(raw.at, "keep one way of saying it", "%s: between, equals and min or max exclude one another", key)
		return count
	case raw.Equals.given():
		count.Min, count.Max = &raw.Equals.Value, &raw.Equals.Value
	case len(raw.Between) == 2:
		count.Min, count.Max = &raw.Between[0].Value, &raw.Between[1].Value
	case len(raw.Between) > 0:
		c.refuse(raw.Between[0].at, "write between: [least, most]", "%s.between holds %d numbers", key,
			len(raw.Between))
		return count
	}
	c.countRange(raw, count, key)
	return count
}

func (c checker) countRange(raw *rawRowCount, count *RowCount, key string) {
	for _, n := range slices.Concat([]integer{raw.Min, raw.Max, raw.Equals}, raw.Between) {
		if n.Value < 0 {
			c.refuse(n.at, "write 0 or more", "%s: no table has %d rows", key, n.Value)
			return
		}
	}
	switch {
	case count.Min != nil && count.Max != nil && *count.Min > *count.Max:
		c.refuse(raw.at, "write the smaller one first", "%s: no count is at least %d and at most %d", key, *count.Min,
			*count.Max)
	case raw.Min.given() && raw.Min.Value == 0:
		c.refuse(raw.Min.at, "write 1 or more, or remove it", "%s.min: 0 can never fail", key)
	}
}

func (c checker) freshness(raw *rawFreshness) *Freshness {
	if raw == nil {
		return nil
	}
	const key = "expectations.tables.freshness"
	f := &Freshness{
		Column:    c.column(raw.Column, key+".column"),
		Location:  c.zone(raw.Timezone, key+".timezone"),
		Unit:      raw.Unit.Value,
		MaxFuture: raw.MaxFuture.or(defaultMaxFuture), // 0s is a good limit
		Where:     strings.TrimSpace(c.filled(raw.Where, key+".where", "write an SQL condition or remove the key")),
	}
	f.WarnAfter, f.FailAfter = c.limits(raw.at, key, raw.WarnAfter, raw.FailAfter)
	if raw.Unit.given() && raw.Timezone.given() {
		c.refuse(raw.Timezone.at, "keep the one that fits the column's type",
			"%s: unit is for numbers, timezone for timestamps; a column is one of them", key)
	}
	return f
}

func (c checker) failedRows(raw rawFailedRows) FailedRows {
	const key = "expectations.failed_rows"
	if raw.Name.given() && !checkName.MatchString(raw.Name.Value) {
		c.refuse(raw.Name.at, "use small letters, digits and _", "%s.name: %s is not a valid name", key,
			shown(raw.Name.Value))
	}
	f := FailedRows{
		Name: raw.Name.Value,
		SQL: strings.TrimRight(c.filled(raw.SQL, key+".sql", "write the query whose rows are to be counted"),
			"; \t\r\n"),
		Timeout: c.positive(raw.Timeout, key+".timeout", 0),
		Pos:     raw.at,
	}
	if !raw.WarnIf.given() && !raw.FailIf.given() {
		c.refuse(raw.at, `add fail_if: "> 0"`, "%s says neither warn_if nor fail_if", key)
	}
	f.WarnIf, f.FailIf = c.conditions(raw.WarnIf, raw.FailIf, key)
	return f
}

// conditions reads a pair, of which each must have its say.
func (c checker) conditions(warnIf, failIf text, key string) (warn, fail *Condition) {
	warn = c.condition(warnIf, key+".warn_if")
	fail = c.condition(failIf, key+".fail_if")
	if warn != nil && fail != nil && fail.covers(*warn) {
		c.refuse(warnIf.at, "let it begin earlier than fail_if, or remove it",
			"%s.warn_if can never be seen beside fail_if", key)
	}
	return warn, fail
}

// condition reads a comparison with a count, and refuses one that always or
// never holds.
func (c checker) condition(t text, key string) *Condition {
	if !t.given() {
		return nil
	}
	const mend = `write a comparison with a count of rows, such as "> 0"`
	digits := strings.TrimLeft(t.Value, "<>=! ")
	op := strings.TrimSpace(strings.TrimSuffix(t.Value, digits))
	value, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	condition := Condition{Op: op, Value: value}
	switch {
	case err != nil || value < 0 || !slices.Contains([]string{">", ">=", "<", "<=", "==", "!="}, op):
		c.refuse(t.at, mend, "%s: %s is not a condition", key, shown(t.Value))
	case condition == Condition{">=", 0}:
		c.refuse(t.at, mend, "%s: every count is %s", key, condition)
	case condition == Condition{"<", 0}:
		c.refuse(t.at, mend, "%s: no count is %s", key, condition)
	default:
		return &condition
	}
	return nil
}

// Holds reports whether the count meets the condition.
func (c Condition) Holds(count int64) bool {
	switch order := cmp.Compare(count, c.Value); c.Op {
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case "==":
		return order == 0
	case "!=":
		return order != 0
	}
	return false
}

// String is the condition as it is written: > 0.
func (c Condition) String() string { return c.Op + " " + strconv.FormatInt(c.Value, 10) }

// covers reports whether every count that meets other meets c. Both are decided
// around their two values, so that these and their neighbours speak for all.
func (c Condition) covers(other Condition) bool {
	for _, around := range []int64{0, c.Value, other.Value} {
		for _, count := range []int64{around - 1, around, around + 1} {
			if count >= 0 && other.Holds(count) && !c.Holds(count) {
				return false
			}
		}
	}
	return true
}

func (c checker) latestEvents(raw []rawLatest) []LatestEvents {
	const key = "latest_events"
	var all []LatestEvents
	for _, r := range raw {
		e := LatestEvents{
			Table:   c.name(r.Table, key+".table"),
			OrderBy: c.column(r.OrderBy, key+".order_by"),
			Limit:   int(r.Limit.or(defaultLimit)),
			Pos:     r.at,
		}
		if r.Limit.given() && (r.Limit.Value < 1 || r.Limit.Value > mostEvents) {
			c.refuse(r.Limit.at, "write 1 to 100", "%s.limit: %d is out of range", key, r.Limit.Value)
		}
		seen := unique[string]{}
		for _, t := range r.Columns {
			column := c.column(t, key+".columns")
			seen.check(c, t, column, key+".columns", "list it once")
			e.Columns = append(e.Columns, column)
		}
		all = append(all, e)
	}
	return all
}

// scrubbedTimes refuses to judge by a time that a rule rewrites: the answer
// would be about the scrub, not about the backup.
func (c checker) scrubbedTimes(raw *rawDrill, drill *Drill) {
	if raw.Expectations != nil {
		for i, t := range drill.Expectations.Tables {
			if t.Freshness != nil {
				c.notScrubbed(drill, raw.Expectations.Tables[i].Freshness.Column, t.Table, t.Freshness.Column,
					"expectations.tables.freshness.column")
			}
			if t.MaxRegression != nil {
				c.notScrubbed(drill, raw.Expectations.Tables[i].MaxRegression.Column, t.Table, t.MaxRegression.Column,
					"expectations.tables.max_regression.column")
			}
			if t.Checksum != nil {
				for j, column := range t.Checksum.Columns {
					c.notScrubbed(drill, raw.Expectations.Tables[i].Checksum.Columns[j], t.Table, column,
						"expectations.tables.checksum.columns")
				}
			}
			for j, r := range t.Relationships {
				c.scrubbedAlike(drill, raw.Expectations.Tables[i].Relationships[j], t.Table, r)
			}
		}
	}
	for i, e := range drill.LatestEvents {
		c.notScrubbed(drill, raw.LatestEvents[i].OrderBy, e.Table, e.OrderBy, "latest_events.order_by")
	}
}

// loadedTables refuses to expect rows of a table whose rows are never loaded.
func (c checker) loadedTables(raw *rawDrill, drill *Drill) {
	for i, t := range drill.Expectations.Tables {
		if t.RowCount != nil || t.Freshness != nil || t.RowCountChange != nil || t.MaxRegression != nil ||
			t.Relationships != nil || t.Checksum != nil {
			c.notExcluded(drill, raw.Expectations.Tables[i].Table, t.Table, "expectations.tables.table")
		}
		for j, r := range t.Relationships {
			c.notExcluded(drill, raw.Expectations.Tables[i].Relationships[j].References, r.References,
				"expectations.tables.relationships.references")
		}
	}
	for i, e := range drill.LatestEvents {
		c.notExcluded(drill, raw.LatestEvents[i].Table, e.Table, "latest_events.table")
	}
}

func (c checker) notExcluded(drill *Drill, t text, table Name, key string) {
	for _, excluded := range drill.Scrub.ExcludeTableData {
		if p, err := ParseTablePattern(excluded); err == nil && t.given() && p.Match(table.Schema, table.Table) {
			c.refuse(t.at, "expect no rows of it, or load them",
				"%s: the rows of %s are never loaded (scrub.exclude_table_data)", key, table)
			return
		}
	}
}

func (c checker) notScrubbed(drill *Drill, t text, table Name, column, key string) {
	if !t.given() {
		return
	}
	if r := drill.Scrub.scrubbing(table, column); r != nil {
		c.refuse(t.at, "judge by a column that is preserved, or preserve this one with a why",
			"%s: %s is scrubbed (%s, line %d)", key, table.Column(column), r.Transform, r.Pos.Line)
	}
}

// scrubbing is a rule that rewrites the column, unless a narrower one lets it
// pass; nil where there is none.
func (s Scrub) scrubbing(table Name, column string) *Rule {
	// which columns are of a type nobody knows before the backup is restored
	matches := func(r Rule) bool { return r.Type == Name{} && r.Column.Match(table.Schema, table.Table, column) }
	for i, r := range s.Rules {
		spared := slices.ContainsFunc(s.Rules, func(other Rule) bool {
			return other.Preserve && matches(other) && other.Column.NarrowerThan(r.Column)
		})
		if r.Transform != "" && matches(r) && !spared {
			return &s.Rules[i]
		}
	}
	return nil
}
