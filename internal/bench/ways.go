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
	ByHand        Way = "by_hand"         // bare pg_restore into a server of the same settings
	ByHandDefault Way = "by_hand_default" // the same into a server with PostgreSQL's own settings
	Usual         Way = "usual"           // pg_restore, UPDATE of the sensitive columns, VACUUM ANALYZE
	Scrubbed      Way = "scrubbed"
	Plain         Way = "plain"   // the drill, nothing scrubbed
	Watched       Way = "watched" // scrubbed, with every part of the leak scan
	Tunnel        Way = "tunnel"  // scrubbed, with the server reached through the engine
)

// Ways are all of them, in the order of the first round.
var Ways = []Way{ByHand, ByHandDefault, Usual, Scrubbed, Plain, Watched, Tunnel}

// job is one way to be run once, by a process of its own.
type job struct {
	Way     Way              `json:"way"`
	Kind    string           `json:"kind"`
	Image   string           `json:"image"`
	Jobs    int              `json:"jobs"`
	Archive string           `json:"archive"`
	Scratch string           `json:"scratch"` // folder for a drill file
	Tmp     string           `json:"tmp"`     // for its work directory; empty: as this process has it
	Rows    map[string]int64 `json:"rows"`    // what must be counted in the end
	Peer    string           `json:"peer"`    // its program; empty: none
	Drilled *drilling        `json:"drilled"` // nil: by hand, or by a peer
	Masked  []string         `json:"masked"`  // features of the processor that its process does without
	// Clusters is where drills keep clusters that were made once. A restore by
	// hand makes its own.
	Clusters string `json:"clusters"`
}

// drilling is what a drill is told beside what every way is told.
type drilling struct {
	Scrub   string `json:"scrub"`   // the section of the drill file
	Columns int    `json:"columns"` // that it must rewrite
	Tunnel  bool   `json:"tunnel"`
}

// drillings are the ways that are drills of a database.
func (r recipe) drillings() map[Way]*drilling {
	return map[Way]*drilling{
		Scrubbed: {Scrub: r.rules, Columns: r.scrubbed},
		Plain:    {Scrub: keepAll},
		Watched:  {Scrub: r.rules + watchAll, Columns: r.scrubbed},
		Tunnel:   {Scrub: r.rules, Columns: r.scrubbed, Tunnel: true},
	}
}

// keepAll scrubs nothing, and watchAll looks for everything that the leak
// scan knows, in every row, and afterwards for real values.
const (
	keepAll = "  rules: [{column: \"*.*.*\", preserve: true, why: \"measured without a " +
		"scrub; the rows are made up\"}]\n"
	watchAll = "  leak_scan: {detectors: [email, phone, card, iban, ip, national_id, secret], sample: " +
		"full, source_overlap: 10000}\n"
)

// shopRules scrub the shop.
func shopRules() string {
	var b strings.Builder
	b.WriteString("  rules:\n")
	for _, t := range tables {
		for _, c := range t.scrub {
			fmt.Fprintf(&b, "    - {column: public.%s.%s, %s}\n", t.name, c.column, c.rule)
		}
		for _, c := range t.keep {
			fmt.Fprintf(&b, "    - {column: public.%s.%s, preserve: true, why: \"nobody's words\"}\n", t.name, c)
		}
	}
	return b.String()
}

// Sample is what one way took, once. Times are seconds.
type Sample struct {
	Round      int     `json:"round"`
	Way        Way     `json:"way"`
	Wall       float64 `json:"wall_s"`
	ServerCPU  float64 `json:"server_cpu_s"`
	HarnessCPU float64 `json:"harness_cpu_s"`
	// of all that ran meanwhile, as the container engine; 0 where it is not known
	MachineCPU float64          `json:"machine_cpu_s"`
	PeakRSS    int64            `json:"harness_peak_bytes"`
	Steps      map[string]int64 `json:"steps_ms"` // the drill's stages, or what was done by hand
	Failed     string           `json:"failed,omitempty"`
}

// CPU is server and harness together, in seconds.
func (s Sample) CPU() float64 { return s.ServerCPU + s.HarnessCPU }

const wayTime = 4 * time.Hour

// run runs the job in this process.
func (j job) run(ctx context.Context) (*Sample, error) {
	switch {
	case j.Drilled != nil:
		return j.drill(ctx)
	case j.Peer != "":
		return j.peer(ctx)
	}
	return j.byHand(ctx)
}

// byHand does what a person would do with pg_restore, in the server that a
// drill would start or in one as PostgreSQL sets itself.
func (j job) byHand(ctx context.Context) (_ *Sample, err error) {
	var s *stopwatch
	w, box, closed, err := j.server(ctx, func() { s = newStopwatch(j.Way) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closed(), w.Close()) }()
	s.step("start")
	if err := j.restoreByHand(ctx, box, s); err != nil {
		return nil, err
	}
	s.stop(ctx, box)
	if err := closed(); err != nil {
		return nil, err
	}
	return s.sample()
}

