package spec

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/spec/folder"
)

// A drill file that is not drilled is told, whatever hides it; what is none is
// not.
func TestStrays(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "drills")
	elsewhere := t.TempDir()
	put := func(path, text string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"shop.yaml", "blog.yml", "team/a.yaml", "team/b/c.yml", "team/D.YAML", "Mail.YML", "notes.yaml.txt", "folder.yaml/x.yaml",
		".hidden.yaml", ".git/y.yaml", "shop.yaml~", "shop.yaml.bak", "#shop.yaml#", ".shop.yaml.swp", "a/b/c/d/e/f/deep.yaml", "team/.z.yaml", "README",
	} {
		put(filepath.Join(dir, name), drillFile())
	}
	put(filepath.Join(dir, "team", "compose.yaml"), "version: 1\nservices: {db: {image: x}}\n")
	put(filepath.Join(dir, "team", "broken.yaml"), "source: [\n")
	put(filepath.Join(elsewhere, "linked.yaml"), drillFile())
	if err := errors.Join(os.Symlink(elsewhere, filepath.Join(dir, "link")), os.Symlink("/absent", filepath.Join(dir, "nowhere")),
		os.Symlink(filepath.Join(dir, "team"), filepath.Join(elsewhere, "round"))); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range folder.Strays(dir) {
		got = append(got, strings.ReplaceAll(s.String(), dir, "drills"))
	}
	const below, ending = ": not drilled: only files that lie in drills itself are; move it to drills/",
		": not drilled: its name does not end in .yaml; rename it to drills/"
	want := []string{
		"drills/Mail.YML" + ending + "mail.yaml",
		"drills/folder.yaml/x.yaml" + below + "x.yaml",
		"drills/folder.yaml: not drilled: it is a folder, and is called as a drill file; rename it, or put a drill file in its place",
		"drills/link/linked.yaml" + below + "linked.yaml",
		"drills/notes.yaml.txt" + ending + "notes.yaml",
		"drills/team/D.YAML" + below + "d.yaml",
		"drills/team/a.yaml" + below + "a.yaml",
		"drills/team/b/c.yml" + below + "c.yaml",
		"drills/team/broken.yaml" + below + "broken.yaml",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if all := folder.Strays(filepath.Join(dir, "absent")); all != nil {
		t.Error(all)
	}
}

// A file that is listed and cannot be read is a mistake with its hint, and
// none makes the reader wait.
func TestUnreadableDrillFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := errors.Join(os.Symlink("gone.yaml", filepath.Join(dir, "dangling.yaml")), os.Symlink("round.yaml", filepath.Join(dir, "round.yaml")),
		syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o644), os.Symlink(".", filepath.Join(dir, "self.yaml"))); err != nil {
		t.Fatal(err)
	}
	all, err := LoadAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, f := range all {
		if f.Err != nil {
			said[f.Name] = f.Err.Error()
		}
	}
	for name, want := range map[string]string{
		"dangling": "it is a link to gone.yaml, which is not there: put the file back, or remove the link",
		"pipe":     "is not a file", "self": "is not a file", "round": "too many levels",
	} {
		if !strings.Contains(said[name], want) {
			t.Errorf("%s: %s, want %s", name, said[name], want)
		}
	}
	if hint := folder.Readable("x.yaml", os.ErrPermission); hint != "let this user read it" {
		t.Error(hint)
	}
}
