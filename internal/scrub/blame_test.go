package scrub

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Rows are the rule's fault where the server refused what it rewrote, and the
// backup's own everywhere else.
func TestBlame(t *testing.T) {
	t.Parallel()
	const ddl = `create domain short as text check (length(value) < 50);
		create table t (a text, b bool, n int not null, m int check (m > 0), d short, g int generated always as (n / (length(a) - 8)) stored,
		  constraint long_a check (coalesce(b, false) = false or length(a) > 40))`
	long := strings.Repeat("x", 50)
	for _, tt := range []struct{ name, row, rule, want string }{
		{"a constraint over the rewritten column", long + "\tt\t1\t1\tx", "public.t.a first_name",
			"a row was refused by long_a (SQLSTATE 23514), in which the rule at drills/shop.yaml:1:7 had rewritten a"},
		{"the same, of a row that was so in the backup, of a column that is not rewritten", "x\tt\t1\t1\tx", "public.t.d text", ""},
		{"a constraint over another column", "x\tf\t1\t-1\tx", "public.t.a first_name", ""},
		{"no number in another column", "x\tf\tzz\t1\tx", "public.t.a first_name", ""},
		{"no number in another column, with words as of this one", "x\tf\tzz, column a: \t1\tx", "public.t.a first_name", ""},
		{"null in another column", "x\tf\t\\N\t1\tx", "public.t.a first_name", ""},
		{"a domain of another column", "x\tf\t1\t1\t" + long, "public.t.a first_name", ""},
		{"a domain of the rewritten column", "x\tf\t1\t1\t" + long, "public.t.d text",
			"a row was refused by short_check (SQLSTATE 23514), in which the rule at drills/shop.yaml:1:7 had rewritten d"},
		{"what is computed of the rewritten column", "12345678\tf\t1\t1\tx", "public.t.a text",
			"a row was refused (SQLSTATE 22012), in which the rule at drills/shop.yaml:1:7 had rewritten a"},
		{"what is computed of what keep sets", "x\tf\t1\t1\tkept", "public.t.d text",
			"a row was refused (SQLSTATE 22012), in which the rule at drills/shop.yaml:5:5 had rewritten a"},
		{"bytes that are no text, in another column", "x\tf\t1\t1\t\\xff", "public.t.a first_name", ""},
		{"a marker within the row", "x\tf\t1\t1\tx\\.x", "public.t.a first_name", ""},
		{"a table that nobody knows", "", "public.t.a text", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, p, checks := situation{ddl: ddl, rules: rules(t, tt.rule), keep: []spec.Keep{{Table: spec.Name{Schema: "public", Table: "t"},
				Match: map[string]string{"d": "kept"}, Set: map[string]string{"a": "12345678"}, Pos: spec.Pos{Line: 5, Column: 5}}}}.plan(t)
			if len(checks) > 0 {
				t.Fatalf("%+v", checks)
			}
			if tt.row == "" {
				if err := p.Blame("public", "nobody", &pgconn.PgError{Code: "23514"}); err != nil {
					t.Error(err)
				}
				return
			}
			rewrite, err := p.Filter("public", "t", []string{"a", "b", "n", "m", "d"})
			if err != nil {
				t.Fatal(err)
			}
			row, err := rewrite(nil, []byte(tt.row))
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.PgConn().CopyFrom(t.Context(), strings.NewReader(string(row)+"\n"), "copy t (a, b, n, m, d) from stdin")
			var refused *pgconn.PgError
			if !errors.As(err, &refused) {
				t.Fatalf("the server took %s: %v", row, err)
			}
			blamed := p.Blame("public", "t", refused)
			if tt.want != "" {
				tt.want += ": either what the rule made is refused, or the row is damaged"
			}
			if got := messageOf(blamed); got != tt.want {
				t.Errorf("%q, want %q, of %v", got, tt.want, refused)
			}
		})
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	if problem, ok := errors.AsType[*verdict.Problem](err); !ok || problem.Code != verdict.CodeRuleUnfit {
		return "without a code: " + err.Error()
	}
	return err.Error()
}
