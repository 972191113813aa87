package transform

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
	"pgregory.net/rapid"

	"daybefore/internal/detect"
	"daybefore/internal/octets"
	"daybefore/internal/pgtest"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
)

// Each row of the drill file's table has a writer, each writer a row, and what they
// say of themselves agrees.
func TestTransformsAreThoseOfTheDrillFile(t *testing.T) {
	t.Parallel()
	said := slices.Sorted(slices.Values(spec.TransformNames()))
	if !slices.Equal(said, Names()) {
		t.Errorf("the drill file knows %q, the writers are of %q", said, Names())
	}
	for _, row := range spec.Transforms {
		k := kinds[row.Name]
		switch {
		case k == nil:
		case k.write == nil || k.fits == nil:
			t.Errorf("%s has no writer, or fits nothing", row.Name)
		case row.Apart != (k.effect == KeepsApart):
			t.Errorf("%s keeps values apart: %v says its row", row.Name, row.Apart)
		case row.Words != (k.words != nil || row.Name == Template):
			t.Errorf("%s takes words of a locale: %v says its row", row.Name, row.Words)
		case row.Template && k.most == 0 && k.words == nil:
			t.Errorf("a template may hold {%s}, of which nobody knows how long it becomes", row.Name)
		case len(row.Needs) > 0 && k.lacks == nil:
			t.Errorf("%s needs parameters, and does not miss them", row.Name)
		}
	}
}

// onText is the recipe of a transform on a column of texts, under a rule that has
// what any of them needs.
func onText(name, value string) *Recipe {
	rule := &spec.Rule{
		Transform: name, Value: &value, Values: []string{"first", "second"}, Percent: 10, Days: 30, To: "year", Pattern: "[a-f]+", With: "y",
	}
	column := (&schema.Column{}).AsText()
	return New(column, rule, domain("link test"), Env{Locale: english})
}

// What is made has its kind's form, at most the length it promises, and is
// never the value.
func TestForms(t *testing.T) {
	t.Parallel()
	forms := map[string]*regexp.Regexp{
		FirstName: regexp.MustCompile(`^[A-Za-z ]+$`), LastName: regexp.MustCompile(`^[A-Za-z ]+$`), City: regexp.MustCompile(`^[A-Za-z ]+$`),
		Company: regexp.MustCompile(`^[A-Za-z ]+-[A-Za-z ]+ [A-Za-z ]+$`), Street: regexp.MustCompile(`^[1-9]\d{0,2} [A-Za-z ]+ [A-Za-z]+$`),
		UUID: regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`),
		URL:  regexp.MustCompile(`^https://example\.invalid/[a-z2-7]{16}$`), Token: regexp.MustCompile(`^[A-Za-z0-9]{16,}$`),
		Email: shapes[Email], Hash: shapes[Hash], Name: regexp.MustCompile(`^[A-Za-z ]+$`),
	}
	rapid.Check(t, func(rt *rapid.T) {
		value := rapid.StringN(1, 60, -1).Draw(rt, "value")
		for n, form := range forms {
			out := mask(t, testKey, Recipe{name: n}, value)
			if !form.MatchString(out) || out == value || mostOf(n) > 0 && len(out) > mostOf(n) {
				rt.Fatalf("%s of %q is %q", n, value, out)
			}
			limit := rapid.IntRange(1, 60).Draw(rt, "limit")
			if cut := mask(t, testKey, Recipe{name: n, limit: limit}, value); kinds[n].length == 0 && (len(cut) > limit || cut == "") {
				rt.Fatalf("%s of %q cut to %d is %q", n, value, limit, cut)
			}
		}
	})
}

// mostOf is how many characters a transform makes at most; 0: it does not say.
func mostOf(transform string) int {
	if w := kinds[transform].words; w != nil {
		return w(english).Longest()
	}
	return kinds[transform].most
}

