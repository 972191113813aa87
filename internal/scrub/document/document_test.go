package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"daybefore/internal/copytext"
	"daybefore/internal/jsontext"
	"daybefore/internal/locale"
	"daybefore/internal/octets"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

var testKey = bytes.Repeat([]byte("k"), transform.KeySize)

// newTestDocument rewrites documents without a server.
func newTestDocument(t testing.TB, unmatched string, entries ...string) *Rewriter {
	t.Helper()
	return newTestDocumentOf(t, testKey, "doc", "UTF8", unmatched, entries...)
}

// newTestDocumentOf rewrites those of a column under a key.
func newTestDocumentOf(t testing.TB, key []byte, name, encoding, unmatched string, entries ...string) *Rewriter {
	t.Helper()
	rows, _ := copytext.EncodingOf(encoding)
	r := scrubtest.JSONRule(t, "a.b."+name, entries...)
	r.Unmatched = unmatched
	c := &schema.Column{Table: &schema.Table{Name: schema.Name{Schema: "a", Table: "b"}}, Name: name}
	made := New(c, &r, rows, func(c *schema.Column, r *spec.Rule, domain transform.Domain) *transform.Recipe {
		return transform.New(c, r, domain, transform.Env{Locale: locale.Of(locale.Default), Encoding: rows})
	})
	return NewRewriter(made, transform.NewMasker(key), rows.NewDecoder())
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 64)
	for _, tt := range []struct {
		name, unmatched string
		paths           []string
		in, want        string // want is a pattern where it begins with ^
	}{
		{"nothing named, kept", Keep, nil, ` {"a" : [1.50, -0e-7, "x\u00e9", null,true ] , "a":{} }  `,
			` {"a" : [1.50, -0e-7, "x\u00e9", null,true ] , "a":{} }  `},
		{"several blanks, kept", Keep, []string{"$.c set_null"}, "{\"a\":  [1,  2, \t3],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   1}",
			"{\"a\":  [1,  2, \t3],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   null}"},
		{"several blanks, redacted", Redact, []string{"$.c set_null"}, "{\"a\":  [0,  null, \t\"\"],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   1}",
			"{\"a\":  [0,  null, \t\"\"],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   null}"},
		{"a member", Keep, []string{"$.a email"}, `{"a":"ada@example.com", "b":"x"}`, `^\{"a":"[a-z2-7]{16}@example\.invalid", "b":"x"\}$`},
		{"both of a key that is there twice", Keep, []string{"$.a hash"}, `{"a":"x","a":"y"}`, `^\{"a":"[0-9a-f]{32}","a":"[0-9a-f]{32}"\}$`},
		{"every element", Keep, []string{"$.c[*].e set_null"}, `{"c":[{"e":"x"},{"e":[1,{}]},{"f":"y"}],"e":"z"}`,
			`{"c":[{"e":null},{"e":null},{"f":"y"}],"e":"z"}`},
		{"one element", Keep, []string{"$[1] set_null"}, `["a","b","c"]`, `["a",null,"c"]`},
		{"at any depth", Keep, []string{"$..ssn set_null"}, `{"ssn":1,"x":[{"ssn":{"a":2},"y":{"ssn":"3"}}]}`,
			`{"ssn":null,"x":[{"ssn":null,"y":{"ssn":null}}]}`},
		{"every member", Keep, []string{"$.m.* constant value=0"}, `{"m":{"a":"x","b":[1],"c":null},"n":"y"}`, `{"m":{"a":0,"b":0,"c":null},"n":"y"}`},
		{"members and elements", Keep, []string{"$[*].a[*] set_null", "$[*].b.* set_null"}, `[{"a":{"x":1},"b":[2]},{"a":[1],"b":{"y":2}}]`,
			`[{"a":{"x":1},"b":[2]},{"a":[null],"b":{"y":null}}]`},
		{"a quoted key", Keep, []string{`$."a.b\"c" set_null`}, `{"a.b\"c":"x","a.b\u0022c":"y"}`, `{"a.b\"c":null,"a.b\u0022c":null}`},
		{"all below", Keep, []string{"$.p text"}, `{"p":{"a":"Ada","b":["Bob",12,true]},"q":"Ada"}`,
			`^\{"p":\{"a":"[A-Z][a-z]{2}","b":\["[A-Z][a-z]{2}",[1-9]\d,true\]\},"q":"Ada"\}$`},
		{"a longer path below", Keep, []string{"$.p text", "$.p.a preserve"}, `{"p":{"a":"Ada","b":"Bob"}}`, `^\{"p":\{"a":"Ada","b":"[A-Z][a-z]{2}"\}\}$`},
		{"the first of two paths", Keep, []string{"$.a set_null", "$.* text"}, `{"a":"x"}`, `{"a":null}`},
		{"the whole document", Keep, []string{"$ constant value={}"}, `[1,2]`, `{}`},
		{"a constant text", Keep, []string{`$.a constant value=it"s`}, `{"a":[]}`, `{"a":"it\"s"}`},
		{"redacted", Redact, []string{"$.k preserve"}, `{"k":"Ada","s":"Ada 1","n":-120.50e3,"z":0.5,"t":true,"u":null,"e":"","l":["x"]}`,
			`^\{"k":"Ada","s":"[A-Z][a-z]{2} \d","n":-[1-9]\d\d\.\d\de3,"z":0\.\d,"t":true,"u":null,"e":"","l":\["[a-z]"\]\}$`},
		{"keys that are somebody's", Redact, nil, `{"ada@example.com":1,"Ada Lovelace":{"ok":2},"42":3}`,
			`^\{"[a-z2-7]{16}":\d,"[a-z2-7]{16}":\{"ok":\d\},"42":\d\}$`},
		{"named keys stay", Redact, []string{`$."First@Name" first_name`}, `{"First@Name":"Ada"}`, `^\{"First@Name":"[A-Za-z]+"\}$`},
		{"numbers by noise", Redact, []string{"$.n number", "$.m number bucket=10"}, `{"n":100000000000000000000.5,"m":47}`, `^\{"n":\d{20,21}\.\d,"m":40\}$`},
		{"a number as a text", Redact, []string{"$.n hash"}, `{"n":12}`, `^\{"n":"[0-9a-f]{32}"\}$`},
		{"escapes", Redact, nil, `{"s":"\u0041d\u0061 \ud83d\ude00\n\\\""}`, `^\{"s":"[A-Z][a-z]{2} 😀\\n\\\\\\""\}$`},
		{"dates in texts", Redact, []string{"$.d truncate to=year"}, `{"d":"2024-05-06T07:08:09Z"}`, `{"d":"2024-01-01T00:00:00Z"}`},
		{"the last text", Redact, nil, `["Ada Lovelace", "a_b", "Ada 1815"]`, `^\["[A-Z][a-z]{2} [A-Z][a-z]{7}", "[a-z]_[a-z]", "[A-Z][a-z]{2} \d{4}"\]$`},
		{"wide texts", Redact, nil, `{"s":"“Ünï Ω١漢” 5"}`, `^\{"s":"“[A-Z][a-z][a-z] [A-Z]\d[a-z]” \d"\}$`},
		{"keys by the word", Redact, nil, `{"camelCase_and_more":1,"line1":2,"tax_rate":3,"abcdefgh ijkl":4,"abcdefghi@":5,"a\u0062":6,"1234567":7}`,
			`^\{"camelCase_and_more":\d,"line1":\d,"tax_rate":\d,"[a-z2-7]{16}":\d,"[a-z2-7]{16}":\d,"a\\u0062":\d,"[a-z2-7]{16}":\d\}$`},
		{"a scalar", Redact, nil, `"Ada"`, `^"[A-Z][a-z]{2}"$`},
		{"any blanks", Keep, []string{"$.a set_null"}, "\r\n{\r\n\t\"b\" :\r[ 1\r, 2 ]\r,\r\"a\"\r:\r1\r}\r",
			"\r\n{\r\n\t\"b\" :\r[ 1\r, 2 ]\r,\r\"a\"\r:\rnull\r}\r"},
		{"an escaped key that a path names", Redact, []string{"$.ab set_null"}, `{"a\u0062":"x","c":"y"}`, `^\{"a\\u0062":null,"c":"[a-z]"\}$`},
		{"an escaped key at the end", Keep, []string{`$["\n"] set_null`}, `{"\n":1}`, `{"\n":null}`},
		{"keys beside a path", Redact, []string{"$.k preserve"},
			`{"k":"Ada","ada@example.com":1,"Ada Lovelace":{"Ada Lovelace":2},"line1":3,"li\u006ee":4,"a\u0040b":5}`,
			`^\{"k":"Ada","[a-z2-7]{16}":\d,"[a-z2-7]{16}":\{"[a-z2-7]{16}":\d\},"line1":\d,"li\\u006ee":\d,"[a-z2-7]{16}":\d\}$`},
		{"keys that count and keys that lead", Redact, nil, `{"line_123456":1,"shop.example:a/b$c-d":{"x.y":2}}`,
			`^\{"line_123456":\d,"shop\.example:a/b\$c-d":\{"x\.y":\d\}\}$`},
		{"long keys", Redact, []string{"$." + long + " set_null", "$." + long[:63] + " set_null"},
			`{"` + long + `":"x","` + long[:63] + `":"y","` + long + `k":"z"}`, `^\{"k{64}":null,"k{63}":null,"k{65}":"[a-z]"\}$`},
		{"exponents", Redact, nil, `[1E5,1.5e+300,-2E-7,0E0,123456789E17,5e14,6E15]`,
			`^\[[1-9]E5,[1-9]\.\de\+300,-[1-9]E-7,0E0,[1-9]\d{8}E17,[1-9]e14,[1-9]E15\]$`},
		{"numbers in their form", Keep, []string{"$ text"}, `[0.5,0.25,1E5,-20e-7,10.05e12]`, `^\[0\.\d,0\.\d\d,[1-9]E5,-[1-9]\de-7,[1-9]\d\.\d\de12\]$`},
		{"amounts", Redact, []string{"$.* money percent=1"}, `{"a":1000.00,"b":1000,"c":"EUR 1000.00"}`,
			`^\{"a":(99|100|101)\d\.\d\d,"b":(99|100|101)\d,"c":"EUR (0?99|100|101)\d\.\d\d"\}$`},
		{"numbers that are secrets", Redact, []string{"$.p password", "$.t token"}, `{"p":1234,"t":1234}`,
			`^\{"p":"\$2b\$10\$[^"]{53}","t":"[A-Za-z0-9]{16}"\}$`},
		{"blank texts", Keep, []string{"$.a hash normalize=trim"}, `{"a":"  ","b":""}`, `{"a":"  ","b":""}`},
		{"every escape", Keep, []string{"$ text"}, `["\b\f\n\r\t\/\\\"\u001F","\\","-------\\","\u0007--------","\u20AC"]`,
			`["\u0008\u000c\n\u000d\t/\\\"\u001f","\\","-------\\","\u0007--------","€"]`},
		{"quotes put in", Keep, []string{`$.a replace pattern=x with="`}, `{"a":"x"}`, `{"a":"\""}`},
		{"true, false and null", Keep, []string{"$.t text", "$.c constant value=x", "$.n set_null"}, `{"t":[true,false,null],"c":[null],"n":true}`,
			`{"t":[true,false,null],"c":"x","n":null}`},
	} {
		d := newTestDocument(t, tt.unmatched, tt.paths...)
		out, err := d.Append(nil, []byte(tt.in))
		if pattern := strings.HasPrefix(tt.want, "^"); err != nil || pattern && !regexp.MustCompile(tt.want).Match(out) || !pattern && string(out) != tt.want {
			t.Errorf("%s: %s became %s, %v", tt.name, tt.in, out, err)
		}
		if plain := copytext.Plain([]byte(tt.in)); plain && !d.Escapes() && !copytext.Plain(out) {
			t.Errorf("%s: %s became %s, which COPY escapes", tt.name, tt.in, out)
		}
		for i, n := range d.Met {
			if n == 0 {
				t.Errorf("%s: the path %s counts as held by no document", tt.name, tt.paths[i])
			}
		}
	}
}

func TestDocumentsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "private", `{"private"`, `{"private":}`, `{"a":1,}`, `[1,]`, `["private]`, `{"a" "b"}`, `[1 2]`, `{} private`, `01`, `1.`,
		`1e`, `-`, `{private:1}`, `["\"]`, `[1}`, `{"a":"private"]`, `{"b":[1}}`, `{"b":{"c":1]}`, `{"b":nope}`, `[truth]`, `falsy`, `tru`} {
		for _, unmatched := range []string{Keep, Redact} {
			out, err := newTestDocument(t, unmatched, "$.a email").Append(nil, []byte(in))
			if err == nil || strings.Contains(err.Error(), "private") {
				t.Errorf("%q became %q, %v", in, out, err)
			}
		}
	}
}

// How deep a document may nest depends on no rule: one that a rule takes is not
// refused under another, and none ends the program.
func TestDeepDocuments(t *testing.T) {
	t.Parallel()
	for _, unmatched := range []string{Keep, Redact, Refuse} {
		for _, paths := range [][]string{nil, {"$..x text"}, {"$ preserve"}} {
			d := newTestDocument(t, unmatched, paths...)
			for _, tt := range []struct {
				depth int
				in    string
				fits  bool
			}{{jsontext.Deepest, "true", true}, {jsontext.Deepest, "[]", true}, {jsontext.Deepest, "{ }", true}, {jsontext.Deepest + 1, "true", false},
				{jsontext.Deepest + 1, "[]", false}, {3 * jsontext.Deepest, "true", false}} {
				in := strings.Repeat("[", tt.depth) + tt.in + strings.Repeat("]", tt.depth)
				if out, err := d.Append(nil, []byte(in)); (err == nil) != tt.fits || tt.fits && string(out) != in {
					t.Errorf("%s, %q: %s in %d arrays: %v", unmatched, paths, tt.in, tt.depth, err)
				}
			}
		}
	}
}

