package bench

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

// shape is an archive that is odd, and how it is drilled.
type shape struct {
	recipe
	about string
	ways  []shapeWay
	// once: one round tells enough, where nothing is compared to the second.
	once bool
}

// Shape is what a result says of an odd archive.
type Shape struct {
	Name          string `json:"name"`
	About         string `json:"about"`
	DatabaseBytes int64  `json:"database_bytes"`
	ArchiveBytes  int64  `json:"archive_bytes"`
}

// shapeWay is one way to restore a shape.
type shapeWay struct {
	way   Way
	drill *drilling // nil: by hand
	piped bool      // from the dump that was written through a pipe
}

// Ways to restore an odd archive.
const (
	seekable      Way = "seekable"
	piped         Way = "piped"
	manyByHand    Way = "many_tables by hand"
	manyTables    Way = "many_tables"
	largeByHand   Way = "one_large by hand"
	oneLarge      Way = "one_large"
	longByHand    Way = "long_rows by hand"
	longRows      Way = "long_rows"
	longWatched   Way = "long_rows watched"
	longRewritten Way = "long_rows rewritten"
)

// shapePromises are the limits. What a row of 50 MB may cost where it is
// rewritten is said in its multiples: it is held as it came and as it goes.
var shapePromises = []promise{
	{"piped / seekable, CPU", piped, seekable, cpu, 1.10, false},
	{"piped / seekable, wall", piped, seekable, wall, 1.10, false},
	{"seekable, harness MB", seekable, "", megabytes, 100, true},
	{"piped, harness MB", piped, "", megabytes, 100, true},
	{"many_tables, harness MB", manyTables, "", megabytes, 400, true},
	{"one_large, harness MB", oneLarge, "", megabytes, 100, true},
	{"long_rows, harness MB", longRows, "", megabytes, 100, true},
	{"long_rows watched, harness MB", longWatched, "", megabytes, 6 * longRowBytes / 1e6, true},
	{"long_rows rewritten, harness MB", longRewritten, "", megabytes, 6 * longRowBytes / 1e6, true},
}

// shapes are the odd archives at a scale: 1 is what the limits are about.
func shapes(scale float64) []shape {
	return []shape{offsets(scale), many(scale), large(scale), long(scale)}
}

func scaled(n int, scale float64) int { return max(1, int(float64(n)*scale)) }

// offsets is one database dumped to a file and through a pipe. Its tables are
// each large enough for a pg_restore of its own, which has to find its rows;
// what they hold compresses badly and loads fast, so that looking for them is
// as much of the whole as it can be.
func offsets(scale float64) shape {
	const tables = 24
	rows := scaled(150_000, scale)
	s := shape{
		about:  fmt.Sprintf("%d tables of %d rows, gzip, dumped to a file and through a pipe", tables, rows),
		recipe: recipe{name: "offsets", rows: map[string]int64{}, columns: 3 * tables, scrubbed: tables, gzip: true},
	}
	var creates, fills, keys []string
	for i := range tables {
		t := fmt.Sprintf("t%d", i)
		s.rows["public."+t] = int64(rows)
		creates = append(creates, "create table "+t+" (id bigint not null, email text not null, digest text not null)")
		fills = append(fills, fmt.Sprintf("insert into %s select i, left(md5('%[1]s' || i), 12) || '@example.com', md5(i || '%[1]s') from generate_series(1, %d) i", t, rows))
		keys = append(keys, "alter table "+t+" add primary key (id)")
	}
	s.made(step{1, creates}, step{runtime.NumCPU(), fills}, step{runtime.NumCPU(), keys})
	rules := &drilling{Scrub: "  rules: [{column: \"*.*.email\", transform: email}]\n", Columns: tables}
	s.ways = []shapeWay{{way: seekable, drill: rules}, {way: piped, drill: rules, piped: true}}
	return s
}

