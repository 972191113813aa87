package restore

import (
	"strings"
	"testing"

	"daybefore/internal/archive"
)

// Where one job meets an error, one job is no mend for what more jobs meet.
func TestWhatMendsAnOrder(t *testing.T) {
	t.Parallel()
	things := archive.Entry{DumpID: 5, Desc: "TABLE DATA", Namespace: "public", Tag: "thing"}
	kinds := archive.Entry{DumpID: 6, Desc: "TABLE DATA", Namespace: "public", Tag: "kind"}
	const refused = "pg_restore: from TOC entry 5; 0 16385 TABLE DATA thing postgres\n" +
		"pg_restore: error: COPY failed for table \"thing\": ERROR:  new row for relation \"thing\" violates check constraint \"c\"\n"
	for said, want := range map[string]string{
		"":      "restore with one job",
		refused: "one job (pg_restore without -j) meets the restore errors",
		strings.ReplaceAll(refused, "entry 5", "entry 6"): "restore with one job",
	} {
		s := heard(said, things, kinds)
		s.archive.Format = archive.Custom
		s.tables = []*tableLoad{{entry: kinds, tableName: tableName{"public", "kind"}, passed: 1}}
		s.order = &order{saw: []sighting{{things, reason{"public.thing (CHECK c)", "public.f"}, tableName{"public", "kind"}}}}
		if c := s.dependentCheck(); c == nil || !strings.HasPrefix(c.Hint, want) {
			t.Errorf("%q: got %+v, want %q", said, c, want)
		}
	}
}
