package sandbox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"daybefore/internal/verdict"
)

// leastAccount is whom a server runs as that root starts: no files are its own.
const leastAccount = "nobody"

// timeoutPrograms end the server at its deadline, whoever forgot it: GNU's or
// BusyBox's, and what Homebrew calls GNU's.
var timeoutPrograms = []string{"timeout", "gtimeout"}

// local is a throwaway cluster of this machine's own binaries.
type local struct {
	*base
	bin       binaries
	account   *syscall.Credential // nil: the caller's own
	noNetwork bool
	server    *exec.Cmd
}

func startLocal(ctx context.Context, o Options) (Box, error) {
	bin, err := findBinaries(o.Major)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox,
			"install a PostgreSQL server of at least the backup's major version (Debian: apt install postgresql), or set sandbox.kind: container",
			"start the local sandbox: %w", err)
	}
	bin.why = "as declared; " + bin.why
	return startBinaries(ctx, o, bin)
}

// startBinaries starts the server that was found.
func startBinaries(ctx context.Context, o Options, bin binaries) (_ Box, err error) {
	l := &local{bin: bin, base: newBase(o, o.Work.share())}
	l.base.launch, l.base.oomKilled = l.launch, sinceNow()
	l.info = verdict.Sandbox{Kind: Local, Why: bin.why, Warning: bin.warning, Isolation: NoListener}
	l.cluster = keptCluster(o, bin.identity()...)
	if err := l.prepare(); err != nil {
		return nil, startProblem(Local, err)
	}
	if o.Isolation == NoNetwork && !l.noNetwork {
		return nil, tooLittleIsolation(o.Isolation)
	}
	o.Progress("starting PostgreSQL " + strconv.Itoa(bin.major))
	defer func() {
		if err != nil {
			ctx, cancel := closing(ctx)
			defer cancel()
			l.cluster.drop()
			err = errors.Join(err, l.Close(ctx))
		}
	}()
	if err := l.start(o); err != nil {
		return nil, startProblem(Local, err)
	}
	if err := l.awaitServer(ctx); err != nil {
		return nil, startProblem(Local, err)
	}
	if l.noNetwork && inNetworkOfItsOwn(l.server.Process.Pid) {
		l.info.Isolation = NoNetwork
	}
	if o.Isolation == NoNetwork && l.info.Isolation != NoNetwork {
		return nil, tooLittleIsolation(o.Isolation)
	}
	return l, nil
}

func tooLittleIsolation(wanted string) error {
	return verdict.Errorf(verdict.CodeIsolation,
		"use a container (sandbox.kind: container), allow user namespaces, or accept isolation: no_listener",
		"start the local sandbox: isolation %s is declared, and this machine gives a local server no network of its own", wanted)
}

// prepare lays out the directories for the account that will run the server.
func (l *local) prepare() error {
	if err := os.Mkdir(l.work.local(), 0o700); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		account, err := lookUp(leastAccount)
		if err != nil {
			return fmt.Errorf("PostgreSQL refuses to run as root, and there is no other account: %w", err)
		}
		l.account = account
	}
	if err := l.furnish(); err != nil {
		return err
	}
	l.noNetwork = canLeaveNetwork(l.account)
	if l.account == nil {
		return nil
	}
	return l.handOver()
}

// handOver lets the server's account into its part of the work directory, and
// nobody else.
func (l *local) handOver() error {
	if err := passable(filepath.Dir(l.work.Path())); err != nil {
		return err
	}
	uid, gid := int(l.account.Uid), int(l.account.Gid)
	for _, path := range []string{l.work.local(), l.work.run(), filepath.Join(l.work.run(), logName)} {
		if err := os.Chown(path, uid, gid); err != nil {
			return err
		}
	}
	for _, dir := range []string{l.work.start(), l.work.share()} {
		if err := errors.Join(os.Chown(dir, 0, gid), os.Chmod(dir, 0o750)); err != nil {
			return err
		}
	}
	return os.Chmod(l.work.Path(), 0o711)
}