// However many paths there are, each names its value and no other.
func TestManyPaths(t *testing.T) {
	t.Parallel()
	for steps := range 8 {
		below := "[*]" + strings.Repeat(".b", steps)
		var paths []string
		var in, want strings.Builder
		for i := range 40 {
			paths = append(paths, fmt.Sprintf("$.a%d%s set_null", i, below))
			value := func(v string) string {
				return "[" + strings.Repeat(`{"b":`, steps) + v + strings.Repeat("}", steps) + "]"
			}
			fmt.Fprintf(&in, `,"a%d":%s,"c%d":%s`, i, value("7"), i, value("7"))
			fmt.Fprintf(&want, `,"a%d":%s,"c%d":%s`, i, value("null"), i, value("7"))
		}
		out, err := newTestDocument(t, Keep, paths...).Append(nil, []byte("{"+in.String()[1:]+"}"))
		if got := string(out); err != nil || got != "{"+want.String()[1:]+"}" {
			t.Errorf("%d steps: %s, %v", 2+steps, got, err)
		}
	}
}

// Paths, constants and what is redacted are written as the rows are.
func TestDocumentsInOtherEncodings(t *testing.T) {
	t.Parallel()
	latin, _ := copytext.EncodingOf("LATIN1")
	in, _ := latin.Encode(`{"größe":"x","b":"y","c":"Ü© é"}`)
	out, err := newTestDocumentOf(t, testKey, "doc", "LATIN1", Redact, "$.größe set_null", "$.b constant value=ü").Append(nil, in)
	if text := latin.NewDecoder().Decode(out); err != nil || !regexp.MustCompile(`^\{"größe":null,"b":"ü","c":"[A-Z]\. [a-z]"\}$`).Match(text) {
		t.Errorf("%q, %v", out, err)
	}
}

