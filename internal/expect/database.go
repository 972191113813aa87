package expect

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// ofDatabase are the checks of the database as a whole, in the order of the
// drill file's example.
func ofDatabase(e spec.Expectations, o Options) []pendingCheck {
	var all []pendingCheck
	add := func(key string, declared bool, c pendingCheck) {
		if declared {
			c.lenient = slices.Contains(e.WarnOnly, key)
			all = append(all, c)
		}
	}
	for _, name := range e.Extensions {
		add("extensions", true, extension(name, e.Extensions, o))
	}
	for _, name := range e.Roles {
		add("roles", true, role(name, e.Roles, o))
	}
	for _, s := range e.Settings {
		add("settings", true, setting(s, e.Settings, o))
	}
	add("unlisted_tables", e.UnlistedTables == "warn" || e.UnlistedTables == "fail", unlistedTables(e, o.Excluded))
	add("sequences", e.Sequences, sequences(o.Rewritten))
	add("indexes", e.Indexes, indexes.check())
	add("constraints", e.Constraints, constraints.check())
	add("materialized_views", e.MaterializedViews, materializedViews(e.Tables, o.LeftEmpty).check())
	add("collations", e.Collations, collations.check())
	if e.Schema != nil {
		add("schema", true, checkSchema(*e.Schema, o.Structure, o.Names))
	}
	return all
}

// users keeps what belongs to users: c is pg_class, n its pg_namespace.
const users = `n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_%'
  and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.objid = c.oid and d.deptype = 'e')`

// likeNamed are the names that SQL gives, which are near and of which the drill
// file means none by another entry of its list.
func likeNamed(ctx context.Context, q *query, name string, listed []string, sql string) ([]string, error) {
	there, err := askNames(ctx, q, sql)
	if err != nil {
		return nil, fmt.Errorf("look for what is named like %s: %w", name, err)
	}
	return slices.DeleteFunc(nearest(name, there), func(near string) bool { return slices.Contains(listed, near) }), nil
}

func extension(name string, listed []string, o Options) pendingCheck {
	const all = "select extname from pg_catalog.pg_extension order by 1"
	const find = `
select a.name is not null, e.extname is not null
from (select $1::pg_catalog.text) w(name)
left join pg_catalog.pg_available_extensions a on a.name = w.name
left join pg_catalog.pg_extension e on e.extname = w.name`
	return pendingCheck{
		Check: verdict.Check{ID: "extensions:" + name, Code: verdict.CodeExtensions, Expected: "present"},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			rows, err := q.rows(ctx, find, name)
			if err != nil || len(rows) != 1 {
				return fmt.Errorf("look for the extension %s: %w", name, err)
			}
			available, there := string(rows[0][0]) == "t", string(rows[0][1]) == "t"
			if there {
				c.Pass("present")
				return nil
			}
			near, err := likeNamed(ctx, q, name, listed, all)
			switch {
			case err != nil:
				return err
			case !available && len(near) > 0 && o.hadChecked(c.ID) == nil:
				return verdict.Errorf(verdict.CodeExtensions, guess.Meant(near)+correct,
					"the sandbox has no extension %s to restore, and the backup creates one with a similar name", name)
			case !available:
				return verdict.Errorf(verdict.CodeExtensions,
					"choose an image that has it (sandbox.image): without it, nothing shows "+
						"whether the backup creates it",
					"the sandbox has no extension %s to be restored", name)
			}
			absent{
				what: "the extension " + name + " is not in the restored database", near: near, had: o.hadChecked(c.ID),
				o: o,
				lost: "the backup does not create it: was it dropped, or dumped without (--schema, --extension)? " +
					"what rests on it would fail",
			}.tell(c, "missing")
			return nil
		},
	}
}

