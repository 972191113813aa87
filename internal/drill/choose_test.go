package drill

import (
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Where name and header are as far apart as zones are, the hint says so; an
// older dump under a newer name is told as that, and a newer one as that.
func TestTheHintOfAMismatchKnowsZones(t *testing.T) {
	t.Parallel()
	named := time.Date(2026, 11, 21, 3, 15, 0, 0, time.UTC)
	for _, c := range []struct {
		apart time.Duration
		zones string // "" for none
	}{
		{9 * time.Hour, "9h apart"},
		{-9*time.Hour + 40*time.Second, "9h apart"},
		{5*time.Hour + 45*time.Minute + 90*time.Second, "5h45m apart"},
		{14 * time.Hour, "14h apart"},
		{24 * time.Hour, ""},
		{-24 * time.Hour, ""},
		{14*time.Hour + 15*time.Minute, ""},
		{9*time.Hour + 7*time.Minute, ""},
		{3 * time.Minute, ""},
	} {
		b := catalog.Backup{Object: catalog.Object{Name: "shop.dump"}, TakenAt: named}
		p := verdict.AsProblem(sameTime(b, named.Add(c.apart), spec.Source{Location: time.UTC}))
		if p.Outcome != verdict.Fail || p.Code != verdict.CodeTimeMismatch || strings.Contains(p.Hint,
			"an older dump") != (c.apart < 0) || strings.Contains(p.Hint, "a newer dump") != (c.apart > 0) {
			t.Errorf("%s: %+v", c.apart, p)
		}
		if said := strings.Contains(p.Hint, "source.timezone"); said != (c.zones != "") || !strings.Contains(p.Hint, c.zones) {
			t.Errorf("%s apart: %q", c.apart, p.Hint)
		}
	}
}
