// Package catalog is the room for the backups in an off-site store: it lists
// them, chooses the newest and fetches it. It judges no age, opens no archive,
// never writes to a store of backups (but to a folder of reports, see Shelf),
// and never passes over a newest backup because it is broken.
package catalog

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"daybefore/internal/catalog/place"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// What a store is to this room; package place has their meaning, and most of
// the places.
type (
	Store   = place.Store
	Object  = place.Object
	NotFile = place.NotFile
	Place   = place.Place
)

// Weak begins an ETag of size and time alone, which other bytes may have too.
const Weak = place.Weak

// Versioned reports whether an ETag tells a version from those before it.
func Versioned(etag string) bool { return place.Versioned(etag) }

// Unsized is the size of an object that is known only once it was read.
const Unsized = place.Unsized

// What may stand where a file was looked for.
const (
	Folder       = place.Folder
	DanglingLink = place.DanglingLink
	OutsideLink  = place.OutsideLink
	SpecialFile  = place.SpecialFile
)

// opener opens a store of one kind.
type opener func(ctx context.Context, src spec.Source, u *url.URL) (Store, error)

// places are the kinds of stores, by the schemes of their URLs. A program has
// none, and is named by source.exec.
var places = map[string]opener{
	"file": func(_ context.Context, src spec.Source, u *url.URL) (Store, error) { return orNone(openFile(u, src)) },
	"s3": func(ctx context.Context, src spec.Source, u *url.URL) (Store, error) {
		return orNone(openS3(ctx, src, u))
	},
	"gs": func(ctx context.Context, src spec.Source, u *url.URL) (Store, error) {
		return orNone(place.OpenGS(ctx, src, u))
	},
	"sftp": func(_ context.Context, src spec.Source, u *url.URL) (Store, error) {
		return orNone(place.OpenSFTP(src, u))
	},
	"https": func(_ context.Context, src spec.Source, u *url.URL) (Store, error) {
		return orNone(place.OpenWeb(src, u))
	},
	"http": func(_ context.Context, src spec.Source, u *url.URL) (Store, error) {
		return orNone(place.OpenWeb(src, u))
	},
}

// Open returns the store that the source names: by a URL, of which a missing
// slash at the end is added where it is a folder's, by a variable that holds
// the URL of one file, or by a program. Credentials are looked for at once, the
// store itself is first asked by List. Problems: CodeSpec,
// CodeCredentialsMissing.
func Open(ctx context.Context, src spec.Source) (Store, error) {
	if src.Exec != nil {
		return orNone(place.OpenExec(*src.Exec))
	}
	if src.URLEnv != "" {
		return orNone(place.OpenPresigned(src))
	}
	u, err := parseURL(src.URL)
	if err != nil {
		return nil, err
	}
	open, known := places[u.Scheme]
	if !known {
		schemes := strings.Join(slices.Sorted(maps.Keys(places)), "://, ")
		return nil, verdict.Errorf(verdict.CodeSpec, "source.url begins with one of "+schemes+"://",
			"open the store: the scheme %q is not supported", u.Scheme)
	}
	return open(ctx, src, u)
}

// orNone keeps a nil pointer from becoming a Store that is not nil, and that
// somebody closes.
func orNone[S Store](s S, err error) (Store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// exact is an object with all that its store tells when it is asked about it
// alone.
func exact(ctx context.Context, store Store, o Object) (Object, error) {
	s, asks := store.(place.Stater)
	if !asks || o.Not != "" {
		return o, nil
	}
	return s.Stat(ctx, o)
}

// inOne reports whether an object is read from its first byte to its last, or
// not at all.
func inOne(store Store, o Object) bool {
	s, some := store.(place.InOne)
	return o.Size == place.Unsized || some && s.InOne(o)
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
	case u.User != nil && !onlyName(u):
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

// onlyName reports whether a URL names a user and holds no password, as one of
// sftp may.
func onlyName(u *url.URL) bool {
	_, secret := u.User.Password()
	return u.Scheme == "sftp" && !secret
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
func wasChanged(store Store, o Object, found string) error { return place.WasChanged(store, o, found) }

// stopped returns the reason why ctx ended, wrapped, or nil.
func stopped(ctx context.Context, doing string) error { return place.Stopped(ctx, doing) }

// whyStopped is the reason why ctx ended, if it did, instead of what noticed it
// first; but a program that was waited for is worth more to know.
func whyStopped(ctx context.Context, doing string, err error) error {
	stop := stopped(ctx, doing)
	if stop == nil || place.Waited(err) {
		return err
	}
	return stop
}

// isProblem reports whether another try is pointless.
func isProblem(err error) bool {
	var p *verdict.Problem
	return errors.As(err, &p)
}
