package machine

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// EndSignals are those that ask a process to end: Ctrl-C, SIGTERM, and the loss
// of the terminal, unless that is ignored, as under nohup.
func EndSignals() []os.Signal {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	return ends
}

// Interruptible returns a context that the first of EndSignals ends. Mage, which
// listens too and ends the process at a second Ctrl-C, hears of none.
func Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	signal.Reset(os.Interrupt)
	return signal.NotifyContext(ctx, EndSignals()...)
}
