package document

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"daybefore/internal/detect"
)

// Keys become pseudonyms where a rule says so, but for those that other paths name;
// what they name goes its own way.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, unmatched string
		paths           []string
		in, want        string // want is a pattern
	}{
		{"of an object", Redact, []string{"$.votes hash keys=true"}, `{"votes":{"annazq":5,"Bob":{"annazq":true}},"annazq":{}}`,
			`\{"votes":\{"[0-9a-f]{32}":\d,"[0-9a-f]{32}":\{"annazq":true\}\},"annazq":\{\}\}`},
		{"kept", Keep, []string{"$.votes hash keys=true"}, `{"votes": {"annazq": "x"}, "b": {"annazq": 1}}`,
			`\{"votes": \{"[0-9a-f]{32}": "x"\}, "b": \{"annazq": 1\}\}`},
		{"beside values", Redact, []string{"$.votes hash keys=true", "$.votes.* constant value=0"}, `{"votes":{"annazq":5}}`,
			`\{"votes":\{"[0-9a-f]{32}":0\}\}`},
		{"beside values of the same path", Redact, []string{"$.votes number bucket=10", "$.votes hash keys=true"}, `{"votes":{"annazq":15}}`,
			`\{"votes":\{"[0-9a-f]{32}":10\}\}`},
		{"but for named ones", Redact, []string{"$.votes token keys=true", "$.votes.total preserve"}, `{"votes":{"total":5,"annazq":1}}`,
			`\{"votes":\{"total":5,"[A-Za-z0-9]{16}":\d\}\}`},
		{"of the document", Refuse, []string{"$ email keys=true", "$.* set_null"}, `{"ada@example.com":1,"b":2}`,
			`\{"[a-z2-7]{16}@example.invalid":null,"[a-z2-7]{16}@example.invalid":null\}`},
		{"at any depth", Redact, []string{"$..v hash keys=true"}, `{"v":{"a":{"v":{"b":true}}}}`,
			`\{"v":\{"[0-9a-f]{32}":\{"v":\{"[0-9a-f]{32}":true\}\}\}\}`},
		{"escaped", Redact, []string{"$.v template value=\"{hash} keys=true"}, `{"v":{"\u0061":true}}`, `\{"v":\{"\\"[0-9a-f]{32}":true\}\}`},
		{"left as they are", Redact, []string{"$.v preserve keys=true"}, `{"v":{"ada@example.com":true}}`, `\{"v":\{"ada@example.com":true\}\}`},
		{"an empty one", Redact, []string{"$.v hash keys=true"}, `{"v":{"":true}}`, `\{"v":\{"":true\}\}`},
		{"known to a detector", Redact, nil, `{"10.1.2.3":true,"fe80::1":true,"v1.2":true,"AKIAIOSFODNNAEXAMPLE":true,"shipping_address_line":true}`,
			`\{"[a-z2-7]{16}":true,"[a-z2-7]{16}":true,"v1.2":true,"[a-z2-7]{16}":true,"shipping_address_line":true\}`},
	} {
		d := newTestDocument(t, tt.unmatched, tt.paths...)
		d.Known = knownKey
		out, err := d.Append(nil, []byte(tt.in))
		if err != nil || !regexp.MustCompile("^"+tt.want+"$").Match(out) {
			t.Errorf("%s: %s became %s, %v", tt.name, tt.in, out, err)
		}
		for i, n := range d.Met {
			if n == 0 {
				t.Errorf("%s: the path %s counts as held by no document", tt.name, tt.paths[i])
			}
		}
	}
}

func knownKey(key []byte) bool {
	scanner := detect.NewScanner(detect.All)
	_, found := scanner.Find(key)
	return found
}

// No two keys of an object become one, whatever is taken off them; and where nothing
// is, a key becomes what its value does under the same link.
func TestKeysStayApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		paths := rapid.SampledFrom([][]string{{"$.k hash normalize=trim,lower keys=true", "$.v preserve"},
			{"$.k hash link=p keys=true", "$.v[*] hash link=p"}}).Draw(rt, "paths")
		linked := strings.Contains(paths[0], "link")
		d := newTestDocument(t, Redact, paths...)
		keys := rapid.SliceOfNDistinct(rapid.StringMatching(`[ aAbB]{1,3}`), 1, 8, rapid.ID[string]).Draw(rt, "keys")
		members := map[string]bool{}
		for _, k := range keys {
			members[k] = true
		}
		in, err := json.Marshal(map[string]any{"k": members, "v": keys})
		if err != nil {
			rt.Fatal(err)
		}
		out, err := d.Append(nil, in)
		var made struct {
			K map[string]bool
			V []string
		}
		if err != nil || json.Unmarshal(out, &made) != nil || len(made.K) != len(keys) {
			rt.Fatalf("%s became %s, %v", in, out, err)
		}
		for i, v := range made.V {
			if linked && !made.K[v] {
				rt.Fatalf("%s became %s: the value %q is no key", in, out, keys[i])
			}
		}
	})
}

