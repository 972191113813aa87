package scenarios

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"daybefore/internal/verdict"
)

// brokenFormats breaks backups as other programs than pg_dump -Fc write them.
func brokenFormats() []Scenario {
	truncated := fail(verdict.StageFetch, verdict.CodeTruncated)
	inTar := dumped(variant{database: shopDatabase, template: goodTemplate, tarred: true})
	return []Scenario{
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
	}
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
