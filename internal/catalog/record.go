package catalog

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// OpenRecord opens one file that is no backup: the one that the source's URL
// names to its last part, read as it is now and pinned to this version. key is
// what the drill file calls it, for hints. Its problems are all of outcome
// error: what cannot be read says nothing about a backup.
func OpenRecord(ctx context.Context, src spec.Source, key string) (io.ReadCloser, error) {
	u, err := parseURL(src.URL)
	if err != nil {
		return nil, ofRecord(err, src, key)
	}
	dir, name := path.Split(u.Path)
	if u.Scheme != "https" && u.Scheme != "http" { // which are asked for the file itself
		src.URL = (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: dir}).String()
	}
	store, err := Open(ctx, src)
	if err != nil {
		return nil, ofRecord(err, src, key)
	}
	r, err := openRecord(ctx, store, src, name, key)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return r, nil
}

func openRecord(ctx context.Context, store Store, src spec.Source, name, key string) (*record, error) {
	o, err := findRecord(ctx, store, name, key)
	if err != nil {
		return nil, ofRecord(err, src, key)
	}
	return &record{ReadCloser: reader(ctx, store, o, patient), store: store, src: src, key: key}, nil
}

func findRecord(ctx context.Context, store Store, name, key string) (Object, error) {
	for o, err := range store.List(ctx, name, false) {
		switch {
		case err != nil:
			return Object{}, err
		case o.Name == name && o.Not != "":
			return Object{}, verdict.Errorf(verdict.CodeWitness, key+" names one file", "read %s%s: it is %s",
				store.URL(), name, o.Not)
		case o.Name == name:
			return exact(ctx, store, o)
		}
	}
	return Object{}, verdict.Errorf(verdict.CodeWitness, "is "+key+" right, and was the file written?",
		"read %s%s: there is no such file", store.URL(), name)
}

// record is the file's bytes, and its store while they are read.
type record struct {
	io.ReadCloser
	store Store
	src   spec.Source
	key   string
}

func (r *record) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF { // not errors.Is: a broken connection wraps it too
		err = ofRecord(err, r.src, r.key)
	}
	return n, err
}

func (r *record) Close() error { return errors.Join(r.ReadCloser.Close(), r.store.Close()) }

// ofRecord lets a problem's hint name the key that names the file.
func ofRecord(err error, src spec.Source, key string) error {
	var p *verdict.Problem
	if !errors.As(err, &p) {
		return err
	}
	hint := hintFor(p.Hint, key, "s3:GetObject", src.NoKeys)
	return &verdict.Problem{Outcome: verdict.Error, Code: p.Code, Hint: hint, Err: err}
}

// hintFor lets a hint name another key than source.url. There is none for
// anonymous reading, and with noKeys none for region and endpoint either.
func hintFor(hint, key, needs string, noKeys bool) string {
	if hint == deniedHint {
		return "the key may not do this: " + key + " needs s3:ListBucket on the bucket, and " + needs +
			" on its objects"
	}
	if noKeys {
		hint = fromEnvironment.Replace(hint)
	}
	return strings.NewReplacer("source.url", key, anonymousHint, "").Replace(hint)
}

// fromEnvironment names what the environment says instead of keys of source.
var fromEnvironment = strings.NewReplacer("source.region, or AWS_REGION", "AWS_REGION",
	"source.region", "AWS_REGION", "source.endpoint", "AWS_ENDPOINT_URL")

const anonymousHint = "; for a public bucket set source.anonymous: true"
