package restore

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// function is one that the restored schema may call. What it does may depend
// on what else is restored by then, unless it is known to be pure.
type function struct {
	id                   uint32
	schema, name         string
	language, extension  string
	volatility           string // pg_proc.provolatile: i, s, v
	body                 string // of SQL with BEGIN ATOMIC as pg_node_tree writes it; of an internal one its name
	trigger              bool   // callable by a trigger alone
	isCast, isOfOperator bool
}

func (f function) display() string { return f.schema + "." + f.name }

// firstUserID is the first oid that initdb leaves to users (FirstNormalObjectId
// in src/include/access/transam.h): what lies below is the server's own.
const firstUserID = 16384

// builtIn are the server's own functions that are not immutable and read no
// row, sequence, large object or index all the same. Whatever is missing here
// costs time, never truth.
var builtIn = wordSet(
	// the time, and the session's zone and format for it
	`now clock_timestamp statement_timestamp transaction_timestamp timeofday age date date_part date_trunc
	 date_bin extract timezone timestamp timestamptz time timetz make_timestamptz date_cmp_timestamptz
	 date_eq_timestamptz date_ge_timestamptz date_gt_timestamptz date_le_timestamptz date_lt_timestamptz
	 date_ne_timestamptz timestamp_cmp_timestamptz timestamp_eq_timestamptz timestamp_ge_timestamptz
	 timestamp_gt_timestamptz timestamp_le_timestamptz timestamp_lt_timestamptz timestamp_ne_timestamptz
	 timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq_date timestamptz_eq_timestamp
	 timestamptz_ge_date timestamptz_ge_timestamp timestamptz_gt_date timestamptz_gt_timestamp
	 timestamptz_le_date timestamptz_le_timestamp timestamptz_lt_date timestamptz_lt_timestamp
	 timestamptz_ne_date timestamptz_ne_timestamp timestamptz_mi_interval timestamptz_pl_interval
	 interval_pl_timestamptz overlaps in_range date_in date_out time_in time_out timetz_in timetz_out
	 timestamp_in timestamp_out timestamptz_in timestamptz_out interval_in interval_out generate_series`,
	// chance
	`random random_normal gen_random_uuid uuidv4 uuidv7`,
	// the session: its settings, its user, its server
	`current_setting current_user session_user getpgusername current_database getdatabaseencoding version current_schema
	 current_schemas inet_client_addr inet_client_port inet_server_addr inet_server_port`,
	// writing values down, in the session's formats and by the types' own functions
	`to_char to_date to_timestamp to_number concat concat_ws format quote_literal quote_nullable array_to_string textanycat
	 anytextcat convert convert_from convert_to length money numeric cash_in cash_out xml xml_in xml_out xml_is_well_formed
	 array_in array_out record_out range_in range_out multirange_in multirange_out enum_in enum_out enum_first enum_last
	 enum_range`,
	// documents and their paths
	`jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_tz jsonb_path_query_array_tz jsonb_path_query_first_tz`,
	// text search in the configuration of the session
	`to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery json_to_tsvector jsonb_to_tsvector
	 get_current_ts_config`,
)

// extensions are those of which no function reads a row or a large object: types
// with what compares and indexes them, hashes and texts. The image brings their
// scripts, not the backup. Empty: all of the extension's functions in C or SQL;
// else those that match, as far as they are known.
var extensions = map[string]*regexp.Regexp{
	"btree_gin": nil, "btree_gist": nil, "citext": nil, "cube": nil, "earthdistance": nil, "fuzzystrmatch": nil,
	"hstore": nil, "intarray": nil, "isn": nil, "ltree": nil, "pg_trgm": nil, "pgcrypto": nil, "seg": nil,
	"unaccent": nil, "uuid-ossp": nil, "vector": nil, "semver": nil, "ip4r": nil, "prefix": nil, "bloom": nil,
	"pg_uuidv7": nil, "h3": nil, "hll": nil, "roaringbitmap": nil, "rum": nil, "pg_bigm": nil, "tdigest": nil, "topn": nil,
	// It does nothing while timescaledb.restoring is on.
	"timescaledb": regexp.MustCompile(`^process_ddl_event$`),
	// ST_Transform and geography's functions look into spatial_ref_sys; these do not.
	"postgis": regexp.MustCompile(`^(?:geometry_.*|geometry|gserialized_.*|box2d.*|box3d.*|geometrytype|` +
		`st_(?:srid|ndims|coorddim|geometrytype|isvalid|isempty|x|y|z|m|setsrid|makepoint|point|force2d|astext|asbinary` +
		`|envelope|npoints))$`),
}

func wordSet(groups ...string) map[string]bool {
	set := map[string]bool{}
	for _, g := range groups {
		for _, w := range strings.Fields(g) {
			set[w] = true
		}
	}
	return set
}

// functions are those that a schema calls, by oid.
type functions map[uint32]*function

