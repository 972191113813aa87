package catalog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/cenkalti/backoff/v5"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Shelf is a folder that drills write to, as they do past reports: never a place
// of backups. Its files are small. Those that are Put are written once under
// their name, and never changed.
type Shelf struct {
	store  Store
	key    string // of the drill file, that names it
	noKeys bool   // of the drill file, that say how the store is reached
	mu     sync.Mutex
	listed map[string]Object
}

// OpenShelf opens the folder of past reports that the source names, as Open does.
func OpenShelf(ctx context.Context, src spec.Source) (*Shelf, error) {
	return OpenFolder(ctx, src, "history")
}

// OpenFolder opens the folder that a key of the drill file names. A server that
// only the environment names is asked with the bucket in the path, which all of
// them know: there is no key to say so.
func OpenFolder(ctx context.Context, src spec.Source, key string) (*Shelf, error) {
	inEnvironment := os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != ""
	src.PathStyle = src.PathStyle || src.Endpoint == "" && inEnvironment
	store, err := Open(ctx, src)
	f := &Shelf{store: store, key: key, noKeys: src.NoKeys, listed: map[string]Object{}}
	if err != nil {
		return nil, f.named(err)
	}
	return f, nil
}

// URL says where the folder is, without credentials, ending in a slash.
func (f *Shelf) URL() string { return f.store.URL() }

// Close ends its connections.
func (f *Shelf) Close() error { return f.store.Close() }

// Names lists the files whose names begin with prefix, in no promised order.
func (f *Shelf) Names(ctx context.Context, prefix string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for o, err := range f.store.List(ctx, prefix, true) {
		if err != nil {
			return nil, f.named(err)
		}
		if o.Not == "" {
			names = append(names, o.Name)
			f.listed[o.Name] = o
		}
	}
	return names, nil
}

// Get reads a file that Names listed. One larger than most bytes is refused.
func (f *Shelf) Get(ctx context.Context, name string, most int64) ([]byte, error) {
	b, err := f.get(ctx, name, most)
	if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Code != verdict.CodeChangedMeanwhile {
		return b, err
	}
	// It was listed while it was written: in a folder the second name that put
	// gives a file, and then removes, changes what its version is told by.
	if _, err := f.Names(ctx, name); err != nil {
		return nil, err
	}
	return f.get(ctx, name, most)
}

func (f *Shelf) get(ctx context.Context, name string, most int64) ([]byte, error) {
	f.mu.Lock()
	o, ok := f.listed[name]
	f.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("read %s%s: %w", f.URL(), name, fs.ErrNotExist)
	}
	if o.Size > most {
		return nil, fmt.Errorf("it is larger than %d bytes", most)
	}
	r := newResumed(ctx, f.store, o, 0, o.Size, hurriedRead)
	defer r.Close()
	b, err := io.ReadAll(r)
	return b, f.named(err)
}

// hurriedRead is for small files, of which there are many.
var hurriedRead = retryPolicy{tries: hurried.tries, first: hurried.first, max: hurried.max, stall: answerTimeout}

// Put writes a file that is there wholly or not at all. One that is there
// already is never replaced: fs.ErrExist.
func (f *Shelf) Put(ctx context.Context, name string, b []byte) error {
	return f.write(ctx, name, b, false)
}

// Replace writes a file that is there wholly or not at all, in the place of the
// one of that name.
func (f *Shelf) Replace(ctx context.Context, name string, b []byte) error {
	return f.write(ctx, name, b, true)
}

func (f *Shelf) write(ctx context.Context, name string, b []byte, again bool) error {
	switch s := f.store.(type) {
	case *s3Store:
		return f.named(s.put(ctx, name, b, again))
	case *fileStore:
		return f.named(s.put(name, b, again))
	}
	return fmt.Errorf("write %s%s: this kind of store is only read", f.URL(), name)
}

// named lets a problem's hint name the key that names the folder.
func (f *Shelf) named(err error) error {
	var p *verdict.Problem
	if !errors.As(err, &p) {
		return err
	}
	named := *p
	named.Hint = hintFor(p.Hint, f.key, "s3:GetObject and s3:PutObject", f.noKeys)
	return &named
}

func (s *s3Store) put(ctx context.Context, name string, b []byte, again bool) error {
	doing := "write " + s.url + name
	tries := 0
	onlyNew := aws.String("*")
	if again {
		onlyNew = nil
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		tries++
		_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
			Bucket:      &s.bucketName,
			Key:         aws.String(s.prefix + name),
			Body:        bytes.NewReader(b),
			ContentType: aws.String(contentType(name)),
			IfNoneMatch: onlyNew,
		})
		switch {
		case err != nil && status(err) == http.StatusPreconditionFailed && tries > 1:
			return struct{}{}, nil // it was written, and only the answer was lost
		case err != nil && s.refusal("", err) != nil:
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(s.policy.backOff()), backoff.WithMaxTries(s.policy.tries), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return nil
	}
	if stop := stopped(ctx, doing); stop != nil {
		return stop
	}
	if status(err) == http.StatusPreconditionFailed {
		return fmt.Errorf("%s: %w", doing, fs.ErrExist)
	}
	if p := s.refusal(doing, err); p != nil {
		return p
	}
	return verdict.Errorf(verdict.CodeStoreUnreachable,
		"is source.endpoint right, and the store up and reachable from here?",
		"%s: %s", doing, s.hide(innermost(err)))
}

// contentType is what a browser takes a file for.
func contentType(name string) string {
	if path.Ext(name) == ".md" {
		return "text/plain; charset=utf-8"
	}
	return "application/json"
}

// put makes the folders below the store's own, which must be there: a disk
// that is not mounted is no empty history.
func (s *fileStore) put(name string, b []byte, again bool) error {
	in, err := s.enter()
	if err != nil {
		return s.unwritten(err)
	}
	defer in.close()
	if err := in.put(filepath.FromSlash(name), b, again); err != nil {
		return s.unwritten(err)
	}
	return nil
}

// unwritten says what an error of the file system means for who writes.
func (s *fileStore) unwritten(err error) error {
	hint := "look at the disk, the mount and the kernel's log"
	switch {
	case errors.Is(err, fs.ErrExist):
		hint = "an entry is written once: nothing is to be done if it is the same"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "let the account that runs the drill write to this directory"
	case errors.Is(err, fs.ErrNotExist):
		hint = "is the disk mounted, and source.url right? a new directory is to be made by hand, once"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "make room on that file system"
	}
	return verdict.Errorf(verdict.CodeHistory, hint, "write to %s: %w", s.URL(), err)
}
