package pgtest

import (
	"os"
	"path/filepath"
	"testing"
)

// What initdb made is given to the next server, which has it for itself.
func TestClustersAreMadeOnce(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	const identifier = "select system_identifier from pg_control_system()"
	first := Server(t)
	first.Exec("postgres", "create table mine()")
	second := Server(t)
	one := first.Query("postgres", identifier)
	if two := second.Query("postgres", identifier); two != one {
		t.Errorf("initdb made %s and %s", one, two)
	}
	if got := second.Query("postgres", "select to_regclass('mine') is null"); got != "t" {
		t.Error("two servers have one table")
	}
	kept, err := filepath.Glob(filepath.Join(cache, "daybefore-tools", "clusters", "*.tar"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept: %q, %v", kept, err)
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	if third := Server(t); third.Query("postgres", identifier) == first.Query("postgres", identifier) {
		t.Error("a cluster that was not kept was given")
	}
}