// Equal values become equal under one path or link, and tell nothing of each
// other under two. Keys go the way of the values that they stand among.
func TestPathsAreApart(t *testing.T) {
	t.Parallel()
	d := newTestDocument(t, Keep, "$.a[*] hash", "$.b hash", "$.c hash link=p", "$.d hash link=p", "$.e email link=q", "$.f email link=q")
	out, err := d.Append(nil,
		[]byte(
			`{"a":["Ada","Ada"],"b":"Ada","c":"Ada","d":"Ada","e":{"ada@example.com":1,"ad\u0061@example.com":2,"x":[{"ada@example.com":3}]},"f":"ada@example.com"}`,
		))
	var got struct {
		A          []string
		B, C, D, F string
		E          map[string]any
	}
	if err != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("%s, %v", out, err)
	}
	if got.A[0] != got.A[1] || got.A[0] == got.B || got.B == got.C || got.A[0] == got.C || got.C != got.D {
		t.Errorf("%s", out)
	}
	key, _, _ := strings.Cut(got.F, "@")
	if got.E[key] == nil || len(got.E) != 2 || strings.Count(string(out), `"`+key+`":`) != 3 {
		t.Errorf("keys that are somebody's: %s", out)
	}
}

// Where unmatched values are refused the place is told, without a word of
// theirs.
func TestUnnamedValues(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1,"b":[{"c":"private"}]}`: "$.b[*].c", `{"private@example.com":true}`: "$", `{"b":{"pri vate":{"c":7}}}`: "$.b", `["private"]`: "$[*]",
		`"private"`: "$", `{"b":[[1]],"x.y":{"z":"private"}}`: "$.b[*][*]", `{"b":[[],[null]],"x.y":{"z":"private"}}`: "$.*.z",
		`{"b":{"private":{"c":7}}}`: "$.b.*.c", `{"street":{"private":"x"}}`: "$.*.*",
	} {
		_, err := newTestDocument(t, Refuse, "$.a text").Append(nil, []byte(in))
		unnamed, ok := err.(*UnnamedError)
		if !ok || unnamed.Path != want || strings.Contains(err.Error(), "private") {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	for _, in := range []string{`{"a":"x"}`, `{"b":true,"c":null,"d":"","e":[],"f":{}}`} {
		if _, err := newTestDocument(t, Refuse, "$.a text").Append(nil, []byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// documents draws any JSON, written with any blanks.
func documents() *rapid.Generator[string] {
	blank := rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n"})
	scalar := rapid.Custom(func(t *rapid.T) string {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return rapid.StringMatching(`-?(0|[1-9]\d{0,24})(\.\d{1,9})?([eE][+-]?\d{1,3})?`).Draw(t, "number")
		case 1:
			return rapid.SampledFrom([]string{"true", "false", "null"}).Draw(t, "word")
		}
		b, _ := json.Marshal(rapid.String().Draw(t, "string"))
		return string(b)
	})
	var value func(depth int) *rapid.Generator[string]
	value = func(depth int) *rapid.Generator[string] {
		if depth == 0 {
			return scalar
		}
		return rapid.Custom(func(t *rapid.T) string {
			kind := rapid.IntRange(0, 3).Draw(t, "kind")
			if kind > 1 {
				return scalar.Draw(t, "scalar")
			}
			var parts []string
			for range rapid.IntRange(0, 4).Draw(t, "parts") {
				part := blank.Draw(t, "b") + value(depth-1).Draw(t, "value") + blank.Draw(t, "b")
				if kind == 0 {
					part = blank.Draw(t, "b") + rapid.SampledFrom([]string{`"a"`, `"b"`, `"\u0061"`, `"x y"`, `""`}).Draw(t, "key") + blank.Draw(t, "b") + ":" +
						part
				}
				parts = append(parts, part)
			}
			return string("{["[kind]) + blank.Draw(t, "b") + strings.Join(parts, ",") + string("}]"[kind])
		})
	}
	return value(4)
}

// What nothing names stays to the byte; what is redacted keeps its form.
func TestDocumentsKeepTheirForm(t *testing.T) {
	t.Parallel()
	kept := newTestDocument(t, Keep, "$.nowhere.a email", "$..nothing text")
	redacted := newTestDocument(t, Redact)
	rapid.Check(t, func(rt *rapid.T) {
		in := documents().Draw(rt, "document")
		if out, err := kept.Append(nil, []byte(in)); err != nil || string(out) != in {
			rt.Fatalf("%s became %s, %v", in, out, err)
		}
		out, err := redacted.Append(nil, []byte(in))
		if err != nil || !json.Valid(out) {
			rt.Fatalf("%s became %s, %v", in, out, err)
		}
		if a, b := form(in), form(string(out)); a != b {
			rt.Fatalf("%s became %s", in, out)
		}
	})
}

var pseudonym = regexp.MustCompile("^[a-z2-7]{16}$")

// form is a document with nothing of its values but their kind and length.
func form(s string) string {
	var b strings.Builder
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return b.String()
		}
		switch v := token.(type) {
		case string:
			if v == "x y" || pseudonym.MatchString(v) { // a key that is no plain word
				b.WriteString("key ")
				continue
			}
			fmt.Fprintf(&b, "string %d ", utf8.RuneCountInString(v))
		case json.Number:
			fmt.Fprintf(&b, "number %d ", len(v))
		default:
			fmt.Fprint(&b, v, " ")
		}
	}
}

// Redacting eight bytes at once changes letters and digits alone, each to one
// of its own kind, up to what is no ASCII.
func TestRedactedWords(t *testing.T) {
	t.Parallel()
	kind := func(c byte) any {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			return c & 0x20
		case '0' <= c && c <= '9':
			return "digit"
		}
		return c
	}
	seen := map[byte]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.Uint64().Draw(rt, "word")
		random := rapid.Uint64().Draw(rt, "random")
		out := redactDigitsOf(redactLettersOf(word, random), random)
		stops := redactStops(word)
		halted := false
		for i := range 8 {
			c, became := byte(word>>(8*i)), byte(out>>(8*i))
			if c >= utf8.RuneSelf {
				break
			}
			if kind(c) != kind(became) {
				rt.Fatalf("%q became %q in %x", c, became, word)
			}
			stop := c < ' ' || c == '"' || c == '\\'
			if !halted && stops>>(8*i+7)&1 != 0 != stop {
				rt.Fatalf("%q in %x halts: %v", c, word, !stop)
			}
			halted = halted || stop
		}
	})
	for c := range 0x100 {
		letters := redactLettersOf('a'*octets.Each, uint64(c)*octets.Each)
		seen[byte(letters)], seen[byte(redactDigitsOf('0'*octets.Each, uint64(c)*octets.Each))] = true, true
	}
	if len(seen) != 26+10 {
		t.Errorf("%d letters and digits are taken", len(seen))
	}
}

// Redacted documents differ as their texts do, and equal ones become equal,
// wherever in the output they stand.
func TestRedactedDocumentsAreKeyed(t *testing.T) {
	t.Parallel()
	d := newTestDocument(t, Redact, "$.a email")
	others := map[string]*Rewriter{
		"key":    newTestDocumentOf(t, bytes.Repeat([]byte("l"), transform.KeySize), "doc", "UTF8", Redact, "$.a email"),
		"column": newTestDocumentOf(t, testKey, "extra", "UTF8", Redact, "$.a email"),
	}
	rapid.Check(t, func(rt *rapid.T) {
		in := fmt.Sprintf(`{"a": %s, "b": {"c": "%s", "d": %d.5e3}}`, documents().Draw(rt, "a"),
			rapid.StringMatching(`[a-zé"\\]{0,1}[A-Za-z0-9 ]{12,700}`).Draw(rt, "c"), rapid.IntRange(-1e12, 1e12).Draw(rt, "d"))
		first, err := d.Append(nil, []byte(in))
		second, err2 := d.Append([]byte("before"), []byte(in))
		if fmt.Sprint(err) != fmt.Sprint(err2) || err == nil && string(second) != "before"+string(first) {
			rt.Fatalf("%s became %s and %s, %v, %v", in, first, second, err, err2)
		}
		other, err := d.Append(nil, []byte(in+" "))
		if err == nil && string(other) == string(first)+" " {
			rt.Fatalf("%s became the same under another document", in)
		}
		for what, other := range others {
			if out, err := other.Append(nil, []byte(in)); err == nil && string(out) == string(first) {
				rt.Fatalf("%s became the same under another %s", in, what)
			}
		}
	})
}