// role judges whether the backup gives anything to a role: a dump that was
// taken without owners and privileges restores well, and nobody may read it.
func role(name string, listed []string, o Options) pendingCheck {
	const all = `
select distinct r.rolname from pg_catalog.pg_roles r
left join pg_catalog.pg_shdepend d on d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass and d.refobjid = r.oid
join pg_catalog.pg_database b on b.datname = pg_catalog.current_database()
where r.oid = 10 or d.dbid = b.oid or d.dbid = 0 and d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
  and d.objid = b.oid
order by 1`
	// The first superuser owns without a trace in pg_shdepend.
	const find = `
select r.oid is not null, coalesce(r.oid = 10, false),
       (select pg_catalog.count(*) from pg_catalog.pg_shdepend d
        where d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass and d.refobjid = r.oid
          and d.dbid in (0, b.oid) and (d.dbid <> 0 or d.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
            and d.objid = b.oid))
from pg_catalog.pg_database b left join pg_catalog.pg_roles r on r.rolname = $1::pg_catalog.text
where b.datname = pg_catalog.current_database()`
	return pendingCheck{
		Check: verdict.Check{ID: "roles:" + name, Code: verdict.CodeRoles,
			Expected: "owns something, or may something"},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			rows, err := q.rows(ctx, find, name)
			if err != nil || len(rows) != 1 {
				return fmt.Errorf("look for the role %s: %w", name, err)
			}
			there := string(rows[0][0]) == "t"
			first := string(rows[0][1]) == "t"
			things := string(rows[0][2])
			switch {
			case first:
				c.Pass("superuser")
			case there && things != "0":
				c.Pass(fmt.Sprintf("named by %s of the database's objects", things))
			default:
				near, err := likeNamed(ctx, q, name, listed, all)
				if err != nil {
					return err
				}
				absent{
					what: "nothing in the restored database belongs to the role " + name +
						", and nothing is granted to it", near: near, had: o.hadChecked(c.ID), o: o,
					lost: "was the dump taken with --no-owner or --no-privileges, or the role renamed? after a real " +
						"restore its applications would be refused",
				}.tell(c, "owns nothing, may nothing")
			}
			return nil
		},
	}
}

// setting judges one that the database has for all its sessions. Who gives it
// a dot in its name invents it, and may keep a secret in it: such a value is
// not shown.
func setting(s spec.Setting, declared []spec.Setting, o Options) pendingCheck {
	const all = `
select distinct pg_catalog.lower(pg_catalog.split_part(kept, '=', 1))
from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_database b on b.oid = s.setdatabase and b.datname = pg_catalog.current_database()
cross join lateral pg_catalog.unnest(s.setconfig) as kept
where s.setrole = 0
order by 1`
	var listed []string
	for _, d := range declared {
		listed = append(listed, d.Name)
	}
	const find = `
select pg_catalog.substr(kept, pg_catalog.strpos(kept, '=') + 1)
from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_database b on b.oid = s.setdatabase and b.datname = pg_catalog.current_database()
cross join lateral pg_catalog.unnest(s.setconfig) as kept
where s.setrole = 0 and pg_catalog.lower(pg_catalog.split_part(kept, '=', 1)) = $1::pg_catalog.text`
	public := !strings.Contains(s.Name, ".")
	shown := func(value string) string {
		if public {
			return printable(value)
		}
		return "another value"
	}
	expected := "as declared"
	if public {
		expected = s.Value
	}
	return pendingCheck{
		Check: verdict.Check{ID: "settings:" + s.Name, Code: verdict.CodeSettings, Expected: expected},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			rows, err := q.rows(ctx, find, s.Name)
			if err != nil {
				return fmt.Errorf("look for the setting %s: %w", s.Name, err)
			}
			const hint = "set it after a restore (ALTER DATABASE … SET), or correct the drill file; a plain dump " +
				"holds it only if taken with --create"
			switch {
			case len(rows) == 0:
				near, err := likeNamed(ctx, q, s.Name, listed, all)
				if err != nil {
					return err
				}
				absent{what: "the restored database does not set " + s.Name, near: near, had: o.hadChecked(c.ID), o: o,
					lost: hint}.tell(c, "not set")
			case string(rows[0][0]) == s.Value, means(ctx, q, s.Name, s.Value, string(rows[0][0])):
				c.Pass(expected)
			default:
				c.Say(verdict.Fail, shown(string(rows[0][0])), hint,
					"the restored database sets %s to something else than declared", s.Name)
			}
			return nil
		},
	}
}

