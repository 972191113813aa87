package harness_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
)

// TestScripts drives the compiled binary as a person or a CI job does. Each
// script begins in a folder with a copy of the demo under drills/, for the
// local sandbox, and must leave nothing behind.
//
//	drill CODE [ARG ...]            run the binary; it must end with CODE
//	stage DRILL STAGE OUTCOME CODE  look into the latest report
//	check DRILL ID OUTCOME          look into the latest report
//	edit FILE OLD NEW               replace text that must be there
//	cut FILE BYTES                  take so many bytes off a file's end
func TestScripts(t *testing.T) {
	t.Parallel()
	bin := binary(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			tmp, err := os.MkdirTemp(testneed.ShortTemp(), "h-")
			if err != nil {
				return err
			}
			if err := os.Chmod(tmp, 0o755); err != nil { // the local server is another account's
				return err
			}
			p := &place{t: env.T().(testing.TB), dir: env.WorkDir, tmp: tmp}
			env.Defer(func() {
				p.nothingLeft()
				p.sweep()
			})
			env.Setenv("TMPDIR", tmp)
			env.Setenv("BIN", bin)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(buildDir, "cache")) // one initdb for all scripts
			demo, err := filepath.Abs(filepath.Join(repository, "drills/demo/backups/shop-20260304T031500Z.dump"))
			if err != nil {
				return err
			}
			env.Setenv("DEMO", demo)
			for _, name := range []string{"DOCKER_HOST", "NO_COLOR"} {
				env.Setenv(name, os.Getenv(name))
			}
			return copyDemo(env.WorkDir, sandbox.Local)
		},
		Condition: func(cond string) (bool, error) {
			if cond == "docker" {
				if exec.Command("docker", "image", "inspect", "postgres:15").Run() == nil {
					return true, nil
				}
				testneed.Image(t, "postgres:15") // fails where nothing may be left out
				return false, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"drill": scriptDrill,
			"stage": scriptStage,
			"check": scriptCheck,
			"edit":  scriptEdit,
			"cut":   scriptCut,
		},
	})
}

func want(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", usage)
	}
}

func scriptDrill(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "drill CODE [ARG ...]")
	code := 0
	if err := ts.Exec(ts.Getenv("BIN"), args[1:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func scriptStage(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 4, "stage DRILL STAGE OUTCOME CODE")
	r, err := readLatest(ts.Getenv("WORK"), args[0])
	ts.Check(err)
	s := stageOf(r, args[1])
	if got := []string{s.Name, string(s.Outcome), string(s.Code)}; !slices.Equal(got, args[1:]) {
		ts.Fatalf("%q: %s, want %q", got, s.Message, args[1:])
	}
}

func scriptCheck(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "check DRILL ID OUTCOME")
	r, err := readLatest(ts.Getenv("WORK"), args[0])
	ts.Check(err)
	for _, c := range r.Checks {
		if c.ID == args[1] {
			if string(c.Outcome) != args[2] {
				ts.Fatalf("%s: %s, want %s: %s", c.ID, c.Outcome, args[2], c.Message)
			}
			return
		}
	}
	ts.Fatalf("the report has no check %s", args[1])
}

func scriptEdit(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "edit FILE OLD NEW")
	path := ts.MkAbs(args[0])
	text := ts.ReadFile(path)
	unquote := strings.NewReplacer(`\n`, "\n").Replace
	if !strings.Contains(text, unquote(args[1])) {
		ts.Fatalf("%s holds no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(text, unquote(args[1]), unquote(args[2]), 1)), 0o644))
}

func scriptCut(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "cut FILE BYTES")
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(filepath.FromSlash(args[0]))
	info, err := os.Stat(path)
	ts.Check(err)
	ts.Check(os.Truncate(path, info.Size()-n))
}
