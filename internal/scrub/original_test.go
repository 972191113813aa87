package scrub

import (
	"strings"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const originalsDDL = `
	create extension hstore; create extension citext;
	create type mood as enum ('sad', 'glad'); create type pair as (a int, b date);
	create domain born as date check (value > '0044-01-01'); create domain code as varchar(4);
	create table t (id int, d date, n numeric(5,2), u uuid, j jsonb, v varchar(5), b born, c code, m mood, p pair, a int[], r daterange, h hstore, x xml,
		ci citext, k text,
		check (n < 500), check (id > 0));`

// originalsSituation has a rule for every column but id and k, of which keep
// sets one.
func originalsSituation(t testing.TB) situation {
	return situation{
		ddl: originalsDDL,
		rules: rules(t, "public.t.d date_shift", "public.t.n set_null", "public.t.u hash", "public.t.j constant value={}", "public.t.v constant value=x",
			"public.t.b set_null", "public.t.c constant value=y",
			"public.t.m constant value=sad", "public.t.p set_null", "public.t.a set_null", "public.t.r date_shift", "public.t.h constant value=",
			"public.t.x set_null", "public.t.ci email"),
		keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "t"}, Match: map[string]string{"ci": "boss@*"}, Set: map[string]string{"k": "set"}}},
	}
}

var originalsColumns = []string{"id", "d", "n", "u", "j", "v", "b", "c", "m", "p", "a", "r", "h", "x", "ci", "k"}

const goodOriginal = "1\t2024-02-29\t1.5\ta0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\t{\"a\": " +
	"1}\täöüxy\t1999-01-08\tabcd\tglad\t(1,2024-01-01)\t{1,2}\t[2024-01-01,2024-02-01)\t\"a\"=>\"b\"\t<x/>\tada@example.com\tk"

// Whatever a rule does to a value, the server would have read it, and so it is
// read here.
func TestDamagedOriginals(t *testing.T) {
	t.Parallel()
	_, p, checks := originalsSituation(t).plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	for _, tt := range []struct{ old, spoiled, says string }{
		{"", "", ""},
		{"2024-02-29", "2023-02-29", "column d: a value that is not a valid date"},
		{"2024-02-29", `2024-02\\x2d30`, "column d: a value that is not a valid date"},
		{"1.5", "1.5a", "column n: a value that is not a valid numeric"},
		{"1.5", "1000", "column n: a value that is not a valid numeric"},
		{"1.5", "499", ""}, // the CHECK sees only what the rule makes
		{"a0eebc99", "a0eebc9", "column u: a value that is not a valid uuid"},
		{`{"a": 1}`, `{"a": 1`, "column j: a value that is not a valid jsonb"},
		{`{"a": 1}`, `{"a": "\\u0000"}`, "column j: a value that is not a valid jsonb"},
		{`{"a": 1}`, `{"a": "\\x"}`, "column j: a value that is not a valid jsonb"},
		{"äöüxy", "äöüxyz", "column v: a value that is not a valid text of its length"},
		{"äöüxy", "äöüx   ", ""},
		{"äöüxy", "äö\xc3", "column v: bytes that are no text"},
		{"äöüxy", `\\xc3`, ""}, // a backslash, and three letters
		{"äöüxy", `\xc3`, "column v: bytes that are no text"},
		{"äöüxy", `\000`, "column v: a zero byte"},
		{"äöüxy", "a\x00", "column v: a zero byte"},
		{"äöüxy", "a\r", "column v: a carriage return"},
		{"äöüxy", `a\.`, `column v: the marker \.`},
		{"äöüxy", `a\\.`, ""},
		{"1999-01-08", "1999-13-08", "column b: a value that is not a valid date"},
		{"abcd", "abcde", "column c: a value that is not a valid text of its length"},
		{"glad", "glax", "column m: a value that is not a valid label of its enum type"},
		{"(1,2024-01-01)", "(1,2024-01-0x)", "column p: a value that is not a valid composite value"},
		{"{1,2}", "{1,2", "column a: a value that is not a valid array"},
		{"{1,2}", "{1,x}", "column a: a value that is not a valid array"},
		{"[2024-01-01,2024-02-01)", "[2024-03-01,2024-02-01)", "column r: a value that is not a valid range"},
		{`"a"=>"b"`, `"a"=>"b`, "column h: a value that is not a valid hstore"},
		{"<x/>", "<x", ""}, // told to be not read
		{"<x/>", "\xff", "column x: bytes that are no text"},
		{"ada@example.com", "ada\xff@example.com", "column ci: bytes that are no text"},
		{"\tk", "\t\xfe", "column k: bytes that are no text"},
		{"\tk", `	\xfe`, "column k: bytes that are no text"}, // keep may set it
		{"1.5", `\N`, ""},
	} {
		rewrite, err := p.Filter("public", "t", originalsColumns)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rewrite(nil, []byte(goodOriginal)); err != nil {
			t.Fatal(err)
		}
		_, err = rewrite(nil, []byte(strings.Replace(goodOriginal, tt.old, tt.spoiled, 1)))
		switch {
		case tt.says == "" && err != nil, tt.says != "" && err == nil:
			t.Errorf("%q for %q: %v, want %q", tt.spoiled, tt.old, err, tt.says)
		case err == nil:
		case verdict.AsProblem(err).Outcome != verdict.Fail || verdict.AsProblem(err).Code != verdict.CodeCorrupt ||
			!strings.HasPrefix(err.Error(), "public.t, row 2, "+tt.says):
			t.Errorf("%q for %q: %v, want %q", tt.spoiled, tt.old, err, tt.says)
		}
	}
}

