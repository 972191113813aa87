package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// TestBox runs the same suite against every kind of sandbox.
func TestBox(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"container 17": {Kind: Container, Image: "postgres:17"},
		"container 18": {Kind: Container, Image: "postgres:18"},
		"container 15": {Kind: Container, Image: "postgres:15"},
		"tunnel":       {Kind: Container, Image: "postgres:17", Tunnel: true},
		"local":        {Kind: Local},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, o)
			t.Run("answers and shows who it is", func(t *testing.T) { testIdentity(t, b, o) })
			t.Run("runs programs", func(t *testing.T) { testRun(t, b) })
			t.Run("streams", func(t *testing.T) { testStream(t, b) })
			t.Run("a program's end is told", func(t *testing.T) { testStreamEnds(t, b) })
			t.Run("a canceled program ends", func(t *testing.T) { testCancel(t, b) })
			t.Run("shares files to be read only", func(t *testing.T) { testShare(t, b) })
			t.Run("tells its own sentences", func(t *testing.T) { testSentences(t, b) })
			t.Run("reaches no network", func(t *testing.T) { testNoNetwork(t, b) })
			t.Run("keeps the password to itself", func(t *testing.T) { testPassword(t, b) })
			t.Run("keeps what sessions say out of the log", func(t *testing.T) { testLog(t, b) })
			t.Run("does not let a database's settings in", func(t *testing.T) { testDatabaseSettings(t, b) })
			t.Run("is not disturbed by what a database sets", func(t *testing.T) { testBroughtSettings(t, b) })
			t.Run("meets no trigger at its beginning", func(t *testing.T) { testLoginTrigger(t, b) })
			t.Run("speaks one encoding with every database", func(t *testing.T) { testEncodings(t, b) })
			t.Run("closes with programs running, and again", func(t *testing.T) { testClose(t, b) })
		})
	}
}

func testIdentity(t *testing.T, b Box, o Options) {
	var major, fsync string
	query(t, b, "select current_setting('server_version_num')::int / 10000 || '', current_setting('fsync')", &major, &fsync)
	info := b.Info()
	if !strings.HasPrefix(info.ServerVersion, major+".") || fsync != "off" {
		t.Errorf("server %s with fsync %s, reported as %+v", major, fsync, info)
	}
	if info.Kind != o.Kind || info.Image != o.Image || info.Why == "" || info.Warning != "" {
		t.Errorf("info %+v", info)
	}

	foreign := *b.DB()
	foreign.cluster += "x"
	_, err := foreign.Connect(t.Context(), "postgres")
	if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Code != verdict.CodeSandbox {
		t.Errorf("another server than the one started was accepted: %v", err)
	}
	guess := *b.DB()
	guess.password = "x"
	if _, err := guess.Connect(t.Context(), "postgres"); err == nil {
		t.Error("another password was accepted")
	}
}

