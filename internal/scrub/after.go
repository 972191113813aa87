package scrub

import (
	"daybefore/internal/scrub/transform"
	"daybefore/internal/told"

	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/verdict"
)

var errColumns = errors.New("not as many fields as columns")

// mostSuspects is how many different findings are kept: more cannot be told
// from pseudonyms any more.
const mostSuspects = 1 << 20

// mostPlaces are told each, of those that hold what they may not.
const mostPlaces = 100

// site is what the server holds and nobody has looked at yet: columns of a
// relation, or the texts of its catalogue.
type site struct {
	name     string // of the relation
	sql      string // a COPY … TO STDOUT
	columns  []siteColumn
	computed bool // by the server: detectors look too
}

type siteColumn struct {
	name     string         // as reports show it
	binary   bool           // bytea: looked at as the text that its bytes are
	scrubbed bool           // by a transform
	within   *schema.Column // by a rule that lets parts of its values pass: only those are looked at; nil for all others
	again    bool           // rewritten, and looked at for what no filter wrote
	// of a place that is looked at again:
	scanner *detect.Scanner // that looked at the column as it was loaded; nil: the one of all
	written *writings       // what filters made of its values; nil: anything
}

// suspect is something found, until it is known to be a pseudonym.
type suspect struct {
	place, what    string
	real, computed bool
	count          int64
}

// stored says what the server holds after the restore, and what is known of it.
type stored struct {
	schema       *schema.Schema
	decision     func(*schema.Column) decision
	within       func(c *schema.Column, look func(text []byte)) func(value []byte) error // reads what a rule lets pass within a value
	written      func(*schema.Column) *writings                                          // what filters made of a column's values; nil: anything
	scanner      detect.Scanner
	overlap      *overlap // nil: nothing was sampled
	key          []byte
	names        *told.Names
	largeObjects bool // they were loaded
	ownCode      bool // of the backup may have run since the load: all is looked at again
}

// decision is what became of a column.
type decision struct {
	loaded     bool            // from the archive
	ruled      bool            // by a rule, if only to let it pass
	rewritten  bool            // by a rule
	recomputed bool            // by the server, by a rule's SQL
	passes     bool            // a rule lets texts pass within its values, and they can be read
	scanner    *detect.Scanner // that looked at it as it was loaded; nil: none did
}

// aftermath looks at what the server holds after the restore.
type aftermath struct {
	stored

	mu       sync.Mutex
	suspects map[uint64][]*suspect // by the keyed fingerprint of what was found
	kept     int
	values   int64
	full     bool
}

// scanStored looks at it over as many connections as there are jobs. Checks of outcome
// error say where something was found and how often, with a keyed fingerprint; the
// error is the connection's.
func scanStored(ctx context.Context, connect func(context.Context) (*pgx.Conn, error), jobs int, what stored) ([]verdict.Check, error) {
	a := &aftermath{stored: what, suspects: map[uint64][]*suspect{}}
	conn, err := scanConn(ctx, connect)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	places, err := a.places(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("look for what the server computed: %w", err)
	}
	if err := a.scanAll(ctx, connect, places, jobs, (*seeker).suspect); err != nil {
		return nil, err
	}
	if len(a.suspects) > 0 {
		if err := a.scanAll(ctx, connect, a.ruled(), jobs, (*seeker).explain); err != nil {
			return nil, err
		}
	}
	return a.checks(places), nil
}

// scanConn opens a connection on which nothing hides a row or ends a scan. That
// it speaks UTF-8 where there is a way to it is connect's work, as for all.
func scanConn(ctx context.Context, connect func(context.Context) (*pgx.Conn, error)) (*pgx.Conn, error) {
	conn, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	const settings = "SET statement_timeout = 0; SET lock_timeout = 0; SET row_security = off; SET default_transaction_read_only = on; " +
		"SET bytea_output = 'hex'; SET search_path = ''"
	if _, err := conn.PgConn().Exec(ctx, settings).ReadAll(); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("prepare a connection for the leak scan: %w", err)
	}
	return conn, nil
}

