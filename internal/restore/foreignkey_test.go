package restore

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	const plain = "ALTER TABLE ONLY public.orders\n    ADD CONSTRAINT orders_user FOREIGN KEY (\"a;b\") REFERENCES s.\"U.x\"(id) ON DELETE CASCADE"
	got, ok := parseKey(plain + ";\n")
	want := keyStatement{from: tableName{"public", "orders"}, to: tableName{"s", "U.x"}, sql: plain, table: "public.orders", key: "orders_user"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(keyStatement{}, tableName{})); diff != "" || !ok {
		t.Errorf("%v %s", ok, diff)
	}
	for _, sql := range []string{
		"", plain + " NOT VALID;", plain + "; DROP TABLE x;", "ALTER TABLE ONLY a.b ADD CONSTRAINT c UNIQUE (d);",
		"ALTER TABLE a.b ADD CONSTRAINT c FOREIGN KEY (d) REFERENCES e.f(g);", "ALTER TABLE ONLY U&\"a\".b ADD CONSTRAINT c FOREIGN KEY (d) REFERENCES e.f(g);",
		"ALTER TABLE ONLY", "ALTER TABLE ONLY a.b ADD CONSTRAINT", "ALTER TABLE ONLY a.b ADD CONSTRAINT c FOREIGN KEY (d)",
	} {
		if got, ok := parseKey(sql); ok {
			t.Errorf("%s: %+v", sql, got)
		}
	}
}
