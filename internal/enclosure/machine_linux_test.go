package enclosure

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// otherCalls is machine code that ends with status 7 by a call of the other
// word size: mov $1, %eax; mov $7, %ebx; int $0x80.
var otherCalls = []byte{0xb8, 1, 0, 0, 0, 0xbb, 7, 0, 0, 0, 0xcd, 0x80}

// program is a file for Linux on amd64 that holds no more than machine code.
func program(code []byte) []byte {
	const base, headers = 0x400000, 64 + 56
	b := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	for _, field := range []any{
		uint16(2), uint16(62), uint32(1), uint64(base + headers), uint64(64), uint64(0), uint32(0), // what it is, and where it begins
		uint16(64), uint16(56), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(1), uint32(5), uint64(0), uint64(base), uint64(base), // all of it is loaded, to be read and run
		uint64(headers + len(code)), uint64(headers + len(code)), uint64(4096),
	} {
		b, _ = binary.Append(b, binary.LittleEndian, field)
	}
	return append(b, code...)
}

// TestOtherCalls makes a call as programs of another word size do, whose numbers
// no list holds.
func TestOtherCalls(t *testing.T) {
	t.Parallel()
	if runtime.GOARCH != "amd64" {
		t.Skip("machine code of another processor")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "other")
	if err := os.WriteFile(path, program(otherCalls), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := command(t, Enclosed, &out, path)
	c.Programs = []string{dir}
	end, err := started(t, c).Wait()
	switch {
	case err == nil && end.Code == 128+int(unix.SIGSEGV):
		t.Skip("this kernel knows no such calls")
	case err != nil || end.Code != 128+int(unix.SIGSYS):
		t.Errorf("it was not ended for the call: %+v, %v, %q", end, err, out.String())
	}
}
