package archive

import (
	"bytes"
	"os/exec"
	"testing"

	"daybefore/internal/testneed"
)

// The blocks of bzip2 and lz4 are longer than those of other codecs, and unpacked
// whole or not.
func TestPeekThroughLongBlocks(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 6<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	for _, name := range []string{"bzip2", "lz4"} {
		program, err := exec.LookPath(name)
		if err != nil {
			testneed.Missing(t, "no %s here", name)
		}
		cmd := exec.CommandContext(t.Context(), program, "-9c")
		cmd.Stdin = bytes.NewReader(append([]byte(readFile(t, small[0])), noise...))
		data, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		h, err := Peek(t.Context(), bytes.NewReader(data[:PeekSize]), nil)
		if err != nil || h.Database != "small" || string(h.Compression) != name {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}
