package drill

import (
	"fmt"

	"daybefore/internal/archive"
	"daybefore/internal/expect"
	"daybefore/internal/verdict"
)

// codeRan lists what the backup brings that is run, from the archive's own text,
// which what runs cannot change.
func (r *run) codeRan() {
	var ran []verdict.OwnCode
	for _, c := range r.archive.CodeRun() {
		ran = append(ran, r.tellCode(c))
	}
	listed, check := expect.CodeRan(ran, r.Drill.Expectations.CodeOnNew, r.Past)
	r.report.CodeRan = listed
	r.checks(check)
}

// tellCode is code as a report tells it.
func (r *run) tellCode(c archive.Code) verdict.OwnCode {
	const most = 5
	told := verdict.OwnCode{Function: r.nameOr(c.Name, "a function whose name is not shown"), Language: c.Language,
		SHA256: c.SHA256}
	for i, by := range c.UsedBy {
		if i == most {
			told.UsedBy = append(told.UsedBy, fmt.Sprintf("and %d more", len(c.UsedBy)-most))
			break
		}
		told.UsedBy = append(told.UsedBy, r.nameOr(by, "something whose name is not shown"))
	}
	return told
}

// nameOr is a name that may be told, or what stands for it.
func (r *run) nameOr(name, other string) string {
	if r.names.Words(name) {
		return name
	}
	return other
}
