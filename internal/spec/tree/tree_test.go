package tree

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func parsed(t *testing.T, name, text string) *Node {
	t.Helper()
	n, err := Parse(name, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// same compares what two nodes say, wherever they stand.
var same = cmpopts.IgnoreTypes(Pos{})

func TestOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, lower, upper, want string }{
		{"keys of both", "a: 1\nb: 2\n", "c: 3\n", "c: 3\na: 1\nb: 2\n"},
		{"a value of both", "a: 1\nb: 2\n", "b: 3\n", "b: 3\na: 1\n"},
		{"deep", "a: {b: {c: 1, d: 2}}", "a: {b: {d: 3}, e: 4}", "a: {b: {d: 3, c: 1}, e: 4}"},
		{"lists are replaced", "a: [1, 2, 3]", "a: [4]", "a: [4]"},
		{"a list is no mapping", "a: {b: 1}", "a: [4]", "a: [4]"},
		{"a text is no mapping", "a: {b: 1}", "a: x", "a: x"},
		{"nothing is something", "a: {b: 1}", "a:", "a:"},
		{"a key that stands twice", "b: 1", "a: 1\na: 2\n", "a: 1\na: 2\nb: 1"},
	} {
		got := Over(parsed(t, "defaults.yaml", c.lower), parsed(t, "", c.upper))
		if diff := cmp.Diff(parsed(t, "", c.want), got, same); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
	if n := parsed(t, "", "a: 1"); Over(nil, n) != n || Over(n, nil) != n {
		t.Error("nothing changes a node")
	}
}

// What is laid over one another keeps the places of both files.
func TestOverKeepsPlaces(t *testing.T) {
	t.Parallel()
	got := Over(parsed(t, "x/defaults.yaml", "a:\n  b: 1\n"), parsed(t, "", "# mine\na:\n  c: 2\n"))
	a := got.Find("a")
	if at := a.Find("b").At; at != (Pos{2, 6, "x/defaults.yaml"}) || at.String() != "defaults.yaml, line 2" {
		t.Error(at)
	}
	if at := a.Find("c").At; at != (Pos{3, 6, ""}) || at.String() != "drill file, line 3" {
		t.Error(at)
	}
}

// Whatever may stand in a drill file is read again as it was written.
func TestYAML(t *testing.T) {
	t.Parallel()
	demo, err := os.ReadFile("../../../drills/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(demo), "a: 'x: y # z'\n", "a: \"\\t\\n\\u2028ü\\\"\"\n", "a: |\n  select\n    'x'\n", "a: 'null'\nb: '~'\nc: ''\n",
		"a: 0x10\nb: 1e3\nc: yes\nd: 12:30\ne: .inf\n", "'*': '*'\n'a b': '- x'\n", "a: [[1, {b: c}], []]\nb: {}\nc: [{}]\n",
		"a: [{b: [x, {c: d}], e: {f: g}}, h]\n", "a: 'v '\nb: ' v'\nc: '%x'\nd: '@x'\ne: '!x'\nf: '&x'\ng: '---'\nh: '...'\n",
		"a: '#x'\nb: 'x#y'\nc: 'x #y'\nd: '[x'\ne: 'x]'\nf: 'a,b'\ng: 'a: b'\nh: 'a:'\n", "a: ['" + strings.Repeat("x", 80) + "', y]\n",
	} {
		want := parsed(t, "", text)
		for _, note := range []func(Entry) string{nil, func(e Entry) string { return e.Key.At.String() }} {
			written := want.YAML(note)
			if diff := cmp.Diff(want, parsed(t, "", string(written)), same); diff != "" {
				t.Errorf("%s\nis written as\n%s\n-want +got:\n%s", text, written, diff)
			}
		}
	}
}

func FuzzYAML(f *testing.F) {
	f.Add("shop-{time}.dump", "a: b # c\n\td")
	f.Fuzz(func(t *testing.T, key, text string) {
		want := &Node{Kind: Mapping, Keys: []Entry{{Node{Text: key}, &Node{Kind: List, Items: []*Node{{Text: text}}}}}}
		written := want.YAML(nil)
		got, err := Parse("", written)
		if valid := strings.ToValidUTF8(key+text, "") == key+text; !valid {
			return // no drill file holds it
		}
		if diff := cmp.Diff(want, got, same); err != nil || diff != "" {
			t.Errorf("%v\n%s-want +got:\n%s", err, written, diff)
		}
	})
}
