package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"

	"daybefore/internal/enclosure"
	"daybefore/internal/sandbox/emptying"
	"daybefore/internal/verdict"
)

// degrees are what a local server can be given, the better one first.
var degrees = []enclosureDegree{{Enclosed, enclosure.Enclosed}, {NoNetwork, enclosure.NoNetwork},
	{NoListener, enclosure.Watched}}

// enclosureDegree is one of isolation, as a drill file and as the enclosure names it.
type enclosureDegree struct {
	name string
	enclosure.Degree
}

// local is a throwaway cluster of this machine's own binaries. The server, and
// each program, is set apart from the machine and from each other: only the
// directory of the socket is seen by both.
type local struct {
	*base
	bin      binaries
	degree   enclosure.Degree
	accounts *accounts // nil: all is the caller's own
	limits   enclosure.Limits
	server   *enclosure.Process
}

func startLocal(ctx context.Context, o Options) (Box, error) {
	bin, err := findBinaries(o.Major)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox, hintWithout(err, "set sandbox.kind: container"),
			"start the local sandbox: %w", err)
	}
	bin.why = "kind as declared; " + bin.why
	return startBinaries(ctx, o, bin)
}

// startBinaries starts the server that was found, as far apart as this machine
// lets it, and no less than is good enough.
func startBinaries(ctx context.Context, o Options, bin binaries) (Box, error) {
	return startAmong(ctx, o, bin, degrees)
}

