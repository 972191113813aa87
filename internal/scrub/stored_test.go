package scrub

import (
	"strings"
	"testing"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// What a server writes of a value is what was loaded, however the dump wrote it.
func TestWritten(t *testing.T) {
	t.Parallel()
	of := func(typ string) *schema.Column {
		return &schema.Column{Base: schema.Type{Schema: "pg_catalog", Name: typ, Kind: "b"}}
	}
	long := strings.Repeat("ü", verdict.CellRead)
	for _, c := range []struct {
		typ, loaded, shown string
		same               bool
	}{
		{"text", "Zaphod", "Zaphod", true},
		{"text", "Zaphod", "Zaphod ", false},
		{"text", long + "x", long, true},
		{"bpchar", "ab  ", "ab", true},
		{"bool", "t", "true", true},
		{"bool", "t", "false", false},
		{"inet", "10.0.0.1", "10.0.0.1/32", true},
		{"inet", "10.0.0.1", "10.0.0.1/24", false},
		{"numeric", "12.5", "12.50", true},
		{"numeric", "100", "1", false},
		{"numeric", "1.0", "10", false},
		{"float8", "0.10000000000000001", "0.1", true},
		{"float4", "1e+20", "1e20", true},
		{"float8", "NaN", "NaN", true},
		{"timestamptz", "2026-11-01 12:00:00+01", "2026-11-01 11:00:00+00", true},
		{"timestamptz", "2026-11-01 12:00:00.5+05:30", "2026-11-01 06:30:00.500+00", true},
		{"timestamptz", "1890-01-01 12:00:00+00:53:28", "1890-01-01 11:06:32+00", true},
		{"timestamptz", "2026-11-01 12:00:00-03", "2026-11-01 12:00:00+03", false},
		{"timestamptz", "infinity", "infinity", true},
		{"timestamptz", "infinity", "-infinity", false},
		{"timestamp", "2026-11-01 12:00:00.10", "2026-11-01 12:00:00.1", true},
		{"timestamp", "2026-11-01 12:00:00", "2026-11-01 12:00:01", false},
		{"uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", true},
	} {
		loaded := string(transform.PlainForm(of(c.typ), []byte(c.loaded), verdict.CellRead))
		shown := string(transform.PlainForm(of(c.typ), []byte(c.shown), verdict.CellRead))
		if (loaded == shown) != c.same {
			t.Errorf("%s: %.40q and %.40q: same is %v", c.typ, c.loaded, c.shown, loaded == shown)
		}
	}
}
