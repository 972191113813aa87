package history

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

var keys = []spec.Key{spec.Key("4f1c0a9be2d37586a1b2c3d4e5f60718"), spec.Key("c0ffee11223344556677889900aabbcc")}

// What was signed comes back to the byte, and nothing else is proven.
func TestSignAndProve(t *testing.T) {
	t.Parallel()
	text, err := report(0).JSON()
	if err != nil {
		t.Fatal(err)
	}
	signed := sign(signedReport, text, keys[:1])
	if b, p, err := prove(signedReport, signed, keys); p != proven || err != nil || !bytes.Equal(b, text) {
		t.Errorf("%d, %v: %s", p, err, b)
	}
	if b := sign(signedReport, text, nil); !bytes.Equal(b, text) {
		t.Errorf("signed without a key: %s", b)
	}
	for of, want := range map[string]proof{string(text): unsigned, string(sign(signedReport, text, keys[1:])): foreign, "": unsigned, "{}": unsigned} {
		if _, p, err := prove(signedReport, []byte(of), keys[:1]); p != want || err != nil {
			t.Errorf("%d, %v: want %d of %s", p, err, want, of)
		}
	}
	if b, p, err := prove(signedReport, signed, nil); p != foreign || err != nil || !bytes.Equal(b, text) {
		t.Errorf("without a key: %d, %v: %s", p, err, b)
	}
	if _, _, err := prove(signedReport, sign(signedAcceptance, text, keys), keys); !errors.Is(err, errForged) {
		t.Errorf("an acceptance passes for a report: %v", err)
	}
	for i := range signed { // each byte matters
		changed := bytes.Clone(signed)
		changed[i] ^= 1
		if _, p, err := prove(signedReport, changed, keys); p == proven && err == nil {
			t.Errorf("byte %d (%q) may be another", i, signed[i])
		}
	}
}

func FuzzProve(f *testing.F) {
	r := report(0)
	r.Run = "20261121T031500Z-6d9b" // the same in each process that fuzzes
	text, err := r.JSON()
	if err != nil {
		f.Fatal(err)
	}
	signed := sign(signedReport, text, keys[:1])
	f.Add(signed)
	f.Add(text)
	f.Add(sign(signedAcceptance, text, keys[:1]))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, p, err := prove(signedReport, b, keys[:1]); p == proven && err == nil && (!bytes.Equal(b, signed) || !bytes.Equal(got, text)) {
			t.Errorf("proven: %q", b)
		}
	})
}

// With keys only what they signed is a past, and what is left out is counted;
// without any all is, and what lies elsewhere is counted.
func TestAPastIsProven(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	save := func(minutes int, keys ...spec.Key) *verdict.Report {
		r := report(minutes)
		if err := Save(dir, r, nil, keys...); err != nil {
			t.Fatal(err)
		}
		return r
	}
	save(0)
	ours := save(10, keys[0])
	save(20, keys[1])
	for _, by := range [][]spec.Key{nil, keys[:1], keys[1:]} {
		if _, _, err := Accept(dir, Acceptance{Drill: "shop", Check: "x", Run: "r", At: night}, by...); err != nil {
			t.Fatal(err)
		}
	}
	p := Read(t.Context(), dir, nil, "shop", keys[0])
	if len(p.Passing) != 1 || p.Passing[0].Run != ours.Run || len(p.Accepted) != 1 || !p.Accepted[0].Proven || len(p.Damaged) > 0 ||
		p.Unproven != (Unproven{Unsigned: 2, Foreign: 2}) {
		t.Errorf("%+v", p)
	}
	if p := Read(t.Context(), dir, nil, "shop", keys...); len(p.Passing) != 2 || len(p.Accepted) != 2 || p.Unproven != (Unproven{Unsigned: 2}) {
		t.Errorf("two keys: %+v", p)
	}
	if p := Read(t.Context(), dir, nil, "shop"); len(p.Passing) != 3 || len(p.Accepted) != 3 || p.Unproven.Any() {
		t.Errorf("without a key: %+v", p)
	}
	for want, by := range map[string][]spec.Key{"": keys, "signed with another key": keys[:1]} {
		_, err := Newest(t.Context(), dir, nil, "shop", by...)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("the newest: %v, want %q", err, want)
		}
	}
	save(30)
	var damaged *DamagedError
	if _, err := Newest(t.Context(), dir, nil, "shop", keys...); !errors.As(err, &damaged) ||
		!strings.Contains(err.Error(), "no keyed hash; it counts for nothing") {
		t.Errorf("the newest is signed by nobody: %v", err)
	}
}
