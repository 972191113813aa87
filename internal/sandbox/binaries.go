package sandbox

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// binaryDirs are where packages put server binaries that PATH does not name:
// Debian's, Red Hat's and Homebrew's.
var binaryDirs = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

// needed are the programs without which a directory is of no use.
var needed = []string{"initdb", "postgres", "pg_restore"}

// binaries is an installed server.
type binaries struct {
	dir     string
	major   int
	why     string
	warning string
	instead bool // of a container, which was not to be had
}

// stores are where whole systems of packages lie, whose programs rest on others
// of them.
var stores = []string{"/nix/store", "/gnu/store", "/home/linuxbrew/.linuxbrew"}

// lent are the directories beside the system's that the server and its programs
// are to read: where they were installed, and no more of a home than that.
func (b binaries) lent() []string {
	dir, err := filepath.EvalSymlinks(b.dir)
	if err != nil {
		dir = b.dir
	}
	for _, store := range stores {
		if strings.HasPrefix(dir, store+"/") {
			return []string{store}
		}
	}
	if strings.HasPrefix(dir, "/usr/") {
		return nil
	}
	all := []string{b.dir}
	prefix := filepath.Dir(dir)
	for _, name := range []string{"lib", "lib64", "share/postgresql"} {
		all = append(all, filepath.Join(prefix, name))
	}
	// A prefix of the server's own has its share for itself; in one that it has
	// together with others, as ~/.local, they keep there what is nobody else's.
	if strings.Contains(prefix, "postgres") || strings.Contains(prefix, "pgsql") ||
		exists(filepath.Join(prefix, "share", "postgres.bki")) {
		all[len(all)-1] = filepath.Join(prefix, "share")
	}
	return all
}

// errNeedsLinux is why there is no local sandbox on any other system.
var errNeedsLinux = errors.New("local sandboxes need Linux, which can set a server apart from its machine")

// findBinaries picks the installed server of the wanted major version, else
// the lowest higher one; any at all for 0.
func findBinaries(major int) (binaries, error) { return findOn(runtime.GOOS, major) }

// findOn is findBinaries on an operating system.
func findOn(system string, major int) (binaries, error) {
	if system != "linux" {
		return binaries{}, errNeedsLinux
	}
	found := installed()
	wanted := major
	if major != 0 {
		wanted = max(major, oldestMajor)
	}
	chosen, ok := pick(wanted, found, func(b binaries) int { return b.major })
	if !ok {
		return binaries{}, noBinaries(major, found)
	}
	chosen.why = fmt.Sprintf("PostgreSQL %d is installed in %s", chosen.major, chosen.dir)
	if major != 0 && chosen.major != major {
		chosen.warning = fmt.Sprintf("restored into PostgreSQL %d, since %d is not here", chosen.major, major)
	}
	return chosen, nil
}

// hintWithout says what helps where no binaries were found: what gives a
// container, or a server if one would do.
func hintWithout(err error, container string) string {
	if errors.Is(err, errNeedsLinux) {
		return container
	}
	return container + ", or install a PostgreSQL server of at least the backup's major version " +
		"(Debian: apt install postgresql)"
}

// identity tells these binaries from those of another version, as an update
// puts them in the same place.
func (b binaries) identity() []string {
	all := []string{Local, b.dir}
	for _, name := range needed {
		if info, err := os.Stat(filepath.Join(b.dir, name)); err == nil {
			all = append(all, fmt.Sprint(info.Size(), info.ModTime().UnixNano()))
		}
	}
	return all
}

func noBinaries(major int, found []binaries) error {
	if len(found) == 0 {
		return fmt.Errorf("no PostgreSQL server binaries were found in PATH or %s", strings.Join(binaryDirs, ", "))
	}
	highest := slices.MaxFunc(found, func(a, b binaries) int { return cmp.Compare(a.major, b.major) })
	return fmt.Errorf("the backup needs PostgreSQL %d or higher, and the highest installed is %d (%s)", major,
		highest.major, highest.dir)
}

// pick returns the one with the lowest version that is at least wanted, or
// the highest of all where nothing is wanted.
func pick[T any](wanted int, from []T, version func(T) int) (chosen T, ok bool) {
	for _, candidate := range from {
		v := version(candidate)
		switch {
		case v < wanted:
		case !ok, wanted == 0 && v > version(chosen), wanted > 0 && v < version(chosen):
			chosen, ok = candidate, true
		}
	}
	return chosen, ok
}

// installed lists the servers of this machine, those in PATH first.
func installed() []binaries {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	if out, err := answerOf("pg_config", "--bindir"); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range binaryDirs {
		found, _ := filepath.Glob(pattern) // the patterns are constant and well-formed
		dirs = append(dirs, found...)
	}
	var all []binaries
	for i, dir := range dirs {
		if slices.Contains(dirs[:i], dir) {
			continue // it was asked, which takes a start of the server's program
		}
		if major, ok := majorOf(dir); ok {
			all = append(all, binaries{dir: dir, major: major})
		}
	}
	return all
}

// answerOf is what a program answers, which gets nothing of the environment: keys may
// be in it.
func answerOf(path, option string) ([]byte, error) {
	cmd := exec.Command(path, option)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	return cmd.Output()
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorOf returns the major version of the server in dir, if it is complete.
func majorOf(dir string) (int, bool) {
	for _, name := range needed {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			return 0, false
		}
	}
	out, err := answerOf(filepath.Join(dir, "postgres"), "--version")
	if err != nil {
		return 0, false
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return 0, false
	}
	major, err := strconv.Atoi(string(m[1]))
	return major, err == nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
