package expect

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"daybefore/internal/expect/drift"
	"daybefore/internal/history"
	"daybefore/internal/verdict"
)

const (
	// mostCode is how much of it a report holds; drills of more cannot be compared.
	mostCode = 5000
	// mostCodeTold is how much of it a message names.
	mostCodeTold = 8
)

// CodeRan compares the code of the backup's own that is run with what the last
// drill that passed ran, by names and hashes: it gives what a report keeps, what
// is new first, and the check. onNew is what new code leads to: warn, fail, or
// ignore.
func CodeRan(ran []verdict.OwnCode, onNew string, past history.Past) ([]verdict.OwnCode, verdict.Check) {
	c := verdict.Check{
		ID: "code_ran", Stage: verdict.StageRestore, Code: verdict.CodeCodeRan, Outcome: verdict.Pass,
		Expected: "listed",
	}
	if onNew != "ignore" {
		c.Expected = "none that the last drill that passed had not"
	}
	c.Observed = fmt.Sprintf("%d of the backup's own", len(ran))
	c.Change = &verdict.Change{To: codeDigest(ran)}
	before := lastCode(past)
	switch {
	case past.Problem != nil && onNew != "ignore":
		c.Say(verdict.Skipped, c.Observed, "see the check history", "not compared, since the past could not be read")
	case before == nil && onNew != "ignore":
		c.Say(verdict.Skipped, c.Observed, "nothing is wrong; later drills are compared with this one, if it passes",
			"no history yet: no earlier drill that passed has listed the code that it ran")
	case before != nil:
		ran = markNew(ran, before.CodeRan)
		c.Change.Baseline = before.Run
		c.Change.From = digestIn(before)
		judgeCode(&c, ran, onNew, before, past)
	}
	return ran[:min(len(ran), mostCode)], c
}

// lastCode is the last drill that passed which has listed what it ran.
func lastCode(past history.Past) *verdict.Report {
	for _, r := range past.Passing {
		if digestIn(r) != "" {
			return r
		}
	}
	return nil
}

// digestIn is what a past drill's check says of all that it ran.
func digestIn(r *verdict.Report) string {
	for _, c := range r.Checks {
		if c.ID == "code_ran" && c.Change != nil {
			return c.Change.To
		}
	}
	return ""
}

// markNew says what was not there before in these very words, and puts it first.
func markNew(ran, before []verdict.OwnCode) []verdict.OwnCode {
	known := map[[2]string]bool{}
	for _, c := range before {
		known[[2]string{c.Function, c.SHA256}] = true
	}
	ran = slices.Clone(ran)
	for i := range ran {
		ran[i].New = !known[[2]string{ran[i].Function, ran[i].SHA256}]
	}
	slices.SortStableFunc(ran, func(a, b verdict.OwnCode) int { return rank(a) - rank(b) })
	return ran
}

func rank(c verdict.OwnCode) int {
	if c.New {
		return 0
	}
	return 1
}

func judgeCode(c *verdict.Check, ran []verdict.OwnCode, onNew string, before *verdict.Report, past history.Past) {
	var added []string
	for _, r := range ran {
		if r.New {
			added = append(added, r.Function+" ("+strings.Join(append([]string{r.Language}, r.UsedBy...), ", ")+")")
		}
	}
	if len(added) == 0 {
		return
	}
	c.Observed = fmt.Sprintf("%d of the backup's own, %d new", len(ran), len(added))
	if onNew == "ignore" {
		return
	}
	if a := past.AcceptedFor(c.ID); a != nil && a.To == c.Change.To {
		c.Accepted = a.Note()
		return
	}
	more := ""
	if n := len(added) - mostCodeTold; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
	}
	c.Say(verdict.Outcome(onNew), c.Observed,
		"read it: it runs in every restore, with all the rights of whoever restores; find out "+
			"who put it into production; "+drift.AcceptHint,
		"code of the backup's own that is new or changed since the last drill that passed (%s): %s%s",
		before.Run, strings.Join(added[:min(len(added), mostCodeTold)], "; "), more)
}

// codeDigest stands for all that is run.
func codeDigest(ran []verdict.OwnCode) string {
	h := sha256.New()
	for _, c := range ran {
		fmt.Fprintf(h, "%q %s\n", c.Function, c.SHA256)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}