// passable makes sure that another account can come through to dir.
func passable(dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("the server's account %s cannot enter %s (mode %v): set TMPDIR to a directory that it can reach", leastAccount, dir, info.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

func lookUp(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// start starts the script that becomes the server.
func (l *local) start(o Options) error {
	timeout, err := lookFor(timeoutPrograms)
	if err != nil {
		return fmt.Errorf("nothing would end the server at its deadline: %w", err)
	}
	m := newMachine(o, o.Memory, runtime.NumCPU())
	if m.memory == 0 {
		m.memory = DefaultMemory()
	}
	args := append(timeoutArgs(o.Deadline), "sh", filepath.Join(l.work.start(), scriptName),
		l.data(), l.work.run(), filepath.Join(l.work.start(), passwordName), l.passfile(), filepath.Join(l.work.start(), clusterName))
	args = append(args, m.settings(l.db.cluster, l.work.run())...)
	l.server = exec.Command(timeout, args...)
	l.server.Dir, l.server.Env = l.work.run(), l.env()
	l.server.SysProcAttr = apart(l.account, l.noNetwork)
	if err := l.server.Start(); err != nil {
		l.server = nil
		return err
	}
	go func() {
		err := l.server.Wait()
		status := "status 0"
		if err != nil {
			status = err.Error()
		}
		l.died(status, l.server.ProcessState.ExitCode())
	}()
	return nil
}

// timeoutArgs are the arguments of timeout(1) before the command: an orderly
// end at the deadline, and a hard one soon after.
func timeoutArgs(deadline time.Time) []string {
	seconds := max(1, int64(math.Ceil(time.Until(deadline).Seconds())))
	return []string{"-s", "INT", "-k", "10", strconv.FormatInt(seconds, 10)}
}

func lookFor(programs []string) (path string, err error) {
	for _, name := range programs {
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}

func (l *local) data() string     { return filepath.Join(l.work.local(), "data") }
func (l *local) passfile() string { return filepath.Join(l.work.local(), "pgpass") }

// env is the environment of everything that runs inside. Nothing of the
// caller's goes along: it may hold keys.
func (l *local) env() []string {
	return append(programEnv(l.work.run(), l.passfile(), l.db.options()),
		"PATH="+l.bin.dir+":/usr/local/bin:/usr/bin:/bin", "HOME="+l.work.run())
}

// programEnv lets libpq programs find the server, and speak English.
func programEnv(socketDir, passfile, options string) []string {
	return []string{
		"PGHOST=" + socketDir, "PGPORT=5432", "PGUSER=" + superuser, "PGPASSFILE=" + passfile,
		"PGOPTIONS=" + options, "PGSSLMODE=disable", "LC_ALL=C",
	}
}

// launch starts a program with the server's account and isolation.
func (l *local) launch(c Command) (*program, error) {
	path := filepath.Join(l.bin.dir, c.Args[0])
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath(c.Args[0]); err != nil {
			return nil, err
		}
	}
	stderr := &lineWriter{tell: c.Stderr}
	cmd := exec.Command(path, c.Args[1:]...)
	cmd.Dir, cmd.Env = l.work.run(), l.env()
	cmd.SysProcAttr = apart(l.account, l.noNetwork)
	cmd.Stdout, cmd.Stderr = c.Stdout, stderr
	cmd.WaitDelay = killAfter
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := newProgram()
	p.kill = func() { endGroup(cmd.Process.Pid, p.ended) }
	go func() {
		err := cmd.Wait()
		stderr.close()
		p.status = exitStatus(c.Args[0], err)
		close(p.ended)
	}()
	return p, nil
}

// exitStatus returns how a program of this machine ended, told as a shell would.
func exitStatus(name string, err error) error {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return err
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return &ExitError{Program: name, Code: 128 + int(ws.Signal())}
	}
	return &ExitError{Program: name, Code: exit.ExitCode()}
}

// endGroup ends a program and its children, by force if they take too long.
func endGroup(pid int, ended <-chan struct{}) {
	select {
	case <-ended:
		return // the number may be another's by now
	default:
	}
	syscall.Kill(-pid, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(killAfter):
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// Stream starts a program whose standard output is a pipe to this process.
func (l *local) Stream(ctx context.Context, c Command) (Stream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("run %s in the sandbox: %w", c.Args[0], err)
	}
	widenPipe(r)
	c.Stdout = w
	p, err := l.begin(ctx, c, l.launch)
	w.Close() // the program has its own
	if err != nil {
		r.Close()
		return nil, err
	}
	return newStream(p, r), nil
}

// endUnder kills what works in a sandbox's directories, and returns once it
// is gone. What is just being started may be seen only at the second look.
func endUnder(ctx context.Context, local, run string) error {
	for killUnder(local, run) > 0 {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for what works in %s: %w", run, context.Cause(ctx))
		case <-time.After(pollFirst):
		}
	}
	return nil
}

// Close ends the server at once and removes its cluster.
func (l *local) Close(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.beginClosing()
	if l.server != nil {
		l.server.Process.Signal(syscall.SIGQUIT) // to timeout, which passes it on
		select {
		case <-l.dead:
		case <-time.After(killAfter):
		case <-ctx.Done():
		}
	}
	if err := endUnder(ctx, l.work.local(), l.work.run()); err != nil {
		return fmt.Errorf("end the local sandbox: %w", err)
	}
	if l.server != nil {
		select {
		case <-l.dead:
		case <-ctx.Done():
			return fmt.Errorf("end the local sandbox: %w", context.Cause(ctx))
		}
	}
	if err := l.waitPrograms(ctx); err != nil {
		return err
	}
	if err := removeTree(ctx, l.work.local()); err != nil {
		return fmt.Errorf("remove the local sandbox: %w", err)
	}
	return nil
}
