package bench

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// peerPrefix begins the name of a program in PATH that restores with another
// harness. It is called with the archive's path and the number of jobs, must
// start a server, restore, scrub and count, and ends with 0 if all went well:
// a few lines of shell around the other harness, written by who has it. On
// its stdout it may say more, a line each:
//
//	begin        what came before was to make ready, and does not count
//	step NAME    a step is done
//	end          what is to come cleans up, and does not count
//	end SECONDS  the same, with the CPU time between begin and end of what is
//	             not below this process, as behind a container engine
//
// All other lines are nothing to us. Its CPU time is that of its processes.
const peerPrefix = "daybefore-peer-"

// findPeers finds the peers' programs in a list of folders. Of several with one
// name the first counts.
func findPeers(list string) map[Way]string {
	peers := map[Way]string{}
	for _, dir := range filepath.SplitList(list) {
		found, _ := filepath.Glob(filepath.Join(dir, peerPrefix+"*"))
		for _, path := range found {
			name := Way(filepath.Base(path))
			if _, err := exec.LookPath(path); err == nil && peers[name] == "" {
				peers[name] = path
			}
		}
	}
	return peers
}

// peer runs a peer's program.
func (j job) peer(ctx context.Context) (*Sample, error) {
	cmd := exec.CommandContext(ctx, j.Peer, j.Archive, fmt.Sprint(j.Jobs))
	// A shell cleans up only once the program has ended that it waits for, so
	// both are told.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = cleanTime
	said := &peerClock{ctx: ctx, way: j.Way}
	said.begin()
	cmd.Stdout, cmd.Stderr = said, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", j.Way, err)
	}
	said.end(0)
	s, err := said.watch.sample()
	if err != nil {
		return nil, err
	}
	s.ServerCPU = said.cpu
	return s, nil
}

// peerClock measures from what a peer says on its stdout.
type peerClock struct {
	ctx   context.Context
	way   Way
	line  []byte // that has not ended yet
	watch *stopwatch
	cpu   float64 // seconds: when it began, and from the end on what was used
}

func (p *peerClock) Write(text []byte) (int, error) {
	p.line = append(p.line, text...)
	for {
		line, rest, whole := bytes.Cut(p.line, []byte("\n"))
		if !whole {
			return len(text), nil
		}
		p.line = rest
		if err := p.hear(string(line)); err != nil {
			return 0, err
		}
	}
}

// hear takes one line. An error ends the peer.
func (p *peerClock) hear(line string) error {
	if p.watch.stopped {
		return nil
	}
	what, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "begin":
		p.begin()
	case what == "step" && rest != "":
		p.watch.step(rest)
	case line == "end":
		p.end(0)
	case what == "end":
		elsewhere, err := strconv.ParseFloat(rest, 64)
		if err != nil || !(elsewhere >= 0) || math.IsInf(elsewhere, 0) {
			return fmt.Errorf("it said %q, which is no CPU time in seconds", line)
		}
		p.end(elsewhere)
	}
	return nil
}

func (p *peerClock) begin() {
	p.watch = newStopwatch(p.way)
	p.cpu = startedCPU()
}

// end stops the clocks, once.
func (p *peerClock) end(elsewhere float64) {
	if p.watch.stopped {
		return
	}
	if len(p.watch.steps) == 0 {
		p.watch.step("all")
	}
	p.watch.stop(p.ctx, nil)
	p.cpu = startedCPU() - p.cpu + elsewhere
}
