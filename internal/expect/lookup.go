package expect

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/spec/guess"
	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// relation is what the catalog says of a table's name.
type relation struct {
	oid       string
	kind      string      // in words: table, partitioned table, view …
	readable  bool        // it has rows that can be counted
	populated bool        // false: a materialized view that was never filled
	elsewhere string      // not there: why that may be
	near      []spec.Name // not there: tables that have a name like it
	columns   map[string]columnType
}

// beThere judges a check whose relation is not there to be read; what says
// what is expected of it.
func beThere(c *verdict.Check, name spec.Name, r relation, what string, o Options) bool {
	switch {
	case r.there():
	case r.oid != "":
		c.Say(verdict.Fail, r.kind, r.elsewhere, "%s (%s) does not exist or cannot be read", name, what)
	default:
		r.absent(name, fmt.Sprintf("%s (%s) does not exist or cannot be read", name, what), o.hadTable(c.ID, name),
			o).tell(c, r.kind)
	}
	return r.there()
}

// absent is what is known of a relation that is not there.
func (r relation) absent(name spec.Name, what string, had *verdict.Report, o Options) absent {
	a := absent{what: what, lost: r.elsewhere, had: had, o: o}
	for _, n := range r.near {
		a.near = append(a.near, n.String())
	}
	return a
}

func (r relation) there() bool { return r.oid != "" && r.readable && r.populated }

// columnType is a column's type, below all domains over it.
type columnType struct{ oid, name string }

// wantedValue is a table, or one of its columns, to be looked for.
type wantedValue struct {
	Schema string `json:"s"`
	Table  string `json:"t"`
	Column string `json:"c"` // empty: the table alone
}

// lookup asks the catalog once for all that the drill file names, however
// many checks want to know, and keeps the answers.
type lookup struct {
	told    *told.Names // that may be told; nil: all
	mu      sync.Mutex
	pending []wantedValue
	known   map[spec.Name]relation
	all     *[]spec.Name // all relations, once they were asked for
	indexes atomic.Int32 // whether they tell the truth, as far as that was asked
}

// newLookup gathers the tables and columns that are judged.
func newLookup(tables []spec.Table) *lookup {
	l := &lookup{known: map[spec.Name]relation{}}
	for _, t := range tables {
		l.want(t.Table, "")
		if t.Freshness != nil {
			l.want(t.Table, t.Freshness.Column)
		}
		if t.MaxRegression != nil {
			l.want(t.Table, t.MaxRegression.Column)
		}
		if t.Checksum != nil {
			for _, column := range t.Checksum.Columns {
				l.want(t.Table, column)
			}
		}
		for _, r := range t.Relationships {
			l.want(t.Table, r.Column)
			l.want(r.References, r.ReferencedColumn)
		}
	}
	return l
}

func (l *lookup) want(t spec.Name, column string) {
	l.pending = append(l.pending, wantedValue{t.Schema, t.Table, column})
}

const findRelations = `
select w.s, w.t, w.c, c.oid,
       case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm'
         then 'materialized view'
                      when 'f' then 'foreign table' when 'S' then 'sequence' when 'i' then 'index' when 'I' then 'index'
                      when 'c' then 'composite type' else 'something else' end,
       c.relkind in ('r', 'p', 'v', 'm', 'f'), c.relispopulated,
       base.oid, pg_catalog.format_type(base.oid, null)
from pg_catalog.json_to_recordset($1::pg_catalog.json) as w(s pg_catalog.text, t pg_catalog.text, c pg_catalog.text)
join pg_catalog.pg_namespace n on n.nspname = w.s
join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = w.t
left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = w.c and a.attnum > 0 and not a.attisdropped
left join lateral (
  with recursive type(oid, depth) as (
    select a.atttypid, 0 where a.atttypid is not null
    union all
    select t.typbasetype, depth + 1 from type join pg_catalog.pg_type t on t.oid = type.oid where t.typtype = 'd')
  select oid from type order by depth desc limit 1) base on true`

const listRelations = `
select n.nspname, c.relname
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f')
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%'
order by 1, 2`

// findRelation says what stands under a name.
func findRelation(ctx context.Context, q *query, name spec.Name) (relation, error) {
	r, there, err := q.session.names.of(ctx, q, name)
	if err != nil {
		return relation{}, fmt.Errorf("look for %s: %w", name, err)
	}
	if there {
		return r, nil
	}
	all, err := q.session.names.relations(ctx, q)
	if err != nil {
		return relation{}, fmt.Errorf("look for what is named like %s: %w", name, err)
	}
	r = relation{kind: "missing", elsewhere: q.session.names.elsewhere(name, all)}
	for _, other := range all {
		if name.Near(other) && q.session.names.told.Knows(other.Schema, other.Table) {
			r.near = append(r.near, other)
		}
	}
	return r, nil
}

