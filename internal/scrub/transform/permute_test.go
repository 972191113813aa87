package transform

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// permuted makes a function that permutes values of one of PostgreSQL's types.
func permuted(t testing.TB, typ, key, link string) func(value string) string {
	t.Helper()
	c := &schema.Column{SQL: typ, Base: schema.Type{Schema: "pg_catalog", Name: typ, Kind: "b"}}
	r := New(c, &spec.Rule{Transform: Permute}, domain("link "+link), Env{})
	m := NewMasker([]byte(strings.Repeat(key, KeySize)))
	return func(value string) string {
		t.Helper()
		out, err := m.Append([]byte("in front"), r, []byte(value), m.Normalize(r, []byte(value)))
		if err != nil || !strings.HasPrefix(string(out), "in front") {
			t.Fatalf("%s %s: %q, %v", typ, value, out, err)
		}
		return string(out[len("in front"):])
	}
}

// valueDomain is all values of one shape, or a part of them.
type valueDomain struct {
	typ    string
	values []string
	part   bool
}

// numbered are values that a format makes of numbers.
func numbered(typ, format string, from, to int) valueDomain {
	d := valueDomain{typ: typ}
	for i := from; i < to; i++ {
		d.values = append(d.values, fmt.Sprintf(format, i))
	}
	return d
}

// domains are shapes whose values can be counted.
func domains() map[string]valueDomain {
	days := valueDomain{typ: "date"}
	for day := daysOf(1999, 1, 1); day < daysOf(2000, 1, 1); day++ {
		y, m, d := dateOf(day)
		days.values = append(days.values, fmt.Sprintf("%04d-%02d-%02d", y, m, d))
	}
	letters, zeros := valueDomain{typ: "text"}, valueDomain{typ: "numeric", part: true}
	for a := 'a'; a <= 'z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			letters.values = append(letters.values, fmt.Sprintf("%c-%c", a, b))
		}
	}
	for i := range 90 {
		zeros.values = append(zeros.values, fmt.Sprintf("%d.50", 10+i))
	}
	return map[string]valueDomain{
		"one digit": numbered("text", "%d", 1, 10), "a zero and one": numbered("text", "0%d", 0, 10),
		"two": numbered("text", "+%d", 10, 100), "three": numbered("bpchar", "%d", 100, 1000),
		"smallint's end": numbered("int2", "%d", 10_000, 32_768), "beyond it": numbered("int4", "%d", 32_768, 100_000),
		"below zero": numbered("int2", "-%d", 10_000, 32_769), "a fraction": numbered("numeric", "0.%d", 1, 10),
		"networks":           {typ: "cidr", values: []string{"0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"}},
		"the days of a year": days, "two letters": letters, "ends in zeros": zeros,
	}
}

// Of a shape all values become all values: none is missing, and so no two are
// equal. Integers fit their type, in any count of digits.
func TestPermuteIsAPermutation(t *testing.T) {
	t.Parallel()
	for name, d := range domains() {
		after := permuted(t, d.typ, "k", "l")
		seen := map[string]bool{}
		stay := 0
		for _, v := range d.values {
			out := after(v)
			seen[out] = true
			if out == v {
				stay++
			}
		}
		if len(seen) != len(d.values) || len(d.values) > 20 && stay > len(d.values)/5 {
			t.Errorf("%s: of %d values %d are left, and %d as they were", name, len(d.values), len(seen), stay)
		}
		for _, v := range d.values {
			if !seen[v] && !d.part {
				t.Errorf("%s: nothing becomes %s", name, v)
				break
			}
		}
	}
}

// What is made has the shape of the value, and depends on key and link.
func TestPermuteKeepsTheShape(t *testing.T) {
	t.Parallel()
	formOf := func(s string) string {
		digit := false
		return strings.Map(func(r rune) rune {
			switch {
			case '0' <= r && r <= '9' && !digit:
				digit = true
				return min(r, '1')
			case '0' <= r && r <= '9':
				return '9'
			case 'a' <= r && r <= 'z':
				return 'a'
			case 'A' <= r && r <= 'Z':
				return 'A'
			}
			return r
		}, s)
	}
	one, two, other := permuted(t, "text", "k", "l"), permuted(t, "text", "K", "l"), permuted(t, "text", "k", "m")
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.StringMatching(`[ -~]{0,30}`).Draw(rt, "value")
		out := one(v)
		if formOf(out) != formOf(v) {
			rt.Fatalf("%q became %q", v, out)
		}
		const enough = 12
		if told := strings.Count(formOf(v), "9") + strings.Count(formOf(v), "a"); told > enough &&
			(out == v || out == two(v) || out == other(v)) {
			rt.Fatalf("%q became %q under any key and link", v, out)
		}
	})
	if v := permuted(t, "text", "k", "l")("12345678901"); len(v) != 11 || v == "12345678901" {
		t.Error(v)
	}
}

