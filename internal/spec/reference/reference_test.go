package reference

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
)

// referenceHead is the page above what the schema says.
const referenceHead = `# Keys of a drill file
A drill is one YAML file below ` + "`drills/`" + `; its name is the drill's. [drills/demo.yaml](../drills/demo.yaml) shows
every key in use. Mistakes are all reported at once, as ` + "`file:line:column`" + ` with a suggested fix, before anything
is fetched.

- A **duration** is written ` + "`90s`, `45m`, `6h`, `7d` or `1d12h`; a **size** `10MB` or `4GiB`" + `.
- A table is ` + "`schema.table`, a column `schema.table.column`; a part that holds a dot is quoted `\"like.this\"`" + `.
- Keys for S3 and other secrets come from the environment, never from the file.

With ` + "`# yaml-language-server: $schema=../docs/drill.schema.json`" + ` as a file's first line, editors complete and check it;
` + "`drills/defaults.yaml`, which lies [below all of them](many-databases.md), has `defaults.schema.json`" + `.
This page is made from that schema, which is made from ` + "`internal/spec/raw.go`" + `:
` + "`UPDATE_GOLDEN=1 go test ./internal/spec/reference`" + ` writes both.

`

// keyPage renders the keys of a section, then those of the sections in it.
type keyPage struct {
	strings.Builder
	duration, size string // patterns of what keys take
}

func (k *keyPage) section(path string, s, around *jsonschema.Schema) {
	k.WriteString("\n| key | takes | meaning |\n|---|---|---|\n")
	var same []string
	for key, v := range s.Properties.FromOldest() {
		if around != nil && reflect.DeepEqual(propertyOf(around, key), v) {
			same = append(same, "`"+key+"`")
			continue
		}
		name := "`" + key + "`"
		if slices.Contains(s.Required, key) {
			name += " (required)"
		}
		fmt.Fprintf(k, "| %s | %s | %s |\n", name, k.takes(below(path, key), v), inTable.Replace(v.Description))
	}
	if same != nil {
		fmt.Fprintf(k, "\nAlso %s, as above.\n", strings.Join(same, ", "))
	}
	for key, v := range s.Properties.FromOldest() {
		if inner := sectionOf(v); inner != nil {
			level := "###"
			if path == "" {
				level = "##"
			}
			fmt.Fprintf(k, "\n%s `%s`\n%s.\n", level, below(path, key), sentence(inTable.Replace(v.Description)))
			k.section(below(path, key), inner, s)
		}
	}
}

// inTable keeps a description's signs from being Markdown's.
var inTable = strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`)

func below(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// propertyOf is a section's own property; nil if it has none of that name.
func propertyOf(s *jsonschema.Schema, key string) *jsonschema.Schema {
	v, _ := s.Properties.Get(key)
	return v
}

// sectionOf is the section that a key takes, alone or in a list; nil if it
// takes none.
func sectionOf(s *jsonschema.Schema) *jsonschema.Schema {
	if s.Items != nil {
		s = s.Items
	}
	if len(s.OneOf) > 0 {
		s = s.OneOf[1]
	}
	if s.Properties.Len() == 0 {
		return nil
	}
	return s
}

// takes says in a word what a key's value is.
func (k *keyPage) takes(path string, s *jsonschema.Schema) string {
	switch {
	case s.Items != nil:
		return "list of " + k.takes(path, s.Items)
	case len(s.OneOf) > 0:
		return k.takes(path, s.OneOf[0]) + ", or " + k.takes(path, s.OneOf[1])
	case s.Properties.Len() > 0:
		return "[keys](#" + strings.ReplaceAll(path, ".", "") + ")"
	case s.Enum != nil:
		var all []string
		for _, v := range s.Enum {
			all = append(all, fmt.Sprintf("`%v`", v))
		}
		return strings.Join(all, ", ")
	case s.Pattern == k.duration:
		return "duration"
	case s.Pattern == k.size:
		return "size"
	case s.Type == "integer":
		return "whole number"
	case s.Type == "object":
		return "map"
	case s.Type == "boolean":
		return "`true`, `false`"
	case s.Type == "string":
		return "text"
	}
	return s.Type
}

// drillSchema is the schema, read again.
func drillSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	s := &jsonschema.Schema{}
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	s := drillSchema(t)
	sandbox := propertyOf(s, "sandbox")
	page := keyPage{duration: propertyOf(s, "timeout").Pattern, size: propertyOf(sandbox, "memory").Pattern}
	page.WriteString(referenceHead + "## All sections\n")
	page.section("", s, nil)
	isCurrent(t, "../../../docs/drill-file.md", page.String())
}

func TestSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	isCurrent(t, "../../../docs/drill.schema.json", string(want))
	want, err = DefaultsSchema()
	if err != nil {
		t.Fatal(err)
	}
	isCurrent(t, "../../../docs/defaults.schema.json", string(want))
}

// Editors learn of defaults what the loader says of them.
func TestSchemaOfDefaults(t *testing.T) {
	t.Parallel()
	text, err := DefaultsSchema()
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{`"databases"`, `"allow"`, `"detectors"`, `"preserve"`, `"drop": {`} {
		if strings.Contains(string(text), gone) {
			t.Errorf("it holds %s", gone)
		}
	}
	s := &jsonschema.Schema{}
	if err := json.Unmarshal(text, s); err != nil {
		t.Fatal(err)
	}
	scrub, err := json.Marshal(propertyOf(s, "scrub"))
	if err != nil || strings.Contains(string(scrub), `"keep"`) { // reports.keep lets nothing pass
		t.Errorf("scrub holds keep: %v", err)
	}
	source := propertyOf(s, "source")
	tables := propertyOf(propertyOf(s, "expectations"), "tables")
	if s.Required != nil || source.Required != nil || !slices.Equal(tables.Items.Required, []string{"table"}) {
		t.Errorf("it requires %v, %v and %v", s.Required, source.Required, tables.Items.Required)
	}
}

// isCurrent compares a file that is made from the schema with what it would be
// now. UPDATE_GOLDEN=1 writes it.
func isCurrent(t *testing.T, path, want string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s is not what Load reads (%v): UPDATE_GOLDEN=1 go test ./internal/spec/reference writes it", path, err)
	}
}
