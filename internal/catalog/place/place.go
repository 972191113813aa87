// Package place holds what a store of backups is to the catalog, and the
// places that are read over a network or by a program: a Google bucket, an SFTP
// server, a web server, any program. A place is a file here that implements
// Store. It lists and reads, never writes, never hands on bytes of another
// version than the one that was listed, and never shows a credential.
package place

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"daybefore/internal/verdict"
)

// Object is one version of one file in a store, or whatever else has a name
// there and so might be taken for a backup.
type Object struct {
	Name string // below the store's URL, with slashes
	Size int64  // bytes; Unsized where the store does not tell it beforehand
	// the store's mark of this version, without quotes; one of its size and time alone begins with Weak
	ETag    string
	ModTime time.Time // for display only: a copied or touched file tells a wrong one
	Not     NotFile   // why it cannot be read; "" for a file
	Frozen  bool      // it lies in an archive tier: perhaps it must be brought back before it can be read
	Sum     Sum       // that the store's list tells; the zero value: none
}

// Sum is what a store keeps of an object's bytes since it was given them.
type Sum struct {
	Kind    string // "CRC-32C"
	Hex     string // in lower case
	Perhaps bool   // it may be something else that looks like one: it proves where it agrees, and else says nothing
}

// Weak begins a mark that other bytes may have too.
const Weak = "W/"

// NoTime ends a Weak mark that holds no time, so that it is of a size alone or of
// nothing.
const NoTime = "-0"

// Versioned reports whether a mark tells a version from those before it: it
// holds a time, or more.
func Versioned(mark string) bool {
	weak, is := strings.CutPrefix(mark, Weak)
	return mark != "" && !(is && (weak == "0" || strings.HasSuffix(weak, NoTime)))
}

// Unsized is the size of an object that is known only once it was read.
const Unsized = -1

// NotFile is what stands where a file was looked for.
type NotFile string

// What may stand there.
const (
	Folder       NotFile = "a directory"
	DanglingLink NotFile = "a link that points nowhere"
	OutsideLink  NotFile = "a link that leads out of the store"
	SpecialFile  NotFile = "no regular file" // a pipe, a socket, a device
)

// Store is a place where backups lie. It is read and never written, and is safe
// for concurrent use.
//
// An error that another try cannot fix is a *verdict.Problem; any other error
// of ReadRange, or of the reader that it returns, may be gone the next time.
// An error is never a Problem merely because ctx ended.
type Store interface {
	// URL says where the store is, without credentials, ending in a slash.
	URL() string
	// List yields the objects whose names begin with prefix, in no promised
	// order: those in the store's own folder, the folders in it included, or,
	// with deep, all below it without the folders that it went into. After an
	// error it yields nothing more.
	List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error]
	// ReadRange reads length bytes of this very version of the object; one
	// that was replaced or removed meanwhile gives a Problem with
	// CodeChangedMeanwhile. The reader may end early without an error, unless
	// length is negative: then it reads to the end, and io.EOF is the end.
	ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error)
	// Place says which machine holds the store, as far as that can be told
	// without asking it.
	Place(ctx context.Context) (Place, error)
	Close() error
}

// Stater is a Store whose lists leave out something of an object: its exact
// size, or its version.
type Stater interface {
	// Stat gives the object as it is now. One that is gone is a Problem with
	// CodeChangedMeanwhile.
	Stat(ctx context.Context, o Object) (Object, error)
}

// InOne is a Store that gives some objects in one piece only: ranges of them
// cost as much as all that lies before.
type InOne interface{ InOne(o Object) bool }

// Slow is a Store that looks by itself after a connection that falls silent, and
// is waited for as long.
type Slow interface{ Silence() time.Duration }

// Whole is a Store whose lists read a folder as a whole, whatever the prefix:
// one list of it serves many.
type Whole interface{ WholeFolders() }

// Doubter is a Store whose answer may be no list at all, such as a page that
// asks for a password. Then that nothing in it matches says nothing about
// backups.
type Doubter interface{ Doubt() string } // why; "" without doubt, and before List

// Masker is a Store of which a name may be anything that somebody wrote, a
// secret among it: what an error shows of names goes through it.
type Masker interface{ Mask(text string) string }

// Place is where a store's bytes lie.
type Place struct {
	Here  string   // the disk of this machine that holds it; "" if none does
	Hosts []string // names or addresses of the machines that hold it; nil with Here, and where nobody knows
	What  string   // what holds it, for people
}

// WasChanged is the Problem of an object that is no longer the version chosen.
func WasChanged(store Store, o Object, found string) error {
	return verdict.Errorf(verdict.CodeChangedMeanwhile,
		"run the drill again; if it comes back, let the backup job write under a new name each time",
		"read %s%s: %s since it was listed", store.URL(), o.Name, found)
}

// Stopped returns the reason why ctx ended, wrapped, or nil.
func Stopped(ctx context.Context, doing string) error {
	if ctx.Err() == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
}

// isProblem reports whether another try is pointless.
func isProblem(err error) bool {
	var p *verdict.Problem
	return errors.As(err, &p)
}

// retry says how often a request is sent again that precedes all reading.
type retry struct {
	tries uint
	first time.Duration // the first wait; each further one is about twice as long
}

// hurried gives up in seconds: a store that is not there should be known soon.
var hurried = retry{tries: 4, first: 500 * time.Millisecond}

// again sends a request, again where the trouble may pass. The error, which says
// what was being done as that of send does, is a Problem (CodeStoreUnreachable
// where it would be none), or why ctx ended.
func again[T any](ctx context.Context, r retry, doing string, send func() (T, error)) (T, error) {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = r.first
	b.MaxInterval = 10 * r.first
	b.Multiplier = 2
	out, err := backoff.Retry(ctx, func() (T, error) {
		out, err := send()
		if isProblem(err) {
			err = backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(b), backoff.WithMaxTries(r.tries), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return out, nil
	}
	if stop := Stopped(ctx, doing); stop != nil {
		return out, stop
	}
	var p *verdict.Problem
	if errors.As(err, &p) {
		return out, p
	}
	return out, verdict.Errorf(verdict.CodeStoreUnreachable,
		"is source.url right, and the store up and reachable from here?", "%w", err)
}

// flat yields of a list without folders what Store.List promises: without deep
// the folders in the store's own instead of what lies in them.
func flat(all []Object, prefix string, deep bool, yield func(Object, error) bool) {
	seen := map[string]bool{}
	for _, o := range all {
		if slash := strings.Index(o.Name, "/"); slash > 0 && !deep {
			o = Object{Name: o.Name[:slash], Not: Folder}
		}
		if !strings.HasPrefix(o.Name, prefix) || seen[o.Name] || deep && o.Not == Folder {
			continue
		}
		seen[o.Name] = true
		if !yield(o, nil) {
			return
		}
	}
}

// leadsTo reports whether names in the folder, which ends in a slash, can begin
// with prefix.
func leadsTo(folder, prefix string) bool {
	return strings.HasPrefix(folder, prefix) || strings.HasPrefix(prefix, folder)
}