// places are what is to be looked at.
func (a *aftermath) places(ctx context.Context, conn *pgx.Conn) ([]site, error) {
	all := a.tables()
	if a.ownCode {
		all = append(all, a.again()...)
	}
	views, err := viewPlaces(ctx, conn)
	if err != nil {
		return nil, err
	}
	all = append(all, views...)
	all = append(all, site{name: "the catalogue", sql: "COPY (" + catalogueTexts + ") TO STDOUT", computed: true, columns: []siteColumn{{}, {}}})
	if a.largeObjects {
		all = append(all, site{name: "large objects", computed: true, columns: []siteColumn{{name: "large objects", binary: true}},
			sql: "COPY (" + largeObjectPieces + ") TO STDOUT"})
	}
	return all, nil
}

// largeObjectPieces are large objects, in pieces: the server gives out no value
// of a gigabyte, and half as much as hexadecimal digits. Each has the beginning
// of the next one, so that nothing is lost by the cut; what lies on it may be
// counted twice.
const largeObjectPieces = `
	select pg_catalog.lo_get(p.loid, p.piece * 8192 * p.page, (8192 * p.page + 1024)::int4)
	from (select distinct loid, pageno / 8192 as piece, pg_catalog.to_number(pg_catalog.current_setting('block_size'), '99999999')::int8 / 4 as page from pg_catalog.pg_largeobject) p`

// tables are the generated and recomputed columns and, where values were
// sampled, the columns that no rule rewrites, or not all of.
func (a *aftermath) tables() []site {
	var all []site
	for _, t := range a.schema.Tables {
		if t.Kind != "r" {
			continue
		}
		var computed, untouched, parted []*schema.Column
		for _, c := range t.Columns {
			if !c.HoldsText() {
				continue
			}
			switch d := a.decision(c); {
			case c.Generated, d.recomputed:
				computed = append(computed, c)
			case a.overlap == nil || !d.loaded:
			case !d.rewritten:
				untouched = append(untouched, c)
			case d.passes:
				parted = append(parted, c)
			}
		}
		all = append(all, tablePlaces(t, computed, true)...)
		all = append(all, tablePlaces(t, untouched, false)...)
		for _, s := range tablePlaces(t, parted, false) {
			for i, c := range parted {
				s.columns[i].within = c
			}
			all = append(all, s)
		}
	}
	return all
}

// ruled are the columns under a rule: what they hold now is known, and
// explains what is found elsewhere.
func (a *aftermath) ruled() []site {
	var all []site
	for _, t := range a.schema.Tables {
		if t.Kind != "r" {
			continue
		}
		var ruled []*schema.Column
		for _, c := range t.Columns {
			if d := a.decision(c); d.loaded && d.ruled && !d.recomputed && c.HoldsText() {
				ruled = append(ruled, c)
			}
		}
		for _, p := range tablePlaces(t, ruled, true) {
			for i, c := range ruled {
				p.columns[i].scrubbed = a.decision(c).rewritten
			}
			all = append(all, p)
		}
	}
	return all
}

// again are the places that are looked at where code of the backup's own could
// run: columns without a rule, by the detectors that looked at them as they
// were loaded, and rewritten ones.
func (a *aftermath) again() []site {
	var all []site
	for _, t := range a.schema.Tables {
		if t.Kind != "r" {
			continue
		}
		var unruled, rewritten []*schema.Column
		for _, c := range t.Columns {
			switch d := a.decision(c); {
			case c.Generated:
			case d.scanner != nil:
				unruled = append(unruled, c)
			case a.overlap != nil && d.rewritten && !d.recomputed && c.HoldsText() && d.loaded:
				rewritten = append(rewritten, c)
			}
		}
		for _, s := range tablePlaces(t, unruled, true) {
			for i, c := range unruled {
				s.columns[i].scanner = a.decision(c).scanner
			}
			all = append(all, s)
		}
		for _, s := range tablePlaces(t, rewritten, false) {
			for i, c := range rewritten {
				s.columns[i].scrubbed, s.columns[i].again, s.columns[i].written = true, true, a.written(c)
			}
			all = append(all, s)
		}
	}
	return all
}

func tablePlaces(t *schema.Table, columns []*schema.Column, computed bool) []site {
	if len(columns) == 0 {
		return nil
	}
	out := site{name: t.Name.String(), computed: computed}
	var names []string
	for _, c := range columns {
		names = append(names, pgx.Identifier{c.Name}.Sanitize())
		out.columns = append(out.columns, siteColumn{name: c.Root().String(), binary: c.Base.IsBytes() && !c.Array})
	}
	out.sql = "COPY (SELECT " + strings.Join(names, ", ") + " FROM ONLY " + pgx.Identifier{t.Name.Schema, t.Name.Table}.Sanitize() + ") TO STDOUT"
	return []site{out}
}

