package detect

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// linesOf are those of a file of testdata.
func linesOf(t *testing.T, name string) [][]byte {
	t.Helper()
	content, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(content, []byte("\n")), []byte("\n"))
}

// Release notes, part numbers, code and the like hold nothing, alone or within a longer text.
func TestHarmless(t *testing.T) {
	t.Parallel()
	s := NewScanner(All)
	lines := linesOf(t, "harmless.txt")
	if len(lines) < 300 {
		t.Errorf("there are %d lines", len(lines))
	}
	for _, line := range lines {
		for _, text := range [][]byte{line, append([]byte("Grüße; "), line...), append(bytes.Clone(line), " und so"...)} {
			s.Each(text, func(h Hit) { t.Errorf("%q: %v %v %q", text, h.Confidence, h.Kind, text[h.From:h.To]) })
		}
	}
}

// A number that begins a line, as a chapter's does, is no address, whatever the chapter is about.
func TestChapters(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1.5.5.20 http.client", "5.18.1.60 DNS", "so\n5.21.23.14 Networks as containers of addresses"} {
		NewScanner(All).Each([]byte(text), func(h Hit) { t.Errorf("%q: %+v", text, h) })
	}
}

// What may be something else is doubtful, and certain for none.
func TestDoubtful(t *testing.T) {
	t.Parallel()
	s := NewScanner(All)
	for _, line := range linesOf(t, "doubtful.txt") {
		hit, found := s.Find(line)
		if !found || hit.Confidence != Doubtful {
			t.Errorf("%q: %+v, %v", line, hit, found)
		}
	}
}

// A certain hit is told before a doubtful one, wherever it stands and whatever its kind.
func TestFindPrefersCertain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"PM820092D from ada@example.com", "62.1.44.7 and 62.1.44.8:443", "part 12345678Z, DE89370400440532013000",
		"AB12\u00ad3456D" + strings.Repeat(" and so on", 40) + " 4111\u00a01111\u00a01111\u00a01111"} {
		if hit, found := NewScanner(All).Find([]byte(text)); !found || hit.Confidence != Certain {
			t.Errorf("%q: %+v, %v", text, hit, found)
		}
	}
}
