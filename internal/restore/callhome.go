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

// drops tells whether an entry is left out so that it calls nobody.
func (o Options) drops(e archive.Entry) bool {
	what := callHome(e)
	return what != "" && (o.Drop == nil || slices.Contains(o.Drop, what))
}

// LeftOut tells whether an entry is not restored because it would call home.
func (s *Session) LeftOut(e archive.Entry) bool { return s.opts.drops(e) }

// preData restores the schema. Foreign servers that are left out leave a name
// behind, without host or any other option, since foreign tables need one.
func (s *Session) preData(ctx context.Context) error {
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
// writes their wrappers before, and what rests on them behind them.
func needsServer(e archive.Entry) bool {
	return e.Desc == "FOREIGN TABLE" || e.Desc == "USER MAPPING" || strings.HasPrefix(e.Tag, "FOREIGN SERVER ") || strings.HasPrefix(e.Tag, "SERVER ")
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
			continue // what needs it will say so
		}
		sql := "CREATE SERVER " + name + " FOREIGN DATA WRAPPER " + found[1]
		if e.Owner != "" {
			sql += "; ALTER SERVER " + name + " OWNER TO " + pgx.Identifier{e.Owner}.Sanitize()
		}
		if _, err := conn.PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			s.said.add(message{notice, "SERVER " + e.Tag, "could not be created without its options"})
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
			ID: "left_out:" + what, Stage: verdict.StageRestore, Code: verdict.CodeLeftOut, Outcome: verdict.Skipped, Observed: fmt.Sprint(len(names)),
			Message: "left out, so that nothing calls home: " + strings.Join(names, ", "),
			Hint:    "scrub.drop says what is left out; without it, all that would call home",
		})
	}
	return checks
}