// server starts the server of a restore by hand and gives it the archive; begin
// is called when all is ready for the start. Whoever asked for it calls closed,
// and closes the directory.
func (j job) server(ctx context.Context, begin func()) (_ *sandbox.Workdir, _ sandbox.Box, closed func() error,
	err error) {
	w, err := sandbox.NewWorkdir()
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	spooled := filepath.Join(w.Spool(), archiveName)
	if err := linkOrCopy(j.Archive, spooled); err != nil { // by hand the folder of the backup would be mounted
		return nil, nil, nil, err
	}
	begin()
	box, err := sandbox.Start(ctx, sandbox.Options{
		Kind: j.Kind, Image: j.Image, Jobs: j.Jobs, Deadline: time.Now().Add(wayTime), Work: w, Drill: "bench",
		Defaults: j.Way == ByHandDefault})
	if err != nil {
		return nil, nil, nil, err
	}
	closed = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		return box.Close(ctx)
	}
	if err := os.Rename(spooled, box.HostPath(archiveName)); err != nil {
		return nil, nil, nil, errors.Join(err, closed())
	}
	return w, box, closed, nil
}

func (j job) restoreByHand(ctx context.Context, box sandbox.Box, s *stopwatch) error {
	if err := execute(ctx, box, maintenance, 1, createDatabase); err != nil {
		return err
	}
	var said []string
	err := box.Run(ctx, sandbox.Command{
		Args:   []string{"pg_restore", "-j", fmt.Sprint(j.Jobs), "-d", databaseName, box.InsidePath(archiveName)},
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

// mask rewrites the sensitive columns as is usual: in the database, after
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
	if err := execute(ctx, box, databaseName, j.Jobs, updates...); err != nil {
		return err
	}
	s.step("update")
	if err := execute(ctx, box, databaseName, j.Jobs, vacuums...); err != nil {
		return err
	}
	s.step("vacuum")
	return nil
}

// count counts every table, over as many connections as there are jobs.
func (j job) count(ctx context.Context, box sandbox.Box) error {
	work, ctx := errgroup.WithContext(ctx)
	next := make(chan string, len(j.Rows))
	for name := range j.Rows {
		next <- name
	}
	close(next)
	for range j.Jobs {
		work.Go(func() error {
			conn, err := box.DB().Connect(ctx, databaseName)
			if err != nil {
				return err
			}
			defer conn.Close(context.WithoutCancel(ctx))
			for name := range next {
				var n int64
				if err := conn.QueryRow(ctx, "select count(*) from "+name).Scan(&n); err != nil {
					return err
				}
				if n != j.Rows[name] {
					return fmt.Errorf("%s holds %d rows, and %d were dumped", name, n, j.Rows[name])
				}
			}
			return nil
		})
	}
	return work.Wait()
}

// drill runs a drill of the archive's folder, and stops the clock before the
// sandbox is removed, as by hand.
func (j job) drill(ctx context.Context) (*Sample, error) {
	file := filepath.Join(j.Scratch, "bench.yaml")
	if err := os.WriteFile(file, []byte(j.drillFile()), 0o600); err != nil {
		return nil, err
	}
	s := newStopwatch(j.Way)
	d, err := spec.Load(file)
	if err != nil {
		return nil, err
	}
	report := drill.Run(ctx,
		drill.Request{Drill: d, Run: "bench", Now: time.Now(), Version: "bench", Tunnel: j.Drilled.Tunnel,
			Clusters: j.Clusters, Inspect: s.stop})
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
	if n := len(r.Scrub.Columns); n != j.Drilled.Columns {
		return fmt.Errorf("the drill scrubbed %d columns and not %d", n, j.Drilled.Columns)
	}
	return nil
}

// drillFile is the drill of the archive: the same counts as by hand.
func (j job) drillFile() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\ntimeout: %v\n", wayTime)
	fmt.Fprintf(&b, "source: {url: %q, name: %s, timezone: UTC, database: %s}\n", "file://"+filepath.Dir(j.Archive)+"/",
		archiveName, databaseName)
	fmt.Fprintf(&b, "sandbox: {kind: %s", j.Kind)
	if j.Image != "" {
		fmt.Fprintf(&b, ", image: %q", j.Image)
	}
	fmt.Fprintf(&b, "}\nrestore: {jobs: %d}\n", j.Jobs)
	fmt.Fprintf(&b, "scrub:\n%s", j.Drilled.Scrub)
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
