// Package transform turns one value into its pseudonym, as the rule of a drill
// file says: New makes a rule ready for a column, a Masker applies it. Whether a
// column takes what is made is decided before the first row, by the Unfit
// functions and by Outcomes. It must never keep a value, put one into an error, or
// let what came before decide what a value becomes.
package transform

import (
	"errors"
	"maps"
	"regexp"
	"slices"

	"golang.org/x/text/encoding"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// Effect is what a transform does to values that were apart.
type Effect int

const (
	KeepsApart Effect = iota // different stay different, but for a chance of 2^-64 and less
	Merges                   // different values may become equal
	Clears                   // nothing is left
)

// kind is what a drill file names. One that keeps a value's shape makes
// what a CHECK takes or refuses depend on the value too.
type kind struct {
	effect     Effect // by register
	fits       func(t schema.Type) bool
	length     int // characters it needs at least; 0: what the value had, or it is cut
	most       int // characters it makes at most, where a template may hold it; 0: as many as words say, or it may not
	keepsShape bool
	escapes    bool     // what it makes may hold what COPY escapes, though the value does not
	samples    []string // values it is at home with

	// words is what is drawn from a locale's words; nil: nothing.
	words func(*locale.Locale) locale.Phrase
	// texts are what the rule has it write, as the drill file has them; nil: nothing.
	texts func(*spec.Rule) []string
	// fixed says that it makes its texts and nothing else, whatever the value.
	fixed bool
	// lacks says what a rule lacks that no drill file was read for, and the fix; nil:
	// nothing.
	lacks func(*spec.Rule) (why, hint string)
	// of is the kind for values of a type; nil: there is one for all.
	of func(t schema.Type, text *kind) *kind
	// ready takes from a rule what others do not need; nil: nothing.
	ready func(*Recipe, *spec.Rule, Env)
	write func(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error)
}

// input is a value in UTF-8, not empty; the same without what does not tell it
// from others; and the digest of that.
type input struct {
	value, normalized []byte
	digest            *Digest
}

// kinds are all transforms by their names. Each is entered by the file that has
// its writer; what a drill file may say of it is in spec's table.
var kinds = map[string]*kind{}

// register enters a transform. One that spec's table does not have merges values.
func register(name string, k kind) {
	row, _ := spec.TransformNamed(name)
	switch {
	case name == SetNull:
		k.effect = Clears
	case !row.Apart:
		k.effect = Merges
	}
	kinds[name] = &k
}

// Names are all of them, sorted.
func Names() []string { return slices.Sorted(maps.Keys(kinds)) }

// Known reports whether there is a transform of that name.
func Known(name string) bool { return kinds[name] != nil }

// Fits reports whether a transform can write values of a type.
func Fits(name string, t schema.Type) bool { return Known(name) && kinds[name].fits(t.Values()) }

func anyType(schema.Type) bool { return true }

func anyOf(these ...func(schema.Type) bool) func(schema.Type) bool {
	return func(t schema.Type) bool {
		return slices.ContainsFunc(these, func(is func(schema.Type) bool) bool { return is(t) })
	}
}

var errUnknownTransform = errors.New("no such transform")

// Recipe is a rule made ready for one column, or for a part of its values.
type Recipe struct {
	*kind
	name        string // of the transform
	effect      Effect // of the transform, or of what the template is made of
	domain      Domain
	normal      Normal
	encoded     [][]byte       // of a transform that makes nothing else, in the encoding of the rows
	parts       []templatePart // template
	pattern     *regexp.Regexp // replace
	with        []byte         // replace
	percent     float64        // number, money
	bucket      uint64         // number; 0: noise
	meters      float64        // position
	degrees     degrees        // position
	largest     uint64         // number, money: the type's largest; 0: none
	days        int            // date_shift
	to          datePrecision  // truncate
	span        dateSpan
	limit       int               // characters; 0: none
	lead        string            // hash: of a bytea
	whole       bool              // the value is a range: what is made of it is no sample's extreme
	network     bool              // ip: the type is cidr, whose host bits are zero
	locale      *locale.Locale    // where the transform, or a part of its template, writes words
	code        encoding.Encoding // of the rows; nil: Unicode
	plainNumber bool              // money: the type is a number's
	folded      bool              // equal normalized values are to become equal, whatever was taken off them
	lenient     bool              // the value is a text: what is not of the transform's kind becomes text's
}

// WritesPlain reports whether what the recipe makes holds nothing that COPY
// escapes, unless the value did: it copies of the value, and writes digits,
// letters and words of its own.
func (r *Recipe) WritesPlain() bool { return (r.kind == nil || !r.escapes) && len(r.lead) == 0 }

// NewMasker makes one whose digests are under a key.
func NewMasker(key []byte) *Masker { return &Masker{Keyed: NewKeyed(key)} }

// Masker applies recipes; one serves one goroutine.
type Masker struct {
	*Keyed
	norm, digits, clock []byte
	unicode             []byte            // what is yet to be encoded
	encoder             *encoding.Encoder // nil until something is
	ranges              copytext.RangeReader
	lower, upper        []byte  // a range's bounds
	person              *uint64 // date_shift: who the value is about, instead of the value itself
	seed                uint64  // person's
	permuting           permuting
}

// Append appends what the recipe makes of a value, which is UTF-8 and not
// empty, to dst; normalized is the value without what does not tell it from
// others.
func (m *Masker) Append(dst []byte, r *Recipe, value, normalized []byte) ([]byte, error) {
	in := input{value: value, normalized: normalized}
	if r.name != Constant && r.name != Permute {
		in.digest = m.Digest(r.domain, normalized)
	}
	if r.folded {
		in.value = normalized
	}
	start := len(dst)
	out, err := r.write(m, dst, r, in)
	if err != nil && r.lenient {
		in.digest = m.Digest(r.domain, normalized) // which the writer may have used up
		return writeShape(m, out[:start], r, in)
	}
	return out, err
}
