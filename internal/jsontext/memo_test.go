package jsontext

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// oddKeys are of all lengths around eight and sixteen bytes, begin or end alike, or are
// the beginning of another.
var oddKeys = []string{"", "a", "ab", "a b", "id", "id\\\"", "site_id", "site_id2", "sites_id", "email_sent", "email_seen",
	"customer_name_1", "customer_name_2", "customer_name_12", "a_long_name_one_more", "a_long_name_two_more",
	strings.Repeat("k", longestMemo), strings.Repeat("k", 2*longestMemo), "é", "schlüssel"}

// oddDocument is made of such keys, in the order in which they are drawn.
func oddDocument(rt *rapid.T, depth int) string {
	var members []string
	for range rapid.IntRange(0, 5).Draw(rt, "members") {
		value := rapid.SampledFrom([]string{"1", `"x"`, "null", `["a", {"id":1}]`}).Draw(rt, "value")
		if depth > 0 && rapid.Bool().Draw(rt, "nests") {
			value = oddDocument(rt, depth-1)
		}
		colon := rapid.SampledFrom([]string{":", ": ", " : "}).Draw(rt, "colon")
		members = append(members, `"`+rapid.SampledFrom(oddKeys).Draw(rt, "key")+`"`+colon+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Of all documents each key is shown until somebody says that it may be remembered,
// and no key is taken for another.
func TestMemo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		loud := rapid.SampledFrom(oddKeys).Draw(rt, "loud")
		var doc []byte
		var got []string
		m := NewMemo(func(from, end, _ int) bool {
			key := string(doc[from:end])
			if key == loud {
				got = append(got, key)
			}
			return key != loud
		})
		for range 8 {
			doc = []byte(oddDocument(rt, 2))
			got = nil
			var want []string
			for key, value := range Texts(doc) {
				if value >= 0 && string(key) == loud {
					want = append(want, loud)
				}
			}
			if end := m.ValueEnd(doc, 0, 0); end != len(doc) || !json.Valid(doc) || !slices.Equal(got, want) {
				rt.Fatalf("of %s, to %d, %q was shown, not %q", doc, end, got, want)
			}
		}
	})
}

// Of documents that are alike no key is shown twice; of many keys most are shown again,
// and none is forgotten for another's sake.
func TestMemoRemembers(t *testing.T) {
	t.Parallel()
	doc := []byte(`{"id": 1, "items": [{"sku": "a", "a_longer_name_of_it": 2}, {"sku": "b"}], "note": ""}`)
	shown := 0
	m := NewMemo(func(int, int, int) bool { shown++; return true })
	for range 3 {
		m.ValueEnd(doc, 0, 0)
	}
	if want := 5; shown != want {
		t.Errorf("%d keys were shown, not %d", shown, want)
	}
	for i := range 100_000 {
		before := shown
		doc = fmt.Appendf(nil, `{"key_%d": 1}`, i)
		m.ValueEnd(doc, 0, 0)
		if shown != before+1 {
			t.Fatalf("%s was not shown", doc)
		}
	}
}
