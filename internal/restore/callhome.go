package restore

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// What would act by itself, or reach out, once it is restored, as drill files
// name it.
const (
	subscriptions  = "subscriptions"
	userMappings   = "user_mappings"
	foreignServers = "foreign_servers"
	eventTriggers  = "event_triggers"
	cronJobs       = "cron_jobs"
)

var callsHome = []string{subscriptions, userMappings, foreignServers, eventTriggers, cronJobs}

// callHome says what of it an entry belongs to; empty for none.
func callHome(e archive.Entry) string {
	switch e.Desc {
	case "SUBSCRIPTION", "SUBSCRIPTION TABLE":
		return subscriptions
	case "USER MAPPING":
		return userMappings
	case "SERVER":
		return foreignServers
	case "EVENT TRIGGER":
		return eventTriggers
	case "TABLE DATA":
		if e.Namespace == "cron" && (e.Tag == "job" || e.Tag == "job_run_details") {
			return cronJobs
		}
		return ""
	}
	if e.Section != archive.SectionNone { // a comment, a privilege or a label says in its tag what it is on
		return ""
	}
	switch {
	case strings.HasPrefix(e.Tag, "SUBSCRIPTION "):
		return subscriptions
	case strings.HasPrefix(e.Tag, "EVENT TRIGGER "):
		return eventTriggers
	}
	return ""
}

// drops reports whether an entry is left out so that it calls nobody.
func (o Options) drops(e archive.Entry) bool {
	what := callHome(e)
	return what != "" && (o.Drop == nil || slices.Contains(o.Drop, what))
}

// preData restores the schema. Foreign servers that are left out leave a name
// behind, without host or any other option, since foreign tables need one.
func (s *Session) preData(ctx context.Context) error {
	if err := s.prepareExtensions(ctx); err != nil {
		return err
	}
	before, after := s.lists.pre, []archive.Entry(nil)
	var servers []archive.Entry
	for _, e := range s.lists.dropped {
		if e.Desc == "SERVER" {
			servers = append(servers, e)
		}
	}
	if len(servers) > 0 {
		n := slices.IndexFunc(before, needsServer)
		if n < 0 {
			n = len(before)
		}
		before, after = before[:n:n], before[n:]
	}
	if err := s.restoreEntries(ctx, "pre-data", before, 1); err != nil || len(servers) == 0 {
		return err
	}
	if err := s.nameServers(ctx, servers); err != nil {
		return err
	}
	return s.restoreEntries(ctx, "pre-data-foreign", after, 1)
}

// needsServer tells what can only come after the foreign servers: pg_dump
// writes their wrappers before, and what rests on them after them.
func needsServer(e archive.Entry) bool {
	return e.Desc == "FOREIGN TABLE" || e.Desc == "USER MAPPING" || strings.HasPrefix(e.Tag, "FOREIGN SERVER ") ||
		strings.HasPrefix(e.Tag, "SERVER ")
}

// wrapper finds the foreign data wrapper in a server's definition.
var wrapper = regexp.MustCompile(`\sFOREIGN DATA WRAPPER ("(?:[^"]|"")+"|[^\s;"]+)`)

// nameServers creates foreign servers that lead nowhere.
func (s *Session) nameServers(ctx context.Context, servers []archive.Entry) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, e := range servers {
		name := pgx.Identifier{e.Tag}.Sanitize()
		rest := strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(e.Defn, "CREATE SERVER "), name), e.Tag)
		found := wrapper.FindStringSubmatch(rest)
		if found == nil {
			s.unnamed = append(s.unnamed, e.Tag)
			continue // what needs it will say so
		}
		sql := "CREATE SERVER " + name + " FOREIGN DATA WRAPPER " + found[1]
		if e.Owner != "" {
			sql += "; ALTER SERVER " + name + " OWNER TO " + pgx.Identifier{e.Owner}.Sanitize()
		}
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			s.unnamed = append(s.unnamed, e.Tag)
			s.said.add(message{severity: notice, own: true, entry: "SERVER " + e.Tag,
				text: "could not be created without its options"})
		}
	}
	return nil
}

// droppedChecks say, for each kind, every entry that was left out so that it
// calls nobody.
func (s *Session) droppedChecks() []verdict.Check {
	var checks []verdict.Check
	for _, what := range callsHome {
		var names []string
		for _, e := range s.lists.dropped {
			if callHome(e) == what {
				names = append(names, strings.TrimSpace(e.Desc+" "+e.Tag))
			}
		}
		if len(names) == 0 {
			continue
		}
		slices.Sort(names)
		checks = append(checks, verdict.Check{
			ID: "left_out:" + what, Stage: verdict.StageRestore, Code: verdict.CodeLeftOut, Outcome: verdict.Skipped,
			Observed: fmt.Sprint(len(names)),
			Message:  "left out, so that nothing calls home: " + strings.Join(names, ", "),
			Hint:     "scrub.drop says what is left out; without it, all that would call home",
		})
	}
	return checks
}

// readsForeign finds the materialized views that read foreign tables, by
// themselves, through other views, or through tables of which one is a part.
const readsForeign = `
with recursive reading(oid) as (
  select oid from pg_catalog.pg_class where relkind = 'f'
  union
  select more.oid from reading r cross join lateral (
    select w.ev_class from pg_catalog.pg_depend d join pg_catalog.pg_rewrite w on w.oid = d.objid
     where d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
       and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = r.oid
    union all select i.inhparent from pg_catalog.pg_inherits i where i.inhrelid = r.oid) more(oid))
select n.nspname::text, c.relname::text
  from reading r join pg_catalog.pg_class c on c.oid = r.oid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'm'`

// withoutForeignRows leaves materialized views empty that read foreign tables:
// there is no network to reach the others by, and no file of production's.
func (s *Session) withoutForeignRows(ctx context.Context) error {
	if !slices.ContainsFunc(s.archive.Entries, func(e archive.Entry) bool { return e.Desc == "FOREIGN TABLE" }) {
		return nil
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	rows, err := conn.Query(ctx, readsForeign)
	if err != nil {
		return fmt.Errorf("look for what reads foreign tables in %s: %w", s.archive.Database, err)
	}
	reading := map[tableName]bool{}
	var n tableName
	if _, err := pgx.ForEachRow(rows, []any{&n.schema, &n.table},
		func() error { reading[n] = true; return nil }); err != nil {
		return fmt.Errorf("look for what reads foreign tables in %s: %w", s.archive.Database, err)
	}
	s.unfilled = take(&s.lists.post, func(e archive.Entry) bool {
		return e.Desc == "MATERIALIZED VIEW DATA" && reading[tableName{e.Namespace, e.Tag}]
	})
	return nil
}

// LeftEmpty reports whether a materialized view was not filled, since it reads
// what the sandbox cannot reach.
func (s *Session) LeftEmpty(schema, table string) bool {
	return slices.ContainsFunc(s.unfilled,
		func(e archive.Entry) bool { return e.Namespace == schema && e.Tag == table })
}

func (s *Session) unfilledCheck() *verdict.Check {
	if len(s.unfilled) == 0 {
		return nil
	}
	var names []string
	for _, e := range s.unfilled {
		names = append(names, e.Namespace+"."+e.Tag)
	}
	return &verdict.Check{
		ID: "left_out:foreign_rows", Stage: verdict.StageRestore, Code: verdict.CodeLeftOut, Outcome: verdict.Skipped,
		Observed: fmt.Sprint(len(names)),
		Message:  "not filled, since they read foreign tables and " + string(byNetwork) + ": " + shortList(names),
		Hint:     "a restore beside those servers fills them; nothing is known of it here",
	}
}
