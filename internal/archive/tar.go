package archive

import (
	"archive/tar"
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

// What pg_dump -Ft writes holds the files of a directory archive and a script of
// the schema, restore.sql, which no restore needs. So a tar is taken apart into a
// directory, whoever wrote it, and read as one.

// tarBlock is what a tar is made of; two of zeros end it.
const tarBlock = 512

// taker takes a tar apart.
type taker struct {
	name  string // of the backup
	in    counted
	tar   *tar.Reader
	root  *os.Root
	dir   string
	space *space
	pad   int64  // bytes that fill up the last member's block
	base  string // the folder that toc.dat lies in
	found bool
	data  bool // something is called as the files beside toc.dat are
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

// untar takes the tar apart into a directory of its own in dir, and reads that.
func (c *chain) untar(dir string, opts Options) (a *Archive, err error) {
	to, err := os.MkdirTemp(dir, "archive-*")
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", c.name, err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(to)
		}
	}()
	root, err := os.OpenRoot(to)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", c.name, err)
	}
	defer root.Close()
	t := &taker{name: c.name, in: counted{r: c}, root: root, dir: to, space: newSpace(c.name, to)}
	t.tar = tar.NewReader(&t.in)
	if err := t.all(); err != nil {
		return nil, err
	}
	if err := c.behind(); err != nil {
		return nil, err
	}
	if !t.found && t.data {
		return nil, verdict.Truncated("read %s: the tar holds the rows of a dump, and lacks toc.dat, its table of contents",
			c.name)
	}
	if !t.found {
		return nil, verdict.Errorf(verdict.CodeUnsupported, hintUnsupported,
			"read %s: it is a tar without toc.dat, so it holds no dump in directory or tar format", c.name)
	}
	opts.Progress = nil // which told the tar's bytes
	a, err = readDirectory(c.src.ctx, filepath.Join(to, filepath.FromSlash(t.base)), true, opts)
	if err != nil {
		return nil, err
	}
	a.Format = Tar
	return a, nil
}

// behind makes sure that nothing but zeros follows a tar.
func (c *chain) behind() error {
	err := packed.Padding(c.Reader)
	switch {
	case errors.Is(err, packed.ErrBehindPadding):
		return verdict.Corrupt("read %s: something follows the end of the tar", c.name)
	case !errors.Is(err, io.EOF):
		return c.broken(err)
	}
	return nil
}

// broken is why a tar could not be read on.
func (c *chain) broken(err error) error {
	if _, ok := errors.AsType[*verdict.Problem](err); ok {
		return err
	}
	return fmt.Errorf("read %s: %w", c.name, err)
}

// all takes every member out, and makes sure that the tar ends as one does.
func (t *taker) all() error {
	for {
		before := t.in.n
		h, err := t.tar.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			if t.in.n-before < t.pad+2*tarBlock {
				return verdict.Truncated("read %s: it ends after %d bytes without the zeros that end a tar", t.name, t.in.n)
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
	folder, file := path.Split(name)
	if file == tocFile {
		if t.found {
			return t.refuse("it holds a second dump, %s beside one in another folder", h.Name)
		}
		t.found, t.base = true, path.Clean(folder)
	}
	t.data = t.data || dataName(file)
	if folder != "" {
		if err := t.root.MkdirAll(path.Clean(folder), 0o700); err != nil {
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

// peekTar reads the header out of toc.dat, if it stands in the first bytes.
func peekTar(name string, r io.Reader) (Header, error) {
	h := Header{Format: Tar}
	t := tar.NewReader(r)
	for {
		member, err := t.Next()
		if err != nil {
			return h, nil // Open tells what is wrong
		}
		if path.Base(member.Name) != tocFile {
			continue
		}
		told, err := peekArchive(name+", "+tocFile, t)
		p, ok := errors.AsType[*verdict.Problem](err)
		if ok && p.Code == verdict.CodeTruncated {
			return h, nil
		}
		told.Format = Tar
		return told, err
	}
}

// beginsTar tells a tar by its first header; one that ends within it, only as
// pg_dump's, which begins with toc.dat.
func beginsTar(head []byte) bool {
	const magicAt = 257
	if len(head) < magicAt+len("ustar") {
		return begins(head, tocFile+"\x00") && len(head) >= len(tocFile)
	}
	return string(head[magicAt:magicAt+len("ustar")]) == "ustar"
}
