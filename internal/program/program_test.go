package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

func shell(script string, args ...string) Command {
	return Command{Args: append([]string{"/bin/sh", "-c", script, "sh"}, args...)}
}

// output runs a command to its end and gives what it wrote before that.
func output(t *testing.T, c Command) (string, error) {
	t.Helper()
	r, err := Start(t.Context(), c)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	return string(b), err
}

func TestArgumentsAreNoShellText(t *testing.T) {
	t.Parallel()
	want := "a b; $(id) `id` *\n-"
	got, err := output(t, Command{Args: []string{"printf", "%s", want}})
	if err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStandardInputReachesTheProgram(t *testing.T) {
	t.Parallel()
	in := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	c := Command{Args: []string{"cat"}, Stdin: iotest.HalfReader(bytes.NewReader(in))}
	got, err := output(t, c)
	if err != nil || got != string(in) {
		t.Errorf("%d of %d bytes came through: %v", len(got), len(in), err)
	}
	got, err = output(t, Command{Args: []string{"cat"}})
	if err != nil || got != "" {
		t.Errorf("without an input cat wrote %q: %v", got, err)
	}
}

// Each way to end badly, and that it is never taken for the end of the output.
func TestFailures(t *testing.T) {
	t.Parallel()
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		command Command
		kind    Kind
		says    string
	}{
		"missing":           {Command{Args: []string{"no-such-program"}}, Missing, "no-such-program cannot be run: executable file not found"},
		"missing path":      {Command{Args: []string{"/no/such/program"}}, Missing, "no such file"},
		"no program":        {Command{Args: []string{plain}}, Missing, "permission denied"},
		"a status":          {shell("echo half; echo 'no more' >&2; exit 3"), Ended, "ended with status 3; its last words: no more"},
		"a signal":          {shell("echo half; kill -KILL $$"), Ended, `ended by the signal "killed"`},
		"closes and lives":  {Command{Args: shell("exec >&-; exec sleep 1000").Args, Idle: time.Millisecond}, Stalled, "neither wrote nor read"},
		"silent":            {Command{Args: []string{"sleep", "1000"}, Idle: time.Millisecond}, Stalled, "neither wrote nor read"},
		"heeds no signal":   {Command{Args: shell("trap '' TERM; while :; do sleep 1000; done").Args, Idle: time.Millisecond}, Stalled, "neither"},
		"leaves a writer":   {Command{Args: shell("sleep 1000 & exit 0").Args, Idle: 50 * time.Millisecond}, Stalled, "neither"},
		"flood, then dies":  {shell("yes flood | head -c 3000000 >&2; echo end >&2; exit 9"), Ended, "flood | end"},
		"bars and colours":  {shell(`printf '10%%\r20%%\r\033[31mred\033[0m\n\007\n' >&2; exit 1`), Ended, "its last words: red"},
		"endless line":      {shell("head -c 300000 /dev/zero | tr '\\0' x >&2; exit 1"), Ended, "its last words"},
		"credentials":       {shell("echo failed: sftp://me:hunter2@host/x >&2; exit 1"), Ended, "sftp://***@host/x"},
		"a signed URL":      {shell("echo 'GET HTTPS://host/x?se=1&sig=hunter2: 403' >&2; exit 1"), Ended, "HTTPS://host/x?*** 403"},
		"ends by our Ctrl-": {shell("kill -INT $$; sleep 1000"), Ended, "interrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := output(t, tc.command)
			f, ok := errors.AsType[*Failure](err)
			if !ok || f.Kind != tc.kind || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %s: %s", err, tc.kind, tc.says)
			}
			if len(f.Error()) > 2500 || strings.ContainsAny(f.Error(), "\x1b\a\r\n") {
				t.Errorf("unfit for a line: %q", f.Error())
			}
		})
	}
}