// viewPlaces are the materialized views that hold rows, in columns that can
// hold text.
func viewPlaces(ctx context.Context, conn *pgx.Conn) ([]site, error) {
	rows, err := conn.Query(ctx, `
		select n.nspname::text, c.relname::text, array_agg(a.attname::text order by a.attnum), array_agg(a.atttypid = 'pg_catalog.bytea'::regtype order by a.attnum)
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace join pg_catalog.pg_attribute a on a.attrelid = c.oid
		where c.relkind = 'm' and c.relispopulated and a.attnum > 0 and not a.attisdropped
		  and a.atttypid <> all ('{bool,int2,int4,int8,oid,float4,float8,numeric,money,date,time,timetz,timestamp,timestamptz,interval,uuid}'::regtype[]::oid[])
		group by 1, 2 order by 1, 2`)
	if err != nil {
		return nil, err
	}
	var all []site
	var namespace, name string
	var columns []string
	var binary []bool
	_, err = pgx.ForEachRow(rows, []any{&namespace, &name, &columns, &binary}, func() error {
		v := site{name: namespace + "." + name, computed: true}
		var quoted []string
		for i, c := range columns {
			quoted = append(quoted, pgx.Identifier{c}.Sanitize())
			v.columns = append(v.columns, siteColumn{name: v.name + "." + c, binary: binary[i]})
		}
		v.sql = "COPY (SELECT " + strings.Join(quoted, ", ") + " FROM " + pgx.Identifier{namespace, name}.Sanitize() + ") TO STDOUT"
		all = append(all, v)
		return nil
	})
	return all, err
}

