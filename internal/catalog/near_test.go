package catalog

import (
	"errors"
	"strings"
	"testing"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Which files fit but for how they are written, and which are others.
func TestNearNames(t *testing.T) {
	t.Parallel()
	const utc = "20060102T150405Z"
	for _, c := range []struct {
		pattern, layout string
		file            string
		near            bool
		meant           string
	}{
		{"shop-{time}.dump", utc, "Shop-20261128T031500Z.dump", true, "Shop-{time}.dump"},
		{"shop-{time}.dump", utc, "SHOP-20261128T031500Z.DUMP", true, "SHOP-{time}.DUMP"},
		{"shop-{time}.dump", utc, "shop_20261128T031500Z.dump", true, "shop_{time}.dump"},
		{"shop-{time}.dump", utc, "shop20261128T031500Z.dump", true, "shop{time}.dump"},
		{"shop-{time}.dump", utc, "shop-20261128T031500Z.sql", true, "shop-{time}.sql"},
		{"shop-{time}.dump", utc, "shop-20261128T031500Z.dump.gz", true, "shop-{time}.dump.gz"},
		{"shop-{time}.sql.gz", utc, "shop-20261128T031500Z.sql.gz.age", true, "shop-{time}.sql.gz.age"},
		{"shop-{time}.sql.gz", utc, "shop-20261128T031500Z", true, "shop-{time}"},
		{"shop-{time}.dump", utc, "shop-20261128T031500+0100.sql", true, ""},
		{"shop-{time}.dump", utc, "shop-2026-11-28T03:15:00Z.sql", true, ""},
		{"shop-{time}.dump", "2006-01-02_15-04-05", "shop-20261128T031500Z.sql", true, ""},
		{"shop-{time}.dump", "2006-01-02", "shop_2026-11-28.dump", true, "shop_{time}.dump"},
		{"shop-{time}UTC.dump", "20060102-1504", "shop-20261128-0315CET.dump", true, ""},
		{"shop-db-{time}.dump", utc, "shop_db_20261128T031500Z.dump", true, "shop_db_{time}.dump"},
		{"shop-{time}-full.dump", utc, "shop-20261128T031500Z_full.dump", true, "shop-{time}_full.dump"},
		{"nightly/shop-{time}.dump", utc, "Nightly/shop-20261128T031500Z.dump", true, "Nightly/shop-{time}.dump"},
		{"{time}/shop.dump", "2006/01/02", "2026-11-28/shop.dump", true, ""},
		{"*-{time}.dump", utc, "shop-20261128T031500Z.sql", true, "shop-{time}.sql"},
		{"shop.dump", "", "shop.dump.gz", true, "shop.dump.gz"},
		{"shop-*.dump", "", "shop-7.sql", true, ""},
		{"*.dump", "", "shop.sql.gz", true, ""},

		{"shop-{time}.dump", utc, "shop2-20261128T031500Z.dump", false, ""},
		{"shop2-{time}.dump", utc, "shop-20261128T031500Z.dump", false, ""},
		{"shop-{time}.dump", "20060102", "shop220261128.dump", false, ""},
		{"berlin-{time}.dump", utc, "munich-20261128T031500Z.dump", false, ""},
		{"shop-{time}.dump", utc, "shop_archive_20261128T031500Z.dump", false, ""},
		{"shop-{time}.dump", utc, "shops-20261128T031500Z.dump", false, ""},
		{"shop-{time}.dump", utc, "shop-20261128T031500Z.txt", false, ""},
		{"shop-{time}.dump", utc, "Shop-20261128T031500Z.dump.sha256", false, ""},
		{"shop-{time}.dump", utc, "Shop-latest.dump", false, ""},
		{"shop-{time}.dump", utc, "old/shop-20261128T031500Z.dump", false, ""},
		{"shop_2026_11.dump", "", "shop_2026_10.dump", false, ""},
		{"*.dump", "", "README.txt", false, ""},
		{"*.dump", "", "README", false, ""},
	} {
		p := mustPattern(t, spec.Source{Name: c.pattern, TimeLayout: c.layout})
		if _, ok, _ := p.match(c.file); ok {
			t.Errorf("%s matches %s", c.pattern, c.file)
		}
		e := p.near(c.file, p.nearPattern())
		switch {
		case (e != nil) != c.near:
			t.Errorf("%s is near to %s: %t, want %t", c.file, c.pattern, e != nil, c.near)
		case e != nil && e.Meant != c.meant:
			t.Errorf("%s for %s: %q is suggested, want %q", c.pattern, c.file, e.Meant, c.meant)
		}
	}
}

// Whatever a pattern holds, the looser one is a pattern too, and takes what the
// pattern itself takes.
func FuzzNearPattern(f *testing.F) {
	f.Add("shop-{time}.dump", "20060102T150405Z", "shop-20261128T031500Z.dump")
	f.Add(`a[b(*){time}\Q.sql`, "2006/01/02", "x")
	f.Fuzz(func(t *testing.T, name, layout, file string) {
		p, err := newPattern(spec.Source{Name: name, TimeLayout: layout})
		if err != nil {
			return
		}
		re := p.nearPattern()
		if re == nil {
			t.Fatalf("%q is no pattern", name)
		}
		_ = p.near(file, re)
	})
}

func testNearBackup(t *testing.T, f fixture) {
	f.putAll(t, "Shop-20261121T030000Z.dump.gz", "a", "b", "c", "d")
	_, err := Choose(t.Context(), f.store, timed("shop-{time}.dump"), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, `"Shop-20261121T030000Z.dump.gz"`, "shop-{time}.dump")
	var near *NearError
	if !errors.As(err, &near) || near.Meant != "Shop-{time}.dump.gz" || strings.Contains(err.Error(), `"a"`) {
		t.Errorf("%v, %+v", err, near)
	}
	_, err = Choose(t.Context(), f.store, timed("blog-{time}.dump"), nil)
	wantProblem(t, err, verdict.Fail, verdict.CodeNoBackup, `"a"`)
	if errors.As(err, new(*NearError)) {
		t.Errorf("another site's: %v", err)
	}
}
