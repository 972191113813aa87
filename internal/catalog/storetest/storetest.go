// Package storetest gives tests and scenarios a real S3 server (versitygw) on
// loopback, and real faults on the way to it. It must never be part of a drill.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"daybefore/internal/s3test"
	"daybefore/internal/testneed"
)

// Server is a running S3 server with one bucket.
type Server struct {
	Endpoint  string // http://127.0.0.1:port
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string

	client *s3.Client
	proxy  *proxyServer
	dir    string
	server *s3test.Server
}

// S3 starts a server for the test and stops it at the end. Where none can be
// built, the test is left out, or fails under testneed.All.
func S3(t testing.TB) *Server {
	t.Helper()
	if _, err := s3test.Binary(t.Context(), ""); err != nil {
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
	binary, err := s3test.Binary(ctx, "")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "s3-") // short: a socket's path has 107 bytes
	if err != nil {
		return nil, err
	}
	s := &Server{Region: "us-east-1", Bucket: "backups", AccessKey: "AK" + rand.Text()[:18], SecretKey: rand.Text(),
		dir: dir}
	if err := s.start(ctx, binary); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// start lets the server listen on a socket, for which no port must be guessed.
func (s *Server) start(ctx context.Context, binary string) (err error) {
	socket := filepath.Join(s.dir, "sock")
	s.server, err = s3test.Start(ctx, s3test.Options{
		Binary: binary, Dir: s.dir, Listen: socket, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey,
	})
	if err != nil {
		return err
	}
	s.proxy, err = newProxy(socket)
	if err != nil {
		return err
	}
	s.Endpoint = "http://" + s.proxy.listener.Addr().String()
	s.client = s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
		HTTPClient:  &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
	})
	_, err = s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &s.Bucket})
	return err
}

// Stop ends the server and removes all it held.
func (s *Server) Stop() {
	if s.proxy != nil {
		s.proxy.close()
	}
	if s.server != nil {
		s.server.Stop()
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

// PutSummed writes an object with a sum of this kind.
func (s *Server) PutSummed(ctx context.Context, key string, data []byte, kind types.ChecksumAlgorithm) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(data),
		ChecksumAlgorithm: kind})
	return err
}

// Damage changes an object's bytes on the server's disk, which the server does
// not notice.
func (s *Server) Damage(key string, data []byte) error {
	return os.WriteFile(filepath.Join(s3test.Options{Dir: s.dir}.Bucket(s.Bucket), key), data, 0o600)
}

// Delete removes an object.
func (s *Server) Delete(ctx context.Context, key string) error {
	_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.Bucket, Key: &key})
	return err
}

// Begin begins an upload and leaves it so, with one part of it there.
func (s *Server) Begin(ctx context.Context, key string, data []byte) error {
	up, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &s.Bucket, Key: &key})
	if err != nil {
		return err
	}
	_, err = s.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &s.Bucket, Key: &key, UploadId: up.UploadId,
		PartNumber: aws.Int32(1), Body: bytes.NewReader(data)})
	return err
}

// Publish lets everybody list and read the bucket.
func (s *Server) Publish(ctx context.Context) error {
	policy := fmt.Sprintf(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*",
		"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["arn:aws:s3:::%[1]s", "arn:aws:s3:::%[1]s/*"]}]}`,
		s.Bucket)
	_, err := s.client.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: &s.Bucket, Policy: aws.String(policy)})
	return err
}

// Version turns the bucket's versioning on or, if it was, off.
func (s *Server) Version(ctx context.Context, on bool) error {
	status := types.BucketVersioningStatusSuspended
	if on {
		status = types.BucketVersioningStatusEnabled
	}
	_, err := s.client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: &s.Bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status},
	})
	return err
}

// Lock turns the bucket's object lock on, which wants versioning. New objects
// are kept for so many days; with 0 only those that say so themselves.
func (s *Server) Lock(ctx context.Context, days int32) error {
	c := &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}
	if days > 0 {
		c.Rule = &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{
			Mode: types.ObjectLockRetentionModeGovernance, Days: &days,
		}}
	}
	_, err := s.client.PutObjectLockConfiguration(ctx,
		&s3.PutObjectLockConfigurationInput{Bucket: &s.Bucket, ObjectLockConfiguration: c})
	return err
}

// PutLocked writes an object that is kept until then.
func (s *Server) PutLocked(ctx context.Context, key string, data []byte, until time.Time) error {
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &s.Bucket, Key: &key, Body: bytes.NewReader(data),
		ObjectLockMode: types.ObjectLockModeGovernance, ObjectLockRetainUntilDate: &until})
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
