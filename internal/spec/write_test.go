package spec

import (
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"daybefore/internal/spec/jsonpath"
)

// Any text within braces is read again as it was.
func TestYAMLText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := "x" + rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\n\t]*`)).Draw(rt, "text")
		var read struct{ Text string }
		if err := yaml.Unmarshal([]byte("{text: "+YAMLText(text)+", more: 1}"), &read); err != nil || read.Text != text {
			rt.Fatalf("%q is written %s and read %q, %v", text, YAMLText(text), read.Text, err)
		}
	})
}

func TestRuleYAML(t *testing.T) {
	t.Parallel()
	value := "it's\n"
	r := Rule{
		Column: ColumnPattern{Source: `public."a.b".doc`}, Unmatched: "redact",
		JSON: []PathRule{
			{Path: jsonpath.Path{Source: "$.email"}, Rule: Rule{Transform: "email", Link: "person"}},
			{Path: jsonpath.Path{Source: "$.note"}, Rule: Rule{Transform: "constant", Value: &value}},
			{Path: jsonpath.Path{Source: "$.kind"}, Rule: Rule{Transform: "choice", Values: []string{"a", "no, 'b'"}}},
			{Path: jsonpath.Path{Source: "$.votes"}, Keys: true, Rule: Rule{Transform: "hash"}},
			{Path: jsonpath.Path{Source: "$.id"}, Rule: Rule{Preserve: true, Why: `no "person's"`}},
		},
	}
	const want = `- {column: 'public."a.b".doc', unmatched_paths: redact, json: [{path: '$.email', transform: email, link: person}, ` +
		`{path: '$.note', transform: constant, value: "it's\n"}, {path: '$.kind', transform: choice, values: ["a", "no, 'b'"]}, ` +
		`{path: '$.votes', keys: true, transform: hash}, {path: '$.id', preserve: true, why: "no \"person's\""}]}`
	if got := r.YAML(""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
