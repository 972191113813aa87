package scrub

import (
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

// What decides about partitions is rewritten where each row finds one behind the
// rule, and refused else.
func TestPartitionKeysFit(t *testing.T) {
	t.Parallel()
	const half = "create table t_0 partition of t for values with (modulus 2, remainder 0); "
	const hashed = half + "create table t_1 partition of t for values with (modulus 2, remainder 1)"
	for name, tt := range map[string]struct {
		ddl     string
		rules   []string
		refused string // a part of what is said; empty: it is taken
	}{
		"hash": {"create table t (email text) partition by hash (email); " + hashed, []string{"public.t.email email"}, ""},
		"hash of two": {"create table t (id int, email text) partition by hash (id, email); " + hashed,
			[]string{"public.t.email hash"}, ""},
		"hash without a remainder": {"create table t (email text) partition by hash (email); " + half,
			[]string{"public.t.email email"}, "there is none for all that email makes"},
		"list": {"create table t (email text) partition by list (email); create table t_0 partition of t for values in ('a@example.com')",
			[]string{"public.t.email email"}, "there is none for all that email makes"},
		"list and permute": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in ('a@example.com')",
			[]string{"public.t.email permute"}, "there is none for all that permute makes"},
		"list with a default": {"create table t (email text) partition by list (email); create table t_0 partition of t default",
			[]string{"public.t.email email"}, ""},
		"list of what is made": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in ('x', 'y')", []string{"public.t.email choice values=x,y"}, ""},
		"list without null": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in ('x')", []string{"public.t.email set_null"}, "none for all that set_null"},
		"list with null": {"create table t (email text) partition by list (email); " +
			"create table t_0 partition of t for values in (null, 'x')", []string{"public.t.email set_null"}, ""},
		"range of all": {"create table t (email text) partition by range (email); " +
			"create table t_0 partition of t for values from (minvalue) to ('n'); " +
			"create table t_1 partition of t for values from ('n') to (maxvalue)", []string{"public.t.email email"}, ""},
		"range of some": {"create table t (email text) partition by range (email); " +
			"create table t_0 partition of t for values from ('a') to ('f')", []string{"public.t.email email"}, "none for all"},
		"years": {"create table t (born date) partition by range (born); " +
			"create table t_0 partition of t for values from ('1900-01-01') to ('2100-01-01')", []string{"public.t.born permute"}, ""},
		"years that shift": {"create table t (born date) partition by range (born); " +
			"create table t_0 partition of t for values from ('2024-01-01') to ('2025-01-01')",
			[]string{"public.t.born date_shift"}, "none for all that date_shift makes"},
		"expression": {"create table t (email text) partition by list (lower(email)); create table t_0 partition of t for values in ('x')",
			[]string{"public.t.email email"}, "decides which partition"},
		"one partition alone": {"create table t (email text) partition by hash (email); " + hashed,
			[]string{"public.t_0.email email", "public.t.email hash"}, "has another rule than public.t"},
		"below another": {"create table t (id int, email text) partition by range (id); " +
			"create table t_0 partition of t for values from (0) to (100) partition by hash (email); " +
			"create table t_00 partition of t_0 for values with (modulus 1, remainder 0)", []string{"public.t.email email"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := situation{ddl: tt.ddl, rules: rules(t, tt.rules...)}
			_, p, checks := s.plan(t)
			if tt.refused == "" {
				if len(checks) > 0 || !p.Moves("public", "t_0") && !p.Moves("public", "t_00") {
					t.Errorf("%+v", checks)
				}
				return
			}
			if len(checks) == 0 || !strings.Contains(checks[0].Message, tt.refused) || checks[0].Code != verdict.CodeRuleUnfit {
				t.Errorf("%+v", checks)
			}
		})
	}
}

// Only rows whose partition a rule may change are sent through the root.
func TestOnlyMovedRowsAreRerouted(t *testing.T) {
	t.Parallel()
	s := situation{ddl: `create table t (email text, note text) partition by hash (email);
		create table t_0 partition of t for values with (modulus 1, remainder 0); create table plain (email text)`,
		rules: rules(t, "public.t.email preserve", "public.t.note text", "public.plain.email email")}
	_, p, checks := s.plan(t)
	if len(checks) > 0 {
		t.Fatalf("%+v", checks)
	}
	if p.Moves("public", "t_0") || p.Moves("public", "plain") || p.Moves("public", "none") {
		t.Error("rows are rerouted that stay where they are")
	}
}
