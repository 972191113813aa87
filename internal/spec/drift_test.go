package spec

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDrift(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]Table{
		"row_count_change: {fail_percent: 0}": {
			RowCountChange: &Drift{Direction: DirectionAny, FailPercent: ptr(0.0), MinHistory: 1}},
		"row_count_change: {against: last, direction: rise, warn_percent: 150}": {
			RowCountChange: &Drift{Direction: DirectionRise, WarnPercent: ptr(150.0), MinHistory: 1}},
		"row_count_change: {against: median(7), direction: drop, warn_percent: 5, fail_percent: 99.9, min_history: 4}": {
			RowCountChange: &Drift{Median: 7, Direction: DirectionDrop, WarnPercent: ptr(5.0), FailPercent: ptr(99.9), MinHistory: 4}},
		"max_regression: {column: seen}":                     {MaxRegression: &Regression{Column: "seen"}},
		"max_regression: {column: seen, tolerance: 0s}":      {MaxRegression: &Regression{Column: "seen"}},
		"max_regression: {column: seen, tolerance: 1h30m}":   {MaxRegression: &Regression{Column: "seen", Time: 90 * time.Minute}},
		`max_regression: {column: '"Id"', tolerance: "100"}`: {MaxRegression: &Regression{Column: "Id", IDs: 100}},
	} {
		drill, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(table(written))))
		if err != nil {
			t.Errorf("%s: %v", written, err)
			continue
		}
		got := drill.Expectations.Tables[0]
		if got.MaxRegression != nil {
			got.MaxRegression.Pos = Pos{}
		}
		if diff := cmp.Diff(want, Table{RowCountChange: got.RowCountChange, MaxRegression: got.MaxRegression}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", written, diff)
		}
	}
}
