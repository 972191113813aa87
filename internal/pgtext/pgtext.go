// Package pgtext says what the input functions of PostgreSQL accept as text:
// which values a server would take for a column, without a server. It follows
// the server's source (src/backend/utils/adt) and where it is not sure it
// accepts: it never refuses what a server would take. It knows nothing of rows
// and of servers, allocates nothing for a value, and shows none.
package pgtext

// Order is how DateStyle reads a date that does not begin with its year.
type Order byte

// The orders, of which MDY is a new server's.
const (
	MDY Order = iota
	DMY
	YMD
)

// Server is what input functions go by besides the value.
type Server struct {
	Major int   // 15, say
	Dates Order // of DateStyle
}

// Type is what the text of a column is read by. Nil is a type of which nothing
// is known, and which accepts everything.
type Type struct {
	what   string
	read   func(r *Reader, t *Type, value []byte) bool
	typmod int32
	parts  []*Type // the element, the bound, the fields
	delim  byte
	labels map[string]struct{}
}

// input is one of PostgreSQL's own types.
type input struct {
	what string // for messages: the value is not a valid …
	read func(r *Reader, t *Type, value []byte) bool
}

// inputs are by pg_type.typname. Those that take any text have no read.
var inputs = map[string]input{
	"bool": {"boolean", (*Reader).boolean},
	"int2": {"smallint", (*Reader).int2}, "int4": {"integer", (*Reader).int4}, "int8": {"bigint", (*Reader).int8},
	"oid": {"oid", (*Reader).oid}, "numeric": {"numeric", (*Reader).numeric}, "money": {"money", (*Reader).money},
	"float4": {"real", (*Reader).float4}, "float8": {"double precision", (*Reader).float8},
	"date": {"date", (*Reader).date}, "time": {"time", (*Reader).time},
	"timetz":    {"time with time zone", (*Reader).time},
	"timestamp": {"timestamp", (*Reader).timestamp}, "timestamptz": {"timestamp with time zone", (*Reader).timestamp},
	"interval": {"interval", (*Reader).interval},
	"uuid":     {"uuid", (*Reader).uuid}, "json": {"json", (*Reader).json}, "jsonb": {"jsonb", (*Reader).jsonb},
	"inet": {"inet", (*Reader).inet}, "cidr": {"cidr", (*Reader).cidr},
	"macaddr": {"macaddr", (*Reader).macaddr}, "macaddr8": {"macaddr8", (*Reader).macaddr8},
	"bytea": {"bytea", (*Reader).bytea}, "bit": {"bit string", (*Reader).bit},
	"varbit": {"bit string", (*Reader).varbit},
	"bpchar": {"text of its length", (*Reader).limited}, "varchar": {"text of its length", (*Reader).limited},
	"text": {"text", (*Reader).any}, "name": {"name", (*Reader).any}, "char": {"\"char\"", (*Reader).any},
}

// Base is the type of pg_catalog of that name under a modifier (-1: none); nil
// where nothing is known of it.
func Base(name string, typmod int32) *Type {
	in, ok := inputs[name]
	if !ok {
		return nil
	}
	return &Type{what: in.what, read: in.read, typmod: typmod}
}

// Text is a type that takes every text, such as citext.
func Text() *Type { return Base("text", -1) }

// Enum is a type of these labels.
func Enum(labels []string) *Type {
	t := &Type{what: "label of its enum type", read: (*Reader).enum, labels: map[string]struct{}{}}
	for _, l := range labels {
		t.labels[l] = struct{}{}
	}
	return t
}

// Array is the type of arrays of any dimensions; delim stands between elements.
func Array(element *Type, delim byte) *Type {
	return &Type{what: "array", read: (*Reader).array, parts: []*Type{element}, delim: delim}
}

// Composite is a row type of these fields.
func Composite(fields []*Type) *Type {
	return &Type{what: "composite value", read: (*Reader).composite, parts: fields}
}

// Range is the type of ranges with such bounds.
func Range(bound *Type) *Type {
	return &Type{what: "range", read: (*Reader).span, parts: []*Type{bound}}
}

// Multirange is the type of sets of such ranges.
func Multirange(bound *Type) *Type {
	return &Type{what: "multirange", read: (*Reader).spans, parts: []*Type{bound}}
}

// Hstore is the type of the extension hstore.
func Hstore() *Type { return &Type{what: "hstore", read: (*Reader).hstore} }

// Known reports whether all that a value of the type is made of is read.
func (t *Type) Known() bool {
	if t == nil {
		return false
	}
	for _, p := range t.parts {
		if !p.Known() {
			return false
		}
	}
	return true
}

// Any reports whether every text is accepted.
func (t *Type) Any() bool {
	switch {
	case t == nil, t.what == "text", t.what == "name", t.what == `"char"`:
		return true
	}
	return t.what == "text of its length" && t.typmod <= header
}

// What names the type in a message: the value is no valid … .
func (t *Type) What() string { return t.what }

// Reader reads values. It holds buffers: one serves one goroutine.
type Reader struct {
	Server
	lower  []byte
	fields [maxFields]dateToken
	depth  int
	values [][]byte // unquoted parts, by depth
	nested []byte   // what json is in: { or [
}

// NewReader returns a reader for what such a server would be given.
func NewReader(s Server) *Reader { return &Reader{Server: s} }

// Accepts reports whether the server would take the value, which is UTF-8 where
// its length in characters matters.
func (r *Reader) Accepts(t *Type, value []byte) bool {
	if t == nil {
		return true
	}
	r.depth = 0
	return t.read(r, t, value)
}

// maxDepth is how deep values are looked into. The server's limit is its stack.
const maxDepth = 64

// part reads a part of a value, which was unquoted into its own buffer.
func (r *Reader) part(t *Type, value []byte) bool {
	if t == nil || r.depth >= maxDepth {
		return true
	}
	r.depth++
	ok := t.read(r, t, value)
	r.depth--
	return ok
}

// buffer is the one of this depth, empty.
func (r *Reader) buffer() []byte {
	for len(r.values) <= r.depth {
		r.values = append(r.values, nil)
	}
	return r.values[r.depth][:0]
}

// keep gives a buffer back that may have grown.
func (r *Reader) keep(buffer []byte) { r.values[r.depth] = buffer }

func (r *Reader) any(*Type, []byte) bool { return true }

// isSpace is isspace of the C locale.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isPunct(c byte) bool { return '!' <= c && c <= '~' && !isDigit(c) && !isAlpha(c) }

func trim(s []byte) []byte {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// fold reports whether s is the word, in any case; the word is in lower case.
func fold(s []byte, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// hexDigit is a digit's value; 255 for none.
func hexDigit(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}
