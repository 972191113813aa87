package expect

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	eventsTimeout = time.Minute
	// cellShown is how many characters of a value are shown, cellRead how many
	// of one that is only told apart are read.
	cellShown = 60
	cellRead  = 1 << 16
)

// LatestEvents reads the newest rows of tables, as people look for what is
// newest. Cells of columns that shown allows come as text, cut and without
// control characters; all others as their fingerprint; nulls as null. What is
// not there is judged as by Run: such are the checks, and their tables are left
// out. Where all is well there is none. Of the options Shown, Past and File
// count.
func LatestEvents(ctx context.Context, connect Connect, wanted []spec.LatestEvents, fingerprint func(value string) string, o Options) ([]verdict.Events, []verdict.Check) {
	o.memory = remember(o.Past)
	s := session{connect: connect, names: newLookup(nil)}
	defer s.close()
	var events []verdict.Events
	var trouble []verdict.Check
	for _, w := range wanted {
		reader := eventReader{LatestEvents: w, options: o, fingerprint: fingerprint}
		if c := reader.check().run(ctx, &s); c.Outcome != verdict.Pass {
			trouble = append(trouble, c)
			continue
		}
		events = append(events, reader.found)
	}
	return events, trouble
}

// eventsID begins the id of a check that reads newest rows.
const eventsID = "latest_events:"

type eventReader struct {
	spec.LatestEvents
	options     Options
	fingerprint func(value string) string
	found       verdict.Events
}

func (e *eventReader) check() check {
	return check{
		Check: verdict.Check{
			ID: eventsID + e.Table.String(), Stage: verdict.StageExpect, Code: verdict.CodeLatestEvents,
			Expected: fmt.Sprintf("the newest %d rows", e.Limit),
		},
		timeout: eventsTimeout,
		judge:   e.read,
	}
}

func (e *eventReader) read(ctx context.Context, q *query, c *verdict.Check) error {
	r, err := find(ctx, q, e.Table)
	if err != nil {
		return err
	}
	if !beThere(c, e.Table, r, "whose newest rows are to be shown", e.options) {
		return nil
	}
	for _, column := range append([]string{e.OrderBy}, e.Columns...) {
		if _, err := (fileColumn{verdict.CodeLatestEvents, "latest_events", e.Pos.Line, e.Table, column}).find(ctx, q, c, e.options); err != nil {
			return err
		}
	}
	rows, err := q.rows(ctx, e.sql())
	if err != nil {
		return verdict.Errorf(verdict.CodeLatestEvents, "correct latest_events in the drill file",
			"read the newest rows of %s (drill file, line %d): %w", e.Table, e.Pos.Line, err)
	}
	e.found = verdict.Events{Table: e.Table.String(), Columns: e.Columns, Rows: make([][]string, 0, len(rows))}
	for _, row := range rows {
		e.found.Rows = append(e.found.Rows, e.cells(row))
	}
	pass(c, fmt.Sprint(len(rows)))
	return nil
}

func (e *eventReader) sql() string {
	columns := make([]string, len(e.Columns))
	for i, column := range e.Columns {
		// A column that is called as a type is quoted, so it stays a column.
		columns[i] = fmt.Sprintf("pg_catalog.left((%s)::pg_catalog.text, %d)", pgx.Identifier{column}.Sanitize(), e.mostRead(column))
	}
	return fmt.Sprintf("select %s from %s order by %s desc nulls last limit %d",
		strings.Join(columns, ", "), identifier(e.Table), pgx.Identifier{e.OrderBy}.Sanitize(), e.Limit)
}

func (e *eventReader) mostRead(column string) int {
	if e.mayShow(column) {
		return cellShown + 1 // one more tells that it was cut
	}
	return cellRead
}

func (e *eventReader) mayShow(column string) bool {
	return e.options.Shown(e.Table.Schema, e.Table.Table, column)
}

func (e *eventReader) cells(row [][]byte) []string {
	cells := make([]string, len(row))
	for i, value := range row {
		switch {
		case value == nil:
			cells[i] = "null"
		case e.mayShow(e.Columns[i]):
			cells[i] = printable(string(value))
		default:
			cells[i] = e.fingerprint(string(value))
		}
	}
	return cells
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
