// Package schema is what the restored database and the archive say of tables and
// columns: types, keys, constraints; and what the server would say to a value. It
// must never decide what becomes of a column, read a row, or change anything on the
// server.
package schema

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/pgtext"
)

// Schema is what the restored pre-data says about the user's tables. Keys,
// unique and foreign ones, belong to the post-data and are not in it yet.
type Schema struct {
	Tables []*Table // by schema and name
	ByName map[Name]*Table
	ByOID  map[uint32]*Table
	Server pgtext.Server
}

// Name is a table's, unquoted. String is for messages; a drill file writes
// Column.Dotted.
type Name struct{ Schema, Table string }

func (n Name) String() string { return n.Schema + "." + n.Table }

// Table is an ordinary, partitioned or foreign table.
type Table struct {
	OID      uint32
	Name     Name
	Kind     string // relkind: r, p, f
	Key      string // pg_get_partkeydef, of a partitioned one
	Columns  []*Column
	ByName   map[string]*Column
	Parents  []*Table // by name
	Children []*Table
	Checks   []Check
}

// Column is one of a table, or a field of a composite one.
type Column struct {
	Table        *Table
	Name         string
	Number       int16
	SQL          string // format_type: what a cast can name
	Types        []Type // all that a rule may know its type by: domains, from the outermost, and base
	Base         Type   // below domains, and the element of an array
	Array        bool
	Input        *pgtext.Type // what its values are read by; nil: not known
	Delim        byte         // of the array
	Fields       []*Column    // of a composite
	Length       int          // of varchar(n), char(n), name: characters; 0: no limit
	NotNull      bool         // also by its domain
	InDomain     bool         // some domain may check the value
	DomainChecks []string     // its CHECK constraints
	Generated    bool
	Identity     bool
	Unique       []string // names of the constraints that make it unique, alone or with others
	PrimaryKey   bool
	NullsEqual   bool // two nulls would violate a unique constraint
	Alike        bool // its collation takes texts for equal that are not the same bytes
	Folds        bool // among them those that differ by case alone
}

func (c *Column) String() string { return c.Table.Name.String() + "." + c.Name }

// Check is a CHECK constraint that holds while the rows are loaded.
type Check struct {
	Name, SQL string
	Columns   []int16
}

// Type is a type's name, and what kind of type it is.
type Type struct {
	Schema, Name string
	Kind         string // typtype: b, c, d, e, p, r, m
}

// Read reads the tables that exist: after the pre-data, before any row.
func Read(ctx context.Context, conn *pgx.Conn) (*Schema, error) {
	s := &Schema{ByName: map[Name]*Table{}, ByOID: map[uint32]*Table{}}
	types, err := readTypes(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("read the types of the restored schema: %w", err)
	}
	for _, step := range []struct {
		what string
		read func() error
	}{
		{"settings", func() error { s.Server, err = readServer(ctx, conn); return err }},
		{"tables", func() error { return s.readTables(ctx, conn) }},
		{"columns", func() error { return s.readColumns(ctx, conn, types) }},
		{"collations", func() error { return s.readCollations(ctx, conn) }},
		{"inheritance", func() error { return s.readParents(ctx, conn) }},
		{"CHECK constraints", func() error { return s.readChecks(ctx, conn) }},
	} {
		if err := step.read(); err != nil {
			return nil, fmt.Errorf("read the %s of the restored schema: %w", step.what, err)
		}
	}
	return s, nil
}

const tablesSQL = `
	select c.oid, n.nspname, c.relname, c.relkind::text, coalesce(pg_get_partkeydef(c.oid), '')
	from pg_class c join pg_namespace n on n.oid = c.relnamespace
	where c.relkind in ('r', 'p', 'f') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'`

func (s *Schema) readTables(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, tablesSQL)
	if err != nil {
		return err
	}
	t := &Table{}
	_, err = pgx.ForEachRow(rows, []any{&t.OID, &t.Name.Schema, &t.Name.Table, &t.Kind, &t.Key}, func() error {
		found := *t
		found.ByName = map[string]*Column{}
		s.Tables = append(s.Tables, &found)
		s.ByName[found.Name], s.ByOID[found.OID] = &found, &found
		return nil
	})
	slices.SortFunc(s.Tables, (*Table).Compare)
	return err
}

