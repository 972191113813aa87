package restore_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/restore"
	"daybefore/internal/verdict"
)

// An observer is a piece of a schema that can see the order of a restore. In its
// SQL, {r} is the table that reads, {l} the one that is read, {f} a function, {n}
// a name for anything else, {pad} what makes the rows of a table long, by chance, and {long} always.
type observer struct {
	name, sql string
	probe     string // what an index answers
}

const lookup = `
CREATE TABLE public.{l} (id int PRIMARY KEY, word text, pad text);
INSERT INTO public.{l} SELECT g, 'w' || g % 7, {pad} FROM generate_series(1, 300) g;
CREATE FUNCTION public.{f}(int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN (SELECT word FROM public.{l} WHERE id = $1); END $$;
`

const rows = `INSERT INTO public.{r} SELECT g, g, {pad} FROM generate_series(1, 200) g;`

const plainReader = lookup + `CREATE TABLE public.{r} (id int, k int, pad text);` + rows

const byWord = `SELECT count(*) FROM public.{r} WHERE public.{f}(k) = 'w3'`

var observerKinds = []observer{
	{"a CHECK", lookup + `CREATE TABLE public.{r} (id int PRIMARY KEY, k int CONSTRAINT {n} CHECK (public.{f}(k) IS ` +
		`NOT NULL), pad text);` + rows, ""},
	{"a CHECK not validated", plainReader + `ALTER TABLE public.{r} ADD CONSTRAINT {n} CHECK (public.{f}(k) IS NOT ` +
		`NULL) NOT VALID;`, ""},
	{"a CHECK on the other's own rows",
		`CREATE TABLE public.{r} (id int, k int, pad text); CREATE TABLE public.{l} (id int); INSERT INTO public.{l} VALUES (1);
		CREATE FUNCTION public.{f}(public.{r}) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT count(*) > 0 FROM public.{l} $$;
		ALTER TABLE public.{r} ADD CONSTRAINT {n} CHECK (public.{f}({r}));` + rows, ""},
	{"a domain", lookup + `CREATE DOMAIN public.{n} AS int CHECK (public.{f}(VALUE) IS NOT NULL);
		CREATE TABLE public.{r} (id int, k public.{n}, pad text);` + rows, ""},
	{"a domain in an array", lookup + `CREATE DOMAIN public.{n} AS int CHECK (public.{f}(VALUE) IS NOT NULL);
		CREATE TABLE public.{r} (id int, k public.{n}[], pad text); INSERT INTO public.{r} SELECT g, ARRAY[g], {pad} FROM generate_series(1, 200) g;`, ""},
	{"a domain in a composite in a domain", lookup + `CREATE DOMAIN public.{n}_d AS int CHECK (public.{f}(VALUE) IS NOT NULL);
		CREATE TYPE public.{n}_c AS (a int, b public.{n}_d); CREATE DOMAIN public.{n} AS public.{n}_c;
		CREATE TABLE public.{r} (id int, k public.{n}); INSERT INTO public.{r} SELECT g, ROW(g, g)::public.{n}_c FROM generate_series(1, 200) g;`, ""},
	{"a domain in a range", lookup + `CREATE DOMAIN public.{n}_d AS int CHECK (public.{f}(VALUE) IS NOT NULL);
		CREATE TYPE public.{n} AS RANGE (subtype = public.{n}_d);
		CREATE TABLE public.{r} (id int, k public.{n}); INSERT INTO public.{r} SELECT g, public.{n}(g, g + 1) FROM generate_series(1, 200) g;`, ""},
	{"a cast to a domain in a CHECK", lookup + `CREATE DOMAIN public.{n} AS int CHECK (public.{f}(VALUE) IS NOT NULL);
		CREATE TABLE public.{r} (id int, k int CHECK (k::public.{n} > 0), pad text);` + rows, ""},
	{"a generated column", lookup + `CREATE TABLE public.{r} (id int, k int, pad text, word text GENERATED ALWAYS AS ` +
		`(public.{f}(k)) STORED);` +
		`INSERT INTO public.{r} SELECT g, g, {pad} FROM generate_series(1, 200) g;`, ""},
	{"a partition key", lookup + `CREATE TABLE public.{r} (id int, k int, pad text) PARTITION BY LIST (public.{f}(k));
		CREATE TABLE public.{r}_1 PARTITION OF public.{r} FOR VALUES IN ('w1', 'w2', 'w3');
		CREATE TABLE public.{r}_2 PARTITION OF public.{r} FOR VALUES IN ('w4', 'w5', 'w6', 'w0');` + rows, ""},
	{"an index", plainReader + `CREATE INDEX {n} ON public.{r} (public.{f}(k));`, byWord},
	{"a unique index over another", plainReader + `CREATE UNIQUE INDEX {n} ON public.{r} ((public.{f}(k) || id));`, ""},
	{"a predicate", plainReader + `CREATE INDEX {n} ON public.{r} (id) WHERE public.{f}(k) = 'w3';`, byWord},
	{"an exclusion constraint", lookup + `CREATE TABLE public.{r} (id int, k int, pad text,
		CONSTRAINT {n} EXCLUDE USING btree ((public.{f}(k) || id) WITH =));` + rows, ""},
	{"an operator", lookup + `CREATE FUNCTION public.{n}_of(int, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT public.{f}($1) = $2 $$;
		CREATE OPERATOR public.=#= (leftarg = int, rightarg = text, function = public.{n}_of);
		CREATE TABLE public.{r} (id int, k int, pad text);` + rows + `CREATE INDEX {n} ON public.{r} (id) WHERE k OPERATOR(public.=#=) 'w3';`, byWord},
	{"an index of a partitioned table", lookup + `CREATE TABLE public.{r} (id int, k int, pad text) PARTITION BY RANGE (id);
		CREATE TABLE public.{r}_1 PARTITION OF public.{r} FOR VALUES FROM (0) TO (100);
		CREATE TABLE public.{r}_2 PARTITION OF public.{r} FOR VALUES FROM (100) TO (1000);` + rows +
		`CREATE INDEX {n} ON public.{r} (public.{f}(k));`, byWord},
	{"a function of a SECURITY DEFINER", lookup + `ALTER FUNCTION public.{f}(int) SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
		CREATE TABLE public.{r} (id int, k int CONSTRAINT {n} CHECK (public.{f}(k) IS NOT NULL), pad text);` + rows, ""},
	{"a privilege in an index", plainReader + `CREATE SCHEMA {n}; CREATE FUNCTION {n}.g(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
		GRANT USAGE ON SCHEMA {n} TO app; CREATE FUNCTION public.{n}_f(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN {n}.g(t); END $$;
		ALTER TABLE public.{r} OWNER TO app; CREATE INDEX {n}_i ON public.{r} (public.{n}_f(pad));`, ""},
	{"a privilege in a CHECK", `CREATE TABLE public.{l} (id int); INSERT INTO public.{l} VALUES (1); CREATE SCHEMA {n}; GRANT USAGE ON SCHEMA {n} TO app;
		CREATE FUNCTION {n}.g(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 $$;
		CREATE FUNCTION public.{f}(k int) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN {n}.g(k) > 0; END $$;
		ALTER FUNCTION public.{f}(int) OWNER TO app;
		CREATE TABLE public.{r} (id int, k int CHECK (public.{f}(k)), pad text);` + rows, ""},
	{"a sequence", `CREATE SEQUENCE public.{l}; SELECT setval('public.{l}', 1000);
		CREATE FUNCTION public.{f}(int) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 <= last_value FROM public.{l} $$;
		CREATE TABLE public.{r} (id int, k int CHECK (public.{f}(k)), pad text);` + rows, ""},
	{"large objects", `SELECT lo_from_bytea({oid}, '\x01'); CREATE FUNCTION public.{f}(int) RETURNS boolean LANGUAGE sql
		AS $$ SELECT length(lo_get({oid})) = 1 AND $1 > 0 $$;
		CREATE TABLE public.{r} (id int, k int CHECK (public.{f}(k)), pad text);` + rows, ""},
	{"the name of an index", `CREATE TABLE public.{l} (id int CONSTRAINT k{n} PRIMARY KEY); INSERT INTO public.{l} SELECT generate_series(1, 9);
		CREATE TABLE public.{r} (id int, k regclass); INSERT INTO public.{r} VALUES (1, 'public.k{n}');`, ""},
	{"a name that a function looks up", `CREATE TABLE public.{l} (id int CONSTRAINT k{n} PRIMARY KEY); INSERT INTO public.{l} SELECT generate_series(1, 9);
		CREATE TABLE public.{r} (id int, k int CHECK (to_regclass('public.k{n}') IS NOT NULL OR k < 150), pad text);` + rows, ""},
	{"a materialized view that reads another", `CREATE TABLE public.{r} (id int, k int, pad text);` + rows + `
		CREATE FUNCTION public.{f}() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT sum(s) FROM public.{l}); END $$;
		CREATE MATERIALIZED VIEW public.{l} AS SELECT sum(k) AS s FROM public.{r}; CREATE MATERIALIZED VIEW public.{n} AS SELECT public.{f}() AS s;`, ""},
	{"a function that writes", `CREATE TABLE public.{n}_z (id int, pad text);
		CREATE FUNCTION public.{f}(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.{n}_z VALUES ($1, 'written'); RETURN true; END $$;
		CREATE TABLE public.{n}_a (id int, k int CHECK (public.{f}(k)), pad text); INSERT INTO public.{n}_a SELECT g, g FROM generate_series(1, 200) g;
		INSERT INTO public.{n}_z SELECT g, {long} FROM generate_series(1, 300) g;`, ""},
	{"an operator class", `CREATE TABLE public.{l} (id int PRIMARY KEY, pad text); INSERT INTO public.{l} SELECT g, {pad} FROM generate_series(1, 300) g;
		CREATE FUNCTION public.{f}(int, int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN btint4cmp($1,
		$2) * (SELECT CASE WHEN count(*) > 9 THEN 1 ELSE -1 END FROM public.{l}); END $$;
		CREATE OPERATOR CLASS public.{n} FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
		FUNCTION 1 public.{f}(int, int);
		CREATE TABLE public.{r} (id int, k int, pad text);` + rows + `CREATE INDEX {n}_i ON public.{r} (k public.{n});`, `SELECT count(*)
		FROM public.{r} WHERE k = 77`},
	{"a cast", lookup + `CREATE TYPE public.{n} AS (k int); CREATE FUNCTION public.{n}_in(int) RETURNS public.{n} LANGUAGE sql IMMUTABLE
		AS $$ SELECT ROW(length(public.{f}($1)))::public.{n} $$;
		CREATE CAST (int AS public.{n}) WITH FUNCTION public.{n}_in(int); CREATE TABLE public.{r} (id int, k int, pad text);` + rows +
		`CREATE INDEX {n}_i ON public.{r} (((k::public.{n}).k));`, `SELECT count(*) FROM public.{r} WHERE ` +
		`(k::public.{n}).k = 2`},
	{"SQL whose parsed body names a table", `CREATE TABLE public.{l} (id int PRIMARY KEY, pad text);
		INSERT INTO public.{l} SELECT g, {pad} FROM generate_series(1, 300) g;
		CREATE FUNCTION public.{n}_of(int) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT EXISTS (SELECT FROM public.{l} WHERE id = $1); END;
		CREATE FUNCTION public.{f}(int) RETURNS boolean LANGUAGE sql BEGIN ATOMIC SELECT $1 > 0 AND public.{n}_of($1); END;
		CREATE TABLE public.{r} (id int, k int CHECK (public.{f}(k)), pad text);` + rows, ""},
	{"an inherited CHECK", lookup + `CREATE TABLE public.{n} (id int, k int CHECK (public.{f}(k) IS NOT NULL), pad text);
		CREATE TABLE public.{r} () INHERITS (public.{n});` + rows, ""},
	{"an aggregate in a materialized view", lookup + `CREATE FUNCTION public.{f}_s(int,
		int) RETURNS int LANGUAGE sql AS $$ SELECT $1 + length(public.{f}($2)) $$;
		CREATE AGGREGATE public.{n}_a(int) (sfunc = public.{f}_s, stype = int, initcond = 0); CREATE TABLE public.{r} (id int, k int, pad text);` + rows +
		`CREATE MATERIALIZED VIEW public.{n} AS SELECT public.{n}_a(k) FROM public.{r};`, ""},
	{"nothing", lookup + `CREATE TABLE public.{r} (id int PRIMARY KEY, k int REFERENCES public.{l}, pad text CHECK (length(pad) > 0));
		CREATE INDEX ON public.{r} (lower(pad));` + rows, ""},
	{"SQL that is known to be pure", `CREATE FUNCTION public.{f}(int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT $1 + 1; END;
		CREATE TABLE public.{l} (id int); INSERT INTO public.{l} VALUES (1);
		CREATE TABLE public.{r} (id int, k int CHECK (public.{f}(k) > 0), pad text);` + rows + `CREATE INDEX pure_{n} ON public.{r} (public.{f}(k));`, ""},
}

