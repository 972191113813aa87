package bench

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"daybefore/internal/machine"
)

// workerEnv makes this program a worker: see BecomeWorker.
const workerEnv = "DAYBEFORE_BENCH_WORKER"

// BecomeWorker is the first thing that a program does which calls Run. In the
// process that Run starts for each way it runs that way and does not return;
// in any other it does nothing. So every way has peaks and CPU times of its
// own, whichever binary measures: the compiled one, Mage's or a test's.
func BecomeWorker() {
	if os.Getenv(workerEnv) == "" {
		return
	}
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve reads a job and writes its sample. The end of in, after the job, says
// that nobody waits for it any more.
func serve(in io.Reader, out io.Writer) error {
	ctx, stop := machine.Interruptible(context.Background())
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := json.NewDecoder(in)
	machine.CollectEarly() // as the compiled binary does
	var j job
	if err := d.Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	go func() {
		io.Copy(io.Discard, in)
		cancel()
	}()
	s, err := j.run(ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		s = &Sample{Way: j.Way, Failed: err.Error()}
	}
	return json.NewEncoder(out).Encode(s)
}

// workerCommand is this program as a worker, without features of the processor.
func workerCommand(ctx context.Context, masked []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), workerEnv+"=1")
	if len(masked) > 0 {
		cmd.Env = append(cmd.Env, godebug(masked))
	}
	return cmd, nil
}

// runWorker runs a job in a process of its own, which outlives neither ctx nor
// this process by more than it takes to remove its server.
func runWorker(ctx context.Context, j job, stderr io.Writer) (*Sample, error) {
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	cmd, err := workerCommand(ctx, j.Masked)
	if err != nil {
		return nil, err
	}
	if j.Tmp != "" {
		cmd.Env = append(cmd.Env, "TMPDIR="+j.Tmp)
	}
	// A Ctrl-C is passed on once, by this process.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = cleanTime
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, stderr
	if len(j.Masked) > 0 {
		said := &unmasked{to: stderr}
		cmd.Stderr = said
		defer said.end()
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_, writeErr := in.Write(append(text, '\n')) // in stays open: its end would end the work
	if err := cmp.Or(cmd.Wait(), writeErr); err != nil {
		return nil, err
	}
	var s Sample
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return nil, fmt.Errorf("read what the worker measured: %w", err)
	}
	if s.Failed != "" {
		return nil, fmt.Errorf("%s", s.Failed)
	}
	return &s, nil
}
