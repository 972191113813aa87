package scrub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gojson "github.com/goccy/go-json"
	"pgregory.net/rapid"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/jsontext"
	"daybefore/internal/octets"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/scrubtest"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var jsonRule = scrubtest.JSONRule

func refuseOthers(r spec.Rule) spec.Rule {
	r.Unmatched = refuseUnmatched
	return r
}

func each(r spec.Rule) spec.Rule {
	r.Each = true
	return r
}

// newTestDocument rewrites documents without a server.
func newTestDocument(t testing.TB, unmatched string, entries ...string) *document {
	t.Helper()
	return newTestDocumentOf(t, testKey, "doc", "UTF8", unmatched, entries...)
}

// newTestDocumentOf rewrites those of a column under a key.
func newTestDocumentOf(t testing.TB, key []byte, name, encoding, unmatched string, entries ...string) *document {
	t.Helper()
	p := &planner{Plan: &Plan{}, links: map[string]transform.Normal{}}
	p.encoding, _ = copytext.EncodingOf(encoding)
	r := jsonRule(t, "a.b."+name, entries...)
	r.Unmatched = unmatched
	made := p.documentRecipe(documentColumn(name), &r)
	return newDocument(made.document, transform.NewMasker(key), p.encoding.NewDecoder())
}

func documentColumn(name string) *schema.Column {
	return &schema.Column{Table: &schema.Table{Name: schema.Name{Schema: "a", Table: "b"}}, Name: name}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 64)
	for _, tt := range []struct {
		name, unmatched string
		paths           []string
		in, want        string // want is a pattern where it begins with ^
	}{
		{"nothing named, kept", keepUnmatched, nil, ` {"a" : [1.50, -0e-7, "x\u00e9", null,true ] , "a":{} }  `, ` {"a" : [1.50, -0e-7, "x\u00e9", null,true ] , "a":{} }  `},
		{"several blanks, kept", keepUnmatched, []string{"$.c set_null"}, "{\"a\":  [1,  2, \t3],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   1}", "{\"a\":  [1,  2, \t3],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   null}"},
		{"several blanks, redacted", redactUnmatched, []string{"$.c set_null"}, "{\"a\":  [0,  null, \t\"\"],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   1}", "{\"a\":  [0,  null, \t\"\"],  \"b\": \n {\"x\" :  0 },\r\n \"c\":   null}"},
		{"a member", keepUnmatched, []string{"$.a email"}, `{"a":"ada@example.com", "b":"x"}`, `^\{"a":"[a-z2-7]{16}@example\.invalid", "b":"x"\}$`},
		{"both of a key that is there twice", keepUnmatched, []string{"$.a hash"}, `{"a":"x","a":"y"}`, `^\{"a":"[0-9a-f]{32}","a":"[0-9a-f]{32}"\}$`},
		{"every element", keepUnmatched, []string{"$.c[*].e set_null"}, `{"c":[{"e":"x"},{"e":[1,{}]},{"f":"y"}],"e":"z"}`, `{"c":[{"e":null},{"e":null},{"f":"y"}],"e":"z"}`},
		{"one element", keepUnmatched, []string{"$[1] set_null"}, `["a","b","c"]`, `["a",null,"c"]`},
		{"at any depth", keepUnmatched, []string{"$..ssn set_null"}, `{"ssn":1,"x":[{"ssn":{"a":2},"y":{"ssn":"3"}}]}`, `{"ssn":null,"x":[{"ssn":null,"y":{"ssn":null}}]}`},
		{"every member", keepUnmatched, []string{"$.m.* constant value=0"}, `{"m":{"a":"x","b":[1],"c":null},"n":"y"}`, `{"m":{"a":0,"b":0,"c":null},"n":"y"}`},
		{"members and elements", keepUnmatched, []string{"$[*].a[*] set_null", "$[*].b.* set_null"}, `[{"a":{"x":1},"b":[2]},{"a":[1],"b":{"y":2}}]`, `[{"a":{"x":1},"b":[2]},{"a":[null],"b":{"y":null}}]`},
		{"a quoted key", keepUnmatched, []string{`$."a.b\"c" set_null`}, `{"a.b\"c":"x","a.b\u0022c":"y"}`, `{"a.b\"c":null,"a.b\u0022c":null}`},
		{"all below", keepUnmatched, []string{"$.p text"}, `{"p":{"a":"Ada","b":["Bob",12,true]},"q":"Ada"}`, `^\{"p":\{"a":"[A-Z][a-z]{2}","b":\["[A-Z][a-z]{2}",[1-9]\d,true\]\},"q":"Ada"\}$`},
		{"a longer path below", keepUnmatched, []string{"$.p text", "$.p.a preserve"}, `{"p":{"a":"Ada","b":"Bob"}}`, `^\{"p":\{"a":"Ada","b":"[A-Z][a-z]{2}"\}\}$`},
		{"the first of two paths", keepUnmatched, []string{"$.a set_null", "$.* text"}, `{"a":"x"}`, `{"a":null}`},
		{"the whole document", keepUnmatched, []string{"$ constant value={}"}, `[1,2]`, `{}`},
		{"a constant text", keepUnmatched, []string{`$.a constant value=it"s`}, `{"a":[]}`, `{"a":"it\"s"}`},
		{"redacted", redactUnmatched, []string{"$.k preserve"}, `{"k":"Ada","s":"Ada 1","n":-120.50e3,"z":0.5,"t":true,"u":null,"e":"","l":["x"]}`, `^\{"k":"Ada","s":"[A-Z][a-z]{2} \d","n":-[1-9]\d\d\.\d\de3,"z":0\.\d,"t":true,"u":null,"e":"","l":\["[a-z]"\]\}$`},
		{"keys that are somebody's", redactUnmatched, nil, `{"ada@example.com":1,"Ada Lovelace":{"ok":2},"42":3}`, `^\{"[a-z2-7]{16}":\d,"[a-z2-7]{16}":\{"ok":\d\},"42":\d\}$`},
		{"named keys stay", redactUnmatched, []string{`$."First@Name" first_name`}, `{"First@Name":"Ada"}`, `^\{"First@Name":"[A-Za-z]+"\}$`},
		{"numbers by noise", redactUnmatched, []string{"$.n number", "$.m number bucket=10"}, `{"n":100000000000000000000.5,"m":47}`, `^\{"n":\d{20,21}\.\d,"m":40\}$`},
		{"a number as a text", redactUnmatched, []string{"$.n hash"}, `{"n":12}`, `^\{"n":"[0-9a-f]{32}"\}$`},
		{"escapes", redactUnmatched, nil, `{"s":"\u0041d\u0061 \ud83d\ude00\n\\\""}`, `^\{"s":"[A-Z][a-z]{2} 😀\\n\\\\\\""\}$`},
		{"dates in texts", redactUnmatched, []string{"$.d truncate to=year"}, `{"d":"2024-05-06T07:08:09Z"}`, `{"d":"2024-01-01T00:00:00Z"}`},
		{"the last text", redactUnmatched, nil, `["Ada Lovelace", "a_b", "Ada 1815"]`, `^\["[A-Z][a-z]{2} [A-Z][a-z]{7}", "[a-z]_[a-z]", "[A-Z][a-z]{2} \d{4}"\]$`},
		{"wide texts", redactUnmatched, nil, `{"s":"“Ünï Ω١漢” 5"}`, `^\{"s":"“[A-Z][a-z][a-z] [A-Z]\d[a-z]” \d"\}$`},
		{"keys by the word", redactUnmatched, nil, `{"camelCase_and_more":1,"line1":2,"tax_rate":3,"abcdefgh ijkl":4,"abcdefghi@":5,"a\u0062":6,"1234567":7}`, `^\{"camelCase_and_more":\d,"line1":\d,"tax_rate":\d,"[a-z2-7]{16}":\d,"[a-z2-7]{16}":\d,"a\\u0062":\d,"[a-z2-7]{16}":\d\}$`},
		{"a scalar", redactUnmatched, nil, `"Ada"`, `^"[A-Z][a-z]{2}"$`},
		{"any blanks", keepUnmatched, []string{"$.a set_null"}, "\r\n{\r\n\t\"b\" :\r[ 1\r, 2 ]\r,\r\"a\"\r:\r1\r}\r", "\r\n{\r\n\t\"b\" :\r[ 1\r, 2 ]\r,\r\"a\"\r:\rnull\r}\r"},
		{"an escaped key that a path names", redactUnmatched, []string{"$.ab set_null"}, `{"a\u0062":"x","c":"y"}`, `^\{"a\\u0062":null,"c":"[a-z]"\}$`},
		{"an escaped key at the end", keepUnmatched, []string{`$["\n"] set_null`}, `{"\n":1}`, `{"\n":null}`},
		{"keys beside a path", redactUnmatched, []string{"$.k preserve"}, `{"k":"Ada","ada@example.com":1,"Ada Lovelace":{"Ada Lovelace":2},"line1":3,"li\u006ee":4,"a\u0040b":5}`, `^\{"k":"Ada","[a-z2-7]{16}":\d,"[a-z2-7]{16}":\{"[a-z2-7]{16}":\d\},"line1":\d,"li\\u006ee":\d,"[a-z2-7]{16}":\d\}$`},
		{"keys that count and keys that lead", redactUnmatched, nil, `{"line_123456":1,"shop.example:a/b$c-d":{"x.y":2}}`, `^\{"line_123456":\d,"shop\.example:a/b\$c-d":\{"x\.y":\d\}\}$`},
		{"long keys", redactUnmatched, []string{"$." + long + " set_null", "$." + long[:63] + " set_null"}, `{"` + long + `":"x","` + long[:63] + `":"y","` + long + `k":"z"}`, `^\{"k{64}":null,"k{63}":null,"k{65}":"[a-z]"\}$`},
		{"exponents", redactUnmatched, nil, `[1E5,1.5e+300,-2E-7,0E0,123456789E17,5e14,6E15]`, `^\[[1-9]E5,[1-9]\.\de\+300,-[1-9]E-7,0E0,[1-9]\d{8}E17,[1-9]e14,[1-9]E15\]$`},
		{"numbers in their form", keepUnmatched, []string{"$ text"}, `[0.5,0.25,1E5,-20e-7,10.05e12]`, `^\[0\.\d,0\.\d\d,[1-9]E5,-[1-9]\de-7,[1-9]\d\.\d\de12\]$`},
		{"amounts", redactUnmatched, []string{"$.* money percent=1"}, `{"a":1000.00,"b":1000,"c":"EUR 1000.00"}`, `^\{"a":(99|100|101)\d\.\d\d,"b":(99|100|101)\d,"c":"EUR (0?99|100|101)\d\.\d\d"\}$`},
		{"numbers that are secrets", redactUnmatched, []string{"$.p password", "$.t token"}, `{"p":1234,"t":1234}`, `^\{"p":"\$2b\$10\$[^"]{53}","t":"[A-Za-z0-9]{16}"\}$`},
		{"blank texts", keepUnmatched, []string{"$.a hash normalize=trim"}, `{"a":"  ","b":""}`, `{"a":"  ","b":""}`},
		{"every escape", keepUnmatched, []string{"$ text"}, `["\b\f\n\r\t\/\\\"\u001F","\\","-------\\","\u0007--------","\u20AC"]`, `["\u0008\u000c\n\u000d\t/\\\"\u001f","\\","-------\\","\u0007--------","€"]`},
		{"quotes put in", keepUnmatched, []string{`$.a replace pattern=x with="`}, `{"a":"x"}`, `{"a":"\""}`},
		{"true, false and null", keepUnmatched, []string{"$.t text", "$.c constant value=x", "$.n set_null"}, `{"t":[true,false,null],"c":[null],"n":true}`, `{"t":[true,false,null],"c":"x","n":null}`},
	} {
		d := newTestDocument(t, tt.unmatched, tt.paths...)
		out, err := d.append(nil, []byte(tt.in))
		if pattern := strings.HasPrefix(tt.want, "^"); err != nil || pattern && !regexp.MustCompile(tt.want).Match(out) || !pattern && string(out) != tt.want {
			t.Errorf("%s: %s became %s, %v", tt.name, tt.in, out, err)
		}
		if written := throughCell(t, d, tt.in); written != string(out) {
			t.Errorf("%s: as COPY has it, %s became %s", tt.name, tt.in, written)
		}
		for i, n := range d.met {
			if n == 0 {
				t.Errorf("%s: the path %s counts as held by no document", tt.name, tt.paths[i])
			}
		}
	}
}

