package expect

import (
	"fmt"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// RecoveryTime judges how long it took to have the data back on this machine.
func RecoveryTime(limit spec.Age, r verdict.Recovery) verdict.Check {
	c := verdict.Check{ID: "recovery_time", Stage: verdict.StageExpect, Code: verdict.CodeRecoveryTime,
		Expected: soonEnough(limit)}
	took := time.Duration(r.TotalMS) * time.Millisecond
	observed := took.Round(100 * time.Millisecond).String()
	const hint = "look at which part became longer; the machine that drills may be slower, or busier, than production's"
	parts := fmt.Sprintf("fetch %s, pre-data %s, data %s, post-data %s", ms(r.FetchMS), ms(r.PreDataMS), ms(r.DataMS),
		ms(r.PostDataMS))
	switch {
	case limit.FailAfter > 0 && took > limit.FailAfter:
		c.Say(verdict.Fail, observed, hint, "it took %s to have the data back, and %s were promised (%s)", observed,
			amount.Span(limit.FailAfter), parts)
	case limit.WarnAfter > 0 && took > limit.WarnAfter:
		c.Say(verdict.Warn, observed, hint, "it took %s to have the data back, and %s were promised (%s)", observed,
			amount.Span(limit.WarnAfter), parts)
	default:
		c.Pass(observed)
	}
	return c
}

func soonEnough(limit spec.Age) string {
	switch {
	case limit.FailAfter == 0:
		return fmt.Sprintf("the data back in %s (warn)", amount.Span(limit.WarnAfter))
	case limit.WarnAfter == 0:
		return fmt.Sprintf("the data back in %s", amount.Span(limit.FailAfter))
	}
	return fmt.Sprintf("the data back in %s (warn), %s (fail)", amount.Span(limit.WarnAfter), amount.Span(limit.FailAfter))
}

func ms(n int64) string {
	return (time.Duration(n) * time.Millisecond).Round(100 * time.Millisecond).String()
}
