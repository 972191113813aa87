package jsontext

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Any text is itself again, and encoding/json reads it likewise.
func TestQuoted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "text")
		quoted := AppendQuoted(nil, []byte(text))
		if got := AppendUnquoted(nil, quoted[1:len(quoted)-1]); string(got) != text {
			rt.Fatalf("%q became %q, and %q again", text, quoted, got)
		}
		for _, written := range [][]byte{quoted, []byte(fmt.Sprintf("%+q", text))} {
			var read string
			if err := json.Unmarshal(written, &read); err != nil {
				continue // Go's escapes are not all of JSON
			}
			if got := AppendUnquoted(nil, written[1:len(written)-1]); string(got) != read {
				rt.Fatalf("%s is %q, want %q", written, got, read)
			}
		}
	})
	for written, want := range map[string]string{`\ud83d\ude00\u00E9`: "😀é", `\ud83d`: "\ufffd", `\ud83d\u0041`: "\ufffdA", `\u12`: "\x12", `\`: `\`} {
		if got := AppendUnquoted(nil, []byte(written)); string(got) != want {
			t.Errorf("%s is %q, want %q", written, got, want)
		}
	}
}

// A label is what all bytes of a word are letters or low lines in, up to what is
// no ASCII.
func TestNotInLabel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.Uint64().Draw(rt, "word")
		odd := notInLabel(word)
		for i := range 8 {
			c := byte(word >> (8 * i))
			if c >= utf8.RuneSelf {
				break
			}
			if label := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_'; odd>>(8*i+7)&1 != 0 == label {
				rt.Fatalf("%q in %x is odd: %v", c, word, label)
			}
		}
	})
}

// FuzzValueEnd finds an end wherever encoding/json finds a document, and looks
// at the members of anything.
func FuzzValueEnd(f *testing.F) {
	f.Add([]byte(`{"a": [1, -2.5e+3, "\u00e9\"", {}, [], null, true, false]}`))
	f.Add([]byte(`{"a": 1, "b": [[{"c": "d"}]`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		for key := range Members(doc) {
			if !bytes.Contains(doc, key) {
				t.Fatalf("%q is no key of %q", key, doc)
			}
		}
		from := AfterBlanks(doc, 0)
		end := ValueEnd(doc, from, 0)
		whole := end >= 0 && AfterBlanks(doc, end) == len(doc)
		if json.Valid(doc) && !whole {
			t.Fatalf("%q ends at %d", doc, end)
		}
	})
}

func TestMembers(t *testing.T) {
	t.Parallel()
	var got []string
	for key, value := range Members([]byte(`{"a": "x\"y", "b" : [ "c", "d:"], "e": {"f": -1.5e3, "g": null}, "h": [{"i": [[7]]}], "j": "k\\"}`)) {
		got = append(got, fmt.Sprintf("%s=%s", key, value))
	}
	if diff := cmp.Diff([]string{`a=x\"y`, "b=c", "e=", "f=-1.5e3", "h=", "i=7", `j=k\\`}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", `"`, `"a`, `"a\`, `{"a":`, `{"a": "`, `{"a": [`, "[1, 2]", "null"} {
		for range Members([]byte(bad)) {
		}
	}
}

func TestPlainKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"": true, "contact_email": true, "a.b:c/d-e$1": true, "order_123456": true,
		"order_1234567": false, "ada lovelace": false, "ada@example.com": false, "+49": false, "strasse\xc3\x9f": false, `a\u0062`: false,
	} {
		if got := PlainKey([]byte(key)); got != want {
			t.Errorf("%q: %v, want %v", key, got, want)
		}
	}
}