// means reports whether the server takes two ways of writing a setting for one:
// 64MB and 65536kB. Of what cannot be set in a session it cannot be asked.
func means(ctx context.Context, q *query, name, one, other string) bool {
	rows, err := q.rows(ctx, `
select pg_catalog.set_config($1::pg_catalog.text, $2::pg_catalog.text,
  true) = pg_catalog.set_config($1::pg_catalog.text, $3::pg_catalog.text, true)`, name, one, other)
	return err == nil && len(rows) == 1 && string(rows[0][0]) == "t"
}

// unlistedTables judges tables that nobody thought of when the drill file was
// written. Partitions belong to their root, and what is excluded was thought of.
func unlistedTables(e spec.Expectations, excluded func(schema, table string) bool) pendingCheck {
	listed := listedTables(e)
	const find = `
select n.nspname, c.relname
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and ` + users + `
order by 1, 2`
	return pendingCheck{
		Check: verdict.Check{ID: "unlisted_tables", Code: verdict.CodeUnlistedTables, Expected: "none"},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			rows, err := q.rows(ctx, find)
			if err != nil {
				return fmt.Errorf("list the tables: %w", err)
			}
			var names []string
			for _, row := range rows {
				name := spec.Name{Schema: string(row[0]), Table: string(row[1])}
				if !listed[name] && (excluded == nil || !excluded(name.Schema, name.Table)) {
					names = append(names, name.String())
				}
			}
			if len(names) == 0 {
				c.Pass("none")
				return nil
			}
			c.Say(verdict.Outcome(e.UnlistedTables), strconv.Itoa(len(names)),
				"add them to expectations.tables with what must be in them, or to scrub.exclude_table_data",
				"nothing is expected of %s", q.session.names.several(names))
			return nil
		},
	}
}

// several writes names that may be told, and no more than can be read; of the
// others it says how many there are.
func (l *lookup) several(names []string) string {
	const most = 8
	told := l.tellable(names)
	unnamed := ""
	n := len(names) - len(told)
	switch {
	case n == 1:
		unnamed = "1 that the backup does not name"
	case n > 1:
		unnamed = fmt.Sprintf("%d that the backup does not name", n)
	}
	if len(told) > most+1 {
		told = append(told[:most:most], fmt.Sprintf("and %d more", len(told)-most))
	}
	if unnamed != "" {
		told = append(told, unnamed)
	}
	return strings.ReplaceAll(strings.Join(told, ", "), ", and ", " and ")
}

// howMuch is a number that stands beside names.
var howMuch = regexp.MustCompile(` by \d+ `)

// tellable are those names, each of several words, that the backup or the drill
// file holds.
func (l *lookup) tellable(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names),
		func(name string) bool { return !l.told.Words(howMuch.ReplaceAllString(name, " by ")) })
}

// census looks at every object of a kind for one property.
type census struct {
	id       string
	code     verdict.Code
	one      string // index
	all      string // indexes
	good     string // valid
	sql      func(version int) string
	rejected string // "not valid"
	hint     string
	spared   func(row [][]byte) bool // rows of the SQL that are not judged; nil: none
}

// check is the one for objects that the SQL lists as name and whether it is
// good.
func (k census) check() pendingCheck {
	return pendingCheck{
		Check: verdict.Check{ID: k.id, Code: k.code, Expected: "all " + k.good},
		judge: func(ctx context.Context, q *query, c *verdict.Check) error {
			version, err := q.version(ctx)
			if err != nil {
				return err
			}
			rows, err := q.rows(ctx, k.sql(version))
			if err != nil {
				return fmt.Errorf("look at the %s: %w", k.all, err)
			}
			all := len(rows)
			if k.spared != nil {
				rows = slices.DeleteFunc(rows, k.spared)
			}
			if spared := all - len(rows); spared == all && spared > 0 {
				c.Say(verdict.Skipped, fmt.Sprintf("%d not judged", spared), "",
					"none of the %s is judged: each may be rebuilt, or was left unfilled in the sandbox", k.all)
				return nil
			}
			var bad []string
			for _, row := range rows {
				if string(row[1]) != "t" {
					bad = append(bad, string(row[0]))
				}
			}
			k.judge(c, len(rows), bad, q.session.names.several)
			return nil
		},
	}
}

