package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// An archive that was written through a pipe becomes, to the byte, what
// pg_dump writes to a file.
func TestWriteOffsets(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			c.Exec("postgres", readFile(t, "testdata/nasty.sql"))
			args := []string{"-Fc", "-d", nastyDB}
			want := c.DumpFile(args...)
			pipe := write(t, c.Dump(args...))
			a, err := Open(t.Context(), pipe, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(a.Entries, func(e Entry) bool { return e.offset.state == offsetKnown }) {
				t.Fatal("the dump through a pipe has offsets")
			}
			for range 2 { // again changes nothing
				if err := a.WriteOffsets(); err != nil {
					t.Fatal(err)
				}
			}
			if got := []byte(readFile(t, pipe)); !bytes.Equal(got[headerWithTime:], want[headerWithTime:]) {
				t.Errorf("it differs from a dump to a file, of %d and %d bytes", len(got), len(want))
			}
			if _, err := Open(t.Context(), pipe, Options{}); err != nil { // which compares each with where the block is
				t.Error(err)
			}
		})
	}
}

// headerWithTime is the length of a header up to and with its time, at most.
const headerWithTime = 51

// A script has no offsets, and is not touched.
func TestWriteOffsetsOfAScript(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	if err := (&Archive{Header: Header{Format: Plain}, Path: none}).WriteOffsets(); err != nil {
		t.Error(err)
	}
	if err := (&Archive{Header: Header{Format: Custom}, Path: none}).WriteOffsets(); err == nil {
		t.Error("a file that is not there was written")
	}
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.dump")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
