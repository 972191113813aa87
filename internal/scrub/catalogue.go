package scrub

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/pgtext"
)

// Catalogue is what the restored pre-data says about the user's tables. Keys,
// unique and foreign ones, belong to the post-data and are not in it yet.
type Catalogue struct {
	tables []*table // by schema and name
	byName map[tableName]*table
	byOID  map[uint32]*table
	server pgtext.Server
}

type tableName struct{ schema, table string }

func (n tableName) String() string { return n.schema + "." + n.table }

// table is an ordinary, partitioned or foreign table.
type table struct {
	oid      uint32
	name     tableName
	kind     string // relkind: r, p, f
	key      string // pg_get_partkeydef, of a partitioned one
	columns  []*column
	byName   map[string]*column
	parents  []*table // by name
	children []*table
	checks   []check
}

type column struct {
	table      *table
	name       string
	num        int16
	typ        string   // format_type: what a cast can name
	types      []pgType // all that a rule may know its type by: domains, from the outermost, and base
	base       pgType   // below domains, and the element of an array
	array      bool
	input      *pgtext.Type // what its values are read by; nil: not known
	delim      byte         // of the array
	fields     []*column    // of a composite
	length     int          // of varchar(n), char(n), name: characters; 0: no limit
	notNull    bool         // also by its domain
	domain     bool         // some domain may check the value
	domainSQL  []string     // its CHECK constraints
	generated  bool
	identity   bool
	unique     []string // names of the constraints that make it unique, alone or with others
	primaryKey bool
	nullsEqual bool // two nulls would violate a unique constraint
	alike      bool // its collation takes texts for equal that are not the same bytes
	folds      bool // among them those that differ by case alone
}

func (c *column) String() string { return c.table.name.String() + "." + c.name }

// check is a CHECK constraint that holds while the rows are loaded.
type check struct {
	name, expr string
	columns    []int16
}

type pgType struct {
	schema, name string
	kind         string // typtype: b, c, d, e, p, r, m
}

// ReadCatalogue reads the tables that exist: after the pre-data, before any row.
func ReadCatalogue(ctx context.Context, conn *pgx.Conn) (*Catalogue, error) {
	cat := &Catalogue{byName: map[tableName]*table{}, byOID: map[uint32]*table{}}
	types, err := readTypes(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the types of the restored schema: %w", err)
	}
	for _, step := range []struct {
		what string
		read func() error
	}{
		{"settings", func() error { cat.server, err = readServer(ctx, conn); return err }},
		{"tables", func() error { return cat.readTables(ctx, conn) }},
		{"columns", func() error { return cat.readColumns(ctx, conn, types) }},
		{"collations", func() error { return cat.readCollations(ctx, conn) }},
		{"inheritance", func() error { return cat.readParents(ctx, conn) }},
		{"CHECK constraints", func() error { return cat.readChecks(ctx, conn) }},
	} {
		if err := step.read(); err != nil {
			return nil, fmt.Errorf("read the %s of the restored schema: %w", step.what, err)
		}
	}
	return cat, nil
}

