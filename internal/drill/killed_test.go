package drill

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// killing is a sandbox of which somebody ends a part when the drill uses it for
// the nth time: just before, or while it does.
type killing struct {
	sandbox.Box
	used *atomic.Int64
	at   int64
	what string
	late bool
}

func (k killing) DB() *sandbox.DB {
	k.use()
	return k.Box.DB()
}

func (k killing) Run(ctx context.Context, c sandbox.Command) error {
	k.use()
	return k.Box.Run(ctx, c)
}

func (k killing) Stream(ctx context.Context, c sandbox.Command) (sandbox.Stream, error) {
	k.use()
	return k.Box.Stream(ctx, c)
}

func (k killing) use() {
	n := k.used.Add(1)
	switch {
	case n != k.at:
	case k.late:
		go k.kill()
	default:
		k.kill()
	}
}

// murders are shell commands that a session runs: P is the postmaster, and
// $PPID the session.
var murders = map[string]string{
	"postmaster": `kill -9 "$P"`,
	"smart":      `kill -TERM "$P"`,
	"immediate":  `kill -QUIT "$P"`,
	// A session if there is one, else the process that every server has.
	"backend": `for s in '*postgres: *daybefore*' '*postgres: postgres *' '*postgres: checkpointer*'; do
		for d in /proc/[0-9]*; do
			case $(tr '\0' ' ' <"$d/cmdline" 2>/dev/null) in $s)
				[ "$(sed -n 's/^PPid:\s*//p' "$d/status")" = "$P" ] && [ "${d#/proc/}" != $PPID ] && kill -9 "${d#/proc/}" && exit;;
			esac
		done
	done`,
}

func (k killing) kill() {
	ctx := context.Background()
	conn, err := k.Box.DB().Connect(ctx, "template1")
	if err != nil {
		return // it has ended already
	}
	defer conn.Close(ctx)
	const find = `P=$(head -n 1 postmaster.pid) || exit 3; `
	// That it was ended too is no error of it.
	_, _ = conn.Exec(ctx, "copy (select) to program '"+strings.ReplaceAll(find+murders[k.what], "'", "''")+"'")
}

// killed drills the demo and ends a part of its sandbox. It returns how often
// the drill used it.
func killed(t *testing.T, kind, what string, at int64, late bool) (*verdict.Report, int64) {
	t.Helper()
	d, err := spec.Load("../../drills/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d.Sandbox.Kind = kind
	var used atomic.Int64
	req := Request{Drill: d, Run: "test", Now: time.Now(), Version: "test", Clusters: testneed.Clusters()}
	r := perform(t.Context(), req, func(r *run, ctx context.Context) error {
		for _, step := range []func(context.Context) error{r.choose, r.fetchAndStart} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		r.box.Box = killing{Box: r.box.Box, used: &used, at: at, what: what, late: late}
		if err := r.restore(ctx); err != nil {
			return err
		}
		return r.expect(ctx)
	})
	return r, used.Load()
}

// TestAKilledServer ends the server, or one of its processes, at every stage:
// nothing is known of the backup then, the report says that the sandbox is why,
// and nothing is left.
func TestAKilledServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, what string
		at         int64 // of about 27
		late       bool
	}{
		{sandbox.Local, "postmaster", 2, false}, // the roles and the database
		{sandbox.Local, "backend", 5, true},     // the schema
		{sandbox.Local, "immediate", 9, false},  // the rows
		{sandbox.Local, "backend", 14, false},   // counting
		{sandbox.Local, "postmaster", 19, true}, // what no filter saw
		{sandbox.Local, "smart", 22, false},     // the checks
		{sandbox.Local, "postmaster", 25, false},
		{sandbox.Container, "backend", 9, false},
	} {
		t.Run(fmt.Sprintf("%s %s %d", c.kind, c.what, c.at), func(t *testing.T) {
			t.Parallel()
			if c.kind == sandbox.Container {
				testneed.Image(t, "postgres:15")
			}
			r, used := killed(t, c.kind, c.what, c.at, c.late)
			if used < c.at {
				t.Fatalf("the drill ended before its sandbox was used %d times: %d", c.at, used)
			}
			first := slices.IndexFunc(r.Stages, func(s verdict.Stage) bool { return s.Outcome == verdict.Error })
			if r.Outcome != verdict.Error || r.Stages[first].Code != verdict.CodeSandbox ||
				!strings.Contains(r.Stages[first].Message, "the sandbox's server ended by itself") {
				t.Errorf("%s: %+v", r.Outcome, r.Stages)
			}
			for _, c := range r.Checks {
				if c.Code == verdict.CodeRuleUnmet {
					t.Errorf("told of rows that the end of the server kept away: %+v", c)
				}
			}
		})
	}
}
