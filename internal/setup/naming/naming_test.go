package naming

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog"
)

// collect gives the patterns of files, each with how many it has.
func collect(names ...string) (told []string, all []*Pattern) {
	var c Collector
	for _, name := range names {
		c.Add(catalog.Object{Name: name, Size: 100, ETag: "x"})
	}
	all = c.Patterns()
	for _, p := range all {
		told = append(told, strings.ReplaceAll(fmt.Sprintf("%s %s %d", p.Name, p.Layout, len(p.Files)), "  ", " "))
	}
	return told, all
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ names, want []string }{
		"moments":                {[]string{"shop-20261128T031500Z.dump", "shop-20261129T031500Z.dump"}, []string{"shop-{time}.dump 20060102T150405Z 2"}},
		"days":                   {[]string{"2026-11-28.sql.gz"}, []string{"{time}.sql.gz 2006-01-02 1"}},
		"minutes, with a zone":   {[]string{"shop_2026-11-28_0315+0100.sql"}, []string{"shop_{time}.sql 2006-01-02_1504-0700 1"}},
		"a zone in the west":     {[]string{"shop_20261128T0315-0500.sql"}, []string{"shop_{time}.sql 20060102T1504-0700 1"}},
		"folders that are times": {[]string{"2026/11/28/shop.dump", "2026/11/29/shop.dump"}, []string{"{time}/shop.dump 2006/01/02 2"}},
		"the finer of two":       {[]string{"2026/11/28/shop-20261128T0315Z.dump"}, []string{"*/*/*/shop-{time}.dump 20060102T1504Z 1"}},
		"a number of each backup's own": {[]string{"a-20261127-9f31c2d4.dump", "a-20261128-1.dump", "a-20261129-77aa0011bc.dump"},
			[]string{"a-{time}-*.dump 20060102 3"}},
		"databases with numbers": {[]string{"db1-20261129.dump", "db2-20261129.dump", "db3-20261129.dump"},
			[]string{"db1-{time}.dump 20060102 1", "db2-{time}.dump 20060102 1", "db3-{time}.dump 20060102 1"}},
		"what is no backup":   {[]string{"shop-20261129.dump", "shop-20261129.log", "README.md", "shop-20261129.dump.asc"}, []string{"shop-{time}.dump 20060102 1"}},
		"directories":         {[]string{"shop-20261129/toc.dat", "shop-20261129/3001.dat.gz"}, []string{"shop-{time} 20060102 1"}},
		"no times":            {[]string{"shop.monday.dump", "shop.tuesday.dump"}, []string{"shop.*.dump 2"}},
		"no date but numbers": {[]string{"shop-20261399.dump", "shop-20269999.dump"}, []string{"shop-*.dump 2"}},
		"databases before what is of all": {[]string{"globals-20261129.sql", "shop-20261129.sql"},
			[]string{"shop-{time}.sql 20060102 1", "globals-{time}.sql 20060102 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := collect(tt.names...); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Sums beside the backups are counted, and the newest is the one that its name calls so.
func TestNewestAndSums(t *testing.T) {
	t.Parallel()
	_, all := collect("a-20261129.dump", "a-20261129.dump.sha256", "a-20261128.dump", "a-20261128.dump.sha256", "a-20261127.dump")
	if p := all[0]; p.Newest.Name != "a-20261129.dump" || p.Summed != 2 || p.Bytes() != 300 || p.Count() != 3 {
		t.Errorf("newest %s, %d summed, %d bytes, %d files", p.Newest.Name, p.Summed, p.Bytes(), p.Count())
	}
}

// A hundred thousand names take little memory, also where each is another.
func TestManyNames(t *testing.T) {
	t.Parallel()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var c Collector
	at := time.Date(2026, 11, 29, 3, 15, 0, 0, time.UTC)
	for i := range 50_000 {
		c.Add(catalog.Object{Name: at.Add(-time.Duration(i) * time.Hour).Format("shop-20060102T150405Z.dump"), Size: 1})
		c.Add(catalog.Object{Name: strings.Repeat(string(rune('a'+i%26)), i/26%40+1) + ".dump", Size: 1})
	}
	all := c.Patterns()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if all[0].Count() != 50_000 || c.Strange == 0 || len(all) > mostPatterns {
		t.Errorf("%s has %d files; %d patterns, %d strange names", all[0].Name, all[0].Count(), len(all), c.Strange)
	}
	const most = 64 << 20
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > most {
		t.Errorf("%d bytes are held", held)
	}
}

func TestRhythm(t *testing.T) {
	t.Parallel()
	nightly := func(days ...int) []string {
		var all []string
		for _, d := range days {
			all = append(all, time.Date(2026, 11, 29-d, 3, 15, 0, 0, time.UTC).Format("a-20060102T150405.dump"))
		}
		return all
	}
	for name, tt := range map[string]struct {
		names []string
		want  Rhythm
	}{
		"nightly":  {nightly(0, 1, 2, 3), Rhythm{Every: day, Widest: day}},
		"too few":  {nightly(0, 1), Rhythm{}},
		"thinned":  {nightly(0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 22), Rhythm{Every: day, Widest: 7 * day, Thins: true}},
		"no order": {nightly(0, 1, 9, 10, 30), Rhythm{Widest: 20 * day}},
	} {
		if _, all := collect(tt.names...); all[0].Rhythm() != tt.want {
			t.Errorf("%s: %+v, want %+v", name, all[0].Rhythm(), tt.want)
		}
	}
}

func TestZone(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 3, 15, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		name  string
		after time.Duration
		zone  string
		sure  bool
	}{
		"said":      {"a-20261129T031500Z.dump", 5 * time.Hour, "UTC", true},
		"soon":      {"a-20261129T031500.dump", 10 * time.Minute, "UTC", true},
		"east":      {"a-20261129T031500.dump", -2*time.Hour + 5*time.Minute, "Etc/GMT-2", false},
		"long":      {"a-20261129T031500.dump", 5 * time.Hour, "UTC", false},
		"copied":    {"a-20261129T031500.dump", 5000 * time.Hour, "UTC", false},
		"days only": {"a-20261129.dump", time.Minute, "UTC", false},
	} {
		var c Collector
		c.Add(catalog.Object{Name: tt.name, ModTime: at.Add(tt.after), ETag: "x"})
		if z := c.Patterns()[0].Zone(); z.Name != tt.zone || z.Sure != tt.sure {
			t.Errorf("%s: %+v, want %s, %v", name, z, tt.zone, tt.sure)
		}
	}
}
