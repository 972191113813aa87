package drill_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// planted makes a database whose real values lie in every kind of place that
// PostgreSQL puts them: heap, TOAST, compressed or not, indexes, a generated
// column, a materialized view; as text, and as what other types are in a file.
const planted = `
CREATE TABLE people (id int PRIMARY KEY, email text UNIQUE, name text, story text,
    seen_at timestamptz, home inet, device uuid, balance numeric, account bigint, scan bytea, letter text, file text, profile jsonb,
    shouted text GENERATED ALWAYS AS (upper(email)) STORED);
ALTER TABLE people ALTER story SET STORAGE EXTERNAL;
INSERT INTO people SELECT n, 'planted-mail-' || n || '@example.com', 'Planted Name ' || n, repeat('planted story ' || n || ' ', 400),
    timestamptz '1971-01-01 00:00:07+00' + n * interval '37.123457 days',
    CASE WHEN n % 2 = 0 THEN '198.51.100.' || n ELSE '2001:db8:0:' || n || '::a1' END::inet, md5('device' || n)::uuid,
    n * 7654321.987654321 + 1234567890.123456789, 4000000000000000 + n * 71234567891, decode(md5('scan' || n) || md5('more' || n), 'hex'),
    repeat('planted letter ' || n || ' ', 300), (SELECT string_agg(md5(n || ' ' || i), ' ') FROM generate_series(1, 150) AS i),
    jsonb_build_object('contact', jsonb_build_array('planted-json-' || n || '@example.com'))
FROM generate_series(1, 200) n;
CREATE INDEX ON people (name);
CREATE VIEW addresses AS SELECT email FROM people;
CREATE MATERIALIZED VIEW names AS SELECT name, shouted FROM people;`

// plantedBytes are what the source's own pages hold for the columns that are
// no text in a file, whether by their type or since the value is compressed,
// in its tuple or beside it.
const plantedBytes = `
CREATE EXTENSION pageinspect;
SELECT a.attname || ' ' || encode(v, 'hex')
FROM generate_series(0, pg_relation_size('people') / 8192 - 1) AS block,
    heap_page_item_attrs(get_raw_page('people', block::int), 'people'::regclass) AS item,
    unnest(item.t_attrs) WITH ORDINALITY AS u (v, n) JOIN pg_attribute a ON a.attrelid = 'people'::regclass AND a.attnum = u.n
WHERE a.attname IN ('seen_at', 'home', 'device', 'balance', 'account', 'scan', 'letter');
SELECT format($$SELECT 'file ' || encode(substr(chunk_data, 1, 100),
  'hex') FROM %s WHERE chunk_seq = 0 AND position('planted story'::bytea in chunk_data) = 0$$, reltoastrelid::regclass)
FROM pg_class WHERE oid = 'people'::regclass \gexec`

// plantedValues are looked for in the files of the sandbox.
func plantedValues(t *testing.T, source *pgtest.Cluster) needles {
	t.Helper()
	values := needles{}
	for n := range 200 {
		for _, format := range []string{"planted-mail-%d@", "PLANTED-MAIL-%d@", "Planted Name %d", "planted story %d ", "planted-json-%d@"} {
			v := fmt.Sprintf(format, n+1)
			values[v] = []string{v}
		}
	}
	source.Exec("postgres", "CREATE DATABASE pages TEMPLATE postgres")
	columns := map[string]int{}
	for line := range strings.Lines(source.Query("pages", plantedBytes)) {
		column, digits, _ := strings.Cut(strings.TrimSpace(line), " ")
		form, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		columns[column]++
		values[column+" "+digits] = []string{string(form)}
	}
	for _, c := range []string{"seen_at", "home", "device", "balance", "account", "scan", "letter", "file"} {
		if columns[c] != 200 {
			t.Errorf("the source's pages show %d values of %s", columns[c], c)
		}
	}
	return values
}

// plantedDrill scrubs all of people, or lets all of it pass.
func plantedDrill(store string, scrub bool) string {
	rules := `    - {column: public.people.*, preserve: true, why: "to be found"}
`
	if scrub {
		rules = `    - {column: public.people.email, transform: email}
    - {column: public.people.name, transform: name}
    - {column: public.people.story, transform: text}
    - {column: public.people.letter, transform: text}
    - {column: public.people.file, transform: text}
    - {column: public.people.seen_at, transform: truncate, to: month}
    - {column: public.people.home, transform: ip}
    - {column: public.people.device, transform: uuid}
    - {column: public.people.balance, transform: number}
    - {column: public.people.account, transform: number}
    - {column: public.people.scan, transform: hash}
    - {column: public.people.profile, json: [{path: "$.contact[*]", transform: email}]}
`
	}
	return fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "*.dump", timezone: UTC}
expectations:
  tables: [{table: public.people, row_count: {equals: 200}}]
scrub:
  rules:
%s`, store, rules)
}

// inWAL is written into the WAL of a sandbox that scrubs nothing, and nowhere
// else, so that the search is seen to find what lies there.
const inWAL = "planted in the WAL alone"

// No real value of a scrubbed column is in any file that the server wrote:
// heap, TOAST, indexes, WAL, log. The same search after a drill that scrubs
// nothing finds every one, which proves the search.
func TestNoRealValueReachesTheSandbox(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", planted)
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "p.dump"), source.Dump("-Fc", "postgres"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := plantedValues(t, source)
	values[inWAL] = []string{inWAL}
	for name, scrubs := range map[string]bool{"scrubbed": true, "unscrubbed": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kinds(t, func(t *testing.T, kind string) {
				f := newFinder(t, values)
				r := run(t, t.Context(), load(t, kind, plantedDrill(store, scrubs)), func(req *drill.Request) {
					req.Inspect = func(ctx context.Context, box sandbox.Box) {
						if !scrubs {
							writeWAL(t, ctx, box)
						}
						f.files(ctx, box)
					}
				})
				if r.Outcome != verdict.Pass {
					t.Fatalf("%s\n%s", r.Outcome, worst(r))
				}
				if found := f.names(values, true); scrubs && len(found) > 0 {
					t.Errorf("%d real values lie in the sandbox, such as %q", len(found), found[0])
				}
				if missing := f.names(values, false); !scrubs && len(missing) > 0 {
					t.Errorf("the search misses %d of %d values that are there, such as %q", len(missing), len(values), missing[0])
				}
			})
		})
	}
}

func writeWAL(t *testing.T, ctx context.Context, box sandbox.Box) {
	t.Helper()
	conn, err := box.DB().Connect(ctx, "template1")
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close(ctx)
	// In two parts, so that no statistics or log of statements holds it whole.
	half := len(inWAL) / 2
	if _, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(true, 'x', $1 || $2)", inWAL[:half], inWAL[half:]); err != nil {
		t.Error(err)
	}
}
