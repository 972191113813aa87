// Package s3test is a real S3 server (versitygw), and one of Google's API
// (fake-gcs-server), on this machine, for tests and scenarios. It must never be
// part of a drill, listen beyond loopback, or know what is tried against it.
package s3test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	startTimeout = time.Minute
	startPoll    = 20 * time.Millisecond
	stopTimeout  = 5 * time.Second
)

// Options say where a server listens, what it holds, and for whom.
type Options struct {
	Binary    string // see Binary
	Dir       string // an existing folder for all it holds, see Bucket
	Listen    string // host:port, or the path of a socket, which has 107 bytes at most
	Region    string
	AccessKey string // the only ones that it knows
	SecretKey string
}

// Bucket is the folder that is a bucket: files in it are its objects. One that
// was not made by the server is not known to be anybody's, and listed for the
// owner of the keys only.
func (o Options) Bucket(name string) string { return filepath.Join(o.Dir, "buckets", name) }

// Server is a running one.
type Server struct {
	alive *os.File // the launcher's stdin
	cmd   *exec.Cmd
}

// launcher ends the server when its own stdin is closed, as it is when the
// process that holds the other end dies.
const launcher = `"$@" & server=$!; read -r _; kill "$server"; wait "$server"`

// Start starts a server and waits until it answers. It lives until Stop, and
// ends with this process, however that ends.
func Start(ctx context.Context, o Options) (*Server, error) {
	s := &Server{}
	if err := s.launch(o); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: %w", o.Binary, err)
	}
	if err := answers(ctx, o.Listen); err != nil {
		s.Stop()
		log, _ := os.ReadFile(o.log())
		return nil, fmt.Errorf("start %s: it does not answer: %w\n%s", o.Binary, err, log)
	}
	return s, nil
}

func (o Options) log() string { return filepath.Join(o.Dir, "log") }

// metadata is where the server keeps what it knows of the objects.
func (o Options) metadata() string { return filepath.Join(o.Dir, "metadata") }

func (s *Server) launch(o Options) error {
	buckets := o.Bucket("")
	metadata := o.metadata()
	versions := filepath.Join(o.Dir, "versions")
	for _, dir := range []string{buckets, metadata, versions} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	log, err := os.Create(o.log())
	if err != nil {
		return err
	}
	defer log.Close()
	stdin, alive, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	s.alive = alive
	s.cmd = exec.Command("/bin/sh", "-c", launcher, "sh", o.Binary, "--port", o.Listen, "--region", o.Region, "--quiet",
		"--keep-alive",
		"posix", "--sidecar", metadata, "--versioning-dir", versions, buckets)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+o.AccessKey, "ROOT_SECRET_ACCESS_KEY="+o.SecretKey)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = stdin, log, log
	return s.cmd.Start()
}

// StartGoogle starts a server that speaks the API of Google's buckets, and holds
// all in memory. It lives until Stop, and ends with this process.
func StartGoogle(ctx context.Context, binary, listen string) (*Server, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, err
	}
	stdin, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	s := &Server{alive: alive}
	s.cmd = exec.Command("/bin/sh", "-c", launcher, "sh", binary, "-backend", "memory", "-scheme", "http", "-host", host,
		"-port", port, "-public-host", listen, "-log-level", "error")
	s.cmd.Stdin = stdin
	if err := s.cmd.Start(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	if err := answers(ctx, listen); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: it does not answer: %w", binary, err)
	}
	return s, nil
}

// Stop ends the server. What it held stays.
func (s *Server) Stop() {
	if s.alive != nil {
		_ = s.alive.Close()
	}
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	timer.Stop()
}

// FreeAddr is an address of this machine that nobody listens on just now.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// answers waits until somebody listens.
func answers(ctx context.Context, listen string) error {
	network := "tcp"
	if strings.HasPrefix(listen, "/") {
		network = "unix"
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, listen)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(startPoll):
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}
