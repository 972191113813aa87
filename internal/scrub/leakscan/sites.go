package leakscan

import (
	"context"
	_ "embed" // catalog.sql
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
)

// site is what the server holds and nobody has looked at yet: columns of a
// relation, or the texts of its catalog.
type site struct {
	name     string // of the relation
	sql      string // a COPY … TO STDOUT
	columns  []siteColumn
	computed bool // by the server: detectors look too
}

type siteColumn struct {
	name     string // as reports show it
	column   string // its own; empty: none
	binary   bool   // bytea: looked at as the text that its bytes are
	scrubbed bool   // by a transform
	// by a rule that lets parts of its values pass: only those are looked at; nil for all others
	within *schema.Column
	keys   bool // of its values alone: what a document says is often a name elsewhere, and no finding
	part   bool // what is looked at is a part of a value: the path to it is not known
	again  bool // rewritten, and looked at for what no filter wrote
	// of a place that is looked at again:
	scanner *detect.Scanner // that looked at the column as it was loaded; nil: the one of all
	written *Writings       // what filters made of its values; nil: anything
}

// places are what is to be looked at.
func (a *aftermath) places(ctx context.Context, conn *pgx.Conn) ([]site, error) {
	all := a.tables()
	if a.OwnCode {
		all = append(all, a.again()...)
	}
	views, err := viewPlaces(ctx, conn)
	if err != nil {
		return nil, err
	}
	all = append(all, views...)
	all = append(all, site{
		name: "the catalog", sql: "COPY (" + catalogTexts + ") TO STDOUT", computed: true,
		columns: []siteColumn{{}, {}},
	})
	if a.LargeObjects {
		all = append(all, site{
			name: "large objects", sql: "COPY (" + largeObjectPieces + ") TO STDOUT", computed: true,
			columns: []siteColumn{{name: "large objects", binary: true}},
		})
	}
	return all, nil
}

// largeObjectPieces are large objects, in pieces: the server gives out no value
// of a gigabyte, and half as much as hexadecimal digits. Each has the beginning
// of the next one, so that nothing is lost by the cut; what lies on it may be
// counted twice.
const largeObjectPieces = `
	select pg_catalog.lo_get(p.loid, p.piece * 8192 * p.page, (8192 * p.page + 1024)::int4)
	from (select distinct loid, pageno / 8192 as piece,
			pg_catalog.to_number(pg_catalog.current_setting('block_size'), '99999999')::int8 / 4 as page
		from pg_catalog.pg_largeobject) p`

// tables are the generated and recomputed columns and, where values were
// sampled, the columns that no rule rewrites, or not all of.
func (a *aftermath) tables() []site {
	var all []site
	for _, t := range a.Schema.Tables {
		if t.Kind != "r" {
			continue
		}
		var computed, untouched, parted []*schema.Column
		for _, c := range t.Columns {
			if !c.HoldsText() {
				continue
			}
			d := a.Decision(c)
			switch {
			case c.Generated, d.Recomputed:
				computed = append(computed, c)
			case a.Overlap == nil || !d.Loaded, a.comesAgain(c):
			case !d.Rewritten:
				untouched = append(untouched, c)
			case d.Passes:
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
	for _, t := range a.Schema.Tables {
		if t.Kind != "r" {
			continue
		}
		var ruled []*schema.Column
		for _, c := range t.Columns {
			if d := a.Decision(c); d.Loaded && d.Ruled && !d.Recomputed && c.HoldsText() {
				ruled = append(ruled, c)
			}
		}
		for _, p := range tablePlaces(t, ruled, true) {
			for i, c := range ruled {
				p.columns[i].scrubbed = a.Decision(c).Rewritten
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
	for _, t := range a.Schema.Tables {
		if t.Kind != "r" {
			continue
		}
		var unruled, rewritten []*schema.Column
		for _, c := range t.Columns {
			d := a.Decision(c)
			switch {
			case c.Generated:
			case d.Scanner != nil:
				unruled = append(unruled, c)
			case a.Overlap != nil && d.Rewritten && !d.Recomputed && c.HoldsText() && d.Loaded:
				rewritten = append(rewritten, c)
			}
		}
		for _, s := range tablePlaces(t, unruled, true) {
			for i, c := range unruled {
				s.columns[i].scanner = a.Decision(c).Scanner
			}
			all = append(all, s)
		}
		for _, s := range tablePlaces(t, rewritten, false) {
			for i, c := range rewritten {
				s.columns[i].scrubbed = true
				s.columns[i].again = true
				s.columns[i].written = a.Written(c)
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
		out.columns = append(out.columns, siteColumnOf(c))
	}
	table := pgx.Identifier{t.Name.Schema, t.Name.Table}.Sanitize()
	out.sql = "COPY (SELECT " + strings.Join(names, ", ") + " FROM ONLY " + table + ") TO STDOUT"
	return []site{out}
}

func siteColumnOf(c *schema.Column) siteColumn {
	return siteColumn{name: c.Root().String(), column: c.Name, binary: c.Base.IsBytes() && !c.Array}
}

// viewPlaces are the materialized views that hold rows, in columns that can
// hold text.
func viewPlaces(ctx context.Context, conn *pgx.Conn) ([]site, error) {
	rows, err := conn.Query(ctx, `
		select n.nspname::text, c.relname::text, array_agg(a.attname::text order by a.attnum),
			array_agg(a.atttypid = 'pg_catalog.bytea'::regtype order by a.attnum)
		from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
			join pg_catalog.pg_attribute a on a.attrelid = c.oid
		where c.relkind = 'm' and c.relispopulated and a.attnum > 0 and not a.attisdropped
		  and a.atttypid <> all ('{bool,int2,int4,int8,oid,float4,float8,numeric,money,
			date,time,timetz,timestamp,timestamptz,interval,uuid}'::regtype[]::oid[])
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
			v.columns = append(v.columns, siteColumn{name: v.name + "." + c, column: c, binary: binary[i]})
		}
		view := pgx.Identifier{namespace, name}.Sanitize()
		v.sql = "COPY (SELECT " + strings.Join(quoted, ", ") + " FROM " + view + ") TO STDOUT"
		all = append(all, v)
		return nil
	})
	return all, err
}

// catalogTexts are the texts that people wrote into the schema, each with
// its place, but for those of extensions.
//
//go:embed catalog.sql
var catalogTexts string
