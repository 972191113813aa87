package harness

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// What runs out of time, or is stopped, ends with all that it started, also
// with what does not heed: as long as anything runs, it holds the pipe open.
func TestNothingOutlivesItsLimit(t *testing.T) {
	t.Parallel()
	const hang = `sleep 600 & (trap '' TERM; echo up; while :; do sleep 600; done) & wait`
	stopped := errors.New("stopped")
	for name, c := range map[string]struct {
		limit time.Duration
		stop  bool
		says  string
	}{
		"limit":   {2 * time.Second, false, "not done within 2s"},
		"stopped": {time.Hour, true, "stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			up := make([]byte, len("up\n"))
			if c.stop {
				go func() {
					_, _ = io.ReadFull(r, up)
					cancel(stopped)
				}()
			}
			h := &Home{Dir: t.TempDir(), Stdout: w, Stderr: w}
			err = h.within(ctx, c.limit, nil, "sh", "-c", hang)
			w.Close()
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Error(err)
			}
		})
	}
}