// catalogueTexts are the texts that people wrote into the schema, each with
// its place, but for those of extensions.
const catalogueTexts = `
	with mine as (select oid, nspname from pg_catalog.pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'),
	relations as (select c.oid, c.relkind, mine.nspname || '.' || c.relname as name, c.relpartbound from pg_catalog.pg_class c join mine on mine.oid = c.relnamespace
		where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
	functions as (select p.oid, mine.nspname || '.' || p.proname as name, p.prosrc, p.prokind, p.proargdefaults, p.proconfig from pg_catalog.pg_proc p join mine on mine.oid = p.pronamespace
		where not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'))
	select 'a comment on ' || coalesce(pg_catalog.pg_describe_object(classoid, objoid, objsubid), '?'), description from pg_catalog.pg_description
		where (objoid >= 16384 or classoid = 'pg_catalog.pg_largeobject'::regclass or classoid = 'pg_catalog.pg_namespace'::regclass and objoid in (select oid from mine) and description <> 'standard public schema')
		and not exists (select from pg_catalog.pg_depend d where d.classid = classoid and d.objid = objoid and d.deptype = 'e')
	union all select 'a comment on a shared object', description from pg_catalog.pg_shdescription where objoid >= 16384
	union all select 'the default of ' || r.name || '.' || a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid)
		from pg_catalog.pg_attrdef d join relations r on r.oid = d.adrelid join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
	union all select 'the constraint ' || k.conname || coalesce(' of ' || r.name, ''), pg_catalog.pg_get_constraintdef(k.oid)
		from pg_catalog.pg_constraint k join mine on mine.oid = k.connamespace left join relations r on r.oid = k.conrelid where k.contype in ('c', 'x')
	union all select 'the index ' || r.name, pg_catalog.pg_get_indexdef(i.indexrelid) from pg_catalog.pg_index i join relations r on r.oid = i.indexrelid where i.indpred is not null or i.indexprs is not null
	union all select 'the view ' || r.name, pg_catalog.pg_get_viewdef(r.oid) from relations r where r.relkind in ('v', 'm')
	union all select 'the function ' || f.name, f.prosrc from functions f
	union all select 'the function ' || f.name, pg_catalog.pg_get_function_arguments(f.oid) from functions f where f.proargdefaults is not null
	union all select 'the function ' || f.name, pg_catalog.pg_get_functiondef(f.oid) from functions f where f.prosrc = '' and f.prokind in ('f', 'p')
	union all select 'the function ' || f.name, pg_catalog.array_to_string(f.proconfig, ' ') from functions f where f.proconfig is not null
	union all select 'the default of ' || mine.nspname || '.' || t.typname, t.typdefault from pg_catalog.pg_type t join mine on mine.oid = t.typnamespace where t.typtype = 'd' and t.typdefault is not null
	union all select 'the statistics ' || mine.nspname || '.' || x.stxname, pg_catalog.pg_get_statisticsobjdef(x.oid) from pg_catalog.pg_statistic_ext x join mine on mine.oid = x.stxnamespace
	union all select 'the publication ' || p.pubname, pg_catalog.to_jsonb(p) ->> 'rowfilter' from pg_catalog.pg_publication_tables p where pg_catalog.to_jsonb(p) ->> 'rowfilter' is not null
	union all select 'a label of ' || mine.nspname || '.' || t.typname, e.enumlabel from pg_catalog.pg_enum e join pg_catalog.pg_type t on t.oid = e.enumtypid join mine on mine.oid = t.typnamespace
	union all select 'the aggregate ' || f.name, pg_catalog.concat_ws(' ', g.agginitval, g.aggminitval) from pg_catalog.pg_aggregate g join functions f on f.oid = g.aggfnoid where coalesce(g.agginitval, g.aggminitval) is not null
	union all select 'the dictionary ' || mine.nspname || '.' || d.dictname, d.dictinitoption from pg_catalog.pg_ts_dict d join mine on mine.oid = d.dictnamespace where d.dictinitoption is not null
	union all select 'the foreign data wrapper ' || fdwname, pg_catalog.array_to_string(fdwoptions, ' ') from pg_catalog.pg_foreign_data_wrapper where fdwoptions is not null
	union all select 'the bounds of ' || r.name, pg_catalog.pg_get_expr(r.relpartbound, r.oid) from relations r where r.relpartbound is not null
	union all select 'the partition key of ' || r.name, pg_catalog.pg_get_partkeydef(r.oid) from relations r join pg_catalog.pg_partitioned_table k on k.partrelid = r.oid where k.partexprs is not null
	union all select 'the policy ' || p.polname || ' of ' || r.name, coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') || ' ' || coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '')
		from pg_catalog.pg_policy p join relations r on r.oid = p.polrelid
	union all select 'the trigger ' || g.tgname || ' of ' || r.name, pg_catalog.pg_get_triggerdef(g.oid) from pg_catalog.pg_trigger g join relations r on r.oid = g.tgrelid where not g.tgisinternal
	union all select 'the rule ' || w.rulename || ' of ' || r.name, pg_catalog.pg_get_ruledef(w.oid) from pg_catalog.pg_rewrite w join relations r on r.oid = w.ev_class where w.rulename <> '_RETURN'
	union all select 'the foreign table ' || r.name, pg_catalog.array_to_string(f.ftoptions, ' ') from pg_catalog.pg_foreign_table f join relations r on r.oid = f.ftrelid where f.ftoptions is not null
	union all select 'the foreign table ' || r.name, pg_catalog.array_to_string(a.attfdwoptions, ' ') from pg_catalog.pg_attribute a join relations r on r.oid = a.attrelid where a.attfdwoptions is not null
	union all select 'the user mapping of ' || srvname, pg_catalog.array_to_string(umoptions, ' ') from pg_catalog.pg_user_mappings where umoptions is not null
	union all select 'the subscription ' || subname, subconninfo from pg_catalog.pg_subscription
	union all select 'the foreign server ' || srvname, pg_catalog.array_to_string(srvoptions, ' ') from pg_catalog.pg_foreign_server where srvoptions is not null
	union all select 'a setting of the database', pg_catalog.array_to_string(setconfig, ' ') from pg_catalog.pg_db_role_setting`

// scanAll copies every place out, over as many connections as there are jobs.
func (a *aftermath) scanAll(ctx context.Context, connect func(context.Context) (*pgx.Conn, error), places []site, jobs int, sink func(*seeker, finding)) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan site, len(places))
	for _, p := range places {
		next <- p
	}
	close(next)
	for range min(max(jobs, 1), len(places)) {
		work.Go(func() error {
			conn, err := scanConn(ctx, connect)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			s := &seeker{aftermath: a, sink: sink, keyed: transform.NewKeyed(a.key)}
			for p := range next {
				s.begin(p)
				w := &rowWriter{row: s.row}
				if _, err := conn.PgConn().CopyTo(ctx, w, p.sql); err != nil {
					return cmp.Or(context.Cause(ctx), fmt.Errorf("leak scan of %s: %w", p.name, errors.Join(w.err, err)))
				}
				s.end()
			}
			return nil
		})
	}
	return work.Wait()
}

