package packed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// files are testdata/text as the real programs pack it, by name, with the codec
// and whether checksums cover all of it.
var files = []struct {
	name, codec string
	summed      bool
}{
	{"text.gz", "gzip", true},
	{"members.gz", "gzip", true},
	{"text.zst", "zstd", true},
	{"unsummed.zst", "zstd", false},
	{"frames.zst", "zstd", true},
	{"skip.zst", "zstd", true}, // a frame without data first
	{"text.xz", "xz", true},
	{"blocks.xz", "xz", true},
	{"streams.xz", "xz", true}, // with zeros between them
	{"unsummed.xz", "xz", false},
	{"text.bz2", "bzip2", true},
	{"streams.bz2", "bzip2", true},
	{"text.lz4", "lz4", true},
	{"linked.lz4", "lz4", true}, // -BD -BX --content-size
	{"unsummed.lz4", "lz4", false},
	{"legacy.lz4", "lz4", false},
	{"frames.lz4", "lz4", true}, // with one without data between them
	{"mixed.lz4", "lz4", false}, // an old frame and a new one
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unpack is all that is in a packed file, and whether its sums cover it.
func unpack(codec string, data []byte) (text []byte, summed bool, err error) {
	i := slices.IndexFunc(Codecs, func(c Codec) bool { return c.Name == codec })
	s, err := Codecs[i].Open(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, false, err
	}
	defer s.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, s)
	return b.Bytes(), s.Summed(), err
}

// What real programs pack is read to its end, whole or with zeros after it.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	text := read(t, "text")
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			data := read(t, f.name)
			c, known := Of(data[:min(len(data), 32)])
			if !known || c.Name != f.codec || !slices.ContainsFunc(c.Suffixes, func(s string) bool { return strings.HasSuffix(f.name, s) }) {
				t.Errorf("told as %q", c.Name)
			}
			padded := append(slices.Clone(data), make([]byte, 5120)...)
			for what, data := range map[string][]byte{"alone": data, "before zeros": padded} {
				got, summed, err := unpack(f.codec, data)
				if err != nil || !bytes.Equal(got, text) || summed != f.summed {
					t.Errorf("%s: %v, %d bytes of %d, summed: %v", what, err, len(got), len(text), summed)
				}
			}
			if got, _, err := unpack(f.codec, append(padded, 'x')); !errors.Is(err, ErrAfterPadding) {
				t.Errorf("zeros and more after it: %v, %d bytes", err, len(got))
			}
			if got, _, err := unpack(f.codec, append(slices.Clone(data), "junk"...)); err == nil {
				t.Errorf("junk after it went by (%d bytes)", len(got))
			}
		})
	}
}

// ends is at how many places a file may end without a word: where a stream
// within it does, and in zeros that follow one. An old frame of lz4 does so
// before each block.
var ends = map[string]int{
	"members.gz": 1, "frames.zst": 1, "streams.xz": 1 + 4, "streams.bz2": 1, "frames.lz4": 2, "mixed.lz4": 2,
	"legacy.lz4": 1, "skip.zst": 1,
}

// A file that is cut anywhere ends with an error, whatever the codec: unless a
// whole one ends there, or nothing in its format says where it ends.
func TestCutFiles(t *testing.T) {
	t.Parallel()
	text := read(t, "text")
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			data := read(t, f.name)
			quiet := 0
			for n := range len(data) {
				got, _, err := unpack(f.codec, data[:n])
				switch {
				case n == 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF)):
				case err == nil && n > 0:
					quiet++
					if !bytes.HasPrefix(text, got) || len(got) == len(text) {
						t.Errorf("cut at %d: %d bytes and no error", n, len(got))
					}
				case !errors.Is(err, io.ErrUnexpectedEOF):
					t.Errorf("cut at %d of %d: %v", n, len(data), err)
				}
			}
			if quiet != ends[f.name] {
				t.Errorf("%d cuts went by without an error, want %d", quiet, ends[f.name])
			}
		})
	}
}

// A file of which a bit was changed anywhere does not pass for whole with another
// text, where its checksums cover it.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	text := read(t, "text")
	for _, f := range files {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			data := read(t, f.name)
			for i := range data {
				damaged := slices.Clone(data)
				damaged[i] ^= 1 << (i % 8)
				got, summed, err := unpack(f.codec, damaged)
				if err == nil && !bytes.Equal(got, text) && summed {
					t.Errorf("byte %d: %d bytes of another text passed for whole", i, len(got))
				}
			}
		})
	}
}

// What a format can ask for and is not given is no damage.
func TestBeyondBounds(t *testing.T) {
	t.Parallel()
	encoder, err := zstd.NewWriter(nil, zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	frame := encoder.EncodeAll([]byte("one two"), nil)
	for name, c := range map[string]struct {
		codec string
		data  []byte
		want  error
	}{
		"zstd of a window of 512 MiB":   {"zstd", wide(frame, 29), nil},
		"zstd of a window of 1 GiB":     {"zstd", wide(frame, 30), ErrTooWide},
		"xz of a dictionary of 1.5 GiB": {"xz", dictionary(read(t, "text.xz"), 39), ErrTooWide},
		"xz of a dictionary of 64 MiB":  {"xz", dictionary(read(t, "text.xz"), 28), nil},
		"xz with a filter":              {"xz", read(t, "filter.xz"), ErrMethod},
		"lz4 with a dictionary":         {"lz4", []byte("\x04\x22\x4d\x18\x61\x40\x01\x00\x00\x00\x00"), ErrMethod},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if text, _, err := unpack(c.codec, c.data); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%v (%d bytes), want %v", err, len(text), c.want)
			}
		})
	}
}

// wide makes the header of a frame ask for a window of so many bits (RFC 8878,
// 3.1.1.1.2).
func wide(frame []byte, bits byte) []byte {
	frame = bytes.Clone(frame)
	frame[5] = (bits - 10) << 3
	return frame
}
