package restore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
)

// observers are what can see in which order a restore goes: expressions, types,
// triggers and keys that call something while rows are stored or indexes are
// built, of which it is not known that it reads nothing else. Around them the
// order is pg_restore's own.
type observers struct {
	tables map[tableName][]reason // what storing a row in the table calls
	// what the SQL of a later entry would show of a call:
	calls     map[tableName]bool // functions, by schema and name
	unsaid    map[string]bool
	casts     bool // written as ::type
	domains   bool
	operators bool
	classes   string // an operator class that observes, so that comparing may; empty for none
	events    string // an event trigger that observes, so that building anything may; empty for none
}

// reason is why the archive's order is kept for something.
type reason struct{ object, calls string }

func (c reason) String() string {
	if c.calls == "" {
		return c.object
	}
	return c.object + " calls " + c.calls
}

// expression is one thing of the restored schema that is evaluated when rows
// are stored in a table, or when anything is built.
type expression struct {
	table tableName
	// kind is check, generated, partition, domain, type, regclass, key, index or
	// trigger; and of no table event, class or domain.
	kind   string
	object string
	typeID uint32   // of a domain
	tree   string   // pg_node_tree
	calls  []uint32 // functions that it calls by itself
}

// observe reads what of the restored schema can see the order of a restore.
func (s *Session) observe(ctx context.Context) (*observers, error) {
	conn, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	expressions, err := readExpressions(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the expressions of the restored schema of %s: %w", s.archive.Database, err)
	}
	called := map[uint32]bool{}
	for _, e := range expressions {
		for _, id := range slices.Concat(e.calls, callsOf(e.tree)) {
			called[id] = true
		}
	}
	known, err := readFunctions(ctx, conn, slices.Collect(maps.Keys(called)))
	if err != nil {
		return nil, fmt.Errorf("read the functions of the restored schema of %s: %w", s.archive.Database, err)
	}
	return newObservers(expressions, known, s.tables), nil
}

func newObservers(expressions []expression, known functions, tables []*tableLoad) *observers {
	o := &observers{tables: map[tableName][]reason{}, calls: map[tableName]bool{}, unsaid: map[string]bool{}}
	o.learn(known)
	for _, e := range expressions {
		c, ok := o.reason(e, known, nil)
		switch {
		case ok && e.kind == "event":
			o.events = c.String()
		case ok && e.kind == "class":
			o.classes = c.String()
		}
	}
	domains := o.findDomains(expressions, known)
	roots := map[tableName][]reason{}
	for _, e := range expressions {
		c, ok := o.reason(e, known, domains)
		switch {
		case !ok || e.table == tableName{}:
		case e.kind == "partition":
			roots[e.table] = append(roots[e.table], c)
		default:
			o.tables[e.table] = append(o.tables[e.table], c)
		}
	}
	o.spread(roots, tables)
	return o
}

// learn keeps the names by which an entry's SQL would show calls that observe.
func (o *observers) learn(known functions) {
	for _, f := range known {
		if f.id < firstUserID || f.trigger || known.pure(f, nil) {
			continue
		}
		o.calls[tableName{f.schema, f.name}], o.unsaid[f.name] = true, true
		o.casts = o.casts || f.isCast
		o.operators = o.operators || f.isOfOperator
	}
}

// findDomains returns the oids of the domains whose checks observe, directly or
// by a cast to such a domain.
func (o *observers) findDomains(expressions []expression, known functions) map[uint32]bool {
	found := map[uint32]bool{}
	for again := true; again; {
		again = false
		for _, e := range expressions {
			if e.kind != "domain" || found[e.typeID] {
				continue
			}
			if _, ok := o.reason(e, known, found); ok {
				found[e.typeID], again = true, true
			}
		}
	}
	o.domains = len(found) > 0
	return found
}

const regclass = 2205 // pg_type.dat

