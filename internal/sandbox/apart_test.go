package sandbox

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"daybefore/internal/testneed"
)

// asCode runs a script as a backup's own code does, in a function of the
// server's, and returns what it wrote.
func asCode(t *testing.T, b Box, script string) string {
	t.Helper()
	conn, err := b.DB().Connect(t.Context(), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var lines []string
	for _, sql := range []string{"create temp table said (at serial, line text)",
		"copy said (line) from program " + Literal("exec 2>&1; "+script+"\ntrue") + " with (delimiter E'\\x01')"} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", script, err)
		}
	}
	if err := conn.QueryRow(t.Context(), "select coalesce(array_agg(line order by at), '{}') from said").Scan(&lines); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// tried writes for each of many commands whether it went well, after what is
// common to them.
func tried(commands ...string) string {
	var script strings.Builder
	for _, c := range commands {
		fmt.Fprintf(&script, "if (%s) >/dev/null 2>&1; then echo 'yes: %s'; fi\n", c, strings.ReplaceAll(c, "'", `'\''`))
	}
	return script.String()
}

// TestContainersApart tries, as a backup's code in the server's container, what
// must not be possible there, and with each what shows that the try can succeed.
func TestContainersApart(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"container": {Kind: Container, Image: "postgres:17", Memory: gib},
		"tunnel":    {Kind: Container, Image: "postgres:17", Memory: gib, Tunnel: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, o)
			if err := os.WriteFile(b.HostPath("archive"), []byte("real values\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			err := b.Run(t.Context(), Command{Args: []string{"cat", b.InsidePath("archive")}, Stdout: &out})
			if err != nil || out.String() != "real values\n" {
				t.Fatalf("the programs read %q, %v", out.String(), err)
			}
			t.Run("possible", func(t *testing.T) { testPossible(t, b) })
			t.Run("impossible", func(t *testing.T) { testImpossible(t, b) })
			t.Run("no capability", func(t *testing.T) { testNoCapability(t, b) })
			t.Run("bounded", func(t *testing.T) { testBounded(t, b) })
			t.Run("the programs see only theirs", func(t *testing.T) { testPrograms(t, b) })
		})
	}
}

// testPossible: the tries themselves work.
func testPossible(t *testing.T, b Box) {
	commands := []string{"cat /daybefore/start/start.sh", "ls /daybefore/run", "touch $PGDATA/x", "touch /tmp/x",
		"kill -0 $$", "kill -0 $PPID",
		"echo >>/daybefore/run/log", "perl -e 'exit !kill 0, getppid'"}
	if said := asCode(t, b, tried(commands...)); strings.Count(said, "yes: ") != len(commands) {
		t.Errorf("of %d:\n%s", len(commands), said)
	}
}

