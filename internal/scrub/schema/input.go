package schema

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/pgtext"
)

// inputTypes makes types of pgtext of those of a schema, each once.
type inputTypes struct {
	types map[uint32]typeRow
	made  map[inputType]*pgtext.Type
}

type inputType struct {
	oid    uint32
	typmod int32
}

// of is what a type is read by, seen through domains; nil where that is not
// known.
func (in *inputTypes) of(oid uint32, typmod int32) *pgtext.Type {
	key := inputType{oid, typmod}
	made, ok := in.made[key]
	if !ok {
		made = in.make(oid, typmod)
		in.made[key] = made
	}
	return made
}

func (in *inputTypes) make(oid uint32, typmod int32) *pgtext.Type {
	t := in.types[oid]
	switch {
	case t.Kind == "d":
		if t.typmod >= 0 {
			typmod = t.typmod
		}
		return in.of(t.base, typmod)
	case t.Is("int2vector", "oidvector"): // arrays that are written otherwise
		return nil
	case t.element != 0:
		return pgtext.Array(in.of(t.element, typmod), in.types[t.element].delim[0])
	case t.Kind == "e":
		return pgtext.Enum(t.labels)
	case t.Kind == "r":
		return pgtext.Range(in.of(t.bound, -1))
	case t.Kind == "m":
		return pgtext.Multirange(in.of(t.bound, -1))
	case t.Schema == "pg_catalog":
		return pgtext.Base(t.Name, typmod)
	case t.Kind == "c" && t.Schema != "information_schema":
		var fields []*pgtext.Type
		for _, f := range t.fields {
			fields = append(fields, in.of(f.oid, f.typmod))
		}
		return pgtext.Composite(fields)
	case t.Name == "citext":
		return pgtext.Text()
	case t.Type.IsHstore():
		return pgtext.Hstore()
	}
	return nil
}

// readLabels adds the labels of enums.
func readLabels(ctx context.Context, conn *pgx.Conn, types map[uint32]typeRow) error {
	rows, err := conn.Query(ctx, "select enumtypid, enumlabel::text from pg_enum")
	if err != nil {
		return err
	}
	var oid uint32
	var label string
	_, err = pgx.ForEachRow(rows, []any{&oid, &label}, func() error {
		r := types[oid]
		r.labels = append(r.labels, label)
		types[oid] = r
		return nil
	})
	return err
}

// readBounds adds what ranges, and since 14 multiranges, are of.
func readBounds(ctx context.Context, conn *pgx.Conn, types map[uint32]typeRow) error {
	rows, err := conn.Query(ctx, `
		select r.rngtypid, r.rngsubtype, coalesce(to_number(to_jsonb(r) ->> 'rngmultitypid', '9999999999')::int8::oid, 0)
		from pg_range r`)
	if err != nil {
		return err
	}
	var of, bound, multi uint32
	_, err = pgx.ForEachRow(rows, []any{&of, &bound, &multi}, func() error {
		for _, oid := range []uint32{of, multi} {
			if r, ok := types[oid]; ok {
				r.bound = bound
				types[oid] = r
			}
		}
		return nil
	})
	return err
}

// readServer asks what the sessions' input functions go by.
func readServer(ctx context.Context, conn *pgx.Conn) (s pgtext.Server, err error) {
	var style string
	// By a function: a backup may bring a cast from text to int.
	const sql = "select to_number(current_setting('server_version_num'), '99999999')::int / 10000, " +
		"current_setting('datestyle')"
	err = conn.QueryRow(ctx, sql).Scan(&s.Major, &style)
	switch {
	case strings.HasSuffix(style, "DMY"):
		s.Dates = pgtext.DMY
	case strings.HasSuffix(style, "YMD"):
		s.Dates = pgtext.YMD
	}
	return s, err
}
