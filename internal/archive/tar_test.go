package archive

import (
	"archive/tar"
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// tarred packs files as a program other than pg_dump does.
func tarred(t testing.TB, format tar.Format, files ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range files {
		h.Format, h.Mode = format, 0o600
		data := []byte(h.Uname) // in place of a field for it
		h.Uname = ""
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
			h.Size = int64(len(data))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); h.Size > 0 && err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// asMembers are the files of a directory below a prefix, in an order of their names.
func asMembers(files map[string][]byte, prefix string) (all []tar.Header) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		all = append(all, tar.Header{Name: prefix + name, Uname: string(files[name])})
	}
	return all
}

// Whoever packs the directory may put a folder in front, or the table of contents
// last, in any of tar's formats.
func TestTarsOfDirectories(t *testing.T) {
	t.Parallel()
	files := members(t, []byte(readFile(t, smallFolder[0])))
	long := "a-folder-with-a-name-that-is-longer-than-the-field-of-an-old-header-which-takes-a-hundred-bytes-of-it/and/more/"
	for name, data := range map[string][]byte{
		"ustar":              tarred(t, tar.FormatUSTAR, asMembers(files, "")...),
		"pax, dot":           tarred(t, tar.FormatPAX, asMembers(files, "./")...),
		"gnu, folder":        tarred(t, tar.FormatGNU, asMembers(files, "shop/")...),
		"gnu, long folder":   tarred(t, tar.FormatGNU, asMembers(files, long)...),
		"pax, long folder":   tarred(t, tar.FormatPAX, asMembers(files, long)...),
		"folders of its own": tarred(t, tar.FormatGNU, append([]tar.Header{{Name: "shop/", Typeflag: tar.TypeDir}}, asMembers(files, "shop/")...)...),
		"other files beside": tarred(t, tar.FormatGNU, append(asMembers(files, "./shop/"), tar.Header{Name: "README", Uname: "x"})...),
	} {
		a := mustOpen(t, data)
		if a.Format != Tar || a.Database != "small" || a.Unproven() != tableOfContents {
			t.Errorf("%s: %+v, unproven %q", name, a.Header, a.Unproven())
		}
		if _, err := os.Stat(filepath.Join(a.Path, tocFile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

const tarBlock = 512

func TestBadTars(t *testing.T) {
	t.Parallel()
	files := members(t, []byte(readFile(t, smallFolder[0])))
	whole := tarred(t, tar.FormatGNU, asMembers(files, "")...)
	with := func(more ...tar.Header) []byte {
		return tarred(t, tar.FormatGNU, append(asMembers(files, ""), more...)...)
	}
	damaged := bytes.Clone(whole)
	damaged[512+150] ^= 1 // in the first header after the first member's
	for i := 0; i < len(damaged); i += tarBlock {
		if bytes.HasPrefix(damaged[i:], []byte(tocFile)) {
			damaged[i+130] ^= 1
		}
	}
	for name, c := range map[string]struct {
		data    []byte
		outcome verdict.Outcome
		code    verdict.Code
		says    string
	}{
		"a link":               {with(tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), verdict.Error, verdict.CodeUnsupported, "a link"},
		"a hard link":          {with(tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: tocFile}), verdict.Error, verdict.CodeUnsupported, "a link"},
		"a device":             {with(tar.Header{Name: "x", Typeflag: tar.TypeBlock}), verdict.Error, verdict.CodeUnsupported, "a device"},
		"a pipe":               {with(tar.Header{Name: "x", Typeflag: tar.TypeFifo}), verdict.Error, verdict.CodeUnsupported, "a pipe"},
		"a way out":            {with(tar.Header{Name: "../x", Uname: "x"}), verdict.Error, verdict.CodeUnsupported, "outside of where"},
		"a way out within":     {with(tar.Header{Name: "a/../../x", Uname: "x"}), verdict.Error, verdict.CodeUnsupported, "outside of where"},
		"an absolute name":     {with(tar.Header{Name: "/tmp/x", Uname: "x"}), verdict.Error, verdict.CodeUnsupported, "outside of where"},
		"two of one name":      {with(tar.Header{Name: "./" + tocFile, Uname: "x"}), verdict.Error, verdict.CodeUnsupported, "two members"},
		"two files":            {with(tar.Header{Name: "./blobs.toc", Uname: "x"}), verdict.Error, verdict.CodeUnsupported, "two members"},
		"two dumps":            {with(asMembers(files, "other/")...), verdict.Error, verdict.CodeUnsupported, "holds 2 dumps"},
		"no dump":              {tarred(t, tar.FormatGNU, tar.Header{Name: "notes", Uname: "x"}), verdict.Error, verdict.CodeUnsupported, "without toc.dat"},
		"something after it":   {append(bytes.Clone(whole), "junk"...), verdict.Fail, verdict.CodeCorrupt, "something follows"},
		"another tar after it": {append(bytes.Clone(whole), whole...), verdict.Fail, verdict.CodeCorrupt, "something follows"},
		"a member missing":     {tarred(t, tar.FormatGNU, asMembers(files, "")[1:]...), verdict.Fail, verdict.CodeTruncated, "it lacks the file"},
		"no toc.dat":           {tarred(t, tar.FormatGNU, asMembers(files, "")[:3]...), verdict.Fail, verdict.CodeTruncated, "lacks toc.dat"},
		"a damaged header":     {damaged, verdict.Fail, verdict.CodeCorrupt, "the tar is damaged"},
		"no zeros":             {whole[:len(whole)-2*tarBlock], verdict.Fail, verdict.CodeTruncated, "without the zeros"},
		"half the zeros":       {whole[:len(whole)-tarBlock], verdict.Fail, verdict.CodeTruncated, "without the zeros"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for how, data := range map[string][]byte{"bare": c.data, "gzip": gzipped(t, c.data)} {
				spools := t.TempDir()
				path := filepath.Join(t.TempDir(), "backup")
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := Open(t.Context(), path, Options{Dir: spools})
				wantProblem(t, err, c.outcome, c.code, c.says)
				if left, err := os.ReadDir(spools); err != nil || len(left) > 0 {
					t.Errorf("%s: %d spools are left after a failure (%v)", how, len(left), err)
				}
			}
		})
	}
}

// A tar that ends anywhere before its own end is truncated: cut around each block's
// edge, and here and there within; dev:matrix cuts closer.
func TestTruncatedTar(t *testing.T) {
	t.Parallel()
	for _, path := range []string{smallTars[0], smallTars[1], smallFolder[0]} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			whole := []byte(readFile(t, path))
			file, spools := filepath.Join(t.TempDir(), "backup"), t.TempDir()
			end := len(bytes.TrimRight(whole, "\x00"))
			end += -end&(tarBlock-1) + 2*tarBlock
			for n := 1; n < end; n++ {
				if edge := (n + 1) % tarBlock; edge > 2 && n%101 > 0 && !(testneed.Matrix() && n%7 == 0) {
					continue
				}
				if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
					t.Fatal(err)
				}
				_, err := Open(t.Context(), file, Options{Dir: spools})
				if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Outcome != verdict.Fail {
					t.Errorf("cut to %d of %d bytes: %v", n, len(whole), err)
				}
			}
		})
	}
}