func testImpossible(t *testing.T, b Box) {
	if said := asCode(t, b, tried(
		"ls /daybefore/share", "cat /daybefore/share/archive", "ls /daybefore/out", "ls /daybefore/spool", "ls /daybefore/local",
		"cat /daybefore/run/../share/archive",
		"cat /daybefore/start/password", "cat /tmp/daybefore-pgpass", "cat /daybefore/start/cluster.tar",
		"touch /daybefore/run/own", "mkdir /daybefore/run/own", "ln -s / /daybefore/run/own", "mkfifo /daybefore/run/own",
		"mv /daybefore/run/log /daybefore/run/log2",
		"rm -f /daybefore/run/log", "chmod 0777 /daybefore/run",
		"touch /daybefore/start/own", "echo >>/daybefore/start/start.sh", "chmod 0777 /daybefore/start", "touch /daybefore/own", "touch /own", "touch /etc/own",
		"touch /var/tmp/own",
		"touch /usr/local/bin/own", "touch /run/own", "touch /var/lib/postgresql/own", "touch /dev/own", "touch /sys/own", "echo 1 >/proc/sys/kernel/panic",
		"echo x >/proc/1/comm",
		"kill -0 1", "kill -STOP 1", "kill -KILL 1", "ls /proc/1/root/", "ls /proc/1/fd/", "cat /proc/1/environ", "readlink /proc/1/cwd",
		"find /proc/[0-9]*/root/ -maxdepth 2 -path '*daybefore/share' | grep .",
		"mount -t tmpfs none /tmp", "mount -o remount,rw /", "mount --bind / /tmp", "umount /daybefore/run", "unshare -r true", "unshare -m true",
		"unshare -n true", "chroot / true",
		"mknod /tmp/disk b 254 0", "mknod /tmp/null c 1 3", "su -c true", "setpriv --reuid 0 true", "chown 0 /tmp/x", "chmod u+s /bin/sh",
		`perl -e 'use Socket; socket(S, AF_INET, SOCK_RAW, 1) or exit 1'`, `perl -e 'use Socket; socket(S, 17, SOCK_RAW, 768) or exit 1'`,
		`perl -e 'syscall(101, 16, 1, 0, 0) == 0 or exit 1'`, // ptrace(PTRACE_ATTACH, 1)
		"ls /var/run/docker.sock", "ls /run/docker.sock", "grep -q . /proc/net/unix && grep -E '@|docker|containerd' /proc/net/unix",
	)); said != "" {
		t.Errorf("possible:\n%s", said)
	}
	if _, err := os.Lstat(filepath.Join(baseOf(b).work.share(), "archive")); err != nil {
		t.Error(err)
	}
}

// testNoCapability: neither the server nor what it starts has any, nor can any
// be had by starting a program.
func testNoCapability(t *testing.T, b Box) {
	for _, of := range []string{"self", "$(head -1 $PGDATA/postmaster.pid)", "1"} {
		said := asCode(t, b, "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid)' /proc/"+of+"/status | tr -s '\t ' '  '")
		for _, want := range []string{"CapInh: 0000000000000000", "CapPrm: 0000000000000000", "CapEff: 0000000000000000", "CapBnd: 0000000000000000",
			"CapAmb: 0000000000000000", "NoNewPrivs: 1", "Seccomp: 2"} {
			if !strings.Contains(said, want) {
				t.Errorf("/proc/%s/status says not %q:\n%s", of, want, said)
			}
		}
		if strings.Contains(said, "Uid: 0 ") {
			t.Errorf("/proc/%s/status: root", of)
		}
	}
}

// testBounded: what can be filled in memory has an end of its own.
func testBounded(t *testing.T, b Box) {
	said := asCode(t, b, `for d in /tmp /dev/shm; do dd if=/dev/zero of=$d/fill bs=1M count=2000 2>&1 | grep -c 'No space left'; rm -f $d/fill; done; `+
		`ulimit -c; df -Pk / | tail -1 | grep -c '%'; grep ' / ' /proc/mounts | cut -d' ' -f4 | cut -d, -f1`)
	if want := "1\n1\n0\n1\nro"; said != want {
		t.Errorf("%q, want %q", said, want)
	}
	c := b.(*containerBox)
	var memory int64
	for _, name := range []string{c.name, c.programsName()} {
		found, err := c.engine.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		r := found.Container.HostConfig.Resources
		memory += r.Memory
		if r.MemorySwap != r.Memory || r.PidsLimit == nil || *r.PidsLimit != maxProcesses {
			t.Errorf("%s: memory %d, with swap %d, processes %v", name, r.Memory, r.MemorySwap, r.PidsLimit)
		}
	}
	if memory != gib {
		t.Errorf("both may take %d bytes", memory)
	}
}

