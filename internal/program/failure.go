package program

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
)

// Kind is why a program did not do its work.
type Kind string

// The kinds.
const (
	Missing Kind = "missing" // it is not there, or may not be run
	Ended   Kind = "ended"   // it ended with another status than 0, or by a signal
	Stalled Kind = "stalled" // it did nothing for too long
	Stopped Kind = "stopped" // it was at work when its context ended
)

// Failure is the error of a program that did not do its work.
type Failure struct {
	Kind      Kind
	Program   string // as it was named
	What      string // what it did, such as: ended with status 2
	LastWords string // the last lines of its standard error, cleaned; may be empty
	Cause     error  // why its context ended; nil unless it was stopped
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

func (f *Failure) Error() string {
	if f.LastWords == "" {
		return fmt.Sprintf("%s %s", f.Program, f.What)
	}
	return fmt.Sprintf("%s %s; its last words: %s", f.Program, f.What, f.LastWords)
}

// describe says how a program ended that did not end well.
func describe(err error) string {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fmt.Sprintf("could not be waited for: %v", err)
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("was ended by the signal %q", status.Signal())
	}
	return fmt.Sprintf("ended with status %d", exit.ExitCode())
}

// reason is an error without the names and paths around it.
func reason(err error) string {
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}