// Whether keys are counted, or shown to somebody, changes nothing of what becomes of
// a document.
func TestCountedAlike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		unmatched := rapid.SampledFrom([]string{Redact, Keep}).Draw(rt, "unmatched")
		paths := rapid.SampledFrom([][]string{nil, {"$..a text"}, {"$.b email", "$.*.c preserve"}}).Draw(rt, "paths")
		plain := newTestDocument(t, unmatched, paths...)
		counted := newTestDocument(t, unmatched, paths...)
		counted.Census = NewCensus(maphash.MakeSeed())
		shown := newTestDocument(t, unmatched, paths...)
		shown.Watch = &Watch{Begin: func() bool { return true }, Key: func([]byte) {}, Tell: func([]byte, bool) {}, End: func() error { return nil }}
		in := []byte(anyJSON(rt, 3))
		want, err := plain.Append(nil, in)
		if err != nil {
			rt.Fatalf("%s: %v", in, err)
		}
		for _, d := range []*Rewriter{counted, shown} {
			d.Known = knownKey
			plain.Known = knownKey
			want, _ = plain.Append(want[:0], in)
			if got, err := d.Append(nil, in); err != nil || !bytes.Equal(got, want) {
				rt.Fatalf("%s became %s, not %s: %v", in, got, want, err)
			}
		}
	})
}

// anyJSON is a document with keys of all kinds.
func anyJSON(rt *rapid.T, depth int) string {
	const scalars, deepest = 2, 3
	kind := rapid.IntRange(0, 4).Draw(rt, "kind")
	switch depth {
	case 0:
		kind = min(kind, scalars)
	case deepest:
		kind = max(kind, scalars+1)
	}
	switch kind {
	case 0:
		return rapid.SampledFrom([]string{`""`, `"Ada 1"`, `"a\n"`, `"é"`, "true", "null"}).Draw(rt, "text")
	case 1, 2:
		return rapid.SampledFrom([]string{"0", "-12.5e3", "1234567890.25"}).Draw(rt, "number")
	case 3:
		return "[" + anyJSON(rt, depth-1) + ", " + anyJSON(rt, depth-1) + "]"
	}
	var members []string
	for range rapid.IntRange(0, 3).Draw(rt, "members") {
		key := rapid.SampledFrom([]string{"a", "b", "c", "ada@example.com", "line1", "10.1.2.3", `\u0061`, "AKIAIOSFODNNAEXAMPLE", "AKIAIO_A", "x y"}).Draw(rt,
			"key")
		members = append(members, `"`+key+`": `+anyJSON(rt, depth-1))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// A key of somebody's is no part of any path, and what tells is shown with each of
// the values that pass.
func TestTold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][]string{
		`{"a":"x","full_name":"Zq","b":{"street":["Zqweg",7,{"zip":1}],"c":null},"d":""}`: {"full_name", "street", "street 1", "zip 1"},
		`[{"a":1,"full_name":["Zq"]},{"a":{"b":2}}]`:                                      {"full_name"},
		`"x"`: nil, `{"a":"x"}`: nil, `{"n":[[1]]}`: {"n 1"},
	} {
		d := newTestDocument(t, Keep, "$..a preserve", "$.n[0][5] text")
		var got []string
		d.Watch = &Watch{Begin: func() bool { return true }, End: func() error { return nil }, Tell: func(key []byte, isNumber bool) {
			told := string(key)
			if isNumber {
				told += " 1"
			}
			got = append(got, told)
		}}
		if _, err := d.Append(nil, []byte(in)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", in, got, err, want)
		}
	}
}

// countedDocuments are those that one writes, looked at by a census.
func countedDocuments(t *testing.T, n int, write func(i int) string, paths ...string) *Census {
	t.Helper()
	d := newTestDocument(t, Redact, paths...)
	d.Census = NewCensus(maphash.MakeSeed())
	var out []byte
	for i := range n {
		var err error
		out, err = d.Append(out[:0], []byte(write(i)))
		if err != nil {
			t.Fatal(err)
		}
	}
	return d.Census
}

// login is a name of somebody's, in letters alone.
func login(i int) string {
	return "zq" + strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprint(i)) + "login"
}