// write fills in names: which of two tables pg_dump writes first is chance.
func (o observer) write(r *rand.Rand, i int) observer {
	n := []string{fmt.Sprintf("a%d", i), fmt.Sprintf("z%d", i)}
	r.Shuffle(2, func(i, j int) { n[i], n[j] = n[j], n[i] })
	const long = "(SELECT string_agg(md5(g || ' ' || x), '') FROM generate_series(1, 24) x)" // so long that a plain table is emptied
	pad := []string{"'short'", long}[r.IntN(2)]
	fill := strings.NewReplacer("{r}", n[0], "{l}", n[1], "{f}", fmt.Sprintf("f%d", i),
		"{n}", fmt.Sprintf("n%d", i), "{pad}", pad, "{long}", long, "{oid}", fmt.Sprint(4000+i))
	o.sql, o.probe = fill.Replace(o.sql), fill.Replace(o.probe)
	return o
}

// contents are all rows, and what is built on them.
const contents = `
SELECT n.nspname || '.' || c.relname || ' ' || c.relkind::text || ' ' || CASE WHEN c.relkind IN ('r', 'm') AND c.relispopulated THEN
  (xpath('//h/text()', query_to_xml(format('SELECT count(*) || md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '''')) AS h
		FROM ONLY %I.%I t', n.nspname, c.relname), false, true, '')))[1]::text
  ELSE coalesce((SELECT pg_get_indexdef(c.oid) || indisvalid FROM pg_index WHERE indexrelid = c.oid), '') END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_|information_schema'
UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'large object ' || oid FROM pg_largeobject_metadata
UNION ALL SELECT 'sequence ' || relname || (xpath('//h/text()', query_to_xml('SELECT last_value AS h
		FROM public.' || relname, false, true, '')))[1]::text FROM pg_class WHERE relkind = 'S'
ORDER BY 1`

