package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"daybefore/internal/pgtest"
	"daybefore/internal/verdict"
)

// members are the files in a tar, by name.
func members(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			files[strings.TrimPrefix(h.Name, "./")] = content
		}
	}
}

// folder writes files into a directory.
func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// gunzipped are the files of a directory, as pg_dump -Z0 writes them.
func gunzipped(t testing.TB, files map[string][]byte) map[string][]byte {
	t.Helper()
	bare := map[string][]byte{}
	for name, data := range files {
		if short, is := strings.CutSuffix(name, ".gz"); is {
			z, err := gzip.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			data, err = io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			name = short
		}
		bare[name] = data
	}
	return bare
}

func openFolder(t testing.TB, files map[string][]byte) (*Archive, error) {
	t.Helper()
	return Open(t.Context(), folder(t, files), Options{Name: "shop"})
}

// A directory says what a custom archive of the same database does, and so does a
// tar of it, whoever packed it.
func TestDirectoriesAndTars(t *testing.T) {
	t.Parallel()
	for i := range small {
		want := mustOpen(t, []byte(readFile(t, small[i])))
		packed := []byte(readFile(t, smallFolder[i]))
		dir, err := openFolder(t, members(t, packed))
		if err != nil {
			t.Fatal(err)
		}
		bare, err := openFolder(t, gunzipped(t, members(t, packed)))
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			a         *Archive
			format    Format
			unproven  string
			packing   string
			dataFiles int
		}{
			"directory":             {dir, Directory, tableOfContents, "gzip within", 4},
			"directory, not packed": {bare, Directory, "the rows and " + tableOfContents, "none", 4},
			"pg_dump -Ft":           {mustOpen(t, []byte(readFile(t, smallTars[i]))), Tar, "the rows and " + tableOfContents, "none", 4},
			"tar of a directory":    {mustOpen(t, packed), Tar, tableOfContents, "gzip within", 4},
			"tar.gz":                {mustOpen(t, gzipped(t, packed)), Tar, "", "gzip around gzip", 4},
			"tar.gz in zstd":        {mustOpen(t, zstded(t, gzipped(t, packed))), Tar, "", "zstd around gzip around gzip", 4},
		} {
			if c.a.Format != c.format || c.a.Unproven() != c.unproven || c.a.Packing() != c.packing || c.a.Database != "small" {
				t.Errorf("%s: %s, unproven %q, packing %q, database %q", name, c.a.Format, c.a.Unproven(), c.a.Packing(), c.a.Database)
			}
			if diff := gocmp.Diff(saidBy(want), saidBy(c.a)); diff != "" {
				t.Errorf("%s: entries differ from the custom archive's:\n%s", name, diff)
			}
			if err := c.a.CheckData(t.Context(), c.a.Entries...); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			for _, e := range c.a.Entries {
				if e.HadData != (e.DataSize > 0) {
					t.Errorf("%s: entry %s: had data %v, size %d", name, e.name(), e.HadData, e.DataSize)
				}
			}
		}
	}
}

// saidBy is what an archive's entries say that does not depend on how it is laid
// out; dump ids differ from one dump to the next.
func saidBy(a *Archive) (lines []string) {
	for _, e := range a.Entries {
		lines = append(lines, strings.Join([]string{e.Desc, e.Namespace, e.Tag, e.Owner, e.Section.String(), e.Defn, e.CopyStmt}, "|"))
	}
	return lines
}

