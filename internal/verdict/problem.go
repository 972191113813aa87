package verdict

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Problem is an error that knows what it means for the drill: whether the
// backup is bad or the drill could not tell, under which code it is reported,
// and what to do about it.
type Problem struct {
	Outcome Outcome
	Code    Code
	Hint    string
	Err     error // what was being done to what, and what was found
}

func (p *Problem) Error() string { return p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

// Failf is a Problem of the backup itself.
func Failf(code Code, hint, format string, args ...any) *Problem {
	return &Problem{Outcome: Fail, Code: code, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Errorf is a Problem that keeps the drill from knowing.
func Errorf(code Code, hint, format string, args ...any) *Problem {
	return &Problem{Outcome: Error, Code: code, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Truncated is a Problem of a backup that ends too early.
func Truncated(format string, args ...any) *Problem {
	return Failf(CodeTruncated, "the dump or its upload broke off: look at the backup job's own exit status, "+
		"free disk space and log, then take a new backup", format, args...)
}

// Corrupt is a Problem of a backup that contradicts itself.
func Corrupt(format string, args ...any) *Problem {
	return Failf(CodeCorrupt, "take a new backup and compare checksums where it is written and where it is stored; "+
		"write dumps with pg_dump -f, never through a terminal (docker exec -t) or a shell that converts text",
		format, args...)
}

const maxShown = 120 // bytes of a foreign name that an error shows

// Printable is a foreign name made fit for one line of an error: no control
// characters, no end of line, not too long.
func Printable(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "..."
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// AsProblem returns err as a Problem; an error that is none is our own bug or
// the machine's trouble, never the backup's: an Error with CodeInternal.
func AsProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return &Problem{Outcome: p.Outcome, Code: p.Code, Hint: p.Hint, Err: err}
	}
	return &Problem{Outcome: Error, Code: CodeInternal, Err: err,
		Hint: "this is not a finding about the backup; run the drill again, and report it if it comes back"}
}