// state is what a restored database holds, as one text.
func state(t *testing.T, query func(sql string) string, probes []string) string {
	t.Helper()
	out := query(contents)
	for _, p := range probes {
		out += "\n" + p + ": " + query("SET enable_seqscan = off; SET enable_bitmapscan = off; "+p)
	}
	return out
}

// differences are the lines that only one of two texts has.
func differences(a, b string) string {
	return cmp.Diff(strings.Split(a, "\n"), strings.Split(b, "\n"))
}

// Whatever a schema lets its functions see, a drill says and brings back what a
// serial pg_restore does; and where a parallel one may differ, it says so.
// DAYBEFORE_ORDER_SCHEMAS tries so many schemas instead of a few, from
// DAYBEFORE_ORDER_SEED on.
func TestTheOrderIsThatOfPgRestore(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE ROLE app")
	count, _ := strconv.Atoi(os.Getenv("DAYBEFORE_ORDER_SCHEMAS"))
	if count == 0 {
		count = 2
	}
	seed, _ := strconv.ParseUint(os.Getenv("DAYBEFORE_ORDER_SEED"), 10, 64)
	for i := range count {
		sameOrder(t, source, seed+uint64(i), max(4, len(observerKinds)/count))
	}
}

func sameOrder(t *testing.T, source *pgtest.Cluster, seed uint64, kinds int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 12))
	database := fmt.Sprintf("s%d", seed)
	var sql, names []string
	var probes []string
	first := int(seed) * kinds // each kind comes once before any comes twice
	for i := range kinds {
		o := observerKinds[(first+i)%len(observerKinds)].write(r, i)
		sql = append(sql, o.sql)
		names = append(names, o.name)
		if o.probe != "" {
			probes = append(probes, o.probe)
		}
	}
	r.Shuffle(len(sql), func(i, j int) { sql[i], sql[j] = sql[j], sql[i] })
	source.Exec("postgres", "CREATE DATABASE "+database)
	source.Exec(database, strings.Join(sql, "\n"))
	format := []string{"-Fc", "-Fp"}[r.IntN(5)/4]
	custom := source.DumpFile("-Fc", database)
	ofDrill := custom
	if format == "-Fp" {
		ofDrill = source.Dump("-Fp", "-C", database)
	}
	serialErrors := source.Restore(database+"_serial", custom)
	parallelErrors := source.Restore(database+"_parallel", custom, "-j", "2")
	by := func(database string) string {
		return state(t, func(sql string) string { return source.Query(database, sql) }, probes)
	}
	serial := by(database + "_serial")
	parallel := by(database + "_parallel")

	s := open(t, ofDrill, "local", restore.Options{CreateRoles: true, DeclaredRoles: []string{"app"}, LargeObjects: true})
	if err := s.PreData(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Data(t.Context(), pass, nil, nil); err != nil {
		t.Fatal(err)
	}
	at := fmt.Sprintf("seed %d, %s: %s", seed, format, strings.Join(names, ", "))
	if early := s.lines(t, "SELECT relname FROM pg_class WHERE relkind IN ('i', 'I') AND relname ~ '^n[0-9]'"); early != "" {
		t.Errorf("%s: built before all rows were in: %s", at, early)
	}
	if err := s.PostData(t.Context()); err != nil {
		t.Fatal(err)
	}
	drilled := state(t, func(sql string) string { return s.lines(t, sql) }, probes)
	if got := s.Messages().Errors; got != serialErrors {
		t.Errorf("%s: a serial pg_restore met %d errors, the drill %d: %+v", at, serialErrors, got, s.check(t, "restore_errors"))
	}
	if drilled != serial {
		t.Errorf("%s: the drill (+) and a serial pg_restore (-) differ: %s", at, differences(serial, drilled))
	}
	told := slices.ContainsFunc(s.Checks(), func(c verdict.Check) bool { return c.ID == "order_dependent" && c.Outcome == verdict.Skipped })
	if format == "-Fc" && serialErrors == 0 && (parallelErrors > 0 || parallel != serial) && !told {
		t.Errorf("%s: a parallel pg_restore differs, and nothing is said: %s", at, differences(serial, parallel))
	}
	if reads := len(probes) > 0 || slices.Contains(names, "a CHECK"); reads && format == "-Fc" && !told {
		t.Errorf("%s: an index or a CHECK reads another table, and nothing is said", at)
	}
	t.Logf("%s: %d errors, parallel %d, differs %t, told %t", at, serialErrors, parallelErrors, parallel != serial, told)
}

