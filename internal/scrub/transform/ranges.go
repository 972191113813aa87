package transform

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
)

var errNotARange = errors.New("not a range")

var (
	numberRangeSamples = []string{"[1,10)", "[5,)", "(,100)", "[-20,20)", "empty"}
	dateRangeSamples   = []string{"[2024-01-01,2024-02-01)", "[1999-12-31,)", "(,2099-01-01)", "empty"}
)

// ofRanges makes a transform of bounds one of ranges and multiranges.
func ofRanges(bound *kind, t schema.Type) *kind {
	out := *bound
	out.samples = numberRangeSamples
	if t.IsDateRange() {
		out.samples = dateRangeSamples
	}
	if strings.HasSuffix(t.Name, "multirange") {
		samples := slices.Clone(out.samples)
		for i, s := range samples {
			samples[i] = "{" + s + "}"
		}
		out.samples = samples
		out.write = func(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
			return m.appendRanges(dst, r, in, bound)
		}
		return &out
	}
	out.write = func(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
		dst, rest, err := m.appendRange(dst, in.value, r, in, bound)
		if err == nil && len(rest) > 0 {
			err = errNotARange
		}
		return dst, err
	}
	return &out
}

// appendRanges rewrites a multirange: {[1,3),[5,7)}.
func (m *Masker) appendRanges(dst []byte, r *Recipe, in input, bound *kind) (_ []byte, err error) {
	s := in.value
	if string(s) == "{}" {
		return append(dst, s...), nil
	}
	if len(s) == 0 || s[0] != '{' {
		return dst, errNotARange
	}
	for open := byte('{'); len(s) > 0 && s[0] == open; open = ',' {
		dst = append(dst, open)
		dst, s, err = m.appendRange(dst, s[1:], r, in, bound)
		if err != nil {
			return dst, err
		}
	}
	if string(s) != "}" {
		return dst, errNotARange
	}
	return append(dst, '}'), nil
}

// appendRange rewrites the bounds of the range at the beginning of s by one
// digest, and returns what follows it. What would stand in the wrong order is
// exchanged: noise may carry the lower bound past the upper one.
func (m *Masker) appendRange(dst, s []byte, r *Recipe, in input, bound *kind) (_, rest []byte, err error) {
	read, rest, err := m.ranges.Read(s)
	if err != nil {
		return dst, s, errNotARange
	}
	m.lower, m.upper = m.lower[:0], m.upper[:0]
	if read.HasLower {
		in.value = read.Lower
		m.lower, err = bound.write(m, m.lower, r, in)
		if err != nil {
			return dst, s, err
		}
	}
	if read.HasUpper {
		in.value = read.Upper
		m.upper, err = bound.write(m, m.upper, r, in)
		if err != nil {
			return dst, s, err
		}
	}
	read.Lower, read.Upper = m.lower, m.upper
	if read.HasLower && read.HasUpper && isAbove(read.Lower, read.Upper) {
		read.Lower, read.Upper = read.Upper, read.Lower
	}
	return copytext.AppendRange(dst, read), rest, nil
}

// isAbove reports whether a is a later date or a greater number than b. Infinities
// and NaN stay where they are, so that their order is right.
func isAbove(a, b []byte) bool {
	da, errA := readDate(a)
	db, errB := readDate(b)
	switch {
	case errA == nil && errB == nil && !da.infinite && !db.infinite:
		return daysOf(da.year, da.month, da.day) > daysOf(db.year, db.month, db.day)
	case errA == nil || errB == nil:
		return false
	}
	return greater(a, b)
}

// greater compares two decimal numbers of any length.
func greater(a, b []byte) bool {
	a, negativeA := bytes.CutPrefix(a, []byte("-"))
	b, negativeB := bytes.CutPrefix(b, []byte("-"))
	wholeA := digitsOf(a)
	wholeB := digitsOf(b)
	switch {
	case wholeA == 0 || wholeB == 0: // NaN, Infinity
		return false
	case negativeA != negativeB:
		return negativeB
	case negativeA:
		a, b, wholeA, wholeB = b, a, wholeB, wholeA
	}
	if wholeA != wholeB { // neither has leading zeros
		return wholeA > wholeB
	}
	if c := bytes.Compare(a[:wholeA], b[:wholeB]); c != 0 {
		return c > 0
	}
	return bytes.Compare(bytes.TrimRight(a[wholeA:], "0."), bytes.TrimRight(b[wholeB:], "0.")) > 0
}
