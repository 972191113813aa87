package drill_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/image"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// way is from a dump's major version to the server's that it is restored into.
type way struct{ from, into int }

// majorWays are the ways that need no more images than other tests; under
// dev:matrix each version that an image can be built of into itself and into the
// next.
func majorWays() (ways []way) {
	if !testneed.Matrix() {
		return []way{{15, 17}, {17, 18}, {18, 18}}
	}
	majors := image.Majors()
	for i, m := range majors {
		ways = append(ways, way{m, m})
		if i > 0 {
			ways = append(ways, way{majors[i-1], m})
		}
	}
	return ways
}

// A shop that was dumped by one major version passes in a server of the same and
// of the next one.
func TestDumpsOfEveryMajorPass(t *testing.T) {
	t.Parallel()
	dumps := map[int][]byte{}
	for _, w := range majorWays() {
		t.Run(fmt.Sprintf("%d into %d", w.from, w.into), func(t *testing.T) {
			testneed.Image(t, image.Tag(w.into))
			if dumps[w.from] == nil {
				dumps[w.from] = smallShop(t, w.from)
			}
			d := drillOfShop(t, dumps[w.from])
			if w.into > w.from {
				d.Restore.Into = w.into
			}
			r := run(t, t.Context(), d)
			if r.Outcome != verdict.Pass {
				t.Fatalf("%s\n%s\n%+v", r.Outcome, worst(r), r.Checks)
			}
			if got := r.Sandbox.ServerVersion; !strings.HasPrefix(got, fmt.Sprint(w.into)) {
				t.Errorf("restored into a server %s", got)
			}
		})
	}
}

// smallShop is a dump of the first days of the demo's shop by a server of a major.
func smallShop(t *testing.T, major int) []byte {
	t.Helper()
	testneed.Image(t, image.Tag(major))
	source := pgtest.Container(t, image.Tag(major))
	source.Exec("postgres", "CREATE DATABASE shop TEMPLATE template0 LOCALE 'C'")
	for _, name := range []string{"schema.sql", "fill.sql"} {
		sql, err := os.ReadFile(filepath.Join("../../drills/demo", name))
		if err != nil {
			t.Fatal(err)
		}
		source.Exec("shop", "SET demo.since = '2025-12-01'; SET demo.until = '2025-12-04';"+string(sql))
	}
	return source.Dump("-Fc", "shop")
}

// drillOfShop is the demo's drill of another backup, which must hold orders.
func drillOfShop(t *testing.T, dump []byte) *spec.Drill {
	t.Helper()
	store := t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "shop-20260103T000000Z.dump"), dump, 0o600); err != nil {
		t.Fatal(err)
	}
	d := load(t, sandbox.Container, "")
	own := load(t, sandbox.Container, fmt.Sprintf(`
version: 1
source: {url: "file://%s", name: "shop-{time}.dump", time: 20060102T150405Z, time_tolerance: 200000h}
expectations: {roles: [app, readonly, postgres], tables: [{table: public.orders, row_count: {min: 1}}]}
`, store))
	own.Scrub = d.Scrub
	return own
}
