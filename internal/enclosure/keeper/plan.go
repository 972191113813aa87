// Package keeper is the first process of a program that is set apart: it builds
// what the program sees, starts it, and ends with it. It is this very binary
// run again, and acts before anything else in it is initialized.
//
// Go initializes packages in the order of their paths, once what they import is.
// So this package must never import more than os and syscall rest on: any other
// package has all those before it initialized which come first by their path,
// and that costs each program more than all that a keeper does.
package keeper

import (
	"errors"
	"strconv"
	"syscall"
	"time"
)

// Degree is how far a program is set apart.
type Degree int

// Degrees, of which a higher one includes the lower.
const (
	Watched Degree = iota
	NoNetwork
	Enclosed
)

// Account is whom a program runs as.
type Account struct{ UID, GID int }

// Bind lends a directory or a file of the machine to an enclosed program.
type Bind struct {
	Source, Target string
	Writable       bool
}

// Limits bound what a program and all that it starts may use. Zero is no limit.
type Limits struct {
	Memory    int64 // bytes: of each process, and of all private memory together
	Processes int64
	Files     int64 // that each process has open
	Temporary int64 // bytes of its own /tmp, and as many of /dev/shm; only where it is enclosed
}

// Plan is what a keeper is told.
type Plan struct {
	Args, Env       []string
	Dir             string
	Account, Keeper *Account
	Degree          Degree
	Root            string
	Programs        []string
	Binds           []Bind
	Limits          Limits
	Deadline        time.Time
	Filters         [][]byte // of calls, for seccomp, as its instructions lie in memory
	Users           bool     // it has a user namespace of its own
	Dropped         bool     // it has built its world, and given up the rights that it took
}

// Marker is what a keeper's own name is, by which it knows what it is.
const Marker = "daybefore: keeper"

// What a keeper inherits: its plan, the pipe with whose end it ends, and the
// pipe by which it tells how it goes.
const (
	planFD = 3 + iota
	lifelineFD
	reportFD
)

// NotSetUp is the status of a keeper that could not start its program.
const NotSetUp = 125

// wire is a row of values, each after its length.
type wire []byte

func (w *wire) text(s string)  { *w = append(append(append(*w, strconv.Itoa(len(s))...), ':'), s...) }
func (w *wire) number(n int64) { w.text(strconv.FormatInt(n, 10)) }

func (w *wire) texts(all []string) {
	w.number(int64(len(all)))
	for _, s := range all {
		w.text(s)
	}
}

func (w *wire) flag(b bool) {
	if b {
		w.number(1)
	} else {
		w.number(0)
	}
}

func (w *wire) account(a *Account) {
	w.flag(a != nil)
	if a != nil {
		w.number(int64(a.UID))
		w.number(int64(a.GID))
	}
}

// Encode writes a plan down for a keeper of this very binary.
func (p Plan) Encode() []byte {
	var w wire
	w.texts(p.Args)
	w.texts(p.Env)
	w.text(p.Dir)
	w.account(p.Account)
	w.account(p.Keeper)
	w.number(int64(p.Degree))
	w.text(p.Root)
	w.texts(p.Programs)
	w.number(int64(len(p.Binds)))
	for _, b := range p.Binds {
		w.text(b.Source)
		w.text(b.Target)
		w.flag(b.Writable)
	}
	for _, n := range []int64{p.Limits.Memory, p.Limits.Processes, p.Limits.Files, p.Limits.Temporary} {
		w.number(n)
	}
	w.flag(!p.Deadline.IsZero())
	w.number(p.Deadline.UnixNano())
	w.number(int64(len(p.Filters)))
	for _, f := range p.Filters {
		w.text(string(f))
	}
	w.flag(p.Users)
	w.flag(p.Dropped)
	return w
}

var errPlan = errors.New("it is not whole")

// reader reads a row of values. After an error it reads nothing but zeros.
type reader struct {
	left []byte
	err  error
}

func (r *reader) text() string {
	n, at := 0, 0
	for ; at < len(r.left) && at < 10 && r.left[at] != ':'; at++ {
		n = n*10 + int(r.left[at]-'0')
	}
	if at >= len(r.left) || r.left[at] != ':' || n < 0 || n > len(r.left)-at-1 {
		r.left, r.err = nil, errPlan
		return ""
	}
	s := string(r.left[at+1 : at+1+n])
	r.left = r.left[at+1+n:]
	return s
}

func (r *reader) number() int64 {
	n, err := strconv.ParseInt(r.text(), 10, 64)
	if err != nil {
		r.err = errPlan
	}
	return n
}

func (r *reader) flag() bool { return r.number() != 0 }

func (r *reader) texts() (all []string) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		all = append(all, r.text())
	}
	return all
}

func (r *reader) account() *Account {
	if !r.flag() {
		return nil
	}
	return &Account{int(r.number()), int(r.number())}
}

// decode reads what Encode wrote.
func decode(written []byte) (Plan, error) {
	r := &reader{left: written}
	p := Plan{Args: r.texts(), Env: r.texts(), Dir: r.text(), Account: r.account(), Keeper: r.account(),
		Degree: Degree(r.number()), Root: r.text(), Programs: r.texts()}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		p.Binds = append(p.Binds, Bind{r.text(), r.text(), r.flag()})
	}
	p.Limits = Limits{r.number(), r.number(), r.number(), r.number()}
	if bounded, at := r.flag(), r.number(); bounded {
		p.Deadline = time.Unix(0, at)
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		p.Filters = append(p.Filters, []byte(r.text()))
	}
	p.Users = r.flag()
	p.Dropped = r.flag()
	if r.err == nil && len(r.left) > 0 {
		r.err = errPlan
	}
	return p, r.err
}

// Told is how a keeper says that it goes.
type Told struct {
	Started bool
	Ended   string        // why it ended its program
	Step    string        // that failed
	Errno   syscall.Errno // of it; 0 where there is none
}

// encode writes a word down as one line.
func (t Told) encode() []byte {
	var w wire
	w.flag(t.Started)
	w.text(t.Ended)
	w.text(t.Step)
	w.number(int64(t.Errno))
	return append(w, '\n')
}

// DecodeTold reads a line, without its end, that a keeper wrote.
func DecodeTold(line []byte) (Told, error) {
	r := &reader{left: line}
	t := Told{Started: r.flag(), Ended: r.text(), Step: r.text(), Errno: syscall.Errno(r.number())}
	return t, r.err
}
