package detect

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What marks hide is told by its place in the text as it stands.
func TestMarks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"Tel.:\u00a0+49\u00a0171\u00a05512345, ja", "+49\u00a0171\u00a05512345"},
		{"\u202a+49 171 55\u00ad12345\u202c", "+49 171 55\u00ad12345"},
		{"邮箱：ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ。", "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ"},
		{"رقم +٩٦٦٥٠١٢٣٤٥٦٧ هنا", "+٩٦٦٥٠١٢٣٤٥٦٧"},
		{strings.Repeat("é 1\u00a02 ", 900) + "4111\u00a01111\u00a01111\u00a01111" + strings.Repeat(" 1\u00a02 é", 900), "4111\u00a01111\u00a01111\u00a01111"},
	} {
		var got []string
		NewScanner(All).Each([]byte(tt.text), func(h Hit) { got = append(got, tt.text[h.From:h.To]) })
		if len(got) != 1 || got[0] != tt.want {
			t.Errorf("%.60q: %q", tt.text, got)
		}
		if h, found := NewScanner(All).Find([]byte(tt.text)); !found || tt.text[h.From:h.To] != tt.want {
			t.Errorf("%.60q: Find has %+v, %v", tt.text, h, found)
		}
	}
}

// Each value is told once, however many pieces a text is looked at in.
func TestMarksOnce(t *testing.T) {
	t.Parallel()
	const values = 300
	places := map[int]int{}
	NewScanner(Of(Card)).Each([]byte(strings.Repeat("4111\u00a01111\u00a01111\u00a01111, ", values)), func(h Hit) { places[h.From]++ })
	for at, n := range places {
		if n != 1 {
			t.Errorf("the value at %d was told %d times", at, n)
		}
	}
	if len(places) != values {
		t.Errorf("%d of %d", len(places), values)
	}
}

// Letters of official numbers are all small or all capitals.
func TestCases(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"nino AB123456C": true, "nino ab123456c": true, "nino Ab123456C": false, "nino AB123456c": false} {
		if _, found := NewScanner(Of(NationalID)).Find([]byte(text)); found != want {
			t.Errorf("%q: %v", text, found)
		}
	}
}

// Bytes without text hold nothing, and what text there is among them is looked at.
func TestBinary(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	noise := make([]byte, 4<<20)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	s := NewScanner(All)
	s.Each(noise, func(h Hit) { t.Errorf("%+v: %q", h, noise[h.From:h.To]) })
	const text = "\x00Author: ada@example.com\x00"
	copy(noise[1<<20:], text)
	found := 0
	s.Each(noise, func(h Hit) {
		if found++; string(noise[h.From:h.To]) != "ada@example.com" {
			t.Errorf("%+v: %q", h, noise[h.From:h.To])
		}
	})
	if _, ok := s.Find(noise); !ok || found != 1 {
		t.Errorf("%d hits in a picture with an address; Find has %v", found, ok)
	}
	if h, ok := s.Find([]byte("\x01\xfe\x90\x02q@b.de\x03\xff\x81\x04\x05")); ok {
		t.Errorf("six bytes among others are taken for an address: %+v", h)
	}
	for _, latin1 := range []string{"Gr\xfc\xdfe von ada@example.com, M\xfcnchen", "\xfcber +4915123456789\xa0"} {
		if _, ok := s.Find([]byte(latin1)); !ok {
			t.Errorf("%q holds nothing", latin1)
		}
	}
}

// Three countries of the registry by their structure, and one that is none of it.
func TestIBANRegistry(t *testing.T) {
	t.Parallel()
	countries := 0
	for _, form := range ibans {
		if form != "" {
			countries++
		}
	}
	if countries != 89 {
		t.Errorf("there are %d countries", countries)
	}
	for text, want := range map[string]bool{"OM810180000001299123456": true, "RU0204452560040702810412345678901": true, "FK12SC987654321098": true,
		"FK121234567654321098": false, "US64SVBKUS6S3300958879": false} {
		if _, found := NewScanner(Of(IBAN)).Find([]byte(text)); found != want {
			t.Errorf("%s: %v", text, found)
		}
	}
}