// ordinary has what is asked of many schemas, and nothing that reads more than
// the row that is stored.
const ordinary = `
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gist;
CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TYPE place AS (street text, number int); CREATE TYPE span AS RANGE (subtype = int);
CREATE DOMAIN address AS citext CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed = now(); RETURN NEW; END $$;
CREATE FUNCTION reads() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM public.people); END $$;
CREATE FUNCTION next_of(int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT $1 + 1; END;
CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, mail address UNIQUE, m mood, h hstore, p place, s span, lives place[],
	n int CHECK (public.next_of(n) > 0), changed timestamptz DEFAULT now() CHECK (changed <= now() AND date_trunc('day', changed) > '2000-01-01'),
	low text GENERATED ALWAYS AS (lower(mail::text)) STORED, doc jsonb CHECK (jsonb_typeof(doc) = 'object'));
INSERT INTO people (mail, m, h, p, n, doc) SELECT 'p' || n || '@example.com', 'good', 'a=>1', ROW('s', n)::place, n, '{}' FROM generate_series(1, 500) n;
CREATE INDEX by_name ON people (lower(mail::text)) WHERE m = 'good'; CREATE INDEX by_gram ON people USING gin (low gin_trgm_ops);
CREATE INDEX by_number ON people (next_of(n)); CREATE INDEX reads ON people (n) INCLUDE (m);
CREATE TABLE booked (person int REFERENCES people, at tsrange, EXCLUDE USING gist (person WITH =, at WITH &&));
INSERT INTO booked SELECT id, tsrange(now()::timestamp, null) FROM people;
CREATE TABLE whole (d date, n int) PARTITION BY RANGE (date_trunc('month', d::timestamp)); CREATE TABLE leaf PARTITION OF whole DEFAULT;
		INSERT INTO whole VALUES ('2026-11-01', 1);
CREATE VIEW counted AS SELECT public.reads() AS n; CREATE MATERIALIZED VIEW summed AS SELECT sum(n) FROM people;
CREATE TRIGGER touch BEFORE UPDATE ON people FOR EACH ROW EXECUTE FUNCTION touched();
`

