package catalog

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
)

// benchPlace is a place that holds two folders, and how rclone reaches it.
type benchPlace struct {
	src    spec.Source
	remote string
	flags  []string
}

// benchFolders are what the folders hold: so many files of so many bytes.
var benchFolders = map[string]struct{ files, size int }{"large": {1, 1 << 30}, "many": {1000, 100 << 10}}

// BenchmarkFetch fetches one file of 1 GiB, and 1,000 files of 100 KiB, from
// servers on loopback, sums them (but the many files), and lets rclone copy the
// same in turn:
//
//	go test ./internal/catalog -run xxx -bench BenchmarkFetch -benchtime 1x -count 5
func BenchmarkFetch(b *testing.B) {
	dir := b.TempDir()
	for folder, holds := range benchFolders {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			b.Fatal(err)
		}
		for i := range holds.files {
			data := bytes.Repeat(noise(100<<10), holds.size/(100<<10)+1)[:holds.size]
			if err := os.WriteFile(filepath.Join(dir, folder, fmt.Sprintf("%04d.dat", i)), data, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	rclone := testneed.Debian(b, "rclone").Program(b, "rclone")
	for name, place := range benchPlaces(b, dir) {
		for folder, holds := range benchFolders {
			b.Run(name+"/"+folder+"/drill", func(b *testing.B) {
				b.SetBytes(int64(holds.files * holds.size))
				for b.Loop() {
					benchFetch(b, place.src, folder)
				}
			})
			for kind, sums := range map[string]string{"rclone": "true", "rclone+sha256sum": `cd "$0" && sha256sum *`} {
				b.Run(name+"/"+folder+"/"+kind, func(b *testing.B) {
					b.SetBytes(int64(holds.files * holds.size))
					for b.Loop() {
						to := b.TempDir()
						benchRun(b, append([]string{rclone, "copy", "--config", os.DevNull, place.remote + folder, to}, place.flags...)...)
						benchRun(b, "sh", "-c", sums, to)
					}
				})
			}
		}
	}
}

func benchRun(b *testing.B, args ...string) {
	b.Helper()
	if out, err := exec.CommandContext(b.Context(), args[0], args[1:]...).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

func benchPlaces(b *testing.B, dir string) map[string]benchPlace {
	sshd := storetest.StartSSHD(b)
	sshd.Open(b, dir)
	web := storetest.StartWeb(b, dir, true)
	s3 := storetest.S3(b)
	for folder, holds := range benchFolders {
		for i := range holds.files {
			name := fmt.Sprintf("%s/%04d.dat", folder, i)
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err == nil {
				err = s3.Put(b.Context(), name, data)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Setenv("AWS_ACCESS_KEY_ID", s3.AccessKey)
	b.Setenv("AWS_SECRET_ACCESS_KEY", s3.SecretKey)
	b.Setenv("AWS_REGION", s3.Region)
	host, port, _ := net.SplitHostPort(sshd.Addr)
	return map[string]benchPlace{
		"sftp": {sftpSource(sshd, dir), ":sftp:" + dir + "/", []string{"--sftp-host", host, "--sftp-port", port, "--sftp-user", sshd.User,
			"--sftp-key-file", sshd.KeyFile, "--sftp-known-hosts-file", sshd.KnownHosts}},
		"https": {spec.Source{URL: web.URL + "/"}, ":http:", []string{"--http-url", web.URL}},
		"s3": {serverSource(s3, ""), ":s3:" + s3.Bucket + "/", []string{"--s3-provider", "Other", "--s3-env-auth",
			"--s3-endpoint", s3.Endpoint, "--s3-force-path-style"}},
	}
}

// benchFetch fetches one file as a drill does; of many, sixteen at once.
func benchFetch(b *testing.B, src spec.Source, folder string) {
	b.Helper()
	store, err := Open(b.Context(), src)
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	to := b.TempDir()
	var all errgroup.Group
	all.SetLimit(16)
	for o, err := range store.List(b.Context(), folder+"/", true) {
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() error {
			if folder == "large" {
				o, err := exact(b.Context(), store, o)
				if err == nil {
					_, err = Fetch(b.Context(), store, Backup{Object: o}, FetchOptions{Dir: to})
				}
				return err
			}
			f, err := os.Create(filepath.Join(to, filepath.Base(o.Name)))
			if err != nil {
				return err
			}
			defer f.Close()
			r := reader(b.Context(), store, o, patient)
			defer r.Close()
			_, err = io.Copy(f, r)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		b.Fatal(err)
	}
}
