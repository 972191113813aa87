// Package storetest gives tests and scenarios a real S3 server (versitygw) on
// loopback, and real faults on the way to it. It is never part of a drill.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"daybefore/internal/testneed"
)

const (
	startTimeout = 20 * time.Second
	startPoll    = 20 * time.Millisecond
	stopTimeout  = 5 * time.Second
)

// Server is a running S3 server with one bucket.
type Server struct {
	Endpoint  string // http://127.0.0.1:port
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string

	client *s3.Client
	proxy  *proxy
	dir    string
	alive  *os.File // the launcher's stdin
	cmd    *exec.Cmd
}

// S3 starts a server for the test and stops it at the end. Where none can be
// built, the test is left out, or fails under testneed.All.
func S3(t testing.TB) *Server {
	t.Helper()
	if _, err := Binary(t.Context()); err != nil {
		testneed.Missing(t, "an S3 server: %v", err)
	}
	s, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Start starts a server on a port of its own. It lives until Stop, and ends
// with this process, however that ends.
func Start(ctx context.Context) (*Server, error) {
	binary, err := Binary(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "s3-") // short: a socket's path has 107 bytes
	if err != nil {
		return nil, err
	}
	s := &Server{Region: "us-east-1", Bucket: "backups", AccessKey: "AK" + rand.Text()[:18], SecretKey: rand.Text(), dir: dir}
	if err := errors.Join(s.launch(binary), s.connect(ctx)); err != nil {
		s.Stop()
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	return s, nil
}

// launcher ends the server when its own stdin is closed, as it is when the
// process that holds the other end dies.
const launcher = `"$@" & server=$!; read -r _; kill "$server"; wait "$server"`

func (s *Server) socket() string { return filepath.Join(s.dir, "sock") }

// launch lets the server listen on a socket, for which no port must be guessed.
func (s *Server) launch(binary string) error {
	data := filepath.Join(s.dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
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
	s.cmd = exec.Command("/bin/sh", "-c", launcher, "sh", binary,
		"--port", s.socket(), "--region", s.Region, "--quiet", "--keep-alive", "posix", "--sidecar", filepath.Join(s.dir, "meta"), data)
	s.cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY_ID="+s.AccessKey, "ROOT_SECRET_ACCESS_KEY="+s.SecretKey)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = stdin, log, log
	if err := os.Mkdir(filepath.Join(s.dir, "meta"), 0o700); err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.proxy, err = newProxy(s.socket())
	return err
}

func (s *Server) connect(ctx context.Context) error {
	if s.proxy == nil {
		return nil // launch has failed
	}
	s.Endpoint = "http://" + s.proxy.listener.Addr().String()
	s.client = s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		conn, err := net.Dial("unix", s.socket())
		if err == nil {
			_ = conn.Close()
			break
		}
		select {
		case <-time.After(startPoll):
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("it does not answer: %w\n%s", err, log)
		}
	}
	_, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.Bucket})
	return err
}

// Stop ends the server and removes all it held.
func (s *Server) Stop() {
	if s.proxy != nil {
		s.proxy.close()
	}
	if s.alive != nil {
		_ = s.alive.Close()
	}
	if s.cmd != nil && s.cmd.Process != nil {
		timer := time.AfterFunc(stopTimeout, func() { _ = s.cmd.Process.Kill() })
		_ = s.cmd.Wait()
		timer.Stop()
	}
	_ = os.RemoveAll(s.dir)
}

// Environ is what a process needs to use the server, as KEY=value.
func (s *Server) Environ() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s.SecretKey,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
}

// Put writes an object.
func (s *Server) Put(ctx context.Context, key string, data []byte) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(data)})
	return err
}

// Delete removes an object.
func (s *Server) Delete(ctx context.Context, key string) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: &key})
	return err
}

// Publish lets everybody list and read the bucket.
func (s *Server) Publish(ctx context.Context) error {
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
		"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["arn:aws:s3:::%[1]s", "arn:aws:s3:::%[1]s/*"]}]}`, s.Bucket)
	_, err := s.client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &s.Bucket, Policy: aws.String(policy)})
	return err
}

// Cut breaks the next so many connections whose answer is longer than after
// bytes, at that byte; then the way is whole again.
func (s *Server) Cut(connections int, after int64) { s.proxy.set(connections, after, false) }

// Silence is Cut, but the connections stay open and nothing more comes.
func (s *Server) Silence(connections int, after int64) { s.proxy.set(connections, after, true) }

// FaultsLeft is how many of the connections that Cut or Silence asked for have
// not been broken yet.
func (s *Server) FaultsLeft() int { return s.proxy.left() }