// Compare orders tables by schema and name.
func (t *Table) Compare(other *Table) int {
	return cmp.Or(strings.Compare(t.Name.Schema, other.Name.Schema), strings.Compare(t.Name.Table, other.Name.Table))
}

// typeRow is a row of pg_type; types are few, so all are read and domains
// followed here.
type typeRow struct {
	Type
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
	into := []any{&oid, &r.Schema, &r.Name, &r.Kind, &r.base, &r.typmod, &r.notNull, &r.element, &r.delim, &r.checks}
	_, err = pgx.ForEachRow(rows, into, func() error {
		types[oid] = r
		r.checks = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context, *pgx.Conn, map[uint32]typeRow) error{readFields, readLabels,
		readBounds} {
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
		where t.typtype = 'c' and a.attnum > 0 and not a.attisdropped
		  and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
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

func (s *Schema) readColumns(ctx context.Context, conn *pgx.Conn, types map[uint32]typeRow) error {
	rows, err := conn.Query(ctx, columnsSQL)
	if err != nil {
		return err
	}
	var relation, typ uint32
	var typmod int32
	inputs := &inputTypes{types: types, made: map[inputType]*pgtext.Type{}}
	c := &Column{}
	into := []any{&relation, &c.Name, &c.Number, &typ, &typmod, &c.SQL, &c.NotNull, &c.Generated, &c.Identity}
	_, err = pgx.ForEachRow(rows, into, func() error {
		t := s.ByOID[relation]
		if t == nil {
			return nil
		}
		found := *c
		found.Table = t
		found.resolve(types, typ, typmod)
		found.Input = inputs.of(typ, typmod)
		t.Columns = append(t.Columns, &found)
		t.ByName[found.Name] = &found
		return nil
	})
	return err
}

// readCollations finds the columns whose collation is not deterministic, and
// asks each such collation about case.
func (s *Schema) readCollations(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select a.attrelid, a.attname, format('%I.%I', n.nspname, k.collname)
		from pg_attribute a join pg_collation k on k.oid = a.attcollation join pg_namespace n on n.oid = k.collnamespace
		where a.attnum > 0 and not a.attisdropped and not k.collisdeterministic`)
	if err != nil {
		return err
	}
	of := map[*Column]string{}
	var relation uint32
	var name, collation string
	_, err = pgx.ForEachRow(rows, []any{&relation, &name, &collation}, func() error {
		if t := s.ByOID[relation]; t != nil {
			of[t.ByName[name]] = collation
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
		c.Alike, c.Folds = true, fold
	}
	return nil
}

// resolve follows domains and arrays down to the type that holds the value.
func (c *Column) resolve(types map[uint32]typeRow, oid uint32, typmod int32) {
	for range 64 { // domains nest as deep as people make them; nobody makes them deeper
		t := types[oid]
		switch {
		case t.Kind == "d":
			c.InDomain = true
			c.Types = append(c.Types, t.Type)
			c.DomainChecks = append(c.DomainChecks, t.checks...)
			c.NotNull = c.NotNull || t.notNull && !c.Array
			if t.typmod >= 0 {
				typmod = t.typmod
			}
			oid = t.base
		case t.element != 0:
			c.Array = true
			c.Delim = types[t.element].delim[0]
			oid = t.element
		default:
			c.Base = t.Type
			c.Types = append(c.Types, t.Type)
			for _, f := range t.fields {
				field := &Column{Table: c.Table, Name: f.name, SQL: f.typ}
				field.resolve(types, f.oid, f.typmod)
				c.Fields = append(c.Fields, field)
			}
			c.Length = lengthOf(t.Type, typmod)
			return
		}
	}
}

// lengthOf is the limit in characters of a text-like type.
func lengthOf(t Type, typmod int32) int {
	const header, nameBytes = 4, 63
	switch {
	case t.Is("varchar", "bpchar") && typmod > header:
		return int(typmod) - header
	case t.Is("name"):
		return nameBytes
	}
	return 0
}

// Is reports whether the type is one of PostgreSQL's own of these names.
func (t Type) Is(names ...string) bool {
	return t.Schema == "pg_catalog" && slices.Contains(names, t.Name)
}

func (s *Schema) readParents(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "select inhrelid, inhparent from pg_inherits")
	if err != nil {
		return err
	}
	var child, parent uint32
	_, err = pgx.ForEachRow(rows, []any{&child, &parent}, func() error {
		below := s.ByOID[child]
		above := s.ByOID[parent]
		if below != nil && above != nil {
			below.Parents = append(below.Parents, above)
			above.Children = append(above.Children, below)
		}
		return nil
	})
	for _, t := range s.Tables {
		slices.SortFunc(t.Parents, (*Table).Compare)
		slices.SortFunc(t.Children, (*Table).Compare)
	}
	return err
}

func (s *Schema) readChecks(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
		select conrelid, conname, pg_get_expr(conbin, conrelid), coalesce(conkey, '{}')
		from pg_constraint where contype = 'c' and conrelid <> 0 order by conname`)
	if err != nil {
		return err
	}
	var relation uint32
	var c Check
	_, err = pgx.ForEachRow(rows, []any{&relation, &c.Name, &c.SQL, &c.Columns}, func() error {
		if t := s.ByOID[relation]; t != nil {
			t.Checks = append(t.Checks, Check{c.Name, c.SQL, slices.Clone(c.Columns)})
		}
		return nil
	})
	return err
}

// Ancestors are the table's parents, their parents and so on, nearest first.
func (t *Table) Ancestors() []*Table { return reach(t, func(t *Table) []*Table { return t.Parents }) }

// Descendants are the table's children, their children and so on.
func (t *Table) Descendants() []*Table {
	return reach(t, func(t *Table) []*Table { return t.Children })
}

func reach(from *Table, next func(*Table) []*Table) []*Table {
	var found []*Table
	for queue := slices.Clone(next(from)); len(queue) > 0; queue = queue[1:] {
		if !slices.Contains(found, queue[0]) {
			found = append(found, queue[0])
			queue = append(queue, next(queue[0])...)
		}
	}
	return found
}

// Root is the column of the topmost table that this one is inherited from.
func (c *Column) Root() *Column {
	root := c
	for _, t := range c.Table.Ancestors() {
		if above := t.ByName[c.Name]; above != nil {
			root = above
		}
	}
	return root
}

// Define takes in what the post-data will say: keys, unique indexes,
// exclusion constraints. Foreign keys are returned.
func (s *Schema) Define(definitions []string) []ForeignKey {
	var fks []ForeignKey
	for _, d := range ParseDefinitions(definitions) {
		t := s.ByName[d.Table]
		if t == nil || !d.Bears() {
			continue
		}
		if d.Kind == Foreign {
			fks = append(fks, ForeignKey{
				Name: d.Name, From: t, To: s.ByName[d.References], Columns: d.Columns, Referenced: d.Referenced,
				Full: d.Full,
			})
			continue
		}
		affected := []*Table{t}
		if t.Kind == "p" {
			affected = append(affected, t.Descendants()...)
		}
		for _, t := range affected {
			t.markUnique(d)
		}
	}
	return fks
}

func (t *Table) markUnique(d Definition) {
	for _, name := range d.Columns {
		if c := t.ByName[name]; c != nil {
			if !slices.Contains(c.Unique, d.Name) {
				c.Unique = append(c.Unique, d.Name)
			}
			c.PrimaryKey = c.PrimaryKey || d.Kind == PrimaryKey
			c.NullsEqual = c.NullsEqual || d.NullsEqual
		}
	}
}

// ForeignKey holds between pairs of columns; to is nil where the referenced
// table does not exist.
type ForeignKey struct {
	Name                string
	From, To            *Table
	Columns, Referenced []string
	Full                bool // MATCH FULL
}

func (fk ForeignKey) String() string { return fk.From.Name.String() + "." + fk.Name }
