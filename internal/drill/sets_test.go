package drill_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// extract lays the files of a tar into a folder.
func extract(t *testing.T, archive []byte, dir string) {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, filepath.Base(h.Name)), text)
	}
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A directory archive as it lies in a store, and parts, are drilled as one
// backup is.
func TestSetsAreDrilledAsOne(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", planted)
	store := t.TempDir()
	extract(t, source.DumpDirectory("postgres"), filepath.Join(store, "d-20260304"))
	for name, args := range map[string][]string{
		"c-20260304.schema": {"-Fc", "-s", "postgres"}, "c-20260304.rows": {"-Fc", "-a", "postgres"},
		"p-20260304.schema.sql": {"-s", "postgres"}, "p-20260304.rows.sql": {"-a", "postgres"},
	} {
		put(t, filepath.Join(store, name), source.Dump(args...))
	}
	for source, format := range map[string]string{
		`name: "d-{time}"`: "directory",
		`parts: ["c-{time}.schema", "c-{time}.rows"]`:         "custom",
		`parts: ["p-{time}.schema.sql", "p-{time}.rows.sql"]`: "plain",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(plantedDrill(store, true), `name: "*.dump"`,
				source+`, time: "20060102", time_tolerance: 999999h`, 1)
			r := run(t, t.Context(), load(t, sandbox.Local, text))
			if r.Outcome != verdict.Pass {
				t.Fatalf("%s\n%s", r.Outcome, worst(r))
			}
			if r.Backup.Format != format || r.Backup.Files < 2 || r.Backup.Chosen != "newest" || r.Backup.SizeBytes == 0 {
				t.Errorf("%+v", r.Backup)
			}
		})
	}
}

// What is asked for is told, is judged against its own time, and leaves the
// store unjudged.
func TestAnotherBackupIsChosen(t *testing.T) {
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", planted)
	store := t.TempDir()
	dump := source.Dump("-Fc", "postgres")
	for _, day := range []string{"20260302", "20260303", "20260304"} {
		put(t, filepath.Join(store, "p-"+day+".dump"), dump)
	}
	half := filepath.Join(store, "p-20260305.dump.part")
	put(t, half, dump[:100])
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(half, long, long); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(plantedDrill(store, true), `name: "*.dump"`,
		`name: "p-{time}.dump", time: "20060102", time_tolerance: 999999h`, 1)
	for name, c := range map[string]struct {
		ask          func(*drill.Request)
		want, chosen string
		outcome      verdict.Outcome
	}{
		"newest": {func(*drill.Request) {}, "p-20260304.dump", "newest", verdict.Warn},
		"named": {func(q *drill.Request) { q.Choice = catalog.Choice{By: catalog.ByName, Name: "p-20260302.dump"} },
			"p-20260302.dump", "named", verdict.Pass},
		"before": {func(q *drill.Request) {
			q.Choice = catalog.Choice{By: catalog.ByTime, Before: time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)}
		}, "p-20260303.dump", "before", verdict.Pass},
		"local": {func(q *drill.Request) { q.Local = filepath.Join(store, "p-20260303.dump") }, "p-20260303.dump", "local",
			verdict.Pass},
		"a copy that is not there": {func(q *drill.Request) { q.Copy = 1 }, "", "copy 1", verdict.Error},
		"without its key": {func(q *drill.Request) {
			q.Choice = catalog.Choice{By: catalog.ByName, Name: "p-20260302.dump"}
			q.Drill.Source.Decrypt = &spec.Decrypt{AgeIdentity: []byte("none")}
		}, "", "named", verdict.Error},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, t.Context(), load(t, sandbox.Local, text), c.ask)
			b := r.Backup
			if r.Outcome != c.outcome || b.Name != c.want || b.Chosen != c.chosen {
				t.Errorf("%s of %s, %s\n%s", r.Outcome, b.Name, b.Chosen, worst(r))
			}
			if b.Name != "" && b.IsNewest() != (b.ChosenWhy == "") {
				t.Errorf("chosen %s because %q", b.Chosen, b.ChosenWhy)
			}
			if stands := r.Inventory.Backups > 0; stands != b.IsNewest() && c.outcome != verdict.Error {
				t.Errorf("the store was judged: %v, %+v", stands, r.Inventory)
			}
			told := false
			for _, check := range r.Checks {
				told = told || check.ID == "unfinished:p-20260305.dump.part"
			}
			if told != (name == "newest") {
				t.Errorf("half a file beside it is told: %v", told)
			}
		})
	}
}

// A backup that was chosen and cannot be drilled is named, so that the choice
// of one that was not drilled lately goes on to another.
func TestABackupThatLacksAPartIsNamed(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	const there = "a-20260304.sql"
	put(t, filepath.Join(store, there), []byte("-- the other part is missing"))
	text := strings.Replace(plantedDrill(store, true), `name: "*.dump"`,
		`parts: ["a-{time}.sql", "b-{time}.sql"], time: "20060102"`, 1)
	r := run(t, t.Context(), load(t, sandbox.Local, text),
		func(q *drill.Request) { q.Choice = catalog.Choice{By: catalog.ByProof} })
	b := r.Backup
	if r.Outcome != verdict.Error || b.Name != there || b.ETag == "" || b.ChosenWhy == "" || b.TakenAt.IsZero() {
		t.Errorf("%s of %+v\n%s", r.Outcome, b, worst(r))
	}
}
