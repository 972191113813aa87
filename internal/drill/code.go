package drill

import (
	"fmt"

	"daybefore/internal/archive"
	"daybefore/internal/expect"
	"daybefore/internal/verdict"
)

// codeRan lists what the backup brings that is run, before any of it is: from
// the archive's own text, which it cannot change.
func (r *run) codeRan() {
	var ran []verdict.OwnCode
	for _, c := range r.archive.CodeRun() {
		ran = append(ran, ownCode(c))
	}
	listed, check := expect.CodeRan(ran, r.Drill.Expectations.CodeOnNew, r.Past)
	r.report.CodeRan = listed
	r.checks(check)
}

// ownCode is code as a report tells it.
func ownCode(c archive.Code) verdict.OwnCode {
	const most = 5
	used := c.UsedBy
	if more := len(used) - most; more > 0 {
		used = append(used[:most:most], fmt.Sprintf("and %d more", more))
	}
	return verdict.OwnCode{Function: c.Name, Language: c.Language, SHA256: c.SHA256, UsedBy: used}
}
