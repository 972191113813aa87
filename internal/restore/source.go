package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"daybefore/internal/archive"
	"daybefore/internal/restore/stream"
	"daybefore/internal/sandbox"
	"daybefore/internal/sqltext"
	"daybefore/internal/verdict"
)

// source brings the rows of a worker's tables, one table after the other.
type source interface {
	// rows stands the stream at the rows of t, which is the worker's next.
	rows(t *tableLoad) (*stream.Dump, error)
	// end makes sure that there is nothing more.
	end() error
	// wait says how whatever wrote the rows ended, and complaint what it said
	// was wrong, if it did; close ends it now.
	wait() error
	complaint() (string, bool)
	close()
}

// open starts what brings the rows of tables; said hears what it says.
func (s *Session) open(ctx context.Context, list string, tables []*tableLoad, said *messages) (source, error) {
	if s.archive.Format == archive.Plain {
		return &scriptRows{archive: s.archive, dump: stream.New(nil)}, nil
	}
	var entries []archive.Entry
	for _, t := range tables {
		entries = append(entries, t.entry)
	}
	inside, err := s.writeList(list, entries)
	if err != nil {
		return nil, err
	}
	heard := said.listener(1, entries...)
	out, err := s.box.Stream(ctx, sandbox.Command{
		Args:   []string{"pg_restore", "-f", "-", "-L", inside, s.fileOf(entries)},
		Stderr: s.inUTF8(heard.line),
	})
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox, "run the drill again",
			"start pg_restore in the sandbox: %w", err)
	}
	if entries[0].Inserts() { // then all are: pg_dump writes the one or the other
		return &insertRows{
			runningProgram: runningProgram{out, heard}, dump: stream.New(nil),
			statements: s.archive.InsertReader(endsWell{out}, ""),
		}, nil
	}
	return &copyRows{runningProgram: runningProgram{out, heard}, dump: stream.New(out)}, nil
}

// runningProgram is the pg_restore that writes the rows.
type runningProgram struct {
	sandbox.Stream
	heard *listener
}

func (p runningProgram) wait() error               { return p.Wait() }
func (p runningProgram) complaint() (string, bool) { return p.heard.failed() }
func (p runningProgram) close()                    { _ = p.Close() }

// copyRows are rows that pg_restore writes as COPY text.
type copyRows struct {
	runningProgram
	dump *stream.Dump
}

func (c *copyRows) rows(t *tableLoad) (*stream.Dump, error) {
	return c.dump, c.dump.Next(t.entry.CopyStmt)
}
func (c *copyRows) end() error { return c.dump.End() }

// insertRows are rows that pg_restore writes as INSERT statements. These have
// no end marker: a table is complete once the next one's begin, or once
// pg_restore has ended well.
type insertRows struct {
	runningProgram
	dump       *stream.Dump
	statements *sqltext.InsertReader
	next       *sqltext.InsertTarget // read, and not yet asked for
	over       bool
}

func (i *insertRows) rows(t *tableLoad) (*stream.Dump, error) {
	if err := i.look(); err != nil {
		return nil, err
	}
	if i.next == nil || !t.isTarget(*i.next) {
		return i.dump.Reset(strings.NewReader(stream.EndMarker)), nil // none of this table; end tells what is left over
	}
	target := *i.next
	i.next = nil
	return i.dump.Reset(i.statements), fits(target, t)
}

// look finds out which table's statements come next.
func (i *insertRows) look() error {
	if i.next != nil || i.over {
		return nil
	}
	target, err := i.statements.Next()
	if err == io.EOF {
		i.over = true
		return nil
	}
	i.next = &target
	return err
}

func (i *insertRows) end() error {
	if err := i.look(); err != nil {
		return err
	}
	if !i.over {
		return verdict.Errorf(verdict.CodeUnsupported,
			"take the backup without --inserts, or without --load-via-partition-root",
			"INSERT statements for %s.%s stand among another table's rows", i.next.Schema, i.next.Table)
	}
	return nil
}

// isTarget reports whether INSERT statements are those of a table: they name it,
// or the root of its partition tree.
func (t *tableLoad) isTarget(target sqltext.InsertTarget) bool {
	into := tableName{target.Schema, target.Table}
	return into == t.tableName || into == t.root
}

// fits compares the columns of INSERT statements with the restored table's,
// and lets the rows go to where the statements send them.
func fits(target sqltext.InsertTarget, t *tableLoad) error {
	into := tableName{target.Schema, target.Table}
	t.copy = t.copyStatement(into)
	if t.rerouted {
		t.copy = t.copyStatement(t.root)
	}
	columns := target.Columns
	if columns == nil && t.root == into && !slices.Equal(t.rootColumns, t.columns) {
		return verdict.Errorf(verdict.CodeUnsupported, "take the backup with --column-inserts or without --inserts",
			"the INSERT statements for %s go to its root, whose columns stand in another order", t.display())
	}
	if columns == nil {
		if stored := target.Width - len(target.Defaults); stored != len(t.columns) {
			return fmt.Errorf("the INSERT statements give %d values where the restored table %s has %d columns", stored,
				t.display(), len(t.columns))
		}
		return nil
	}
	for _, d := range slices.Backward(target.Defaults) {
		columns = slices.Delete(slices.Clone(columns), d, d+1)
	}
	if !slices.Equal(columns, t.columns) {
		return fmt.Errorf("the INSERT statements name other columns than the restored table %s has", t.display())
	}
	return nil
}

// endsWell reads a program's output, whose end counts only if the program
// ended well.
type endsWell struct{ sandbox.Stream }

func (e endsWell) Read(p []byte) (int, error) {
	n, err := e.Stream.Read(p)
	if err == io.EOF {
		if exit := e.Wait(); exit != nil {
			return n, fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, exit)
		}
	}
	return n, err
}

// scriptRows are the rows of a plain dump, read where they lie in the file:
// archive.Open has found the beginning and the end of each table's.
type scriptRows struct {
	archive *archive.Archive
	dump    *stream.Dump
	current io.Closer
}

func (r *scriptRows) rows(t *tableLoad) (*stream.Dump, error) {
	r.close()
	rows, err := r.archive.Rows(t.entry)
	if err != nil {
		return nil, err
	}
	r.current = rows
	if !t.entry.Inserts() {
		return r.dump.Reset(rows), nil
	}
	statements := r.archive.InsertReader(rows, t.entry.Namespace)
	target, err := statements.Next()
	switch {
	case err == io.EOF:
		return r.dump.Reset(strings.NewReader(stream.EndMarker)), nil
	case err != nil:
		return nil, err
	case !t.isTarget(target):
		return nil, errors.New("the INSERT statements name another table")
	}
	return r.dump.Reset(statements), fits(target, t)
}

func (r *scriptRows) end() error                { return nil }
func (r *scriptRows) wait() error               { return nil }
func (r *scriptRows) complaint() (string, bool) { return "", false }

func (r *scriptRows) close() {
	if r.current != nil {
		_ = r.current.Close()
		r.current = nil
	}
}
