package drill

import (
	"regexp"
	"slices"
	"strings"

	"daybefore/internal/verdict"
)

// gone judges by the past what a rule of the scrub or a query of the drill file
// names and the backup lacks: what a drill that passed had, and is gone, is the
// backup's failure. What no drill had stays the drill file's mistake.
func (r *run) gone(found []verdict.Check) []verdict.Check {
	for i := range found {
		c := &found[i]
		var past *verdict.Report
		name, unmet := strings.CutPrefix(c.ID, string(verdict.CodeRuleUnmet)+":")
		switch {
		case c.Outcome != verdict.Error:
			continue
		case unmet:
			past = r.passedWith(func(p *verdict.Report) bool {
				return p.DrillSHA256 == r.Drill.SHA256 || restored(p, name)
			})
		case asksForWhatIsNotThere(*c):
			past = r.passedWith(func(p *verdict.Report) bool {
				return p.DrillSHA256 == r.Drill.SHA256 &&
					answered(p, c.ID)
			})
		default:
			continue
		}
		switch {
		case past != nil:
			c.Outcome = verdict.Fail
			c.Message += "; it was there in the last drill that passed with it (" + past.Run + ")"
			c.Hint = "it was dropped or renamed in production, or the dump leaves it out: " +
				"if that was meant, correct the drill file"
		case r.Past.Problem != nil:
			c.Hint += pastUnread
		}
	}
	return found
}

// passedWith is the newest drill that passed of which this holds; nil: none.
func (r *run) passedWith(holds func(*verdict.Report) bool) *verdict.Report {
	i := slices.IndexFunc(r.Past.Passing, holds)
	if i < 0 {
		return nil
	}
	return r.Past.Passing[i]
}

// restored reports whether a drill rewrote this very column, or restored a table
// of that name: what is kept of past reports tells no more.
func restored(p *verdict.Report, name string) bool {
	table := strings.TrimPrefix(name, "keep:")
	return answered(p, "scrub:"+name) ||
		slices.ContainsFunc(p.Tables, func(t verdict.Table) bool { return t.Name == table })
}

// answered reports whether a check of a drill came to something.
func answered(p *verdict.Report, id string) bool {
	return slices.ContainsFunc(p.Checks, func(c verdict.Check) bool {
		return c.ID == id && (c.Outcome == verdict.Pass || c.Outcome == verdict.Warn)
	})
}

// undefined are the server's codes for a table, a column, a schema, a function
// and a type or another object that is not there (PostgreSQL, appendix A).
var undefined = regexp.MustCompile(`\(SQLSTATE (42P01|42703|3F000|42883|42704)\)`)

// asksForWhatIsNotThere reports whether a query of the drill file failed since
// something that it names is not there.
func asksForWhatIsNotThere(c verdict.Check) bool {
	ofSQL := c.Code == verdict.CodeFailedRows || c.Code == verdict.CodeCanary
	return ofSQL && undefined.MatchString(c.Message)
}
