package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func parted(names ...string) spec.Source {
	return spec.Source{Parts: names, TimeLayout: "20060102T150405Z"}
}

// testSets: the files of a directory archive, or of parts, are one backup.
func testSets(t *testing.T, f fixture) {
	const night = "shop-20261121T030000Z"
	f.put(t, "shop-20261120T030000Z.dump", []byte("older, one file"))
	f.putAll(t, night+"/toc.dat", night+"/3.dat.gz", night+"/1.dat.gz", night+"/blobs_7.toc")
	f.put(t, night+"/2.dat.gz", noise(40_000))
	b, err := Choose(t.Context(), f.store, timed("shop-{time}*"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range b.Objects {
		names = append(names, strings.TrimPrefix(o.Name, night+"/"))
	}
	if got := strings.Join(names, " "); b.Name != night || got != "1.dat.gz 2.dat.gz 3.dat.gz blobs_7.toc toc.dat" {
		t.Errorf("chose %q of %q", b.Name, got)
	}
	if head := b.Heads(); len(head) != 1 || head[0].Name != night+"/toc.dat" {
		t.Errorf("its heads: %+v", head)
	}
	dir := t.TempDir()
	got, err := Fetch(t.Context(), f.store, b, FetchOptions{Dir: dir, policy: quick, PartSize: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(got.Path, "3.dat.gz"))
	if err != nil || string(text) != night+"/3.dat.gz" {
		t.Errorf("fetched %q, %v", text, err)
	}
	text, err = os.ReadFile(filepath.Join(got.Path, "2.dat.gz"))
	if err != nil || sum(text) != sum(noise(40_000)) {
		t.Errorf("the large file: %d bytes, %v", len(text), err)
	}
	lines := ""
	for _, name := range names {
		data := []byte(night + "/" + name)
		if name == "2.dat.gz" {
			data = noise(40_000)
		}
		lines += sum(data) + "  " + name + "\n"
	}
	if got.SHA256 != sum([]byte(lines)) || got.Size < 40_000 || b.Size >= 0 && got.Size != b.Size {
		t.Errorf("its sum %s of %d bytes, want %s of %d", got.SHA256, got.Size, sum([]byte(lines)), b.Size)
	}
	testParts(t, f)
}

func testParts(t *testing.T, f fixture) {
	f.putAll(t, "globals-20261121T030000Z.sql", "db-20261121T030000Z.dump", "globals-20261122T030000Z.sql",
		"db-20261122T030000Z/toc.dat", "db-20261122T030000Z/1.dat")
	src := parted("globals-{time}.sql", "db-{time}*")
	b, err := Choose(t.Context(), f.store, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := "globals-20261122T030000Z.sql + db-20261122T030000Z"; b.Name != want || len(b.Objects) != 3 ||
		named(b.All) != want+" globals-20261121T030000Z.sql + db-20261121T030000Z.dump" {
		t.Errorf("chose %q of %q, %d objects", b.Name, named(b.All), len(b.Objects))
	}
	got, err := Fetch(t.Context(), f.store, b, FetchOptions{Dir: t.TempDir(), policy: quick})
	if err != nil || len(got.Files) != 2 {
		t.Fatalf("fetched %+v, %v", got, err)
	}
	text, err := os.ReadFile(filepath.Join(got.Files[1], "toc.dat"))
	if err != nil || string(text) != "db-20261122T030000Z/toc.dat" {
		t.Errorf("fetched %q, %v", text, err)
	}
	f.putAll(t, "globals-20261123T030000Z.sql", "db-20261124T030000Z.dump")
	_, err = ChooseBy(t.Context(), f.store, src, Choice{}, nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeUnfinished, "globals-{time}.sql is missing", "2026-11-24T03:00:00Z")
	f.put(t, "globals-20261124T030000Z.sql", nil)
	f.put(t, "globals-20261125T030000Z.sql", nil)
	_, err = ChooseBy(t.Context(), f.store, src, Choice{}, nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeUnfinished, "db-{time}* is missing", "cannot be restored as a whole")
}

// testSums: one file may hold the sums of many, and of a directory's files.
func testSums(t *testing.T, f fixture) {
	if strings.HasPrefix(f.store.URL(), "exec:") {
		return // a program is not asked for them
	}
	const one, two = "shop-20261121T030000Z.dump", "shop-20261122T030000Z.dump"
	f.putAll(t, one, two)
	f.put(t, "MD5SUMS", []byte(strings.Repeat("0a", 16)+"  "+one+"\n"))
	f.put(t, "SHA256SUMS", fmt.Appendf(nil, "%s  %s\n%s *./%s\n", sum([]byte(one)), one, strings.Repeat("0b", 32), "other"))
	got, err := fetch(t, f.store, one, FetchOptions{Dir: t.TempDir()})
	if err != nil || !got.ChecksumVerified || got.Compared != "SHA-256" {
		t.Errorf("verified by the stronger of two: %+v, %v", got, err)
	}
	got, err = fetch(t, f.store, two, FetchOptions{Dir: t.TempDir()})
	if want := "SHA256SUMS (without a sum of it) and MD5SUMS (without a sum of it)"; err != nil || got.Unread != want {
		t.Errorf("of another: %+v, %v; want unread %q", got, err, want)
	}
	const dir = "blog-20261123T030000Z"
	f.putAll(t, dir+"/toc.dat", dir+"/1.dat")
	f.put(t, dir+"/SHA256SUMS", fmt.Appendf(nil, "%s  toc.dat\n%s  1.dat\n", sum([]byte(dir+"/toc.dat")), sum([]byte(dir+"/1.dat"))))
	b, err := Choose(t.Context(), f.store, timed("blog-{time}"), nil)
	if err != nil || len(b.Objects) != 2 {
		t.Fatalf("chose %+v, %v", b, err)
	}
	set, err := Fetch(t.Context(), f.store, b, FetchOptions{Dir: t.TempDir(), policy: quick, Checksum: ChecksumRequired})
	if err != nil || !set.ChecksumVerified {
		t.Errorf("of a directory: %+v, %v", set, err)
	}
	f.put(t, dir+"/1.dat", []byte("damaged"))
	b, err = Choose(t.Context(), f.store, timed("blog-{time}"), nil)
	if err != nil {
		t.Fatal(err)
	}
	spool := t.TempDir()
	_, err = Fetch(t.Context(), f.store, b, FetchOptions{Dir: spool, policy: quick})
	wantProblem(t, err, verdict.Fail, verdict.CodeChecksum, dir+"/1.dat")
	wantFiles(t, spool, 0)
}

func folder(t *testing.T) fixture {
	t.Helper()
	dir := t.TempDir()
	store, err := Open(t.Context(), spec.Source{URL: "file://" + dir + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return fixture{store: store, put: func(t *testing.T, name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	f := folder(t)
	src := timed("shop-{time}.dump")
	for day := 1; day <= 9; day++ {
		f.putAll(t, fmt.Sprintf("shop-2026110%dT030000Z.dump", day))
	}
	day := func(n int) string { return fmt.Sprintf("shop-2026110%dT030000Z.dump", n) }
	drilled := map[string]struct {
		day    int
		proven bool
	}{day(1): {20, true}, day(2): {21, false}, day(3): {12, true}, day(4): {13, true}, day(6): {14, true}, day(7): {15, true},
		day(8): {16, true}, day(9): {17, true}}
	known := func(e Entry) (time.Time, bool) {
		d, is := drilled[e.Name]
		if !is {
			return time.Time{}, false
		}
		return time.Date(2026, 11, d.day, 4, 0, 0, 0, time.UTC), d.proven
	}
	for _, c := range []struct {
		choice    Choice
		want, why string
	}{
		{Choice{By: ByName, Name: day(4)}, day(4), "it was named"},
		{Choice{By: ByTime, Before: time.Date(2026, 11, 3, 3, 0, 0, 0, time.UTC)}, day(2), "newest before 2026-11-03T03:00:00Z"},
		{Choice{By: ByProof, Drilled: known}, day(5), "never drilled, and 2 of 9"},
		{Choice{By: ByProof}, day(1), "never drilled, and 9 of 9"},
		{Choice{}, day(9), ""},
	} {
		b, err := ChooseBy(t.Context(), f.store, src, c.choice, nil)
		if err != nil || b.Name != c.want || !strings.Contains(b.Why, c.why) {
			t.Errorf("%+v: %s (%s), %v; want %s (%s)", c.choice, b.Name, b.Why, err, c.want, c.why)
		}
	}
	drilled[day(5)] = drilled[day(2)]
	drilled[day(2)] = drilled[day(9)]
	if b, err := ChooseBy(t.Context(), f.store, src, Choice{By: ByProof, Drilled: known}, nil); err != nil || b.Name != day(5) {
		t.Errorf("the one that failed comes before those that were proven: %s, %v", b.Name, err)
	}
	drilled[day(5)] = drilled[day(9)]
	if b, err := ChooseBy(t.Context(), f.store, src, Choice{By: ByProof, Drilled: known}, nil); err != nil || b.Name != day(3) {
		t.Errorf("of all proven the one whose drill is longest ago: %s, %v", b.Name, err)
	}
	seen := map[string]bool{}
	for range 300 {
		b, err := ChooseBy(t.Context(), f.store, src, Choice{By: ByChance}, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen[b.Name] = true
	}
	if len(seen) != 9 {
		t.Errorf("300 times at random: %d of 9", len(seen))
	}
	_, err := ChooseBy(t.Context(), f.store, src, Choice{By: ByName, Name: "shop-20261105T030000Z.dumb"}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, "of 9 that match source.name none")
	_, err = ChooseBy(t.Context(), f.store, src, Choice{By: ByTime, Before: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, "none of 9 was taken before", day(1))
}

// A set of which one file has nothing that tells a version tells none.
func TestMarksOfSets(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)
	sure := Object{Name: "a", Size: 1, ETag: "5f-1", ModTime: at}
	for _, tc := range []struct {
		other Object
		want  bool
	}{
		{Object{Name: "b", Size: 1, ETag: "v"}, true},
		{Object{Name: "b", Size: 1, ModTime: at}, true},
		{Object{Name: "b", Size: 1}, false},
		{Object{Name: "b", Size: 1, ETag: "W/1-0"}, false},
	} {
		if got := summary("a + b", []Object{sure, tc.other}); Versioned(got.ETag) != tc.want {
			t.Errorf("%+v: the set's mark is %s", tc.other, got.ETag)
		}
	}
}

// TestStillWritten: what a program is writing to is told apart from what was cut
// off.
func TestStillWritten(t *testing.T) {
	t.Parallel()
	f := folder(t)
	name := "shop-20261121T030000Z.dump"
	f.putAll(t, name)
	b, err := Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := StillWritten(t.Context(), f.store, b); err != nil {
		t.Errorf("nobody writes it: %v", err)
	}
	path := filepath.Join(strings.TrimPrefix(f.store.URL(), "file://"), name)
	w, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	err = StillWritten(t.Context(), f.store, b)
	wantProblem(t, err, verdict.Error, verdict.CodeUnfinished, "a program has it open")
	if _, err := w.WriteString("more"); err != nil {
		t.Fatal(err)
	}
	err = StillWritten(t.Context(), f.store, b)
	wantProblem(t, err, verdict.Error, verdict.CodeUnfinished, "had 26 bytes when it was listed, and has 30 now")
	_, err = Fetch(t.Context(), f.store, b, FetchOptions{Dir: t.TempDir(), policy: quick})
	wantProblem(t, err, verdict.Error, verdict.CodeUnfinished, "still being written")
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	f := folder(t)
	f.putAll(t, "shop-20261121T030000Z.dump", "shop-20261120T030000Z.dump.part", "shop-20261122T030000Z.dump.part",
		"shop-20261122T040000Z.dump.0a1b2c3d.partial", "shop-20261122T050000Z.dump.filepart", "shop-x.dump.tmp")
	for _, pattern := range []string{"shop-{time}.dump", "shop-{time}.dump*"} {
		b, err := Choose(t.Context(), f.store, timed(pattern), nil)
		if err != nil || b.Name != "shop-20261121T030000Z.dump" || len(b.Unfinished) != 3 {
			t.Errorf("%s: %s beside %+v, %v", pattern, b.Name, b.Unfinished, err)
		}
	}
	b, err := Choose(t.Context(), f.store, timed("shop-{time}.dump.part"), nil)
	if err != nil || b.Name != "shop-20261122T030000Z.dump.part" {
		t.Errorf("where backups are called so: %+v, %v", b.Name, err)
	}
	f.putAll(t, "blog-20261123T030000Z/1.dat", "blog-20261123T030000Z/2.dat")
	_, err = Choose(t.Context(), f.store, timed("blog-{time}"), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeUnfinished, "blog-20261123T030000Z/toc.dat is missing")
	_, err = ChooseBy(t.Context(), f.store, timed("blog-{time}"), Choice{Now: time.Now()}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeUnfinished, "may be on its way")
}

func TestLocal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"shop-20261121T030000Z.dump": "x", "mine.dump": "2026-11-20 03:00:00", "cut": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, from := range map[string]string{"shop-20261121T030000Z.dump": FromName, "mine.dump": FromHeader} {
		store, b, err := Local(t.Context(), filepath.Join(dir, name), timed("nightly/shop-{time}.dump"), textHeader)
		if err != nil || b.Name != name || b.TimeFrom != from {
			t.Fatalf("%s: %+v, %v", name, b, err)
		}
		store.Close()
	}
	_, _, err := Local(t.Context(), filepath.Join(dir, "none.dump"), timed("shop-{time}.dump"), textHeader)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, "there is no file")
	_, _, err = Local(t.Context(), filepath.Join(dir, "cut"), timed("shop-{time}.dump"), textHeader)
	wantProblem(t, err, verdict.Fail, verdict.CodeNotAnArchive, "cut")
}

// A folder that is no directory archive is told as what it is, and one that has
// lost its list as a backup that is not whole.
func TestLocalFolders(t *testing.T) {
	t.Parallel()
	for want, files := range map[string][]string{"it is empty": nil, "it holds a.dump, b.dump": {"a.dump", "b.dump"},
		"it holds a, b, c and 1 more": {"a", "b", "c", "d"}, "12.dat": {"12.dat"}} {
		dir := t.TempDir()
		for _, name := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := Local(t.Context(), dir, timed("shop-{time}.dump"), textHeader)
		if want == "12.dat" {
			wantProblem(t, err, verdict.Fail, verdict.CodeUnfinished, "toc.dat is missing")
			continue
		}
		wantProblem(t, err, verdict.Error, verdict.CodeSpec, "no directory archive", want)
	}
}