// startAmong tries the degrees one after the other.
func startAmong(ctx context.Context, o Options, bin binaries, among []enclosureDegree) (_ Box, err error) {
	l := &local{bin: bin, base: newBase(o, "")}
	l.base.launch = l.launch
	l.base.oomKilled = sinceNow()
	o.Progress("starting PostgreSQL " + strconv.Itoa(bin.major))
	defer func() {
		if err != nil {
			ctx, cancel := closing(ctx)
			defer cancel()
			l.cluster.drop()
			err = errors.Join(startProblem(Local, err), l.Close(ctx))
		}
	}()
	if err := os.Mkdir(l.work.local(), 0o700); err != nil {
		return nil, err
	}
	if err := l.startApart(o, among); err != nil {
		return nil, err
	}
	if err := l.watchDisks(o.Disk, l.server.Kill, l.work.local(), l.work.Path()); err != nil {
		return nil, err
	}
	if err := l.awaitServer(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// startApart tries one degree after the other, down to the least that is good
// enough, until one is to be had here.
func (l *local) startApart(o Options, among []enclosureDegree) error {
	l.info = verdict.Sandbox{Kind: Local, Why: l.bin.why, Warning: l.bin.warning}
	var refused *enclosure.Refused
	for _, d := range among {
		l.degree = d.Degree
		if err := l.prepare(o); err != nil {
			return err
		}
		err := l.start(o)
		no, was := errors.AsType[*enclosure.Refused](err)
		switch {
		case !was:
			l.info.Isolation, l.info.Reach = d.name, l.reach(refused)
			return err
		case d.name == o.Isolation:
			return tooLittleIsolation(d.name, no)
		}
		o.Log.Debug("a degree of isolation is not to be had", "degree", d.name, "err", no)
		refused = cmp.Or(refused, no) // the first says why the best is not
	}
	return errors.New("no degree of isolation is to be had") // the last is never refused
}

// reach says how the sandbox is not as it should be; refused may be nil.
func (l *local) reach(refused *enclosure.Refused) (all []string) {
	if l.bin.instead {
		all = append(all, "a local server took the place of a container")
	}
	if refused != nil {
		all = append(all, shortfall(l.degree, l.accounts, refused)...)
	}
	return all
}

// tooLittleIsolation says what this machine lacks for the degree that is the
// least, and what lets it be had.
func tooLittleIsolation(wanted string, refused *enclosure.Refused) error {
	return verdict.Errorf(verdict.CodeIsolation, hintIsolation(wanted),
		"isolation %s is not to be had on this machine: %w", wanted, refused)
}

// prepare lays out the directories for the accounts that work in them.
func (l *local) prepare(o Options) error {
	var err error
	l.accounts, err = pickAccounts(l.degree)
	if err != nil {
		return err
	}
	for _, dir := range []string{l.work.start(), l.work.run()} { // of a better degree, which was refused
		if err := os.RemoveAll(filepath.Join(dir, clusterName)); err != nil {
			return err
		}
	}
	l.insideShare = l.inside(shareName)
	l.cluster = cachedCluster{}
	if l.degree == enclosure.Enclosed {
		// Elsewhere the code of a backup could have written what is kept.
		l.cluster = clusterFor(o, l.bin.identity()...)
	}
	if err := l.furnish(); err != nil {
		return err
	}
	passfile := filepath.Join(l.work.share(), passfileName)
	if err := makeFile(passfile, []byte("*:*:*:*:"+l.db.password+"\n"), 0o600); err != nil {
		return err
	}
	if l.accounts == nil {
		return nil
	}
	return l.handOver()
}

// handOver lets each account into its part of the work directory. Where they
// see the machine's own directories, they must also be able to come so far.
func (l *local) handOver() error {
	server, programs := l.accounts.server, l.accounts.programs
	for _, own := range []struct {
		path string
		enclosure.Account
		mode os.FileMode
	}{
		{l.work.local(), server, 0o700},
		{l.work.run(), server, 0o755},
		{filepath.Join(l.work.run(), logName), server, 0o644},
		{filepath.Join(l.work.run(), clusterName), server, 0o600},
		{l.work.start(), enclosure.Account{GID: server.GID}, 0o750},
		{l.work.share(), enclosure.Account{GID: programs.GID}, 0o750},
		{filepath.Join(l.work.share(), passfileName), programs, 0o600},
		{l.work.out(), programs, 0o700},
	} {
		err := errors.Join(os.Chown(own.path, own.UID, own.GID), os.Chmod(own.path, own.mode))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if l.degree == enclosure.Enclosed {
		return nil
	}
	return errors.Join(passable(filepath.Dir(l.work.Path())), os.Chmod(l.work.Path(), 0o711))
}

// passable makes sure that another account can come through to dir.
func passable(dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode()&0o001 == 0 {
			return fmt.Errorf("the server's account cannot enter %s (mode %v): set TMPDIR to a "+
				"directory that it can reach", dir, info.Mode().Perm())
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// inside is where those that run inside find a part of the work directory.
func (l *local) inside(name string) string {
	if l.degree == enclosure.Enclosed {
		return path.Join(insideRoot, name)
	}
	return filepath.Join(l.work.Path(), name)
}

// bind lends a part of the work directory to those inside.
func (l *local) bind(name string, writable bool) enclosure.Bind {
	return enclosure.Bind{Source: filepath.Join(l.work.Path(), name), Target: l.inside(name), Writable: writable}
}

// start starts the script that becomes the server.
func (l *local) start(o Options) error {
	m := newMeans(o, o.Memory, runtime.NumCPU())
	if m.memory == 0 {
		m.memory = DefaultMemory()
	}
	l.limits = enclosure.Limits{Memory: m.memory, Processes: maxProcesses, Files: maxFiles,
		Temporary: max(minShm, m.memory/4)}
	start := func(name string) string { return filepath.Join(l.inside(startName), name) }
	settings := m.settings(l.db.cluster, l.inside(runName))
	if l.degree < enclosure.Enclosed {
		// The server is killed, and what its sessions share would stay in the
		// machine's /dev/shm. This way it lies in the cluster, and goes with it.
		settings = append(settings, "-c", "dynamic_shared_memory_type=mmap")
	}
	c := l.besideServer(append([]string{"sh", start(scriptName), l.data(), l.inside(runName), start(passwordName),
		start(clusterName)}, settings...))
	c.Deadline = o.Deadline
	server, err := c.Start()
	if err != nil {
		return err
	}
	l.server = server
	go func() {
		end, _ := server.Wait() // it writes to nobody
		l.serverEnded(end)
	}()
	return nil
}

// serverEnded tells why the server is no more.
func (l *local) serverEnded(end enclosure.End) {
	switch end.Cause {
	case enclosure.AtDeadline:
		end.Code = timedOut
	case enclosure.Starved:
		l.ends(verdict.Errorf(verdict.CodeSandbox, moreMemory,
			"the sandbox was ended since all in it together held more than %d MB of memory", l.limits.Memory/mib))
	case enclosure.TooMany:
		l.ends(verdict.Errorf(verdict.CodeSandbox, "look at what the backup's own code starts",
			"the sandbox was ended since it had more than %d processes", l.limits.Processes))
	}
	l.died("status "+strconv.Itoa(end.Code), end.Code)
}

func (l *local) data() string { return filepath.Join(l.inside(localName), "data") }

// besideServer is a command that sees what the server does, and has its account.
func (l *local) besideServer(args []string) enclosure.Command {
	c := l.apart(args, l.inside(runName), l.bind(startName, false), l.bind(runName, true), l.bind(localName, true))
	if l.accounts != nil {
		c.Account = &l.accounts.server
	}
	return c
}

// amongPrograms is a command that sees what was shared, and of the server no
// more than its socket. It may write where it runs.
func (l *local) amongPrograms(args []string) enclosure.Command {
	c := l.apart(args, l.inside(outName), l.bind(shareName, false), l.bind(runName, false), l.bind(outName, true))
	c.Env = append(c.Env, programEnv(l.inside(runName), l.InsidePath(passfileName), l.db.options())...)
	if l.accounts != nil {
		c.Account = &l.accounts.programs
	}
	return c
}

// apart is a command that is set apart with a part of the work directory.
// Nothing of the caller's environment goes along: it may hold keys. And no home,
// where programs look for what to do at their start.
func (l *local) apart(args []string, dir string, lent ...enclosure.Bind) enclosure.Command {
	c := enclosure.Command{
		Args: args, Dir: dir, Degree: l.degree, Root: l.work.root(), Programs: l.bin.lent(), Binds: lent,
		Limits: l.limits,
		Env:    []string{"PATH=" + l.bin.dir + ":/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C"},
	}
	if l.accounts != nil {
		c.Keeper = &l.accounts.keeper
	}
	return c
}

// programEnv lets libpq programs find the server, and speak English.
func programEnv(socketDir, passfile, options string) []string {
	return []string{
		"PGHOST=" + socketDir, "PGPORT=5432", "PGUSER=" + superuser, "PGPASSFILE=" + passfile,
		"PGOPTIONS=" + options, "PGSSLMODE=disable", "LC_ALL=C",
	}
}

// launch starts a program.
func (l *local) launch(c Command) (*program, error) {
	command := l.amongPrograms(c.Args)
	if c.Beside {
		command = l.besideServer(c.Args)
	}
	stderr := &lineWriter{tell: c.Stderr}
	command.Stdout, command.Stderr, command.Deadline = c.Stdout, stderr, l.deadline
	running, err := command.Start()
	if err != nil {
		return nil, err
	}
	p := newProgram()
	p.kill = running.Kill
	go func() {
		end, err := running.Wait()
		stderr.close()
		p.status = err
		if end.Code != 0 {
			p.status = &ExitError{Program: c.Args[0], Code: end.Code}
		}
		close(p.ended)
	}()
	return p, nil
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

// Close ends the server at once, with all that runs beside it, and removes its
// cluster.
func (l *local) Close(ctx context.Context) error {
	if l == nil {
		return nil
	}
	l.beginClosing()
	if l.server != nil {
		l.server.Kill()
		select {
		case <-l.dead:
			<-l.server.Done()
		case <-ctx.Done():
			return fmt.Errorf("end the local sandbox: %w", context.Cause(ctx))
		}
	}
	if err := l.waitPrograms(ctx); err != nil {
		return err
	}
	if err := emptying.RemoveTree(ctx, l.work.local()); err != nil {
		return fmt.Errorf("remove the local sandbox: %w", err)
	}
	return nil
}
