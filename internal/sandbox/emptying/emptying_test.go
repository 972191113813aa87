package emptying

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRemoveTreeTells has more that stays than is told, by names that are long
// and would have a terminal do things: the errors are few short lines.
func TestRemoveTreeTells(t *testing.T) {
	t.Parallel()
	var s staying
	long := toldPath("/tmp/drill-0123456789ab/run/" + strings.Repeat("d/", 40_000) + "last")
	for _, name := range []string{long, toldPath("a\nb\x1b[2J\xff"), "c", "d", "e"} {
		s.add(name, &fs.PathError{Op: "unlinkat", Path: strings.Repeat("d/", 40_000), Err: syscall.EPERM})
	}
	err := s.err()
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != toldCauses+1 || lines[toldCauses] != "and 2 more" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%d lines: %v", len(lines), err)
	}
	if !strings.HasPrefix(lines[0], "/tmp/drill-0123456789ab/run/d/") || !strings.HasSuffix(lines[0], "/last: operation not permitted") ||
		len(lines[0]) > 2*toldName {
		t.Errorf("a long name is told as %q", lines[0])
	}
	if want := `"a\nb\x1b[2J\xff": operation not permitted`; lines[1] != want {
		t.Errorf("an odd name is told as %q", lines[1])
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	cancel(stopped)
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "d/d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := RemoveTree(ctx, dir); !errors.Is(err, stopped) {
		t.Errorf("told to stop, it says %v", err)
	}
}
