package scenarios

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"daybefore/internal/s3test"
)

// dummyCredentials are credentials that no S3 server knows.
var dummyCredentials = map[string]string{
	"AWS_ACCESS_KEY_ID":     "STRANGERSTRANGER0000",
	"AWS_SECRET_ACCESS_KEY": "a secret that opens no store",
	"AWS_SESSION_TOKEN":     "",
}

// credentialsInUse lets one run at a time change this process's credentials.
var credentialsInUse sync.Mutex

// withDummyCredentials gives this process credentials that no store knows, until the
// returned function is called. So no scenario can show a person's own
// credentials to a server that is no store of theirs.
func withDummyCredentials() (restore func(), err error) {
	credentialsInUse.Lock()
	before := map[string]string{}
	restore = func() {
		defer credentialsInUse.Unlock()
		for key := range dummyCredentials {
			os.Unsetenv(key)
			if value, was := before[key]; was {
				os.Setenv(key, value)
			}
		}
	}
	for key, value := range dummyCredentials {
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
func silentStore(_ context.Context, _ *Maker, s *Store) error {
	addr, err := s3test.FreeAddr()
	if err != nil {
		return err
	}
	return s.moveToS3(addr)
}

// refusingStore points the drill at an S3 server that does not know it.
func refusingStore(ctx context.Context, b *Maker, s *Store) error {
	o, err := s.startS3(ctx, b, rand.Text(), rand.Text())
	if err != nil {
		return err
	}
	return s.moveToS3(o.Listen)
}

// inBucket moves the backups to an S3 server that knows this process.
func inBucket(ctx context.Context, b *Maker, s *Store) error {
	o, err := s.startS3(ctx, b, dummyCredentials["AWS_ACCESS_KEY_ID"], dummyCredentials["AWS_SECRET_ACCESS_KEY"])
	if err != nil {
		return err
	}
	if err := os.CopyFS(o.Bucket(bucket), os.DirFS(s.path(""))); err != nil {
		return fmt.Errorf("move the backups into a bucket: %w", err)
	}
	return s.moveToS3(o.Listen)
}

// startS3 starts an S3 server of the scenario's own, which knows only
// these keys.
func (s *Store) startS3(ctx context.Context, b *Maker, access, secret string) (o s3test.Options, err error) {
	o.Binary, err = b.s3Program(ctx)
	if err != nil {
		return o, err
	}
	o.Listen, err = s3test.FreeAddr()
	if err != nil {
		return o, err
	}
	o.Dir = filepath.Join(s.dir, "s3")
	o.Region = region
	o.AccessKey = access
	o.SecretKey = secret
	if err := os.MkdirAll(o.Bucket(bucket), 0o700); err != nil {
		return o, err
	}
	server, err := s3test.Start(ctx, o)
	if err != nil {
		return o, err
	}
	s.atExit = append(s.atExit, server.Stop)
	return o, nil
}

const (
	region = "us-east-1"
	bucket = "nightly"
)

func (s *Store) moveToS3(addr string) error {
	return s.editDrill("  url: file:demo/backups/\n", fmt.Sprintf(
		"  url: s3://%s/\n  region: %s\n  endpoint: http://%s\n  path_style: true\n", bucket, region, addr))
}
