package transform

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// What openssl makes of a key of 32 times k:
//
//	key=$(openssl kdf -keylen 16 -kdfopt digest:SHA256 -kdfopt key:$master \
//		-kdfopt salt:'daybefore v2' -kdfopt info:'link person' HKDF | tr -d :)
//	printf ada@example.com | openssl mac -cipher AES-128-CBC -macopt hexkey:$key -in - CMAC
const (
	goldenDigest      = "49b20b580bbb34d64e61677eb424541c"
	goldenFingerprint = "v2:25a5b751c8fd9e97" // with info:key, of an empty text
)

var english = locale.Of(locale.Default)

var testKey = bytes.Repeat([]byte("k"), KeySize)

func mask(t testing.TB, key []byte, r Recipe, value string) string {
	t.Helper()
	r = ready(r)
	m := NewMasker(key)
	out, err := m.Append(nil, &r, []byte(value), r.normal.Append(nil, []byte(value)))
	if err != nil {
		t.Fatalf("%s of %q: %v", r.name, value, err)
	}
	return string(out)
}

// ready is the recipe of the name with what every recipe has.
func ready(r Recipe) Recipe {
	r.kind = kinds[r.name]
	if r.domain == (Domain{}) {
		r.domain = domain("link test")
	}
	r.locale = cmp.Or(r.locale, english)
	return r
}

// The digest is what docs/scrub.md says, as anybody can compute it.
func TestDigest(t *testing.T) {
	t.Parallel()
	person := DomainOf("person", nil)
	for range 2 { // a reused state is as good as a new one
		got := mask(t, testKey, Recipe{name: Hash, domain: person}, "ada@example.com")
		if got != goldenDigest {
			t.Errorf("digest %s, openssl says %s", got, goldenDigest)
		}
	}
}

// The examples of RFC 4493, 4.
func TestCMAC(t *testing.T) {
	t.Parallel()
	bytesOf := func(digits string) []byte {
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p, err := newPRF(bytesOf("2b7e151628aed2a6abf7158809cf4f3c"))
	if err != nil {
		t.Fatal(err)
	}
	text := bytesOf("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51" +
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
	for length, want := range map[int]string{
		0: "bb1d6929e95937287fa37d129b756746", 16: "070a16b46b4d4144f79bdd9dd04a287c",
		40: "dfa66747de9ae63030ca32611497c827", 64: "51f0bebf7e3b9d92fc49741779363cfe",
	} {
		var got Digest
		p.sum(&got, text[:length])
		if !bytes.Equal(got[:], bytesOf(want)) {
			t.Errorf("of %d bytes: %x, want %s", length, got, want)
		}
	}
}

// A key's fingerprint tells keys apart, and says by its version which way leads
// from one to pseudonyms.
func TestKeyFingerprint(t *testing.T) {
	t.Parallel()
	one, other := KeyFingerprint(testKey), KeyFingerprint(append([]byte("x"), testKey...))
	if one != goldenFingerprint || other == one || !strings.HasPrefix(other, keyVersion+":") {
		t.Errorf("fingerprints %s and %s", one, other)
	}
}

var shapes = map[string]*regexp.Regexp{
	Email: regexp.MustCompile(`^[a-z2-7]{16}@example\.invalid$`),
	Hash:  regexp.MustCompile(`^[0-9a-f]{32}$`),
	Name:  regexp.MustCompile(`^[A-Za-z]+( [A-Za-z]+)?$`),
}

var textTransforms = []string{Email, Hash, Name, Phone, Text}

// Equal values under one key and link become equal, under another key or link
// different, and what is made has the transform's form.
func TestTransformsAreKeyed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringN(8, 60, -1).Draw(rt, "value")
		other := rapid.SliceOfN(rapid.Byte(), KeySize, KeySize).Draw(rt, "key")
		for _, transform := range textTransforms {
			r := Recipe{name: transform}
			a := mask(t, testKey, r, value)
			b := mask(t, testKey, r, value)
			if a != b {
				rt.Fatalf("%s of %q is %q and %q", transform, value, a, b)
			}
			if form := shapes[transform]; form != nil && !form.MatchString(a) {
				rt.Fatalf("%s of %q is %q", transform, value, a)
			}
			if transform != Email && transform != Hash || bytes.Equal(other, testKey) {
				continue
			}
			if a == mask(t, other, r, value) || a == mask(t, testKey, Recipe{name: transform, domain: domain("link other")}, value) {
				rt.Fatalf("%s of %q does not depend on key and link", transform, value)
			}
		}
	})
}