// throughCell is what becomes of a document from COPY to COPY.
func throughCell(t testing.TB, d *document, in string) string {
	t.Helper()
	c := newCell(&Plan{}, documentColumn("doc"), &change{Recipe: &transform.Recipe{}, name: documentPaths, effect: transform.Merges, document: d.documentRecipe}, d.mask, d.decode)
	field, err := c.append(nil, copytext.AppendEscaped(nil, []byte(in)))
	if err != nil {
		t.Fatal(err)
	}
	out, err := copytext.ASCIISafe.AppendUnescaped(nil, field)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestDocumentsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "private", `{"private"`, `{"private":}`, `{"a":1,}`, `[1,]`, `["private]`, `{"a" "b"}`, `[1 2]`, `{} private`, `01`, `1.`, `1e`, `-`, `{private:1}`, `["\"]`, `[1}`, `{"a":"private"]`, `{"b":[1}}`, `{"b":{"c":1]}`, `{"b":nope}`, `[truth]`, `falsy`, `tru`} {
		for _, unmatched := range []string{keepUnmatched, redactUnmatched} {
			out, err := newTestDocument(t, unmatched, "$.a email").append(nil, []byte(in))
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
	for _, unmatched := range []string{keepUnmatched, redactUnmatched, refuseUnmatched} {
		for _, paths := range [][]string{nil, {"$..x text"}, {"$ preserve"}} {
			d := newTestDocument(t, unmatched, paths...)
			for _, tt := range []struct {
				depth int
				in    string
				fits  bool
			}{{jsontext.Deepest, "true", true}, {jsontext.Deepest, "[]", true}, {jsontext.Deepest, "{ }", true}, {jsontext.Deepest + 1, "true", false}, {jsontext.Deepest + 1, "[]", false}, {3 * jsontext.Deepest, "true", false}} {
				in := strings.Repeat("[", tt.depth) + tt.in + strings.Repeat("]", tt.depth)
				if out, err := d.append(nil, []byte(in)); (err == nil) != tt.fits || tt.fits && string(out) != in {
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
		out, err := newTestDocument(t, keepUnmatched, paths...).append(nil, []byte("{"+in.String()[1:]+"}"))
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
	out, err := newTestDocumentOf(t, testKey, "doc", "LATIN1", redactUnmatched, "$.größe set_null", "$.b constant value=ü").append(nil, in)
	if text := latin.NewDecoder().Decode(out); err != nil || !regexp.MustCompile(`^\{"größe":null,"b":"ü","c":"[A-Z]\. [a-z]"\}$`).Match(text) {
		t.Errorf("%q, %v", out, err)
	}
}

// Equal values become equal under one path or link, and tell nothing of each
// other under two. Keys go the way of the values that they stand among.
func TestPathsAreApart(t *testing.T) {
	t.Parallel()
	d := newTestDocument(t, keepUnmatched, "$.a[*] hash", "$.b hash", "$.c hash link=p", "$.d hash link=p", "$.e email link=q", "$.f email link=q")
	out, err := d.append(nil, []byte(`{"a":["Ada","Ada"],"b":"Ada","c":"Ada","d":"Ada","e":{"ada@example.com":1,"ad\u0061@example.com":2,"x":[{"ada@example.com":3}]},"f":"ada@example.com"}`))
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
		`{"a":1,"b":[{"c":"private"}]}`: "$.b[*].c", `{"private@example.com":true}`: "$.*", `{"b":{"pri vate":{"c":7}}}`: "$.b.*", `["private"]`: "$[*]", `"private"`: "$", `{"b":[[1]],"x.y":{"z":"private"}}`: "$.b[*][*]", `{"b":[[],[null]],"x.y":{"z":"private"}}`: "$.*.z",
	} {
		_, err := newTestDocument(t, refuseUnmatched, "$.a text").append(nil, []byte(in))
		unnamed, ok := err.(*unnamedValue)
		if !ok || unnamed.path != want || strings.Contains(err.Error(), "private") {
			t.Errorf("%s: %v, want %s", in, err, want)
		}
	}
	for _, in := range []string{`{"a":"x"}`, `{"b":true,"c":null,"d":"","e":[],"f":{}}`} {
		if _, err := newTestDocument(t, refuseUnmatched, "$.a text").append(nil, []byte(in)); err != nil {
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
					part = blank.Draw(t, "b") + rapid.SampledFrom([]string{`"a"`, `"b"`, `"\u0061"`, `"x y"`, `""`}).Draw(t, "key") + blank.Draw(t, "b") + ":" + part
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
	kept, redacted := newTestDocument(t, keepUnmatched, "$.nowhere.a email", "$..nothing text"), newTestDocument(t, redactUnmatched)
	rapid.Check(t, func(rt *rapid.T) {
		in := documents().Draw(rt, "document")
		if out, err := kept.append(nil, []byte(in)); err != nil || string(out) != in {
			rt.Fatalf("%s became %s, %v", in, out, err)
		}
		out, err := redacted.append(nil, []byte(in))
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

// Documents go through the server's own types and back.
func TestDocumentsThroughServer(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create table t (id int, doc jsonb, old json, docs jsonb[], plain json, email text); create table empty_t (doc jsonb)", rules: []spec.Rule{
		jsonRule(t, "public.t.doc", "$.contacts[*].email email link=p", "$.ssn set_null", "$.total number", "$.id preserve"),
		jsonRule(t, "public.t.old", "$..email email link=p", "$.nowhere text", "$.email[0] text"), each(jsonRule(t, "public.t.docs", "$.name name")), jsonRule(t, "public.t.plain", "$ preserve"),
		jsonRule(t, "public.empty_t.doc", "$.a text"), rule(t, 9, "public.t.email email link=p"),
	}}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	_, err := conn.Exec(t.Context(), `insert into t select i, case when i % 5 > 0 then jsonb_build_object('contacts', jsonb_build_array(jsonb_build_object('email', 'user' || i || '@example.com', 'name', E'tab\t"\\' || i), 7), 'ssn', '123-45-' || i,
			'total', i * 1.10, 'id', 12345678901234567890.123456789, 'note', 'Real ' || i) end,
		('{"email" : "user' || i || '@example.com", "email":"x", "n":1.00}')::json, array['{"name": "Real Name"}', null, '{}']::jsonb[], '{"a":1.0,  "a":2}', 'user' || i || '@example.com' from generate_series(1, 100) i;
		create table before as table t`)
	if err != nil {
		t.Fatal(err)
	}
	reload(t, conn, p, "public", "t")
	through(t, conn, p, "public", "empty_t")
	for what, sql := range map[string]string{
		"links hold within documents": "select bool_and(doc #>> '{contacts,0,email}' = email and old::jsonb ->> 'email' <> email and old::text like '{\"email\" : \"' || email || '\"%') from t where doc is not null",
		"nulls stay":                  "select count(*) = 20 from t where doc is null",
		"gone":                        "select bool_and(doc -> 'ssn' = 'null' and doc ->> 'note' !~ 'Real') from t where doc is not null",
		"numbers keep their digits":   "select bool_and(doc ->> 'id' = '12345678901234567890.123456789' and scale((doc ->> 'total')::numeric) = 2) from t where doc is not null",
		"numbers are near":            "select bool_and(abs((t.doc ->> 'total')::numeric - (b.doc ->> 'total')::numeric) <= 0.1 * (b.doc ->> 'total')::numeric + 0.01) from t join before b using (id) where t.doc is not null",
		"arrays of documents":         "select bool_and(docs[1] ->> 'name' like '% %' and docs[1] ->> 'name' <> 'Real Name' and docs[2] is null and docs[3] = '{}') from t",
		"preserved to the byte":       "select bool_and(plain::text = '{\"a\":1.0,  \"a\":2}') from t",
	} {
		if !value[bool](t, conn, sql) {
			t.Errorf("not so: %s", what)
		}
	}
	for _, c := range p.Checks() {
		if unmet := c.ID == "scrub:public.t.old"; unmet != (c.Outcome == verdict.Error) || unmet && (c.Code != verdict.CodeRuleUnmet || !strings.Contains(c.Message, "drills/shop.yaml:3:7: none of 100 documents holds $.nowhere, $.email[0]")) {
			t.Errorf("%+v", c)
		}
	}
}

// A value that keep leaves as it is stays within documents too, under its link
// alone; and what a column then holds of real values may not be shown.
func TestKeepWithinDocuments(t *testing.T) {
	t.Parallel()
	s := situation{ddl: "create table users (email text); create table t (doc jsonb, other jsonb)",
		keep:  []spec.Keep{{Table: spec.Name{Schema: "public", Table: "users"}, Match: map[string]string{"email": "*@ourco.example"}}},
		rules: []spec.Rule{rule(t, 1, "public.users.email email link=p"), jsonRule(t, "public.t.doc", "$.by email link=p", "$.to email"), jsonRule(t, "public.t.other", "$.by email")}}
	conn, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if _, err := conn.Exec(t.Context(), `insert into t select d, d from (values ('{"by": "Boss@ourco.example", "to": "boss@ourco.example"}'::jsonb)) v(d)`); err != nil {
		t.Fatal(err)
	}
	reload(t, conn, p, "public", "t")
	if !value[bool](t, conn, `select doc ->> 'by' = 'Boss@ourco.example' and doc ->> 'to' like '%@example.invalid' and other ->> 'by' like '%@example.invalid' from t`) {
		t.Error("what keep leaves is rewritten, or more than that is left")
	}
	if p.Shown("public", "t", "doc") || !p.Shown("public", "t", "other") {
		t.Error("real values that keep leaves within documents may be shown")
	}
}

// A value that no path names ends the load, with its place and without itself.
func TestUnnamedValueEndsTheLoad(t *testing.T) {
	t.Parallel()
	r := jsonRule(t, "public.t.doc", "$.a text")
	r.Unmatched = refuseUnmatched
	_, p, checks := situation{ddl: "create table t (doc jsonb)", rules: []spec.Rule{r}}.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	rewrite, err := p.Filter("public", "t", []string{"doc"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = rewrite(nil, []byte(`{"b": {"c": "private"}}`))
	problem := verdict.AsProblem(err)
	if err == nil || problem.Code != verdict.CodeUnmatched || problem.Outcome != verdict.Error || !strings.Contains(problem.Hint, "{path: $.b.c, transform: text}") || strings.Contains(err.Error()+problem.Hint, "private") {
		t.Errorf("%+v", problem)
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
		word, random := rapid.Uint64().Draw(rt, "word"), rapid.Uint64().Draw(rt, "random")
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
	d, others := newTestDocument(t, redactUnmatched, "$.a email"), map[string]*document{
		"key":    newTestDocumentOf(t, bytes.Repeat([]byte("l"), transform.KeySize), "doc", "UTF8", redactUnmatched, "$.a email"),
		"column": newTestDocumentOf(t, testKey, "extra", "UTF8", redactUnmatched, "$.a email"),
	}
	rapid.Check(t, func(rt *rapid.T) {
		in := fmt.Sprintf(`{"a": %s, "b": {"c": "%s", "d": %d.5e3}}`, documents().Draw(rt, "a"), rapid.StringMatching(`[a-zé"\\]{0,1}[A-Za-z0-9 ]{12,700}`).Draw(rt, "c"), rapid.IntRange(-1e12, 1e12).Draw(rt, "d"))
		first, err := d.append(nil, []byte(in))
		second, err2 := d.append([]byte("before"), []byte(in))
		if fmt.Sprint(err) != fmt.Sprint(err2) || err == nil && string(second) != "before"+string(first) {
			rt.Fatalf("%s became %s and %s, %v, %v", in, first, second, err, err2)
		}
		other, err := d.append(nil, []byte(in+" "))
		if err == nil && string(other) == string(first)+" " {
			rt.Fatalf("%s became the same under another document", in)
		}
		for what, other := range others {
			if out, err := other.append(nil, []byte(in)); err == nil && string(out) == string(first) {
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
	d := newTestDocument(t, redactUnmatched, "$.n.path preserve")
	for length := 1; length < 520; length++ {
		if length == 28 {
			length = 500 // where what was copied ahead ends
		}
		word, digits := strings.Repeat("q", length), strings.Repeat("7", length)
		// in the middle of the document and at its end, plain and odd
		for _, form := range []string{`{"n": %d, "v": "*", "w": [true]}`, `["%d", "*"]`, `"%d *"`, `{"n": [%d, "“*"], "q7": false}`, `["%d", "\n*"]`, `{"n": %d, "v": #, "q7": true}`, `[%d,#]`, `[%d, -#.5e7, "qqqq7777"]`, `{"n": %d, "k": {"v":#,"q77777":"é"}}`} {
			at := strings.IndexAny(form, "*#")
			filled := strings.NewReplacer("*", word, "#", digits).Replace(form)
			seen := make([]map[byte]bool, length)
			for n := range documents {
				in := fmt.Sprintf(filled, 1000+n)
				from := at + len(in) - len(filled)
				out, err := d.append(nil, []byte(in))
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
		out, err := d.append(nil, []byte(in))
		if err != nil || form(in) != form(string(out)) || bytes.Contains(out, []byte("qqqqqq")) {
			t.Errorf("%s became %s, %v", in, out, err)
		}
	}
	out, err := d.append(nil, []byte(`"`+strings.Repeat("q", 80)+`"`))
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
	d := newTestDocument(t, redactUnmatched, "$.mail email", "$.gone set_null", "$.same constant value=x", "$.stays preserve")
	var got []string
	d.sample = func(text []byte) { got = append(got, string(text)) }
	in := `{"mail":"ada@example.com","gone":"gone for good","same":"a same \"one\"","stays":"what stays here",` +
		`"here":["redacted here","redacted “odd” one"],"n":12345678901,"end":"the last one"}`
	if _, err := d.append(nil, []byte(in)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.append(nil, []byte(`"the last one"`)); err != nil {
		t.Fatal(err)
	}
	want := []string{"ada@example.com", "gone for good", `a same "one"`, "redacted here", "redacted “odd” one", "the last one", "the last one"}
	if !slices.Equal(got, want) {
		t.Errorf("%q are sampled, want %q", got, want)
	}
}

// Run it with -fuzzminimizetime=1x, as docs/architecture.md says of all.
func FuzzDocuments(f *testing.F) {
	f.Add([]byte(`{"a":[1.5e3,{"b":"\u00e9\ud83d\ude00"}],"a":null}`))
	f.Add([]byte(`[[[[`))
	f.Add([]byte(`"\`))
	f.Add([]byte(`{"a_b": "ends with the document", "n-1": -0.5e7, "wide é": "“Café”"}`))
	var documents []*document // one for all executions: what one leaves behind must not matter
	for _, unmatched := range []string{keepUnmatched, redactUnmatched, refuseUnmatched} {
		documents = append(documents, newTestDocument(f, unmatched, "$..a email", "$.*[*].b number", "$[0] set_null"))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		valid := json.Valid(in)
		for _, d := range documents {
			out, err := d.append(nil, in)
			if !valid || d.unmatched == refuseUnmatched {
				continue
			}
			if err != nil || !json.Valid(out) {
				t.Fatalf("%q became %q, %v", in, out, err)
			}
		}
	})
}

// order is a document as a shop keeps it, in the form that jsonb has: its three
// paths name a value each.
var order = benchmarkDocument{
	name: "order", paths: []string{"$.customer.email email", "$.customer.name name", "$.shipping.address.line1 street"},
	text: []byte(`{"id": "ord_01J9Z6T3QK", "test": false, "flags": ["gift", "no_invoice"], "items": [` +
		`{"qty": 2, "sku": "TS-4410-BLU-M", "title": "Organic cotton T-shirt, blue", "tax_rate": 0.2, "discounts": [], "unit_price": 24.90}, ` +
		`{"qty": 1, "sku": "BK-0021", "title": "Notebook, grid, 192 pages", "tax_rate": 0.1, "discounts": [{"code": "SPRING", "amount": 1.25}], "unit_price": 12.50}, ` +
		`{"qty": 4, "sku": "MG-7710-WHT", "title": "Enamel mug “Café”", "tax_rate": 0.2, "discounts": [], "unit_price": 9.00}], ` +
		`"notes": "Please leave the parcel with the neighbour on the second floor.", "locale": "de-AT", "number": "2026-104711", "status": "paid", ` +
		`"totals": {"net": 80.42, "tax": 15.63, "gross": 96.05, "refunded": 0, "shipping": 4.90}, "channel": "web", ` +
		`"payment": {"captured": true, "provider": "stripe", "card_last4": "4242", "risk_score": 0.031}, "version": 7, "currency": "EUR", ` +
		`"customer": {"id": 88213, "name": "Frieda Lindqvist", "email": "frieda.lindqvist@example.com", "groups": ["retail", "returning"], "vat_id": null, "newsletter": true}, ` +
		`"shipping": {"method": "standard", "address": {"city": "Wien", "line1": "Am Heumarkt 27", "line2": null, "country": "AT", "postcode": "1030"}, "tracking": ["JJD000390007712345678"]}, ` +
		`"placed_at": "2026-03-14T09:26:53.589Z"}`),
}

// escaped is the order with a person and notes that JSON escapes, as json keeps
// them and jsonb does in part.
var escaped = benchmarkDocument{name: "escaped", paths: order.paths, text: []byte(strings.NewReplacer(
	"Frieda Lindqvist", `Frieda \"Fritzi\" Lindqvist`, "Am Heumarkt 27", `Caf\u00e9gasse 27`,
	"Please leave", `Please\n\"leave\"`, "Notebook,", `Notebook \\ block,`,
).Replace(string(order.text)))}

// contacts is a list of people: its three paths name 17 values.
func contacts() benchmarkDocument {
	var b bytes.Buffer
	b.WriteString(`{"id": 4711, "contacts": [`)
	for i := range 8 {
		fmt.Fprintf(&b, `{"email": "user%d@example.com", "name": "Some Name", "tags": ["a", "b", "c"], "score": %d.25},`, i, i)
	}
	b.WriteString(`{}], "settings": {"theme": "dark", "sizes": [1, 2, 3, 4, 5, 6], "text": "` + strings.Repeat("words and more words ", 20) + `"}, "ssn": "123-45-6789"}`)
	return benchmarkDocument{name: "contacts", text: b.Bytes(), paths: []string{"$.contacts[*].email email", "$.ssn set_null", "$.contacts[*].name name"}}
}

type benchmarkDocument struct {
	name  string
	text  []byte
	paths []string
}

// field is the document as COPY text has it, and what rewrites that.
func (b benchmarkDocument) field(t testing.TB, unmatched string, scanner detect.Scanner) (*cell, []byte) {
	t.Helper()
	d := newTestDocument(t, unmatched, b.paths...)
	p := &Plan{scanner: scanner}
	c := newCell(p, documentColumn("doc"), &change{Recipe: &transform.Recipe{}, name: documentPaths, effect: transform.Merges, document: d.documentRecipe}, d.mask, d.decode)
	return c, copytext.AppendEscaped(nil, b.text)
}

func TestDocumentsAllocateNothing(t *testing.T) {
	for _, b := range []benchmarkDocument{order, escaped, contacts()} {
		for _, unmatched := range []string{keepUnmatched, redactUnmatched} {
			c, field := b.field(t, unmatched, detect.NewScanner(detect.All))
			var out []byte
			if allocs := testing.AllocsPerRun(100, func() { out, _ = c.append(out[:0], field) }); allocs > 0 {
				t.Errorf("%s, %s: %v allocations a document", b.name, unmatched, allocs)
			}
			if n := len(c.document.states); n > 50 { // of a hundred documents
				t.Errorf("%s, %s: each document leaves something behind, %d words by now", b.name, unmatched, n)
			}
		}
	}
}

// BenchmarkDocument shows three paths, from COPY text to COPY text, beside a
// validation of the same document: the whole of what is asked of it is there.
func BenchmarkDocument(b *testing.B) { order.benchmark(b) }

// BenchmarkEscaped is the same where texts hold escapes.
func BenchmarkEscaped(b *testing.B) { escaped.benchmark(b) }

// BenchmarkContacts is the same where most of a document are people.
func BenchmarkContacts(b *testing.B) { contacts().benchmark(b) }

func (d benchmarkDocument) benchmark(b *testing.B) {
	for name, valid := range map[string]func([]byte) bool{"valid": gojson.Valid, "standard": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(d.text)))
			for b.Loop() {
				if !valid(d.text) {
					b.Fatal("not valid")
				}
			}
		})
	}
	for _, run := range []struct {
		name, unmatched string
		scanner         detect.Scanner
	}{{keepUnmatched, keepUnmatched, detect.Scanner{}}, {redactUnmatched, redactUnmatched, detect.Scanner{}}, {"watch", keepUnmatched, detect.NewScanner(detect.All)}} {
		b.Run(run.name, func(b *testing.B) {
			c, field := d.field(b, run.unmatched, run.scanner)
			b.SetBytes(int64(len(d.text)))
			b.ReportAllocs()
			var out []byte
			var err error
			for b.Loop() {
				if out, err = c.append(out[:0], field); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