func TestCheckDigits(t *testing.T) {
	t.Parallel()
	mod97 := func(s string) int64 {
		s = strings.ToUpper(strings.ReplaceAll(s, " ", ""))
		var digits strings.Builder
		for _, c := range s[4:] + s[:4] {
			if c >= 'A' {
				fmt.Fprint(&digits, c-'A'+10)
			} else {
				digits.WriteRune(c)
			}
		}
		n, _ := new(big.Int).SetString(digits.String(), 10)
		return new(big.Int).Mod(n, big.NewInt(97)).Int64()
	}
	for _, good := range kinds[IBAN].samples {
		if mod97(good) != 1 {
			t.Fatalf("%s is no example of a good one", good)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.StringMatching(`[A-Za-z]{2}[0-9]{2}( ?[A-Za-z0-9]){11,30}`).Draw(rt, "iban")
		out := mask(t, testKey, Recipe{name: IBAN}, in)
		if mod97(out) != 1 || out[:2] != in[:2] || len(out) != len(in) || strings.Count(out, " ") != strings.Count(in, " ") {
			rt.Fatalf("%s became %s", in, out)
		}
		number := rapid.StringMatching(`[0-9]{4}([ -]?[0-9]){8,15}`).Draw(rt, "card")
		out = mask(t, testKey, Recipe{name: Card}, number)
		if detect.Luhn([]byte(out)) != 0 || out[0] != number[0] || len(out) != len(number) {
			rt.Fatalf("%s became %s", number, out)
		}
	})
	for number, want := range map[string]int{"4111111111111111": 0, "378282246310005": 0, "79927398713": 0, "4111 1111 1111 1112": 1} {
		if detect.Luhn([]byte(number)) != want {
			t.Errorf("%s leaves %d", number, detect.Luhn([]byte(number)))
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	v4 := regexp.MustCompile(`^10\.\d+\.\d+\.\d+$`)
	v6 := regexp.MustCompile(`^2001:db8:[0-9a-f:]+$`)
	for in, want := range map[string]*regexp.Regexp{
		"192.0.2.1": v4, "0.0.0.0": v4, "255.255.255.255": v4, "::1": v6, "2001:db8::": v6, "::ffff:192.0.2.1": v6,
		"192.0.2.1/24": regexp.MustCompile(`^10\.\d+\.\d+\.\d+/24$`), "2001:db8::/32": regexp.MustCompile(`^2001:db8:[0-9a-f:]+/32$`),
		"1.2.3": regexp.MustCompile(`^\d\.\d\.\d$`), "1.2.3.256": regexp.MustCompile(`^\d\.\d\.\d\.\d{3}$`), "unknown": regexp.MustCompile(`^[a-z]{7}$`),
		"192.0.2.1, 192.0.2.2": regexp.MustCompile(`^\d{3}\.\d\.\d\.\d, \d{3}\.\d\.\d\.\d$`), "1.2.3.4/33": regexp.MustCompile(`^\d\.\d\.\d\.\d/\d\d$`),
	} {
		if out := mask(t, testKey, Recipe{name: IP, lenient: true}, in); !want.MatchString(out) || out == in {
			t.Errorf("ip of %s is %s", in, out)
		}
	}
	for in, want := range map[string]string{
		"192.0.2.0/24":  `^10\.\d+\.\d+\.0/24$`,
		"192.0.0.0/2":   `^0\.0\.0\.0/2$`,
		"2001:db8::/32": `^2001:db8::/32$`,
		"192.0.2.1/32":  `^10\.\d+\.\d+\.\d+/32$`,
	} {
		if out := mask(t, testKey, Recipe{name: IP, network: true}, in); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("ip of the network %s is %s", in, out)
		}
	}
	if out := mask(t, testKey, Recipe{name: IP, lenient: true, limit: 15}, "::1"); len(out) > 15 {
		t.Errorf("%s does not fit", out)
	}
	for in, want := range map[string]string{
		"08:00:2b:01:02:03":       `^02(:[0-9a-f]{2}){5}$`,
		"08002B.010203":           `^02[0-9A-F]{4}\.[0-9A-F]{6}$`,
		"08:00:2b:01:02:03:04:05": `^02(:[0-9a-f]{2}){7}$`,
		"08:00":                   `^\d\d:\d\d$`,
	} {
		if out := mask(t, testKey, Recipe{name: MAC, lenient: true}, in); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("mac of %s is %s", in, out)
		}
	}
}

