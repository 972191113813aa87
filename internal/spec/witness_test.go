package spec

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func witness(body string) string {
	return "expectations: {witness: [{name: log, table: public.events, " + body + "}]}"
}

func TestWitness(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	drill, err := testLoader.Load(write(t, dir, "shop.yaml", drillFile(
		source("url: s3://backups/nightly/, region: eu-central-1, path_style: true, name: a, timezone: UTC"), `expectations:
  witness:
    - {name: admin_log, url: "s3://logs/admin/events.jsonl", table: public.events, key: {id: event_id, '"At"': at}, at: occurred_at, fail_if: "> 3",
      warn_if: "> 0"}
    - {name: journal, url: "file:logs/a%20b.csv.gz", table: public.events, key: {id: id}, at: ms, unit: ms, tolerance: 2m, timeout: 20m}
`)))
	if err != nil {
		t.Fatal(err)
	}
	events := Name{"public", "events"}
	want := []Witness{
		{Name: "admin_log", Table: events, Key: []WitnessKey{{"At", "at"}, {"id", "event_id"}}, At: "occurred_at",
			Source: Source{URL: "s3://logs/admin/events.jsonl", Region: "eu-central-1", PathStyle: true, Links: LinksRefuse},
			WarnIf: &Condition{">", 0}, FailIf: &Condition{">", 3}, Pos: Pos{Line: 5, Column: 7}},
		{Name: "journal", Table: events, Key: []WitnessKey{{"id", "id"}}, At: "ms", Unit: "ms",
			Source: Source{URL: "file://" + dir + "/logs/a%20b.csv.gz", Links: LinksRefuse},
			FailIf: &Condition{">", 0}, Tolerance: 2 * time.Minute, Timeout: 20 * time.Minute, Pos: Pos{Line: 7, Column: 7}},
	}
	if diff := cmp.Diff(want, drill.Expectations.Witness); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
