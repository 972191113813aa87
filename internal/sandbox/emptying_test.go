package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"daybefore/internal/sandbox/emptying"
)

// deepTree makes a folder in dir with many levels of folders in it, by one name
// after the other; as many as no path and no table of descriptors can hold.
func deepTree(t *testing.T, dir string, levels int, names ...string) {
	t.Helper()
	at, err := unix.Open(dir, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for i := 0; err == nil && i < levels; i++ {
		name := names[i%len(names)]
		err = unix.Mkdirat(at, name, 0o755)
		if err != nil {
			break
		}
		var next int
		next, err = unix.Openat(at, name, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		unix.Close(at)
		at = next
	}
	if err == nil {
		err = unix.Symlinkat("/", at, "root")
	}
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(at)
}

// TestRemoveTree removes what a backup's code can lay, and nothing that lies
// behind a link.
func TestRemoveTree(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 255)
	for name, lay := range map[string]func(t *testing.T, dir, outside string) error{
		"nothing": func(t *testing.T, dir, outside string) error { return os.Remove(dir) },
		"a file in its place": func(t *testing.T, dir, outside string) error {
			return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0))
		},
		"a link in its place": func(t *testing.T, dir, outside string) error {
			return errors.Join(os.Remove(dir), os.Symlink(outside, dir))
		},
		"links": func(t *testing.T, dir, outside string) error {
			return errors.Join(os.Symlink(outside, filepath.Join(dir, "folder")), os.Symlink("..", filepath.Join(dir, "up")),
				os.Symlink(".", filepath.Join(dir, "self")), os.Symlink("nowhere", filepath.Join(dir, "broken")),
				os.Symlink(filepath.Join(outside, "file"), filepath.Join(dir, "file")))
		},
		"a hard link": func(t *testing.T, dir, outside string) error {
			return os.Link(filepath.Join(outside, "file"), filepath.Join(dir, "file"))
		},
		"a pipe and a socket": func(t *testing.T, dir, outside string) error {
			fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return errors.Join(unix.Mkfifo(filepath.Join(dir, "pipe"), 0), unix.Bind(fd, &unix.SockaddrUnix{Name: filepath.Join(dir, "socket")}))
		},
		"long names, deep": func(t *testing.T, dir, outside string) error {
			deepTree(t, dir, 300, long, "\n", "\xff\x1b[2J", "...", "-rf", ".gone-")
			return nil
		},
		"wide": func(t *testing.T, dir, outside string) error {
			for i := range 3000 {
				if err := errors.Join(os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), nil, 0),
					os.Mkdir(filepath.Join(dir, fmt.Sprint("d", i)), 0)); err != nil {
					return err
				}
			}
			return nil
		},
		"modes": func(t *testing.T, dir, outside string) error {
			deepTree(t, dir, 20, "d")
			for path := dir + strings.Repeat("/d", 20); path != filepath.Dir(dir); path = filepath.Dir(path) {
				if err := os.Chmod(path, 0); err != nil {
					return err
				}
			}
			return nil
		},
		"modes, sticky": func(t *testing.T, dir, outside string) error {
			deepTree(t, dir, 3, "d")
			return errors.Join(os.Chmod(filepath.Join(dir, "d"), os.ModeSticky|0o500), os.Chmod(dir, os.ModeSticky|0o500))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := t.TempDir()
			dir := filepath.Join(place, "run")
			outside := filepath.Join(place, "outside")
			if err := errors.Join(os.Mkdir(dir, 0o755), os.Mkdir(outside, 0o755),
				os.WriteFile(filepath.Join(outside, "file"), []byte("mine"), 0o644)); err != nil {
				t.Fatal(err)
			}
			if err := lay(t, dir, outside); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { emptying.RemoveTree(context.Background(), dir) }) // t.TempDir could not
			if err := emptying.RemoveTree(t.Context(), dir); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
			if content, err := os.ReadFile(filepath.Join(outside, "file")); err != nil || string(content) != "mine" {
				t.Errorf("what lies outside: %q, %v", content, err)
			}
			if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o755 {
				t.Errorf("the folder outside: %v, %v", info, err)
			}
		})
	}
}

// TestRemoveDeepTree removes more levels than a path may have, with fewer
// descriptors than there are levels.
func TestRemoveDeepTree(t *testing.T) {
	t.Parallel()
	place := shortTemp(t)
	dir := filepath.Join(place, "run")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	deepTree(t, dir, 3000, "d")
	if out, err := helper(t, "remove "+dir, place).Output(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// TestRemoveShutTree removes, as a user of no power, what this user's modes shut.
func TestRemoveShutTree(t *testing.T) {
	t.Parallel()
	place := shortTemp(t)
	dir := filepath.Join(place, "run")
	if err := os.MkdirAll(filepath.Join(dir, "a/b/c"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := powerless(t, helper(t, "remove "+dir, place), place)
	for _, below := range []string{"a/b/c", "a/b", "a", ""} {
		path := filepath.Join(dir, below)
		if attr := cmd.SysProcAttr; attr != nil {
			if err := os.Chown(path, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := cmd.Output(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// removeWithFew removes a tree in a process that may hold few descriptors.
func removeWithFew(dir string) error {
	few := &unix.Rlimit{Cur: 100, Max: 100}
	return errors.Join(unix.Setrlimit(unix.RLIMIT_NOFILE, few), emptying.RemoveTree(context.Background(), dir))
}
