package transform

import (
	"slices"
	"strconv"
	"strings"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/sqltext"
)

// Outcomes is what a recipe makes of sample values: all that it can make of
// each, or the extremes. The key is fixed, so that a plan is decided the same
// way in every run.
func (r *Recipe) Outcomes(c *schema.Column) []Sample {
	m := NewMasker([]byte("only for samples that decide whether a rule fits its column"))
	switch { // a value decides only which of them are made
	case r.words != nil:
		return []Sample{{Out: m.extremes(r)}}
	case r.fixed:
		var all []string
		for _, text := range r.encoded {
			all = append(all, string(text))
		}
		return []Sample{{Out: all}}
	}
	var all []Sample
	for _, in := range r.Inputs(c) {
		s := Sample{In: in}
		for _, made := range r.variants() {
			if out, ok := made(m, in); ok {
				s.Out = append(s.Out, out)
			}
		}
		all = append(all, s)
	}
	return all
}

// Sample is a value and what may become of it, as the rows are written.
type Sample struct {
	In  string
	Out []string
}

type variant = func(m *Masker, in string) (string, bool)

func (r *Recipe) variants() []variant {
	switch {
	case r.whole:
	case r.name == Number && r.bucket == 0:
		return extremes(func(m *Masker, in string, random uint64) ([]byte, error) {
			return m.appendNoise(nil, []byte(in), random, r.percent, r.largest)
		})
	case r.name == Position && r.plainNumber:
		return extremes(func(m *Masker, in string, random uint64) ([]byte, error) {
			return m.appendPosition(nil, []byte(in), r, &random, nil)
		})
	case r.name == DateShift:
		return extremes(func(_ *Masker, in string, random uint64) ([]byte, error) {
			return appendDate(nil, []byte(in), random, r.days, r.span)
		})
	}
	var all []variant
	for i := range 4 {
		other := *r
		other.domain = r.domain.Within(strconv.Itoa(i))
		all = append(all, func(m *Masker, in string) (string, bool) {
			out, err := m.Append(nil, &other, []byte(in), []byte(in))
			return string(out), err == nil
		})
	}
	return all
}

// extremes are the least and the most, and a step into either direction.
func extremes(f func(m *Masker, in string, random uint64) ([]byte, error)) []variant {
	var all []variant
	for _, random := range []uint64{0, 1 << 63, 1<<63 - 1, ^uint64(0)} {
		all = append(all, func(m *Masker, in string) (string, bool) {
			out, err := f(m, in, random)
			return string(out), err == nil
		})
	}
	return all
}

var textSamples = []string{
	"x", "Ada", "Ada Lovelace", "someone@example.com", "42", "12345", "AB-1234", "https://example.com/a", "aa bb cc",
}

// Inputs are likely values of a column, and the ones its constraints name.
func (r *Recipe) Inputs(c *schema.Column) []string {
	all := r.samples
	switch {
	case r.whole:
	case (r.name == Number || r.name == Money) && !c.Base.Is("int2", "int4", "int8"):
		all = slices.Concat(all, []string{"0.5", "1.25", "19.99", "-0.5"})
	case len(all) == 0:
		all = textSamples
	}
	all = append(slices.Clone(all), r.named(c)...)
	return all
}

// named are the values that a column's constraints name; of a range, ranges
// that end there.
func (r *Recipe) named(c *schema.Column) []string {
	var all []string
	for _, expr := range c.Constraints() {
		all = append(all, literals(expr, r.name)...)
	}
	if !r.whole {
		return all
	}
	var ranges []string
	for _, limit := range all {
		for _, s := range []string{"[" + limit + ",)", "(," + limit + "]"} {
			if strings.HasSuffix(c.Base.Name, "multirange") {
				s = "{" + s + "}"
			}
			ranges = append(ranges, s)
		}
	}
	return ranges
}

// literals are the values that an expression compares with, and their nearest
// neighbors: where they are limits, what lies just inside is what noise would
// carry over.
func literals(expr, transform string) []string {
	var all []string
	for _, t := range sqltext.Tokens(expr, true) {
		switch {
		case t.Kind == sqltext.Number && slices.Contains([]string{Number, Money, Permute, Position}, transform):
			for _, n := range neighbors(t.Text) {
				all = append(all, n, "-"+n)
			}
		case t.Kind == sqltext.String && (transform == DateShift || transform == Truncate):
			all = append(all, t.Text)
			for _, random := range []uint64{0, ^uint64(0)} {
				if next, err := appendDate(nil, []byte(t.Text), random, 1, spanOfTimestamp); err == nil {
					all = append(all, string(next))
				}
			}
		case t.Kind == sqltext.String && t.Text != "":
			all = append(all, t.Text)
			if sample := matching(t.Text); transform == Permute && sample != "" {
				all = append(all, sample)
			}
		}
	}
	return all
}

func neighbors(number string) []string {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 {
		return []string{number}
	}
	return []string{number, strconv.FormatInt(n-1, 10), strconv.FormatInt(n+1, 10)}
}
