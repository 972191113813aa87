package history

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// runID is what NewRunID gives, and gave once in four digits. No other folder is
// ever removed.
var runID = regexp.MustCompile(`^\d{8}T\d{6}Z-([0-9a-f]{4}|[0-9a-f]{6})$`)

// Prune removes the oldest runs of a drill below dir, so that keep are left. What
// later drills may be compared with stays, what people know of as bad, and all that
// is newer. A pass outlives no failure that speaks against the same backup, came it before or
// after: a gate would open by it.
func Prune(ctx context.Context, dir, drill string, keep int, keys ...spec.Key) error {
	sh, err := open(ctx, dir, nil, drill, keys)
	if err != nil {
		return err
	}
	defer sh.close()
	sh.runs = slices.DeleteFunc(sh.runs, func(run string) bool { return !runID.MatchString(run) })
	if len(sh.runs) <= keep {
		return nil
	}
	needed, err := sh.needed(ctx)
	if err != nil {
		return err
	}
	known, err := sh.knownAsBad(ctx)
	if err != nil {
		return err
	}
	needed, err = sh.against(ctx, min(max(keep, needed, known), len(sh.runs)))
	if err != nil {
		return err
	}
	old := sh.runs[needed:]
	if len(old) == 0 {
		return nil
	}
	err = change(dir, drill, func(root *os.Root) error { return removeRuns(root, old) })
	if err != nil {
		return fmt.Errorf("remove old reports of %s below %s: %w; %s", drill, dir, err, hintFor(err))
	}
	return nil
}

// needed is how many of the newest runs hold all passes that a drill may be
// compared with.
func (sh *shelf) needed(ctx context.Context) (n int, err error) {
	passes := 0
	for batch := range slices.Chunk(sh.runs, atOnce) {
		found, err := sh.reports(ctx, batch)
		if err != nil {
			return 0, err
		}
		at := slices.Index(sh.runs, batch[0])
		for i, f := range found {
			if f.damaged == nil && sh.proven(f) && Passed(f.report) {
				passes++
				n = at + i + 1
			}
			if passes == spec.MostPast {
				return n, nil
			}
		}
	}
	return n, nil
}

// against is how many of the newest runs stay, where n would: with those that
// speak against a backup which one of them passed.
func (sh *shelf) against(ctx context.Context, n int) (int, error) {
	old, err := sh.kept(ctx, sh.runs[n:])
	if err != nil || !slices.ContainsFunc(old, speaksAgainst) {
		return n, err
	}
	all, err := sh.kept(ctx, sh.runs[:n])
	if err != nil {
		return 0, err
	}
	all = append(all, old...)
	passes := map[string]bool{} // the backups that the first n runs passed
	seen := 0
	for i, k := range all {
		if i >= n && (!speaksAgainst(k) || !passes[k.Report.Backup.Name]) {
			continue
		}
		n = max(n, i+1)
		for ; seen < n; seen++ {
			r := all[seen].Report
			if r != nil && r.Backup.Name != "" && (r.Outcome == verdict.Pass || r.Outcome == verdict.Warn) {
				passes[r.Backup.Name] = true
			}
		}
	}
	return n, nil
}

// speaksAgainst reports whether a gate may stay shut for a report.
func speaksAgainst(k Kept) bool {
	return k.Err == nil && (k.Report.Outcome == verdict.Fail || k.Report.Outcome == verdict.Warn)
}

// removeRuns removes whole runs, the oldest first: each is gone for readers
// before the first of its files is.
func removeRuns(root *os.Root, runs []string) error {
	for _, run := range slices.Backward(runs) {
		temp := tempStart + run
		if err := root.Rename(run, temp); err != nil {
			return err
		}
		if err := root.RemoveAll(temp); err != nil {
			return err
		}
	}
	return syncDir(root, ".")
}