// many is a database of ten thousand small tables, as one schema for each
// customer makes them, with keys, indexes, sequences and references. It is
// written through a pipe.
func many(scale float64) shape {
	const tables, rows = 100, 20
	schemas := scaled(100, scale)
	s := shape{
		once:   true,
		about:  fmt.Sprintf("%d tables of %d rows in %d schemas, through a pipe", schemas*tables, rows, schemas),
		recipe: recipe{name: "many_tables", rows: map[string]int64{}, columns: 5 * schemas * tables, scrubbed: schemas * tables},
	}
	var creates []string
	for schema := range schemas {
		name := fmt.Sprintf("customer_%d", schema)
		for t := range tables {
			s.rows[fmt.Sprintf("%s.t%d", name, t)] = rows
		}
		creates = append(creates, strings.NewReplacer("$schema", name, "$last", fmt.Sprint(tables-1), "$rows", fmt.Sprint(rows)).Replace(`create schema $schema; do $$ begin
			for t in 0..$last loop
				execute format('create table $schema.t%s (id bigint generated always as identity primary key, email text not null, parent bigint, amount numeric(10,2) not null, created_at timestamptz not null)', t);
				execute format('insert into $schema.t%s (email, parent, amount, created_at) select ''user'' || i || ''.%s@example.com'', i, i * 1.25, timestamptz ''2024-01-01'' + i * interval ''1 hour'' from generate_series(1, $rows) i', t, t);
				execute format('create index on $schema.t%s (created_at)', t);
				if t % 4 > 0 then
					execute format('alter table $schema.t%s add foreign key (parent) references $schema.t%s', t, t - 1);
				end if;
			end loop; end $$`))
	}
	s.made(step{runtime.NumCPU(), creates})
	rules := &drilling{Scrub: "  rules: [{column: \"*.*.email\", transform: email}]\n", Columns: schemas * tables}
	s.ways = []shapeWay{{way: manyByHand, piped: true}, {way: manyTables, drill: rules, piped: true}}
	return s
}

// large is a database of which one table is nearly all.
func large(scale float64) shape {
	const small, share = 20, 0.95
	rows := scaled(2_500_000, scale)
	each := max(1, int(float64(rows)*(1-share)/share/small))
	s := shape{
		once:   true,
		about:  fmt.Sprintf("one table of %d rows and %d of %d, which makes %.0f %%", rows, small, each, 100*share),
		recipe: recipe{name: "one_large", rows: map[string]int64{}, columns: 6 * (small + 1), scrubbed: 2 * (small + 1)},
	}
	jobs := runtime.NumCPU()
	var creates, fills, keys []string
	for i := range small + 1 {
		t, n := fmt.Sprintf("t%d", i), each
		if i == 0 {
			t, n = "events", rows
		}
		s.rows["public."+t] = int64(n)
		creates = append(creates, "create table "+t+" (id bigint not null, email text not null, note text not null, payload jsonb not null, amount numeric(10,2) not null, at timestamptz not null)")
		const slice = 200_000
		for first := 1; first <= n; first += slice {
			fills = append(fills, fmt.Sprintf(`insert into %s select i, 'user' || i %% 500000 || '@mail' || i %% 40 || '.example.com', %s,
				jsonb_build_object('page', '/p/' || i %% 50000, 'ms', i * 7919 %% 3000, 'ab', jsonb_build_object('x', i %% 2)), (i * 97 %% 100000)::numeric / 100,
				timestamptz '2024-01-01' + i * interval '11 seconds' from generate_series(%d::bigint, %d::bigint) i`, t, prose("i * 17 % 500", "20 + i % 60"), first, min(first+slice-1, n)))
		}
		keys = append(keys, "alter table "+t+" add primary key (id)", "create index on "+t+" (at)", "create index on "+t+" (email)")
	}
	s.made(step{1, creates}, step{jobs, fills}, step{jobs, keys})
	rules := &drilling{Columns: 2 * (small + 1),
		Scrub: "  rules:\n    - {column: \"*.*.email\", transform: email}\n    - {column: \"*.*.note\", transform: text}\n    - {column: \"*.*.payload\", preserve: true, why: \"nobody's words\"}\n"}
	s.ways = []shapeWay{{way: largeByHand}, {way: oneLarge, drill: rules}}
	return s
}

const longRowBytes = 50_000_000

