package catalog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func TestDatabases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, pattern string
		files, want   []string
	}{
		{"before the time", "shop-{database}-{time}.dump", []string{"shop-eu-20261121.dump", "shop-eu-20261122.dump", "shop-eu-west-20261121.dump",
			"shop-us-20261121.dump.sha256", "shop-latest.dump", "blog-x-20261121.dump", "shop-20261121.dump"}, []string{"eu", "eu-west"}},
		{"after it", "{time}/{database}.dump", []string{"20261121/eu.dump", "20261121/Shop EU.dump", "20261121/größe.dump", "20261122/eu.dump", "x/y.dump"},
			[]string{"Shop EU", "eu", "größe"}},
		{"in folders", "{database}/{time}.dump", []string{"eu/20261121.dump", "us/20261122.dump", "20261122.dump", "a/b/20261122.dump"}, []string{"eu", "us"}},
		{"without a time", "{database}.dump", []string{"eu.dump", "us.dump", "us.sql"}, []string{"eu", "us"}},
		{"with a star", "*-{database}-{time}.dump", []string{"a-eu-20261121.dump", "b-eu-20261121.dump"}, []string{"eu"}},
		{"with signs of a regular expression", "s.(p)-{database}+{time}.dump", []string{"s.(p)-eu+20261121.dump", "sx(p)-us+20261121.dump"}, []string{"eu"}},
		{"directories", "{database}-{time}", []string{"eu-20261121/toc.dat", "us-20261121/toc.dat"}, []string{"eu", "us"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Databases(t.Context(), folderWith(t, c.pattern, c.files))
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v -want +got:\n%s", err, diff)
			}
		})
	}
	for name, files := range map[string][]string{"an empty store": nil, "no time that can be read": {"shop-eu-2026.dump"}} {
		got, err := Databases(t.Context(), folderWith(t, "shop-{database}-{time}.dump", files))
		if p := verdict.AsProblem(err); err == nil || p.Code != verdict.CodeNoBackup || p.Outcome != verdict.Fail {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// folderWith is a folder of files as a source.
func folderWith(t *testing.T, pattern string, files []string) spec.Source {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return spec.Source{URL: "file://" + dir + "/", Name: pattern, TimeLayout: "20060102"}
}

// What is left in the store is another database's, and not a misspelled backup of
// the one that is gone.
func TestOnlyAnotherDatabaseIsLeft(t *testing.T) {
	t.Parallel()
	eu := spec.Source{Name: "shop-eu-{time}.dump", TimeLayout: "20060102",
		Siblings: []string{"shop-{database}-{time}.dump"}, Known: []string{"eu", "us"}}
	p := mustPattern(t, eu)
	for name, want := range map[string]bool{"shop-us-20261121.dump": false, "shop-ue-20261121.dump": true} {
		if e := p.near(name, p.nearPattern()); (e != nil) != want {
			t.Errorf("%s is near: %t, want %t", name, e != nil, want)
		}
	}
}

// The backups of eu-west are none of eu, whose pattern takes "west-…" for a
// time that cannot be read.
func TestBackupsOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	eu := spec.Source{Name: "shop-eu-{time}.dump", TimeLayout: "20060102", Siblings: []string{"shop-{database}-{time}.dump"}, Others: []string{"eu-west"}}
	for name, want := range map[string]bool{"shop-eu-20261121.dump": true, "shop-eu-west-20261121.dump": false} {
		_, ok, err := mustPattern(t, eu).match(name)
		if ok != want || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
	if _, ok, err := mustPattern(t, eu).match("shop-eu-copy-20261121.dump"); !ok || err == nil {
		t.Error("what is nobody's may be the newest backup")
	}
	eu.Name = ""
	eu.Parts = []string{"shop-eu-{time}.sql", "shop-eu-{time}.dump"}
	eu.Siblings = []string{"shop-{database}-{time}.sql", "shop-{database}-{time}.dump"}
	ps, err := newPatterns(eu)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := ps[1].match("shop-eu-west-20261121.dump"); ok || err != nil {
		t.Error("a part of another database's")
	}
}
