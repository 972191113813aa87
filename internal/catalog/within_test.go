package catalog

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// linked is a store with links of every kind, beside a folder that is none of
// its business.
func linked(t *testing.T) (store, outside string) {
	t.Helper()
	top := t.TempDir()
	store = filepath.Join(top, "store")
	outside = filepath.Join(top, "store-other")
	must(t, os.MkdirAll(filepath.Join(store, "sub"), 0o700), os.MkdirAll(outside, 0o700),
		os.WriteFile(filepath.Join(store, "real"), []byte("inside"), 0o600),
		os.WriteFile(filepath.Join(store, "sub", "deep"), []byte("deeper"), 0o600),
		os.WriteFile(filepath.Join(outside, "secret"), []byte("outside"), 0o600))
	for name, target := range map[string]string{
		"relative": "real", "up-and-down": "sub/../real", "absolute": filepath.Join(store, "real"), "chain": "absolute",
		"around": "../store/real", "deep-link": "sub/deep", "sub/upward": "../real", "folder": "sub",

		"out-relative": "../store-other/secret", "out-absolute": filepath.Join(outside, "secret"), "out-chain": "out-relative",
		"out-folder": outside, "out-root": "/", "out-parent": "..", "sub/out": "../../store-other/secret", "out-proc": "/proc/self/environ",
		"out-sub": "sub/out", "loop": "loop", "nowhere": "none", "nowhere-absolute": filepath.Join(store, "none"), "nowhere-chain": "nowhere-absolute",
		"out-nowhere": filepath.Join(outside, "none"), "out-nowhere-chain": "out-nowhere", "out-folder-nowhere": "out-folder/none",
	} {
		must(t, os.Symlink(target, filepath.Join(store, name)))
	}
	return store, outside
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// Links that stay within the store are as good as files; those that leave it
// are told, and never read.
func TestLinksOutOfTheStoreAreRefused(t *testing.T) {
	t.Parallel()
	dir, _ := linked(t)
	must(t, os.Remove(filepath.Join(dir, "loop")))
	alias := filepath.Join(filepath.Dir(dir), "alias")
	must(t, os.Symlink("store", alias))
	for _, root := range []string{dir, alias} { // the store itself may be a link
		store := openDir(t, root)
		all := list(t, store, "", true)
		for name, text := range map[string]string{
			"real": "inside", "relative": "inside", "up-and-down": "inside", "absolute": "inside", "chain": "inside", "around": "inside",
			"deep-link": "deeper", "sub/upward": "inside", "sub/deep": "deeper",
		} {
			r, err := store.ReadRange(t.Context(), all[name], 0, all[name].Size)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			b, err := io.ReadAll(r)
			if string(b) != text || err != nil {
				t.Errorf("%s holds %q, %v", name, b, err)
			}
			r.Close()
		}
		for _, name := range []string{"out-relative", "out-absolute", "out-chain", "out-folder", "out-root", "out-parent", "out-proc", "out-sub", "sub/out",
			"out-nowhere", "out-nowhere-chain", "out-folder-nowhere"} {
			if o := all[name]; o.Not != OutsideLink || o.Size != 0 || o.ETag != "" {
				t.Errorf("%+v", o)
			}
			_, err := store.ReadRange(t.Context(), Object{Name: name, Size: 7}, 0, 7)
			wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, "leads out of the store")
		}
		for name, is := range map[string]NotFile{"folder": Folder, "nowhere": DanglingLink, "nowhere-absolute": DanglingLink, "nowhere-chain": DanglingLink} {
			if all[name].Not != is {
				t.Errorf("%s: %+v", name, all[name])
			}
		}
		for _, name := range []string{"out-relative", "out-folder"} {
			_, err := Choose(t.Context(), store, spec.Source{Name: name}, textHeader)
			wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, name, "leads out of the store")
			if hint := verdict.AsProblem(err).Hint; hint != linkHint {
				t.Errorf("%s", hint)
			}
		}
	}
}