// testPrograms: what runs among the programs has no way to the server but its
// socket, and a password that only they can read.
func testPrograms(t *testing.T, b Box) {
	var out strings.Builder
	script := tried("ls /daybefore/start", "touch /daybefore/run/own", "echo >>/daybefore/run/log", "touch /daybefore/share/own", "touch /etc/own",
		"ls /daybefore/data",
		"pgrep postgres", "kill -0 1") + `stat -c %a $PGPASSFILE; psql -d postgres -Atc 'select 1'; env | grep -c "$(cut -d: -f5 $PGPASSFILE)"; true`
	if err := b.Run(t.Context(), Command{Args: []string{"sh", "-c", script}, Stdout: &out}); err != nil {
		t.Error(err)
	}
	if want := "600\n1\n0\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// TestImageWithoutVolume starts a server from an image that has no volume for its
// data, whose own folders are read only.
func TestImageWithoutVolume(t *testing.T) {
	t.Parallel()
	testneed.Image(t, "postgres:17")
	e, err := connectEngine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := startFound(t.Context(), Options{Work: workdir(t), Deadline: time.Now().Add(testLife)}.withDefaults(), e,
		dbImage{ref: "postgres:17", data: "/srv/nowhere/data"})
	if err != nil {
		t.Fatal(err)
	}
	defer closeBox(t, b)
	if dir := asCode(t, b, "pwd"); dir != insideData+"/data" {
		t.Errorf("the data lie in %s", dir)
	}
}

// TestDeadlineHolds stops whatever a backup's code can see, and kills the drill:
// the sandbox ends at its deadline all the same, with nobody there to end it.
func TestDeadlineHolds(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Container, Image: imageFor(Container)})
	tmp := shortTemp(t)
	cmd := helper(t, "freeze", tmp)
	out, err := cmd.Output()
	if err == nil || !strings.Contains(string(out), "frozen ") {
		t.Fatalf("the helper was to be killed: %v\n%s", err, out)
	}
	_, name, _ := strings.Cut(strings.TrimSpace(string(out)), "frozen ")
	e := testEngine(t)
	found, err := e.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
	if err != nil || !found.Container.State.Running {
		t.Fatalf("the container ended before its deadline: %v", err)
	}
	deadline, err := time.Parse(time.RFC3339, found.Container.Config.Labels[labelDeadline])
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(deadline))
	for _, name := range []string{name, name + "-programs"} {
		eventually(t, name+" ends at its deadline", func() bool {
			_, err := e.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
			return errdefs.IsNotFound(err)
		})
	}
}

// freezeAndDie starts a sandbox that has little time left, stops all that its
// server can, itself last, and kills this process.
func freezeAndDie() error {
	w, err := NewWorkdir()
	if err != nil {
		return err
	}
	begun := time.Now()
	first, err := Start(context.Background(), Options{Kind: Container, Image: imageFor(Container), Work: w, Deadline: begun.Add(testLife)})
	if err != nil {
		return err
	}
	took := time.Since(begun)
	if err := first.Close(context.Background()); err != nil {
		return err
	}
	w, err = NewWorkdir()
	if err != nil {
		return err
	}
	b, err := Start(context.Background(), Options{Kind: Container, Image: imageFor(Container), Work: w, Deadline: time.Now().Add(5*time.Second + 3*took)})
	if err != nil {
		return err
	}
	const freeze = `cd /proc; for p in [0-9]*; do [ $p = $$ ] || kill -STOP $p; done 2>/dev/null; echo frozen >>/daybefore/run/log; kill -STOP $$`
	ended := make(chan error, 1)
	go func() {
		ended <- b.Run(context.Background(), Command{Args: []string{"psql", "-d", "postgres", "-c", "copy (select) to program " + Literal(freeze)}})
	}()
	for frozen := false; !frozen; {
		select {
		case err := <-ended:
			return fmt.Errorf("it was not frozen: %w", err)
		case <-time.After(execPoll):
		}
		log, err := os.ReadFile(filepath.Join(w.run(), logName))
		if err != nil {
			return err
		}
		frozen = strings.Contains(string(log), "frozen\n")
	}
	fmt.Println("frozen", b.(*containerBox).name)
	me, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	return me.Kill()
}
