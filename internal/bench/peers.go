package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// peerPrefix begins the name of a program in PATH that restores with another
// harness. It is called with the archive's path and the number of jobs, must
// start a server, restore, scrub and count, and ends with 0 if all went well:
// a few lines of shell around the other harness, written by who has it. Its
// CPU time is that of the processes it waited for; what runs elsewhere, as
// behind a container engine, is not in it.
const peerPrefix = "daybefore-peer-"

// findPeers lists the peers in PATH, sorted.
func findPeers() []string {
	var names []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		found, _ := filepath.Glob(filepath.Join(dir, peerPrefix+"*"))
		for _, path := range found {
			if _, err := exec.LookPath(path); err == nil {
				names = append(names, filepath.Base(path))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// peer runs a peer's program.
func (j job) peer(ctx context.Context) (*Sample, error) {
	cmd := exec.CommandContext(ctx, string(j.Way), j.Archive, fmt.Sprint(j.Jobs))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = cleanTime
	cmd.Stderr = os.Stderr
	s := newStopwatch(j.Way)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", j.Way, err)
	}
	s.step("all")
	s.stop(ctx, nil)
	return s.sample()
}
