package expect

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	eventsTimeout = time.Minute
	// cellShown is how many characters of a value are shown, of verdict.CellRead.
	cellShown = 60
)

// Cells say what becomes of a value before it is shown.
type Cells struct {
	Fingerprint func(value string) string
	// Vouch returns what keeps a value of a column that may be shown from it,
	// or nil. Its outcome is that of a check. Nil: nothing does.
	Vouch func(schema, table, column, value string) *verdict.Problem
}

// LatestEvents reads the newest rows of tables, as people look for what is
// newest, in one session, in the transaction that connect has begun, if it has.
// Cells of columns that shown allows come as text, cut and without control
// characters; all others, and what nobody vouches for, as their fingerprint;
// nulls as null. Nothing of the backup's own computes what is read: a view, and
// a column whose type has functions of its own, is refused. What is not there is
// judged as by Run: such are the checks, and their tables are left out. A value
// that nobody vouched for is a check of its own. Where all is well there is
// none. Of the options Shown, Past and File count.
func LatestEvents(ctx context.Context, connect Connect, wanted []spec.LatestEvents, cells Cells,
	o Options) ([]verdict.Events, []verdict.Check) {
	o.memory = remember(o.Past)
	s := session{connect: connect, names: newLookup(nil)}
	defer s.close()
	var events []verdict.Events
	var trouble []verdict.Check
	for _, w := range wanted {
		reader := eventReader{LatestEvents: w, Cells: cells, options: o}
		c := reader.check().evaluate(ctx, &s, func(judge judgment) error { return s.within(ctx, judge) })
		if c.Outcome != verdict.Pass {
			trouble = append(trouble, c)
			continue
		}
		events = append(events, reader.found)
		trouble = append(trouble, reader.leaks()...)
	}
	return events, trouble
}

// within lets a judge ask in the transaction that the session is in, and takes
// back what that did to it.
func (s *session) within(ctx context.Context, judge judgment) error {
	ctx, cancel := context.WithTimeoutCause(ctx, eventsTimeout+grace, errTimeout)
	defer cancel()
	if err := s.open(ctx); err != nil {
		return err
	}
	server := s.conn.PgConn()
	opening := "savepoint events; select " + setLocal("statement_timeout", fmt.Sprint(eventsTimeout.Milliseconds())) +
		", " + setLocal("search_path", sandbox.OwnPath) + ", " + setLocal("row_security", "off") + ", " +
		setLocal("constraint_exclusion", "off") +
		", " + setLocal("datestyle", "ISO") + ", " + setLocal("intervalstyle", "postgres") + ", " +
		setLocal("extra_float_digits", "1") +
		// as pg_dump writes them, so that they can be compared with what was loaded
		", " + setLocal("bytea_output", "hex")
	if server.TxStatus() == 'I' {
		opening = "begin read only; " + opening
	}
	if _, err := server.Exec(ctx, opening).ReadAll(); err != nil {
		return fmt.Errorf("begin to read the newest rows: %w", redacted(err))
	}
	err := judge(ctx,
		&query{session: s, timeout: eventsTimeout, ask: func(_ whose, sql string, args []string) ([][][]byte, error) {
			values := make([][]byte, len(args))
			for i := range args {
				values[i] = []byte(args[i])
			}
			if s.names.mistrusted() {
				if _, err := server.Exec(ctx, withoutIndexes).ReadAll(); err != nil {
					return nil, redacted(err)
				}
			}
			result := server.ExecParams(ctx, sql, values, nil, nil, nil).Read()
			if result.Err != nil {
				return nil, redacted(result.Err)
			}
			return result.Rows, nil
		}})
	if _, back := server.Exec(ctx, "rollback to savepoint events").ReadAll(); back != nil {
		s.close()
	}
	if err != nil && errors.Is(context.Cause(settled(ctx)), errTimeout) {
		return errTimeout
	}
	return err
}

// doubt is what keeps values of a column from being shown.
type doubt struct {
	column string
	why    *verdict.Problem
}

// eventsID begins the id of a check that reads newest rows.
const eventsID = "latest_events:"

type eventReader struct {
	spec.LatestEvents
	Cells
	options Options
	found   verdict.Events
	bases   map[string]string // oids of the columns' types, below domains
	hidden  map[doubt]int     // cells that nobody vouched for
}

func (e *eventReader) check() pendingCheck {
	return pendingCheck{
		Check: verdict.Check{
			ID: eventsID + e.Table.String(), Stage: verdict.StageExpect, Code: verdict.CodeLatestEvents,
			Expected: fmt.Sprintf("the newest %d rows", e.Limit),
		},
		timeout: eventsTimeout,
		judge:   e.read,
	}
}

