package runbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/program"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// question is one that psql asks of the restored database.
type question struct {
	id, sql string
	found   string // by the drill; empty: the check of this id tells
}

// The questions that need no more than that they are declared.
const (
	askIndexes     = "select count(*) from pg_index where not indisvalid"
	askConstraints = "select count(*) from pg_constraint where not convalidated"
	askViews       = "select count(*) from pg_matviews where not ispopulated"
	askCollations  = "select count(*) from pg_collation where collversion <> pg_collation_actual_version(oid)"
)

// checks ask the restored database what the drill asked, each with what was
// expected and found.
func (p *plan) checks() []string {
	lines := []string{label("the server's version: the drill restored on %s", p.Report.Sandbox.ServerVersion),
		ask("show server_version")}
	for _, q := range p.questions() {
		lines = append(lines, label("%s: %s", q.id, cmp.Or(q.found, p.found(q.id))), ask(q.sql))
	}
	e := p.Drill.Expectations
	if e.Canary != nil {
		lines = append(lines, label("canary: the value that was planted in this database, and in no other"),
			`test "$(`+ask(e.Canary.SQL)+`)" = "$`+e.Canary.EqualsEnv+`" && echo right || echo WRONG`)
	}
	if e.Amcheck != nil {
		lines = append(lines,
			label("the files of tables and indexes, by the extension amcheck; nothing is printed if all are well"),
			`pg_amcheck --install-missing --jobs="$(nproc)"`)
	}
	return lines
}

// label prints what the next line is about.
func label(format string, args ...any) string {
	return line("printf", `%s\n`, report.Clean(fmt.Sprintf(format, args...)))
}

func ask(sql string) string { return "psql -X -At -c " + program.ShellWord(sql) }

// found says what a check expected, and what the drill observed.
func (p *plan) found(id string) string {
	c := p.check(id)
	if c == nil {
		return "0 is well"
	}
	return "expected " + c.Expected + "; the drill found " + c.Observed
}

// check is that of an id; nil where there is none.
func (p *plan) check(id string) *verdict.Check {
	i := slices.IndexFunc(p.Report.Checks, func(c verdict.Check) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &p.Report.Checks[i]
}

func (p *plan) questions() []question {
	e := p.Drill.Expectations
	var all []question
	for _, t := range e.Tables {
		all = append(all, p.ofTable(t)...)
	}
	for _, f := range e.FailedRows {
		all = append(all, question{id: "failed_rows:" + f.Name,
			sql: "select count(*) from (\n" + f.SQL + "\n) q"})
	}
	for _, name := range e.Extensions {
		all = append(all, question{id: "extensions:" + name,
			sql: "select extversion from pg_extension where extname = " + literal(name)})
	}
	for _, name := range e.Roles {
		all = append(all, question{id: "roles:" + name,
			sql: "select rolname from pg_roles where rolname = " + literal(name)})
	}
	for _, s := range e.Settings {
		all = append(all, question{id: "settings:" + s.Name, sql: "select current_setting(" + literal(s.Name) + ")"})
	}
	return append(all, ofWhole(e)...)
}

// ofWhole are the questions about the whole database.
func ofWhole(e spec.Expectations) []question {
	var all []question
	for _, q := range []struct {
		declared bool
		id, sql  string
	}{
		{e.Indexes, "indexes", askIndexes}, {e.Constraints, "constraints", askConstraints},
		{e.MaterializedViews, "materialized_views", askViews}, {e.Collations, "collations", askCollations},
	} {
		if q.declared {
			all = append(all, question{id: q.id, sql: q.sql})
		}
	}
	return all
}

func identifier(n spec.Name) string { return pgx.Identifier{n.Schema, n.Table}.Sanitize() }

// ofTable asks for a table's rows in any case.
func (p *plan) ofTable(t spec.Table) []question {
	from := " from " + identifier(t.Table)
	rows := question{id: "row_count:" + t.Table.String(), sql: "select count(*)" + from}
	if t.RowCount == nil {
		rows.found = "rows that the drill counted: " + p.rows(t.Table)
	}
	all := []question{rows}
	if f := t.Freshness; f != nil {
		newest := "select max(" + pgx.Identifier{f.Column}.Sanitize() + ")" + from
		if f.Where != "" {
			newest += " where (\n" + f.Where + "\n)"
		}
		all = append(all, question{id: "freshness:" + t.Table.String(), sql: newest})
	}
	if m := t.MaxRegression; m != nil {
		all = append(all, question{id: "max_regression:" + t.Table.String(),
			sql: "select max(" + pgx.Identifier{m.Column}.Sanitize() + ")" + from})
	}
	for _, r := range t.Relationships {
		column := pgx.Identifier{r.Column}.Sanitize()
		all = append(all, question{id: "relationships:" + t.Table.Column(r.Column),
			sql: "select count(*)" + from + " f where f." + column + " is not null and not exists (select from " +
				identifier(r.References) + " t where t." + pgx.Identifier{r.ReferencedColumn}.Sanitize() + " = f." + column +
				")"})
	}
	return all
}

// first are the tables that the drill file names, as it orders them, with their
// rows.
func (p *plan) first() []fact {
	return p.tables(func(t spec.Table) bool { return !t.Rebuildable })
}

// rebuildable are those that may be missing.
func (p *plan) rebuildable() []fact {
	return p.tables(func(t spec.Table) bool { return t.Rebuildable })
}

func (p *plan) tables(wanted func(spec.Table) bool) []fact {
	var all []fact
	for _, t := range p.Drill.Expectations.Tables {
		if wanted(t) {
			all = append(all, fact{t.Table.String(), p.rows(t.Table)})
		}
	}
	return all
}

// rows are those of a table: as they were loaded or, where its partitions were,
// as a check counted them.
func (p *plan) rows(table spec.Name) string {
	i := slices.IndexFunc(p.Report.Tables, func(t verdict.Table) bool { return t.Name == tableName(table) })
	if i >= 0 {
		return heldRows(p.Report.Tables[i])
	}
	c := p.check("row_count:" + table.String())
	if c == nil {
		return "not counted"
	}
	return c.Observed
}

// tableName is how a report names a table.
func tableName(n spec.Name) string { return n.Schema + "." + n.Table }

func heldRows(t verdict.Table) string {
	if t.Excluded {
		return "left out by the drill"
	}
	return report.Count(t.RowsHeld)
}

// mostOthers is how many tables that nothing is expected of are named.
const mostOthers = 50

// others are the tables that the drill file does not name, the largest first.
func (p *plan) others() []fact {
	named := map[string]bool{}
	for _, t := range p.Drill.Expectations.Tables {
		named[tableName(t.Table)] = true
	}
	rest := slices.DeleteFunc(slices.Clone(p.Report.Tables), func(t verdict.Table) bool { return named[t.Name] })
	slices.SortFunc(rest, func(a, b verdict.Table) int {
		if a.RowsHeld != b.RowsHeld {
			return int(min(max(b.RowsHeld-a.RowsHeld, -1), 1))
		}
		return strings.Compare(a.Name, b.Name)
	})
	var all []fact
	for _, t := range rest[:min(len(rest), mostOthers)] {
		all = append(all, fact{t.Name, heldRows(t)})
	}
	if more := len(rest) - mostOthers; more > 0 {
		all = append(all, fact{"and " + report.Counted(more, "more table"), "in report.json"})
	}
	return all
}
