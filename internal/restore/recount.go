package restore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/verdict"
)

// baseline is what Recount compares with.
type baseline struct {
	tables map[tableName]standing // before the first row
	xid    string                 // the first transaction after the last row; empty: that has not come
}

// standing is what tells a relation from another under its name.
type standing struct {
	oid     uint32
	kind    string // pg_class.relkind
	columns string // of a table: numbers, names and types
}

// ownCodeHint is where to look when something but the load wrote rows.
const ownCodeHint = "look at the backup's own code (code_ran in the report), and at who can change it in production"

// standings lists all that has rows, and is no extension's.
const standings = `
select n.nspname::text, c.relname::text, c.oid, c.relkind::text,
       case when c.relkind in ('r', 'p') then coalesce((
         select pg_catalog.string_agg(pg_catalog.format('%s %s %s', a.attnum, a.attname, a.atttypid), ','
           order by a.attnum)
           from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0
             and not a.attisdropped), '') else '' end
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema')
   and n.nspname !~ '^pg_(toast|temp)'
   and not exists (select from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')`

func readStandings(ctx context.Context, conn *pgx.Conn) (map[tableName]standing, error) {
	rows, err := conn.Query(ctx, standings)
	if err != nil {
		return nil, err
	}
	all := map[tableName]standing{}
	var n tableName
	var st standing
	_, err = pgx.ForEachRow(rows, []any{&n.schema, &n.table, &st.oid, &st.kind, &st.columns}, func() error {
		all[n] = st
		return nil
	})
	return all, err
}

// remember notes that all rows are in, for Recount.
func (s *Session) remember(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, "select pg_catalog.format('%s', pg_catalog.pg_current_xact_id())").Scan(&s.baseline.xid)
	if err != nil {
		return fmt.Errorf("note that the rows of %s are in: %w", s.archive.Database, err)
	}
	return nil
}

// Recount compares the tables with those that were loaded, in sessions that
// connect opens, once nothing more runs: a row that came, went or was written
// again since is not what the backup holds. It counts nothing where no code of
// the backup's own can have run.
func (s *Session) Recount(ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
	ownCode bool) []verdict.Check {
	if s.baseline.xid == "" {
		return nil
	}
	all := verdict.Check{
		ID: "rows_changed", Stage: verdict.StageExpect, Code: verdict.CodeRowsChanged, Outcome: verdict.Pass,
		Expected: "as they were loaded",
	}
	if !ownCode {
		all.Observed = "not counted again: no code of the backup's own runs"
		return []verdict.Check{all}
	}
	found, appeared, total, err := s.recount(ctx, connect)
	if err != nil {
		all.Take(verdict.AsProblem(err))
		return []verdict.Check{all}
	}
	all.Observed = fmt.Sprintf("%d of %d tables", total-len(found), total)
	const most = 20
	if more := len(found) - most; more > 0 {
		all.Outcome = verdict.Worst(verdict.Warn, worst(found[most:]))
		all.Message = fmt.Sprintf("%d more tables are not as they were loaded", more)
		all.Hint = ownCodeHint
		found = found[:most]
	}
	return slices.Concat([]verdict.Check{all}, found, appeared)
}

func worst(checks []verdict.Check) verdict.Outcome {
	var all []verdict.Outcome
	for _, c := range checks {
		all = append(all, c.Outcome)
	}
	return verdict.Worst(all...)
}

// recount gives a check for each table that is not as it was loaded, one of what
// is new if anything is, and how many tables it looked at.
func (s *Session) recount(
	ctx context.Context, connect func(context.Context) (*pgx.Conn, error),
) (found, appeared []verdict.Check, total int, err error) {
	conn, err := connect(ctx)
	if err != nil {
		return nil, nil, 0, err
	}
	now, err := readStandings(ctx, conn)
	conn.Close(context.WithoutCancel(ctx))
	if err != nil {
		return nil, nil, 0, fmt.Errorf("look how the tables of %s stand: %w", s.archive.Database, err)
	}
	var groups []*counted
	for _, g := range s.groupsCounted {
		total++
		if c := s.replaced(g.tableName, now); c != nil {
			found = append(found, *c)
		} else if g.kind == ordinary || g.kind == partitioned {
			groups = append(groups, &counted{tableLoad: g.tableLoad, whole: g.whole, held: g.held})
		}
	}
	before := map[tableName]int64{}
	for _, g := range groups {
		before[g.tableName] = g.held
	}
	if err := s.countAll(ctx, connect, groups, s.countSince); err != nil {
		return nil, nil, 0, err
	}
	for _, g := range groups {
		if c := changedSince(g, before[g.tableName]); c != nil {
			found = append(found, *c)
		}
	}
	slices.SortFunc(found, func(a, b verdict.Check) int { return strings.Compare(a.ID, b.ID) })
	return found, s.appeared(now), total, nil
}

