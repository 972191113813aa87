package scenarios

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The S3 server that refuses is a real one, built from tools/go.mod.
const (
	toolsDir       = "tools"
	gatewayPackage = "github.com/versity/versitygw/cmd/versitygw"
	gatewayWait    = 20 * time.Second
)

// strangerKeys are credentials that no S3 server knows.
var strangerKeys = map[string]string{
	"AWS_ACCESS_KEY_ID":     "STRANGERSTRANGER0000",
	"AWS_SECRET_ACCESS_KEY": "a secret that opens no store",
	"AWS_SESSION_TOKEN":     "",
}

// strangers lets one run at a time change this process's credentials.
var strangers sync.Mutex

// asStranger gives this process credentials that no store knows, until the
// returned function is called. So no scenario can show a person's own
// credentials to a server that is no store of theirs.
func asStranger() (restore func(), err error) {
	strangers.Lock()
	before := map[string]string{}
	restore = func() {
		defer strangers.Unlock()
		for key := range strangerKeys {
			os.Unsetenv(key)
			if value, was := before[key]; was {
				os.Setenv(key, value)
			}
		}
	}
	for key, value := range strangerKeys {
		if old, is := os.LookupEnv(key); is {
			before[key] = old
		}
		if err := os.Setenv(key, value); err != nil {
			restore()
			return nil, fmt.Errorf("set %s: %w", key, err)
		}
	}
	return restore, nil
}

// silentStore points the drill at a port of this machine where nobody listens.
func silentStore(_ context.Context, _ *Bench, s *Store) error {
	addr, err := freeAddr()
	if err != nil {
		return err
	}
	return s.moveToS3(addr)
}

// refusingStore points the drill at an S3 server that does not know it.
func refusingStore(ctx context.Context, b *Bench, s *Store) error {
	program, err := b.gateway(ctx)
	if err != nil {
		return err
	}
	addr, end, err := startGateway(ctx, program, filepath.Join(s.dir, "s3"))
	if err != nil {
		return err
	}
	s.atExit = append(s.atExit, end)
	return s.moveToS3(addr)
}

func (s *Store) moveToS3(addr string) error {
	return s.editDrill("  url: file:demo/backups/\n", fmt.Sprintf(
		"  url: s3://nightly/shop/\n  region: us-east-1\n  endpoint: http://%s\n  path_style: true\n", addr))
}

// freeAddr is an address of this machine that nobody listens on just now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// buildGateway builds the S3 server of tools/go.mod into the folder dir.
func buildGateway(ctx context.Context, home, dir string) (program string, err error) {
	program, err = filepath.Abs(filepath.Join(dir, "versitygw"))
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(home, toolsDir), "-o", program, gatewayPackage)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build an S3 server (%s): %w\n%s", build, err, out)
	}
	return program, nil
}

// startGateway serves the bucket nightly, kept below dir, at addr until end
// is called. Only this process's user knows its keys.
func startGateway(ctx context.Context, program, dir string) (addr string, end func(), err error) {
	buckets, metadata := filepath.Join(dir, "buckets"), filepath.Join(dir, "metadata")
	if err := errors.Join(os.MkdirAll(filepath.Join(buckets, "nightly"), 0o700), os.MkdirAll(metadata, 0o700)); err != nil {
		return "", nil, err
	}
	if addr, err = freeAddr(); err != nil {
		return "", nil, err
	}
	server := exec.CommandContext(ctx, program, "--port", addr, "--quiet", "posix", "--sidecar", metadata, buckets)
	server.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+rand.Text(), "ROOT_SECRET_KEY="+rand.Text())
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.WaitDelay = time.Second
	if err := server.Start(); err != nil {
		return "", nil, fmt.Errorf("start an S3 server: %w", err)
	}
	end = func() {
		server.Process.Kill()
		server.Wait()
	}
	if err := answers(ctx, addr); err != nil {
		end()
		return "", nil, fmt.Errorf("start an S3 server at %s: %w", addr, err)
	}
	return addr, end, nil
}

// answers waits until somebody listens at addr.
func answers(ctx context.Context, addr string) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, conn.Close()
	}, backoff.WithBackOff(backoff.NewConstantBackOff(50*time.Millisecond)), backoff.WithMaxElapsedTime(gatewayWait))
	return err
}
