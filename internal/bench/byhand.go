package bench

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

//go:embed byhand_container.sh
var containerScript string

//go:embed byhand_local.sh
var localScript string

// byHand is what a person would do in one script instead of the demo's drill.
type byHand struct {
	script  string
	env     []string
	dir     string              // of the script
	account *syscall.Credential // nil: the caller's own
	name    string              // of the container
}

// handed is one run of the script.
type handed struct {
	total float64
	steps []moment // how long each took, in milliseconds
}

// newByHand prepares the script for the sandbox and the backup of a report.
func newByHand(w *sandbox.Workdir, r *verdict.Report, d *spec.Drill) (byHand, error) {
	if r.Backup.Name == "" {
		return byHand{}, errNoBackup
	}
	work := filepath.Join(w.Spool(), "by-hand")
	if err := os.Mkdir(work, 0o755); err != nil {
		return byHand{}, err
	}
	store := strings.TrimPrefix(d.Source.URL, "file://")
	if err := copyFile(filepath.Join(store, r.Backup.Name), filepath.Join(work, archiveName)); err != nil {
		return byHand{}, err
	}
	h := byHand{script: containerScript, dir: work, name: "daybefore-by-hand-" + filepath.Base(w.Path())}
	h.env = append(os.Environ(), "ARCHIVE_DIR="+work, "ARCHIVE="+archiveName, "DATABASE="+r.Backup.Database,
		"IMAGE="+r.Sandbox.Image, "NAME="+h.name, "JOBS="+strconv.Itoa(runtime.NumCPU()),
		"ROLES="+createRoles(d.Expectations.Roles), "COUNTS="+counts(r))
	if r.Sandbox.Kind == sandbox.Container {
		return h, nil
	}
	h.script = localScript
	if bin := "/usr/lib/postgresql/" + strconv.Itoa(major(r.Sandbox.ServerVersion)) + "/bin"; isDir(bin) {
		h.env = append(h.env, "PATH="+bin+":"+os.Getenv("PATH"))
	}
	return h, h.handOver(w)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// handOver lets the account of least power into the folder, since PostgreSQL
// refuses to run as root.
func (h *byHand) handOver(w *sandbox.Workdir) error {
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, uidErr := strconv.Atoi(nobody.Uid)
	gid, gidErr := strconv.Atoi(nobody.Gid)
	h.account = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return errors.Join(uidErr, gidErr, os.Chmod(w.Path(), 0o711), os.Chmod(w.Spool(), 0o711), os.Chown(h.dir, uid, gid))
}

// createRoles is SQL, or nothing to do.
func createRoles(roles []string) string {
	var b strings.Builder
	for _, r := range roles {
		fmt.Fprintf(&b, "create role \"%s\"; ", strings.ReplaceAll(r, `"`, `""`))
	}
	return b.String() + "select 1"
}

// counts counts the tables that the drill restored.
func counts(r *verdict.Report) string {
	names := map[string]bool{}
	for _, t := range r.Tables {
		names[t.Name] = true
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, "select count(*) from "+name)
	}
	return strings.Join(all, "; ")
}

// run runs the script. It says `step NAME SECONDS` on stdout after each step.
func (h byHand) run(ctx context.Context) (_ handed, err error) {
	cmd := exec.CommandContext(ctx, "bash", "-euc", h.script)
	cmd.Dir, cmd.Env = h.dir, h.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: h.account}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = cleanTime
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		h.cleanUp(context.WithoutCancel(ctx))
		return handed{}, fmt.Errorf("restore the demo by hand: %w: %s", err, strings.TrimSpace(said.String()))
	}
	total := time.Since(begun)
	return handed{total: ms(total), steps: stepsOf(out.String(), begun)}, nil
}

// cleanUp removes what a script left that was ended half-way.
func (h byHand) cleanUp(ctx context.Context) {
	if h.account != nil || h.script == localScript {
		return // its own trap ends the server, and the folder is removed with ours
	}
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	_ = exec.CommandContext(ctx, "docker", "rm", "-f", "-v", h.name).Run() // most often it is gone
}

// stepsOf reads how long each step of a script took.
func stepsOf(out string, begun time.Time) []moment {
	var all []moment
	last := float64(begun.UnixMicro()) / 1e6
	for line := range strings.Lines(out) {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "step ")
		if !ok {
			continue
		}
		what, stamp, _ := strings.Cut(rest, " at ")
		at, err := strconv.ParseFloat(stamp, 64)
		if err != nil {
			continue
		}
		all = append(all, moment{1000 * (at - last), what})
		last = at
	}
	return all
}
