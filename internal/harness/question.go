package harness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// question is what a gate asks of past reports.
type question struct {
	drill    *spec.Drill
	harness  string         // its version
	backup   verdict.Backup // the newest, as the store has it now
	at       time.Time
	within   time.Duration // a report may be so old
	strict   bool
	accepted []history.Acceptance
}

// clocksApart is how far before a backup's time a drill of it may have begun,
// by the clocks and zones of two machines.
const clocksApart = 48 * time.Hour

// from is the beginning of the earliest run whose report may matter: it may be
// of this object.
func (q question) from() time.Time {
	from := q.backup.TakenAt.Add(-clocksApart)
	young := q.at.Add(-q.within)
	if young.Before(from) {
		return young
	}
	return from
}

// refuse says why kept reports, the newest first, do not open the gate; empty
// if one of them does. A report that cannot be used may be one that speaks
// against the backup; one that failed does, whoever wrote it and whenever.
func (q question) refuse(kept []history.Kept) string {
	var last *verdict.Report // that somebody vouches for
	opens := false
	for _, k := range kept {
		switch {
		case k.Err != nil:
			return fmt.Sprintf("the report of the run %q cannot be used", k.Run)
		case q.about(k.Report) && q.closes(k.Report):
			return q.against(k.Report)
		case !k.Proven:
			continue
		case last == nil:
			last = k.Report
		}
		opens = opens || q.about(k.Report) && q.lacks(k.Report) == ""
	}
	switch {
	case opens:
		return ""
	case len(kept) == 0:
		return "there is no report yet"
	case last == nil && q.drill.History.KeyEnv != "":
		return "no report is signed with a key of history.key_env"
	case last == nil:
		return "there is no report of this machine"
	}
	return q.lacks(last)
}

// about reports whether a report is of this very object, drill file and
// harness.
func (q question) about(r *verdict.Report) bool {
	return r.Drill == q.drill.Name && r.DrillSHA256 == q.drill.SHA256 && r.HarnessVersion == q.harness &&
		sameObject(r.Backup, q.backup)
}

// sameObject reports whether two reports speak of the same version of the same
// object in the same store.
func sameObject(a, b verdict.Backup) bool {
	return a.Store == b.Store && a.Name == b.Name && a.ETag == b.ETag && a.Version == b.Version &&
		versioned(b) && sameSize(a, b) && a.TakenAt.Equal(b.TakenAt)
}

// versioned reports whether the store tells this backup from another one of its
// name and size.
func versioned(b verdict.Backup) bool { return b.Version != "" || catalog.Versioned(b.ETag) }

// sameSize compares sizes. Of a snapshot that a program keeps, nobody knows it
// before it is fetched; then its mark must tell it from all others.
func sameSize(a, b verdict.Backup) bool {
	marked := a.ETag != "" && !strings.HasPrefix(a.ETag, catalog.Weak)
	unknown := a.SizeBytes == 0 || b.SizeBytes == 0
	return a.SizeBytes == b.SizeBytes || unknown && marked
}

// closes reports whether a report speaks against the backup: it failed, and not
// for what the store was like then, nor for a change that a person wanted. An
// error says nothing.
func (q question) closes(r *verdict.Report) bool {
	if r.Outcome == verdict.Warn {
		return q.strict
	}
	if r.Outcome != verdict.Fail {
		return false
	}
	failed := func(c verdict.Check) bool { return c.Outcome == verdict.Fail }
	for _, c := range r.Checks {
		if failed(c) && !c.Code.AboutStore() && !q.wanted(r, c) {
			return true
		}
	}
	for _, s := range r.Stages {
		told := slices.ContainsFunc(r.Checks, func(c verdict.Check) bool {
			return failed(c) && c.Stage == s.Name && c.Code == s.Code
		})
		if s.Outcome == verdict.Fail && !told {
			return true
		}
	}
	return false
}

// wanted reports whether a person accepted what a check found: in this run, or
// in another one in which it found the very same.
func (q question) wanted(r *verdict.Report, c verdict.Check) bool {
	return slices.ContainsFunc(q.accepted, func(a history.Acceptance) bool {
		return a.Proven && a.Check == c.ID && (a.Run == r.Run || sameChange(a, c.Change))
	})
}

// sameChange reports whether a change is the one that was accepted; it may be nil.
func sameChange(a history.Acceptance, change *verdict.Change) bool {
	return change != nil && change.To != "" && a.To == change.To && a.From == change.From &&
		a.Baseline == change.Baseline
}

// against says which report speaks against the backup.
func (q question) against(r *verdict.Report) string {
	if r.Outcome == verdict.Warn {
		return "the last drill had warnings"
	}
	return fmt.Sprintf("this backup failed in the run %s", r.Run)
}

// lacks says why a report that somebody vouches for does not open the gate;
// empty if it does.
func (q question) lacks(r *verdict.Report) string {
	switch {
	case r.Drill != q.drill.Name || r.DrillSHA256 != q.drill.SHA256:
		return "the drill file has changed since the last report"
	case r.HarnessVersion != q.harness:
		return "the last report is another harness's"
	case !r.Backup.IsNewest():
		return "the last drill was of a backup that was asked for"
	case !versioned(q.backup):
		return "nothing in the store tells the newest backup from another one of its name"
	case !sameObject(r.Backup, q.backup):
		return "the store's newest backup is not the one that was drilled"
	case r.Outcome != verdict.Pass && r.Outcome != verdict.Warn:
		return "the last drill did not pass"
	case q.at.Sub(r.FinishedAt) > q.within || r.FinishedAt.After(q.at.Add(time.Minute)):
		return fmt.Sprintf("the last report is not from the last %s", amount.Span(q.within))
	}
	return ""
}
