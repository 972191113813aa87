package spec

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
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
	v, ok := parseDuration(written)
	if !ok {
		return unplacedf("write 90s, 45m, 6h, 7d or 1d12h", "%s is not a duration", shown(written))
	}
	d.Value = v
	return nil
}

func (s *size) read(written string) *unplaced {
	v, ok := parseSize(written)
	if !ok {
		return unplacedf("write 512MiB, 4GiB or 10MB", "%s is not a size", shown(written))
	}
	s.Value = v
	return nil
}

var durationUnits = []struct {
	name string
	unit time.Duration
}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}

// ParseDuration reads a duration as a drill file writes it: 90s, 45m, 6h, 7d,
// 1d12h. A day is 24 hours.
func ParseDuration(s string) (time.Duration, error) {
	var d duration
	if fault := d.read(s); fault != nil {
		return 0, fault
	}
	return d.Value, nil
}

// parseDuration reads whole numbers of days, hours, minutes and seconds, each
// unit at most once and the greatest first. A day is 24 hours.
func parseDuration(s string) (total time.Duration, ok bool) {
	rest := s
	for _, u := range durationUnits {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits == 0 || !strings.HasPrefix(rest[digits:], u.name) {
			continue
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil || n > int64((math.MaxInt64-total)/u.unit) {
			return 0, false
		}
		total += time.Duration(n) * u.unit
		rest = rest[digits+len(u.name):]
	}
	return total, rest == "" && s != ""
}

var sizeUnits = map[string]int64{
	"B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
}

func parseSize(s string) (bytes int64, ok bool) {
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	unit, known := sizeUnits[strings.TrimPrefix(s[digits:], " ")]
	n, err := strconv.ParseInt(s[:digits], 10, 64)
	if err != nil || !known || n > math.MaxInt64/unit {
		return 0, false
	}
	return n * unit, true
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
