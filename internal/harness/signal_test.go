package harness_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// slow is a database whose load, or whose checks, last long enough to be
// interrupted in the middle, and whose name shows in the titles of its
// server's processes.
type slow struct {
	name string
	dump []byte
}

// forever is longer than any of these tests: nothing that lasts so many seconds
// ends by itself.
const forever = 600

// newSlow dumps a database in which a row takes so many seconds to be loaded.
func newSlow(c *pgtest.Cluster, seconds int) slow {
	s := slow{name: slowName()}
	c.Exec("postgres", "CREATE DATABASE "+s.name)
	c.Exec(s.name, fmt.Sprintf(`
CREATE FUNCTION unhurried(n int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('shop.hurry', true) IS NULL THEN PERFORM pg_catalog.pg_sleep(%d); END IF; RETURN true; END $$;
SET shop.hurry = 'yes';
CREATE TABLE work (id int PRIMARY KEY, CHECK (public.unhurried(id)));
INSERT INTO work VALUES (1);`, seconds))
	s.dump = c.DumpFile("-Fc", "-d", s.name)
	return s
}

func slowName() string { return "slow_" + strings.ToLower(rand.Text()[:12]) }

// renamed is the same dump of a database of another name, so that the servers
// of two drills are told apart.
func (s slow) renamed() slow {
	name := slowName() // as long as the other: the archive counts the bytes
	return slow{name: name, dump: bytes.ReplaceAll(s.dump, []byte(s.name), []byte(name))}
}

// newQuick dumps a database that is restored in no time.
func newQuick(c *pgtest.Cluster) slow { return newSlow(c, 0) }

// drill writes a drill file for a renamed one, with a check that lasts so many
// seconds.
func (s slow) drill(p *place, name, kind string, checkSeconds int) slow {
	p.t.Helper()
	s = s.renamed()
	p.write(name+"/nightly.dump", string(s.dump))
	p.write("drills/"+name+".yaml", fmt.Sprintf(`version: 1
source: {url: "file:../%s/", name: nightly.dump, timezone: UTC}
sandbox: {kind: %s}
expectations:
  tables:
    - {table: public.work, row_count: {equals: 1}}
  failed_rows:
    - {name: unhurried, sql: "select 1 where pg_sleep(%d) is null", fail_if: "> 0"}
`, name, kind, checkSeconds))
	return s
}

// busy waits until a server process of the database is doing that, such as
// COPY, and lies asleep in it; false if the drill ended first. One that only
// waits for a processor, as all do on a loaded machine, may be doing something
// short before that.
func (s slow) busy(pr *process, what string) bool {
	const steady = 10 // looks, one behind the other
	for seen := map[string]int{}; ; time.Sleep(20 * time.Millisecond) {
		asleep := map[string]int{}
		for _, p := range s.alive() {
			if dir, _, _ := strings.Cut(p, "/cmdline"); !strings.Contains(p, what) || state(dir) != "S" {
				continue
			}
			asleep[p] = seen[p] + 1
			if asleep[p] == steady {
				return true
			}
		}
		seen = asleep
		if pr.ended() {
			return false
		}
	}
}

// state is a process's, by its folder under /proc, in a letter: S sleeps, Z is
// gone and not yet waited for; empty: there is none.
func state(dir string) string {
	stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
	_, rest, _ := strings.Cut(string(stat), ") ")
	letter, _, _ := strings.Cut(rest, " ")
	return letter
}

// alive lists the server processes of the database.
func (s slow) alive() (found []string) {
	titles, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range titles {
		if title, _ := os.ReadFile(path); strings.HasPrefix(string(title), "postgres:") && strings.Contains(string(title), s.name+" ") {
			found = append(found, path+": "+string(title))
		}
	}
	return found
}

// An interrupted drill promises to be gone in five seconds, of which a clock
// of its own sees to the last four (internal/drill, cleanup_test.go). How long it takes here
// depends on what else the machine does; so only one that hangs is refused.
const hang = time.Minute

func TestAnInterruptedDrillEndsCleanly(t *testing.T) {
	source := pgtest.Server(t)
	slowLoad := newSlow(source, forever)
	quick := newQuick(source)
	stages := []struct {
		name  string
		db    slow
		stage string // that is interrupted
		at    func(p *place, pr *process, db slow) bool
	}{
		{"start", quick, verdict.StageSandbox, func(p *place, pr *process, _ slow) bool { return p.starting(pr) }},
		{"load", slowLoad, verdict.StageRestore, func(_ *place, pr *process, db slow) bool { return db.busy(pr, "COPY") }},
		{"expect", quick, verdict.StageExpect, func(_ *place, pr *process, db slow) bool { return db.busy(pr, "SELECT") }},
	}
	kinds(t, func(t *testing.T, kind string) {
		for _, s := range stages {
			signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
			if s.name == "load" && !signal.Ignored(syscall.SIGHUP) { // a terminal that is closed
				signals = append(signals, syscall.SIGHUP)
			}
			for _, sig := range signals {
				t.Run(s.name+"/"+sig.String(), func(t *testing.T) {
					if kind == sandbox.Local {
						t.Parallel() // an engine with too much to do removes nothing in time
					}
					p := newPlace(t)
					db := s.db.drill(p, "shop", kind, forever)
					quick.drill(p, "then", kind, 0) // which must not begin any more
					pr := p.start("drill", "-parallel=1")
					if !s.at(p, pr, db) {
						t.Fatalf("it ended before it could be interrupted\n%s", pr.said())
					}
					interrupt(t, p, pr, sig, s.stage)
				})
			}
		}
	})
}