// reason returns why an expression observes, if it does.
func (o *observers) reason(e expression, known functions, domains map[uint32]bool) (c reason, ok bool) {
	c.object = e.object
	switch {
	case e.kind == "key", e.kind == "regclass":
		return c, true
	case o.classes != "" && e.tree != "":
		c.calls = o.classes
		return c, true
	}
	if f := known.impure(slices.Concat(e.calls, callsOf(e.tree))); f != nil {
		c.calls = f.display()
		return c, true
	}
	for _, id := range resultsOf(e.tree) {
		if domains[id] {
			c.calls = "a domain's check"
			return c, true
		}
		if id == regclass && strings.Contains(e.tree, "{COERCEVIAIO ") {
			c.calls = "regclass"
			return c, true
		}
	}
	return c, false
}

// spread gives every table of a partition tree the reasons of the partition keys
// above it; and where rows go through the root, those of all its partitions.
func (o *observers) spread(roots map[tableName][]reason, tables []*tableLoad) {
	within := map[tableName][]reason{}
	for _, t := range tables {
		if root := t.treeRoot(); root != (tableName{}) && !t.direct {
			within[root] = append(within[root], o.tables[t.tableName]...)
		}
	}
	for _, t := range tables {
		root := t.treeRoot()
		if root == (tableName{}) {
			continue
		}
		all := slices.Concat(o.tables[t.tableName], roots[root], within[root])
		if len(all) > 0 {
			slices.SortFunc(all, func(a, b reason) int { return cmp.Compare(a.String(), b.String()) })
			o.tables[t.tableName] = slices.Compact(all)
		}
	}
}

// treeRoot is the root of the partition tree that the table is in, itself
// included; none for others.
func (t *tableLoad) treeRoot() tableName {
	if t.kind == partitioned && t.root == (tableName{}) {
		return t.tableName
	}
	return t.root
}

// ofTable returns why a table's rows must be loaded in the archive's order; none
// if they need not be. isData reports whether an id is that of a TABLE DATA entry.
func (o *observers) ofTable(t *tableLoad, isData func(id int) bool) []reason {
	reasons := o.tables[t.tableName]
	if len(reasons) == 0 && slices.ContainsFunc(t.entry.Deps, isData) {
		return []reason{{object: "rows that the archive makes it wait for"}}
	}
	return reasons
}

var (
	// sqlCall is a call as the server writes it down: no blank before the bracket.
	sqlCall = regexp.MustCompile(`(?:(` + ident + `)\.)?(` + ident + `)\(`)
	// castToOwn is a cast to a type that is not the server's own: those it writes
	// without a schema.
	castToOwn = regexp.MustCompile(`::` + qualified)
)

// ofSQL returns what may observe among the calls in an entry's SQL.
func (o *observers) ofSQL(sql string) (calls string, ok bool) {
	switch {
	case o.classes+o.events != "":
		return cmp.Or(o.classes, o.events), true
	case o.operators && strings.Contains(sql, "OPERATOR("):
		return "an operator of its own", true
	case o.casts && strings.Contains(sql, "::"), o.domains && castToOwn.MatchString(sql):
		return "a cast of its own", true
	case len(o.calls) == 0:
		return "", false
	}
	for _, m := range sqlCall.FindAllStringSubmatch(sql, -1) {
		schema := unquoted(m[1])
		called := unquoted(m[2])
		if o.calls[tableName{schema, called}] || schema == "" && o.unsaid[called] {
			return strings.TrimPrefix(schema+"."+called, "."), true
		}
	}
	return "", false
}

