package history_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/history"
	"daybefore/internal/spec"
)

// Drills are found here and in the store, whatever else lies there.
func TestDrills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"shop@eu", "shop@us", "shopping", "blog@eu"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	store := t.TempDir()
	for _, name := range []string{"shop@asia/1/report.json", "shop@eu/2/report.json", "shop@else/report.json", "blog@x/3/report.json", "shop@file"} {
		path := filepath.Join(store, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		dir   string
		store history.Store
		want  []string
	}{
		{dir, nil, []string{"shop@eu", "shop@us"}},
		{dir, shelf(t, spec.Source{URL: "file://" + store + "/"}), []string{"shop@asia", "shop@eu", "shop@us"}},
		{filepath.Join(dir, "absent"), nil, nil},
	} {
		got, err := history.Drills(t.Context(), c.dir, c.store, "shop@")
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%v -want +got:\n%s", err, diff)
		}
	}
}
