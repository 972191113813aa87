package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Keys of S3 may begin with a slash: they lie in no folder that a name means.
func TestKeysThatBeginWithASlash(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	for _, name := range []string{"20261121T030000Z/toc.dat", "odd"} {
		if err := server.Put(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	store := openServer(t, server.Behind(t, edit("<Key>odd", "<Key>/a/odd")), "")
	b, err := Choose(t.Context(), store, timed("{time}"), nil)
	if err != nil || b.Name != "20261121T030000Z" {
		t.Errorf("chose %q, %v", b.Name, err)
	}
}

// A program's names lead below one folder, and mean one backup each.
func TestNamesThatLeadElsewhere(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"/backups/shop.dump", "./shop.dump", "a//shop.dump", "../shop.dump", "a/../shop.dump"} {
		src := script(fmt.Sprintf(`echo '[".", "..", "./.", %q]'`, name), "true")
		_, err := Choose(t.Context(), opened(t, src), timed("*{time}*"), nil)
		wantProblem(t, err, verdict.Error, verdict.CodeProgram, `holds the name "`+name+`"`)
	}
	src := script(`echo '[".", "..", "./.", "shop-20261120T030000Z.dump"]'`, "true")
	if b, err := Choose(t.Context(), opened(t, src), src, nil); err != nil || len(b.All) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	src = script("yes x | head -n 1000001", "true")
	_, err := Choose(t.Context(), opened(t, src), src, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "more than 1000000 names")
}

// Two names of one file are not written over one another.
func TestNamesOfOnePlace(t *testing.T) {
	t.Parallel()
	f := folder(t)
	f.putAll(t, "d/toc.dat", "d/x/y")
	files := []Object{{Name: "d/toc.dat", Size: 9}, {Name: "d/x/y", Size: 5}, {Name: "d/x//y", Size: 5}}
	b, is := Backup{Object: Object{Name: "d"}}.directory(files)
	if !is {
		t.Fatal("no directory")
	}
	_, err := Fetch(t.Context(), f.store, b, FetchOptions{Dir: t.TempDir(), policy: quick})
	wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, `"x//y"`)
}

// Folders of an SFTP server within one another have an end.
func TestFoldersWithoutEnd(t *testing.T) {
	t.Parallel()
	server, dir := sshdFolder(t)
	if err := os.MkdirAll(filepath.Join(dir, strings.Repeat("d/", 33)), 0o755); err != nil {
		t.Fatal(err)
	}
	store := opened(t, sftpSource(server, dir))
	_, err := Choose(t.Context(), store, spec.Source{Name: "*/shop-{time}.dump", TimeLayout: "20060102T150405Z"}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "more than 32 folders within one another")
}

// What is missing of a set may still come where nothing tells when the rest did.
func TestASetHalfUploaded(t *testing.T) {
	t.Parallel()
	const night = "20261121T030000Z"
	lists := script("echo a-"+night+".sql", "true")
	src := parted("a-{time}.sql", "b-{time}.dump")
	src.Exec = lists.Exec
	b, err := ChooseBy(t.Context(), opened(t, src), src, Choice{Now: time.Now()}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeUnfinished, "does not tell when the rest came")
	if b.Name != "a-"+night+".sql" || b.ETag != "" {
		t.Errorf("beside the error: %q, %q", b.Name, b.ETag)
	}
	dir := t.TempDir()
	at := filepath.Join(dir, "a-"+night+".sql")
	if err := os.WriteFile(at, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	src = parted("a-{time}.sql", "b-{time}.dump")
	src.URL = storetest.StartWeb(t, dir, true).URL + "/"
	_, err = ChooseBy(t.Context(), opened(t, src), src, Choice{Now: time.Now()}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeUnfinished, "ago, so the rest may be on its way")
	if err := os.Chtimes(at, shopWritten, shopWritten); err != nil {
		t.Fatal(err)
	}
	b, err = ChooseBy(t.Context(), opened(t, src), src, Choice{Now: time.Now()}, nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeUnfinished, "b-{time}.dump is missing")
	if b.ETag == "" {
		t.Error("no mark, though the server tells one of each file")
	}
	var asked []Entry
	_, err = ChooseBy(t.Context(), opened(t, src), src, Choice{By: ByProof, Drilled: func(e Entry) (time.Time, bool) {
		asked = append(asked, e)
		return time.Time{}, false
	}}, nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeUnfinished)
	if len(asked) != 1 || asked[0].Name != b.Name || asked[0].ETag != "" {
		t.Errorf("history is asked for %+v: the server's page tells no mark, and history holds %q", asked, b.ETag)
	}
}

// A name's last part names a backup only where no other one is called so too.
func TestNamesInFolders(t *testing.T) {
	t.Parallel()
	f := folder(t)
	const one, two = "20261121T030000Z", "20261122T030000Z"
	f.putAll(t, one+"/shop.dump", two+"/shop.dump", one+"/only.dump", "20261123T030000Z/x")
	src := timed("{time}/*.dump")
	_, err := ChooseBy(t.Context(), f.store, src, Choice{By: ByName, Name: "shop.dump"}, nil)
	wantProblem(t, err, verdict.Error, verdict.CodeSpec, `2 are "shop.dump"`, one+"/shop.dump", two+"/shop.dump")
	for name, want := range map[string]string{two + "/shop.dump": two + "/shop.dump", "only.dump": one + "/only.dump"} {
		b, err := ChooseBy(t.Context(), f.store, src, Choice{By: ByName, Name: name}, nil)
		if err != nil || b.Name != want {
			t.Errorf("%s: chose %q, %v", name, b.Name, err)
		}
	}
}

// A file of sums of which nobody tells the size is read to its end, or not at all.
func TestSumsWithoutEnd(t *testing.T) {
	t.Parallel()
	const name = "shop-20261120T030000Z.dump"
	src := script(`printf '%s\n' `+name+" "+name+".sha256",
		`case $1 in *.sha256) yes "`+sum([]byte(shopTime))+"  "+name+`" | head -c 1100000;; *) printf '`+shopTime+`';; esac`)
	store := opened(t, src)
	b, err := Choose(t.Context(), store, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir(), Checksum: ChecksumRequired})
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, got.Doubt, verdict.Error, verdict.CodeChecksum, "more than 1048576 bytes")
}