// relations lists all that has rows, and is asked for once. The lock is not
// held meanwhile: in a run of checks side by side, whoever asks is waited for.
func (l *lookup) relations(ctx context.Context, q *query) ([]spec.Name, error) {
	l.mu.Lock()
	all := l.all
	l.mu.Unlock()
	if all != nil {
		return *all, nil
	}
	rows, err := q.rows(ctx, listRelations)
	if err != nil {
		return nil, err
	}
	list := make([]spec.Name, len(rows))
	for i, row := range rows {
		list[i] = spec.Name{Schema: string(row[0]), Table: string(row[1])}
	}
	l.mu.Lock()
	l.all = &list
	l.mu.Unlock()
	return list, nil
}

// mostCompared names are gone through, letter by letter, for the one that a
// table's is nearest to.
const mostCompared = 200

// elsewhere says why a table may not be there.
func (l *lookup) elsewhere(name spec.Name, all []spec.Name) string {
	if len(all) == 0 {
		return "the restored database holds no table at all: was the dump taken of an empty instance?"
	}
	const lost = "the backup does not bring it: was it excluded from the dump, dropped, or is this another database? " +
		"the database holds %d other tables"
	var names, schemas []string
	for _, n := range all {
		if n.Table == name.Table {
			schemas = append(schemas, n.Schema)
		}
		if len(names) < mostCompared {
			names = append(names, n.String())
		}
	}
	if len(schemas) > 0 {
		return "a table of this name is in another schema (" + l.several(schemas) +
			"): was it moved? then correct the drill file"
	}
	hint := fmt.Sprintf(lost, len(all))
	if meant := guess.DidYouMean(name.String(), l.tellable(names), ""); meant != "" {
		hint += "; " + meant
	}
	return hint
}

// typeOf gives the type of a column of a relation that was found; false where
// there is no such column.
func typeOf(ctx context.Context, q *query, name spec.Name, column string) (columnType, bool, error) {
	r, _, err := q.session.names.of(ctx, q, name, column)
	if err != nil {
		return columnType{}, false, fmt.Errorf("look for %s: %w", name.Column(column), err)
	}
	t := r.columns[column]
	return t, t.oid != "", nil
}

// asked says whether all that was gathered is known, after having asked for it
// if it was not.
func (l *lookup) asked(ctx context.Context, s *session, timeout time.Duration) (known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() {
		if recover() != nil { // whose fault it is shows when a check asks
			s.close()
			known = false
		}
	}()
	return len(l.pending) == 0 || s.transaction(ctx, timeout, l.ask) == nil
}

// of gives the relation with these columns, false where there is none. An
// answer that could not be had is asked for again by the next.
func (l *lookup) of(ctx context.Context, q *query, name spec.Name, columns ...string) (relation, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.knows(name, columns) {
		l.want(name, "")
		for _, c := range columns {
			l.want(name, c)
		}
		if err := l.ask(ctx, q); err != nil {
			return relation{}, false, err
		}
	}
	r := l.known[name]
	return r, r.oid != "", nil
}

func (l *lookup) knows(name spec.Name, columns []string) bool {
	r, known := l.known[name]
	for _, c := range columns {
		_, asked := r.columns[c]
		known = known && asked
	}
	return known
}

// What is known of a database's indexes.
const (
	notAsked int32 = iota
	truthful
	mayMislead
)

// mistrusted reports whether an index may hide rows, as far as that was asked.
func (l *lookup) mistrusted() bool { return l != nil && l.indexes.Load() == mayMislead }

// trust asks once whether an index may hide rows.
func (l *lookup) trust(ctx context.Context, q *query) error {
	if l.indexes.Load() != notAsked {
		return nil
	}
	text, err := q.value(ctx, misleading)
	if err != nil {
		return fmt.Errorf("ask for indexes whose functions the backup wrote: %w", err)
	}
	found := truthful
	if string(text) == "t" {
		found = mayMislead
	}
	l.indexes.Store(found)
	return nil
}

// ask sends all that is pending in one statement.
func (l *lookup) ask(ctx context.Context, q *query) error {
	if err := l.trust(ctx, q); err != nil {
		return err
	}
	list, err := json.Marshal(l.pending)
	if err != nil {
		return err
	}
	rows, err := q.rows(ctx, findRelations, string(list))
	if err != nil {
		return err
	}
	for _, w := range l.pending {
		l.keep(w, relation{}, columnType{})
	}
	l.pending = nil
	for _, row := range rows {
		l.keep(wantedValue{string(row[0]), string(row[1]), string(row[2])},
			relation{oid: string(row[3]), kind: string(row[4]), readable: string(row[5]) == "t",
				populated: string(row[6]) == "t"},
			columnType{oid: string(row[7]), name: string(row[8])})
	}
	return nil
}

// keep notes an answer, or with zero values that there is none.
func (l *lookup) keep(w wantedValue, r relation, t columnType) {
	name := spec.Name{Schema: w.Schema, Table: w.Table}
	r.columns = l.known[name].columns
	if r.columns == nil {
		r.columns = map[string]columnType{}
	}
	if w.Column != "" {
		r.columns[w.Column] = t
	}
	l.known[name] = r
}
