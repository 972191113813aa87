package s3test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"daybefore/internal/machine"
)

// BinaryEnv names a versitygw executable to be used instead of one built here.
const BinaryEnv = "DRILL_VERSITYGW"

// GoogleBinaryEnv is BinaryEnv of fake-gcs-server.
const GoogleBinaryEnv = "DRILL_FAKE_GCS"

// tool is a server that is built from modules.
type tool struct {
	name    string
	env     string // variable that names an executable instead
	modfile string // with its versions
	pkg     string
}

var (
	versitygw = tool{"versitygw", BinaryEnv, "tools/go.mod", "github.com/versity/versitygw/cmd/versitygw"}
	// a file of its own, since another version in tools/go.mod would have everybody build versitygw anew
	fakeGCS = tool{"fake-gcs-server", GoogleBinaryEnv, "tools/gcs/go.mod", "github.com/fsouza/fake-gcs-server"}
)

// Binary returns the path of the S3 server. It is built once from the
// versions in tools/go.mod, which takes two minutes the first time, and kept in
// the user's cache directory. The repository is the one that dir, or else the
// working directory, lies in.
func Binary(ctx context.Context, dir string) (string, error) { return versitygw.binary(ctx, dir) }

// GoogleBinary is Binary of a server that speaks the API of Google's buckets.
func GoogleBinary(ctx context.Context, dir string) (string, error) { return fakeGCS.binary(ctx, dir) }

func (t tool) binary(ctx context.Context, dir string) (string, error) {
	if path := os.Getenv(t.env); path != "" {
		return path, nil
	}
	root, err := moduleRoot(ctx, dir)
	if err != nil {
		return "", err
	}
	path, err := t.cachedPath(root)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	unlock, err := machine.Lock(path + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil // built by another process meanwhile
	}
	return path, t.build(ctx, root, path)
}

func moduleRoot(ctx context.Context, dir string) (string, error) {
	ask := exec.CommandContext(ctx, "go", "env", "GOMOD")
	ask.Dir = dir
	out, err := ask.Output()
	mod := strings.TrimSpace(string(out))
	if err != nil || mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("find the repository that tools/go.mod belongs to: go env GOMOD says %q: %w", mod, err)
	}
	return filepath.Dir(mod), nil
}

// cachedPath has a name of its own for every set of versions and every Go.
func (t tool) cachedPath(root string) (string, error) {
	sums, err := os.ReadFile(filepath.Join(root, strings.TrimSuffix(t.modfile, ".mod")+".sum"))
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "daybefore-tools")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	key := sha256.Sum256(append(sums, runtime.Version()...))
	return filepath.Join(dir, fmt.Sprintf("%s-%x", t.name, key[:6])), nil
}

func (t tool) build(ctx context.Context, root, path string) error {
	fresh := path + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-modfile="+t.modfile, "-o", fresh, t.pkg)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", t.pkg, err, out)
	}
	return os.Rename(fresh, path)
}
