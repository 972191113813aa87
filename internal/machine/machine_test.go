package machine

import (
	"errors"
	"path/filepath"
	"sync/atomic"
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

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	unlock, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	var held atomic.Bool
	held.Store(true)
	got := make(chan error, 1)
	go func() {
		again, err := Lock(path)
		if err == nil {
			defer again()
			if held.Load() {
				err = errors.New("two hold one lock")
			}
		}
		got <- err
	}()
	time.Sleep(50 * time.Millisecond)
	held.Store(false)
	unlock()
	if err := <-got; err != nil {
		t.Error(err)
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