func query(t *testing.T, b Box, sql string, to ...any) {
	t.Helper()
	conn, err := b.DB().ConnectUnder(t.Context(), "postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if len(to) == 0 {
		_, err = conn.Exec(t.Context(), sql)
	} else {
		err = conn.QueryRow(t.Context(), sql).Scan(to...)
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func testRun(t *testing.T, b Box) {
	var out bytes.Buffer
	err := b.Run(t.Context(), Command{Args: []string{"psql", "-d", "postgres", "-Atc", "select current_user"}, Stdout: &out})
	if err != nil || out.String() != "postgres\n" {
		t.Errorf("psql wrote %q and ended with %v", out.String(), err)
	}

	var said []string
	err = b.Run(t.Context(), Command{Args: []string{"pg_restore", "-d", "postgres", "/nonexistent"},
		Stderr: func(line string) { said = append(said, line) }})
	if exit, ok := errors.AsType[*ExitError](err); !ok || exit.Code != 1 {
		t.Errorf("pg_restore ended with %v, want status 1", err)
	}
	if want := `pg_restore: error: could not open input file "/nonexistent": No such file or directory`; !slices.Equal(said, []string{want}) {
		t.Errorf("stderr %q, want one line: %s", said, want)
	}

	err = b.Run(t.Context(), Command{Args: []string{"sh", "-c", "exit 42"}})
	if exit, ok := errors.AsType[*ExitError](err); !ok || exit.Code != 42 {
		t.Errorf("got %v, want status 42", err)
	}
	if err := b.Run(t.Context(), Command{Args: []string{"nosuchprogram"}}); err == nil {
		t.Error("a program that is not there ran")
	}
}

func testStream(t *testing.T, b Box) {
	s, err := b.Stream(t.Context(), Command{Args: []string{"sh", "-c", "head -c 50000000 /dev/zero"}})
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, s)
	if n != 50_000_000 || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
	for range 2 {
		if err := errors.Join(s.Wait(), s.Close()); err != nil {
			t.Error(err)
		}
	}
	work := baseOf(b).work
	left, _ := filepath.Glob(filepath.Join(work.run(), "p*-*"))
	also, _ := filepath.Glob(filepath.Join(work.out(), "*"))
	left = append(left, also...)
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// testStreamEnds has writers that end badly, each of which must end the
// reader too and say how it ended.
func testStreamEnds(t *testing.T, b Box) {
	for _, tt := range []struct {
		name, script string
		bytes        int64
		code         int
	}{
		{"at once", "exit 3", 0, 3},
		{"in the middle", "head -c 100000 /dev/zero; exit 1", 100_000, 1},
		{"killed", "head -c 100000 /dev/zero; kill -9 $$", 100_000, 137},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := b.Stream(t.Context(), Command{Args: []string{"sh", "-c", tt.script}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if n, err := io.Copy(io.Discard, s); n != tt.bytes || err != nil {
				t.Errorf("read %d bytes, %v; want %d", n, err, tt.bytes)
			}
			if exit, ok := errors.AsType[*ExitError](s.Wait()); !ok || exit.Code != tt.code {
				t.Errorf("ended with %v, want status %d", s.Wait(), tt.code)
			}
		})
	}
	t.Run("not there", func(t *testing.T) {
		s, err := b.Stream(t.Context(), Command{Args: []string{"nosuchprogram"}})
		if err != nil {
			return // noticed at once
		}
		defer s.Close()
		if n, err := io.Copy(io.Discard, s); n != 0 || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		if s.Wait() == nil {
			t.Error("a program that is not there ended well")
		}
	})
}

// blocked writes one line and then nothing, with a child that would keep the
// pipe open.
var blocked = Command{Args: []string{"sh", "-c", "echo begin; sleep 600; echo end"}}

var errStop = errors.New("told to stop")

func testCancel(t *testing.T, b Box) {
	t.Run("by context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		s := begun(t, b, ctx)
		cancel(errStop)
		io.Copy(io.Discard, s)
		if err := s.Wait(); !errors.Is(err, errStop) {
			t.Errorf("ended with %v, want the reason of the cancellation", err)
		}
	})
	t.Run("by close", func(t *testing.T) {
		s := begun(t, b, t.Context())
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if s.Wait() == nil {
			t.Error("a killed program ended well")
		}
	})
	t.Run("a run", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := b.Run(ctx, Command{Args: []string{"sh", "-c", "echo >&2 begin; sleep 600"}, Stderr: func(string) { cancel(errStop) }})
		if !errors.Is(err, errStop) {
			t.Errorf("ended with %v, want the reason of the cancellation", err)
		}
	})
	var out bytes.Buffer
	if err := b.Run(t.Context(), Command{Args: []string{"sh", "-c", `for p in /proc/[0-9]*; do
		tr '\0' ' ' <$p/cmdline; done 2>/dev/null | grep -c "[s]leep 600"; true`}, Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	if b.Info().Kind == Container && strings.TrimSpace(out.String()) != "0" {
		t.Errorf("canceled programs still run: %s", out.String())
	}
}

// begun returns a stream whose program has written its first line.
func begun(t *testing.T, b Box, ctx context.Context) Stream {
	t.Helper()
	s, err := b.Stream(ctx, blocked)
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("begin\n"))
	if _, err := io.ReadFull(s, line); err != nil {
		t.Fatal(err)
	}
	return s
}

func testShare(t *testing.T, b Box) {
	if err := os.WriteFile(b.HostPath("list"), []byte("1; 2 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.Run(t.Context(), Command{Args: []string{"cat", b.InsidePath("list")}, Stdout: &out}); err != nil || out.String() != "1; 2 3\n" {
		t.Errorf("read %q, %v", out.String(), err)
	}
	// A link planted there would lead the harness's own writing anywhere.
	err := b.Run(t.Context(), Command{Args: []string{"ln", "-s", "/etc/passwd", b.InsidePath("planted")}})
	if _, ok := errors.AsType[*ExitError](err); !ok {
		t.Errorf("planting a link among the shared files: %v", err)
	}
}

// What the server and its programs say is read from their own files.
func testSentences(t *testing.T, b Box) {
	names := told.New(nil, b.Sentences())
	for said, want := range map[string]string{
		`relation "Anna" does not exist, skipping`:                      `relation … does not exist, skipping`,
		`constraint "Anna" of relation "Anna" does not exist, skipping`: `constraint … of relation … does not exist, skipping`, // the server
		`query has no destination for result data`:                      `query has no destination for result data`,            // PL/pgSQL
		`the server knows Anna`:                                         told.Withheld,
		`archive items not in correct section order`:                    `archive items not in correct section order`, // pg_restore
		`Anna Schmidt`:  told.Withheld,
		`Anna: Schmidt`: told.Withheld,
	} {
		if got := names.Sentence(said); got != want {
			t.Errorf("%q is told as %q, want %q", said, got, want)
		}
	}
}

// reach tries to connect to an address and says on its output whether it did.
func reach(address string) []string {
	host, port, _ := net.SplitHostPort(address)
	return []string{"bash", "-c", fmt.Sprintf("(exec 3<>/dev/tcp/%s/%s) 2>/dev/null && echo reached; true", host, port)}
}

func testNoNetwork(t *testing.T, b Box) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("the listener itself does not work: %v", err)
	}
	conn.Close()
	for _, argv := range [][]string{
		reach(l.Addr().String()),
		{"sh", "-c", "tail -n +3 /proc/net/dev | grep -v ' lo:'; tail -n +2 /proc/net/route; true"},
	} {
		var out bytes.Buffer
		if err := b.Run(t.Context(), Command{Args: argv, Stdout: &out}); err != nil || out.Len() > 0 {
			t.Errorf("a program reaches %q (%v)", out.String(), err)
		}
		// What the server runs is the backup's own code.
		var lines []string
		query(t, b, "create temp table said (line text); copy said from program $$"+argv[0]+" -c '"+
			strings.ReplaceAll(argv[2], "'", `'\''`)+"'$$; create table if not exists reached as table said")
		query(t, b, "select array_agg(line) from reached", &lines)
		if len(lines) > 0 {
			t.Errorf("the server reaches %q", lines)
		}
		query(t, b, "drop table reached")
	}
}

