package spec

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
	d := ReadDeclared([]byte(declaring))
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
		if got := lines[d.Line(id, "nowhere", "scrub")-1]; !strings.Contains(got, want) {
			t.Errorf("%s is at %q, want the line of %q", id, got, want)
		}
	}
}

// Whatever the file is, there is a line.
func TestLinesOfWhatIsNoDrillFile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "\x00", "{", "[1, 2]", "a: *b", "---\n---\n", "version", declaring[:40], "a:\n  - &x b\n"} {
		if got := ReadDeclared([]byte(text)).Line("x:y", "z"); got != 1 {
			t.Errorf("%q: line %d", text, got)
		}
	}
}
