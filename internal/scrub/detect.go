package scrub

import "daybefore/internal/detect"

// sensitive says what a column's values look like by its name and type, or
// nothing, and which transform would suit them. Better a column too many, which
// costs a line with its why in the drill file, than one too few.
func sensitive(c *column) (what, transform string) {
	switch familyOf(c) {
	case textual:
		return detect.Column(c.table.name.table, c.name, detect.Text)
	case numeric:
		return detect.Column(c.table.name.table, c.name, detect.Number)
	case temporal:
		return detect.Column(c.table.name.table, c.name, detect.Time)
	case opaque:
		return opaqueType(c)
	}
	return "", ""
}

// opaqueType is what a type tells by itself.
func opaqueType(c *column) (what, transform string) {
	switch what = "of type " + c.typ + ", which can hold anything"; {
	case isAddress(c.base):
		return detect.IP.Words(), ipAddress
	case isMAC(c.base):
		return detect.IP.Words(), macAddress
	case isHstore(c.base):
		return what, text
	}
	return what, setNull
}

// family is what the values of a type can be.
type family int

const (
	harmless family = iota // truth values, enum labels, uuids, lengths of time …
	textual                // any text
	numeric
	temporal
	opaque // could hold anything: documents, composites, addresses, types unknown here
)

// familyOf looks below domains and at the elements of arrays.
func familyOf(c *column) family {
	t := c.base
	switch {
	case isText(t):
		return textual
	case isNumber(t), t.is("money"):
		return numeric
	case isDate(t):
		return temporal
	case t.kind == "e", t.is("bool", "uuid", "char", "oid", "xid", "xid8", "cid", "tid", "time", "timetz", "interval", "bit", "varbit",
		"int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
		"int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange",
		"pg_lsn", "regclass", "regtype", "regproc", "regprocedure", "regrole", "regnamespace", "regconfig", "regdictionary"):
		return harmless
	}
	return opaque
}

// isText tells the types whose text form is the value itself, as it is.
func isText(t pgType) bool {
	return t.is("text", "varchar", "bpchar", "name") || t.name == "citext" && t.kind == "b"
}

func isNumber(t pgType) bool { return t.is("int2", "int4", "int8", "numeric", "float4", "float8") }

// isHstore tells an extension's type, in whichever schema it is.
func isHstore(t pgType) bool { return t.name == "hstore" && t.kind == "b" }

// isDecimal tells a number without a limit to its digits.
func isDecimal(t pgType) bool { return t.is("numeric") }

func isMoney(t pgType) bool { return t.is("money") }

func isUUID(t pgType) bool { return t.is("uuid") }

func isBytes(t pgType) bool { return t.is("bytea") }

func isAddress(t pgType) bool { return t.is("inet", "cidr") }

func isMAC(t pgType) bool { return t.is("macaddr", "macaddr8") }

func isDate(t pgType) bool { return t.is("date", "timestamp", "timestamptz") }
