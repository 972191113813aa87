package expect

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// relation is what the catalogue says of a table's name.
type relation struct {
	oid       string
	kind      string // in words: table, partitioned table, view …
	readable  bool   // it has rows that can be counted
	populated bool   // false: a materialized view that was never filled
	elsewhere string // not there: schemas that have one of the name, and how many tables there are
	columns   map[string]columnType
}

// beThere fails a check whose relation is not there to be read; what says what
// is expected of it.
func beThere(c *verdict.Check, name spec.Name, r relation, what string) bool {
	if !r.there() {
		say(c, verdict.Fail, r.kind, r.elsewhere, "%s, %s, is not there to be read", name, what)
	}
	return r.there()
}

func (r relation) there() bool { return r.oid != "" && r.readable && r.populated }

// columnType is a column's type, below all domains over it.
type columnType struct{ oid, name string }

// wanted is a table, or one of its columns, to be looked for.
type wanted struct {
	Schema string `json:"s"`
	Table  string `json:"t"`
	Column string `json:"c"` // empty: the table alone
}

// lookup asks the catalogue once for all that the drill file names, however
// many checks want to know, and keeps the answers.
type lookup struct {
	mu      sync.Mutex
	pending []wanted
	known   map[spec.Name]relation
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
		for _, r := range t.Relationships {
			l.want(r.References, "")
		}
	}
	return l
}

func (l *lookup) want(t spec.Name, column string) {
	l.pending = append(l.pending, wanted{t.Schema, t.Table, column})
}

const findRelations = `
select w.s, w.t, w.c, c.oid,
       case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view'
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

const lookElsewhere = `
select pg_catalog.count(*),
       pg_catalog.string_agg(n.nspname, ', ' order by n.nspname) filter (where c.relname = $1::pg_catalog.text)
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\_toast%'`

// find says what stands under a name.
func find(ctx context.Context, q *query, name spec.Name) (relation, error) {
	r, there, err := q.session.names.of(ctx, q, name)
	if err != nil {
		return relation{}, fmt.Errorf("look for %s: %w", name, err)
	}
	if there {
		return r, nil
	}
	rows, err := q.rows(ctx, lookElsewhere, name.Table)
	if err != nil || len(rows) != 1 {
		return relation{}, fmt.Errorf("look for %s in other schemas: %w", name, err)
	}
	return relation{kind: "missing", elsewhere: elsewhere(string(rows[0][0]), string(rows[0][1]))}, nil
}

func elsewhere(tables, schemas string) string {
	switch {
	case tables == "0":
		return "the restored database holds no table at all: was the dump taken of an empty instance?"
	case schemas != "":
		return "a table of this name is in schema " + schemas + ": was it moved? then correct the drill file"
	}
	return "the backup does not bring it: was it excluded from the dump, dropped, or is this another database? the database holds " + tables + " other tables"
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

// ask sends all that is pending in one statement.
func (l *lookup) ask(ctx context.Context, q *query) error {
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
		l.keep(wanted{string(row[0]), string(row[1]), string(row[2])},
			relation{oid: string(row[3]), kind: string(row[4]), readable: string(row[5]) == "t", populated: string(row[6]) == "t"},
			columnType{oid: string(row[7]), name: string(row[8])})
	}
	return nil
}

// keep notes an answer, or with zero values that there is none.
func (l *lookup) keep(w wanted, r relation, t columnType) {
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