// Different texts of any script stay different, as many characters and bytes
// long, and can be written in the rows' encoding.
func TestPermuteOfAnyScript(t *testing.T) {
	t.Parallel()
	after := permuted(t, "text", "k", "l")
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.String().Draw(rt, "a"), rapid.String().Draw(rt, "b")
		outA, outB := after(a), after(b)
		if (a == b) != (outA == outB) || len(outA) != len(a) {
			rt.Fatalf("%q and %q became %q and %q", a, b, outA, outB)
		}
	})
	seen := map[string]bool{}
	words := []string{"Żółć", "Żółw", "Ärger", "Äpfel", "Ünal", "Ýmir", "李雷", "韩梅", "Иван", "Олег", "\u0661\u0662", "ß", "ÿ"}
	for _, v := range words {
		out := after(v)
		if out == v && v != "ß" && v != "ÿ" {
			t.Errorf("%s stays", v)
		}
		seen[out] = true
	}
	if len(seen) != len(words) {
		t.Errorf("%d words of %d are left", len(seen), len(words))
	}
	latin, _ := copytext.EncodingOf("LATIN2")
	r := New((&schema.Column{}).AsText(), &spec.Rule{Transform: Permute}, domain("x"), Env{Encoding: latin})
	m := NewMasker(make([]byte, KeySize))
	decode := latin.NewDecoder()
	read := map[string]bool{}
	for c := rune(0xA0); c < 0x180; c++ {
		if _, ok := latin.Encode(string(c)); !ok {
			continue
		}
		out, err := m.Append(nil, r, []byte(string(c)), []byte(string(c)))
		if err != nil || len(out) != 1 {
			t.Fatalf("%c: %q, %v", c, out, err)
		}
		read[string(decode.Decode(out))] = true
	}
	if len(read) < 90 {
		t.Errorf("%d letters of LATIN2 are left", len(read))
	}
}

