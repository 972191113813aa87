package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"daybefore/internal/drill"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Way is one way to restore the archive and count what came back.
type Way string

// The ways that are compared.
const (
	ByHand   Way = "by_hand" // bare pg_restore into a server of the same settings
	Usual    Way = "usual"   // pg_restore, UPDATE of the sensitive columns, VACUUM ANALYZE
	Scrubbed Way = "scrubbed"
	Plain    Way = "plain" // the drill, nothing scrubbed
)

// Ways are all of them, in the order of the first round.
var Ways = []Way{ByHand, Usual, Scrubbed, Plain}

// job is one way to be run once, by a process of its own.
type job struct {
	Way     Way              `json:"way"`
	Kind    string           `json:"kind"`
	Image   string           `json:"image"`
	Jobs    int              `json:"jobs"`
	Archive string           `json:"archive"`
	Scratch string           `json:"scratch"` // folder for a drill file
	Rows    map[string]int64 `json:"rows"`    // what must be counted in the end
}

// Sample is what one way took, once. Times are seconds.
type Sample struct {
	Round      int              `json:"round"`
	Way        Way              `json:"way"`
	Wall       float64          `json:"wall_s"`
	ServerCPU  float64          `json:"server_cpu_s"`
	HarnessCPU float64          `json:"harness_cpu_s"`
	PeakRSS    int64            `json:"harness_peak_bytes"`
	Steps      map[string]int64 `json:"steps_ms"` // the drill's stages, or what was done by hand
	Failed     string           `json:"failed,omitempty"`
}

// CPU is server and harness together, in seconds.
func (s Sample) CPU() float64 { return s.ServerCPU + s.HarnessCPU }

const wayTime = 4 * time.Hour

// run runs the job in this process.
func (j job) run(ctx context.Context) (*Sample, error) {
	switch j.Way {
	case ByHand, Usual:
		return j.byHand(ctx)
	case Scrubbed, Plain:
		return j.drill(ctx)
	}
	return j.peer(ctx)
}

// byHand does what a person would do with pg_restore, in the server that a
// drill would start.
func (j job) byHand(ctx context.Context) (_ *Sample, err error) {
	w, err := sandbox.NewWorkdir()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	spooled := filepath.Join(w.Spool(), archiveName)
	if err := linkOrCopy(j.Archive, spooled); err != nil { // by hand the folder of the backup would be mounted
		return nil, err
	}
	s := newStopwatch(j.Way)
	box, err := sandbox.Start(ctx, sandbox.Options{
		Kind: j.Kind, Image: j.Image, Jobs: j.Jobs, Deadline: time.Now().Add(wayTime), Work: w, Drill: "bench"})
	if err != nil {
		return nil, err
	}
	closed := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		return box.Close(ctx)
	}
	defer func() { err = errors.Join(err, closed()) }()
	s.step("start")
	if err := os.Rename(spooled, box.HostPath(archiveName)); err != nil {
		return nil, err
	}
	if err := j.restoreByHand(ctx, box, s); err != nil {
		return nil, err
	}
	s.stop(ctx, box)
	if err := closed(); err != nil {
		return nil, err
	}
	return s.sample()
}

func (j job) restoreByHand(ctx context.Context, box sandbox.Box, s *stopwatch) error {
	if err := execute(ctx, box, maintenance, 1, createDatabase); err != nil {
		return err
	}
	var said []string
	err := box.Run(ctx, sandbox.Command{
		Args:   []string{"pg_restore", "-j", fmt.Sprint(j.Jobs), "-d", database, box.InsidePath(archiveName)},
		Stderr: func(line string) { said = append(said, line) },
	})
	if err != nil {
		return fmt.Errorf("%w: %s", err, strings.Join(said, "; "))
	}
	s.step("pg_restore")
	if j.Way == Usual {
		if err := j.mask(ctx, box, s); err != nil {
			return err
		}
	}
	if err := j.count(ctx, box); err != nil {
		return err
	}
	s.step("count")
	return nil
}

