package spec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBaseline(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "drills"), 0o700); err != nil {
		t.Fatal(err)
	}
	path := write(t, filepath.Join(home, "drills"), "shop.yaml", drillFile("expectations: {schema: {baseline: drills/shop.schema.json, on_removed: warn}}"))
	if _, err := testLoader.Load(path); err == nil || !strings.Contains(err.Error(), "shop.schema.json is not there") {
		t.Errorf("a missing baseline: %v", err)
	}
	unread, err := Loader{LookupEnv: testEnv, WithoutBaseline: true}.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	want := &Baseline{File: "drills/shop.schema.json", Path: filepath.Join(home, "drills/shop.schema.json"), OnAdded: "warn", OnRemoved: "warn",
		OnChanged: "fail", Pos: Pos{Line: 3, Column: 16}}
	if diff := cmp.Diff(want, unread.Expectations.Schema); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	s := NewStructure(17, "salt")
	s.Objects["column public.a.b"] = "integer, not null, <x>"
	first := keep(t, want.Path, s)
	read, err := testLoader.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, read.Expectations.Schema.Structure); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.Objects["column public.a.c"] = "integer"
	if keep(t, want.Path, s) == first {
		t.Error("the file did not change")
	}
	again, err := testLoader.Load(path)
	if err != nil || again.SHA256 == read.SHA256 || unread.SHA256 == read.SHA256 {
		t.Errorf("another baseline, and the drill's digest is the same (%v)", err)
	}
}

func keep(t *testing.T, path string, s *Structure) string {
	t.Helper()
	text, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNoBaseline(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              "not a baseline: unexpected end",
		"[]":                            "not a baseline: json",
		"{}":                            "not a baseline of version 1",
		`{"version": 2, "salt": "s"}`:   "not a baseline of version 1",
		`{"version": 1}`:                "it holds no objects",
		`{"version": 1, "objects": {}}`: "it holds no objects",
	} {
		if _, err := ParseStructure([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
