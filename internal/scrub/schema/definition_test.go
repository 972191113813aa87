package schema

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzDefinitions(f *testing.F) {
	f.Add(`ALTER TABLE ONLY a."b" ADD CONSTRAINT c FOREIGN KEY (x) REFERENCES y(z);`)
	f.Add("CREATE UNIQUE INDEX i ON t USING btree (E'\\'', $a$ ; $a$, /* */ 1.5)")
	f.Fuzz(func(t *testing.T, sql string) { ParseDefinitions([]string{sql}) })
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	got := ParseDefinitions([]string{
		`ALTER TABLE ONLY "a.b"."T;x" ADD CONSTRAINT "p;k" PRIMARY KEY (id, "Na""me") INCLUDE (other);`,
		"CREATE UNIQUE INDEX u ON ONLY public.t USING btree (lower((email)::character varying(20)), COALESCE(x, 'it''s; (y)'::text), tail[1:z], " +
			"id COLLATE \"C\") NULLS NOT DISTINCT WHERE (z > 0);",
		"CREATE INDEX i ON public.t USING btree (a, ((b)::pg_catalog.date));\nALTER TABLE public.t CLUSTER ON i;",
		"ALTER TABLE public.t\n    ADD CONSTRAINT f FOREIGN KEY (a, PERIOD period) REFERENCES public.r(b, PERIOD p) ON DELETE SET NULL (a) NOT VALID;",
		"ALTER TABLE ONLY public.t ADD CONSTRAINT e EXCLUDE USING gist (room WITH =, tsrange(since, until) WITH &&) WHERE ((NOT gone));",
		"ALTER TABLE public.t ADD CONSTRAINT c CHECK ((x > 0)) NOT VALID;",
		`REFRESH MATERIALIZED VIEW "a.b".m;`,
		"-- ALTER TABLE a ADD CONSTRAINT x UNIQUE (y);\n/* /* ; */ */ ALTER TABLE t ADD CONSTRAINT u2 UNIQUE (y)",
	})
	want := []Definition{
		{Kind: PrimaryKey, Name: "p;k", Table: Name{Schema: "a.b", Table: "T;x"}, Columns: []string{"id", `Na"me`}},
		{Kind: Unique, Name: "u", Table: Name{Schema: "public", Table: "t"}, Columns: []string{"email", "x", "tail", "z", "id", "collate", "C"},
			Loose: []string{"email", "x", "z"}, NullsEqual: true},
		{Kind: Index, Name: "i", Table: Name{Schema: "public", Table: "t"}, Columns: []string{"a", "b"}, Loose: []string{"a", "b"}},
		{Kind: Foreign, Name: "f", Table: Name{Schema: "public", Table: "t"}, Columns: []string{"a", "period"}, References: Name{Schema: "public", Table: "r"},
			Referenced: []string{"b", "p"}},
		{Kind: Exclusion, Name: "e", Table: Name{Schema: "public", Table: "t"}, Columns: []string{"room", "with", "since", "until", "with"},
			Loose: []string{"since", "until", "with", "not", "gone"}},
		{Kind: Checking, Name: "c", Table: Name{Schema: "public", Table: "t"}, Columns: []string{"x"}, Loose: []string{"x"}},
		{Kind: Refresh, Name: "m", Table: Name{Schema: "a.b", Table: "m"}},
		{Kind: Unique, Name: "u2", Table: Name{Schema: "", Table: "t"}, Columns: []string{"y"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