// In what is redacted no letter and no digit stays: over some documents each
// becomes many others, wherever in a text or number it stands, and however long
// that is.
func TestRedactedPlaces(t *testing.T) {
	t.Parallel()
	const documents, least = 40, 4
	key := regexp.MustCompile(`"\w*":`)
	d := newTestDocument(t, Redact, "$.n.path preserve")
	for length := 1; length < 520; length++ {
		if length == 28 {
			length = 500 // where what was copied ahead ends
		}
		word := strings.Repeat("q", length)
		digits := strings.Repeat("7", length)
		// in the middle of the document and at its end, plain and odd
		for _, form := range []string{`{"n": %d, "v": "*", "w": [true]}`, `["%d", "*"]`, `"%d *"`, `{"n": [%d, "“*"], "q7": false}`, `["%d", "\n*"]`,
			`{"n": %d, "v": #, "q7": true}`, `[%d,#]`, `[%d, -#.5e7, "qqqq7777"]`, `{"n": %d, "k": {"v":#,"q77777":"é"}}`} {
			at := strings.IndexAny(form, "*#")
			filled := strings.NewReplacer("*", word, "#", digits).Replace(form)
			seen := make([]map[byte]bool, length)
			for n := range documents {
				in := fmt.Sprintf(filled, 1000+n)
				from := at + len(in) - len(filled)
				out, err := d.Append(nil, []byte(in))
				if err != nil {
					t.Fatal(err)
				}
				if a, b := key.FindAllString(in, -1), key.FindAllString(string(out), -1); !slices.Equal(a, b) || !json.Valid(out) {
					t.Fatalf("%s became %s", in, out)
				}
				for i := range seen {
					if seen[i] == nil {
						seen[i] = map[byte]bool{}
					}
					seen[i][out[from+i]] = true
				}
			}
			for i := range seen {
				if len(seen[i]) < least {
					t.Errorf("place %d of %d in %s becomes %d different ones", i, length, form, len(seen[i]))
				}
			}
		}
	}
	for length := range 16 { // beside what was copied ahead
		in := fmt.Sprintf(`["%s","%s",77,"%s"]`, strings.Repeat("q", length), strings.Repeat("q", 1500), strings.Repeat("q", length))
		out, err := d.Append(nil, []byte(in))
		if err != nil || form(in) != form(string(out)) || bytes.Contains(out, []byte("qqqqqq")) {
			t.Errorf("%s became %s, %v", in, out, err)
		}
	}
	out, err := d.Append(nil, []byte(`"`+strings.Repeat("q", 80)+`"`))
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for i := 1; i < 80; i += 8 {
		words[string(out[i:i+8])] = true
	}
	if len(words) < 10 {
		t.Errorf("%s repeats itself", out)
	}
}

