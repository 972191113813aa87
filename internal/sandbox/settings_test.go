package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/verdict"
)

// broughtSettings are settings of a database: each would end, stop or change a session
// of the drill that took it over.
var broughtSettings = []string{
	"statement_timeout = '1ms'", "lock_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'",
	"default_transaction_read_only = on", "default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on",
	"session_replication_role = replica", "role = nobody_there", "session_preload_libraries = 'not_there'", "local_preload_libraries = 'not_there'",
	"client_encoding = 'LATIN1'", "search_path = traps, pg_catalog", "DateStyle = 'SQL, DMY'", "timezone = 'Asia/Tokyo'", "bytea_output = escape",
	"standard_conforming_strings = off", "backslash_quote = off", "quote_all_identifiers = on", "extra_float_digits = -15",
	"client_min_messages = debug5", "log_statement = 'all'", "app.tenant = 't1'",
}

// newerSettings came with a later version.
var newerSettings = map[string]int{"idle_session_timeout = '1ms'": 14, "transaction_timeout = '1ms'": 17}

func testBroughtSettings(t *testing.T, b Box) {
	query(t, b, "create database brought")
	query(t, b, "create role nobody_there")
	for _, s := range broughtSettings {
		query(t, b, "alter database brought set "+s)
	}
	for s, since := range newerSettings {
		if baseOf(b).serverMajor() >= since {
			query(t, b, "alter database brought set "+s)
		}
	}
	query(t, b, "alter role postgres in database brought set lc_monetary = 'POSIX'")

	const see = `select pg_sleep(0.01) is null, concat_ws(' ', current_user, current_setting('search_path'), now()::date = current_date,
		current_setting('TimeZone'), '\x41'::bytea, quote_ident('a'), current_setting('lc_monetary'),
		current_setting('statement_timeout'), current_setting('app.tenant'))`
	for name, c := range map[string]struct {
		connect func(context.Context, string) (*pgx.Conn, error)
		want    string
	}{
		"the drill's own": {b.DB().Connect, `postgres pg_catalog, pg_temp t UTC \x41 a C 0 t1`},
		"as others":       {b.DB().ConnectUnder, `postgres traps, pg_catalog t Asia/Tokyo A "a" POSIX 0 t1`},
	} {
		conn, err := c.connect(t.Context(), "brought")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var slept bool
		var saw string
		if err := conn.QueryRow(t.Context(), see).Scan(&slept, &saw); err != nil || saw != c.want {
			t.Errorf("%s session saw %q, %v, want %q", name, saw, err, c.want)
		}
		if _, err := conn.Exec(t.Context(), "create table public."+name[:2]+"_writes(n int)"); err != nil {
			t.Errorf("%s session cannot write: %v", name, err)
		}
		conn.Close(context.WithoutCancel(t.Context()))
	}

	var out bytes.Buffer
	err := b.Run(t.Context(), Command{Args: []string{"psql", "-XqAtd", "brought", "-c", "create table public.written(n int)", "-c", see},
		Stdout: &out, Stderr: func(line string) { t.Log(line) }})
	if want := `|postgres traps, pg_catalog t Asia/Tokyo A "a" POSIX 0 t1`; err != nil || !strings.Contains(out.String(), want) {
		t.Errorf("a program saw %q, %v, want %q", out.String(), err, want)
	}
}

// testLoginTrigger has a database run a function whenever a session begins: with
// the drill's own it does not.
func testLoginTrigger(t *testing.T, b Box) {
	if baseOf(b).serverMajor() < loginTriggers {
		return // which knows none
	}
	query(t, b, "create database greeted")
	sessions := func(connect func(context.Context, string) (*pgx.Conn, error), sql string) (met int) {
		t.Helper()
		conn, err := connect(t.Context(), "greeted")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
		if err := conn.QueryRow(t.Context(), "select count(*) from public.met").Scan(&met); err != nil {
			t.Fatal(err)
		}
		return met
	}
	sessions(b.DB().Connect, `create table public.met (n int);
		create function public.meet() returns event_trigger language plpgsql as 'begin insert into public.met values (1); end';
		create event trigger meet on login execute function public.meet(); alter event trigger meet enable always`)
	if met := sessions(b.DB().Connect, ""); met != 0 {
		t.Errorf("the drill's own session met it %d times", met)
	}
	if met := sessions(b.DB().ConnectToShow, ""); met != 0 {
		t.Errorf("a session to show met it %d times", met)
	}
	if met := sessions(b.DB().ConnectUnder, ""); met != 1 {
		t.Errorf("a session as others have met it %d times", met)
	}
}

// TestPreload loads a library at the server's start, and names one that is not there.
func TestPreload(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Local, Container} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := start(t, Options{Kind: kind, Image: imageFor(kind), Preload: []string{"auto_explain", "pg_stat_statements"}, Database: "shop's"})
			var preloaded, jobs string
			query(t, b, "select current_setting('shared_preload_libraries'), current_setting('cron.launch_active_jobs')||current_setting('cron.database_name')",
				&preloaded, &jobs)
			if preloaded != "auto_explain,pg_stat_statements" || jobs != "offshop's" {
				t.Errorf("preloaded %s, jobs %s", preloaded, jobs)
			}
			query(t, b, "create extension pg_stat_statements")
			query(t, b, "select count(*) from pg_stat_statements", new(int))
		})
		t.Run(kind+", not there", func(t *testing.T) {
			t.Parallel()
			o := Options{Kind: kind, Image: imageFor(kind), Preload: []string{"no_such_library"}, Work: workdir(t), Deadline: time.Now().Add(testLife)}
			need(t, o)
			_, err := Start(t.Context(), o)
			p, ok := errors.AsType[*verdict.Problem](err)
			if !ok || p.Code != verdict.CodeSandbox || !strings.Contains(p.Hint, "sandbox.preload") || !strings.Contains(fmt.Sprint(err), "no_such_library") {
				t.Errorf("got %v (%+v), want a sandbox error that names the library and sandbox.preload", err, p)
			}
		})
	}
}

// TestDefaults finds PostgreSQL's own settings, and still not a word of what sessions say in the log.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Local, Container} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := start(t, Options{Kind: kind, Image: imageFor(kind), Defaults: true})
			for name, want := range map[string]string{
				"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "autovacuum": "on", "wal_level": "replica",
				"shared_buffers": "128MB", "maintenance_work_mem": "64MB", "max_wal_size": "1GB", "max_parallel_maintenance_workers": "2",
				"listen_addresses": "", "log_statement": "none", "log_min_error_statement": "panic", "log_checkpoints": "off",
			} {
				var got string
				query(t, b, "select current_setting('"+name+"')", &got)
				if got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}