func TestAnEndIsToldEachTimeAnew(t *testing.T) {
	t.Parallel()
	r, err := Start(t.Context(), shell("exit 4"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for range 3 {
		if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF {
			t.Fatalf("got %v", err)
		}
	}
}

// The error of the input is the reason, not what the program made of its end.
func TestABrokenInputOutranksTheProgram(t *testing.T) {
	t.Parallel()
	broken := errors.New("the download broke off")
	c := Command{Args: []string{"cat"}, Stdin: io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))}
	if _, err := output(t, c); err != broken {
		t.Errorf("got %v", err)
	}
}

func TestAProgramThatReadsNoMoreIsJudgedByItsStatus(t *testing.T) {
	t.Parallel()
	c := Command{Args: []string{"head", "-c", "3"}, Stdin: bytes.NewReader(make([]byte, 8<<20))}
	got, err := output(t, c)
	if err != nil || len(got) != 3 {
		t.Errorf("got %q, %v", got, err)
	}
}

// One that reads on is not idle, however long it writes nothing.
func TestReadingIsNoSilence(t *testing.T) {
	t.Parallel()
	in, write := io.Pipe()
	go func() {
		for range 40 {
			_, _ = write.Write([]byte("x"))
			time.Sleep(20 * time.Millisecond)
		}
		write.Close()
	}()
	got, err := output(t, Command{Args: []string{"sh", "-c", "cat >/dev/null; echo done"}, Stdin: in, Idle: 300 * time.Millisecond})
	if err != nil || got != "done\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestTheEnvironmentIsWhatIsNamed(t *testing.T) {
	t.Setenv("DRILL_GIVEN", "given")
	t.Setenv("DRILL_KEPT", "kept")
	c := Command{Args: []string{"env"}, Env: []string{"DRILL_GIVEN"}, Set: []string{"DRILL_SET=set"}}
	got, err := output(t, c)
	if err != nil {
		t.Fatal(err)
	}
	for want, is := range map[string]bool{"DRILL_GIVEN=given\n": true, "DRILL_SET=set\n": true, "PATH=": true, "DRILL_KEPT": false} {
		if strings.Contains(got, want) != is {
			t.Errorf("%q in the environment: %v\n%s", want, !is, got)
		}
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	t.Setenv("DRILL_SECRET", "first line\nsecond line")
	c := shell(`echo "cannot use $DRILL_SECRET or $OTHER" >&2; exit 1`)
	c.Env = []string{"DRILL_SECRET"}
	c.Set = []string{"OTHER=hunter2hunter2"}
	_, err := output(t, c)
	for _, secret := range []string{"first line", "second line", "hunter2"} {
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%q in: %v", secret, err)
		}
	}
}

// alive reports whether a process runs; one that ended and was not waited for
// by its new parent does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true // no Linux
	}
	rest := stat[bytes.LastIndexByte(stat, ')')+1:]
	return len(rest) > 1 && rest[1] != 'Z'
}

// What a program started ends with it, however it is ended.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*testing.T, *Running, context.CancelCauseFunc){
		"closed": func(t *testing.T, r *Running, _ context.CancelCauseFunc) {},
		"context": func(t *testing.T, r *Running, cancel context.CancelCauseFunc) {
			reason := errors.New("enough")
			cancel(reason)
			if _, err := io.ReadAll(r); !errors.Is(err, reason) {
				t.Errorf("got %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			r, err := Start(ctx, shell("trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $!; echo $$; wait"))
			if err != nil {
				t.Fatal(err)
			}
			var child, leader int
			if _, err := fmt.Fscan(r, &child, &leader); err != nil {
				t.Fatal(err)
			}
			end(t, r, cancel)
			r.Close()
			for _, pid := range []int{child, leader} {
				for range 100 { // the child's end is the kernel's to tell
					if !alive(pid) {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				if alive(pid) {
					t.Errorf("process %d lives on", pid)
				}
			}
		})
	}
}

func TestOutputIsBounded(t *testing.T) {
	t.Parallel()
	if _, err := Output(t.Context(), Command{Args: []string{"yes"}}, 1000); !errors.Is(err, ErrTooMuch) {
		t.Errorf("got %v", err)
	}
	b, err := Output(t.Context(), Command{Args: []string{"printf", "1234"}}, 4)
	if err != nil || string(b) != "1234" {
		t.Errorf("got %q, %v", b, err)
	}
}