// ofEntry returns what may observe among the calls that building an entry of
// post-data makes. views are the definitions of views by dump id, of which
// materialized views are filled.
func (o *observers) ofEntry(e archive.Entry, views map[int]archive.Entry) (c reason, ok bool) {
	c.object = strings.TrimSpace(e.Desc + " " + strings.TrimPrefix(e.Namespace+"."+e.Tag, "."))
	switch e.Desc {
	case "INDEX", "CONSTRAINT", "FK CONSTRAINT":
		c.calls, ok = o.ofSQL(e.Defn)
	case "CHECK CONSTRAINT": // left to post-data since it calls what rests on its own table, or not yet validated
		ok = !strings.Contains(e.Defn, "NOT VALID")
		if ok {
			c.calls, _ = o.ofSQL(e.Defn)
		}
	case "MATERIALIZED VIEW DATA":
		c.calls, ok = o.ofView(e, views, map[int]bool{})
	}
	return c, ok
}

// readsByText are functions of the server that read what a text names.
var readsByText = regexp.MustCompile(`\b(?:query|table|cursor|schema|database)_to_xml\w*\(|` +
	`\bts_stat\(|\bpg_(?:relation|total_relation|table|indexes)_size\(`)

// ofView is ofSQL for a materialized view and the views that it rests on.
func (o *observers) ofView(e archive.Entry, views map[int]archive.Entry, seen map[int]bool) (calls string, ok bool) {
	for _, id := range e.Deps {
		v, isView := views[id]
		if !isView || seen[id] {
			continue
		}
		seen[id] = true
		calls, ok = o.ofSQL(v.Defn)
		if ok {
			return calls, true
		}
		if found := readsByText.FindString(v.Defn); found != "" {
			return strings.TrimSuffix(found, "("), true
		}
		calls, ok = o.ofView(v, views, seen)
		if ok {
			return calls, true
		}
	}
	return "", false
}

// readExpressions asks for all of the restored schema that is evaluated while
// rows are stored, or calls something wherever it is used. What the server
// itself brought is left out.
func readExpressions(ctx context.Context, conn *pgx.Conn) ([]expression, error) {
	rows, err := conn.Query(ctx, expressionsSQL, uint32(firstUserID))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e expression, err error) {
		err = row.Scan(&e.kind, &e.table.schema, &e.table.table, &e.object, &e.typeID, &e.tree, &e.calls)
		return e, err
	})
}