func TestShapeIsKept(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.String().Draw(rt, "value")
		for _, transform := range []string{Text, Phone} {
			out := mask(t, testKey, Recipe{name: transform}, value)
			if utf8.RuneCountInString(out) != utf8.RuneCountInString(value) {
				rt.Fatalf("%s of %q is %q", transform, value, out)
			}
			in := []rune(value)
			for i, r := range []rune(out) {
				if classOf(r) != classOf(in[i]) || classOf(r) == '.' && r != in[i] || classOf(r) != '.' && r >= utf8.RuneSelf {
					rt.Fatalf("%s of %q is %q: character %d", transform, value, out, i)
				}
			}
			if ascii := mask(t, testKey, Recipe{name: transform, code: charmap.ISO8859_1}, value); copytext.HasHighBytes(ascii) {
				rt.Fatalf("%q is not ASCII", ascii)
			}
		}
	})
	plain := regexp.MustCompile(`^[a-z][A-Z][a-z] \d\d [A-Z]{3} [A-Z]{2} [a-z] [A-Z] [A-Z] €\+😀$`)
	if out := mask(t, testKey, Recipe{name: Text}, "ⓐⒹⓐ ①② 🅰🄳🅐 🇩🇪 ㎏ ℡ ™ €+😀"); !plain.MatchString(out) {
		t.Errorf("letters and digits in disguise became %q", out)
	}
	for in, first := range map[string]string{"+49 171": "+", "0171": "0"} {
		if out := mask(t, testKey, Recipe{name: Phone}, in); !strings.HasPrefix(out, first) || first == "+" && out[1] == '0' {
			t.Errorf("phone of %s is %s", in, out)
		}
	}
	if out := mask(t, testKey, Recipe{name: Text}, "M\xfcller"); copytext.HasHighBytes(out) || len(out) != 6 {
		t.Errorf("broken UTF-8 became %q", out)
	}
}

func classOf(r rune) rune {
	switch {
	case unicode.IsDigit(r) || unicode.IsNumber(r):
		return '0'
	case unicode.IsUpper(r) || unicode.IsTitle(r):
		return 'A'
	case unicode.IsLetter(r) || unicode.IsMark(r):
		return 'a'
	case 0x1F110 <= r && r <= 0x1F1FF:
		return 'A'
	case unicode.IsSymbol(r):
		for _, within := range norm.NFKD.String(string(r)) {
			if within != r && (unicode.IsLetter(within) || unicode.IsNumber(within)) {
				return classOf(within)
			}
		}
	}
	return '.'
}

// What a value becomes depends on no other value before it.
func TestReusedMasker(t *testing.T) {
	t.Parallel()
	m := NewMasker(testKey)
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringN(1, 100, -1).Draw(rt, "value")
		for _, transform := range textTransforms {
			r := ready(Recipe{name: transform})
			got, err := m.Append(nil, &r, []byte(value), []byte(value))
			if want := mask(t, testKey, r, value); err != nil || string(got) != want {
				rt.Fatalf("%s of %q after others is %q, alone %q, %v", transform, value, got, want, err)
			}
		}
	})
}

// A long value's letters do not repeat with the digest.
func TestLongText(t *testing.T) {
	t.Parallel()
	out := mask(t, testKey, Recipe{name: Text}, strings.Repeat("a", 1000))
	if out[:32] == out[32:64] || strings.Contains(out, "aaaaaa") {
		t.Errorf("a pattern shows: %s", out[:100])
	}
}

func TestNameIsCut(t *testing.T) {
	t.Parallel()
	for limit := 1; limit < 30; limit++ {
		out := mask(t, testKey, Recipe{name: Name, limit: limit}, "Ada Lovelace")
		if out == "" || len(out) > limit || strings.HasSuffix(out, " ") {
			t.Errorf("cut to %d: %q", limit, out)
		}
	}
	if out := mask(t, testKey, Recipe{name: Name}, " Ada "); strings.Contains(out, " ") {
		t.Errorf("one word became %q", out)
	}
}