// Everybody's password is known afterwards, whichever hash is kept.
func TestKnownPassword(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"$2a$10$abc", "$2y$12$abc", "$2b$", "plain", "pbkdf2_sha256$1$x$y"} {
		out := mask(t, testKey, Recipe{name: Password}, in)
		if err := bcrypt.CompareHashAndPassword([]byte(out), []byte(knownPassword)); err != nil || len(in) > 4 && in[:2] == "$2" && out[:4] != in[:4] {
			t.Errorf("%s became %s, %v", in, out, err)
		}
	}
	salt, sum, _ := strings.Cut(strings.TrimPrefix(mask(t, testKey, Recipe{name: Password}, "$argon2id$v=19$x"), "$argon2id$v=19$m=65536,t=3,p=4$"), "$")
	raw, err := base64.RawStdEncoding.DecodeString(salt)
	if err != nil || base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(knownPassword), raw, 3, 65536, 4, 32)) != sum {
		t.Errorf("argon2id is of another password (%v)", err)
	}
	// the server itself says what the SCRAM verifier is of
	conn := pgtest.DB(t)
	verifier := mask(t, testKey, Recipe{name: Password}, "SCRAM-SHA-256$x")
	if _, err := conn.Exec(t.Context(), "create role scrub_password_test login password '"+verifier+"'"); err != nil {
		t.Fatal(err)
	}
	var got string
	err = conn.QueryRow(t.Context(), "select rolpassword from pg_authid where rolname = 'scrub_password_test'").Scan(&got)
	if err != nil || got != knownSCRAM {
		t.Errorf("the server took the verifier for a password: %s, %v", got, err)
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := rapid.StringMatching(`-?(0|[1-9]\d{0,30})(\.\d{1,6})?`).Draw(rt, "value")
		bucket := rapid.Uint64Range(2, 1<<63-1).Draw(rt, "bucket")
		if rapid.Bool().Draw(rt, "small") {
			bucket = bucket%1000 + 2
		}
		b, err := (&Masker{}).appendBucket(nil, []byte(in), bucket)
		if err != nil {
			rt.Fatal(err)
		}
		whole, _, _ := strings.Cut(in, ".")
		n, _ := new(big.Int).SetString(whole, 10)
		want := new(big.Int).Mul(new(big.Int).Quo(n, new(big.Int).SetUint64(bucket)), new(big.Int).SetUint64(bucket))
		got, _, _ := strings.Cut(string(b), ".")
		if got != want.String() || scaleOf(string(b)) != scaleOf(in) {
			rt.Fatalf("%s in buckets of %d is %s, want %s", in, bucket, b, want)
		}
	})
	for in, want := range map[string]string{"NaN": "NaN", "-Infinity": "-Infinity", "1.5e+20": "1.5e+20", "1.5e-07": "0", "-7": "0", "-17.50": "-10.00"} {
		if got, err := (&Masker{}).appendBucket(nil, []byte(in), 10); err != nil || string(got) != want {
			t.Errorf("%s became %s, %v", in, got, err)
		}
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, to, want string }{
		{"2024-02-29", "year", "2024-01-01"}, {"2024-02-29", "month", "2024-02-01"}, {"2024-02-29", "hour", "2024-02-29"},
		{"2024-02-29 23:59:58.123456+05:30", "hour", "2024-02-29 23:00:00.000000+05:30"}, {"2024-02-29 23:59:58-03", "month", "2024-02-01 00:00:00-03"},
		{"2024-02-29T23:59:58Z", "day", "2024-02-29T00:00:00Z"}, {"0044-03-15 12:34:56 BC", "month", "0044-03-01 00:00:00 BC"}, {"infinity", "day", "infinity"},
		{"4714-11-24 BC", "year", "4713-01-02 BC"},
	} {
		if got := mask(t, testKey, Recipe{name: Truncate, to: datePrecisions[tt.to], span: spanOfDate}, tt.in); got != tt.want {
			t.Errorf("%s to the %s is %s, want %s", tt.in, tt.to, got, tt.want)
		}
	}
	for _, in := range []string{"2024-02-29 Ada", "2024-02-29, at Ada's", "born 2024", "2024-02-29 12:30 o'clock"} {
		for _, n := range []string{Truncate, DateShift} {
			if out := mask(t, testKey, Recipe{name: n, lenient: true, span: spanOfDate, days: 9}, in); strings.Contains(out, "Ada") ||
				strings.Contains(out, "clock") {
				t.Errorf("%s of %q lets words through: %q", n, in, out)
			}
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"$1,234.50":    `^\$[01],\d{3}\.\d\d$`,
		"-$5.00":       `^-\$[45]\.\d\d$`,
		"1.234,50 EUR": `^[01]\.\d{3},\d\d EUR$`,
		"12 for Ada":   `^\d\d [a-z]{3} [A-Z][a-z]{2}$`,
	} {
		if out := mask(t, testKey, Recipe{name: Money, percent: 10, lenient: true}, in); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("money of %s is %s", in, out)
		}
	}
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	r := Recipe{name: Replace, pattern: regexp.MustCompile(`^(\w+)-(\d+)$`), with: []byte("${1}-0")}
	for in, want := range map[string]string{"AB-123": "^AB-0$", "Ada Lovelace": "^[A-Z][a-z]{2} [A-Z][a-z]{7}$"} {
		if out := mask(t, testKey, r, in); !regexp.MustCompile(want).MatchString(out) || strings.Contains(out, "Ada") {
			t.Errorf("%s became %s", in, out)
		}
	}
}

