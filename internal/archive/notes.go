package archive

import (
	"fmt"
	"strings"

	"daybefore/internal/verdict"
)

// Note is something about a backup that keeps nobody from restoring it, and that
// somebody should know.
type Note struct {
	ID                 string // of the check that tells it
	Expected, Observed string // may be empty: files that say what they are, and another
	Message            string
	Hint               string
}

// leftOver notes files that the table of contents does not ask for: pg_restore
// leaves them alone.
func (a *Archive) leftOver(names []string) {
	if len(names) == 0 {
		return
	}
	const shown = 3
	var some []string
	for _, name := range names[:min(shown, len(names))] {
		some = append(some, verdict.Printable(name))
	}
	a.Notes = append(a.Notes, Note{
		ID: "left_over_files",
		Message: fmt.Sprintf("%d of its files hold data that its table of contents does not name (%s): they may be "+
			"another dump's", len(names), strings.Join(some, ", ")),
		Hint: "write each dump into a directory of its own, and let the upload remove what is no longer there",
	})
}
