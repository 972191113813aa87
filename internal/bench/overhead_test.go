package bench

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// overheadHome is home for the demo, with the binary.
func overheadHome(t *testing.T, kind string) (Options, string) {
	t.Helper()
	o, tmp := home(t, kind)
	o.Dir = filepath.Join("..", "..")
	o.Compile = func(_ context.Context, to string) error { return testneed.CopyDrill(o.Dir, to) }
	return o, tmp
}

// The demo is drilled and restored by hand, and every part of the table says
// something. How long it took is not judged here.
func TestOverhead(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		o, tmp := overheadHome(t, kind)
		o.Rounds = 2
		var out bytes.Buffer
		o.Stdout = &out
		if err := Overhead(t.Context(), o); err != nil && exitCode(err) != verdict.ExitFail {
			t.Fatal(err)
		}
		leftBehind(t, tmp)
		want := []string{"the drill / by hand", "its first use here", "the binary's start", "pg_restore", "counts", "stage expect: a part ended", "the process has ended"}
		if kind == sandbox.Container {
			want = append(want, "docker run", "engine: create", "engine: exec_die pg_restore list-", "engine: destroy")
		} else {
			want = append(want, "initdb", "stop and rm")
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("the table lacks %q:\n%s", w, &out)
			}
		}
	})
}

func TestOverheadInterrupted(t *testing.T) {
	t.Parallel()
	needLocal(t)
	o, tmp := overheadHome(t, sandbox.Local)
	o.Rounds = 9
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Stderr = writerFunc(func(p []byte) {
		if strings.Contains(string(p), "round 1 of") {
			time.AfterFunc(time.Second, cancel)
		}
	})
	if code := exitCode(Overhead(ctx, o)); code != verdict.ExitInterrupted {
		t.Errorf("exit code %d", code)
	}
	leftBehind(t, tmp)
}

// The usual way rewrites every value that the drill rewrites, or its time
// would be no comparison.
func TestUpdates(t *testing.T) {
	t.Parallel()
	needLocal(t)
	o, _ := home(t, sandbox.Local)
	o = o.withDefaults()
	w, err := sandbox.NewWorkdirIn(o.tmp)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	box, err := sandbox.Start(t.Context(), sandbox.Options{Kind: o.Kind, Work: w})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close(context.WithoutCancel(t.Context()))
	if err := fillDatabase(t.Context(), box, shop(smallest), &Dump{}); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if update := table.update("0123456789abcdef"); update != "" {
			if err := execute(t.Context(), box, databaseName, 1, "create table before_"+table.name+" as table "+table.name, update); err != nil {
				t.Fatal(err)
			}
		}
	}
	conn, err := box.DB().Connect(t.Context(), databaseName)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), "set search_path = public"); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		for _, c := range table.scrub {
			compare := fmt.Sprintf("select count(b.%[2]s), count(*) filter (where b.%[2]s = a.%[2]s) from before_%[1]s b join %[1]s a using (id)", table.name,
				c.column)
			var values, same int64
			err := conn.QueryRow(t.Context(), compare).Scan(&values, &same)
			// A date moves by one of 361 days, and so may stay.
			if err != nil || values == 0 || same > values/50 {
				t.Errorf("%s.%s: %d of %d values are as before (%v)", table.name, c.column, same, values, err)
			}
		}
	}
}