func testPassword(t *testing.T, b Box) {
	passwords := [][]byte{[]byte(b.DB().password), []byte(baseOf(b).first)}
	holdsOne := func(text []byte) bool {
		return slices.ContainsFunc(passwords, func(p []byte) bool { return bytes.Contains(text, p) })
	}
	if c, ok := b.(*containerBox); ok {
		found, err := c.engine.ContainerInspect(t.Context(), c.name, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if holdsOne(found.Raw) {
			t.Error("the engine knows a password")
		}
	}
	s := begun(t, b, t.Context())
	defer s.Close()
	marker := []byte(b.DB().cluster)
	seen := false
	for _, kind := range []string{"cmdline", "environ"} {
		files, _ := filepath.Glob("/proc/[0-9]*/" + kind)
		for _, file := range files {
			content, _ := os.ReadFile(file)
			seen = seen || bytes.Contains(content, marker)
			if holdsOne(content) {
				t.Errorf("%s holds a password", file)
			}
		}
	}
	if !seen {
		t.Error("the search saw not even the server")
	}
	if _, err := os.Stat(filepath.Join(baseOf(b).work.start(), passwordName)); !os.IsNotExist(err) {
		t.Errorf("the password's file is still there: %v", err)
	}
}

// testLog says a word in every way that could bring it into the server's log.
func testLog(t *testing.T, b Box) {
	const word = "verysecretvalue"
	query(t, b, `create table if not exists logged (n int check (n > 0), s text)`)
	for _, db := range []string{"template1", "postgres"} {
		for _, setting := range []string{"log_statement = 'all'", "log_min_messages = 'debug5'", "log_min_error_statement = 'debug5'",
			"log_min_duration_statement = 0", "log_error_verbosity = 'verbose'", "log_duration = on"} {
			query(t, b, "alter database "+db+" set "+setting)
		}
	}
	for _, sql := range []string{
		"select '" + word + "'::int", "insert into logged values (-1, '" + word + "')",
		"do $$begin raise log '" + word + "'; raise warning '" + word + "'; end$$",
	} {
		conn, err := b.DB().ConnectUnder(t.Context(), "postgres")
		if err != nil {
			t.Fatal(err)
		}
		conn.Exec(t.Context(), sql)
		conn.Close(t.Context())
		b.Run(t.Context(), Command{Args: []string{"psql", "-d", "postgres", "-c", sql}})
	}
	where := insideRun + "/" + logName
	var log strings.Builder
	if err := b.Run(t.Context(), Command{Args: []string{"cat", where}, Stdout: &log}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), word) {
		t.Errorf("the log quotes what a session said:\n%s", log.String())
	}
	if !strings.Contains(log.String(), "ready to accept connections") {
		t.Errorf("the log tells nothing of the server:\n%s", log.String())
	}
}