// A store that has fallen silent is given up at once too.
func TestAnInterruptedFetchEndsCleanly(t *testing.T) {
	t.Parallel()
	s3 := storetest.S3(t)
	dump, err := os.ReadFile(filepath.Join(repository, "drills/demo/backups/shop-20260304T031500Z.dump"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s3.Put(t.Context(), "nightly/nightly.dump", dump); err != nil {
		t.Fatal(err)
	}
	const faults = 1000
	s3.Silence(faults, 1<<17)
	p := newPlace(t)
	p.write("drills/shop.yaml", fmt.Sprintf(`version: 1
source: {url: "s3://%s/nightly/", endpoint: %q, region: %s, path_style: true, name: nightly.dump, timezone: UTC}
sandbox: {kind: local}
expectations: {tables: [{table: public.people}]}
`, s3.Bucket, s3.Endpoint, s3.Region))
	cmd := exec.Command(binary(t), "drill")
	cmd.Env = p.environ(s3.Environ()...)
	pr := p.startCmd(cmd)
	for s3.FaultsLeft() == faults && !pr.ended() {
		time.Sleep(5 * time.Millisecond)
	}
	interrupt(t, p, pr, syscall.SIGTERM, verdict.StageFetch)
}

// starting waits until a sandbox is being started.
func (p *place) starting(pr *process) bool {
	for {
		found, _ := filepath.Glob(filepath.Join(p.tmp, "drill-*", "start", "start.sh"))
		if len(found) > 0 {
			return true
		}
		if pr.ended() {
			return false
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// interrupt sends the signal and looks at everything that is promised then.
func interrupt(t *testing.T, p *place, pr *process, sig syscall.Signal, stage string) {
	t.Helper()
	volumes := p.volumes()
	sent := time.Now()
	// Twice, as timeout(1) does and as impatient people do.
	kill(t, pr, sig)
	_ = pr.Process.Signal(sig)
	code := pr.end()
	took := time.Since(sent)
	t.Logf("gone after %v", took.Round(time.Millisecond))
	if took > hang {
		t.Errorf("gone after %v only", took)
	}
	if code != verdict.ExitInterrupted {
		t.Fatalf("exit code %d\n%s", code, pr.said())
	}
	r := p.latest("shop")
	if s := stageOf(r, stage); r.Outcome != verdict.Error || s.Code != verdict.CodeInterrupted {
		t.Errorf("the report is %s, its stage %+v\n%s", r.Outcome, s, pr.said())
	}
	if _, err := readLatest(p.dir, "then"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the drill after it: %v", err)
	}
	p.nothingLeft(volumes...)
}

// ended reports whether the process is gone or waits to be fetched.
func (pr *process) ended() bool {
	now := state(fmt.Sprintf("/proc/%d", pr.Process.Pid))
	return now == "" || now == "Z"
}

// A kill -9 leaves files, and a container. The clean target, and
// the next drill's start, remove just that, and nothing of a drill that runs.
func TestWhatAKilledDrillLeavesIsRemoved(t *testing.T) {
	source := pgtest.Server(t)
	slowLoad := newSlow(source, forever)
	quick := newQuick(source)
	kinds(t, func(t *testing.T, kind string) {
		p := newPlace(t)
		slowLoad := slowLoad.drill(p, "killed", kind, 0)
		quicker := quick.drill(p, "running", kind, 8)
		quick.drill(p, "next", kind, 0)

		killed := killMidLoad(t, p, kind, slowLoad)
		running := p.start("drill", "-name=running")
		if !quicker.busy(running, "SELECT") {
			t.Fatalf("it ended too early\n%s", running.said())
		}
		// However long the rest takes here, it is there.
		kill(t, running, syscall.SIGSTOP)
		// The running drill's own start has swept already; another is killed.
		killed = append(killed, killMidLoad(t, p, kind, slowLoad)...)
		clean := p.start("clean")
		if code := clean.end(); code != 0 || !strings.Contains(clean.stdout.String(), "removed ") {
			t.Errorf("clean ended with %d\n%s", code, clean.said())
		}
		gone(t, slowLoad, killed)
		if running.ended() {
			t.Error("nothing ran meanwhile, so this test shows nothing")
		}
		volumes := p.volumes()
		kill(t, running, syscall.SIGCONT)
		if code := running.end(); code != 0 {
			t.Errorf("the drill that ran meanwhile ended with %d\n%s", code, running.said())
		}
		p.nothingLeft(volumes...)

		killed = killMidLoad(t, p, kind, slowLoad)
		next := p.start("drill", "-name=next")
		if code := next.end(); code != 0 {
			t.Errorf("the next drill ended with %d\n%s", code, next.said())
		}
		gone(t, slowLoad, killed)
		p.nothingLeft()
	})
}

// killMidLoad kills a drill while it loads, and returns what must be gone
// later: its volumes, and not those of a drill that was there before it.
func killMidLoad(t *testing.T, p *place, kind string, s slow) (volumes []string) {
	t.Helper()
	others := p.volumes()
	pr := p.start("drill", "-name=killed")
	if !s.busy(pr, "COPY") {
		t.Fatalf("it ended before it could be killed\n%s", pr.said())
	}
	volumes = slices.DeleteFunc(p.volumes(), func(v string) bool { return slices.Contains(others, v) })
	kill(t, pr, syscall.SIGKILL)
	pr.end()
	if len(files(t, p.tmp)) == 0 {
		t.Fatal("the killed drill left nothing, so this test shows nothing")
	}
	switch {
	case kind == sandbox.Local: // whose processes end with the harness
		gone(t, s, nil)
	case len(s.alive()) == 0:
		t.Fatal("the killed drill's server is gone, so this test shows nothing")
	}
	return volumes
}

func gone(t *testing.T, s slow, volumes []string) {
	t.Helper()
	for _, what := range settle(func() []string { return append(s.alive(), surviving(volumes)...) }) {
		t.Errorf("left behind: %s", what)
	}
}