// Nothing of a directory can be missing, cut or another table's without a word.
func TestBadDirectories(t *testing.T) {
	t.Parallel()
	packed := members(t, []byte(readFile(t, smallFolder[0])))
	bare := gunzipped(t, packed)
	newer := members(t, []byte(readFile(t, smallFolder[1])))
	with := func(files map[string][]byte, change func(map[string][]byte)) map[string][]byte {
		files = maps.Clone(files)
		change(files)
		return files
	}
	put := func(name string, data []byte) func(map[string][]byte) {
		return func(files map[string][]byte) { files[name] = data }
	}
	remove := func(name string) func(map[string][]byte) {
		return func(files map[string][]byte) { delete(files, name) }
	}
	toc := packed[tocFile]
	renamed := func(to string) func(map[string][]byte) {
		return put(tocFile, bytes.Replace(toc, []byte("3345.dat"), []byte(to), 1))
	}
	for name, c := range map[string]struct {
		files   map[string][]byte
		outcome verdict.Outcome
		code    verdict.Code
		says    string
	}{
		"no table of contents":    {with(packed, remove(tocFile)), verdict.Fail, verdict.CodeTruncated, "its table of contents"},
		"nothing at all":          {nil, verdict.Fail, verdict.CodeTruncated, "toc.dat"},
		"rows missing":            {with(packed, remove("3345.dat.gz")), verdict.Fail, verdict.CodeTruncated, "it lacks the file 3345.dat"},
		"rows of a table without": {with(packed, remove("3346.dat.gz")), verdict.Fail, verdict.CodeTruncated, "it lacks the file 3346.dat"},
		"large object missing":    {with(packed, remove("blob_777.dat.gz")), verdict.Fail, verdict.CodeTruncated, "it lacks the file blob_777.dat"},
		"list of large objects":   {with(packed, remove("blobs.toc")), verdict.Fail, verdict.CodeTruncated, "it lacks the file blobs.toc"},
		"newer list missing":      {with(newer, remove("blobs_3447.toc")), verdict.Fail, verdict.CodeTruncated, "it lacks the file blobs_3447.toc"},
		"an empty list":           {with(packed, put("blobs.toc", nil)), verdict.Fail, verdict.CodeTruncated, "lack 777"},
		"a newer empty list":      {with(newer, put("blobs_3447.toc", nil)), verdict.Fail, verdict.CodeTruncated, "lack 777"},
		"a list cut in a line":    {with(packed, put("blobs.toc", []byte("777 blob_777"))), verdict.Fail, verdict.CodeTruncated, "middle of a line"},
		"a list with a path":      {with(packed, put("blobs.toc", []byte("777 ../blob_777.dat\n"))), verdict.Fail, verdict.CodeCorrupt, "line 1"},
		"a list with another's":   {with(packed, put("blobs.toc", []byte("777 3345.dat\n"))), verdict.Fail, verdict.CodeCorrupt, "line 1"},
		"a list that repeats":     {with(packed, put("blobs.toc", []byte("777 blob_777.dat\n777 blob_777.dat\n"))), verdict.Fail, verdict.CodeCorrupt, "line 2"},
		"rows of another table": {with(packed, func(f map[string][]byte) {
			f["3346.dat.gz"], f["3345.dat.gz"] = f["3345.dat.gz"], f["3346.dat.gz"]
		}), verdict.Fail, verdict.CodeCorrupt, "it holds another table's"},
		"packed otherwise":          {with(packed, put("3345.dat.gz", zstded(t, bare["3345.dat"]))), verdict.Fail, verdict.CodeCorrupt, "not packed so"},
		"not packed at all":         {with(packed, put("3345.dat.gz", bare["3345.dat"])), verdict.Fail, verdict.CodeCorrupt, "not packed so"},
		"an empty packed file":      {with(packed, put("3345.dat.gz", nil)), verdict.Fail, verdict.CodeCorrupt, "not packed so"},
		"an empty file":             {with(bare, put("3345.dat", nil)), verdict.Fail, verdict.CodeTruncated, "without the mark"},
		"both packed and not":       {with(packed, put("3345.dat", bare["3345.dat"])), verdict.Error, verdict.CodeUnsupported, "both 3345.dat and 3345.dat.gz"},
		"a name with a path":        {with(packed, renamed("../3.dat")), verdict.Fail, verdict.CodeCorrupt, `"../3.dat"`},
		"a name of another's":       {with(packed, renamed("3346.dat")), verdict.Fail, verdict.CodeCorrupt, "pg_dump would write 3345.dat"},
		"more after the contents":   {with(packed, put(tocFile, append(slices.Clone(toc), 'x'))), verdict.Fail, verdict.CodeCorrupt, "more bytes follow"},
		"a custom archive in place": {with(packed, put(tocFile, []byte(readFile(t, small[0])))), verdict.Fail, verdict.CodeCorrupt, "layout 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := openFolder(t, c.files)
			wantProblem(t, err, c.outcome, c.code, c.says)
		})
	}
	a, err := openFolder(t, with(packed, put("2222.dat.gz", packed["3345.dat.gz"])))
	if err != nil || len(a.Notes) != 1 || !strings.Contains(a.Notes[0].Message, "2222.dat.gz") {
		t.Errorf("a file too many: %v, %+v", err, a)
	}
	if a, err := openFolder(t, with(packed, put("SHA256SUMS", []byte("x")))); err != nil || len(a.Notes) > 0 {
		t.Errorf("a file of sums beside: %v, %+v", err, a)
	}
	link := folder(t, with(packed, remove("3345.dat.gz")))
	if err := os.Symlink("/etc/passwd", filepath.Join(link, "3345.dat.gz")); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), link, Options{})
	wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, "no file of its own")
}

