package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// fileStore is a directory, such as a mounted disk.
type fileStore struct {
	dir    string
	follow bool // links may lead out of it
}

func openFile(u *url.URL, src spec.Source) (*fileStore, error) {
	if u.Host != "" && u.Host != "localhost" {
		return nil, verdict.Errorf(verdict.CodeSpec, "a path on this machine has three slashes: file:///dir/",
			"open the store: source.url names the host %q", u.Host)
	}
	if u.Path == "" {
		return nil, verdict.Errorf(verdict.CodeSpec, "write source.url as file:///dir/",
			"open the store: source.url names no directory")
	}
	return &fileStore{dir: filepath.Clean(u.Path), follow: src.Links == spec.LinksFollow}, nil
}

func (s *fileStore) URL() string {
	return (&url.URL{Scheme: "file", Path: strings.TrimSuffix(filepath.ToSlash(s.dir), "/") + "/"}).String()
}

func (s *fileStore) Close() error { return nil }

func (s *fileStore) List(ctx context.Context, prefix string, deep bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		err := s.walk(ctx, prefix, deep, func(o Object) error {
			if !yield(o, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Object{}, s.problem(ctx, err))
		}
	}
}

func (s *fileStore) walk(ctx context.Context, prefix string, deep bool, each func(Object) error) error {
	in, err := s.enter()
	if err != nil {
		return err
	}
	defer in.close()
	return fs.WalkDir(in.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case d.IsDir():
			if name == "." || deep && leadsTo(name+"/", prefix) {
				return nil
			}
			return s.folder(name, prefix, deep, each)
		case !strings.HasPrefix(name, prefix):
			return nil
		}
		o, ok, err := in.object(name, d.Type()&fs.ModeSymlink != 0)
		if err != nil || !ok {
			return err
		}
		return each(o)
	})
}

// folder tells of one that is not gone into.
func (s *fileStore) folder(name, prefix string, deep bool, each func(Object) error) error {
	if !deep && strings.HasPrefix(name, prefix) {
		if err := each(Object{Name: name, Not: Folder}); err != nil {
			return err
		}
	}
	return fs.SkipDir
}

// leadsTo reports whether names in the folder can begin with prefix.
func leadsTo(folder, prefix string) bool {
	return strings.HasPrefix(folder, prefix) || strings.HasPrefix(prefix, folder)
}

func (s *fileStore) path(name string) string {
	return filepath.Join(s.dir, filepath.FromSlash(path.Clean("/"+name)))
}

// fileETag marks a version: another file under the same name has another
// inode, and one that was written in place another size or time. Who may write
// a file may set the time of its contents, and not that of its last change.
func fileETag(info fs.FileInfo) string {
	var inode uint64
	var changed int64
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = st.Ino
		changed = changeTime(st)
	}
	return fmt.Sprintf("%x-%x-%x-%x", info.Size(), info.ModTime().UnixNano(), inode, changed)
}

// grown reports whether a file is the one of a mark, and longer.
func grown(etag string, info fs.FileInfo) bool {
	was := strings.Split(etag, "-")
	is := strings.Split(fileETag(info), "-")
	if len(was) != len(is) || was[2] != is[2] || !info.Mode().IsRegular() {
		return false
	}
	size, err := strconv.ParseInt(was[0], 16, 64)
	return err == nil && info.Size() > size
}

func (s *fileStore) ReadRange(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	if err := stopped(ctx, "read "+s.URL()+o.Name); err != nil {
		return nil, err
	}
	f, err := s.open(o.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, wasChanged(s, o, "it is gone, or a link that points nowhere,")
	}
	if errors.Is(err, errLeadsOut) {
		return nil, wasChanged(s, o, "it became a link that leads out of the store")
	}
	if err != nil {
		return nil, s.problem(ctx, err)
	}
	r := &pinnedFile{ctx: ctx, store: s, object: o, file: f, section: io.NewSectionReader(f, offset, length)}
	if err := r.check(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// problem turns an error of the file system into what it means for the drill.
func (s *fileStore) problem(ctx context.Context, err error) error {
	if stop := stopped(ctx, "read "+s.URL()); stop != nil {
		return stop
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return verdict.Errorf(verdict.CodeCredentialsRefused,
			"let the account that runs the drill read this directory and its files",
			"read %s: %w", s.URL(), err)
	case errors.Is(err, fs.ErrNotExist):
		return verdict.Errorf(verdict.CodeStoreUnreachable, "is the disk mounted, and source.url right?",
			"read %s: there is no such directory", s.URL())
	case errors.Is(err, syscall.ENOTDIR):
		return verdict.Errorf(verdict.CodeSpec, "source.url names the directory, source.name the file",
			"read %s: it is not a directory", s.URL())
	}
	return verdict.Errorf(verdict.CodeStoreUnreachable, "look at the disk, the mount and the kernel's log",
		"read %s: %w", s.URL(), err)
}

// pinnedFile looks after every read whether the file is still the same, so
// that no byte of another version is handed on.
type pinnedFile struct {
	ctx     context.Context
	store   *fileStore
	object  Object
	file    *os.File
	section *io.SectionReader
}

func (r *pinnedFile) Read(p []byte) (int, error) {
	if err := stopped(r.ctx, "read "+r.store.URL()+r.object.Name); err != nil {
		return 0, err
	}
	n, err := r.section.Read(p)
	if changed := r.check(); changed != nil {
		return 0, changed
	}
	return n, err
}

func (r *pinnedFile) check() error {
	info, err := r.file.Stat()
	if err != nil {
		return fmt.Errorf("read %s%s: %w", r.store.URL(), r.object.Name, err)
	}
	if fileETag(info) != r.object.ETag {
		if grown(r.object.ETag, info) {
			return verdict.Errorf(verdict.CodeUnfinished, growingHint,
				"read %s%s: it is still being written: it had %d bytes when it was listed, and has %d now", r.store.URL(),
				r.object.Name, r.object.Size, info.Size())
		}
		return wasChanged(r.store, r.object,
			"the file was replaced or written to, or its owner, mode or links were changed,")
	}
	return nil
}

func (r *pinnedFile) Close() error { return r.file.Close() }
