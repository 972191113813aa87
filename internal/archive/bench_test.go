package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
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

// BenchmarkScript scans plain dumps of 64 MiB: rows of COPY, and INSERT
// statements.
func BenchmarkScript(b *testing.B) {
	const size = 64 << 20
	row := "4711\tsome text of a row\t2026-01-02 03:04:05+00\t\\N\t{\"a\": 1}\t12345.67\n"
	statement := "INSERT INTO public.orders VALUES (4711, 'some text of a row', '2026-01-02 03:04:05+00', NULL, '{\"a\": 1}', 12345.67);\n"
	for name, data := range map[string]string{
		"COPY":   script("COPY public.orders FROM stdin;\n" + strings.Repeat(row, size/len(row)) + "\\.\n"),
		"INSERT": script(strings.Repeat(statement, size/len(statement))),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readPlain("bench", strings.NewReader(data), "", "", false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
