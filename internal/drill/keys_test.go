package drill_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/scrub/draft"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// draftAndDrill drafts a scrub section for a dump, and drills with it and what a
// reviewer adds.
func draftAndDrill(t *testing.T, dump []byte, table string, review func(section string) string,
	inspect func(ctx context.Context, box sandbox.Box)) (*draft.Draft, *verdict.Report) {
	t.Helper()
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "20261121.dump"), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("version: 1\nsource: {url: %q, name: '{time}.dump', time: '20060102', time_tolerance: 99999d, "+
		"timezone: UTC, database: postgres}\nexpectations: {roles: [postgres], tables: [{table: %s}]}\n", "file://"+store, table)
	made, r := drill.Draft(t.Context(), drill.Request{
		Drill: load(t, sandbox.Local, head), Run: "test", Now: time.Now(), Version: "test", Clusters: testneed.Clusters(),
	}, nil)
	if made == nil {
		t.Fatalf("%s\n%s", r.Outcome, worst(r))
	}
	d := load(t, sandbox.Local, head+review(made.YAML()))
	d.Scrub.Key = spec.Key(key)
	return made, run(t, t.Context(), d, func(req *drill.Request) { req.Inspect = inspect })
}

// Keys that tell who somebody is are rewritten by what a draft proposes: the
// drill passes, and no real one is in the restored database, whatever kind of
// key it is and however the rows were dumped.
func TestKeysAreDraftedAndGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		table   string
		real    string // the identifiers
		options []string
		many    int
		apart   []string // columns whose values are counted before and after
	}{
		"keyed": {"public.customers", `SELECT email FROM customers UNION ALL SELECT name FROM customers UNION ALL SELECT msisdn::text FROM subscribers
			UNION ALL SELECT pesel FROM patients UNION ALL SELECT host(ip) FROM logins UNION ALL SELECT pan FROM cards UNION ALL SELECT iban FROM bank`,
			[]string{"-Fc", "-Fp", "--inserts"}, 2400,
			[]string{"public.customers.email", "public.logins.ip", "public.patients.pesel", "public.subscribers.msisdn"}},
		"accounts": {"public.accounts", `SELECT username FROM accounts UNION ALL SELECT email FROM accounts UNION ALL SELECT phone FROM accounts
			UNION ALL SELECT ssn FROM accounts UNION ALL SELECT last_name FROM accounts UNION ALL SELECT api_token FROM accounts
			UNION ALL SELECT last_name || E'\t' || birth_date FROM accounts`, []string{"-Fc"}, 6000,
			[]string{"public.accounts.ssn", "public.accounts.birth_date", "link login"}},
	} {
		sql, err := os.ReadFile("testdata/keys/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		source := pgtest.Server(t)
		source.Exec("postgres", string(sql))
		values := needles{}
		for line := range strings.Lines(source.Query("postgres", c.real)) {
			v := strings.TrimSpace(line)
			values[v] = []string{v}
		}
		if len(values) < c.many {
			t.Fatalf("%s holds %d identifiers", name, len(values))
		}
		for _, option := range c.options {
			t.Run(name+" "+option, func(t *testing.T) {
				t.Parallel()
				f := newFinder(t, values)
				review := func(section string) string {
					if name == "accounts" && !strings.Contains(section, "public.accounts.gender, transform") {
						section += "    - {column: public.accounts.gender, transform: choice, values: [m, f, d]}\n"
					}
					return section
				}
				drafted, r := draftAndDrill(t, source.Dump(option, "postgres"), c.table, review,
					func(ctx context.Context, box sandbox.Box) { f.dump(ctx, box, "postgres") })
				if r.Outcome == verdict.Error || r.Outcome == verdict.Fail {
					t.Fatalf("%s\n%s\n%s", r.Outcome, worst(r), drafted.YAML())
				}
				for _, column := range c.apart {
					if check := checkOf(t, r, "distinct:"+column); check.Outcome != verdict.Pass {
						t.Errorf("%+v", check)
					}
				}
				if strings.Contains(drafted.YAML(), "preserve: true") {
					t.Errorf("something is drafted to pass\n%s", drafted.YAML())
				}
				if found := f.names(values, true); len(found) > 0 {
					t.Errorf("%d of %d identifiers lie in the sandbox\n%s", len(found), len(values), drafted.YAML())
				}
			})
		}
	}
}

