// Package enclosure starts a program apart from its machine: with mounts,
// processes, sockets and a network of its own, within limits, and so that
// nothing of it outlives whoever started it. It knows nothing of what the
// program is, and must never hand a file, a variable or a right of the caller's
// to it that was not named.
//
// Between the caller and the program stands a keeper: this binary run again,
// before anything else in it is initialized. It builds what the program sees,
// starts it, and is the first process of its world, which the kernel ends with
// it. It ends with the program, at the deadline, beyond the limits, and when
// whoever started it is gone, however that came: it reads from a pipe that
// nobody else writes to.
package enclosure

import (
	"errors"
	"io"
	"syscall"
	"time"

	"daybefore/internal/enclosure/keeper"
)

// Degree is how far a program is set apart. A higher one includes the lower.
type Degree = keeper.Degree

const (
	// Watched is what every system gives: nothing of the program outlives its
	// caller, and its limits hold. It sees all that its account may.
	Watched = keeper.Watched
	// NoNetwork also gives it processes and a network of its own.
	NoNetwork = keeper.NoNetwork
	// Enclosed also gives it files of its own: the system's programs, which it
	// may read, and what it is lent.
	Enclosed = keeper.Enclosed
)

type (
	// Account is whom a program runs as.
	Account = keeper.Account
	// Bind lends a directory or a file of the machine to an enclosed program.
	Bind = keeper.Bind
	// Limits bound what a program and all that it starts may use.
	Limits = keeper.Limits
)

// Command is a program to start. Args, Env and Dir are as the program sees
// them; Args[0] is looked for along the PATH of Env.
type Command struct {
	Args           []string
	Env            []string
	Dir            string
	Stdout, Stderr io.Writer // nil: discarded
	Account        *Account  // nil: the caller's own; only root may name another
	Keeper         *Account  // whom the keeper is once it has started an enclosed program; nil: it stays what it is
	Degree         Degree
	Root           string   // an empty directory, on which an enclosed program's root is built; nothing is left in it
	Programs       []string // directories beside the system's that an enclosed program may read, under their own names
	Binds          []Bind
	Limits         Limits
	Deadline       time.Time // zero: none
}

// Cause is why a keeper ended a program before its time.
type Cause string

// Causes of an end.
const (
	OfItself   Cause = ""          // nobody ended it but itself, or who called Kill
	AtDeadline Cause = "deadline"  // its time was up
	Starved    Cause = "memory"    // all its processes together held too much memory
	TooMany    Cause = "processes" // it had too many processes
)

// End is how a program ended.
type End struct {
	Code  int // its exit status; 128 and the signal's number where one ended it
	Cause Cause
}

// Refused says that this machine does not set programs so far apart.
type Refused struct {
	Degree Degree
	Step   string // what was tried
	Err    error
}

// Error says what the kernel's errors mean here, where they say it badly: for
// want of user namespaces it answers "no space left on device".
func (r *Refused) Error() string {
	says := r.Err.Error()
	switch {
	case errors.Is(r.Err, syscall.ENOSPC), errors.Is(r.Err, syscall.EUSERS):
		says = "this machine allows no more namespaces"
	case errors.Is(r.Err, syscall.EPERM), errors.Is(r.Err, syscall.EACCES):
		says = "this machine does not permit it"
	}
	return r.Step + ": " + says
}

func (r *Refused) Unwrap() error { return r.Err }
