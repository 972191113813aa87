package drill

import (
	"fmt"

	"daybefore/internal/verdict"
)

// judgeScrubKey tells where pseudonyms are others than those of the last drill
// that passed: data that was scrubbed then must not be joined with data of now.
// Where neither had a lasting key, no two runs ever agree, and there is nothing
// to tell.
func (r *run) judgeScrubKey() {
	if len(r.Past.Passing) == 0 || r.Past.Problem != nil || len(r.report.Scrub.Columns) == 0 ||
		len(r.Past.Passing[0].Scrub.Columns) == 0 {
		return
	}
	key, last := r.report.Scrub.Key, r.Past.Passing[0].Scrub.Key
	if key == "" && last == "" {
		return
	}
	c := verdict.Check{ID: "scrub_key", Stage: verdict.StageScrub, Code: verdict.CodeScrubKey, Outcome: verdict.Pass,
		Expected: "pseudonyms as at the last drill that passed: " + scrubKey(last), Observed: scrubKey(key)}
	if key != last {
		c.Outcome = verdict.Warn
		c.Message = fmt.Sprintf("equal values become other pseudonyms than in run %s", r.Past.Passing[0].Run)
		c.Hint = "do not join what was scrubbed before with what is scrubbed now; the next drill compares with this one"
		if key == "" {
			c.Hint = "name the key under scrub.key_env again, if pseudonyms are to stay the same"
		}
	}
	r.checks(c)
}

// scrubKey says which key made pseudonyms, as a report has it.
func scrubKey(fingerprint string) string {
	if fingerprint == "" {
		return "no fingerprint of a lasting key"
	}
	return "key " + fingerprint
}