func (e *eventReader) read(ctx context.Context, q *query, c *verdict.Check) error {
	r, err := findRelation(ctx, q, e.Table)
	if err != nil {
		return err
	}
	if !beThere(c, e.Table, r, "whose newest rows are to be shown", e.options) {
		return nil
	}
	e.bases = map[string]string{}
	for _, column := range e.named() {
		t, err := (fileColumn{verdict.CodeLatestEvents, "latest_events", e.Pos, e.Table, column}).find(ctx, q, c,
			e.options)
		if err != nil {
			return err
		}
		e.bases[column] = t.oid
	}
	if err := e.nothingComputes(ctx, q, r); err != nil {
		return err
	}
	rows, err := q.rows(ctx, e.sql())
	if state, ok := errors.AsType[*sqlError](err); ok && state.State == undefinedFunction {
		return verdict.Errorf(verdict.CodeLatestEvents, "order by a column of time or numbers",
			"%s (%v) cannot be ordered by %s: the server has no order for its type", e.Table,
			e.Pos, e.OrderBy)
	}
	if err != nil {
		return verdict.Errorf(verdict.CodeLatestEvents, "correct latest_events in the drill file",
			"read the newest rows of %s (%v): %w", e.Table, e.Pos, err)
	}
	e.found = verdict.Events{Table: e.Table.String(), Columns: e.Columns, Rows: make([][]string, 0, len(rows))}
	for _, row := range rows {
		e.found.Rows = append(e.found.Rows, e.cells(row))
	}
	c.Pass(fmt.Sprint(len(rows)))
	return nil
}

// named are the columns that are read: that which the rows are sorted by, first.
func (e *eventReader) named() []string { return append([]string{e.OrderBy}, e.Columns...) }

// nothingComputes refuses what the backup's own code, or a foreign server, would
// compute while it is read.
func (e *eventReader) nothingComputes(ctx context.Context, q *query, r relation) error {
	refuse := func(hint, format string, args ...any) error {
		return verdict.Errorf(verdict.CodeLatestEvents, hint,
			"%s (%v) %s, so it cannot be checked before it is shown",
			e.Table, e.Pos, fmt.Sprintf(format, args...))
	}
	const named = "name under latest_events a table or a materialized view, whose rows are stored"
	if r.kind == "view" || r.kind == "foreign table" {
		return refuse(named, "is a %s: what it shows is computed by the backup's own code as it is read", r.kind)
	}
	list, err := json.Marshal(e.named())
	if err != nil {
		return err
	}
	rows, err := q.rows(ctx, computed, r.oid, string(list), e.OrderBy)
	switch {
	case err != nil:
		return fmt.Errorf("look what computes the columns of %s: %w", e.Table, err)
	case len(rows) == 0:
		return nil
	case len(rows[0][0]) == 0:
		return refuse(named, "has foreign tables below it")
	}
	return refuse("leave the column out of latest_events",
		"has the column %s, whose type is written or ordered by functions of the backup's own",
		rows[0][0]) // which the drill file names
}

// computed names the columns among those of a list whose types, as deep as they
// go, have functions that neither the server nor an extension brought, and that
// which the rows are sorted by where such functions sort it; first an empty name
// where a foreign table is below the relation.
const computed = `
with recursive below(oid) as (
  select $1::pg_catalog.oid
  union select i.inhrelid from below b join pg_catalog.pg_inherits i on i.inhparent OPERATOR(pg_catalog.=) b.oid
), part(col, typ) as (
  select a.attname::pg_catalog.text, a.atttypid from pg_catalog.pg_attribute a
   where a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid and a.attnum OPERATOR(pg_catalog.>) 0
     and a.attname::pg_catalog.text OPERATOR(pg_catalog.=)
         any (array(select pg_catalog.json_array_elements_text($2::pg_catalog.json)))
  union
  select p.col, x.typ from part p join pg_catalog.pg_type t on t.oid OPERATOR(pg_catalog.=) p.typ cross join lateral (
    select t.typelem as typ union all select t.typbasetype
    union all select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid OPERATOR(pg_catalog.=) t.oid
    union all select a.atttypid from pg_catalog.pg_attribute a
               where a.attrelid OPERATOR(pg_catalog.=) t.typrelid and a.attnum OPERATOR(pg_catalog.>) 0) x
   where x.typ OPERATOR(pg_catalog.<>) 0::pg_catalog.oid
), brought(oid) as (
  select d.objid from pg_catalog.pg_depend d
    where d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass
     and d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char"
)
select '' from below b join pg_catalog.pg_class c on c.oid OPERATOR(pg_catalog.=) b.oid
 where c.relkind OPERATOR(pg_catalog.=) 'f'::pg_catalog."char"
union all
select p.col from part p join pg_catalog.pg_type t on t.oid OPERATOR(pg_catalog.=) p.typ
  left join pg_catalog.pg_range r on r.rngtypid OPERATOR(pg_catalog.=) t.oid
 where not exists (select from brought b where b.oid OPERATOR(pg_catalog.=) t.oid)
   and (t.typoutput::pg_catalog.oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
     or coalesce(r.rngsubopc, 0::pg_catalog.oid) OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)
union all
select p.col from part p join pg_catalog.pg_opclass k on k.opcintype OPERATOR(pg_catalog.=) p.typ and k.opcdefault
  cross join lateral (
    select m.amproc::pg_catalog.oid as oid from pg_catalog.pg_amproc m
      where m.amprocfamily OPERATOR(pg_catalog.=) k.opcfamily
    union all select o.oprcode::pg_catalog.oid from pg_catalog.pg_amop m
      join pg_catalog.pg_operator o on o.oid OPERATOR(pg_catalog.=) m.amopopr
               where m.amopfamily OPERATOR(pg_catalog.=) k.opcfamily) sorting
  join pg_catalog.pg_proc f on f.oid OPERATOR(pg_catalog.=) sorting.oid
 where p.col OPERATOR(pg_catalog.=) $3::pg_catalog.text and ` + itsOwn