const tablesSQL = `
	select c.oid, n.nspname, c.relname, c.relkind::text, coalesce(pg_get_partkeydef(c.oid), '')
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

func (cat *Catalogue) readTables(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, tablesSQL)
	if err != nil {
		return err
	}
	t := &table{}
	_, err = pgx.ForEachRow(rows, []any{&t.oid, &t.name.schema, &t.name.table, &t.kind, &t.key}, func() error {
		found := *t
		found.byName = map[string]*column{}
		cat.tables = append(cat.tables, &found)
		cat.byName[found.name], cat.byOID[found.oid] = &found, &found
		return nil
	})
	slices.SortFunc(cat.tables, byTableName)
	return err
}

func byTableName(a, b *table) int {
	return cmp.Or(strings.Compare(a.name.schema, b.name.schema), strings.Compare(a.name.table, b.name.table))
}

// typeRow is a row of pg_type; types are few, so all are read and domains
// followed here.
type typeRow struct {
	pgType
	base    uint32 // of a domain
	typmod  int32  // of a domain
	notNull bool   // of a domain
	element uint32 // of a true array
	delim   string
	checks  []string    // of a domain
	fields  []typeField // of a composite
	labels  []string    // of an enum
	bound   uint32      // of a range or multirange
}

// typeField is a field of a composite type.
type typeField struct {
	name, typ string // typ as a cast can name it
	oid       uint32
	typmod    int32
}

func readTypes(ctx context.Context, conn *pgx.Conn) (map[uint32]typeRow, error) {
	rows, err := conn.Query(ctx, `
		select t.oid, n.nspname, t.typname, t.typtype::text, t.typbasetype, t.typtypmod, t.typnotnull,
		       case when t.typcategory = 'A' and t.typlen = -1 then t.typelem else 0 end, t.typdelim::text,
		       array(select pg_get_constraintdef(k.oid) from pg_constraint k where k.contypid = t.oid and k.contype = 'c')
		from pg_type t join pg_namespace n on n.oid = t.typnamespace`)
	if err != nil {
		return nil, err
	}
	types := map[uint32]typeRow{}
	var oid uint32
	var r typeRow
	_, err = pgx.ForEachRow(rows, []any{&oid, &r.schema, &r.name, &r.kind, &r.base, &r.typmod, &r.notNull, &r.element, &r.delim, &r.checks}, func() error {
		types[oid] = r
		r.checks = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, *pgx.Conn, map[uint32]typeRow) error{readFields, readLabels, readBounds} {
		if err := read(ctx, conn, types); err != nil {
			return nil, err
		}
	}
	return types, nil
}

// readFields adds the fields of the user's composite types, row types of
// tables among them.
func readFields(ctx context.Context, conn *pgx.Conn, types map[uint32]typeRow) error {
	rows, err := conn.Query(ctx, `
		select t.oid, a.attname, format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod
		from pg_type t join pg_namespace n on n.oid = t.typnamespace join pg_attribute a on a.attrelid = t.typrelid
		where t.typtype = 'c' and a.attnum > 0 and not a.attisdropped and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
		order by t.oid, a.attnum`)
	if err != nil {
		return err
	}
	var oid uint32
	var f typeField
	_, err = pgx.ForEachRow(rows, []any{&oid, &f.name, &f.typ, &f.oid, &f.typmod}, func() error {
		r := types[oid]
		r.fields = append(r.fields, f)
		types[oid] = r
		return nil
	})
	return err
}

const columnsSQL = `
	select a.attrelid, a.attname, a.attnum, a.atttypid, a.atttypmod, format_type(a.atttypid, a.atttypmod),
	       a.attnotnull, a.attgenerated <> '', a.attidentity <> ''
	from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
	where a.attnum > 0 and not a.attisdropped
	  and c.relkind in ('r', 'p', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
	order by a.attrelid, a.attnum`

func (cat *Catalogue) readColumns(ctx context.Context, conn *pgx.Conn, types map[uint32]typeRow) error {
	rows, err := conn.Query(ctx, columnsSQL)
	if err != nil {
		return err
	}
	var relation, typ uint32
	var typmod int32
	inputs := &inputTypes{types: types, made: map[inputType]*pgtext.Type{}}
	c := &column{}
	_, err = pgx.ForEachRow(rows, []any{&relation, &c.name, &c.num, &typ, &typmod, &c.typ, &c.notNull, &c.generated, &c.identity}, func() error {
		t := cat.byOID[relation]
		if t == nil {
			return nil
		}
		found := *c
		found.table = t
		found.resolve(types, typ, typmod)
		found.input = inputs.of(typ, typmod)
		t.columns = append(t.columns, &found)
		t.byName[found.name] = &found
		return nil
	})
	return err
}

// readCollations finds the columns whose collation is not deterministic, and
// asks each such collation about case.
func (cat *Catalogue) readCollations(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select a.attrelid, a.attname, format('%I.%I', n.nspname, k.collname)
		from pg_attribute a join pg_collation k on k.oid = a.attcollation join pg_namespace n on n.oid = k.collnamespace
		where a.attnum > 0 and not a.attisdropped and not k.collisdeterministic`)
	if err != nil {
		return err
	}
	of := map[*column]string{}
	var relation uint32
	var name, collation string
	_, err = pgx.ForEachRow(rows, []any{&relation, &name, &collation}, func() error {
		if t := cat.byOID[relation]; t != nil {
			of[t.byName[name]] = collation
		}
		return nil
	})
	if err != nil {
		return err
	}
	folds := map[string]bool{}
	for c, collation := range of {
		fold, asked := folds[collation]
		if !asked {
			if err := conn.QueryRow(ctx, "select 'A' = 'a' collate "+collation).Scan(&fold); err != nil {
				return err
			}
			folds[collation] = fold
		}
		c.alike, c.folds = true, fold
	}
	return nil
}

