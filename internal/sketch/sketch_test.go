package sketch

import "testing"

func TestSketch(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 7, Size - 1, Size, Size + 1, 20_000} {
		var a, b, both Sketch
		step := ^uint64(0)/uint64(max(n, 1)) | 1
		for i := range n {
			h := uint64(i) * step
			for range 3 {
				a.Add(h)
			}
			if i%2 == 0 {
				b.Add(h)
			}
		}
		both.Join(&b)
		both.Join(&a)
		for name, s := range map[string]*Sketch{"one": &a, "joined": &both} {
			got, exact := s.Count()
			if exact != (n <= Size) || exact && got != int64(n) || max(got-int64(n), int64(n)-got) > int64(n)/50 || len(s.kept) > Size {
				t.Errorf("%s of %d: %d, exactly: %v", name, n, got, exact)
			}
		}
	}
}
