package scenarios

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"daybefore/internal/verdict"
)

// brokenFormats breaks backups as other programs than pg_dump -Fc write them.
func brokenFormats() []Scenario {
	truncated := fail(verdict.StageFetch, verdict.CodeTruncated)
	in := func(format string) Break {
		return dumped(variant{database: shopDatabase, template: goodTemplate, format: format})
	}
	inTar := in(formatTar)
	all := []Scenario{
		{"nothing broken, under xz", compressed(".xz", xzed), pass},
		{"nothing broken, in tar format", inTar, pass},
		{"truncated by one byte, under gzip", both(compressed(".gz", gzipped), newest(withoutLast)), truncated},
		{"truncated by one byte, under zstd", both(compressed(".zst", zstded), newest(withoutLast)), truncated},
		{"truncated by one byte, under xz", both(compressed(".xz", xzed), newest(withoutLast)), truncated},
		{"truncated by one byte, under lz4", both(compressed(".lz4", lz4ed), newest(withoutLast)), truncated},
		{"truncated by half, in tar format", both(inTar, newest(firstHalf)), truncated},
		{"rows missing in tar format", both(inTar, newest(withoutRows)), truncated},
		{"a name that says another compression", both(compressed(".gz", xzed), newest(withoutLast)), truncated},
		{"a good backup whose name says another compression", compressed(".gz", xzed),
			Want{Outcome: verdict.Warn, Stage: verdict.StageFetch, Code: verdict.CodeBackupForm, Check: "backup_name",
				Alone: true}},
		{"nothing broken, in directory format", both(inTar, spread(nil)), pass},
		{"a file cut, in directory format", both(inTar, spread(firstHalf)), truncated},
		{"truncated by half, in plain format", both(in(formatPlain), newest(firstHalf)), truncated},
	}
	_, err := exec.LookPath(bzip2)
	if err == nil { // nothing in Go writes it
		all = append(all, Scenario{"truncated by one byte, under bzip2",
			both(compressed(".bz2", bzip2ed), newest(withoutLast)), truncated})
	}
	return all
}

// spread lays the members of the newest backup, a tar, into a folder, as pg_dump
// writes them there without compression, and spoils the last that holds rows.
func spread(spoil func([]byte) []byte) Break {
	return func(_ context.Context, _ *Maker, s *Store) error {
		name, dump, err := s.newest()
		if err != nil {
			return err
		}
		folder := s.path(name)
		err = errors.Join(s.remove(name), os.Mkdir(folder, 0o755))
		if err != nil {
			return err
		}
		last, err := layOut(dump, folder)
		if err != nil {
			return err
		}
		if spoil != nil {
			rows, err := os.ReadFile(last)
			if err != nil {
				return err
			}
			err = os.WriteFile(last, spoil(rows), 0o644)
			if err != nil {
				return err
			}
		}
		return errors.Join(sumsIn(folder), s.settled())
	}
}

// sumsIn writes the sums of a folder's files, as they are now.
func sumsIn(folder string) error {
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(text), f.Name())
	}
	return os.WriteFile(filepath.Join(folder, "SHA256SUMS"), sums.Bytes(), 0o644)
}

// layOut writes what a directory holds of a tar's members, all but restore.sql,
// and gives the path of the last.
func layOut(dump []byte, folder string) (last string, err error) {
	for r := tar.NewReader(bytes.NewReader(dump)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return "", err
		}
		if path.Ext(h.Name) != ".dat" {
			continue
		}
		file, err := io.ReadAll(r)
		if err != nil {
			return "", err
		}
		last = filepath.Join(folder, h.Name)
		err = os.WriteFile(last, file, 0o644)
		if err != nil {
			return "", err
		}
	}
}

const bzip2 = "bzip2"

func bzip2ed(dump []byte) ([]byte, error) {
	c := exec.Command(bzip2, "-c")
	c.Stdin = bytes.NewReader(dump)
	return c.Output()
}

func withoutLast(dump []byte) []byte { return dump[:len(dump)-1] }
func firstHalf(dump []byte) []byte   { return dump[:len(dump)/2] }

// withoutRows packs a tar anew without the first file that holds rows.
func withoutRows(dump []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	left := false
	for r := tar.NewReader(bytes.NewReader(dump)); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		if !left && strings.HasSuffix(h.Name, ".dat") && h.Name != "toc.dat" {
			left = true
			continue
		}
		if w.WriteHeader(h) != nil {
			break
		}
		if _, err := io.Copy(w, r); err != nil {
			break
		}
	}
	if w.Close() != nil {
		return nil
	}
	return b.Bytes()
}

func xzed(dump []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 20}.NewWriter(&b)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(dump)
	err = errors.Join(err, w.Close()) // writes the end
	return b.Bytes(), err
}

func lz4ed(dump []byte) ([]byte, error) {
	var b bytes.Buffer
	w := lz4.NewWriter(&b)
	_, err := w.Write(dump)
	err = errors.Join(err, w.Close()) // writes the end
	return b.Bytes(), err
}