// resolve follows domains and arrays down to the type that holds the value.
func (c *column) resolve(types map[uint32]typeRow, oid uint32, typmod int32) {
	for range 64 { // domains nest as deep as people make them; nobody makes them deeper
		t := types[oid]
		switch {
		case t.kind == "d":
			c.domain = true
			c.types = append(c.types, t.pgType)
			c.domainSQL = append(c.domainSQL, t.checks...)
			c.notNull = c.notNull || t.notNull && !c.array
			if t.typmod >= 0 {
				typmod = t.typmod
			}
			oid = t.base
		case t.element != 0:
			c.array = true
			c.delim = types[t.element].delim[0]
			oid = t.element
		default:
			c.base = t.pgType
			c.types = append(c.types, t.pgType)
			for _, f := range t.fields {
				field := &column{table: c.table, name: f.name, typ: f.typ}
				field.resolve(types, f.oid, f.typmod)
				c.fields = append(c.fields, field)
			}
			c.length = lengthOf(t.pgType, typmod)
			return
		}
	}
}

// lengthOf is the limit in characters of a text-like type.
func lengthOf(t pgType, typmod int32) int {
	const header, nameBytes = 4, 63
	switch {
	case t.is("varchar", "bpchar") && typmod > header:
		return int(typmod) - header
	case t.is("name"):
		return nameBytes
	}
	return 0
}

// is tells whether the type is one of PostgreSQL's own of these names.
func (t pgType) is(names ...string) bool {
	return t.schema == "pg_catalog" && slices.Contains(names, t.name)
}

func (cat *Catalogue) readParents(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "select inhrelid, inhparent from pg_inherits")
	if err != nil {
		return err
	}
	var child, parent uint32
	_, err = pgx.ForEachRow(rows, []any{&child, &parent}, func() error {
		if c, p := cat.byOID[child], cat.byOID[parent]; c != nil && p != nil {
			c.parents = append(c.parents, p)
			p.children = append(p.children, c)
		}
		return nil
	})
	for _, t := range cat.tables {
		slices.SortFunc(t.parents, byTableName)
		slices.SortFunc(t.children, byTableName)
	}
	return err
}

func (cat *Catalogue) readChecks(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select conrelid, conname, pg_get_expr(conbin, conrelid), coalesce(conkey, '{}')
		from pg_constraint where contype = 'c' and conrelid <> 0 order by conname`)
	if err != nil {
		return err
	}
	var relation uint32
	var c check
	_, err = pgx.ForEachRow(rows, []any{&relation, &c.name, &c.expr, &c.columns}, func() error {
		if t := cat.byOID[relation]; t != nil {
			t.checks = append(t.checks, check{c.name, c.expr, slices.Clone(c.columns)})
		}
		return nil
	})
	return err
}

// ancestors are the table's parents, their parents and so on, nearest first.
func (t *table) ancestors() []*table { return reach(t, func(t *table) []*table { return t.parents }) }

// descendants are the table's children, their children and so on.
func (t *table) descendants() []*table {
	return reach(t, func(t *table) []*table { return t.children })
}

func reach(from *table, next func(*table) []*table) []*table {
	var found []*table
	for queue := slices.Clone(next(from)); len(queue) > 0; queue = queue[1:] {
		if !slices.Contains(found, queue[0]) {
			found = append(found, queue[0])
			queue = append(queue, next(queue[0])...)
		}
	}
	return found
}

// root is the column of the topmost table that this one is inherited from.
func (c *column) root() *column {
	root := c
	for _, t := range c.table.ancestors() {
		if above := t.byName[c.name]; above != nil {
			root = above
		}
	}
	return root
}

// define takes in what the post-data will say: keys, unique indexes,
// exclusion constraints. Foreign keys are returned.
func (cat *Catalogue) define(definitions []string) []foreignKey {
	var fks []foreignKey
	for _, d := range parseDefinitions(definitions) {
		t := cat.byName[d.table]
		if t == nil || !d.bears() {
			continue
		}
		if d.kind == foreign {
			fks = append(fks, foreignKey{name: d.name, from: t, to: cat.byName[d.references], columns: d.columns, referenced: d.referenced, full: d.full})
			continue
		}
		affected := []*table{t}
		if t.kind == "p" {
			affected = append(affected, t.descendants()...)
		}
		for _, t := range affected {
			t.markUnique(d)
		}
	}
	return fks
}

func (t *table) markUnique(d definition) {
	for _, name := range d.columns {
		if c := t.byName[name]; c != nil {
			if !slices.Contains(c.unique, d.name) {
				c.unique = append(c.unique, d.name)
			}
			c.primaryKey = c.primaryKey || d.kind == primaryKey
			c.nullsEqual = c.nullsEqual || d.nullsEqual
		}
	}
}

// foreignKey holds between pairs of columns; to is nil where the referenced
// table does not exist.
type foreignKey struct {
	name                string
	from, to            *table
	columns, referenced []string
	full                bool // MATCH FULL
}

func (fk foreignKey) String() string { return fk.from.name.String() + "." + fk.name }
