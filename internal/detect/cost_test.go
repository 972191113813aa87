package detect

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// costTexts are what a drill's time is spent on: rows, and values made to be slow.
func costTexts() map[string][][]byte {
	const size = 8 << 20
	random := rand.New(rand.NewPCG(5, 6))
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte(random.Uint32())
		if noise[i] == '@' || noise[i] == '%' { // no chance of an address
			noise[i] = 0
		}
	}
	runes := make([]rune, 0, size/3)
	for range size / 3 {
		runes = append(runes, rune(0x41+random.IntN(0x2fbf)))
	}
	prose := strings.Repeat("The parcel arrived on Monday, and the box was open; I would like to return it. Please find the order's number below. ", size/118)
	french := strings.Repeat("L’abonné n° 12 a reçu « le colis » le 3 mars 2025 à 14 h 30 ; il l’a renvoyé — sans l’ouvrir. ", size/110)
	chinese := strings.Repeat("客户于2025年3月4日收到包裹，盒子已打开，希望退货（订单号见下）。谢谢！", size/110)
	code := strings.Repeat("\tif err := f.do(ctx, x_y[i].z, 10); err != nil {\n\t\treturn fmt.Errorf(\"do %s: %w\", name, err) // v1.2, see 3.4\n\t}\n",
		size/120)
	json := strings.Repeat(`{"id": 48213, "created_at": "2026-03-04T03:15:00.123Z", "user_id": 77, "total": 19.99, "tags": ["a-b", "c_d"], "ok": true},`,
		size/125)
	table := map[string][][]byte{
		"noise": {noise}, "runes": {[]byte(string(runes))}, "prose": {[]byte(prose)}, "french": {[]byte(french)}, "chinese": {[]byte(chinese)},
		"code": {[]byte(code)}, "json": {[]byte(json)}, "blanks": {bytes.Repeat([]byte("\u00a0"), size/2)}, "dashes": {bytes.Repeat([]byte("-"), size)},
		"dots": {bytes.Repeat([]byte(". "), size/2)}, "colons": {bytes.Repeat([]byte("::"), size/2)}, "ideographic": {bytes.Repeat([]byte("\u3000"), size/3)},
		"digits": {bytes.Repeat([]byte("1234567 "), size/8)}, "pluses": {bytes.Repeat([]byte("+"), size)},
	}
	for range 64 {
		for _, row := range cleanRows {
			for field := range bytes.SplitSeq(row, []byte{'\t'}) {
				table["rows"] = append(table["rows"], field)
			}
		}
		for i := range 100 {
			table["numbers"] = append(table["numbers"], []byte(fmt.Sprint(random.Uint64()>>(i%50))))
			table["times"] = append(table["times"], []byte(fmt.Sprintf("2026-%02d-%02d 03:15:%02d.123+00", 1+i%12, 1+i%28, i%60)))
			table["jsons"] = append(table["jsons"], []byte(json[:125]))
			table["proses"] = append(table["proses"], []byte(prose[:118*(1+i%4)]))
			table["frenches"] = append(table["frenches"], []byte(french[:200]))
		}
	}
	return table
}

// cpu is what this thread has had of the processor: others may be at work on the machine.
func cpu(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

// BenchmarkCost is compared between two builds, in rounds that take turns.
func BenchmarkCost(b *testing.B) {
	s := NewScanner(All)
	for name, texts := range costTexts() {
		size := 0
		for _, text := range texts {
			size += len(text)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			began := cpu(b)
			for b.Loop() {
				for _, text := range texts {
					s.Find(text)
				}
			}
			b.ReportMetric(float64(cpu(b)-began)/float64(b.N), "cpu-ns/op")
		})
	}
}
