package restore_test

import (
	"strings"
	"testing"

	"daybefore/internal/pgtest"
	"daybefore/internal/restore"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// What providers' servers add is made or left out without a warning, and named
// in one line.
func TestWhatProvidersAddIsNoFinding(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sql, want string }{
		"rds": {
			`CREATE ROLE rdsadmin; CREATE ROLE rds_superuser; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
			 ALTER FUNCTION f() OWNER TO rdsadmin; GRANT EXECUTE ON FUNCTION f() TO rds_superuser`,
			"Amazon RDS or Aurora; roles created without login: rds_superuser, rdsadmin",
		},
		"cloudsql": {
			`CREATE ROLE cloudsqlsuperuser; CREATE ROLE cloudsqliamuser; GRANT ALL ON SCHEMA public TO cloudsqlsuperuser;
			 GRANT EXECUTE ON FUNCTION pg_catalog.pg_replication_origin_advance TO cloudsqlsuperuser;
			 GRANT SELECT ON t TO cloudsqliamuser`,
			"Google Cloud SQL; roles created without login: cloudsqliamuser, cloudsqlsuperuser",
		},
		"azure": {
			`CREATE ROLE azure_pg_admin; ALTER SCHEMA public OWNER TO azure_pg_admin`,
			"Azure Database for PostgreSQL; roles created without login: azure_pg_admin",
		},
		"heroku": {
			`CREATE ROLE heroku_admin; CREATE SCHEMA _heroku AUTHORIZATION heroku_admin;
			 CREATE FUNCTION _heroku.create_ext() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
			 GRANT ALL ON FUNCTION _heroku.create_ext() TO heroku_admin;
			 CREATE EVENT TRIGGER log_create_ext ON ddl_command_end EXECUTE FUNCTION _heroku.create_ext();
			 COMMENT ON EVENT TRIGGER log_create_ext IS 'x'; GRANT SELECT ON t TO heroku_admin`,
			"Heroku; roles created without login: heroku_admin; left out: ACL FUNCTION create_ext(), " +
				"COMMENT EVENT TRIGGER log_create_ext, EVENT TRIGGER log_create_ext, FUNCTION create_ext(), SCHEMA _heroku",
		},
		"supabase": {
			`CREATE ROLE supabase_admin; CREATE ROLE anon; CREATE ROLE authenticated; CREATE SCHEMA extensions;
			 CREATE SCHEMA auth AUTHORIZATION supabase_admin; CREATE TABLE auth.users (id int);
			 GRANT SELECT ON t TO anon, authenticated; CREATE PUBLICATION supabase_realtime FOR TABLE t;
			 CREATE FUNCTION extensions.pgrst_ddl_watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
			 CREATE EVENT TRIGGER pgrst_ddl_watch ON ddl_command_end EXECUTE FUNCTION extensions.pgrst_ddl_watch()`,
			"Supabase; roles created without login: anon, authenticated, supabase_admin; " +
				"left out: EVENT TRIGGER pgrst_ddl_watch",
		},
		"neon": {
			`CREATE ROLE cloud_admin; CREATE ROLE neon_superuser;
			 ALTER DEFAULT PRIVILEGES FOR ROLE cloud_admin IN SCHEMA public GRANT ALL ON TABLES TO neon_superuser`,
			"Neon; roles created without login: cloud_admin, neon_superuser",
		},
		"digitalocean": {
			`CREATE ROLE doadmin; ALTER TABLE t OWNER TO doadmin`,
			"DigitalOcean; roles created without login: doadmin",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := pgtest.Server(t)
			source.Exec("postgres", "CREATE TABLE t (id int); INSERT INTO t VALUES (1); "+c.sql)
			for format, dump := range map[string][]byte{
				"custom": source.Dump("-Fc", "postgres"), "plain": source.Dump("-Fp", "postgres"),
			} {
				s := open(t, dump, sandbox.Local, restore.Options{Drop: []string{}}) // event triggers of one's own are wanted
				s.all(t, pass)
				for _, found := range s.Checks() {
					quiet := found.Outcome == verdict.Pass || strings.HasPrefix(found.ID, "left_out")
					if !quiet {
						t.Errorf("%s: %s is %s: %s %s", format, found.ID, found.Outcome, found.Observed, found.Message)
					}
				}
				if got := s.check(t, "provider:"+name).Observed; got != c.want && format == "custom" {
					t.Errorf("told as %q,\nwant    %q", got, c.want)
				}
			}
		})
	}
}

// Names that only go with a provider's are anybody's without it.
func TestRolesThatOnlySoundLikeAProviders(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE ROLE anon; CREATE ROLE authenticated; CREATE TABLE t (id int);
		GRANT SELECT ON t TO anon, authenticated`)
	s := open(t, source.Dump("-Fc", "postgres"), sandbox.Local, restore.Options{CreateRoles: true})
	s.all(t, pass)
	if c := s.check(t, "roles"); c.Outcome != verdict.Warn || c.Observed != "anon, authenticated" {
		t.Errorf("%+v", c)
	}
}

// An extension that is on the provider's servers alone is left out, and what
// rests on it is not called the backup's fault; another one is still needed.
func TestExtensionsOfAProvider(t *testing.T) {
	t.Parallel()
	script := `--
-- PostgreSQL database dump
--

CREATE EXTENSION IF NOT EXISTS aws_commons WITH SCHEMA public;
COMMENT ON EXTENSION aws_commons IS 'x';
CREATE TABLE public.t (id int);
ALTER TABLE public.t OWNER TO rdsadmin;
EXTRA
COPY public.t (id) FROM stdin;
1
\.

--
-- PostgreSQL database dump complete
--
`
	s := open(t, []byte(strings.Replace(script, "EXTRA", "", 1)), sandbox.Local, restore.Options{})
	s.all(t, pass)
	if c := s.check(t, "provider:rds"); c.Outcome != verdict.Pass || !strings.Contains(c.Observed, "EXTENSION aws_commons") {
		t.Errorf("%+v", c)
	}
	if c := s.check(t, "restore_errors"); c.Outcome != verdict.Pass {
		t.Errorf("%+v", c)
	}
	other := open(t, []byte(strings.Replace(script, "EXTRA", "CREATE EXTENSION nowhere;", 1)), sandbox.Local, restore.Options{})
	err := other.PreData(t.Context())
	if p := verdict.AsProblem(err); p == nil || p.Code != verdict.CodeExtensions || !strings.Contains(p.Error(), "needs: nowhere") {
		t.Errorf("got %v", err)
	}
}
