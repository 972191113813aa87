package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/testneed"
)

const (
	superuser    = "postgres"
	startTimeout = 5 * time.Minute
	stopTimeout  = 20 * time.Second
	// lifetime is how long a server lives that was forgotten, in seconds as
	// timeout(1) reads them: longer than all tests of a package.
	lifetime = "1500"
)

// accounts may run a server where the tests run as root, which may not.
var accounts = []string{superuser, "nobody"}

// binaries is the folder of the newest installed server.
func binaries(t testing.TB) string {
	t.Helper()
	if path, err := exec.LookPath("initdb"); err == nil {
		path, err = filepath.EvalSymlinks(path)
		if err == nil {
			return filepath.Dir(path)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // Debian's place for them
	if len(found) == 0 {
		testneed.Missing(t, "PostgreSQL server binaries (Debian: apt install postgresql)")
	}
	major := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return major(b) - major(a) })
	return filepath.Dir(found[0])
}

// initdb is what initdb is told, for a cluster in a folder.
func initdb(data string) []string {
	return []string{"-D", data, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}
}

// handOver hands dir to an account that may run a server; nil where the caller
// is one.
func handOver(dir string) (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range accounts {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		err = errors.Join(uidErr, gidErr, os.Chown(dir, uid, gid))
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
	}
	return nil, fmt.Errorf("no account to run a server under: tried %s", strings.Join(accounts, ", "))
}

// environ is the environment without anything that redirects libpq.
func environ() []string {
	return append(slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "PG") }),
		"LC_ALL=C")
}
