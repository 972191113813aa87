package sqltext

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"daybefore/internal/copytext"
)

func TestParseCopy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stmt string
		want copytext.Header
	}{
		{"COPY public.users (id, email) FROM stdin;\n", copytext.Header{Schema: "public", Table: "users", Columns: []string{"id", "email"}}},
		{"COPY t  FROM stdin;", copytext.Header{Schema: "", Table: "t", Columns: nil}},
		{"COPY public.empty  FROM stdin;\n", copytext.Header{Schema: "public", Table: "empty", Columns: nil}},
		{`COPY "a.b"."x; COPY y FROM stdin;` + "\nCOPY z\"" + ` ("say ""hi""", "Été") FROM stdin;`,
			copytext.Header{Schema: "a.b", Table: "x; COPY y FROM stdin;\nCOPY z", Columns: []string{`say "hi"`, "Été"}}},
		{`COPY Public.été ("from") FROM stdin;`, copytext.Header{Schema: "public", Table: "été", Columns: []string{"from"}}},
	} {
		got, err := ParseCopy(tt.stmt)
		if err != nil {
			t.Errorf("%q: %v", tt.stmt, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q: %s", tt.stmt, diff)
		}
	}
	for _, bad := range []string{"", "COPY", "COPY t", "COPY t FROM stdin", "COPY t FROM stdin; x", "COPY t () FROM stdin;", "COPY t (a FROM stdin;",
		`COPY "t FROM stdin;`, `COPY "" FROM stdin;`, `COPY "".t FROM stdin;`, `COPY s."" FROM stdin;`, `COPY U&"t" FROM stdin;`, "COPY t /* x */ FROM stdin;",
		"COPY t FROM stdin; -- x\n",
		"COPY t (a,) FROM stdin;", "INSERT INTO t FROM stdin;", "COPY t FROM stdin WITH csv;", "COPY 1t FROM stdin;", "COPYt FROM stdin;"} {
		if h, err := ParseCopy(bad); !errors.Is(err, ErrCopy) {
			t.Errorf("%q: %v, %v", bad, h, err)
		}
	}
}

func FuzzCopy(f *testing.F) {
	f.Add(`COPY "a""b".t (x, "y z") FROM stdin;`)
	f.Fuzz(func(t *testing.T, stmt string) {
		h, err := ParseCopy(stmt)
		if err == nil && (h.Table == "" || slices.Contains(h.Columns, "")) {
			t.Fatalf("%q: %+v", stmt, h)
		}
	})
}