// All real texts that a document's rule takes away are looked for afterwards,
// by whatever way they go.
func TestDocumentsAreSampled(t *testing.T) {
	t.Parallel()
	d := newTestDocument(t, Redact, "$.mail email", "$.gone set_null", "$.same constant value=x", "$.stays preserve")
	var got []string
	d.Sample = func(text []byte) { got = append(got, string(text)) }
	in := `{"mail":"ada@example.com","gone":"gone for good","same":"a same \"one\"","stays":"what stays here",` +
		`"here":["redacted here","redacted “odd” one"],"n":12345678901,"end":"the last one"}`
	if _, err := d.Append(nil, []byte(in)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Append(nil, []byte(`"the last one"`)); err != nil {
		t.Fatal(err)
	}
	want := []string{"ada@example.com", "gone for good", `a same "one"`, "redacted here", "redacted “odd” one", "the last one", "the last one"}
	if !slices.Equal(got, want) {
		t.Errorf("%q are sampled, want %q", got, want)
	}
}

// Texts may stay where a path preserves them or the rest is kept, and nowhere else.
func TestPassesSome(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		unmatched string
		paths     []string
		want      bool
	}{
		{Keep, nil, true},
		{Keep, []string{"$.a email"}, true},
		{Redact, []string{"$.a email", "$.b preserve"}, true},
		{Refuse, []string{"$.b preserve"}, true},
		{Redact, []string{"$.a email"}, false},
		{Refuse, nil, false},
	} {
		if got := newTestDocument(t, tt.unmatched, tt.paths...).PassesSome(); got != tt.want {
			t.Errorf("%s, %q: %v, want %v", tt.unmatched, tt.paths, got, tt.want)
		}
	}
}

