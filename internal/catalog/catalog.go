// Package catalog is the room for the backups in an off-site store: it lists
// them, chooses the newest and fetches it. It judges no age, opens no archive,
// never writes to a store of backups (but to a folder of reports, see Shelf),
// and never passes over a newest backup because it is broken.
package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"strings"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Object is one version of one file in a store, or whatever else has a name
// there and so might be taken for a backup.
type Object struct {
	Name    string    // below the store's URL, with slashes
	Size    int64     // bytes
	ETag    string    // the store's mark of this version, without quotes
	ModTime time.Time // for display only: a copied or touched file tells a wrong one
	Not     NotFile   // why it cannot be read; "" for a file
}

// NotFile is what stands where a file was looked for.
type NotFile string

// What may stand there.
const (
	Folder       NotFile = "a directory"
	DanglingLink NotFile = "a link that points nowhere"
	OutsideLink  NotFile = "a link that leads out of the store"
	SpecialFile  NotFile = "no regular file" // a pipe, a socket, a device
)

// Store is a place where backups lie. It is read and never written.
//
// An error that another try cannot mend is a *verdict.Problem; any other error
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
	// CodeChangedMeanwhile. The reader may end early without an error.
	ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error)
	// Place says which machine holds the store, as far as that can be told
	// without asking it.
	Place(ctx context.Context) (Place, error)
	Close() error
}

// Open returns the store that the source names: file:///dir/ or
// s3://bucket/prefix/. A missing slash at the end is added: a prefix is always
// a folder. Credentials are looked for at once, the store itself is first
// asked by List. Problems: CodeSpec, CodeCredentialsMissing.
func Open(ctx context.Context, src spec.Source) (Store, error) {
	u, err := parseURL(src.URL)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "file":
		s, err := openFile(u, src)
		return orNone(s, err)
	case "s3":
		s, err := openS3(ctx, src, u)
		return orNone(s, err)
	}
	return nil, verdict.Errorf(verdict.CodeSpec, "source.url begins with file:// or s3://",
		"open the store: the scheme %q is not supported", u.Scheme)
}

// orNone keeps a nil pointer from becoming a Store that is not nil, and that
// somebody closes.
func orNone[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// parseURL refuses what a store's URL must not hold. It never repeats the URL
// as it was written, which may hold a password.
func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil { // not wrapped: it quotes what stands there
		return nil, verdict.Errorf(verdict.CodeSpec, "write source.url as file:///dir/ or s3://bucket/prefix/",
			"open the store: source.url is no URL")
	}
	switch {
	case u.User != nil:
		return nil, verdict.Errorf(verdict.CodeSpec,
			"take the credentials out of source.url and put them into the environment",
			"open the store: source.url holds credentials")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, verdict.Errorf(verdict.CodeSpec,
			"region, endpoint, path_style and anonymous are keys of source; write # as %23 and ? as %3F",
			"open the store: source.url has a part after ? or #")
	}
	return u, nil
}

// folderPath gives the path below a bucket, "" or ending in a slash.
func folderPath(path string) string {
	path = strings.Trim(path, "/")
	if path == "" {
		return ""
	}
	return path + "/"
}

// wasChanged is the Problem of an object that is no longer the version chosen.
func wasChanged(store Store, o Object, found string) error {
	return verdict.Errorf(verdict.CodeChangedMeanwhile,
		"run the drill again; if it comes back, let the backup job write under a new name each time",
		"read %s%s: %s since it was listed", store.URL(), o.Name, found)
}

// stopped returns the reason why ctx ended, wrapped, or nil.
func stopped(ctx context.Context, doing string) error {
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
