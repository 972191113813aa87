package archive

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"daybefore/internal/verdict"
)

const (
	hintTruncated = "the dump or its upload broke off: look at the backup job's own exit status, free disk space and log, then take a new backup"
	hintCorrupt   = "take a new backup and compare checksums where it is written and where it is stored; write dumps with pg_dump -f, never through a terminal (docker exec -t) or a shell that converts text"
)

func truncated(format string, args ...any) error {
	return verdict.Failf(verdict.CodeTruncated, hintTruncated, format, args...)
}

func corrupt(format string, args ...any) error {
	return verdict.Failf(verdict.CodeCorrupt, hintCorrupt, format, args...)
}

// blame names the cause of a failure that the first bytes give away. A script is
// read with any line ends.
func (u *unwrapped) blame(name string, err error) error {
	var p *verdict.Problem
	if !u.converted || u.plain || !errors.As(err, &p) || p.Outcome != verdict.Fail {
		return err
	}
	return verdict.Failf(verdict.CodeCorrupt, "write dumps with pg_dump -f; docker exec without -t; transfer them in binary mode",
		"read %s: every line end in it is CR LF, so its bytes were converted as if they were text: %w", name, err)
}

const maxShown = 120 // bytes of a foreign name that an error shows

// printable is a foreign name made fit for one line of an error: no control
// characters, no end of line, not too long.
func printable(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// OtherDatabaseError reports that a script does not hold the database that is
// wanted.
type OtherDatabaseError struct {
	Name   string   // of the dump
	Wanted string   // database
	Held   []string // the databases that it holds, fit to be shown
}

func (e *OtherDatabaseError) Error() string {
	return fmt.Sprintf("%s: it holds no database %s; it holds %s", e.Name, printable(e.Wanted), strings.Join(e.Held, ", "))
}