// finding is a place in a value.
type finding struct {
	place    string
	what     string
	token    []byte
	real     bool // a sampled value, not only one that looks like one
	scrubbed bool // the column was
}

// seeker looks at the rows of one place after the other; it serves one
// goroutine.
type seeker struct {
	*aftermath
	site
	sink     func(*seeker, finding)
	keyed    *transform.Keyed
	readers  []func(value []byte) error // by column: finds what passes within its values; nil where all is looked at
	raw, buf []byte
	seen     int64
}

func (s *seeker) begin(p site) {
	s.site, s.seen = p, 0
	s.readers = make([]func([]byte) error, len(p.columns))
	for i, c := range p.columns {
		if c.within != nil {
			s.readers[i] = s.within(c.within, func(text []byte) { s.seek(c.name, text, siteColumn{}) })
		}
	}
}

func (s *seeker) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values += s.seen
}

// rowWriter hands on the rows of COPY text, which may come in pieces.
type rowWriter struct {
	row  func(row []byte) error
	rest []byte
	err  error // row's
}

func (w *rowWriter) Write(b []byte) (int, error) {
	n := len(b)
	for {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			w.rest = append(w.rest, b...)
			return n, nil
		}
		row := b[:i]
		if len(w.rest) > 0 {
			w.rest = append(w.rest, row...)
			row = w.rest
		}
		if w.err = w.row(row); w.err != nil {
			return 0, w.err
		}
		w.rest, b = w.rest[:0], b[i+1:]
	}
}

func (s *seeker) row(row []byte) error {
	name := ""
	fields := copytext.Split(row)
	for i := range s.columns {
		field, ok := fields.Next()
		if !ok {
			return errColumns
		}
		if i == 0 && s.columns[0].name == "" { // the catalogue's rows name their place themselves
			name = string(field)
			continue
		}
		if len(field) < detect.Shortest {
			continue
		}
		text, err := s.text(field, s.columns[i].binary)
		if err != nil {
			return err
		}
		s.seen++
		if s.readers[i] != nil {
			if err := s.readers[i](text); err != nil {
				return err
			}
			continue
		}
		s.look(cmp.Or(s.columns[i].name, name), text, s.columns[i])
	}
	return nil
}

// text is what a field says, valid until the next.
func (s *seeker) text(field []byte, binary bool) (text []byte, err error) {
	if copytext.Plain(field) {
		return field, nil
	}
	if s.raw, err = copytext.AppendUnescaped(s.raw[:0], field); err != nil || !binary {
		return s.raw, err
	}
	digits, _ := bytes.CutPrefix(s.raw, []byte(`\x`))
	n, err := hex.Decode(s.raw, digits)
	return s.raw[:n], err
}

// look tells the sink all that is found in a text.
func (s *seeker) look(name string, text []byte, c siteColumn) {
	if s.computed {
		cmp.Or(c.scanner, &s.scanner).Each(text, func(h detect.Hit) {
			s.sink(s, finding{name, h.Kind.Words(), text[h.From:h.To], false, c.scrubbed})
		})
	}
	if s.overlap != nil {
		s.seek(name, text, c)
	}
}

// seek tells the sink of real values.
func (s *seeker) seek(name string, text []byte, c siteColumn) {
	for at, end, column := 0, 0, int32(0); ; {
		if at, end, column, s.buf = s.overlap.find(text, end, s.buf); at < 0 {
			return
		}
		if c.again && c.written.mayHold(text) {
			return
		}
		s.sink(s, finding{name, "a real value of " + s.overlap.names[column], text[at:end], true, c.scrubbed})
	}
}

// fingerprint is keyed, and the same whatever the case of letters.
func (s *seeker) fingerprint(token []byte) uint64 {
	s.buf = appendFolded(s.buf[:0], token)
	return binary.BigEndian.Uint64(s.keyed.Digest([]byte("fingerprint\x00"), s.buf)[:transform.FingerprintSize])
}

