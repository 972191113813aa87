package spec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDatabase(t *testing.T) {
	t.Parallel()
	drill, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(`expectations:
  roles: [app]
  extensions: [pgcrypto, "odd name"]
  settings: {TimeZone: UTC, app.tenant: "7"}
  unlisted_tables: warn
  sequences: not_behind
  indexes: valid
  constraints: valid
  materialized_views: populated
  collations: same_version
  amcheck: {heap: true, depth: structure}
  severity: {roles: warn, extensions: fail, constraints: warn}
`)))
	if err != nil {
		t.Fatal(err)
	}
	want := Expectations{
		AsOf: AsOfBackup, Warnings: "warn", Timeout: defaultCheckTimeout,
		Roles: []string{"app"}, Extensions: []string{"pgcrypto", "odd name"},
		Settings:       []Setting{{"timezone", "UTC"}, {"app.tenant", "7"}},
		UnlistedTables: "warn", CodeOnNew: "ignore", Sequences: true, Indexes: true, Constraints: true, MaterializedViews: true, Collations: true,
		Amcheck:  &Amcheck{Heap: true},
		WarnOnly: []string{"roles", "constraints"},
	}
	if diff := cmp.Diff(want, drill.Expectations); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