// Types are taken apart as deep as they go: arrays, domains, composites, ranges.
// Of operator classes only functions in a language that can hold a query count:
// those in C are extensions' comparisons.
const expressionsSQL = `
with recursive rel as materialized (
  select c.oid, n.nspname::text as schema, c.relname::text as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.oid >= $1 and c.relkind in ('r', 'p', 'f')
), col as materialized (
  select distinct rel.schema, rel.name, a.atttypid as typ
    from pg_catalog.pg_attribute a join rel on rel.oid = a.attrelid
   where a.attnum > 0 and not a.attisdropped and (a.atttypid >= $1 or a.atttypid in (2205, 2210))
), part (top, typ) as (
  select distinct typ, typ from col
  union
  select p.top, x.typ from part p join pg_catalog.pg_type t on t.oid = p.typ cross join lateral (
    select t.typelem as typ where t.typelem <> 0
    union all select t.typbasetype where t.typbasetype <> 0
    union all select r.rngsubtype from pg_catalog.pg_range r where r.rngtypid = t.oid
    union all select r.rngtypid from pg_catalog.pg_range r
       where t.typtype = 'm' and pg_catalog.to_jsonb(r) ->> 'rngmultitypid' = pg_catalog.format('%s', t.oid)
    union all select a.atttypid from pg_catalog.pg_attribute a
       where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped) x
), own (family, call) as (
  select x.family, p.oid from (
    select amprocfamily as family, amproc::pg_catalog.oid as call from pg_catalog.pg_amproc
    union
    select m.amopfamily, o.oprcode::pg_catalog.oid from pg_catalog.pg_amop m
       join pg_catalog.pg_operator o on o.oid = m.amopopr) x
  join pg_catalog.pg_proc p on p.oid = x.call join pg_catalog.pg_language l on l.oid = p.prolang
  where x.call >= $1 and l.lanname not in ('c', 'internal')
), support as (
  select c.oid as class, c.opcname::text as name, pg_catalog.array_agg(own.call) as calls
    from pg_catalog.pg_opclass c join own on own.family = c.opcfamily group by 1, 2
), act as (
  select d.oid as typ, 'domain' as kind, 'domain ' || d.typname as object, c.conbin::text as tree,
       '{}'::pg_catalog.oid[] as calls
    from pg_catalog.pg_type d join pg_catalog.pg_constraint c on c.contypid = d.oid
       where d.oid >= $1 and c.conbin is not null
  union all
  select t.oid, 'type', 'type ' || t.typname, '', array[t.typinput::pg_catalog.oid]
    from pg_catalog.pg_type t where t.typinput::pg_catalog.oid >= $1
  union all
  select r.rngtypid, 'type', 'range type ' || t.typname, '',
       pg_catalog.array_remove(array[r.rngcanonical::pg_catalog.oid], 0::pg_catalog.oid) || coalesce(s.calls, '{}')
    from pg_catalog.pg_range r join pg_catalog.pg_type t on t.oid = r.rngtypid
       left join support s on s.class = r.rngsubopc where r.rngtypid >= $1
  union all
  select 2205, 'regclass', 'a column of type regclass', '', '{}'
)
select 'check', rel.schema, rel.name, 'CHECK ' || c.conname, 0::pg_catalog.oid, c.conbin::text, '{}'::pg_catalog.oid[]
  from pg_catalog.pg_constraint c join rel on rel.oid = c.conrelid where c.contype = 'c'
union all
select 'generated', rel.schema, rel.name, 'generated column ' || a.attname, 0, d.adbin::text, '{}'
  from pg_catalog.pg_attrdef d join rel on rel.oid = d.adrelid
  join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attgenerated <> ''
union all
select 'partition', coalesce(rn.nspname::text, rel.schema), coalesce(r.relname::text, rel.name),
       'partition key of ' || rel.schema || '.' || rel.name, 0,
       coalesce(p.partexprs::text, ''), array(select pg_catalog.unnest(s.calls) from support s
       where s.class = any (p.partclass))
  from pg_catalog.pg_partitioned_table p join rel on rel.oid = p.partrelid
  left join pg_catalog.pg_class r on r.oid = pg_catalog.pg_partition_root(rel.oid)
       left join pg_catalog.pg_namespace rn on rn.oid = r.relnamespace
union all
select 'index', rel.schema, rel.name, 'index ' || c.relname, 0, coalesce(i.indexprs::text,
       '') || coalesce(i.indpred::text, ''), '{}'
  from pg_catalog.pg_index i join rel on rel.oid = i.indrelid join pg_catalog.pg_class c on c.oid = i.indexrelid
union all
select 'key', rel.schema, rel.name, 'FOREIGN KEY ' || c.conname, 0, '', '{}'
  from pg_catalog.pg_constraint c join rel on rel.oid = c.conrelid where c.contype = 'f'
union all
select 'trigger', rel.schema, rel.name, 'trigger ' || t.tgname, 0, coalesce(t.tgqual::text, ''), array[t.tgfoid]
  from pg_catalog.pg_trigger t join rel on rel.oid = t.tgrelid
       where not t.tgisinternal and t.tgenabled in ('O', 'A') and t.tgtype & 4 <> 0
union all
select act.kind, col.schema, col.name, act.object, act.typ, act.tree, act.calls
  from col join part on part.top = col.typ join act on act.typ = part.typ
union all
select 'domain', '', '', object, typ, tree, calls from act where kind = 'domain'
union all
select 'event', '', '', 'event trigger ' || evtname, 0, '', array[evtfoid]
  from pg_catalog.pg_event_trigger where evtenabled in ('O', 'A')
union all
select 'class', '', '', 'operator class ' || name, 0, '', calls from support where class >= $1`
