package catalog

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func mustPattern(t testing.TB, src spec.Source) namePattern {
	t.Helper()
	p, err := newPattern(src)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPattern(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Skip(err)
	}
	chile, err := time.LoadLocation("America/Santiago")
	if err != nil {
		t.Skip(err)
	}
	const none, unread = "none", "unread"
	tests := []struct {
		name, layout string
		zone         *time.Location
		object, want string // RFC 3339, none or unread
	}{
		{"s-{time}.dump", "20060102T150405Z", tokyo, "s-20261121T030405Z.dump", "2026-11-21T03:04:05Z"},
		{"s-{time}.dump", "20060102T150405", tokyo, "s-20261121T030405.dump", "2026-11-20T18:04:05Z"},
		{"s-{time}.dump", "20060102T150405", nil, "s-20261121T030405.dump", "2026-11-21T03:04:05Z"},
		{"s-{time}.dump", "20060102T150405-0700", tokyo, "s-20261121T030405+0200.dump", "2026-11-21T01:04:05Z"},
		{"s-{time}.dump", "2006-01-02T15:04:05Z07:00", tokyo, "s-2026-11-21T03:04:05Z.dump", "2026-11-21T03:04:05Z"},
		{"s-{time}.dump", "2006-01-02T15:04:05Z07:00", tokyo, "s-2026-11-21T03:04:05+01:00.dump", "2026-11-21T02:04:05Z"},
		{"s-{time}UTC.dump", "20060102-1504", nil, "s-20261121-0304UTC.dump", "2026-11-21T03:04:00Z"},
		{"s-{time}.dump", "20060102-1504UTC", tokyo, "s-20261121-0304UTC.dump", "2026-11-21T03:04:00Z"},
		{"s-{time}.dump", "2006-Jan-2", nil, "s-2026-Nov-1.dump", "2026-11-01T00:00:00Z"},
		{"s-{time}.dump", "2006-01-02", chile, "s-2026-09-06.dump", "2026-09-06T04:00:00Z"}, // which has no midnight
		{"{time}/s.dump", "2006/01/02", nil, "2026/11/21/s.dump", "2026-11-21T00:00:00Z"},
		{"{time}/s.dump", "2006/01/02", nil, "2026/11/s.dump", none},
		{"{time}.dump", "2006-01-02", nil, "2026-11-21/x.dump", none},
		{"*-{time}*.dump", "2006-01-02", nil, "db-7-2026-11-21-full.dump", "2026-11-21T00:00:00Z"},
		{"x{time}.dump", "2006-1-2", nil, "x2026-1-12.dump", "2026-01-12T00:00:00Z"},
		{"x{time}*.dump", "2006-1-2", nil, "x2026-1-12.dump", "2026-01-12T00:00:00Z"},
		{"s-{time}.dump", "20060102", nil, "s-latest.dump", none},
		{"s-{time}.dump", "20060102", nil, "s-.dump", none},
		{"s-{time}.dump", "20060102", nil, "s-20261121.dump.part", none},
		{"s-{time}.dump", "20060102", nil, "S-20261121.dump", none},
		{"s-{time}.dump", "20060102", nil, "s-20260230.dump", unread},
		{"s-{time}.dump", "20060102", nil, "s-20261121-1.dump", unread},
		{"s-{time}.dump", "20060102", nil, "s-" + strings.Repeat("1", 900) + ".dump", unread},
		{"s-{time}*", "20060102", nil, "s-20261121.dump.SHA256", none},
		{"s-{time}*", "20060102", nil, "s-20261121.dump.asc", none},
	}
	for _, tt := range tests {
		p := mustPattern(t, spec.Source{Name: tt.name, TimeLayout: tt.layout, Location: tt.zone})
		taken, ok, err := p.match(tt.object)
		got := none
		if err != nil {
			got = unread
		} else if ok {
			got = taken.Format(time.RFC3339)
		}
		if got != tt.want {
			t.Errorf("%q with %q on %q: %s, want %s", tt.name, tt.layout, tt.object, got, tt.want)
		}
	}
}

func TestPatternRefused(t *testing.T) {
	t.Parallel()
	for _, src := range []spec.Source{
		{},
		{Name: "{time}-{time}", TimeLayout: "2006"},
		{Name: "{time}"},
		{Name: "{time}", TimeLayout: "20060102 MST"},
		{Name: "*.sha256"},
		{Name: "{time}.asc", TimeLayout: "2006"},
	} {
		_, err := Choose(t.Context(), openDir(t, t.TempDir()), src, nil)
		wantProblem(t, err, verdict.Error, verdict.CodeSpec)
	}
}

// TestGlob compares with the regular expression of the same meaning.
func TestGlob(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringOfN(rapid.SampledFrom([]rune("ab/*")), 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("ab/")), 0, 8, -1).Draw(t, "s")
		re := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, "[^/]*") + "$")
		if got, want := glob(pattern, s), re.MatchString(s); got != want {
			t.Fatalf("glob(%q, %q) is %v, want %v", pattern, s, got, want)
		}
	})
}

// FuzzPattern: no name in a store makes the matching panic, and what a layout
// writes it reads again.
func FuzzPattern(f *testing.F) {
	f.Add("s-{time}.dump", "20060102T150405Z", "s-20261121T030405Z.dump", int64(1795230245))
	f.Add("*{time}*/x", "2006/01/02", "2026/11/21/x", int64(0))
	f.Fuzz(func(t *testing.T, name, layout, object string, unix int64) {
		if len(name)+len(object) > 200 {
			return
		}
		p, err := newPattern(spec.Source{Name: name, TimeLayout: layout})
		if err != nil {
			return
		}
		if _, ok, _ := p.match(object); ok && !strings.HasPrefix(object, p.literalPrefix()) {
			t.Errorf("%q matches %q, but not its prefix %q", object, name, p.literalPrefix())
		}
		const full = "20060102T150405Z"
		whole := mustPattern(t, spec.Source{Name: "x-{time}.dump", TimeLayout: full})
		at := time.Unix(unix&0xfffffffff%(200*365*86400), 0).UTC()
		if got, ok, err := whole.match("x-" + at.Format(full) + ".dump"); !ok || err != nil || !got.Equal(at) {
			t.Errorf("%v was read as %v, %v, %v", at, got, ok, err)
		}
	})
}