// countSince counts a table's rows, and those that were written since the load.
func (s *Session) countSince(ctx context.Context, conn *pgx.Conn, g *counted) error {
	if g.whole { // a compressed chunk's rows have no xmin
		return countHeld(ctx, conn, g)
	}
	// Transactions of one drill are far fewer than what makes numbers go round.
	err := conn.QueryRow(ctx,
		"SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE pg_catalog.age(xmin) <= "+
			"pg_catalog.age($1::pg_catalog.xid)) FROM "+
			g.from(), s.baseline.xid).Scan(&g.held, &g.strange)
	if err != nil {
		return fmt.Errorf("count the rows of %s again: %w", g.display(), err)
	}
	return nil
}

// rowsChanged is a check about one table.
func rowsChanged(n string, expected, observed string, outcome verdict.Outcome, format string,
	args ...any) *verdict.Check {
	return &verdict.Check{
		ID: "rows_changed:" + n, Stage: verdict.StageExpect, Code: verdict.CodeRowsChanged, Outcome: outcome,
		Expected: expected, Observed: observed, Message: fmt.Sprintf(format, args...),
		Hint: "checks judged the tables as they were then, which is not what the backup holds; " +
			"a real restore ends so too: " + ownCodeHint,
	}
}

// replaced judges a table that is not the one that was loaded; nil for one that
// is.
func (s *Session) replaced(n tableName, now map[tableName]standing) *verdict.Check {
	was, known := s.baseline.tables[n]
	is, there := now[n]
	switch {
	case !known: // an extension's, or one that could not be made: told elsewhere
		return nil
	case !there:
		return rowsChanged(n.display(), "there", "gone", verdict.Fail, "%s was loaded, and is not there any more",
			n.display())
	case is.oid != was.oid || is.kind != was.kind:
		return rowsChanged(n.display(), "the table that was loaded", "another one", verdict.Fail,
			"what is called %s is not the table that was loaded", n.display())
	case is.columns != was.columns:
		return rowsChanged(n.display(), "the columns that were loaded", "other ones", verdict.Fail,
			"%s has not the columns that it was loaded with", n.display())
	}
	return nil
}

// changedSince judges what became of a table's rows. More of them, while all
// that were loaded are there, may be a log of the restore itself; what the
// backup holds came back then.
func changedSince(g *counted, before int64) *verdict.Check {
	observed := fmt.Sprintf("%d rows, %d of them written later", g.held, g.strange)
	expected := fmt.Sprintf("%d rows, as loaded", before)
	loaded := g.held - g.strange
	switch {
	case g.strange == 0 && g.held == before:
		return nil
	case loaded == before:
		return rowsChanged(g.display(), expected, observed, verdict.Warn,
			"%s holds %d rows that were written after it was loaded", g.display(), g.strange)
	case g.held < before:
		return rowsChanged(g.display(), expected, observed, verdict.Fail,
			"%s was loaded with %d rows, and holds %d now", g.display(), before, g.held)
	default:
		return rowsChanged(g.display(), expected, observed, verdict.Fail,
			"of the %d rows that %s was loaded with, %d were written again or replaced", before, g.display(),
			before-loaded)
	}
}

// appeared judges what has rows and came after the load, other than what the
// archive makes then.
func (s *Session) appeared(now map[tableName]standing) []verdict.Check {
	var names [][]string
	made := s.archive.Kinds()
	for n := range now {
		if _, before := s.baseline.tables[n]; !before && made(n.schema, n.table) == "" {
			names = append(names, []string{n.schema, n.table})
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.SortFunc(names, slices.Compare)
	const most = 8
	c := rowsChanged("new", "no table or view that the backup does not make", fmt.Sprint(len(names)), verdict.Warn,
		"after the load there appeared: %s", s.opts.Names.List(most, "table", names...))
	c.ID = "tables_appeared"
	return []verdict.Check{*c}
}

// writtenMeanwhile is about a table into which something wrote beside its load.
func writtenMeanwhile(g *counted) verdict.Check {
	return *rowsChanged(g.display(), "rows of its own load", fmt.Sprintf("%d others", g.strange), verdict.Fail,
		"%d rows of %s were written while the backup was restored, by something else than what loads it", g.strange,
		g.display())
}
