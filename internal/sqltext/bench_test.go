package sqltext

import (
	"io"
	"strings"
	"testing"
)

// BenchmarkInsertReader turns 64 MiB of INSERT statements into rows.
func BenchmarkInsertReader(b *testing.B) {
	const size = 64 << 20
	values := "(4711, 'some text of a row', '2026-01-02 03:04:05+00', NULL, '{\"a\": 1}', 12345.67)"
	one := "INSERT INTO public.orders VALUES " + values + ";\n"
	many := "INSERT INTO public.orders VALUES\n\t" + strings.Repeat(values+",\n\t", 99) + values + ";\n"
	long := "INSERT INTO public.orders VALUES (1, '" + strings.Repeat("text of a long value, ", 500) + "');\n"
	for name, statement := range map[string]string{"a row each": one, "a hundred rows each": many, "long values": long} {
		data := strings.Repeat(statement, size/len(statement))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				r := NewInsertReader(strings.NewReader(data), "", true)
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