// hasText are the types, by oid, whose text the server makes by a function of
// its own instead of by the type's output: bool, "char", name, xml, cidr, inet,
// bpchar.
var hasText = []string{"16", "18", "19", "142", "650", "869", "1042"}

// text writes a column down by nothing but the server's own functions. A cast
// might be the backup's: CREATE CAST makes one from any type to text.
func (e *eventReader) text(column string) string {
	name := pgx.Identifier{column}.Sanitize()
	text := fmt.Sprintf("pg_catalog.format('%%s', %s)", name)
	if slices.Contains(hasText, e.bases[column]) {
		text = fmt.Sprintf("pg_catalog.text(%s)", name)
	}
	return fmt.Sprintf("case when pg_catalog.num_nulls(%s) OPERATOR(pg_catalog.=) 0 then pg_catalog.left(%s, %d) end",
		name, text, verdict.CellRead)
}

func (e *eventReader) sql() string {
	columns := make([]string, len(e.Columns))
	for i, column := range e.Columns {
		columns[i] = e.text(column)
	}
	return fmt.Sprintf("select %s from %s order by %s desc nulls last limit %d",
		strings.Join(columns, ", "), identifier(e.Table), pgx.Identifier{e.OrderBy}.Sanitize(), e.Limit)
}

func (e *eventReader) mayShow(column string) bool {
	return e.options.Shown(e.Table.Schema, e.Table.Table, column)
}

func (e *eventReader) cells(row [][]byte) []string {
	cells := make([]string, len(row))
	for i, value := range row {
		column := e.Columns[i]
		switch {
		case value == nil:
			cells[i] = "null"
		case !e.mayShow(column):
			cells[i] = e.Fingerprint(string(value))
		default:
			cells[i] = e.vouched(column, string(value))
		}
	}
	return cells
}

// vouched is a value of a column that may be shown, or its fingerprint.
func (e *eventReader) vouched(column, value string) string {
	if e.Vouch == nil {
		return printable(value)
	}
	why := e.Vouch(e.Table.Schema, e.Table.Table, column, value)
	if why == nil {
		return printable(value)
	}
	if e.hidden == nil {
		e.hidden = map[doubt]int{}
	}
	e.hidden[doubt{column, why}]++
	return e.Fingerprint(value)
}

// leaks tell the columns in which a value was not shown, though it might have
// been, and why.
func (e *eventReader) leaks() (checks []verdict.Check) {
	for d, rows := range e.hidden {
		place := e.Table.Column(d.column)
		checks = append(checks, verdict.Check{
			ID: string(d.why.Code) + ":" + eventsID + place, Stage: verdict.StageExpect, Code: d.why.Code,
			Outcome:  d.why.Outcome,
			Expected: "newest rows as they were loaded, that hold nothing which looks sensitive or is a real value",
			Observed: fmt.Sprintf("%d of %d rows", rows, len(e.found.Rows)),
			Message:  fmt.Sprintf("%s is to be shown, but %v: it is shown as a fingerprint", place, d.why.Err),
			Hint:     d.why.Hint,
		})
	}
	slices.SortFunc(checks, func(a, b verdict.Check) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Message, b.Message))
	})
	return checks
}

// printable cuts a value, and takes out what would move a terminal's cursor.
func printable(value string) string {
	runes := []rune(strings.ToValidUTF8(value, "\uFFFD"))
	if len(runes) > cellShown {
		runes = append(runes[:cellShown-1], '…')
	}
	return strings.Map(visible, string(runes))
}

// visible puts a dot for what would move a terminal's cursor.
func visible(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '·'
}
