package figures

import (
	"slices"
	"strings"
)

// Reference is a column whose values stand in another table's key, though no
// foreign key says so.
type Reference struct {
	From, To *Column
	Exact    bool // all values were compared, not some of them
}

// leastReferring are the different values that tell.
const leastReferring = 2

// References are those that names, types and values agree about.
func (s *Survey) References(tables []*Table) (all []Reference) {
	for _, from := range tables {
		for _, c := range from.Columns {
			n, _ := c.different.Count()
			own := columnOf{from.OID, c.Number}
			if n < leastReferring || s.built.guarded[own] || s.built.keys[own] {
				continue
			}
			r, found := s.reference(from, c, tables)
			if found {
				all = append(all, r)
			}
		}
	}
	return all
}

// reference finds the key that holds the values of a column: in its own schema
// first.
func (s *Survey) reference(from *Table, c *Column, tables []*Table) (r Reference, found bool) {
	near := slices.Clone(tables)
	slices.SortStableFunc(near, func(a, b *Table) int {
		return btoi(b.Name.Schema == from.Name.Schema) - btoi(a.Name.Schema == from.Name.Schema)
	})
	for _, to := range near {
		for _, k := range to.Columns {
			fits := to != from && s.built.keys[columnOf{to.OID, k.Number}] && k.Base == c.Base
			if fits && means(c.Name, to.Name.Table, k.Name) {
				exact, all := c.within(k)
				if all {
					return Reference{From: c, To: k, Exact: exact}, true
				}
			}
		}
	}
	return r, false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// within reports whether all values of the column stand in the other, as far
// as their hashes tell.
func (c *Column) within(other *Column) (exact, all bool) {
	_, mine := c.different.Count()
	_, theirs := other.different.Count()
	holds := other.different.Holds()
	compared := 0
	for _, hash := range c.different.Sample() {
		is, known := holds(hash)
		switch {
		case !known:
		case !is:
			return false, false
		default:
			compared++
		}
	}
	return mine && theirs, compared >= leastReferring
}

// means reports whether a column is called as one that refers to a table's key:
// user_id or userid to users.id, hostid to hosts.hostid.
func means(column, table, key string) bool {
	column, key = plain(column), plain(key)
	if key != "id" && key != "uuid" && key != "code" {
		return column == key
	}
	prefix, ends := strings.CutSuffix(column, key)
	return ends && prefix != "" && strings.HasSuffix(prefix, singular(plain(table)))
}

func plain(name string) string { return strings.ReplaceAll(strings.ToLower(name), "_", "") }

// singular is what one row of a table is called.
func singular(table string) string {
	switch {
	case strings.HasSuffix(table, "ies"):
		return strings.TrimSuffix(table, "ies") + "y"
	case strings.HasSuffix(table, "sses"), strings.HasSuffix(table, "xes"):
		return strings.TrimSuffix(table, "es")
	}
	return strings.TrimSuffix(table, "s")
}
