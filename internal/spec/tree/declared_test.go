package tree

import (
	"strings"
	"testing"
)

const declaring = `version: 1
source: {url: "file:x/", checksum: required}
inventory:
  min_backups: 3
  copies:
    - {name: far, url: "file:y/"}
scrub:
  rules:
    - {column: public.users.email, transform: email}
expectations:
  tables:
    - table: public.users
      row_count: {min: 5}
    - table: public.orders
      row_count: {min: 7}
      checksum: {columns: [id]}
    - table: 'public."Odd: name"'
      freshness:
        column: at
  failed_rows:
    - {name: first, sql: "select 1"}
    - name: second
      sql: select 2
  extensions:
    - citext
    - {name: vector, version: "0.8"}
  witness:
    - {name: log, table: public.orders}
`

// A check is told at the line of its own that declared it.
func TestLinesOfChecks(t *testing.T) {
	t.Parallel()
	root, err := Parse("", []byte(declaring))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"min_backups":                    "min_backups: 3",
		"copies:far":                     "name: far",
		"scrub:public.users.email":       "public.users.email",
		"row_count:public.users":         "{min: 5}",
		"row_count:public.orders":        "{min: 7}",
		"checksum:public.orders":         "{columns: [id]}",
		"table_present:public.orders":    "- table: public.orders",
		`freshness:public."Odd: name"`:   "freshness:",
		"failed_rows:first":              "name: first",
		"failed_rows:second":             "name: second",
		"extensions:citext":              "- citext",
		"extensions:vector":              "name: vector",
		"witness:log":                    "name: log",
		"checksum":                       "checksum: required",
		"unmatched:public.users.surname": "scrub:", // by its section
	} {
		lines := strings.Split(declaring, "\n")
		if got := lines[Declared(root, id, "nowhere", "scrub").Line-1]; !strings.Contains(got, want) {
			t.Errorf("%s is at %q, want the line of %q", id, got, want)
		}
	}
}

// Whatever the file is, there is a line.
func TestLinesOfWhatIsNoDrillFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\x00", "{", "[1, 2]", "a: *b", "---\n---\n", "version", declaring[:40], "a:\n  - &x b\n"} {
		root, _ := Parse("", []byte(text)) // what cannot be read is nil
		if got := Declared(root, "x:y", "z"); got.Line != 1 {
			t.Errorf("%q: line %d", text, got.Line)
		}
	}
}

// What the defaults declare is told there.
func TestLinesOfDefaults(t *testing.T) {
	t.Parallel()
	below, err := Parse("drills/defaults.yaml", []byte("inventory:\n  min_backups: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := Parse("", []byte("version: 1\ninventory:\n  min_size: 1MiB\n"))
	if err != nil {
		t.Fatal(err)
	}
	root := Over(below, file)
	for id, want := range map[string]Pos{
		"min_backups": {2, 3, "drills/defaults.yaml"}, "min_size": {3, 3, ""},
	} {
		if got := Declared(root, id); got != want {
			t.Errorf("%s is at %v, want %v", id, got, want)
		}
	}
}
