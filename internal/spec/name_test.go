package spec

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybefore/internal/spec/amount"
)

func TestColumnPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, schema, table, column string
		want                           bool
	}{
		{"public.users.email", "public", "users", "email", true},
		{"public.users.email", "public", "users", "Email", false},
		{"*.*.created_at", "any", "thing", "created_at", true},
		{"*.*.created_at", "any", "thing", "created_at2", false},
		{"public.*_log.*mail*", "public", "audit_log", "email_old", true},
		{`"public.*"."*"."a"`, "public.*", "*", "a", true},
		{`"public.*"."*"."a"`, "public.x", "x", "a", false},
		{`public."say ""hi""".x`, "public", `say "hi"`, "x", true},
		{"public.users.a*a", "public", "users", "a", false},
	} {
		p, err := ParseColumnPattern(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
		} else if got := p.Match(test.schema, test.table, test.column); got != test.want {
			t.Errorf("%s on %s.%s.%s: %v", test.pattern, test.schema, test.table, test.column, got)
		}
	}
	for _, bad := range []string{"", ".", "a.b", "a..c", "a.b.c.d", `a.b."c`, `a.b."c"d`, `a."".c`, "a. b.c", "a.b.c\x00", `a.b"c.d`, "a.b.c."} {
		if p, err := ParseColumnPattern(bad); err == nil {
			t.Errorf("%q was taken for %+v", bad, p)
		}
	}
	if p, err := ParseTablePattern("audit.*"); err != nil || !p.Match("audit", "x") || p.Match("audits", "x") {
		t.Errorf("audit.*: %+v, %v", p, err)
	}
}

func TestNamesRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringMatching(`[^\x00]+`)
		want := Name{Schema: part.Draw(t, "schema"), Table: part.Draw(t, "table")}
		got, fault := parseName(want.String())
		if fault != nil || got != want {
			t.Fatalf("%s: %+v, %v", want, got, fault)
		}
	})
}

func TestGlobAsRegexp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,6}`).Draw(t, "pattern")
		s := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "s")
		want := regexp.MustCompile("^" + strings.ReplaceAll(pattern, "*", ".*") + "$").MatchString(s)
		if got := Glob(pattern, s); got != want {
			t.Fatalf("Glob(%q, %q) = %v", pattern, s, got)
		}
	})
}

func TestSpansAreDurations(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "seconds")) * time.Second
		if got, ok := amount.Duration(amount.Span(want)); !ok || got != want {
			t.Fatalf("%s: %v", amount.Span(want), got)
		}
	})
	if got := amount.Span(-90 * time.Second); got != "-1m30s" {
		t.Error(got)
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		warn, fail Condition
		covered    bool
	}{
		{Condition{">", 10}, Condition{">", 0}, true},
		{Condition{">", 0}, Condition{">", 10}, false},
		{Condition{">=", 1}, Condition{">", 0}, true},
		{Condition{"!=", 0}, Condition{">", 0}, true},
		{Condition{"==", 5}, Condition{">", 5}, false},
		{Condition{"<", 5}, Condition{"<", 2}, false},
		{Condition{"<", 2}, Condition{"<=", 1}, true},
		{Condition{"<", 1}, Condition{"==", 0}, true},
	} {
		if got := test.fail.covers(test.warn); got != test.covered {
			t.Errorf("%s beside %s: %v", test.warn, test.fail, got)
		}
	}
	holds := map[string][3]bool{">": {false, false, true}, ">=": {false, true, true}, "<": {true, false, false}, "<=": {true, true, false},
		"==": {false, true, false}, "!=": {true, false, true}}
	for op, want := range holds {
		for i := range want {
			if c := (Condition{op, 5}); c.Holds(int64(4+i)) != want[i] {
				t.Errorf("%d %s", 4+i, c)
			}
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{"4GiB": 4 << 30, "512MiB": 512 << 20, "10MB": 10e6, "64 MiB": 64 << 20, "1B": 1} {
		if got, ok := amount.Bytes(s); !ok || got != want {
			t.Errorf("%s: %d", s, got)
		}
	}
	for _, s := range []string{"", "4", "GiB", "4gib", "-1MB", "1.5GiB", "99999999TiB", "4  GiB"} {
		if got, ok := amount.Bytes(s); ok {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestNearTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b Name
		want bool
	}{
		{Name{"public", "x"}, Name{"app", "x"}, true},
		{Name{"public", "order"}, Name{"App", "Orders"}, true},
		{Name{"a", "b"}, Name{"public", "a.b"}, true},
		{Name{"public", "app.orders"}, Name{"app", "orders"}, true},
		{Name{"y2026", "orders"}, Name{"y2027", "orders"}, false},
		{Name{"public", "orders"}, Name{"v2", "orders"}, false},
		{Name{"v2", "orders"}, Name{"v2", "Order"}, true},
		{Name{"public", "orders"}, Name{"public", "customers"}, false},
		{Name{"public", "events_2026_10"}, Name{"public", "events_2026_11"}, false},
		{Name{"public", "events_2026_10"}, Name{"archive", "events_2026_11"}, false},
	} {
		if c.a.Near(c.b) != c.want || c.b.Near(c.a) != c.want {
			t.Errorf("%s is near to %s: %t, want %t", c.a, c.b, !c.want, c.want)
		}
	}
}
