package restore

import (
	"testing"

	"daybefore/internal/archive"
)

// Small tables share a program until they are many, or unpack to much.
func TestPortionsOfSmallTables(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		tables int
		work   int64 // of each
		want   int
	}{
		"few with few rows":      {14, 200 << 10, 1},
		"many with few rows":     {1000, 400, 4},
		"narrow and well packed": {2, 100 << 20, 2},
		"one":                    {1, 100 << 20, 1},
	} {
		var tables []*tableLoad
		for id := range c.tables {
			tables = append(tables, &tableLoad{entry: archive.Entry{DumpID: id, DataSize: alone / 2}, work: c.work})
		}
		s := newScheduler(&archive.Archive{}, tables, &order{phases: []phase{{tables: tables}}}, 4)
		s.advance()
		if len(s.ready) != c.want {
			t.Errorf("%s: %d programs, want %d", what, len(s.ready), c.want)
		}
	}
}
