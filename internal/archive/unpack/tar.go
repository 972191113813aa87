package unpack

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// tarBlock is what a tar is made of; two of zeros end it.
const tarBlock = 512

// Tar takes a tar apart into a directory of mode 0700 in dir, whose name begins
// with "archive-", and returns it with the names of its files. Errors are problems
// of the backup of that name, unless r has others; then nothing is left.
func Tar(name string, r *bufio.Reader, dir string) (to string, files []string, err error) {
	to, err = os.MkdirTemp(dir, "archive-*")
	if err != nil {
		return "", nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	files, err = tarInto(name, r, to)
	if err != nil {
		os.RemoveAll(to)
		return "", nil, err
	}
	return to, files, nil
}

func tarInto(name string, r *bufio.Reader, dir string) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", name, err)
	}
	defer root.Close()
	t := &taker{name: name, in: counted{r: r}, root: root, space: newSpace(name, dir)}
	t.tar = tar.NewReader(&t.in)
	if err := t.all(); err != nil {
		return nil, err
	}
	return t.files, nothingAfter(name, r)
}

// nothingAfter makes sure that nothing but zeros follows a tar.
func nothingAfter(name string, r *bufio.Reader) error {
	err := packed.Padding(r)
	_, known := errors.AsType[*verdict.Problem](err)
	switch {
	case errors.Is(err, packed.ErrAfterPadding):
		return verdict.Corrupt("read %s: something follows the end of the tar", name)
	case errors.Is(err, io.EOF), known:
		return ignoreEnd(err)
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// ignoreEnd is err, unless it is that there is no more.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// taker takes a tar apart.
type taker struct {
	name  string // of the backup
	in    counted
	tar   *tar.Reader
	root  *os.Root
	space *space
	pad   int64 // bytes that fill up the last member's block
	files []string
}

// counted counts what is read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// all takes every member out, and makes sure that the tar ends as one does.
func (t *taker) all() error {
	for {
		before := t.in.n
		h, err := t.tar.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			if t.in.n-before < t.pad+2*tarBlock {
				return verdict.Truncated("read %s: it ends after %d bytes without the zeros that end a tar",
					t.name, t.in.n)
			}
			return nil
		}
		if err == nil {
			err = t.member(h)
		}
		if err != nil {
			return t.explain(err)
		}
	}
}

// member takes one member out.
func (t *taker) member(h *tar.Header) error {
	switch {
	case h.Typeflag == tar.TypeXGlobalHeader, h.Typeflag == tar.TypeDir:
		t.pad = 0
		return nil
	case h.Typeflag != tar.TypeReg || sparse(h):
		return t.refuse("its member %s is no plain file, but %s", h.Name, tarKind(h))
	case strings.HasPrefix(h.Name, "/"), !filepath.IsLocal(h.Name), strings.Contains(h.Name, `\`):
		return t.refuse("its member %s would lie outside of where it is unpacked", h.Name)
	}
	name := path.Clean(h.Name)
	if folder := path.Dir(name); folder != "." {
		if err := t.root.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("unpack %s: %w", t.name, err)
		}
	}
	f, err := t.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return t.refuse("it holds two members of the name %s, and nothing tells which counts", h.Name)
	}
	if err != nil {
		return t.space.explain(err)
	}
	_, err = io.Copy(&roomyFile{f, t.space}, t.tar)
	if closed := t.space.explain(f.Close()); err == nil {
		err = closed
	}
	t.pad = -h.Size & (tarBlock - 1)
	t.files = append(t.files, name)
	return err
}

// roomyFile ends the writing before the disk is full.
type roomyFile struct {
	f     *os.File
	space *space
}

func (r *roomyFile) Write(p []byte) (int, error) { return r.space.write(r.f, p) }

// sparse tells members of which parts are left out.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// tarKind says what a member is.
func tarKind(h *tar.Header) string {
	switch h.Typeflag {
	case tar.TypeLink, tar.TypeSymlink:
		return "a link"
	case tar.TypeChar, tar.TypeBlock:
		return "a device"
	case tar.TypeFifo:
		return "a pipe"
	case tar.TypeReg, tar.TypeGNUSparse:
		return "one with holes"
	}
	return "of a kind that is not known here"
}

// refuse is an error about what pg_dump and tar of its directory do not write.
func (t *taker) refuse(format string, member string, args ...any) error {
	args = append([]any{verdict.Printable(member)}, args...)
	return verdict.Errorf(verdict.CodeUnsupported,
		"pack the directory that pg_dump -Fd wrote and nothing else: tar -C shop.dir -cf shop.tar .",
		"read %s: "+format, append([]any{t.name}, args...)...)
}

// explain says what an error means for the backup.
func (t *taker) explain(err error) error {
	_, known := errors.AsType[*verdict.Problem](err)
	switch {
	case known:
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return verdict.Truncated("read %s: it ends after %d bytes, in the middle of the tar", t.name, t.in.n)
	case errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
		return verdict.Corrupt("read %s: the tar is damaged near byte %d: %w", t.name, t.in.n, err)
	}
	return fmt.Errorf("read %s: %w", t.name, err)
}
