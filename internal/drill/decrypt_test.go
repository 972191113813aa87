package drill

import (
	"strings"
	"testing"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// A backup for another key than the last one is told, and nothing is where there
// is nothing to compare.
func TestAnotherKeyIsTold(t *testing.T) {
	t.Parallel()
	age := func(key string) verdict.Backup { return verdict.Backup{Encryption: "age", Key: key} }
	for name, c := range map[string]struct {
		last *verdict.Backup
		now  verdict.Backup
		want verdict.Outcome // empty: no check
		hint string
	}{
		"the same":        {new(age("age1a")), age("age1a"), verdict.Pass, ""},
		"another":         {new(age("age1a")), age("age1b"), verdict.Warn, "if the key was changed on purpose"},
		"another cipher":  {new(age("age1a")), verdict.Backup{Encryption: "openpgp", Key: "AB"}, verdict.Warn, "on purpose"},
		"no longer":       {new(age("age1a")), verdict.Backup{}, verdict.Warn, "encrypts no longer"},
		"for the first":   {new(verdict.Backup{}), age("age1a"), verdict.Warn, "on purpose"},
		"never encrypted": {new(verdict.Backup{}), verdict.Backup{}, "", ""},
		"the first drill": {nil, age("age1a"), "", ""},
	} {
		r := newRun(Request{Drill: &spec.Drill{}})
		r.report.Backup = c.now
		if c.last != nil {
			r.Past = history.Past{Passing: []*verdict.Report{{Run: "before", Backup: *c.last}}}
		}
		r.judgeKey()
		if c.want == "" {
			if len(r.report.Checks) > 0 {
				t.Errorf("%s: %+v", name, r.report.Checks)
			}
			continue
		}
		if len(r.report.Checks) != 1 {
			t.Errorf("%s: %d checks", name, len(r.report.Checks))
			continue
		}
		got := r.report.Checks[0]
		if got.ID != "encryption_key" || got.Outcome != c.want || !strings.Contains(got.Hint, c.hint) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
