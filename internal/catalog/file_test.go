package catalog

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/machine"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func openDir(t *testing.T, dir string) Store {
	t.Helper()
	return openLinked(t, dir, spec.LinksRefuse)
}

func openLinked(t *testing.T, dir, links string) Store {
	t.Helper()
	store, err := Open(t.Context(), spec.Source{URL: "file://" + dir, Links: links})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func listError(t *testing.T, dir string) error {
	t.Helper()
	for _, err := range openDir(t, dir).List(t.Context(), "", false) {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestFileRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	wantProblem(t, listError(t, filepath.Join(dir, "nowhere")), verdict.Error, verdict.CodeStoreUnreachable, dir, "no such directory")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, listError(t, file), verdict.Error, verdict.CodeSpec, "not a directory")
}

func TestFilePermission(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		err := (&fileStore{dir: "/x"}).problem(t.Context(), &os.PathError{Op: "open", Path: "/x", Err: syscall.EACCES})
		wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused) // root is refused nothing
		return
	}
	dir := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(dir, 0o000); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, listError(t, dir), verdict.Error, verdict.CodeCredentialsRefused, dir)
}

// TestFileLinks: links out of the store are followed where that is allowed,
// and what is no file is told for what it is instead of being passed over.
func TestFileLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	elsewhere := t.TempDir()
	openDir := func(t *testing.T, dir string) Store { return openLinked(t, dir, spec.LinksFollow) }
	if err := os.WriteFile(filepath.Join(elsewhere, "real"), []byte("real"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"good-1": filepath.Join(elsewhere, "real"), "dangling-2": filepath.Join(elsewhere, "none"),
		"folder-3": elsewhere} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "fifo-4"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := list(t, openDir(t, dir), "", true)
	wantNames(t, all, "dangling-2", "fifo-4", "folder-3", "good-1")
	if all["good-1"].Size != 4 || all["good-1"].Not != "" {
		t.Errorf("%+v", all)
	}
	for _, c := range []struct {
		newest  string
		outcome verdict.Outcome
		code    verdict.Code
		says    string
	}{
		{"fifo-4", verdict.Error, verdict.CodeUnsupported, "is no regular file"},
		{"folder-3", verdict.Error, verdict.CodeUnsupported, "is a directory"},
		{"dangling-2", verdict.Fail, verdict.CodeNotAnArchive, "is a link that points nowhere"},
	} {
		_, err := Choose(t.Context(), openDir(t, dir), spec.Source{Name: "*-{time}", TimeLayout: "2"}, nil)
		wantProblem(t, err, c.outcome, c.code, c.newest, c.says)
		_, err = Choose(t.Context(), openDir(t, dir), spec.Source{Name: c.newest}, textHeader)
		wantProblem(t, err, c.outcome, c.code, c.newest, c.says)
		if err := os.Remove(filepath.Join(dir, c.newest)); err != nil {
			t.Fatal(err)
		}
	}
	b, err := Choose(t.Context(), openDir(t, dir), spec.Source{Name: "*-{time}", TimeLayout: "2"}, nil)
	if err != nil || b.Name != "good-1" {
		t.Errorf("chose %+v, %v", b, err)
	}
}

// TestFileWrittenInPlace: the same file, grown or changed, is another version.
func TestFileWrittenInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	if err := os.WriteFile(path, noise(1000), 0o600); err != nil {
		t.Fatal(err)
	}
	store := openDir(t, dir)
	o := list(t, store, "x", false)["x"]
	r, err := store.ReadRange(t.Context(), o, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		t.Fatal(err)
	}
	_, err = r.Read(make([]byte, 10))
	wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, "written to")
}

func TestDiskSpace(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "x"), noise(1000), 0o600); err != nil {
		t.Fatal(err)
	}
	store := openDir(t, source)
	_, err := fetch(t, store, "x", FetchOptions{Dir: dir, spaceOf: func(string) (machine.Space, error) { return machine.Space{Free: 999}, nil }})
	wantProblem(t, err, verdict.Error, verdict.CodeDiskSpace, "1000 bytes", "999 are available", dir)

	huge := list(t, store, "x", false)["x"]
	huge.Size = 1 << 60
	_, err = Fetch(t.Context(), store, Backup{Object: huge}, FetchOptions{Dir: dir})
	wantProblem(t, err, verdict.Error, verdict.CodeDiskSpace)

	err = whatFull("fetch x", &os.PathError{Op: "write", Path: dir, Err: syscall.ENOSPC})
	wantProblem(t, err, verdict.Error, verdict.CodeDiskSpace, "filled up")
	wantFiles(t, dir, 0)
}

// A format that this version does not read is not broken, and no reason to
// remove a backup.
func TestAnUnsupportedBackupKeepsItsOwnHint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.dump"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := spec.Source{URL: "file://" + dir, Name: "*.dump", Location: time.UTC}
	store, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	const hint = "dump it otherwise"
	_, err = Choose(t.Context(), store, src, func(io.Reader) (time.Time, error) {
		return time.Time{}, verdict.Errorf(verdict.CodeUnsupported, hint, "of another format")
	})
	if p := verdict.AsProblem(err); p.Code != verdict.CodeUnsupported || p.Hint != hint {
		t.Errorf("%+v", p)
	}
}
