package expect

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func TestRecoveryTime(t *testing.T) {
	t.Parallel()
	took := verdict.Recovery{TotalMS: 61_000, FetchMS: 20_000, PreDataMS: 1_000, DataMS: 30_000, PostDataMS: 10_000}
	for _, c := range []struct {
		limit    spec.Age
		outcome  verdict.Outcome
		expected string
	}{
		{spec.Age{WarnAfter: time.Minute}, verdict.Warn, "the data back in 1m (warn)"},
		{spec.Age{FailAfter: time.Minute}, verdict.Fail, "the data back in 1m"},
		{spec.Age{WarnAfter: time.Minute, FailAfter: 2 * time.Minute}, verdict.Warn, "the data back in 1m (warn), 2m (fail)"},
		{spec.Age{WarnAfter: time.Second, FailAfter: time.Minute}, verdict.Fail, "the data back in 1s (warn), 1m (fail)"},
		{spec.Age{FailAfter: 61 * time.Second}, verdict.Pass, "the data back in 1m1s"},
	} {
		got := RecoveryTime(c.limit, took)
		if got.Outcome != c.outcome || got.Expected != c.expected || got.Observed != "1m1s" || (got.Outcome == verdict.Pass) != (got.Message+got.Hint == "") {
			t.Errorf("%+v", got)
		}
		if got.Outcome != verdict.Pass && !strings.Contains(got.Message, "fetch 20s, pre-data 1s, data 30s, post-data 10s") {
			t.Error(got.Message)
		}
	}
}
