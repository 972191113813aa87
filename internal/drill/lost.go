package drill

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/expect"
	"daybefore/internal/scrub"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// lost is what the archive makes and a restore that met errors did not. What
// is missed because of it is no finding of its own: the restore's errors are
// told, and what follows from them is counted.
type lost struct {
	tables     []spec.Name // views among them
	extensions []string
	rules      int // of the scrub, that were not judged
}

func (l lost) some() bool { return len(l.tables)+len(l.extensions) > 0 }

func (l lost) table(n spec.Name) bool { return slices.Contains(l.tables, n) }

// someOf reports whether the archive holds rows of any.
func (l lost) someOf(headers []scrub.Header) bool {
	return slices.ContainsFunc(headers, func(h scrub.Header) bool {
		return l.table(spec.Name{Schema: h.Schema, Table: h.Table})
	})
}

// relations are kinds of entries that make what has rows.
var relations = []string{"TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW"}

// notThere lists what of a list of names, of which those without a schema are
// extensions, is not in the database.
const notThere = `
select coalesce(w.s, ''), w.n
from pg_catalog.json_to_recordset($1::pg_catalog.json) as w(s pg_catalog.text, n pg_catalog.text)
where not exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = w.s and c.relname = w.n)
  and not exists (select from pg_catalog.pg_extension e where w.s is null and e.extname = w.n)
order by 1, 2`

// named is an entry of the archive, as notThere is asked for it.
type named struct {
	Schema *string `json:"s"`
	Name   string  `json:"n"`
}

// madeBy lists what the archive makes before its rows, or with post-data in
// all: tables, views and extensions.
func madeBy(entries []archive.Entry, postData bool) (made []named) {
	for _, e := range entries {
		switch {
		case e.Section == archive.SectionPostData && !postData:
		case slices.Contains(relations, e.Desc) && e.Namespace != "":
			made = append(made, named{&e.Namespace, e.Tag})
		case e.Desc == "EXTENSION":
			made = append(made, named{nil, e.Tag})
		}
	}
	return made
}

// findLost looks, where the restore says that it met errors which nobody
// declared, what they took with them.
func (r *run) findLost(ctx context.Context, postData bool) error {
	if !slices.ContainsFunc(r.session.Checks(), broken) {
		return nil
	}
	list, err := json.Marshal(madeBy(r.archive.Entries, postData))
	if err != nil {
		return err
	}
	conn, err := r.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, notThere, string(list))
	if err != nil {
		return fmt.Errorf("look for what the restore's errors took with them: %w", err)
	}
	r.lost.tables, r.lost.extensions = nil, nil
	var schema, name string
	_, err = pgx.ForEachRow(rows, []any{&schema, &name}, func() error {
		if schema == "" {
			r.lost.extensions = append(r.lost.extensions, name)
		} else {
			r.lost.tables = append(r.lost.tables, spec.Name{Schema: schema, Table: name})
		}
		return nil
	})
	for _, t := range r.session.Refused() {
		r.lost.tables = append(r.lost.tables, spec.Name{Schema: t[0], Table: t[1]})
	}
	return err
}

// broken tells a check that says that something was not restored.
func broken(c verdict.Check) bool {
	return (c.Outcome == verdict.Fail || c.Outcome == verdict.Error) &&
		c.Code != verdict.CodeRowsHeld && c.Code != verdict.CodeRoles
}

// judgeable is what is expected beside what was lost.
func (l lost) judgeable(e spec.Expectations) spec.Expectations {
	e.Extensions = but(e.Extensions, func(name string) bool { return slices.Contains(l.extensions, name) })
	e.Witness = but(e.Witness, func(w spec.Witness) bool { return l.table(w.Table) })
	e.Tables = but(e.Tables, func(t spec.Table) bool { return l.table(t.Table) })
	for i, t := range e.Tables {
		e.Tables[i].Relationships = but(t.Relationships,
			func(r spec.Relationship) bool { return l.table(r.References) })
	}
	return e
}

// but is a list without some, in a copy.
func but[T any](all []T, some func(T) bool) []T { return slices.DeleteFunc(slices.Clone(all), some) }

// showable are the tables whose newest rows can be shown.
func (l lost) showable(wanted []spec.LatestEvents) []spec.LatestEvents {
	return but(wanted, func(w spec.LatestEvents) bool { return l.table(w.Table) })
}

// without leaves out checks that met a table which is not there, while some are
// lost: their SQL names it.
func (l lost) without(found []verdict.Check) []verdict.Check {
	if len(l.tables) == 0 {
		return found
	}
	return slices.DeleteFunc(found, func(c verdict.Check) bool {
		ofSQL := c.Code == verdict.CodeFailedRows || c.Code == verdict.CodeCanary
		return ofSQL && c.Outcome == verdict.Error && strings.Contains(c.Message, "(SQLSTATE 42P01)")
	})
}

// keepLost tells in one line what was not judged, where so many of the declared
// checks were.
func (r *run) keepLost(judged int) {
	if !r.lost.some() {
		return
	}
	names := slices.Clone(r.lost.extensions)
	for _, t := range r.lost.tables {
		names = append(names, t.String())
	}
	const shown = 5
	missing := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		missing += fmt.Sprintf(" and %d more", more)
	}
	unjudged := expect.Count(r.Drill.Expectations) + len(r.Drill.LatestEvents) - judged
	r.checks(verdict.Check{
		ID: "not_judged", Stage: verdict.StageExpect, Code: verdict.CodeRestoreErrors, Outcome: verdict.Skipped,
		Observed: fmt.Sprintf("%d missing", len(names)),
		Message: unjudgedWords(r.lost.rules, unjudged) +
			"since the restore met errors, which took with them: " + missing,
		Hint: "see restore_errors: they are the cause, and this follows from them",
	})
}

// unjudgedWords says how many rules and checks were not judged, of which none
// may be left.
func unjudgedWords(rules, checks int) string {
	var parts []string
	if rules > 0 {
		parts = append(parts, verdict.Count(rules, "rule"))
	}
	if checks > 0 {
		parts = append(parts, verdict.Count(checks, "check"))
	}
	if len(parts) == 0 {
		return "nothing else could be judged "
	}
	return strings.Join(parts, " and ") + " could not be judged "
}
