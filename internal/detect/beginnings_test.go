package detect

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What a longer word may hold begins like a word.
func TestEveryWordMayStart(t *testing.T) {
	t.Parallel()
	v := vocab()
	for word := range v.all {
		for _, form := range []string{word, word + "s", word + "es", strings.TrimSuffix(word, "y") + "ies"} {
			if v.isPart(form) && !v.mayStart(form+"x") {
				t.Errorf("%q begins like no word", form)
			}
		}
	}
	for _, none := range []string{"xqzt", "zz", "", "qq"} {
		if v.mayStart(none) {
			t.Errorf("%q begins like a word", none)
		}
	}
	for word := range v.all {
		if v.knowsNothingOf(word) || v.knowsNothingOf(word+"s") {
			t.Errorf("nothing is known of %q", word)
		}
	}
	for name, want := range map[string]bool{"xqztbk": true, "Xqztbk": false, "xqzt_bk": false, "xqztemailbk": false, "xq": false, "": false, "mail": false} {
		if v.knowsNothingOf(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
	for _, stem := range v.inside {
		if !v.holdsInside("x"+stem+"x") || v.holdsInside(stem[1:]) != slices.ContainsFunc(v.inside, func(s string) bool { return strings.Contains(stem[1:], s) }) {
			t.Errorf("%q is not found within a word", stem)
		}
	}
}

// ASCII is cut as any other name is.
func TestSplitASCII(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zA-Z0-9_ @\[`+"`"+`{.-]{0,12}`).Draw(t, "name")
		got := splitASCII(name)
		want := splitRunes(name)
		if !slices.Equal(got, want) {
			t.Fatalf("%q: %q, want %q", name, got, want)
		}
	})
}
