package sandbox

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"time"

	"github.com/moby/moby/client"
)

// starved reports whether the kernel ended a process for want of memory since
// the sandbox began: one of the container's, or, for a local server, which has
// no account of its own with the kernel, any of this machine's.
func (b *base) starved() bool { return b.oomKilled != nil && b.oomKilled() }

// oomKills is how many processes the kernel of this machine has ended for want
// of memory; 0 where it does not say.
func oomKills() int64 {
	counters, _ := os.ReadFile("/proc/vmstat")
	for line := range bytes.Lines(counters) {
		if count, ok := bytes.CutPrefix(line, []byte("oom_kill ")); ok {
			n, _ := strconv.ParseInt(string(bytes.TrimSpace(count)), 10, 64)
			return n
		}
	}
	return 0
}

// sinceNow counts from now on.
func sinceNow() func() bool {
	before := oomKills()
	return func() bool { return oomKills() > before }
}

// oomKilled asks the engine, which keeps its last events, whether one was that
// the container had too little memory. The container itself may be gone.
func (c *containerBox) oomKilled() bool {
	found, err := await(c.life, c.engine, signalTimeout, "tell of a container's memory",
		func(ctx context.Context) (bool, error) {
			events := c.engine.Events(ctx, client.EventsListOptions{
				Since: strconv.FormatInt(c.begun.Unix(), 10), Until: strconv.FormatInt(time.Now().Unix()+1, 10),
				Filters: client.Filters{}.Add("container", c.name).Add("event", "oom"),
			})
			select {
			case <-events.Messages:
				return true, nil
			case <-events.Err:
				return false, nil
			}
		}, nil)
	return err == nil && found
}
