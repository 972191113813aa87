package machine

import (
	"context"
	"time"
)

// Lingering returns a context that ends a while after ctx does, with its cause.
func Lingering(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-later.Done():
		case <-time.After(grace):
			cancel(context.Cause(ctx))
		}
	})
	return later, func() { stop(); cancel(nil) }
}

// Ended waits for what was begun with a context and says on done how it ended; no
// longer than a moment after the context, which that may not heed, and then it is
// the error late.
func Ended(ctx context.Context, done <-chan error, moment time.Duration, late error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // which may know more than that time ran out
		return err
	case <-time.After(moment):
		return late
	}
}