// What nothing can observe goes the fast way: indexes stand before post-data.
func TestOrdinarySchemasGoTheFastWay(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", ordinary)
	s := open(t, source.Dump("-Fc", "postgres"), "local", restore.Options{})
	if err := s.PreData(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Data(t.Context(), pass, nil, nil); err != nil {
		t.Fatal(err)
	}
	const built = `select string_agg(i, ' ' order by i) from (select indexrelid::regclass::text collate "C" as i from pg_index
		where indrelid in ('people'::regclass, 'booked'::regclass)) x`
	if got, want := s.query(t, built), "booked_person_at_excl by_gram by_name by_number people_mail_key people_pkey reads"; got != want {
		t.Errorf("before post-data there are the indexes %s, want %s", got, want)
	}
	if err := s.PostData(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Checks() {
		if c.Outcome != verdict.Pass || c.ID == "archive_order" {
			t.Errorf("%s: %s: %s, %s", c.ID, c.Outcome, c.Observed, c.Message)
		}
	}
}

// queue is an extension whose tables are filled by its users, with a key between
// them. The table that is referred to has the fewer bytes and the later name.
var queue = map[string]string{
	"queues.control": "default_version = '1.0'\nschema = queues\nrelocatable = false\n",
	"queues--1.0.sql": `CREATE TABLE queues.queue (id int PRIMARY KEY, title text);
CREATE TABLE queues.a_ticket (id int PRIMARY KEY, queue int NOT NULL REFERENCES queues.queue (id), body text);
CREATE TABLE queues.log (ticket int); CREATE FUNCTION queues.logged() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.body = NEW.body || (SELECT count(*) FROM public.z_names); RETURN NEW; END $$;
CREATE TABLE queues.note (id int, body text); CREATE TRIGGER logged BEFORE INSERT ON queues.note FOR EACH ROW EXECUTE FUNCTION queues.logged();
SELECT pg_catalog.pg_extension_config_dump('queues.queue', ''); SELECT pg_catalog.pg_extension_config_dump('queues.a_ticket', '');
SELECT pg_catalog.pg_extension_config_dump('queues.note', '');
`}

// Rows of an extension's tables come in the archive's order, under its keys and
// triggers.
func TestTablesOfAnExtensionKeepTheirOrder(t *testing.T) {
	t.Parallel()
	image := pgtest.WithExtensions(t, "postgres:17", queue)
	source := pgtest.Container(t, image)
	source.Exec("postgres", `CREATE TABLE z_names (n text); CREATE EXTENSION queues;
INSERT INTO queues.queue SELECT n, 'q' || n FROM generate_series(1, 20) n;
INSERT INTO queues.a_ticket SELECT n, n % 20 + 1, repeat('x', 100) FROM generate_series(1, 3000) n;
INSERT INTO queues.note VALUES (1, ''); INSERT INTO z_names SELECT 'n' || n FROM generate_series(1, 9) n`)
	dump := source.Dump("-Fc", "postgres")
	errors := source.Restore("byhand", dump)
	body := source.Query("byhand", "SELECT body FROM queues.note")
	for name, dump := range map[string][]byte{"custom": dump, "plain": source.Dump("-Fp", "-C", "postgres")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openOn(t, dump, "container", 17, restore.Options{}, image)
			tables := s.all(t, pass)
			if !slices.Contains(tables, verdict.Table{Name: "queues.a_ticket", RowsPassed: 3000, RowsHeld: 3000}) {
				t.Errorf("%v", tables)
			}
			if got := s.Messages().Errors; got != errors || got != 0 {
				t.Errorf("%d errors, by hand %d: %+v", got, errors, s.check(t, "restore_errors"))
			}
			if got := s.query(t, "SELECT body FROM queues.note"); got != body {
				t.Errorf("the trigger saw %s rows, by hand %s", got, body)
			}
			if got := s.check(t, "archive_order"); !strings.Contains(got.Observed, "queues.a_ticket (FOREIGN KEY a_ticket_queue_fkey)") {
				t.Errorf("%+v", got)
			}
		})
	}
}

// lines are all rows of a query's last statement.
func (s target) lines(t *testing.T, sql string) string {
	t.Helper()
	conn := s.connect(t)
	defer conn.Close(t.Context())
	results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var out []string
	for _, row := range results[len(results)-1].Rows {
		out = append(out, string(row[0]))
	}
	return strings.Join(out, "\n")
}
