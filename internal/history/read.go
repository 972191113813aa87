package history

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"time"

	"daybefore/internal/verdict"
)

// maxReport is more than any report needs, and less than hurts to read.
const maxReport = 64 << 20

// ErrSchema tells that a report is whole, and of a version of the JSON that
// this harness does not read.
var ErrSchema = errors.New("another version of the report's schema")

// DamagedError names a kept report that cannot be used.
type DamagedError struct {
	Path string
	Err  error // what is wrong with it; ErrSchema among others
}

func (e *DamagedError) Error() string {
	hint := "move it away, past reports are not needed to drill"
	switch {
	case errors.Is(e.Err, ErrSchema):
		hint = "read it with the harness that wrote it, or move it away"
	case errors.Is(e.Err, errForged):
		hint = "find out who can write there, then move it away"
	case errors.Is(e.Err, errUnsigned):
		hint = "it counts for nothing where history.key_env is set: drill again, and the report will be signed"
	case errors.Is(e.Err, errForeign):
		hint = "if that key is still trusted, add it to the variable of history.key_env, " +
			"after a comma; else drill again"
	}
	return fmt.Sprintf("read the report %s: %v; %s", e.Path, e.Err, hint)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Latest returns the report of the drill of a newest backup that started last: fs.ErrNotExist if
// there is none, a DamagedError if it cannot be used. An older report never
// stands in for a damaged one.
func Latest(dir, drill string) (*verdict.Report, error) {
	root, err := openDrill(dir, drill)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	latest, err := readReport(root, latestFile, drill)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	// A process that was killed between a run and its copy leaves the copy old.
	for newest, err := range localRuns(root, drill) {
		if err != nil {
			return nil, err
		}
		if !newest.Backup.IsNewest() {
			continue
		}
		if latest == nil || newest.StartedAt.After(latest.StartedAt) {
			latest = newest
		}
		break
	}
	if latest == nil {
		return nil, fmt.Errorf("no report of %s is kept in %s: %w", drill, dir, fs.ErrNotExist)
	}
	return latest, nil
}

// All gives every kept report of the drill, newest first (by run id, which
// begins with the time). A report that cannot be used comes as a DamagedError
// in its place, and the others follow. No report at all is an empty sequence.
func All(dir, drill string) iter.Seq2[*verdict.Report, error] {
	return func(yield func(*verdict.Report, error) bool) {
		root, err := openDrill(dir, drill)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer root.Close()
		for r, err := range localRuns(root, drill) {
			if !yield(r, err) {
				return
			}
		}
	}
}

// localRuns reads the folders of runs, newest name first.
func localRuns(root *os.Root, drill string) iter.Seq2[*verdict.Report, error] {
	return func(yield func(*verdict.Report, error) bool) {
		runs, err := runsIn(root)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, run := range runs {
			r, err := readRun(root, drill, run)
			if !yield(r, err) {
				return
			}
		}
	}
}

func readRun(root *os.Root, drill, run string) (*verdict.Report, error) {
	name := path.Join(run, ReportFile)
	r, err := readReport(root, name, drill)
	if err == nil && r.Run != run {
		return nil, damaged(root, name, fmt.Errorf("it is the report of the run %q", r.Run))
	}
	return r, err
}

// readReport reads one report, and refuses what it cannot vouch for.
func readReport(root *os.Root, name, drill string) (*verdict.Report, error) {
	b, err := readFile(root, name)
	if err != nil {
		return nil, damaged(root, name, err)
	}
	r, err := decode(b)
	if err == nil && r.Drill != drill {
		err = fmt.Errorf("it is a report of the drill %q", r.Drill)
	}
	if err != nil {
		return nil, damaged(root, name, err)
	}
	return r, nil
}

func damaged(root *os.Root, name string, err error) error {
	return &DamagedError{Path: filepath.Join(root.Name(), name), Err: err}
}

func readFile(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxReport+1))
	if err == nil && len(b) > maxReport {
		err = fmt.Errorf("it is larger than %d bytes", maxReport)
	}
	return b, err
}

// decode reads a report's JSON.
func decode(b []byte) (*verdict.Report, error) {
	var version struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return nil, fmt.Errorf("it is not JSON: %w", err)
	}
	if version.Schema != verdict.Schema {
		return nil, fmt.Errorf("%w: %d, this harness reads %d", ErrSchema, version.Schema, verdict.Schema)
	}
	var r verdict.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("it is not a report: %w", err)
	}
	switch r.Outcome {
	case verdict.Pass, verdict.Warn, verdict.Fail, verdict.Error, verdict.Skipped:
	default:
		return nil, fmt.Errorf("its outcome is %q", r.Outcome)
	}
	if r.StartedAt.IsZero() {
		return nil, errors.New("it does not say when it started")
	}
	return &r, nil
}

// startOf reads when the report started, of any version: that key stays.
func startOf(root *os.Root, name string) (time.Time, error) {
	b, err := readFile(root, name)
	if err != nil {
		return time.Time{}, err
	}
	var r struct {
		StartedAt time.Time `json:"started_at"`
	}
	err = json.Unmarshal(b, &r)
	return r.StartedAt, err
}