// What a shape makes of eight bytes at once is what it makes of each of them.
func TestShapesByWord(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.Uint64().Draw(rt, "word") &^ octets.High
		random := rapid.Uint64().Draw(rt, "random")
		out := shapeWord(word, random)
		for i := range 8 {
			c, r := byte(word>>(8*i)), byte(random>>(8*i))
			if want := shapeOf[c].first + byte(uint16(r)*uint16(shapeOf[c].many)>>8); byte(out>>(8*i)) != want {
				rt.Fatalf("%q by %d became %q, want %q", c, r, byte(out>>(8*i)), want)
			}
		}
	})
}

func TestGreater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		number := rapid.StringMatching(`-?(0|[1-9]\d{0,20})(\.\d{1,4})?`)
		a := number.Draw(rt, "a")
		b := number.Draw(rt, "b")
		if c := rational(a).Cmp(rational(b)); greater([]byte(a), []byte(b)) != (c > 0) && rational(a).Sign()+rational(b).Sign() != 0 {
			rt.Fatalf("%s > %s: %v", a, b, c <= 0)
		}
	})
}

// Nothing allocates per value, once the buffers have grown; replace may, where
// it finds something.
func TestTransformsAllocateNothing(t *testing.T) {
	for n, k := range kinds {
		if n == Replace {
			continue
		}
		in := []byte(slices.Concat(k.samples, []string{"Ada Lovelace"})[0])
		m := NewMasker(testKey)
		r := onText(n, "a {hash} {name}")
		var out []byte
		if allocs := testing.AllocsPerRun(100, func() { out, _ = m.Append(out[:0], r, in, in) }); allocs > 0 {
			t.Errorf("%s allocates %v times a value", n, allocs)
		}
	}
}

// Whatever a text holds, a transform makes something of it, and nothing that
// is as long as the value and of its letters.
func FuzzTransforms(f *testing.F) {
	for _, k := range kinds {
		for _, s := range k.samples {
			f.Add([]byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		m := NewMasker(testKey)
		for n := range kinds {
			if n == SetNull {
				continue
			}
			r := onText(n, "a {hash}")
			out, err := m.Append([]byte("before"), r, in, in)
			if err != nil || !bytes.HasPrefix(out, []byte("before")) || len(out) == len("before") {
				t.Fatalf("%s of %q is %q, %v", n, in, out, err)
			}
			r.lenient = false
			if out, _ := m.Append([]byte("before"), r, in, in); !bytes.HasPrefix(out, []byte("before")) {
				t.Fatalf("%s of %q is %q", n, in, out)
			}
		}
	})
}
