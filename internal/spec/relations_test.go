package spec

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRelations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, "shop.yaml", drillFile(`expectations:
  tables:
    - table: public.orders
      relationships:
        - {column: user_id, references: public.users.id}
        - {column: '"Buyer"', references: 'public."odd.table"."*"', warn_if: "> 0"}
        - {column: mail, references: public.users.mail, warn_if: "> 0", fail_if: "> 10"}
      checksum: {columns: [id, '"Total"']}
    - {table: public.ranks, rebuildable: true}
    - table: public.totals
      checksum: {columns: [id], witness: {url: "file:logs/sums.csv", sum: totals, at: taken_at, timezone: UTC, tolerance: 5m}}
  canary: {sql: "select token from canary;", equals_env: DRILL_SCRUB_KEY}
`, rule("{column: public.users.mail, transform: email, link: p}, {column: public.orders.mail, transform: email, link: p}")))
	drill, err := testLoader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	zero := &Condition{">", 0}
	ten := &Condition{">", 10}
	want := []Table{
		{Table: Name{"public", "orders"}, Pos: Pos{Line: 5, Column: 7}, Checksum: &Checksum{Columns: []string{"id", "Total"}, Pos: Pos{Line: 10, Column: 7}},
			Relationships: []Relationship{
				{Column: "user_id", References: Name{"public", "users"}, ReferencedColumn: "id", FailIf: zero, Pos: Pos{Line: 7, Column: 11}},
				{Column: "Buyer", References: Name{"public", "odd.table"}, ReferencedColumn: "*", WarnIf: zero, Pos: Pos{Line: 8, Column: 11}},
				{Column: "mail", References: Name{"public", "users"}, ReferencedColumn: "mail", WarnIf: zero, FailIf: ten, Pos: Pos{Line: 9, Column: 11}},
			}},
		{Table: Name{"public", "ranks"}, Rebuildable: true, Pos: Pos{Line: 11, Column: 7}},
		{Table: Name{"public", "totals"}, Pos: Pos{Line: 12, Column: 7}, Checksum: &Checksum{Columns: []string{"id"}, Pos: Pos{Line: 13, Column: 7}, Witness: &SumFile{
			Source: Source{URL: "file://" + dir + "/logs/sums.csv", Links: LinksRefuse}, Sum: "totals", At: "taken_at", Location: time.UTC,
			Tolerance: 5 * time.Minute, Pos: Pos{Line: 13, Column: 33}}}},
	}
	if diff := cmp.Diff(want, drill.Expectations.Tables, cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	canary := *drill.Expectations.Canary
	if string(canary.Value) != testKey || canary.SQL != "select token from canary" || canary.EqualsEnv != "DRILL_SCRUB_KEY" {
		t.Errorf("canary %+v", canary)
	}
	if shown := fmt.Sprintf("%v %+v %#v", canary, canary, canary); strings.Contains(shown, testKey) || strings.Contains(shown, fmt.Sprintf("%x", testKey)) {
		t.Errorf("the canary is shown: %s", shown)
	}
	listed, err := Loader{WithoutSecrets: true}.Load(path)
	if err != nil || listed.Expectations.Canary.Value != nil {
		t.Errorf("without secrets: %v, %v", listed, err)
	}
}