// Keys that are many and different are found, with the place of their objects unless
// that may be somebody's; names are not, however many.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		paths []string
		write func(i int) string
		want  []string
	}{
		{"logins", nil, func(i int) string { return fmt.Sprintf(`{"votes":{%q:5}}`, login(i)) }, []string{"$..votes"}},
		{"logins beside names", nil, func(i int) string { return fmt.Sprintf(`{"theme":"x","size":1,%q:{"count":1}}`, login(i)) }, []string{"$"}},
		{"in arrays", nil, func(i int) string { return fmt.Sprintf(`{"by":[[{%q:1}]]}`, login(i)) }, []string{"$..by[*][*]"}},
		{"below logins", nil, func(i int) string { return fmt.Sprintf(`{%q:{%q:1}}`, login(i), login(i)) }, []string{"$", "$..*"}},
		{"under a rule", []string{"$.votes hash keys=true"}, func(i int) string { return fmt.Sprintf(`{"votes":{%q:5}}`, login(i)) }, nil},
		{"preserved", []string{"$.votes preserve keys=true"}, func(i int) string { return fmt.Sprintf(`{"votes":{%q:5}}`, login(i)) }, nil},
		{"names, each in all", nil, func(int) string {
			var all []string
			for i := range 300 {
				all = append(all, fmt.Sprintf(`"setting_%s":1`, login(i)))
			}
			return "{" + strings.Join(all, ",") + "}"
		}, nil},
		{"names of a hundred kinds of event", nil, func(i int) string {
			return fmt.Sprintf(`{"kind":"x","data":{"a_%s":1,"b_%s":2}}`, login(i%100), login(i%100))
		}, nil},
		{"numbers", nil, func(i int) string { return fmt.Sprintf(`{"by_year":{"%d":5}}`, i) }, nil},
		{"one document", nil, func(i int) string {
			if i > 0 {
				return "{}"
			}
			var all []string
			for i := range 40 {
				all = append(all, fmt.Sprintf(`%q:1`, login(i)))
			}
			return "{" + strings.Join(all, ",") + "}"
		}, nil},
	} {
		census := countedDocuments(t, 1000, tt.write, tt.paths...)
		both := NewCensus(census.seed)
		both.Join(census)
		both.Join(NewCensus(census.seed))
		all := []*Census{census, both}
		if tt.paths == nil {
			walked := NewCensus(census.seed)
			for i := range 1000 {
				walked.Count([]byte(tt.write(i)))
			}
			all = append(all, walked)
		}
		for _, c := range all {
			var got []string
			for _, m := range c.Many() {
				got = append(got, m.Path)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
		}
	}
}

// Of a long document the first keys are counted, and all are rewritten as without a
// census.
func TestKeysOfALongDocument(t *testing.T) {
	t.Parallel()
	var all []string
	for i := range 3 * mostKeys {
		all = append(all, fmt.Sprintf(`{%q:"x","ada@example.com":7}`, login(i)))
	}
	objects := "[" + strings.Join(all, ",") + "]"
	one := "{" + strings.NewReplacer("{", "", "}", "").Replace(strings.Join(all, ",")) + "}" // of which nobody can say so
	for doc, many := range map[string]int{objects: 1, one: 0} {
		d, plain := newTestDocument(t, Redact), newTestDocument(t, Redact)
		d.Census = NewCensus(maphash.MakeSeed())
		got, err := d.Append(nil, []byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		want, err := plain.Append(nil, []byte(doc))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: a census makes another document", err)
		}
		walked := NewCensus(d.Census.seed)
		walked.Count([]byte(doc))
		for _, c := range []*Census{d.Census, walked} {
			if found := c.Many(); c.left != 0 || len(found) != many || many > 0 && (found[0].Different < mostKeys/2 || found[0].Different > 2*mostKeys) {
				t.Errorf("%d left, %+v", c.left, found)
			}
		}
	}
}

// A million different keys, and as many different paths, leave no more behind than
// some thousands.
func TestAMillionKeys(t *testing.T) {
	for name, write := range map[string]func(i int) string{
		"keys":  func(i int) string { return fmt.Sprintf(`{"votes":{%q:5}}`, login(i)) },
		"paths": func(i int) string { return fmt.Sprintf(`{%q:{%q:{%q:"x"}}}`, login(i), login(i), login(i)) },
	} {
		d := newTestDocument(t, Redact, "$..email email")
		d.Census = NewCensus(maphash.MakeSeed())
		const most = 2 << 20
		before := heap()
		var out []byte
		for i := range 100_000 {
			out, _ = d.Append(out[:0], []byte(write(i)))
		}
		if grown := heap() - before; grown > most {
			t.Errorf("%s: %d bytes are left behind", name, grown)
		}
		in := manyMembers()
		before = heap()
		out, _ = d.Append(nil, in)
		if len(out) != len(in) {
			t.Errorf("%s: the keys of one document are not those that they were", name)
		}
		if _, err := d.Append(nil, []byte(`{}`)); err != nil { // the last document is at hand until the next
			t.Fatal(err)
		}
		if grown := heap() - before; grown > most {
			t.Errorf("%s: %d bytes are left behind by one document", name, grown)
		}
		runtime.KeepAlive(d)
	}
}

// manyMembers is a document with a million different keys.
func manyMembers() []byte {
	in := []byte("{")
	for i := range 1_000_000 {
		in = fmt.Appendf(in, "%q:1,", login(i))
	}
	return append(in, `"z":1}`...)
}

func heap() int64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
