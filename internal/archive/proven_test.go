package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// unsummed is a zstd frame without a checksum, as zstd --no-check writes it.
func unsummed(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false))
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func TestWhatNoSumCovers(t *testing.T) {
	t.Parallel()
	plain := []byte(readFile(t, "testdata/small-15.sql"))
	custom := []byte(readFile(t, small[0]))
	zeros := make([]byte, 70_000)
	for name, c := range map[string]struct {
		data              []byte
		unproven, packing string
	}{
		"plain":                     {plain, "the whole script", "none"},
		"plain in gzip":             {gzipped(t, plain), "", "gzip"},
		"plain in gzip, padded":     {slices.Concat(gzipped(t, plain), zeros), "", "gzip"},
		"plain in members":          {slices.Concat(gzipped(t, plain[:700]), gzipped(t, plain[700:])), "", "gzip"},
		"plain in zstd":             {zstded(t, plain), "", "zstd"},
		"plain in zstd, padded":     {slices.Concat(zstded(t, plain), zeros), "", "zstd"},
		"plain in frames":           {slices.Concat(zstded(t, plain[:700]), zstded(t, plain[700:])), "", "zstd"},
		"plain in a frame without":  {slices.Concat(zstded(t, plain[:700]), unsummed(t, plain[700:])), "the whole script", "zstd"},
		"custom":                    {custom, tableOfContents, "gzip within"},
		"custom in gzip":            {gzipped(t, custom), "", "gzip around gzip"},
		"custom in zstd without":    {unsummed(t, custom), tableOfContents, "zstd around gzip"},
		"custom behind pzstd's own": {slices.Concat([]byte("\x50\x2a\x4d\x18\x04\x00\x00\x00\x01\x02\x03\x04"), zstded(t, custom)), "", "zstd around gzip"},
	} {
		a := mustOpen(t, c.data)
		if a.Unproven() != c.unproven || a.Packing() != c.packing {
			t.Errorf("%s: unproven %q, packing %q", name, a.Unproven(), a.Packing())
		}
	}
	for _, inner := range []string{"none", "lz4", "zstd"} {
		a := &Archive{Header: Header{Format: Custom, DataCompression: inner}}
		if a.Unproven() != "the rows and "+tableOfContents {
			t.Errorf("%s: unproven %q", inner, a.Unproven())
		}
	}
	for _, packed := range [][]byte{gzipped(t, plain), zstded(t, plain)} {
		wantProblem(t, openBytes(t, slices.Concat(packed, zeros, packed)), verdict.Fail, verdict.CodeCorrupt, "follows the zeros")
	}
}

// TestFlippedBytes damages compressed backups a byte at a time: whatever the
// reading of what comes out meets first, the sum at the end tells.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	all := []byte(readFile(t, "testdata/small-all-15.sql"))
	custom := []byte(readFile(t, small[1]))
	places := 75
	if testneed.Matrix() {
		places = 300
	}
	for name, c := range map[string]struct{ whole, packed []byte }{
		"sql.gz":   {all, gzipped(t, all)},
		"dump.gz":  {custom, gzipped(t, custom)},
		"sql.zst":  {all, zstded(t, all)},
		"dump.zst": {custom, zstded(t, custom)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "backup")
			dir := t.TempDir()
			for i := range places {
				at := i * len(c.packed) / places
				data := bytes.Clone(c.packed)
				data[at] ^= byte(1 + i*7%255)
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				a, err := Open(t.Context(), path, Options{Dir: dir})
				if err == nil {
					if readFile(t, a.Path) != string(c.whole) {
						t.Errorf("byte %d: other bytes passed", at)
					}
					continue
				}
				if p := verdict.AsProblem(err); !told(p, at) {
					t.Errorf("byte %d: %s %s: %v", at, p.Outcome, p.Code, err)
				}
				if _, err := Peek(t.Context(), bytes.NewReader(data), nil); err != nil && !told(verdict.AsProblem(err), at) {
					t.Errorf("byte %d: peek: %v", at, err)
				}
			}
		})
	}
}

// told reports whether a damaged byte was told as what it is: within the magic
// bytes, nobody knows what the file was.
func told(p *verdict.Problem, at int) bool {
	codes := []verdict.Code{verdict.CodeCorrupt, verdict.CodeTruncated}
	if at < 4 {
		codes = append(codes, verdict.CodeNotAnArchive)
	}
	return p.Outcome == verdict.Fail && slices.Contains(codes, p.Code)
}

// TestCheckData damages the blocks of an archive, which has no other sum of them.
func TestCheckData(t *testing.T) {
	t.Parallel()
	data := []byte(readFile(t, small[0]))
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.CheckData(t.Context(), a.Entries...); err != nil {
		t.Fatalf("whole: %v", err)
	}
	for _, e := range a.Entries {
		for at := e.offset.pos; e.HadData && at < e.offset.pos+e.DataSize; at++ {
			flipped := bytes.Clone(data)
			flipped[at] ^= 0x10
			if err := os.WriteFile(path, flipped, 0o600); err != nil {
				t.Fatal(err)
			}
			inBlock := at >= e.offset.pos+16 // after the block's kind, id and first length, and the number of a large object
			if err := a.CheckData(t.Context(), a.Entries...); inBlock && (err == nil || verdict.AsProblem(err).Outcome != verdict.Fail) {
				t.Errorf("%s, byte %d: %v", e.name(), at-e.offset.pos, err)
			}
		}
	}
}
