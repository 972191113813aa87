package detect

import (
	"slices"
	"strings"
	"testing"
)

func TestFormOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Form{
		"": Empty, " \t": Empty,
		"42": Digits, "2024-01-05 10:00:00": Digits, "19.90": Digits, "+49 30 123": Digits,
		"Ada Nobody": Words, "O'Hara, Ann-Marie": Words, "李小龙": Words, "müller": Words, "active": Words,
		"AB-1234": Codes, "ada@example.com": Codes, "in_progress": Codes, "d41d8cd98f": Codes,
		"Room 12 is closed": Texts, "write to ada@example.com": Texts,
		`{"a": 1}`: Documents, "[1, 2]": Documents, "<p>x</p>": Documents, "---\na: b": Documents, `a:1:{i:0;s:1:"x";}`: Documents,
		"\x00\x01ab": Bytes, "\xff\xfe": Bytes,
		strings.Repeat("ä", 300):       Words, // cut within a character
		"x" + strings.Repeat("ä", 300): Words,
		"{":                            Codes, "[sic] he said": Texts,
	} {
		if got := FormOf([]byte(text)); got != want {
			t.Errorf("%.20q is %s, want %s", text, got, want)
		}
	}
}

func TestFormCounts(t *testing.T) {
	t.Parallel()
	var c, other FormCounts
	for range 100 {
		c.Add([]byte("12"))
	}
	for range 200 {
		other.Add([]byte("open"))
	}
	other.Add([]byte("{}"))
	c.Join(other)
	if got, want := c.Words(), []string{"words", "digits"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q: one document of 301 values is left out", got, want)
	}
	if got := new(FormCounts).Words(); got != nil {
		t.Errorf("%q of no values", got)
	}
}