// A side file tells nothing where it lies elsewhere.
func TestASideFileIsNoLinkOutOfTheStore(t *testing.T) {
	t.Parallel()
	dir, outside := linked(t)
	must(t, os.Remove(filepath.Join(dir, "loop")),
		os.WriteFile(filepath.Join(outside, "sum"), []byte("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), 0o600),
		os.Symlink(filepath.Join(outside, "sum"), filepath.Join(dir, "real.sha256")))
	_, err := fetch(t, openDir(t, dir), "real", FetchOptions{Dir: t.TempDir()})
	wantProblem(t, err, verdict.Error, verdict.CodeChecksum, "leads out of the store")
}

// What takes a listed file's place is not read: a link out of the store, a
// folder in a folder's name, a pipe that nobody writes into.
func TestSwappedBetweenListingAndOpening(t *testing.T) {
	t.Parallel()
	for name, swap := range map[string]func(dir, outside, at string) error{
		"a link to a file": func(_, outside, at string) error { return os.Symlink(filepath.Join(outside, "secret"), at) },
		"a relative link":  func(_, _, at string) error { return os.Symlink("../../store-other/secret", at) },
		"a link of its folder": func(dir, outside, at string) error {
			return errors.Join(os.Remove(filepath.Dir(at)), os.Symlink(outside, filepath.Dir(at)),
				os.WriteFile(filepath.Join(outside, "x"), []byte("deeper"), 0o600))
		},
		"a hard link of another": func(_, outside, at string) error { return os.Link(filepath.Join(outside, "secret"), at) },
		"a pipe":                 func(_, _, at string) error { return syscall.Mkfifo(at, 0o600) },
		"a folder":               func(_, _, at string) error { return os.Mkdir(at, 0o700) },
		"nothing":                func(string, string, string) error { return nil },
	} {
		for _, links := range []string{spec.LinksRefuse, spec.LinksFollow} {
			t.Run(name+"/"+links, func(t *testing.T) {
				t.Parallel()
				dir, outside := linked(t)
				at := filepath.Join(dir, "a", "x")
				must(t, os.Remove(filepath.Join(dir, "loop")), os.Mkdir(filepath.Dir(at), 0o700), os.WriteFile(at, []byte("deeper"), 0o600))
				store := openLinked(t, dir, links)
				o := list(t, store, "a/", true)["a/x"]
				must(t, os.Remove(at), swap(dir, outside, at))
				_, err := store.ReadRange(t.Context(), o, 0, 6)
				wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile)
			})
		}
	}
}

// A link that loops keeps nobody waiting, and is told.
func TestALoopOfLinks(t *testing.T) {
	t.Parallel()
	dir, _ := linked(t)
	wantProblem(t, listError(t, dir), verdict.Error, verdict.CodeStoreUnreachable, "too many links")
}

// A history is written within its folder, whatever links were put there.
func TestAHistoryIsNotWrittenElsewhere(t *testing.T) {
	t.Parallel()
	for _, links := range []string{spec.LinksRefuse, spec.LinksFollow} {
		dir, outside := linked(t)
		must(t, os.Remove(filepath.Join(dir, "loop")), os.Symlink(outside, filepath.Join(dir, "shop")))
		f, err := OpenShelf(t.Context(), spec.Source{URL: "file://" + dir, Links: links})
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Put(t.Context(), "shop/run/report.json", []byte("{}")); err == nil {
			t.Error("a report was written through a link out of the history")
		}
		if _, err := os.Stat(filepath.Join(outside, "run")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a folder was made outside: %v", err)
		}
		if err := f.Put(t.Context(), "bot/run/report.json", []byte("{}")); err != nil {
			t.Error(err)
		}
		if err := f.Put(t.Context(), "bot/run/report.json", []byte("[]")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a report was replaced: %v", err)
		}
		for _, text := range []string{"one", "two"} {
			if err := f.Replace(t.Context(), "bot/run/report.json", []byte(text)); err != nil {
				t.Error(err)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "bot", "run", "report.json")); err != nil || string(got) != text {
				t.Errorf("%q stands there, %v", got, err)
			}
		}
		if err := f.Replace(t.Context(), "shop/RECOVERY.md", []byte("x")); err == nil {
			t.Error("a page was written through a link out of the folder")
		}
		left, err := os.ReadDir(filepath.Join(dir, "bot", "run"))
		if err != nil || len(left) != 1 {
			t.Errorf("left in the folder: %v, %v", left, err)
		}
	}
}