// suspect notes what was found.
func (s *seeker) suspect(f finding) {
	fingerprint := s.fingerprint(f.token)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.suspects[fingerprint] {
		if known.place == f.place && known.real == f.real {
			known.count++
			return
		}
	}
	if s.kept++; s.kept > mostSuspects {
		s.full = true
		return
	}
	s.suspects[fingerprint] = append(s.suspects[fingerprint], &suspect{place: f.place, what: f.what, real: f.real, computed: s.computed, count: 1})
}

// explain takes away what was computed from this: a value that a rule let
// through or made; a real one only where a rule happened to make it again.
func (s *seeker) explain(f finding) {
	fingerprint := s.fingerprint(f.token)
	s.mu.Lock()
	defer s.mu.Unlock()
	left := slices.DeleteFunc(s.suspects[fingerprint], func(known *suspect) bool {
		return known.computed && known.real == f.real && (!f.real || f.scrubbed)
	})
	if len(left) == 0 {
		delete(s.suspects, fingerprint)
		return
	}
	s.suspects[fingerprint] = left
}

// checks tell what is left, each place once.
func (a *aftermath) checks(places []site) []verdict.Check {
	byPlace := map[string]*found{}
	for fingerprint, all := range a.suspects {
		for _, s := range all {
			f := byPlace[s.place]
			if f == nil {
				f = &found{what: map[string]int64{}}
				byPlace[s.place] = f
			}
			f.what[s.what] += s.count
			f.fingerprints = append(f.fingerprints, fmt.Sprintf("%016x", fingerprint))
		}
	}
	checks := []verdict.Check{a.summary(places, byPlace)}
	for _, name := range slices.Sorted(maps.Keys(byPlace)) {
		if len(checks) > mostPlaces { // the summary says how many there are
			break
		}
		checks = append(checks, byPlace[name].check(a.names.Place(name)))
	}
	return checks
}

// summary says what was looked at.
func (a *aftermath) summary(places []site, byPlace map[string]*found) verdict.Check {
	c := verdict.Check{ID: "leak_scan:stored", Stage: verdict.StageScrub, Code: verdict.CodeLeak, Outcome: verdict.Pass,
		Expected: "nothing sensitive in what the server computed, nor in the catalogue's texts",
		Observed: fmt.Sprintf("%s in %s looked at, findings in %d", amount(a.values, "value"), amount(int64(len(places)), "place"), len(byPlace))}
	if a.ownCode {
		c.Observed += "; looked at again, since code of the backup's own may have run"
	}
	if a.overlap != nil {
		c.Expected += fmt.Sprintf("; none of %s of %s in any column that no rule rewrites", amount(int64(a.overlap.values), "sampled real value"), amount(int64(len(a.overlap.names)), "column"))
	}
	switch {
	case len(byPlace) > 0:
		c.Outcome = verdict.Error
		c.Message = "the sandbox holds what it may not, and is removed"
		c.Hint = "see the findings by place"
	case a.full:
		c.Outcome = verdict.Error
		c.Message = fmt.Sprintf("more than %d different values that look sensitive were computed: they cannot all be told from pseudonyms", mostSuspects)
		c.Hint = "allow them under scrub.leak_scan.allow"
	}
	return c
}

// found is what one place holds.
type found struct {
	what         map[string]int64
	fingerprints []string
}

func (f *found) check(name string) verdict.Check {
	const shown = 3
	var parts []string
	for _, what := range slices.Sorted(maps.Keys(f.what)) {
		parts = append(parts, fmt.Sprintf("%s (%s)", what, amount(f.what[what], "time")))
	}
	slices.Sort(f.fingerprints)
	f.fingerprints = slices.Compact(f.fingerprints)
	prints := strings.Join(f.fingerprints[:min(len(f.fingerprints), shown)], ", ")
	if n := len(f.fingerprints) - shown; n > 0 {
		prints += fmt.Sprintf(" and %d more", n)
	}
	return verdict.Check{
		ID: "leak:" + name, Stage: verdict.StageScrub, Code: verdict.CodeLeak, Outcome: verdict.Error,
		Expected: "nothing that looks sensitive or is a real value", Observed: strings.Join(parts, ", "),
		Message: fmt.Sprintf("%s holds %s; keyed %s", name, strings.Join(parts, ", "), plural("fingerprint", len(f.fingerprints))+" "+prints),
		Hint:    "write a rule for the column, or for those it is computed from; remove the value from the schema; or, if it is not personal data, let scrub.leak_scan.allow match it",
	}
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}
