package archive

import (
	"errors"
	"fmt"
	"strings"

	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// blame names the cause of a failure that the first bytes give away. A script is
// read with any line ends.
func (c *chain) blame(err error) error {
	var p *verdict.Problem
	if !c.converted || scripted(c.head) || !errors.As(err, &p) || p.Outcome != verdict.Fail {
		return err
	}
	return verdict.Failf(verdict.CodeCorrupt, sqltext.HintConverted,
		"read %s: every line end in it is CR LF, so its bytes were converted as if they were text: %w", c.name, err)
}

// OtherDatabaseError reports that a script does not hold the database that is
// wanted.
type OtherDatabaseError struct {
	Name   string   // of the dump
	Wanted string   // database
	Held   []string // the databases that it holds, fit to be shown
}

func (e *OtherDatabaseError) Error() string {
	return fmt.Sprintf("%s: it holds no database %s; it holds %s", e.Name, verdict.Printable(e.Wanted),
		strings.Join(e.Held, ", "))
}
