package drill

import (
	"fmt"
	"strings"
	"time"

	"daybefore/internal/expect"
	"daybefore/internal/history"
	"daybefore/internal/restore"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// mark keeps what the next drill is compared with.
func (r *run) mark(m verdict.Mark) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Marks = append(r.report.Marks, m)
}

// trendLength is how many past drills a report shows beside this one.
const trendLength = 10

// keepRecovery keeps how long it took to have the data back, and what it took
// before. It is called once the restore has come to its end.
func (r *run) keepRecovery(took restore.Sections) {
	rec := verdict.Recovery{
		FetchMS: r.tookMS(verdict.StageFetch), PreDataMS: took.PreData.Milliseconds(),
		DataMS: took.Data.Milliseconds(), PostDataMS: took.PostData.Milliseconds(),
	}
	rec.TotalMS = rec.FetchMS + rec.PreDataMS + rec.DataMS + rec.PostDataMS
	r.report.Recovery = &rec
	if limit := r.Drill.Expectations.Recovery; limit != nil {
		r.checks(expect.RecoveryTime(*limit, rec))
	}
}

func (r *run) tookMS(stage string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.report.Stages {
		if s.Name == stage {
			return s.DurationMS
		}
	}
	return 0
}

// trend is what past drills that passed said of themselves.
func trend(p history.Past) (all []verdict.Trend) {
	for _, past := range p.Passing {
		if past.Recovery == nil || len(all) == trendLength {
			continue
		}
		all = append(all, verdict.Trend{
			Run: past.Run, RecoveryMS: past.Recovery.TotalMS, SizeBytes: past.Backup.SizeBytes,
			BackupAgeMS: judgedAt(past).Sub(past.Backup.TakenAt).Milliseconds(), Rows: past.Rows(),
		})
	}
	return all
}

// lastGood is the last drill that passed; nil where nobody can tell, or another
// backup than the newest is drilled.
func lastGood(req Request) *verdict.LastGood {
	p := req.Past
	switch {
	case len(p.Passing) > 0:
		last := p.Passing[0]
		b := last.Backup
		return &verdict.LastGood{Backup: b.Name, SizeBytes: b.SizeBytes, SHA256: b.SHA256, Run: last.Run,
			DrilledAt: last.StartedAt}
	case req.older(), p.Problem != nil, len(p.Damaged) > 0, p.Unproven.Any():
		return nil
	}
	return &verdict.LastGood{}
}

// judgedAt is when the age of a past drill's backup was judged, as ageAt is of
// this one.
func judgedAt(r *verdict.Report) time.Time {
	mode, text, _ := strings.Cut(r.AsOf, " ")
	if at, err := time.Parse(time.RFC3339, text); mode == spec.AsOfFixed && err == nil {
		return at
	}
	return r.StartedAt
}

// mostDamaged past reports are named; people look at the folder for the rest.
const mostDamaged = 3

// judgePast tells of past reports that cannot be used. It says nothing where
// all is well, and nothing about the backup.
func (r *run) judgePast() {
	c := verdict.Check{ID: "history", Stage: verdict.StageChoose, Code: verdict.CodeHistory,
		Expected: "past reports can be read"}
	unproven, hint := unprovenPast(r.Past.Unproven)
	p := r.Past
	switch {
	case p.Problem != nil:
		c.Take(p.Problem)
	case len(p.Damaged) > 0:
		c.Outcome = verdict.Warn
		c.Observed = fmt.Sprintf("%d damaged", len(p.Damaged))
		c.Message = "left out: " + strings.Join(verdict.Few(p.Damaged, mostDamaged), "; ")
		c.Hint = "nothing is compared with what is left out; the other past reports count"
	case unproven != "":
		c.Expected, c.Outcome, c.Message, c.Hint = "past reports whose author is known", verdict.Skipped, unproven, hint
		c.Observed = fmt.Sprintf("%d unproven", p.Unproven.Unsigned+p.Unproven.Foreign)
	default:
		return
	}
	r.checks(c)
}

// judgeProven tells that no drill has passed for longer than promised. It says
// nothing about the backup.
func (r *run) judgeProven() {
	within := r.Drill.ProvenWithin
	if !r.Proven || within == 0 || r.Past.Problem != nil {
		return
	}
	c := verdict.Check{ID: "proven_within", Stage: verdict.StageChoose, Code: verdict.CodeProvenWithin,
		Expected: "a drill of the newest backup passed within " + amount.Span(within)}
	const hint = "run the drill now, and find out why it did not run, or did not pass: bin/drill drill -name=DRILL"
	if len(r.Past.Passing) == 0 {
		c.Say(verdict.Error, "none", hint, "no drill has passed, as far as is kept")
		r.checks(c)
		return
	}
	since := r.Now.Sub(r.Past.Passing[0].StartedAt).Truncate(time.Minute)
	observed := amount.Span(since) + " ago"
	c.Pass(observed)
	if since > within {
		c.Say(verdict.Error, observed, hint, "no drill has passed for %s", amount.Span(since))
	}
	r.checks(c)
}

// unprovenPast says what nobody vouches for of what a drill is compared with,
// and what to do; empty where all is proven.
func unprovenPast(u history.Unproven) (message, hint string) {
	switch {
	case !u.Any():
		return "", ""
	case u.Used != "" && u.Foreign > 0:
		return "anyone who can write to " + u.Used + " decides what this drill is compared with",
			"reports there are signed: name the variable with the key under history.key_env"
	case u.Used != "":
		return "anyone who can write to " + u.Used + " decides what this drill is compared with",
			"name a variable with a key under history.key_env, so that reports are signed"
	}
	message = fmt.Sprintf("left out: %d reports or acceptances without a keyed hash, %d signed with another key",
		u.Unsigned, u.Foreign)
	return message,
		"nothing is to be done where the key is new; one that is still trusted may stand after a comma in " +
			"the variable of history.key_env"
}
