package harness_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

const (
	largeArchive = 200 << 20
	mostResident = 100 << 20
)

// The harness itself stays small, however large the archive: nothing is held
// in memory but what is on its way.
func TestResidentMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("loads 200 MB")
	}
	t.Parallel()
	source := pgtest.Server(t)
	source.Exec("postgres", `CREATE TABLE work (id int, email text, story text);
INSERT INTO work SELECT n, n || '@example.com', repeat(md5(n::text), 30) FROM generate_series(1, 220000) n;`)
	dump := source.DumpFile("-Fc", "-Z0", "-d", "postgres")
	if len(dump) < largeArchive {
		t.Fatalf("the archive has %d bytes only", len(dump))
	}
	p := newPlace(t)
	p.write("b/nightly.dump", string(dump))
	dump = nil
	p.write("drills/large.yaml", fmt.Sprintf(oneTable, "file:../b/", sandbox.Local)+`
scrub:
  rules:
    - {column: public.work.email, transform: email}
    - {column: public.work.story, transform: text}
`)
	pr := p.start("drill")
	var peak int64
	for !pr.ended() {
		peak = max(peak, peakResident(pr.Process.Pid))
		time.Sleep(20 * time.Millisecond)
	}
	if code := pr.end(); code != 0 {
		t.Fatalf("ended with %d\n%s", code, pr.said())
	}
	r := p.latest("large")
	if r.Outcome != verdict.Pass || r.Backup.SizeBytes < largeArchive {
		t.Fatalf("%s of %d bytes", r.Outcome, r.Backup.SizeBytes)
	}
	t.Logf("archive %d MB, drilled in %d ms, peak resident %.1f MB", r.Backup.SizeBytes>>20, r.DurationMS, float64(peak)/(1<<20))
	if peak == 0 || peak > mostResident {
		t.Errorf("the harness had %d MB resident, at most %d MB are promised", peak>>20, mostResident>>20)
	}
}

// peakResident is the most that the process itself, without its children, has
// had resident so far: bytes, 0 if it is gone.
func peakResident(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kb), "kB")), 10, 64)
			return n << 10
		}
	}
	return 0
}
