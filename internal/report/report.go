// Package report renders what drills found: for a terminal, for machines (JSON,
// JUnit) and for pages (Markdown). It must never judge, nor let anything through
// that a terminal or a page would obey: names and values come from backups,
// and a backup is foreign.
package report

import (
	"io"

	"daybefore/internal/verdict"
)

// JSON writes the report as it is kept, see verdict.Report.
func JSON(w io.Writer, r *verdict.Report) error {
	b, err := r.JSON()
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}