// readFunctions asks for the functions that the backup brought, and those of the
// server that are called: by their own oids or those of operators.
func readFunctions(ctx context.Context, conn *pgx.Conn, called []uint32) (functions, error) {
	known := functions{}
	for asked := map[uint32]bool{}; ; {
		if err := known.read(ctx, conn, called, len(asked) == 0); err != nil {
			return nil, err
		}
		for _, id := range called {
			asked[id] = true
		}
		called = nil
		for _, f := range known {
			for _, id := range callsOf(f.body) {
				if known[id] == nil && !asked[id] {
					called = append(called, id)
				}
			}
		}
		if len(called) == 0 {
			return known, nil
		}
	}
}

func (known functions) read(ctx context.Context, conn *pgx.Conn, called []uint32, all bool) error {
	rows, err := conn.Query(ctx, `
select p.oid, n.nspname::text, p.proname::text, l.lanname::text, coalesce(e.extname, '')::text, p.provolatile::text,
       case when p.oid < $3 then '' when l.lanname = 'internal' then p.prosrc
            when l.lanname = 'sql' then coalesce(pg_catalog.to_jsonb(p) ->> 'prosqlbody', '') else '' end,
       p.prorettype in ('pg_catalog.trigger'::pg_catalog.regtype, 'pg_catalog.event_trigger'::pg_catalog.regtype),
       exists (select from pg_catalog.pg_cast c where c.castfunc = p.oid and p.oid >= $3),
       coalesce((select pg_catalog.array_agg(o.oid) from pg_catalog.pg_operator o
                  where o.oprcode = p.oid and (p.oid >= $3 or o.oid = any ($1))), '{}')
  from pg_catalog.pg_proc p
  join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_language l on l.oid = p.prolang
  left join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'e'
  left join pg_catalog.pg_extension e on e.oid = d.refobjid
 where p.oid >= $3 and $2 or p.oid = any ($1)
    or p.oid in (select o.oprcode from pg_catalog.pg_operator o where o.oid = any ($1))`, called, all,
		uint32(firstUserID))
	if err != nil {
		return err
	}
	var f function
	var operators []uint32
	fields := []any{&f.id, &f.schema, &f.name, &f.language, &f.extension, &f.volatility, &f.body, &f.trigger, &f.isCast,
		&operators}
	_, err = pgx.ForEachRow(rows, fields, func() error {
		one := f
		one.isOfOperator = len(operators) > 0
		known[f.id] = &one
		for _, id := range operators {
			known[id] = &one
		}
		return nil
	})
	return err
}

// impure returns the first of the functions of which it is not known that they
// read nothing that a restore brings back; nil for none.
func (known functions) impure(ids []uint32) *function {
	for _, id := range ids {
		f := known[id]
		if f == nil {
			return &function{id: id, schema: "function", name: strconv.FormatUint(uint64(id), 10)}
		}
		if !known.pure(f, nil) {
			return f
		}
	}
	return nil
}

func (known functions) pure(f *function, within []uint32) bool {
	switch {
	case f.id < firstUserID:
		return f.volatility == "i" || builtIn[f.name]
	case f.extension != "":
		only, ok := extensions[f.extension]
		spoken := f.language == "c" || f.language == "internal" || f.language == "sql"
		return ok && spoken && (only == nil || only.MatchString(f.name))
	case f.language == "internal":
		return rangeConstructor.MatchString(f.body)
	case f.body == "" || readsRelation.MatchString(f.body) || slices.Contains(within, f.id):
		return false
	}
	within = append(within, f.id)
	return !slices.ContainsFunc(callsOf(f.body), func(id uint32) bool {
		called := known[id]
		return called == nil || !known.pure(called, within)
	})
}

// rangeConstructor is what CREATE TYPE … AS RANGE makes functions of.
var rangeConstructor = regexp.MustCompile(`^(?:multi)?range_constructor[0-3]$`)

// What a node tree (src/backend/nodes/outfuncs.c) says of the functions and
// operators that it calls, and of the relations that it reads.
var (
	nodeCall = regexp.MustCompile(
		`:(?:funcid|opno|opfuncid|aggfnoid|winfnoid|sortop|eqop) (\d+)|:opnos \(o ([\d ]+)\)`,
	)
	readsRelation = regexp.MustCompile(`:relid [1-9]|\{NEXTVALUEEXPR`)
	nodeResult    = regexp.MustCompile(`:resulttype (\d+)`)
)

// callsOf are the oids of functions and operators that a node tree calls.
func callsOf(tree string) (ids []uint32) {
	for _, m := range nodeCall.FindAllStringSubmatch(tree, -1) {
		for _, digits := range strings.Fields(m[1] + m[2]) {
			if id, err := strconv.ParseUint(digits, 10, 32); err == nil && id > 0 {
				ids = append(ids, uint32(id))
			}
		}
	}
	return ids
}

// resultsOf are the oids of the types that a node tree turns values into.
func resultsOf(tree string) (ids []uint32) {
	for _, m := range nodeResult.FindAllStringSubmatch(tree, -1) {
		if id, err := strconv.ParseUint(m[1], 10, 32); err == nil {
			ids = append(ids, uint32(id))
		}
	}
	return ids
}
