package machine

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestSpaceOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := SpaceOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Free <= 0 || s.Size < s.Free || s.Files < 0 || s.Most < s.Files {
		t.Errorf("the space of a folder is %+v", s)
	}
	if _, err := SpaceOf(filepath.Join(dir, "gone")); err == nil {
		t.Error("a folder that is not there has space")
	}
}

func TestInterruptible(t *testing.T) {
	for _, s := range EndSignals() {
		ctx, stop := Interruptible(t.Context())
		if err := syscall.Kill(syscall.Getpid(), s.(syscall.Signal)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
			t.Errorf("%v does not end the context", s)
		}
		stop()
	}
}
