package verdict

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of   []Outcome
		want Outcome
	}{
		{nil, Skipped},
		{[]Outcome{Skipped, Skipped}, Skipped},
		{[]Outcome{Skipped, Pass}, Pass},
		{[]Outcome{Pass, Warn, Skipped}, Warn},
		{[]Outcome{Warn, Error, Pass}, Error},
		{[]Outcome{Error, Fail, Warn}, Fail}, // what is known to be bad is not hidden
	} {
		if got := Worst(c.of...); got != c.want {
			t.Errorf("Worst(%v) = %s, want %s", c.of, got, c.want)
		}
	}
}

// Whatever the order and however often, the worst is the worst.
func TestWorstIsOneOfThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.SampledFrom(worstFirst), 1, 10).Draw(t, "outcomes")
		worst := Worst(all...)
		if got := Worst(rapid.Permutation(all).Draw(t, "permuted")...); got != worst {
			t.Errorf("%v: %s in one order, %s in another", all, worst, got)
		}
		for _, o := range all {
			if Worst(worst, o) != worst {
				t.Errorf("%v: %s hides %s", all, worst, o)
			}
		}
	})
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	stopped := &Report{Outcome: Error, Stages: []Stage{{Outcome: Error, Code: CodeInterrupted}}}
	of := func(o Outcome) *Report { return &Report{Outcome: o, Stages: []Stage{{Outcome: o}}} }
	for _, c := range []struct {
		name    string
		reports []*Report
		want    int
	}{
		{"no drill at all", nil, ExitError},
		{"pass", []*Report{of(Pass)}, ExitOK},
		{"pass and warn", []*Report{of(Pass), of(Warn)}, ExitOK},
		{"pass and skipped", []*Report{of(Pass), of(Skipped)}, ExitOK},
		{"all skipped", []*Report{of(Skipped), of(Skipped)}, ExitError},
		{"could not verify", []*Report{of(Pass), of(Error)}, ExitError},
		{"bad hides unverified", []*Report{of(Error), of(Fail), of(Pass)}, ExitFail},
		{"interrupted hides bad", []*Report{of(Fail), stopped}, ExitInterrupted},
		{"a report without an outcome proves nothing", []*Report{{}}, ExitError},
		{"an unknown outcome among good ones proves nothing", []*Report{of(Pass), of("passed")}, ExitError},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := ExitCode(c.reports...); got != c.want {
				t.Errorf("exit code %d, want %d", got, c.want)
			}
		})
	}
}

func TestAsProblem(t *testing.T) {
	t.Parallel()
	bad := Failf(CodeTruncated, "take the dump again", "read %s: %w", "x.dump", fs.ErrInvalid)
	wrapped := fmt.Errorf("fetch: %w", bad)
	got := AsProblem(wrapped)
	if got.Outcome != Fail || got.Code != CodeTruncated || got.Hint != "take the dump again" {
		t.Errorf("what a problem says is lost when it is wrapped: %+v", got)
	}
	if want := "fetch: read x.dump: invalid argument"; got.Error() != want {
		t.Errorf("message %q, want %q: the outer words name what was being done", got, want)
	}
	if !errors.Is(got, fs.ErrInvalid) {
		t.Error("the cause is lost")
	}
	if bad.Error() != "read x.dump: invalid argument" {
		t.Errorf("the problem itself was changed: %q", bad)
	}
	for _, err := range []error{errors.New("unforeseen"), fmt.Errorf("step: %w", fs.ErrPermission)} {
		got := AsProblem(err)
		if got.Outcome != Error || got.Code != CodeInternal || got.Hint == "" {
			t.Errorf("%v became %+v: what no room has classed is never the backup's fault", err, got)
		}
	}
	joined := AsProblem(errors.Join(errors.New("clean up"), bad))
	if joined.Outcome != Fail {
		t.Errorf("joined with another error, the finding is lost: %+v", joined)
	}
}

func TestErrorf(t *testing.T) {
	t.Parallel()
	p := Errorf(CodeDiskSpace, "make room", "spool %d bytes", 7)
	want := Problem{Outcome: Error, Code: CodeDiskSpace, Hint: "make room"}
	if diff := cmp.Diff(want, Problem{Outcome: p.Outcome, Code: p.Code, Hint: p.Hint}); diff != "" {
		t.Error(diff)
	}
}
