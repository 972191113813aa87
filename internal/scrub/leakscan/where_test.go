package leakscan

import (
	"hash/maphash"
	"strings"
	"testing"
)

func TestWhereIn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a": "§"}`:                           " at $.a",
		`{"a": {"b": [1, {"c": "x §"}]}}`:      " at $.a.b[*].c",
		`{"a": {"b": 1}, "c": "§"}`:            " at $.c",
		`["x", "§"]`:                           " at $[*]",
		`{"a": "\"}, \"b\": ", "c": ["§"]}`:    " at $.c[*]",
		`{"a": 1, "§": 2}`:                     " in a key at $.*",
		`{"§": 2}`:                             " in a key at $.*",
		`{"ann": {"mail": "§"}}`:               " at $.*.mail",
		`{"a key": "§"}`:                       " at $.*",
		` {"a": §}`:                            " at $.a",
		`§`:                                    "",
		`write {"a": "§"}`:                     "",
		`{"{\"a\": \"§\"}"}`:                   "", // an array of documents
		`{"a": 1} §`:                           "",
		`{"a`:                                  "",
		`{"a": "` + strings.Repeat("x", 1<<17): "",
	} {
		at := strings.Index(text, "§")
		if at < 0 {
			at = len(text) - 1
		}
		tells := func(key string) bool { return key != "ann" && key != "§" }
		if got := whereIn([]byte(text), at, tells); got != want {
			t.Errorf("%.40q is %q, want %q", text, got, want)
		}
	}
}

func TestOverlapAllows(t *testing.T) {
	t.Parallel()
	seed := maphash.MakeSeed()
	s := NewSampler(seed, 10)
	s.Add([]byte("shop@example.com"))
	s.Add([]byte("ada@example.com"))
	s.shrink()
	o := NewOverlap(seed, 10, map[string][]*Sampler{"people.email": {s}})
	o.Allow(func(found []byte) bool { return strings.HasPrefix(string(found), "shop@") })
	if o.Holds([]byte("our mailbox is shop@example.com")) {
		t.Error("what is allowed is found")
	}
	if !o.Holds([]byte("shop@example.com and ada@example.com")) {
		t.Error("what stands behind what is allowed is not found")
	}
	var none *Overlap
	none.Allow(nil)
}
