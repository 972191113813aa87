package structure

import "testing"

func TestOutline(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		"":                               "",
		"now()":                          "now()",
		"''::text":                       "''::text",
		"'it''s'::text":                  "'…''…'::text",
		`E'a\\'::text || "it's"`:         `E'…'::text || "it's"`,
		`"a ""4711' " = 4711`:            `"a ""4711' " = …`,
		"t4711 + 999 - 1000 * 1.5":       "t4711 + 999 - … * 1.5",
		"nextval('a.b_seq'::regclass)":   "nextval('a.b_seq'::regclass)",
		"'never ended":                   "'…'",
		"ü4711 = 'ü'":                    "ü4711 = '…'",
		"(x)::character varying(20)":     "(x)::character varying(20)",
		"'491701234567'::bigint":         "'…'::bigint",
		"ARRAY['a'::text, NULL::text]":   "ARRAY['…'::text, NULL::text]",
		"'2001-02-03 04:05'::timestamp ": "'…'::timestamp ",
	} {
		got, whole := outline(sql)
		if got != want || whole != (sql == want) {
			t.Errorf("%s: got %s (whole: %v), want %s", sql, got, whole, want)
		}
	}
}
