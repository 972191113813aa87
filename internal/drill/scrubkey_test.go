package drill

import (
	"strings"
	"testing"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Pseudonyms that became others are told, whether the key is another, the way from
// it to them is, or there is none any more.
func TestAnotherScrubKeyIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		last, now string
		want      verdict.Outcome // empty: no check
		hint      string
	}{
		"the same":          {"v2:aa", "v2:aa", verdict.Pass, ""},
		"another key":       {"v2:aa", "v2:bb", verdict.Warn, "do not join"},
		"another way":       {"v2:aa", "v3:aa", verdict.Warn, "do not join"},
		"before versions":   {"", "v2:aa", verdict.Warn, "do not join"},
		"no longer lasting": {"v2:aa", "", verdict.Warn, "scrub.key_env"},
		"never lasting":     {"", "", "", ""},
	} {
		r := newRun(Request{Drill: &spec.Drill{}})
		r.report.Scrub = verdict.Scrub{Key: c.now, Columns: make([]verdict.ScrubColumn, 1)}
		r.Past = history.Past{Passing: []*verdict.Report{{Run: "before", Scrub: verdict.Scrub{Key: c.last, Columns: make([]verdict.ScrubColumn, 1)}}}}
		r.judgeScrubKey()
		r.Past.Passing[0].Scrub.Columns = nil // and a run that made no pseudonyms has none to compare
		r.judgeScrubKey()
		switch checks := r.report.Checks; {
		case c.want == "" && len(checks) == 0:
		case len(checks) != 1 || checks[0].Outcome != c.want || !strings.Contains(checks[0].Hint, c.hint):
			t.Errorf("%s: %+v", name, checks)
		}
	}
}
