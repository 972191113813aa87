package archive

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"daybefore/internal/crypt"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

func xzed(t testing.TB, data []byte) []byte {
	t.Helper()
	return written(t, data, func(w io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w)
	})
}

func lz4ed(t testing.TB, data []byte) []byte {
	t.Helper()
	return written(t, data, func(w io.Writer) (io.WriteCloser, error) {
		packed := lz4.NewWriter(w)
		return packed, packed.Apply(lz4.BlockSizeOption(lz4.Block64Kb))
	})
}

// What lies around a backup is taken off by what it is, three layers deep and no
// deeper.
func TestChain(t *testing.T) {
	t.Parallel()
	custom := []byte(readFile(t, small[0]))
	plain := []byte(readFile(t, "testdata/small-15.sql"))
	folder := []byte(readFile(t, smallFolder[0]))
	box := byAge(t)
	for name, c := range map[string]struct {
		data                           []byte
		format                         Format
		compression, encryption, first string
	}{
		"sql.xz":                 {xzed(t, plain), Plain, "xz", "", "xz"},
		"dump.lz4":               {lz4ed(t, custom), Custom, "lz4", "", "lz4"},
		"dump.zst in gzip":       {gzipped(t, zstded(t, custom)), Custom, "gzip around zstd", "", "gzip"},
		"gzip in gzip":           {gzipped(t, gzipped(t, custom)), Custom, "gzip around gzip", "", "gzip"},
		"three":                  {xzed(t, lz4ed(t, gzipped(t, plain))), Plain, "xz around lz4 around gzip", "", "xz"},
		"encrypted":              {box.bytes(t, custom), Custom, "none", "age", ""},
		"sql.gz encrypted":       {box.bytes(t, gzipped(t, plain)), Plain, "gzip", "age", ""},
		"encrypted, then packed": {zstded(t, box.bytes(t, plain)), Plain, "zstd", "age", ""},
		"tar.gz encrypted":       {box.bytes(t, gzipped(t, folder)), Tar, "gzip", "age", ""},
	} {
		a, err := openBy(t, c.data, box.keys)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Format != c.format || string(a.Compression) != c.compression || a.Encryption != c.encryption || (a.Key == box.key) != (c.encryption != "") {
			t.Errorf("%s: %+v", name, a.Header)
		}
		if unproven := a.Unproven(); unproven != "" {
			t.Errorf("%s: unproven %q", name, unproven)
		}
		h, err := Peek(t.Context(), bytes.NewReader(c.data), box.keys)
		if c.format == Tar { // of which not the first bytes tell
			continue
		}
		if err != nil || h.Format != c.format || h.ServerMajor != 15 || h.Compression != a.Compression || h.Encryption != c.encryption {
			t.Errorf("%s: peek: %+v, %v", name, h, err)
		}
	}
	_, err := openBy(t, gzipped(t, gzipped(t, gzipped(t, gzipped(t, custom)))), nil)
	wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, "more than 3 times")
	for _, data := range [][]byte{box.bytes(t, custom), gzipped(t, box.bytes(t, custom))} {
		_, err = openBy(t, data, byAge(t).keys)
		wantProblem(t, err, verdict.Error, verdict.CodeDecrypt, "opens it")
	}
	_, err = openBy(t, gzipped(t, []byte("hunter2")), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNotAnArchive, "unpacked from gzip")
}

func openBy(t *testing.T, data []byte, keys *crypt.Keys) (*Archive, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(t.Context(), path, Options{Dir: t.TempDir(), Keys: keys})
}

// The outermost layer that something is wrong with is what is told, and nothing
// that was cut or changed passes for whole.
func TestBrokenChains(t *testing.T) {
	t.Parallel()
	step := 53
	if testneed.Matrix() {
		step = 17
	}
	custom := []byte(readFile(t, small[0]))
	for name, c := range map[string]struct {
		data  []byte
		outer string // what stands in what is told
	}{
		"xz":               {xzed(t, custom), "xz stream"},
		"lz4":              {lz4ed(t, custom), "lz4 stream"},
		"gzip around zstd": {gzipped(t, zstded(t, custom)), "gzip stream"},
		"zstd around lz4":  {zstded(t, lz4ed(t, custom)), "zstd stream"},
		"tar.gz":           {gzipped(t, []byte(readFile(t, smallFolder[0]))), "gzip stream"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := 20; i < len(c.data); i += step {
				for how, data := range map[string][]byte{"cut": c.data[:i], "spoilt": spoilt(c.data, i)} {
					_, err := openBy(t, data, nil)
					p, ok := errors.AsType[*verdict.Problem](err)
					if !ok || p.Outcome != verdict.Fail || !strings.Contains(p.Error(), c.outer) {
						t.Errorf("%s at %d of %d: %v", how, i, len(c.data), err)
					}
				}
			}
		})
	}
}

// So it is where the inner layer notices long before the outer one's end.
func TestTheOuterLayerIsBelieved(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	for i, x := 0, uint32(1); i < 400_000; i++ {
		x = x*1664525 + 1013904223
		fmt.Fprintf(&rows, "%08x\n", x)
	}
	script := strings.Replace(readFile(t, "testdata/small-15.sql"), "COPY public.b (note) FROM stdin;\n",
		"COPY public.b (note) FROM stdin;\n"+rows.String(), 1)
	inner := zstded(t, []byte(script))
	data := stored(t, inner)
	if _, err := openBy(t, data, nil); err != nil || len(data) < 4*readBuffer {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	for i := range 400 {
		data = spoilt(data, len(data)/3+i)
	}
	_, err := openBy(t, data, nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeCorrupt, "its gzip stream")
}

// stored is data under gzip, as it is: only its end tells what was changed.
func stored(t *testing.T, data []byte) []byte {
	t.Helper()
	return written(t, data, func(w io.Writer) (io.WriteCloser, error) {
		return gzip.NewWriterLevel(w, gzip.NoCompression)
	})
}

func spoilt(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 0x41
	return data
}
