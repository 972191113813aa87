package gateway

import (
	"crypto/md5"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// Fill puts objects of the same bytes into a bucket, by key with the time when
// each was written. They are laid past the server, where it looks for them: by
// way of it a hundred thousand would take minutes. It may run meanwhile.
func (o Options) Fill(bucket string, data []byte, objects iter.Seq2[string, time.Time]) error {
	known, err := o.known(data)
	if err != nil {
		return fmt.Errorf("fill the bucket %s: %w", bucket, err)
	}
	made := map[string]bool{}
	for key, at := range objects {
		if err := o.put(bucket, key, at, data, known, made); err != nil {
			return fmt.Errorf("fill the bucket %s: %w", bucket, err)
		}
	}
	return nil
}

// known is a folder with what the server keeps of an object of these bytes.
func (o Options) known(data []byte) (dir string, err error) {
	sum := md5.Sum(data) // which is what an S3 server's ETag is
	dir = filepath.Join(o.Dir, "known", fmt.Sprintf("%x", sum))
	meta := filepath.Join(dir, "meta")
	if err := os.MkdirAll(meta, 0o700); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(meta, "etag"), fmt.Appendf(nil, "%q", fmt.Sprintf("%x", sum)), 0o600)
}

// put lays one object. made are the folders that are there: tens of thousands
// of objects lie in some hundred.
func (o Options) put(bucket, key string, at time.Time, data []byte, known string, made map[string]bool) error {
	file, link := filepath.Join(o.Bucket(bucket), key), filepath.Join(o.metadata(), bucket, key)
	for _, dir := range []string{filepath.Dir(file), filepath.Dir(link)} {
		if made[dir] {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		made[dir] = true
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	if err := os.Chtimes(file, at, at); err != nil {
		return err
	}
	// One link is a quarter of the files that the server itself would make.
	return os.Symlink(known, link)
}
