package archive

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"daybefore/internal/archive/unpack"
	"daybefore/internal/verdict"
)

// What pg_dump -Ft writes holds the files of a directory archive and a script of
// the schema, restore.sql, which no restore needs. So a tar is taken apart into a
// directory, whoever wrote it, and read as one.

// untar takes the tar apart into a directory of its own in dir, and reads that.
func (c *chain) untar(dir string, opts Options) (a *Archive, err error) {
	to, files, err := unpack.Tar(c.name, c.Reader, dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(to)
		}
	}()
	folder, err := folderOf(c.name, files)
	if err != nil {
		return nil, err
	}
	opts.Progress = nil // which told the tar's bytes
	a, err = readDirectory(c.src.ctx, filepath.Join(to, filepath.FromSlash(folder)), true, opts)
	if err != nil {
		return nil, err
	}
	a.Format = Tar
	return a, nil
}

// folderOf is where in a tar with such files the dump lies.
func folderOf(name string, files []string) (string, error) {
	contents := slices.DeleteFunc(slices.Clone(files), func(file string) bool { return path.Base(file) != tocFile })
	switch {
	case len(contents) == 1:
		return path.Dir(contents[0]), nil
	case len(contents) > 1:
		return "", verdict.Errorf(verdict.CodeUnsupported, "pack each dump by itself",
			"read %s: the tar holds %d dumps: %s", name, len(contents), verdict.Printable(strings.Join(contents, ", ")))
	case slices.ContainsFunc(files, func(file string) bool { return dataName(path.Base(file)) }):
		return "", verdict.Truncated(
			"read %s: the tar holds the rows of a dump, and lacks toc.dat, its table of contents", name)
	}
	return "", verdict.Errorf(verdict.CodeUnsupported, hintUnsupported,
		"read %s: it is a tar without toc.dat, so it holds no dump in directory or tar format", name)
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
