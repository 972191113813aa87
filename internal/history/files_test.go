package history_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"daybefore/internal/history"
	"daybefore/internal/verdict"
)

// testCopies wants a file of each run, from every place that has it, and of no
// other drill.
func testCopies(t *testing.T, s place) {
	dir := t.TempDir()
	beside := func(text string) map[string][]byte { return map[string][]byte{"evidence.json": []byte(text)} }
	old, both, here := report("shop", 0, verdict.Pass), report("shop", 1, verdict.Fail), report("shop", 2, verdict.Pass)
	for _, r := range []*verdict.Report{old, both} {
		if err := history.SaveTo(t.Context(), s, r, beside("there "+r.Run)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []*verdict.Report{both, here} {
		if err := history.Save(dir, r, beside("here "+r.Run)); err != nil {
			t.Fatal(err)
		}
	}
	s.put("shop@eu/"+old.Run+"/evidence.json", "of another drill")
	s.put("shop/20000101T000000Z-0000/evidence.json", "without a report")
	want := []string{"here " + here.Run, "here " + both.Run, "there " + both.Run, "there " + old.Run, "without a report"}
	var got []string
	for c, err := range history.Copies(t.Context(), dir, s, "shop", "evidence.json") {
		if err := errors.Join(err, c.Err); err != nil {
			t.Fatal(err)
		}
		got = append(got, string(c.Bytes))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for c, err := range history.Copies(t.Context(), t.TempDir(), nil, "shop", "evidence.json") {
		t.Errorf("where nothing is kept: %v, %v", c, err)
	}
}

// What is there and cannot be read is told with its run.
func TestCopyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := report("shop", 0, verdict.Pass)
	if err := history.Save(dir, r, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "shop", r.Run, "evidence.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	found := 0
	for c, err := range history.Copies(t.Context(), dir, nil, "shop", "evidence.json") {
		found++
		damaged, is := errors.AsType[*history.DamagedError](c.Err)
		if err != nil || c.Run != r.Run || !is || !strings.HasSuffix(damaged.Path, "evidence.json") {
			t.Errorf("%+v, %v", c, err)
		}
	}
	if found != 1 {
		t.Errorf("%d copies were found", found)
	}
}

// Of several processes that keep what names the one before, none forgets
// another's, and each may keep a report meanwhile.
func TestChained(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	chain := ""
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			err := history.Chained(t.Context(), dir, "shop", func() {
				before := chain
				if err := history.Save(dir, report("shop", i, verdict.Pass), nil); err != nil {
					t.Error(err)
				}
				chain = before + fmt.Sprintf("%d ", i)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(strings.Fields(chain)); n != 20 {
		t.Errorf("%d of 20 are in the chain", n)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	kept := false
	if err := history.Chained(t.Context(), file, "shop", func() { kept = true }); err == nil || !kept {
		t.Errorf("where no folder can be made: kept %v, %v", kept, err)
	}
}
