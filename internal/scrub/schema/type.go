package schema

import (
	"fmt"
	"math"
)

// Family is what the values of a type can be.
type Family int

const (
	Harmless Family = iota // truth values, enum labels, uuids, lengths of time …
	Textual                // any text
	Numeric
	Temporal
	Opaque // could hold anything: documents, composites, addresses, types unknown here
)

// Family looks below domains and at the elements of arrays.
func (c *Column) Family() Family {
	t := c.Base
	switch {
	case t.IsText():
		return Textual
	case t.IsNumber(), t.Is("money"):
		return Numeric
	case t.IsDate():
		return Temporal
	case t.Kind == "e", t.Is("bool", "uuid", "char", "oid", "xid", "xid8", "cid", "tid",
		"time", "timetz", "interval", "bit", "varbit",
		"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
		"int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange",
		"pg_lsn", "regclass", "regtype", "regproc", "regprocedure", "regrole", "regnamespace", "regconfig",
		"regdictionary"):
		return Harmless
	}
	return Opaque
}

// HoldsText reports whether the column's values are looked for elsewhere. Numbers
// and times mean nothing by themselves: one of a person is another's too.
func (c *Column) HoldsText() bool {
	f := c.Family()
	return f == Textual || f == Opaque || c.Base.IsUUID()
}

// IsText reports whether the text form is the value itself, as it is.
func (t Type) IsText() bool {
	return t.Is("text", "varchar", "bpchar", "name") || t.Name == "citext" && t.Kind == "b"
}

// IsNumber reports whether its values are numbers, money left out.
func (t Type) IsNumber() bool { return t.Is("int2", "int4", "int8", "numeric", "float4", "float8") }

// IsHstore reports whether it is that extension's type, in whichever schema it is.
func (t Type) IsHstore() bool { return t.Name == "hstore" && t.Kind == "b" }

// IsDecimal reports whether its values are numbers of any length.
func (t Type) IsDecimal() bool { return t.Is("numeric") }

// IsFloat reports whether its values are floating-point numbers.
func (t Type) IsFloat() bool { return t.Is("float4", "float8") }

// IsPoint reports whether its values are points of a plane.
func (t Type) IsPoint() bool { return t.Is("point") }

// IsGeometry reports whether its values are PostGIS's places and shapes, in whichever
// schema it is.
func (t Type) IsGeometry() bool {
	return (t.Name == "geometry" || t.Name == "geography") && t.Kind == "b" && t.Schema != "pg_catalog"
}

// IsMoney reports whether the type is money.
func (t Type) IsMoney() bool { return t.Is("money") }

// IsUUID reports whether the type is uuid.
func (t Type) IsUUID() bool { return t.Is("uuid") }

// IsBytes reports whether the type is bytea.
func (t Type) IsBytes() bool { return t.Is("bytea") }

// IsAddress reports whether its values are IP addresses or networks.
func (t Type) IsAddress() bool { return t.Is("inet", "cidr") }

// IsMAC reports whether its values are MAC addresses.
func (t Type) IsMAC() bool { return t.Is("macaddr", "macaddr8") }

// IsDate reports whether its values name a day.
func (t Type) IsDate() bool { return t.Is("date", "timestamp", "timestamptz") }

// bounds are the types within PostgreSQL's own ranges and multiranges.
var bounds = map[string]string{
	"int4range": "int4", "int8range": "int8", "numrange": "numeric", "daterange": "date", "tsrange": "timestamp",
	"tstzrange":      "timestamptz",
	"int4multirange": "int4", "int8multirange": "int8", "nummultirange": "numeric", "datemultirange": "date",
	"tsmultirange": "timestamp", "tstzmultirange": "timestamptz",
}

// Bound is the type of a range's bounds; false for what is no range.
func (t Type) Bound() (Type, bool) {
	bound, ok := bounds[t.Name]
	return Type{"pg_catalog", bound, "b"}, ok && t.Schema == "pg_catalog"
}

// IsNumberRange reports whether its values are ranges of numbers.
func (t Type) IsNumberRange() bool {
	bound, ok := t.Bound()
	return ok && bound.IsNumber()
}

// IsDateRange reports whether its values are ranges of days or moments.
func (t Type) IsDateRange() bool {
	bound, ok := t.Bound()
	return ok && bound.IsDate()
}

// Values is the type of what a transform rewrites one by one: the values of
// an hstore are texts.
func (t Type) Values() Type {
	if t.IsHstore() {
		return Type{"pg_catalog", "text", "b"}
	}
	return t
}

// Largest is the largest number of an integer type; 0 for others.
func (t Type) Largest() uint64 {
	switch {
	case t.Is("money"):
		return math.MaxInt64
	case t.Is("int2"):
		return math.MaxInt16
	case t.Is("int4"):
		return math.MaxInt32
	case t.Is("int8"):
		return math.MaxInt64
	}
	return 0
}

// WholeDigits is how many digits before the point a number can have.
func (c *Column) WholeDigits() int {
	const ofBigint, most = 19, 1000
	switch {
	case c.Base.Is("int8"):
		return ofBigint
	case c.Base.Is("numeric"):
		var precision, scale int
		if n, _ := fmt.Sscanf(c.SQL, "numeric(%d,%d)", &precision, &scale); n > 0 {
			return precision - scale
		}
		return most
	}
	return 0
}

// MayHoldText reports whether people can have written into the column.
func (c *Column) MayHoldText() bool {
	return c.HoldsText() && !c.Base.IsUUID() && !c.Base.IsAddress() && !c.Base.IsMAC()
}