// Documents leave nothing behind that grows with their number.
func TestDocumentsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, unmatched := range []string{Keep, Redact} {
		d := newTestDocument(t, unmatched, "$..a email", "$.b[*].c set_null")
		for range 100 {
			if _, err := d.Append(nil, []byte(`{"b": [{"c": 1, "d": {"a": "ada@example.com"}}], "e": "x"}`)); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(d.states); n > 10 {
			t.Errorf("%s: %d words are left behind", unmatched, n)
		}
	}
}

// Run it with -fuzzminimizetime=1x, as docs/architecture.md says of all.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte(`{"a":[1.5e3,{"b":"\u00e9\ud83d\ude00"}],"a":null}`))
	f.Add([]byte(`[[[[`))
	f.Add([]byte(`"\`))
	f.Add([]byte(`{"a_b": "ends with the document", "n-1": -0.5e7, "wide é": "“Café”"}`))
	var documents []*Rewriter // one for all executions: what one leaves behind must not matter
	for _, unmatched := range []string{Keep, Redact, Refuse} {
		documents = append(documents, newTestDocument(f, unmatched, "$..a email", "$.*[*].b number", "$[0] set_null"))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		valid := json.Valid(in)
		for _, d := range documents {
			out, err := d.Append(nil, in)
			if !valid || d.Unmatched == Refuse {
				continue
			}
			if err != nil || !json.Valid(out) {
				t.Fatalf("%q became %q, %v", in, out, err)
			}
		}
	})
}