// A load that a damaged row has ended says nothing about what did not pass.
func TestChecksOfAnEndedLoad(t *testing.T) {
	t.Parallel()
	_, p, _ := originalsSituation(t).plan(t)
	rewrite, err := p.Filter("public", "t", originalsColumns)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rewrite(nil, []byte(strings.Replace(goodOriginal, "2024-02-29", "2024-02-30", 1))); err == nil {
		t.Fatal("taken")
	}
	if all := p.Checks(); len(all) != 1 || all[0].ID != "originals" || all[0].Outcome != verdict.Skipped {
		t.Errorf("%+v", all)
	}
}

// What was not looked at is said, and which CHECKs saw pseudonyms.
func TestOriginalsCheck(t *testing.T) {
	t.Parallel()
	_, p, _ := originalsSituation(t).plan(t)
	all := p.Checks()
	c := all[len(all)-1]
	const message = "of the originals of these only the encoding was looked at, since this program does not read their type: public.t.x (xml); " +
		"a CHECK constraint judged what the rule made, not the original, of public.t.b, public.t.n"
	if c.ID != "originals" || c.Outcome != verdict.Pass || c.Message != message ||
		c.Observed != "15 columns, 1 of a type of which only the encoding is looked at, 2 under a CHECK that saw only pseudonyms" {
		t.Errorf("%+v", c)
	}
}

// Rows in another encoding are looked at in that.
func TestDamagedEncodings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		encoding, good, bad string // bad, where any bytes are well-formed, is empty
	}{
		{"LATIN1", "\xe4\xff", ""}, {"SQL_ASCII", "\xe4\xff", ""}, {"UTF8", "ä", "\xe4"}, {"UTF8", "\U0010ffff", "\xed\xa0\x80"},
		{"EUC_JP", "\xa4\xa2\x8e\xb1", "\xa4"}, {"SJIS", "\x82\xa0\x8f\x5c\xb1", "\x82"}, {"GBK", "\x81\x5c", "\x81"}, {"BIG5", "\xa4\x5c", "\xa4"},
		{"EUC_KR", "\xb0\xa1", "\xb0\x41"}, {"GB18030", "\x81\x30\x81\x30\x81\x40", "\x81\x30\x81"},
	} {
		s := situation{ddl: "create table t (a varchar(32), b text)", rules: rules(t, "public.t.a hash", "public.t.b text"), encoding: tt.encoding}
		_, p, checks := s.plan(t)
		if len(checks) > 0 {
			t.Fatalf("%s: %+v", tt.encoding, checks)
		}
		rewrite, err := p.Filter("public", "t", []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rewrite(nil, []byte("x\t"+tt.good)); err != nil {
			t.Errorf("%s: %q: %v", tt.encoding, tt.good, err)
		}
		if tt.bad == "" {
			continue
		}
		if _, err := rewrite(nil, []byte(tt.bad+"\tx")); err == nil || verdict.AsProblem(err).Code != verdict.CodeCorrupt {
			t.Errorf("%s: %q: %v", tt.encoding, tt.bad, err)
		}
	}
}