// What nobody can rewrite is left without a rule: the draft says so, and a
// drill with it is refused.
func TestWhatNoTransformFitsIsRefused(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE people (login varchar(8) NOT NULL) PARTITION BY LIST (login);
		CREATE TABLE people_1 PARTITION OF people FOR VALUES IN ('ada', 'bob'); INSERT INTO people VALUES ('ada'), ('bob')`)
	drafted, r := draftAndDrill(t, source.Dump("-Fc", "postgres"), "public.people",
		func(section string) string { return section }, func(context.Context, sandbox.Box) {})
	const says = "public.people.login: no transform fits: "
	if notes := strings.Join(drafted.Notes(), "\n"); !strings.Contains(notes, says) ||
		!strings.Contains(notes, "exclude_table_data: [public.people]") || !strings.Contains(drafted.YAML(), "# NO RULE, so that a drill is refused: "+says) {
		t.Errorf("%s\n%s", notes, drafted.YAML())
	}
	if c := checkOf(t, r, "unmatched:public.people.login"); c.Outcome != verdict.Error || !strings.Contains(c.Hint, "no transform fits") {
		t.Errorf("%+v", c)
	}
}

// Two forms of an accent that a collation takes for equal keep a foreign key
// whole, and people whose address differs by case or blanks stay one.
func TestOnePersonIsOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql, table, in, whole string
	}{
		"forms of an accent": {`CREATE COLLATION public.nf (provider = icu, locale = 'und', deterministic = false);
			CREATE TABLE logins (email text COLLATE public.nf PRIMARY KEY);
			CREATE TABLE seats (id int PRIMARY KEY, email text COLLATE public.nf NOT NULL REFERENCES logins);
			INSERT INTO logins VALUES (U&'m\00fcller.zq71@kundenpost.de'), ('anna.zq72@kundenpost.de');
			INSERT INTO seats VALUES (1, U&'mu\0308ller.zq71@kundenpost.de'), (2, 'anna.zq72@kundenpost.de');`,
			"public.seats", "transform: email, link: email}", `select count(*) = 2 from seats join logins using (email)`},
		"case and blanks": {`CREATE TABLE people (id int PRIMARY KEY, email text NOT NULL UNIQUE); CREATE TABLE orders (id int PRIMARY KEY, contact_email text);
			INSERT INTO people SELECT i, CASE WHEN i % 3 = 0 THEN upper('anna.zq7' || i || '@kundenpost.de') ELSE 'anna.zq7' || i || '@kundenpost.de' END
				FROM generate_series(1, 300) i;
			INSERT INTO orders SELECT i, CASE i % 4 WHEN 1 THEN ' Anna.Zq7' || i || '@Kundenpost.de ' WHEN 3 THEN 'anna+shop.zq7' || i || '@kundenpost.de'
				ELSE 'anna.zq7' || i || '@kundenpost.de' END FROM generate_series(1, 300) i;`,
			"public.people", "transform: email, link: email, normalize: [trim, lower]}",
			`select count(*) = 225 from people p join orders o on p.id = o.id and p.email = o.contact_email`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := pgtest.Server(t)
			source.Exec("postgres", c.sql)
			whole := false
			drafted, r := draftAndDrill(t, source.Dump("-Fc", "postgres"), c.table, func(section string) string { return section },
				func(ctx context.Context, box sandbox.Box) {
					conn, err := box.DB().Connect(ctx, "postgres")
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close(ctx)
					if _, err := conn.Exec(ctx, "set search_path = public"); err != nil {
						t.Error(err)
					}
					if err := conn.QueryRow(ctx, c.whole).Scan(&whole); err != nil {
						t.Error(err)
					}
				})
			if r.Outcome == verdict.Error || r.Outcome == verdict.Fail || !whole {
				t.Errorf("%s, whole: %v\n%s\n%s", r.Outcome, whole, worst(r), drafted.YAML())
			}
			if n := bytes.Count([]byte(drafted.YAML()), []byte(c.in)); n != 2 {
				t.Errorf("%d rules are so: %s\n%s", n, c.in, drafted.YAML())
			}
		})
	}
}
