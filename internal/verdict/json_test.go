package verdict

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestEmptyListsAreNeverNull(t *testing.T) {
	t.Parallel()
	r := &Report{LatestEvents: []Events{{Table: "public.orders"}, {Rows: [][]string{nil}}}}
	for name, write := range map[string]func() ([]byte, error){
		"JSON":              r.JSON,
		"json.Marshal(ptr)": func() ([]byte, error) { return json.Marshal(r) },
		"json.Marshal(val)": func() ([]byte, error) { return json.Marshal(*r) },
		"within a list":     func() ([]byte, error) { return json.Marshal([]Report{*r}) },
	} {
		b, err := write()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "null") {
			t.Errorf("%s holds null:\n%s", name, b)
		}
	}
	if r.Stages != nil || r.LatestEvents[0].Rows != nil || r.LatestEvents[1].Rows[0] != nil {
		t.Error("writing a report changed it")
	}
}

func TestJSONRoundTrips(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)
	want := &Report{
		Schema: Schema, Drill: "demo", Run: "20261121T031500Z-3f2a", Outcome: Fail, StartedAt: at, FinishedAt: at,
		Backup:       Backup{Name: "naïve \x1b[31m\u009b31m\x7f \u202e.dump", TakenAt: at, SizeBytes: 1 << 40},
		Checks:       []Check{{ID: "row_count:public.users", Expected: ">= 1000 & <= 2000", Outcome: Fail}},
		Scrub:        Scrub{Columns: []ScrubColumn{{Column: "public.users.email", Rows: 2000}}, Kept: []ScrubKept{{Table: "public.users", Rows: 3}}},
		LatestEvents: []Events{{Table: "public.orders", Columns: []string{"id"}, Rows: [][]string{{"1\n2"}}}},
	}
	b, err := want.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(b), `">= 1000 & <= 2000"`) {
		t.Errorf("< and > are escaped beyond reading:\n%s", b)
	}
	for _, r := range string(b) {
		if r != '\n' && (r < 0x20 || r >= 0x7f && r <= 0x9f) {
			t.Errorf("the control character %U stands in the JSON as it is", r)
		}
	}
	if !strings.HasSuffix(string(b), "}\n") {
		t.Error("no newline at the end")
	}
}
