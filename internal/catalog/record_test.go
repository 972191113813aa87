package catalog

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func testRecord(t *testing.T, f fixture) {
	f.put(t, "log 1.jsonl.1", []byte("an older one"))
	f.put(t, "folder/log", []byte("another"))
	_, err := openRecord(t.Context(), f.store, spec.Source{}, "log 1.jsonl", "witness.url")
	wantProblem(t, err, verdict.Error, verdict.CodeWitness, "log 1.jsonl: there is no such file")
	_, err = openRecord(t.Context(), f.store, spec.Source{}, "folder", "witness.url")
	wantProblem(t, err, verdict.Error, verdict.CodeWitness, "folder: it is a directory")
	f.put(t, "log 1.jsonl", noise(1<<20))
	r, err := openRecord(t.Context(), f.store, spec.Source{}, "log 1.jsonl", "witness.url")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != string(noise(1<<20)) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	r, err = openRecord(t.Context(), f.store, spec.Source{}, "log 1.jsonl", "witness.url")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f.put(t, "log 1.jsonl", []byte("replaced"))
	_, err = io.ReadAll(r)
	want := verdict.CodeChangedMeanwhile
	if f.loose {
		want = verdict.CodeProgram
	}
	wantProblem(t, err, verdict.Error, want, "log 1.jsonl")
}

func TestOpenRecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a b%.csv"), []byte("id"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := OpenRecord(t.Context(), spec.Source{URL: "file://" + dir + "/a%20b%25.csv"}, "witness.url")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "id" {
		t.Errorf("%q, %v", got, err)
	}
	_, err = OpenRecord(t.Context(), spec.Source{URL: "file://" + dir + "/nope/log"}, "witness.url")
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "there is no such directory")
	if hint := verdict.AsProblem(err).Hint; !strings.Contains(hint, "witness.url") {
		t.Errorf("the hint names another key: %s", hint)
	}
}