// No file of a directory that ends early passes, wherever it was cut: save a
// large object that is not packed, of which nothing tells how long it is.
func TestTruncatedDirectory(t *testing.T) {
	t.Parallel()
	packed := members(t, []byte(readFile(t, smallFolder[0])))
	for how, files := range map[string]map[string][]byte{"packed": packed, "bare": gunzipped(t, packed)} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, files)
			for name, whole := range files {
				if name == "blob_777.dat" {
					continue
				}
				for _, n := range cuts(len(whole), how == "packed") {
					if err := os.WriteFile(filepath.Join(dir, name), whole[:n], 0o600); err != nil {
						t.Fatal(err)
					}
					_, err := Open(t.Context(), dir, Options{})
					if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Outcome != verdict.Fail {
						t.Errorf("%s cut to %d of %d bytes: %v", name, n, len(whole), err)
					}
				}
				if err := os.WriteFile(filepath.Join(dir, name), whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Open(t.Context(), dir, Options{}); err != nil {
				t.Errorf("whole again: %v", err)
			}
		})
	}
}

// Every format of real servers is read, with each compression within, by names
// that need all quoting there is; pg_restore of the version restores what Open
// calls whole.
func TestRealDirectories(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			c.Exec("postgres", readFile(t, "testdata/nasty.sql"))
			variants := map[string][]string{"": {}, "-Z0": {"-Z0"}, "inserts": {"--inserts"}, "inserts -Z0": {"--inserts", "-Z0"},
				"data only": {"--data-only"}, "schema only": {"--schema-only"}}
			if name == "17" {
				variants["lz4"] = []string{"--compress=lz4"}
				variants["zstd"] = []string{"--compress=zstd:3"}
			}
			for variant, args := range variants {
				args = append([]string{"-d", nastyDB}, args...)
				checkDirectory(t, c, variant, c.DumpDirectory(args...))
			}
			checkNasty(t, mustOpen(t, c.Dump("-Ft", "-d", nastyDB)))
		})
	}
}

func checkDirectory(t *testing.T, c *pgtest.Cluster, variant string, packed []byte) {
	t.Helper()
	a := mustOpen(t, packed)
	if a.Database != nastyDB || a.Format != Tar || len(a.Notes) > 0 {
		t.Errorf("%s: %+v, %v", variant, a.Header, a.Notes)
	}
	h, err := Peek(t.Context(), bytes.NewReader(packed), nil)
	if err != nil || h.Format != Tar || h.Database != "" && h.Database != nastyDB {
		t.Errorf("%s: peek: %+v, %v", variant, h, err)
	}
	toc := members(t, packed)[tocFile]
	h, err = Peek(t.Context(), bytes.NewReader(toc), nil)
	if err != nil || h.Format != Directory || h.Database != nastyDB || h.Created != a.Created || h.ServerMajor != a.ServerMajor {
		t.Errorf("%s: peek at %s: %+v, %v", variant, tocFile, h, err)
	}
	_, err = openAlone(t, toc)
	wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, "whose rows lie in other files")
}

func openAlone(t *testing.T, data []byte) (*Archive, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), path, Options{})
}
