package harness_test

import (
	"testing"

	"daybefore/internal/verdict"
)

// hostileInputs are the backups of hostile authors.
func hostileInputs(t *testing.T) []hostile {
	held := []verdict.Outcome{verdict.Pass, verdict.Warn}
	bad := []verdict.Outcome{verdict.Fail}
	red := []verdict.Outcome{verdict.Fail, verdict.Error}
	return []hostile{
		{name: "reveal-after-checks", code: input(t, "reveal-after-checks.sql"), want: held},
		{name: "reveal-reversed", code: input(t, "reveal-reversed.sql"), index: true, want: held},
		{name: "reveal-while-loading", code: input(t, "reveal-while-loading.sql"), index: true, want: held},
		{name: "verdict-operators", bad: true, schema: input(t, "verdict-operators.schema.sql"), want: bad,
			checks: map[string]verdict.Outcome{"failed_rows:bad_status": verdict.Fail, "relationship:public.notes.id": verdict.Fail}},
		{name: "verdict-view", bad: true, code: input(t, "verdict-view.sql"), want: bad,
			checks: map[string]verdict.Outcome{"table_present:public.orders": verdict.Fail}},
		{name: "verdict-repair", bad: true, code: input(t, "verdict-repair.sql"), want: bad,
			checks: map[string]verdict.Outcome{"row_count:public.orders": verdict.Fail}},
		{name: "survive", script: input(t, "survive.sh"), want: held},
		{name: "deep-folders", script: input(t, "deep-folders.sh"), want: held},
		{name: "owned-folder", script: input(t, "owned-folder.sh"), want: held},
		{name: "forged-log", script: input(t, "forged-log.sh"), want: red},
		{name: "real-value-as-name", code: input(t, "real-value-as-name.sql"), want: red},
	}
}
