package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkOpen walks 64 MiB of rows in the chunks that pg_dump 15 (4 KiB)
// and 17 (128 KiB) write, bare and through an outer zstd.
func BenchmarkOpen(b *testing.B) {
	a := mustOpen(b, []byte(readFile(b, small[1])))
	const size = 64 << 20
	for name, chunk := range map[string]int{"4KiB": 4 << 10, "128KiB": 128 << 10} {
		w := writer{minor: newest, offSize: 8}
		one := *a
		one.Entries = []Entry{{DumpID: 1, HadData: true, Desc: "TABLE DATA", Section: SectionData}}
		w.archive(&one)
		w.WriteByte(blockData)
		w.int(1)
		for range size / chunk {
			w.int(chunk)
			w.Write(bytes.Repeat([]byte{'x'}, chunk))
		}
		w.int(0)
		for outer, data := range map[string][]byte{"bare": w.Bytes(), "zstd": zstded(b, w.Bytes())} {
			path := filepath.Join(b.TempDir(), "backup")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				b.Fatal(err)
			}
			b.Run(name+" "+outer, func(b *testing.B) {
				b.SetBytes(size)
				b.ReportAllocs()
				for b.Loop() {
					a, err := Open(b.Context(), path, Options{})
					if err != nil {
						b.Fatal(err)
					}
					if a.Path != path {
						os.Remove(a.Path)
					}
				}
			})
		}
	}
}