// long is a table whose rows are far longer than any buffer.
func long(scale float64) shape {
	const rows, digest = 6, 32
	length := scaled(longRowBytes, scale)
	s := shape{
		once:   true,
		about:  fmt.Sprintf("%d rows of %d bytes", rows, length),
		recipe: recipe{name: "long_rows", rows: map[string]int64{"public.documents": rows}, columns: 3},
	}
	var fills []string
	for i := range rows {
		fills = append(fills, fmt.Sprintf("insert into documents select %d, 'user%[1]d@example.com', left(string_agg(md5('%[1]d ' || n), ' '), %d) from generate_series(1, %d) n",
			i, length, length/(digest+1)+1))
	}
	s.made(step{1, []string{"create table documents (id int primary key, email text not null, source text not null)"}}, step{runtime.NumCPU(), fills})
	const email = "  rules:\n    - {column: public.documents.email, transform: email}\n"
	s.ways = []shapeWay{
		{way: longByHand},
		{way: longRows, drill: &drilling{Scrub: keepAll}},
		{way: longWatched, drill: &drilling{Scrub: email, Columns: 1}},
		{way: longRewritten, drill: &drilling{Scrub: email + "    - {column: public.documents.source, transform: text}\n", Columns: 2}},
	}
	return s
}

// made sets the statements that make the database.
func (r *recipe) made(steps ...step) {
	r.steps, r.text = steps, fmt.Sprint(steps)
}

// needs are the same for all shapes at once: their dumps are kept, and one
// database at a time is restored.
func (o Options) shapesNeeds(m Machine) []need {
	of := func(bytes float64) int64 { return int64(bytes * Scales[o.Scale]) }
	return []need{
		{"the dumps that are kept", o.Cache, of(1.5 * gib)},
		{"a copy of a dump", os.TempDir(), of(gib / 2)},
		{"the restored database", o.dataDir(m), of(4*gib) + fixedBytes},
	}
}

// Shapes drills odd archives: how long each takes, what it costs, and how much
// memory the harness needs. Its error carries the process's exit code, as
// Run's does.
func Shapes(ctx context.Context, o Options) error {
	o = o.withDefaults()
	for _, s := range shapes(1) {
		o.known = append(o.known, Way(s.name))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	r, err := o.begin(ctx, o.shapesNeeds)
	if err != nil {
		return cannot(ctx, "%v", err)
	}
	for _, s := range shapes(Scales[o.Scale]) {
		if !slices.Contains(o.ways(), Way(s.name)) {
			continue
		}
		if err := o.shape(ctx, s, r); err != nil {
			return cannot(ctx, "%s: %v", s.name, err)
		}
	}
	return o.end(ctx, r, shapePromises, "shapes.json")
}

// shape measures one of them.
func (o Options) shape(ctx context.Context, s shape, r *Result) error {
	dumps := map[bool]*dumped{}
	var jobs []job
	for _, w := range s.ways {
		if dumps[w.piped] == nil {
			d, err := o.dump(ctx, s.dumpedAs(o.Scale, w.piped))
			if err != nil {
				return fmt.Errorf("make the database: %w", err)
			}
			dumps[w.piped] = d
			r.learn(s, d)
		}
		j := dumps[w.piped].job(w.way, runtime.NumCPU())
		j.Drilled = w.drill
		jobs = append(jobs, j)
	}
	if s.once {
		o.Rounds = 1
	}
	samples, err := o.measure(ctx, jobs)
	r.Samples = append(r.Samples, samples...)
	return err
}

// dumpedAs is the recipe with its place in the cache.
func (s shape) dumpedAs(scale string, piped bool) recipe {
	r := s.recipe
	r.scale, r.piped = scale, piped
	r.name += "-" + scale
	if piped {
		r.name += "-piped"
	}
	return r
}

// learn keeps what was restored, without the names of ten thousand tables.
func (r *Result) learn(s shape, d *dumped) {
	if len(r.Shapes) == 0 {
		r.Dump = d.Dump
		r.Dump.Rows = nil
	}
	if !slices.ContainsFunc(r.Shapes, func(known Shape) bool { return known.Name == s.name }) {
		r.Shapes = append(r.Shapes, Shape{s.name, s.about, d.DatabaseBytes, d.ArchiveBytes})
	}
}
