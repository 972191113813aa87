// Package testneed lets a test say which real part it needs. Where the part
// is missing, a bare `go test` skips with the reason; under DRILL_TEST_ALL=1,
// as dev:test and CI run it, the test fails instead, so that nothing
// passes by skipping. It is imported by tests alone.
package testneed

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

const probeTimeout = 2 * time.Minute // of an engine that hangs

// All is the environment variable that forbids skipping.
const All = "DRILL_TEST_ALL"

// matrixEnv is the environment variable with which dev:matrix has tests try
// each cell of a matrix.
const matrixEnv = "DRILL_TEST_MATRIX"

// Matrix reports whether each cell of a wide matrix is to be tried, and not only
// a selection that covers its rows and columns.
func Matrix() bool { return os.Getenv(matrixEnv) == "1" }

// Missing ends the test: skipped with the reason, or failed under All.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv(All) == "1" {
		t.Fatalf("needed and missing: "+format, args...)
	}
	t.Skipf("left out, needs: "+format, args...)
}

// Docker wants an engine that answers.
func Docker(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), probeTimeout)
	defer cancel()
	if err := exec.CommandContext(ctx, "docker", "version").Run(); err != nil {
		Missing(t, "a Docker engine that answers (docker version: %v)", err)
	}
}

// Image wants a local image, such as postgres:17; `go tool mage image 17` builds it.
func Image(t testing.TB, ref string) {
	t.Helper()
	Docker(t)
	ctx, cancel := context.WithTimeout(t.Context(), probeTimeout)
	defer cancel()
	if err := exec.CommandContext(ctx, "docker", "image", "inspect", ref).Run(); err != nil {
		Missing(t, "image %s (go tool mage image builds it)", ref)
	}
}

// Program wants an executable: a name to be found in PATH, or a path.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "the program %s", name)
	}
	return path
}

// Root wants to run as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "root")
	}
}

// Clusters is the folder in which drills of this account keep clusters that
// were made once; empty where there is none. A test that starts a server as a
// drill does, and has nothing to say of how clusters are kept, saves an initdb.
func Clusters() string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "daybefore", "clusters")
}