// Numbers keep sign and digits, fit the type, and are equal in all types; zeros
// behind the point mean nothing.
func TestPermuteOfNumbers(t *testing.T) {
	t.Parallel()
	big, small := permuted(t, "int8", "k", "l"), permuted(t, "int4", "k", "l")
	decimal := permuted(t, "numeric", "k", "l")
	rapid.Check(t, func(rt *rapid.T) {
		n, other := rapid.Int64().Draw(rt, "n"), rapid.Int64().Draw(rt, "other")
		in := strconv.FormatInt(n, 10)
		out := big(in)
		after, err := strconv.ParseInt(out, 10, 64)
		if err != nil || len(out) != len(in) || (after < 0) != (n < 0) || (after == 0) != (n == 0) {
			rt.Fatalf("%s became %s", in, out)
		}
		if (big(strconv.FormatInt(other, 10)) == out) != (n == other) {
			rt.Fatalf("%d and %d became equal", n, other)
		}
		m := rapid.Int32().Draw(rt, "m")
		in = strconv.FormatInt(int64(m), 10)
		if _, err := strconv.ParseInt(small(in), 10, 32); err != nil || small(in) != big(in) || small(in) != decimal(in) {
			rt.Fatalf("%s became %s, %s and %s", in, small(in), big(in), decimal(in))
		}
		whole := rapid.IntRange(0, 1000).Draw(rt, "whole")
		in = fmt.Sprintf("%d.%d", whole, rapid.IntRange(0, 1000).Draw(rt, "fraction"))
		out = decimal(in)
		longer := decimal(in + "00")
		if longer != out+"00" || len(out) != len(in) {
			rt.Fatalf("%s became %s, with zeros %s", in, out, longer)
		}
	})
	for in, want := range map[string]string{"0": "0", "0.00": "0.00", "NaN": "NaN", "-Infinity": "-Infinity"} {
		if got := decimal(in); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
	seen := map[string]bool{}
	for whole := range 10 {
		for fraction := range 100 { // which are equal where a zero ends them
			seen[strings.TrimRight(strings.TrimRight(decimal(fmt.Sprintf("%d.%02d", whole, fraction)), "0"), ".")] = true
		}
	}
	if len(seen) != 1000 {
		t.Errorf("%d of 1000 amounts are left", len(seen))
	}
}

// A sample that a pattern finds is made for each that says a form.
func TestMatching(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{
		`^[0-9]{3}-[0-9]{2}-[0-9]{4}$`, `^\+[1-9][0-9]{6,14}$`, `^(K|L)-\d{7}[A-Z]?$`, `^[[:alpha:]]+\.x*$`, `^[^a-z0-9A-Z]$`, `^.{3}$`, `^(ab){2,}$`,
	} {
		if sample := matching(pattern); !regexp.MustCompile(pattern).MatchString(sample) {
			t.Errorf("%s does not find %q", pattern, sample)
		}
	}
	if sample := matching("(a{30}){30}"); len(sample) > 2*longestSample {
		t.Errorf("a sample of %d characters", len(sample))
	}
	if sample := matching("["); sample != "" {
		t.Errorf("%q is found by what is no pattern", sample)
	}
}

// Addresses and days of one kind stay of it, and differ.
func TestPermuteOfOtherTypes(t *testing.T) {
	t.Parallel()
	address, network := permuted(t, "inet", "k", "l"), permuted(t, "cidr", "k", "l")
	mac, day, moment := permuted(t, "macaddr", "k", "l"), permuted(t, "date", "k", "l"), permuted(t, "timestamp", "k", "l")
	seen := map[string]bool{}
	for i := range 1000 {
		for _, v := range []string{
			address(fmt.Sprintf("10.1.%d.%d", i/256, i%256)), address(fmt.Sprintf("2001:db8::%x", i)),
			address(fmt.Sprintf("10.1.%d.%d/24", i/256, i%256)), network(fmt.Sprintf("10.%d.%d.0/24", i/256, i%256)),
			mac(fmt.Sprintf("00:00:5e:00:%02x:%02x", i/256, i%256)),
			moment(fmt.Sprintf("%04d-02-28 01:02:03.5", i+1)),
		} {
			seen[v] = true
		}
	}
	if len(seen) != 6000 {
		t.Errorf("%d of 6000 values are left", len(seen))
	}
	for name, ok := range map[string]bool{
		"a netmask stays":            strings.HasSuffix(address("192.0.2.7/24"), "/24"),
		"a network's hosts are 0":    strings.HasSuffix(network("192.0.2.0/24"), ".0/24"),
		"the year stays":             strings.HasPrefix(day("1944-05-14"), "1944-"),
		"before Christ":              strings.HasPrefix(day("0044-03-15 BC"), "0044-") && strings.HasSuffix(day("0044-03-15 BC"), " BC"),
		"the first day there is":     day("4713-01-01 BC") != "",
		"the time of day":            strings.HasSuffix(moment("1944-05-14 10:11:12"), " 10:11:12"),
		"infinity":                   day("infinity") == "infinity",
		"a MAC address's form":       len(mac("08:00:2b:01:02:03")) == 17 && mac("08:00:2b:01:02:03") != "08:00:2b:01:02:03",
		"the last day of leap years": day("2024-12-31") != day("2023-12-31"),
	} {
		if !ok {
			t.Error(name)
		}
	}
}

// A collation that is not deterministic takes both forms of an accent for equal,
// and so does a rule that says so.
func TestNormalizeComposes(t *testing.T) {
	t.Parallel()
	nfc, nfd := "m\u00fcller@example.com", "mu\u0308ller@example.com"
	for name, tt := range map[string]struct {
		alike     bool
		normalize []string
		equal     bool
	}{
		"by the collation": {true, nil, true}, "by the rule": {false, []string{"nfc"}, true}, "by nothing": {false, nil, false},
		"with case": {false, []string{"lower", "nfc"}, true},
	} {
		c := (&schema.Column{}).AsText()
		c.Alike = tt.alike
		r := New(c, &spec.Rule{Transform: Email, Normalize: tt.normalize}, domain("x"), Env{})
		m := NewMasker(make([]byte, KeySize))
		after := func(v string) string {
			out, err := m.Append(nil, r, []byte(v), m.Normalize(r, []byte(v)))
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		if (after(nfc) == after(nfd)) != tt.equal {
			t.Errorf("%s: %s and %s", name, after(nfc), after(nfd))
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.String().Draw(rt, "value")
		if got := string(Normal{Composed: true}.Append(nil, []byte(v))); got != norm.NFC.String(v) {
			rt.Fatalf("%q became %q", v, got)
		}
	})
}
