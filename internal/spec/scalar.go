package spec

import (
	"math"
	"strconv"
	"time"

	"github.com/invopop/jsonschema"

	"daybefore/internal/spec/amount"
)

// scalar is a leaf of the file: it reads itself from the text that was
// written, and remembers where.
type scalar interface {
	read(written string) *unplaced
	place(Pos)
}

// shortened is a section that may be written as one of its values alone.
type shortened interface{ short() scalar }

// listed is a section that may be written as a list of texts instead.
type listed interface{ list() *[]text }

// orShort makes a section's schema allow its short form, a T, too.
func orShort[T any](s *jsonschema.Schema) {
	var short T
	long := *s
	alone := any(short).(interface{ JSONSchema() *jsonschema.Schema }).JSONSchema()
	*s = jsonschema.Schema{OneOf: []*jsonschema.Schema{alone, &long}}
}

// leaf holds a value and its place; a zero place means it was not written.
type leaf[T any] struct {
	Value T
	at    Pos
}

func (l *leaf[T]) place(at Pos) { l.at = at }
func (l leaf[T]) given() bool   { return l.at.Line > 0 }

// or gives the value, or the default where none was written.
func (l leaf[T]) or(otherwise T) T {
	if l.given() {
		return l.Value
	}
	return otherwise
}

// pointer is nil where nothing was written.
func (l leaf[T]) pointer() *T {
	if !l.given() {
		return nil
	}
	return &l.Value
}

type (
	text     struct{ leaf[string] }        // any scalar, as it is written
	integer  struct{ leaf[int64] }         // 12
	number   struct{ leaf[float64] }       // 12.5
	boolean  struct{ leaf[bool] }          // true, false
	duration struct{ leaf[time.Duration] } // 90s, 45m, 6h, 7d, 1d12h
	size     struct{ leaf[int64] }         // 4GiB, 10MB: bytes
)

func (t *text) read(written string) *unplaced {
	t.Value = written
	return nil
}

func (i *integer) read(written string) *unplaced {
	v, err := strconv.ParseInt(written, 10, 64)
	if err != nil {
		return unplacedf("write digits only, such as 1000", "%s is not a whole number", shown(written))
	}
	i.Value = v
	return nil
}

func (n *number) read(written string) *unplaced {
	v, err := strconv.ParseFloat(written, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return unplacedf("write a number, such as 12.5", "%s is not a number", shown(written))
	}
	n.Value = v
	return nil
}

func (b *boolean) read(written string) *unplaced {
	if written != "true" && written != "false" {
		return unplacedf("write true or false", "%s is neither true nor false", shown(written))
	}
	b.Value = written == "true"
	return nil
}

func (d *duration) read(written string) *unplaced {
	v, ok := amount.Duration(written)
	if !ok {
		return unplacedf("write 90s, 45m, 6h, 7d or 1d12h", "%s is not a duration", shown(written))
	}
	d.Value = v
	return nil
}

func (s *size) read(written string) *unplaced {
	v, ok := amount.Bytes(written)
	if !ok {
		return unplacedf("write 512MiB, 4GiB or 10MB", "%s is not a size", shown(written))
	}
	s.Value = v
	return nil
}

// ParseDuration reads a duration as a drill file writes it: 90s, 45m, 6h, 7d,
// 1d12h. A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	var d duration
	if fault := d.read(s); fault != nil {
		return 0, fault
	}
	return d.Value, nil
}

// What editors are told about each kind of leaf.

func (text) JSONSchema() *jsonschema.Schema    { return &jsonschema.Schema{Type: "string"} }
func (integer) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer"} }
func (number) JSONSchema() *jsonschema.Schema  { return &jsonschema.Schema{Type: "number"} }
func (boolean) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "boolean"} }

func (duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$`}
}

func (size) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^\d+ ?([kKMGT]?B|[KMGT]iB)$`}
}
