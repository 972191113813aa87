package drill

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"daybefore/internal/archive"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// unfilled is a run whose sandbox has the server's own database alone.
func unfilled(t *testing.T) *run {
	t.Helper()
	w, err := sandbox.NewWorkdir()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{box: boxState{work: w}, archive: &archive.Archive{Header: archive.Header{Database: "postgres"}}}
	t.Cleanup(func() {
		if err := r.box.close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	r.box.Box, err = sandbox.Start(t.Context(), sandbox.Options{Kind: sandbox.Local, Work: w, Deadline: time.Now().Add(10 * time.Minute)})
	if p, ok := errors.AsType[*verdict.Problem](err); ok && p.Code == verdict.CodeIsolation {
		testneed.Missing(t, "isolation for local sandboxes: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStandStill has another session hold a lock, and one write behind the
// moment that is held on to: the first is ended, and nobody reads what the
// second wrote.
func TestStandStill(t *testing.T) {
	t.Parallel()
	r := unfilled(t)
	other := func(sql string) *pgx.Conn {
		conn, err := r.connectUnder(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
		if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	other("create table public.t as select 1 as n")
	locking := other("begin; lock table public.t")
	moment, err := r.standStill(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer moment.close(t.Context())
	if err := locking.Ping(t.Context()); err == nil {
		t.Fatal("another session goes on")
	}
	other("insert into public.t values (2)")
	for name, connect := range map[string]func(context.Context) (*pgx.Conn, error){"to look": moment.connect, "to show": moment.connectToShow} {
		conn, err := connect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var rows int
		err = conn.QueryRow(t.Context(), "select count(*) from public.t").Scan(&rows)
		conn.Close(t.Context())
		if err != nil || rows != 1 {
			t.Errorf("%s: %d rows of that moment, %v", name, rows, err)
		}
	}
}