// testEncodings asks a database of another encoding, which also says that its
// sessions speak that.
func testEncodings(t *testing.T, b Box) {
	query(t, b, "create database latin encoding 'LATIN1' locale 'C' template template0")
	query(t, b, "alter database latin set client_encoding = 'LATIN1'")
	conn, err := b.DB().Connect(t.Context(), "latin")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var letter string
	var length int
	if err := conn.QueryRow(t.Context(), "select chr(246), length('ö')").Scan(&letter, &length); err != nil || letter != "ö" || length != 1 {
		t.Errorf("%q of %d letters, %v", letter, length, err)
	}
	query(t, b, "create database bytes encoding 'SQL_ASCII' locale 'C' template template0")
	raw, err := b.DB().Connect(t.Context(), "bytes")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close(t.Context())
	var odd []byte
	if err := raw.QueryRow(t.Context(), `select E'\xf6'`).Scan(&odd); err != nil || string(odd) != "\xf6" {
		t.Errorf("%q, %v", odd, err)
	}
}

// testDatabaseSettings has a database with settings that would keep any
// session out, or mislead it.
func testDatabaseSettings(t *testing.T, b Box) {
	query(t, b, "create database hostile")
	query(t, b, "alter database hostile set session_preload_libraries = 'nosuchlibrary'")
	query(t, b, "alter database hostile set local_preload_libraries = 'nosuchlibrary'")
	conn, err := b.DB().Connect(t.Context(), "hostile")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close(t.Context())
	if err := b.Run(t.Context(), Command{Args: []string{"psql", "-d", "hostile", "-c", "select 1"}}); err != nil {
		t.Error(err)
	}
	if _, err := b.DB().Connect(t.Context(), "name with ' and = and\nnewline"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a database of an odd name: %v", err)
	}
}

func testClose(t *testing.T, b Box) {
	var e *containerEngine
	var name string
	var volumes []string
	if c, ok := b.(*containerBox); ok {
		e = testEngine(t)
		name = c.name
		volumes = volumesOf(t, e, name)
	}
	s := begun(t, b, t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(t.Context(), Command{Args: []string{"sleep", "600"}}) }()
	for range 2 {
		closeBox(t, b)
	}
	io.Copy(io.Discard, s)
	for _, err := range []error{s.Wait(), <-ended} {
		if err == nil {
			t.Error("a program that was ended with its sandbox ended well")
		}
	}
	work := baseOf(b).work
	if pids := workingUnder(t, work.Path()); len(pids) > 0 {
		t.Errorf("processes left behind: %v", pids)
	}
	if _, err := os.Stat(work.local()); !os.IsNotExist(err) {
		t.Errorf("the cluster is still there: %v", err)
	}
	if e != nil {
		gone(t, e, name, volumes)
	}
	if err := b.Run(t.Context(), Command{Args: []string{"true"}}); err == nil {
		t.Error("a program ran in a closed sandbox")
	}
}

// TestServerDies kills the server under its programs.
func TestServerDies(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"container": {Kind: Container, Image: "postgres:17"},
		"tunnel":    {Kind: Container, Image: "postgres:17", Tunnel: true},
		"local":     {Kind: Local},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, o)
			s := begun(t, b, t.Context())
			defer s.Close()
			ran := make(chan error, 1)
			go func() { ran <- b.Run(t.Context(), Command{Args: []string{"sleep", "600"}}) }()
			if err := b.Run(t.Context(), Command{Args: []string{"psql", "-d", "postgres", "-c",
				`do $$begin execute 'copy (select) to program ''kill -9 $PPID; kill -9 $(head -1 postmaster.pid)'''; end$$`}}); err == nil {
				t.Error("psql did not notice that its server was killed")
			}
			io.Copy(io.Discard, s)
			for _, err := range []error{s.Wait(), <-ran} {
				p, ok := errors.AsType[*verdict.Problem](err)
				if !ok || p.Code != verdict.CodeSandbox || p.Outcome != verdict.Error {
					t.Errorf("ended with %v, want that the sandbox died", err)
				}
			}
			if _, err := b.DB().Connect(t.Context(), "postgres"); err == nil {
				t.Error("the dead answers")
			}
		})
	}
}

// TestDeadline lets time run out, once the sandbox has started: for how long
// that takes here, a start is measured.
func TestDeadline(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			o := Options{Kind: kind, Image: imageFor(kind)}
			begun := time.Now()
			measured := start(t, o)
			took := time.Since(begun)
			closeBox(t, measured)
			o.Deadline = time.Now().Add(10*time.Second + 4*took)
			b := start(t, o)
			var e *containerEngine
			var name string
			var volumes []string
			if c, ok := b.(*containerBox); ok {
				e = testEngine(t)
				name = c.name
				volumes = volumesOf(t, e, name)
			}
			err := b.Run(t.Context(), Command{Args: []string{"sleep", "600"}})
			if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Code != verdict.CodeTimeout {
				t.Errorf("ended with %v, want that time was up", err)
			}
			if e == nil {
				return
			}
			eventually(t, "the container takes itself away", func() bool {
				_, err := e.ContainerInspect(t.Context(), name, client.ContainerInspectOptions{})
				return errdefs.IsNotFound(err)
			})
			gone(t, e, name, volumes)
		})
	}
}
