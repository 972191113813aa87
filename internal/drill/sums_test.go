package drill

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/archive"
	"daybefore/internal/catalog"
	"daybefore/internal/spec"
)

// Whoever does what the hint says has sums of all files, as a fetch reads them.
func TestTheHintOfSumsCanBeFollowed(t *testing.T) {
	t.Parallel()
	const directory, file = "(cd d-20260304 && LC_ALL=C sha256sum * > SHA256SUMS)", `sha256sum 'it'\''s-20260304' > 'it'\''s-20260304.sha256'`
	for _, c := range []struct {
		names []string
		want  string
	}{
		{[]string{"d-{time}"}, directory}, {[]string{"it's-{time}"}, file},
		{[]string{"it's-{time}", "d-{time}"}, file + " && " + directory},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "d-20260304"), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"d-20260304/toc.dat", "d-20260304/7.dat.gz", "it's-20260304"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		src := spec.Source{URL: "file://" + dir + "/", TimeLayout: "20060102"}
		if len(c.names) == 1 {
			src.Name = c.names[0]
		} else {
			src.Parts = c.names
		}
		store, err := catalog.Open(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		b, err := catalog.Choose(t.Context(), store, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		does := writeSums(b)
		if does != c.want {
			t.Errorf("%q, want %q", does, c.want)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", does)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", does, err, out)
		}
		b, err = catalog.Choose(t.Context(), store, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := catalog.Fetch(t.Context(), store, b, catalog.FetchOptions{Dir: t.TempDir(), Checksum: catalog.ChecksumRequired})
		if err != nil || !got.ChecksumVerified {
			t.Errorf("after %s: %+v, %v", does, got, err)
		}
	}
}

// Where only some of several files have sums, these were compared.
func TestSumsOfSome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const ofG = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // of nothing
	for name, text := range map[string]string{"g-20260304": "", "d-20260304": "x", "g-20260304.sha256": ofG} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := spec.Source{URL: "file://" + dir + "/", TimeLayout: "20060102", Parts: []string{"g-{time}", "d-{time}"}}
	store, err := catalog.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	b, err := catalog.Choose(t.Context(), store, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := catalog.Fetch(t.Context(), store, b, catalog.FetchOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	r := &run{Request: Request{Drill: &spec.Drill{}}, archive: &archive.Archive{}, backup: b}
	r.proof(got)
	if len(r.report.Checks) != 1 {
		t.Fatalf("%+v", r.report.Checks)
	}
	c := r.report.Checks[0]
	if c.Observed != "1 of 2 files has a sum" || !strings.HasPrefix(c.Message, "not all was compared: 1 of 2 files has a sum") {
		t.Errorf("%+v", c)
	}
}