// etags are those of a store's files.
func etags(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for name, o := range list(t, openDir(t, dir), "", true) {
		all[name] = o.ETag
	}
	return all
}

// Whoever writes a file may set its time, and not when it was last changed: of
// the same size, time and name, each of these is another.
func TestAFileWhoseTimeWasSetBackIsAnother(t *testing.T) {
	t.Parallel()
	then := time.Date(2026, 3, 4, 3, 15, 0, 0, time.UTC)
	for name, change := range map[string]func(path string) error{
		"written in place": func(path string) error { return os.WriteFile(path, []byte("evil"), 0o600) },
		"one byte": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteAt([]byte("G"), 0)
			return errors.Join(err, f.Close())
		},
		"renamed over": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", []byte("evil"), 0o600), os.Chtimes(path+".new", then, then), os.Rename(path+".new", path))
		},
		"removed and written": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("evil"), 0o600))
		},
		"cut and filled": func(path string) error {
			return errors.Join(os.Truncate(path, 0), os.WriteFile(path, []byte("evil"), 0o600))
		},
		"a hard link of another": func(path string) error {
			other := filepath.Join(filepath.Dir(filepath.Dir(path)), "other")
			return errors.Join(os.WriteFile(other, []byte("evil"), 0o600), os.Remove(path), os.Link(other, path))
		},
		"through a hard link": func(path string) error {
			other := filepath.Join(filepath.Dir(filepath.Dir(path)), "second")
			return errors.Join(os.Link(path, other), os.WriteFile(other, []byte("evil"), 0o600))
		},
		"exchanged by a link": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", []byte("evil"), 0o600), os.Chtimes(path+".new", then, then), os.Remove(path),
				os.Symlink("x.new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "store")
			path := filepath.Join(dir, "x")
			must(t, os.Mkdir(dir, 0o700), os.WriteFile(path, []byte("good"), 0o600), os.Chtimes(path, then, then))
			before := etags(t, dir)["x"]
			if again := etags(t, dir)["x"]; again != before || before == "" {
				t.Fatalf("untouched, it is another: %s, %s", before, again)
			}
			if _, err := os.ReadFile(path); err != nil || etags(t, dir)["x"] != before {
				t.Fatalf("it was read, and is another: %v", err)
			}
			tick(t, path)
			must(t, change(path), os.Chtimes(path, then, then))
			info, err := os.Stat(path)
			if err != nil || info.Size() != 4 || !info.ModTime().Equal(then) {
				t.Fatalf("%v, %v: size and time tell it apart already", info, err)
			}
			if after := etags(t, dir)["x"]; after == before {
				t.Errorf("it is taken for the file that was there: %s", after)
			}
		})
	}
}

// tick waits until the kernel's clock for files has gone on since path was
// last changed: it does so every few milliseconds.
func tick(t *testing.T, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := changeTime(info.Sys().(*syscall.Stat_t))
	probe := filepath.Join(t.TempDir(), "probe")
	for {
		must(t, os.WriteFile(probe, nil, 0o600), os.Chtimes(probe, time.Now(), time.Now()))
		now, err := os.Stat(probe)
		if err != nil {
			t.Fatal(err)
		}
		if changeTime(now.Sys().(*syscall.Stat_t)) > changed {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// A file that was listed while put still held a second name of it is read as
// it is, once that name is gone.
func TestAFileListedWhileItIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := OpenShelf(t.Context(), spec.Source{URL: "file://" + dir, Links: spec.LinksRefuse})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	temp := filepath.Join(dir, ".tmp-of-put")
	must(t, os.WriteFile(temp, []byte("whole"), 0o600), os.Link(temp, filepath.Join(dir, "report.json")))
	if _, err := f.Names(t.Context(), "report.json"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // a file system's clock may tick as slowly
	must(t, os.Remove(temp))
	if b, err := f.Get(t.Context(), "report.json", 100); string(b) != "whole" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
