package sandbox

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/verdict"
)

// tellEnd is how long the end of a server may take to be told after its
// connections broke, and tellVague after an error that may have another cause.
const (
	tellEnd   = 5 * time.Second
	tellVague = time.Second
)

// moreMemory is what to do where the kernel ended a process for want of memory.
const moreMemory = "give the sandbox more memory (sandbox.memory) or fewer jobs (restore.jobs), on a machine that " +
	"has so much, then run the drill again"

// Why returns why err came about, where that is the sandbox's own affair: its
// server has ended, a connection to it broke, or a program in it was killed.
// That is a *verdict.Problem with CodeSandbox, or CodeTimeout at the sandbox's
// deadline. Any other error is returned as it is, and so is what is known to be
// the backup's fault. ctx is the drill's.
func (b *base) Why(ctx context.Context, err error) error {
	if err == nil || b.isClosing() || !mayBeOurs(err) {
		return err
	}
	if isSilence(err) {
		return verdict.Errorf(verdict.CodeSandbox, hintEngine, "the sandbox cannot be used: %w", err)
	}
	wait := tellVague
	if Broken(err) || wasShot(err) {
		wait = tellEnd
	}
	select {
	case <-b.dead:
	case <-ctx.Done():
		return err
	case <-time.After(wait):
		if b.gone != nil && b.gone() {
			b.died("its end was not told", 0)
		}
	}
	select {
	case <-b.dead:
		return b.deadErr
	default:
		return b.whyBroken(err)
	}
}

// mayBeOurs reports whether an error can be owed to the end of the server: one
// that broke a connection or killed a program, or of which no room knew better.
func mayBeOurs(err error) bool {
	p, known := errors.AsType[*verdict.Problem](err)
	if known && p.Outcome == verdict.Fail {
		return false
	}
	vague := []verdict.Code{verdict.CodeInternal, verdict.CodeRestore, verdict.CodeSandbox}
	return !known || slices.Contains(vague, p.Code) || Broken(err) || wasShot(err)
}

// whyBroken explains an error of a server that lives.
func (b *base) whyBroken(err error) error {
	switch {
	case wasShot(err):
		if b.starved() {
			return verdict.Errorf(verdict.CodeSandbox, moreMemory,
				"the kernel ended a program of the sandbox for want of memory: %w", err)
		}
		return verdict.Errorf(verdict.CodeSandbox,
			"look for the machine's memory and who ends programs on it, then run the drill again",
			"a program of the sandbox was killed: %w", err)
	case cutOff(err):
		return verdict.Errorf(verdict.CodeSandbox,
			"look for the machine's memory and who ends programs on it, then run the drill again",
			"a connection to the sandbox's server broke: %w", err)
	}
	return err
}

// wasShot reports whether an error is that a program was ended by a signal which
// programs do not send themselves.
func wasShot(err error) bool {
	exit, ok := errors.AsType[*ExitError](err)
	return ok && (exit.Code == 128+int(syscall.SIGKILL) || exit.Code == 128+int(syscall.SIGTERM))
}

// brokenStates are the SQLSTATEs with which a server ends a session, or refuses
// one while it ends: class 08, and admin_shutdown, crash_shutdown and
// cannot_connect_now.
var brokenStates = []string{"57P01", "57P02", "57P03"}

// cutOffBy are the errors of a connection whose other end is gone, and
// perhapsBy those that a file, too, may give.
var (
	cutOffBy  = []error{pgconn.ErrConnClosed, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ECONNABORTED}
	perhapsBy = []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, syscall.EPIPE, syscall.ENOENT}
)

// Broken reports whether an error of a connection says that the server has ended,
// or is ending.
func Broken(err error) bool {
	return cutOff(err) || err != nil && !toldByServer(err) && isAny(err, perhapsBy)
}

// cutOff reports whether an error can be none but that of a connection which
// broke.
func cutOff(err error) bool {
	if err == nil {
		return false
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		if server.SeverityUnlocalized == "ERROR" { // of a statement, such as one that calls dblink: the session goes on
			return false
		}
		return slices.Contains(brokenStates, server.Code) || strings.HasPrefix(server.Code, "08")
	}
	return isAny(err, cutOffBy)
}

// toldByServer reports whether the server itself refused.
func toldByServer(err error) bool {
	_, ok := errors.AsType[*pgconn.PgError](err)
	return ok
}

func isAny(err error, known []error) bool {
	return slices.ContainsFunc(known, func(k error) bool { return errors.Is(err, k) })
}