func TestNormal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n        Normal
		in, want string
	}{
		{Normal{}, " A ", " A "}, {Normal{Trim: true}, "\t A\u00a0", "A"}, {Normal{Lower: true}, "ÀÉ\xff", "àé\xff"},
		{Normal{Trim: true, Lower: true}, " Ada@Example.COM ", "ada@example.com"}, {Normal{Blanks: true}, " a  ", " a"},
	} {
		if got := string(tt.n.Append(nil, []byte(tt.in))); got != tt.want {
			t.Errorf("%+v of %q is %q", tt.n, tt.in, got)
		}
	}
}

// Noise stays within its percentage, keeps sign and scale, needs no more
// digits, and does not leave the type.
func TestNumber(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?$`)
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringMatching(`-?(0|[1-9]\d{0,24})(\.\d{1,6})?`).Draw(rt, "value")
		random := rapid.Uint64().Draw(rt, "random")
		percent := rapid.Float64Range(0.1, 100).Draw(rt, "percent")
		m := &Masker{}
		b, err := m.appendNoise(nil, []byte(value), random, percent, 0)
		out := string(b)
		if err != nil || !form.MatchString(out) {
			rt.Fatalf("%s became %s, %v", value, out, err)
		}
		in := rational(value)
		got := rational(out)
		if in.Sign() != got.Sign() || scaleOf(value) != scaleOf(out) || len(out) > len(value) {
			rt.Fatalf("%s became %s", value, out)
		}
		limit := new(big.Rat).Mul(new(big.Rat).Abs(in), new(big.Rat).SetFloat64(percent/100*1.0000001))
		if in.Sign() != 0 && in.Cmp(got) == 0 {
			rt.Fatalf("%s stays", value)
		}
		if far := new(big.Rat).Sub(in, got); far.Abs(far).Cmp(limit) > 0 && far.Cmp(oneIn(value)) > 0 {
			rt.Fatalf("%s became %s, more than %g %% away", value, out, percent)
		}
	})
	for _, tt := range []struct {
		in, want string
		random   uint64
		largest  uint64
	}{
		{"0", "0", 7, 0}, {"0.00", "0.00", 7, 0}, {"NaN", "NaN", 7, 0}, {"-Infinity", "-Infinity", 7, 0},
		{"100", "90", 0, 0}, {"100", "110", ^uint64(0), 0}, {"99", "90", ^uint64(0), 0}, {"32000", "28800", ^uint64(0), 32767},
		{"-32768", "-29492", ^uint64(0), 32767}, {"1.5e-07", "1.6e-07", ^uint64(0), 0}, {"1.5e+300", "1.4e+300", ^uint64(0), 0},
		{"1e+10", "2e+10", 0, 0}, {"3", "2", 0, 0}, {"3", "4", ^uint64(0), 0},
		{"0.05", "0.04", 0, 0}, {"9", "8", ^uint64(0), 0}, {"1", "2", 0, 0}, {"-1", "-2", 0, 0}, {"1", "1", 0, 1}, {"-0.001545", "-0.001391", 0, 0},
		{"0.000009", "0.000008", 0, 0}, {"-10.00", "-9.00", 0, 0},
		{"9223372036854775807", "8301034833169298228", 0, 1<<63 - 1},
	} {
		m := &Masker{}
		got, err := m.appendNoise(nil, []byte(tt.in), tt.random, 10, tt.largest)
		above := tt.largest > 0 && strings.TrimLeft(string(got), "-") > fmt.Sprint(tt.largest)
		if err != nil || string(got) != tt.want && !strings.HasPrefix(tt.in, "9223") || above {
			t.Errorf("%s became %s, %v; want %s", tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "-", "abc", "1e", "1x", "$1", "1.2.3", "1 ", "e5"} {
		if got, err := (&Masker{}).appendNoise(nil, []byte(bad), 1, 10, 0); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

func rational(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func scaleOf(s string) int {
	_, fraction, _ := strings.Cut(s, ".")
	return len(fraction)
}

// oneIn is the value of one in the last of the digits that noise is exact in.
func oneIn(s string) *big.Rat {
	digits := strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(s, "-"), ".", ""), "0")
	power := max(0, len(digits)-exactDigits) - scaleOf(s)
	r := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(power, -power))), nil))
	if power < 0 {
		r.Inv(r)
	}
	return r.Mul(r, big.NewRat(2, 1))
}

func TestDate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in, early, late string
		span            dateSpan
	}{
		{"2024-03-01", "2024-02-20", "2024-03-11", spanOfDate},
		{"2024-02-29 23:59:59.123456+05:30", "2024-02-19 23:59:59.123456+05:30", "2024-03-10 23:59:59.123456+05:30", spanOfTimestamp},
		{"infinity", "infinity", "infinity", spanOfDate}, {"-infinity", "-infinity", "-infinity", spanOfTimestamp},
		{"0001-01-05 00:00:00+00", "0001-12-26 00:00:00+00 BC", "0001-01-15 00:00:00+00", spanOfTimestamp},
		{"0044-03-15 BC", "0044-03-05 BC", "0044-03-25 BC", spanOfDate},
		{"0001-12-31 BC", "0001-12-21 BC", "0001-01-10", spanOfDate},
		{"12024-12-31", "12024-12-21", "12025-01-10", spanOfDate},
		{"5874897-12-31", "5874897-12-21", "5874897-12-21", spanOfDate},
		{"294276-12-31 23:59:59.999999", "294276-12-21 23:59:59.999999", "294276-12-21 23:59:59.999999", spanOfTimestamp},
		{"4713-01-01 BC", "4713-01-11 BC", "4713-01-11 BC", spanOfDate},
	} {
		for random, want := range map[uint64]string{0: tt.early, ^uint64(0): tt.late} {
			got, err := appendDate(nil, []byte(tt.in), random, 10, tt.span)
			if err != nil || string(got) != want {
				t.Errorf("%s became %s, %v; want %s", tt.in, got, err, want)
			}
		}
	}
	for _, bad := range []string{"", "2024", "2024-1-01", "2024-13-01", "2024-00-10", "01/02/2024", "2024-01-32", "0000-01-01", "12345678-01-01", "today"} {
		if got, err := appendDate(nil, []byte(bad), 1, 10, spanOfDate); err == nil {
			t.Errorf("%q became %q", bad, got)
		}
	}
}

// The calendar is time.Time's, and every shift is one of at least a day.
func TestDateAgainstTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		day := rapid.Int64Range(daysOf(1, 1, 1), daysOf(9999, 12, 31)).Draw(rt, "day")
		y, m, d := dateOf(day)
		at := time.Unix(day*86400, 0).UTC()
		if at.Year() != int(y) || at.Month() != time.Month(m) || at.Day() != int(d) || daysOf(y, m, d) != day {
			rt.Fatalf("day %d is %d-%d-%d, time says %s", day, y, m, d, at)
		}
		days := rapid.Int64Range(1, 4000).Draw(rt, "days")
		if n := shiftBy(rapid.Uint64().Draw(rt, "random"), days); n == 0 || n < -days || n > days {
			rt.Fatalf("a shift of %d with at most %d", n, days)
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		day := rapid.Int64Range(spanOfDate.first, spanOfDate.last).Draw(rt, "day")
		if y, m, d := dateOf(day); daysOf(y, m, d) != day {
			rt.Fatalf("day %d is %d-%d-%d and that is day %d", day, y, m, d, daysOf(y, m, d))
		}
	})
}

func FuzzNumberAndDate(f *testing.F) {
	f.Add([]byte("-12.50"), uint64(7))
	f.Add([]byte("2024-02-29 12:00:00+00 BC"), uint64(7))
	f.Fuzz(func(t *testing.T, value []byte, random uint64) {
		m := &Masker{}
		m.appendNoise(nil, value, random, 10, 0)
		m.appendNoise(nil, value, random, 100, 32767)
		out, err := appendDate(nil, value, random, 180, spanOfTimestamp)
		if err == nil {
			if _, err := appendDate(nil, out, random, 180, spanOfTimestamp); err != nil {
				t.Fatalf("%q became %q, which is no date", value, out)
			}
		}
	})
}

// BenchmarkTransform shows every transform beside a bare digest of an address.
func BenchmarkTransform(b *testing.B) {
	b.Run("digest", func(b *testing.B) {
		k := NewKeyed(testKey)
		of := domain("link person")
		value := []byte("ada@example.com")
		for b.Loop() {
			k.Digest(of, value)
		}
	})
	for _, n := range Names() {
		in := "ada@example.com"
		samples := kinds[n].samples
		switch {
		case len(samples) > 0:
			in = samples[0]
		case n == Name || n == Text:
			in = "Ada Lovelace"
		}
		b.Run(n, func(b *testing.B) {
			b.ReportAllocs()
			m := NewMasker(testKey)
			r := onText(n, "user-{hash}")
			var out []byte
			value := []byte(in)
			for b.Loop() {
				out, _ = m.Append(out[:0], r, value, value)
			}
		})
	}
}
