package unpack

import (
	"errors"
	"os"
	"strings"
	"testing"

	"daybefore/internal/machine"
	"daybefore/internal/verdict"
)

func wantNoRoom(t *testing.T, err error, says string) {
	t.Helper()
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Outcome != verdict.Error || p.Code != verdict.CodeDiskSpace || p.Hint == "" || !strings.Contains(p.Error(), says) {
		t.Errorf("got %v, want an error about the disk saying %q", err, says)
	}
}

// TestNoRoom fills a real device that is always full.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	_, err = (&Spool{File: full, space: newSpace("backup", "/dev")}).Write([]byte("x"))
	wantNoRoom(t, err, "unpack backup")
}

// A disk is not filled to its last byte: others need it too.
func TestADiskIsNotFilled(t *testing.T) {
	t.Parallel()
	s, err := NewSpool("backup", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		free, total, written int64
		full                 bool
	}{
		{1 << 40, 1 << 41, lookEvery, false},
		{leaveFree, 1 << 40, lookEvery, false},
		{leaveFree - 1, 1 << 40, lookEvery, true},
		{leaveFree - 1, 1 << 40, lookEvery - 1, false}, // not looked at yet
		{1 << 20, 20 << 20, lookEvery, false},          // a small disk
		{1<<20 - 1, 20 << 20, lookEvery, true},
	} {
		s.written, s.looked = c.written-1, 0
		s.of = func(string) (machine.Space, error) { return machine.Space{Free: c.free, Size: c.total}, nil }
		if _, err := s.Write([]byte("x")); c.full {
			wantNoRoom(t, err, "MiB are left")
		} else if err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
