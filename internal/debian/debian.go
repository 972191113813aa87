// Package debian unpacks Debian's packages for tests, beside the machine's own
// files. It must never install one: no script of a package runs, no account is
// made and no service started.
package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"daybefore/internal/machine"
)

// Package is one that is unpacked, with what it depends on and this machine does
// not have.
type Package struct {
	Root string // where the package takes / to be; not to be written to
}

// Unpack downloads a package once and keeps it in the user's cache folder,
// daybefore-tools/packages; without that folder it is downloaded anew.
func Unpack(ctx context.Context, name string) (Package, error) {
	dir, err := cacheDir()
	if err != nil {
		return Package{}, err
	}
	root, err := unpacked(ctx, dir, name)
	return Package{root}, err
}

func cacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "daybefore-tools", "packages"), err
}

// programDirs are where packages put what can be run.
var programDirs = []string{"usr/bin", "usr/sbin"}

// Program is the path of one of the package's programs.
func (p Package) Program(name string) (string, error) {
	for _, dir := range programDirs {
		path := filepath.Join(p.Root, dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s below %s", name, p.Root)
}

// Environ is the process's own, with what finds the package's programs, its
// libraries and its modules of Python.
func (p Package) Environ() []string {
	env := os.Environ()
	for _, list := range []struct {
		name string
		dirs []string
	}{
		{"PATH", programDirs},
		{"LD_LIBRARY_PATH", []string{"usr/lib/*-linux-gnu*", "usr/lib"}},
		{"PYTHONPATH", []string{"usr/lib/python3/dist-packages"}},
	} {
		var all []string
		for _, dir := range list.dirs {
			found, _ := filepath.Glob(filepath.Join(p.Root, dir))
			all = append(all, found...)
		}
		if old := os.Getenv(list.name); old != "" {
			all = append(all, old)
		}
		env = append(env, list.name+"="+strings.Join(all, ":"))
	}
	return env
}

// unpacked is the root of a package below dir, where it lies complete or not at
// all, whoever else asks for it meanwhile.
func unpacked(ctx context.Context, dir, name string) (root string, err error) {
	root = filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := machine.Lock(root + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	fresh, err := os.MkdirTemp(dir, name+".new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	if err := os.Chmod(fresh, 0o755); err != nil { // other accounts run its programs
		return "", err
	}
	if err := download(ctx, dir, fresh, name); err != nil {
		return "", err
	}
	return root, os.Rename(filepath.Join(fresh, "root"), root)
}

// download unpacks a package, with what it needs, below fresh/root. Where the machine's own lists of
// packages are missing or too old, it fetches lists below dir.
func download(ctx context.Context, dir, fresh, name string) error {
	first := fetch(ctx, apt{dir: fresh}, name)
	if first == nil || ctx.Err() != nil {
		return first
	}
	lists := filepath.Join(dir, ".lists") // no package has such a name
	cache := filepath.Join(dir, ".cache")
	own := apt{dir: fresh, options: []string{"-o", "Dir::State::Lists=" + lists, "-o", "Dir::Cache=" + cache}}
	for _, folder := range []string{filepath.Join(lists, "partial"), filepath.Join(cache, "archives", "partial")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	unlock, err := machine.Lock(lists + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := own.run(ctx, "update", "-q"); err != nil {
		return errors.Join(first, err)
	}
	if err := fetch(ctx, own, name); err != nil {
		return errors.Join(first, err)
	}
	return nil
}

// fetch downloads the package, and what it depends on, and unpacks all of it.
func fetch(ctx context.Context, a apt, name string) error {
	plan, err := a.run(ctx, "install", "--simulate", "--no-install-recommends", name)
	if err != nil {
		return err
	}
	if _, err := a.run(ctx, append([]string{"download", "-q"}, wanted(name, plan)...)...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(a.dir, "*.deb"))
	if err != nil {
		return err
	}
	root := filepath.Join(a.dir, "root")
	if err := makeMerged(root); err != nil {
		return err
	}
	for _, file := range files {
		if _, err := command(ctx, a.dir, "sh", "-euc", extract, file, root); err != nil {
			return err
		}
	}
	return nil
}

// extract is dpkg-deb --extract, but for links to folders, which that replaces.
const extract = `dpkg-deb --fsys-tarfile "$0" >"$0.tar"
tar -xf "$0.tar" --keep-directory-symlink -C "$1"
rm "$0.tar"`

// makeMerged makes a root in which /bin and the like are those of /usr, as on
// the machines that packages are for, whichever of both a package names.
func makeMerged(root string) error {
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		usr := filepath.Join("usr", dir)
		err := errors.Join(os.MkdirAll(filepath.Join(root, usr), 0o755), os.Symlink(usr, filepath.Join(root, dir)))
		if err != nil {
			return err
		}
	}
	return nil
}

// wanted reads from what apt would install which packages to download: name,
// also where it is installed, for then nothing is to be installed. The C
// library is the machine's, since its loader takes no other one.
func wanted(name, plan string) []string {
	all := []string{name}
	for line := range strings.Lines(plan) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "Inst" {
			continue
		}
		pkg, _, _ := strings.Cut(words[1], ":") // libc6:amd64
		if !slices.Contains([]string{name, "libc6", "libc-bin", "libc-l10n", "locales"}, pkg) {
			all = append(all, words[1])
		}
	}
	return all
}

// apt is apt-get in a folder, where its downloads go.
type apt struct {
	dir     string
	options []string
}

// run runs it without an account of apt's own, which may not write to dir.
func (a apt) run(ctx context.Context, args ...string) (string, error) {
	return command(ctx, a.dir, "apt-get", slices.Concat([]string{"-o", "APT::Sandbox::User=root"}, a.options, args)...)
}

func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return stdout.String(), nil
}