func (k census) judge(c *verdict.Check, total int, bad []string, several func([]string) string) {
	switch {
	case total == 0:
		c.Pass("there are none")
	case len(bad) == 0:
		c.Pass(fmt.Sprintf("%d, all %s", total, k.good))
	default:
		slices.Sort(bad)
		what, are := k.all, "are"
		if len(bad) == 1 {
			what, are = k.one, "is"
		}
		c.Say(verdict.Fail, fmt.Sprintf("%d of %d %s", len(bad), total, k.rejected), k.hint, "the %s %s %s %s", what,
			several(bad), are, k.rejected)
	}
}

var indexes = census{
	id: "indexes", code: verdict.CodeIndexes, one: "index", all: "indexes", good: "valid", rejected: "not valid",
	hint: "no query uses such an index, and a unique one guards nothing: build it anew (REINDEX), or " +
		"attach what its partitions lack",
	sql: func(int) string {
		return `
select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), i.indisvalid and i.indisready
  and i.indislive
from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where ` + users
	},
}

// constraints leaves those out that only follow from another's.
var constraints = census{
	id: "constraints", code: verdict.CodeConstraints, one: "constraint", all: "constraints", good: "validated",
	rejected: "NOT VALID",
	hint:     "rows that break it may be there: find them, then ALTER TABLE … VALIDATE CONSTRAINT in production",
	sql: func(int) string {
		return `
select coalesce(pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname),
  pg_catalog.format_type(k.contypid, null))
       || '.' || pg_catalog.quote_ident(k.conname), k.convalidated
from pg_catalog.pg_constraint k
left join pg_catalog.pg_class c on c.oid = k.conrelid
join pg_catalog.pg_namespace n on n.oid = k.connamespace
where k.contype in ('c', 'f', 'n') and k.conparentid = 0 and (k.conislocal or k.coninhcount = 0) and ` + users
	},
}

// materializedViews leaves those out that may be missing or empty.
func materializedViews(tables []spec.Table, leftEmpty func(schema, table string) bool) census {
	rebuildable := map[spec.Name]bool{}
	for _, t := range tables {
		rebuildable[t.Table] = t.Rebuildable
	}
	return census{
		spared: func(row [][]byte) bool {
			n := spec.Name{Schema: string(row[2]), Table: string(row[3])}
			return rebuildable[n] || leftEmpty != nil && leftEmpty(n.Schema, n.Table)
		},
		id: "materialized_views", code: verdict.CodeMaterializedViews, one: "materialized view",
		all: "materialized views", good: "populated", rejected: "not populated",
		hint: "it was dumped unpopulated, or its query failed in the restore: REFRESH it there " +
			"and look; queries on it fail",
		sql: func(int) string {
			return `
select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), c.relispopulated, n.nspname,
  c.relname
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'm' and ` + users
		},
	}
}

// collations are those in use whose version the database notes: C never
// changes and has none. A logical dump says no versions, unless its SQL does:
// then the restore has noted those of the machine it was on.
var collations = census{
	id: "collations", code: verdict.CodeCollations, one: "collation", all: "collations", good: "of the version noted",
	rejected: "of another version than noted",
	hint: "what was sorted by the noted version is out of order under this machine's: REINDEX, then ALTER COLLATION " +
		"(or DATABASE) … REFRESH VERSION; or use an image of production's system",
	sql: func(version int) string {
		sql := `
select pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname), l.collversion is not distinct
  from pg_catalog.pg_collation_actual_version(l.oid)
from pg_catalog.pg_collation l join pg_catalog.pg_namespace n on n.oid = l.collnamespace
where l.collversion is not null and (n.nspname <> 'pg_catalog' or l.oid in (
  select a.attcollation from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where a.attnum > 0 and not a.attisdropped and ` + users + `))`
		if version < 150000 { // before, a database noted none
			return sql
		}
		return sql + `
union all
select 'of the database', b.datcollversion is not distinct from pg_catalog.pg_database_collation_actual_version(b.oid)
from pg_catalog.pg_database b where b.datname = pg_catalog.current_database() and b.datcollversion is not null`
	},
}
