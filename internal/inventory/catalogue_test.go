package inventory

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	store, err := catalog.Open(t.Context(), spec.Source{URL: "file://" + t.TempDir() + "/"})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	newest := holding(every(24, 0, 9*24)...) // ten nights, of which seven count
	line := func(name string, hours float64) string {
		return fmt.Sprintf("{\"file\": %q, \"at\": %q}\n", name, at.Add(-time.Duration(hours*float64(time.Hour))).Format(time.RFC3339))
	}
	all := ""
	for i, e := range newest.All[:8] {
		all += line([]string{"", "/srv/backups/", "s3://b/p/"}[i%3]+e.Name, float64(i*24))
	}
	_, some, _ := strings.Cut(all, "\n")
	const named, none = "every backup that list.jsonl names, of the last 7d", "no backup that list.jsonl does not name, of the last 7d"
	lacking, unnamed := "catalogue:lacking", "catalogue:unnamed"
	for name, c := range map[string]struct {
		text string
		lag  time.Duration
		want []short
	}{
		"the same": {text: all,
			want: []short{{lacking, "pass", named, "0 of 8 lacking", ""}, {unnamed, "pass", none, "0 that it does not name", ""}}},
		"older ones were pruned": {text: all + line("shop-0101T0000.dump", 30*24),
			want: []short{{lacking, "pass", named, "0 of 8 lacking", ""}, {unnamed, "pass", none, "0 that it does not name", ""}}},
		"one is gone": {text: all + line("/srv/backups/shop-1120T1515.dump", 12), want: []short{
			{lacking, "fail", named, "1 of 9 lacking", "lacks 1 of the 9 backups that list.jsonl names: shop-1120T1515.dump"},
			{unnamed, "pass", none, "0 that it does not name", ""}}},
		"one is not named": {text: some, want: []short{
			{lacking, "pass", named, "0 of 7 lacking", ""},
			{unnamed, "fail", none, "1 that it does not name", "holds 1 backup that list.jsonl does not name: shop-1121T0315.dump"}}},
		"one is not named yet": {text: some, lag: time.Hour,
			want: []short{{lacking, "pass", named, "0 of 7 lacking", ""}, {unnamed, "pass", none, "0 that it does not name", ""}}},
		"one is not there yet": {text: all + line("shop-1121T0300.dump", 0.25), lag: time.Hour,
			want: []short{{lacking, "pass", named, "0 of 7 lacking", ""}, {unnamed, "pass", none, "0 that it does not name", ""}}},
		"it lost its entries": {text: "",
			want: []short{{lacking, "error", named, "no record", "list.jsonl holds no record"},
				{unnamed, "error", none, "no record", "list.jsonl holds no record"}}},
		"another field": {text: all + line("nobody's business", 1),
			want: []short{{lacking, "error", named, "1 lines unusable", "the first: line 9 names no backup"},
				{unnamed, "error", none, "1 lines unusable", "line 9 names no backup"}}},
		"damaged, and one gone": {text: all + "{\n" + line("shop-1120T1515.dump", 12),
			want: []short{{lacking, "fail", named, "1 of 9 lacking", "shop-1120T1515.dump"},
				{unnamed, "error", none, "1 lines unusable", "line 9 is not a JSON object"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "list.jsonl")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			inv := spec.Inventory{Catalogue: &spec.Catalogue{Source: spec.Source{URL: "file://" + path}, Backups: spec.Source{Name: "shop-*.dump"},
				Name: "file", At: "at", Lag: c.lag}}
			o := Options{At: at}
			got := catalogued(t.Context(), *inv.Catalogue, 7*day, store, newest, o)
			for i := range got {
				got[i].Stage = verdict.StageChoose
				if strings.Contains(got[i].Message, "business") {
					t.Errorf("it tells a value: %s", got[i].Message)
				}
			}
			compare(t, c.want, got)
			if judged := Judge(t.Context(), store, inv, newest, o); len(judged) != 2 {
				t.Errorf("%+v", judged)
			}
		})
	}
}