// mask rewrites the sensitive columns as is usual: in the database, behind
// the restore. Tables are done side by side, which is more than most do.
func (j job) mask(ctx context.Context, box sandbox.Box, s *stopwatch) error {
	random := make([]byte, 16)
	rand.Read(random)
	key := hex.EncodeToString(random)
	var updates, vacuums []string
	for _, t := range tables {
		if update := t.update(key); update != "" {
			updates = append(updates, update)
		}
		vacuums = append(vacuums, "vacuum (analyze) "+t.name)
	}
	if err := execute(ctx, box, database, j.Jobs, updates...); err != nil {
		return err
	}
	s.step("update")
	if err := execute(ctx, box, database, j.Jobs, vacuums...); err != nil {
		return err
	}
	s.step("vacuum")
	return nil
}

// count counts every table, as many at once as there are jobs.
func (j job) count(ctx context.Context, box sandbox.Box) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(j.Jobs)
	for name, want := range j.Rows {
		work.Go(func() error {
			conn, err := box.DB().Connect(ctx, database)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			var n int64
			if err := conn.QueryRow(ctx, "select count(*) from "+name).Scan(&n); err != nil {
				return err
			}
			if n != want {
				return fmt.Errorf("%s holds %d rows, and %d were dumped", name, n, want)
			}
			return nil
		})
	}
	return work.Wait()
}

// drill runs a drill of the archive's folder, and stops the clock before the
// sandbox is removed, as by hand.
func (j job) drill(ctx context.Context) (*Sample, error) {
	file := filepath.Join(j.Scratch, "bench-"+string(j.Way)+".yaml")
	if err := os.WriteFile(file, []byte(j.drillFile()), 0o600); err != nil {
		return nil, err
	}
	s := newStopwatch(j.Way)
	d, err := spec.Load(file)
	if err != nil {
		return nil, err
	}
	report := drill.Run(ctx, drill.Request{Drill: d, Run: "bench", Now: time.Now(), Version: "bench", Inspect: s.stop})
	if err := proven(report, j); err != nil {
		return nil, err
	}
	for _, stage := range report.Stages {
		s.steps[stage.Name] = stage.DurationMS
	}
	return s.sample()
}

// proven makes sure that the drill did what it is measured for.
func proven(r *verdict.Report, j job) error {
	for _, stage := range r.Stages {
		if stage.Outcome != verdict.Pass && stage.Outcome != verdict.Warn {
			return fmt.Errorf("the drill's stage %s: %s %s: %s", stage.Name, stage.Outcome, stage.Code, stage.Message)
		}
	}
	held := map[string]int64{}
	for _, t := range r.Tables {
		held[t.Name] = t.RowsHeld
	}
	if !maps.Equal(held, j.Rows) {
		return fmt.Errorf("the drill restored %v rows, and %v were dumped", held, j.Rows)
	}
	if _, scrubbed := numColumns(); j.Way == Scrubbed && len(r.Scrub.Columns) != scrubbed {
		return fmt.Errorf("the drill scrubbed %d columns and not %d", len(r.Scrub.Columns), scrubbed)
	}
	return nil
}

// drillFile is the drill of the archive: the same counts as by hand.
func (j job) drillFile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\ntimeout: %v\n", wayTime)
	fmt.Fprintf(&b, "source: {url: %q, name: %s, timezone: UTC, database: %s}\n", "file://"+filepath.Dir(j.Archive)+"/", archiveName, database)
	fmt.Fprintf(&b, "sandbox: {kind: %s", j.Kind)
	if j.Image != "" {
		fmt.Fprintf(&b, ", image: %q", j.Image)
	}
	fmt.Fprintf(&b, "}\nrestore: {jobs: %d}\nscrub:\n  rules:\n", j.Jobs)
	if j.Way == Plain {
		b.WriteString(`    - {column: "*.*.*", preserve: true, why: "measured without a scrub; the rows are made up"}` + "\n")
	} else {
		for _, t := range tables {
			for _, c := range t.scrub {
				fmt.Fprintf(&b, "    - {column: public.%s.%s, %s}\n", t.name, c.column, c.rule)
			}
			for _, c := range t.keep {
				fmt.Fprintf(&b, "    - {column: public.%s.%s, preserve: true, why: \"nobody's words\"}\n", t.name, c)
			}
		}
	}
	b.WriteString("expectations:\n  tables:\n")
	for _, name := range slices.Sorted(maps.Keys(j.Rows)) {
		fmt.Fprintf(&b, "    - {table: %s, row_count: {equals: %d}}\n", name, j.Rows[name])
	}
	return b.String()
}

// linkOrCopy gives a file a second name, or on another file system a copy.
func linkOrCopy(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	return copyFile(from, to)
}
