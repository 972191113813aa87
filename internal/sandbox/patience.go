package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// An engine may take a request and never answer it. So each call to it has a
// limit, after which nobody waits for it any more.
const (
	// signOfLife is how long an engine may take to say that it is there.
	signOfLife = 5 * time.Second
	// engineTimeout bounds calls that a healthy engine answers at once.
	engineTimeout = 20 * time.Second
	// createTimeout bounds the making and the start of a container.
	createTimeout = time.Minute
	// removeTimeout bounds the removal of a container with its volume, which
	// may hold the files of ten thousand tables.
	removeTimeout = 90 * time.Second
	// copyTimeout and pullTimeout bound the pause between two signs that a file,
	// or an image, is still on its way.
	copyTimeout = time.Minute
	pullTimeout = 2 * time.Minute
)

// lastTry is what an engine gets that has left a request unanswered before, or
// whose drill was interrupted.
var lastTry = 2 * time.Second

// limited gives a context with a limit of its own. Tests end it once a request
// is stalled, and wait for no clock.
var limited = context.WithTimeoutCause

// silence is an engine that took a request and did not answer it.
type silence struct {
	asked string
	limit time.Duration
}

func (s *silence) Error() string {
	return fmt.Sprintf("the container engine was asked to %s and did not answer within %v", s.asked, s.limit)
}

// hintEngine is what to do about it.
const hintEngine = "look at the container engine, start it again, then run the drill again"

// isSilence reports whether an error is owed to an engine that does not answer.
func isSilence(err error) bool {
	_, ok := errors.AsType[*silence](err)
	return ok
}

// await makes a call to the engine and waits for its answer no longer than
// limit, also where the client does not heed its context. What comes too late
// is handed to late, which may be nil.
func await[T any](ctx context.Context, e *containerEngine, limit time.Duration, asked string,
	call func(context.Context) (T, error), late func(T)) (T, error) {
	ctx, cancel := limited(ctx, limit, &silence{asked, limit})
	defer cancel()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer)
	go func() {
		value, err := call(ctx)
		select {
		case answers <- answer{value, err}:
		case <-ctx.Done():
			if err == nil && late != nil {
				late(value)
			}
		}
	}()
	select {
	case a := <-answers:
		if a.err != nil && ctx.Err() != nil {
			return a.value, e.heard(context.Cause(ctx))
		}
		return a.value, e.heard(a.err)
	case <-ctx.Done():
		var none T
		return none, e.heard(context.Cause(ctx))
	}
}

// going makes a call to the engine that may take long, as long as it calls beat
// again before each limit has passed.
func (e *containerEngine) going(ctx context.Context, limit time.Duration, asked string,
	call func(ctx context.Context, beat func()) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	beats := make(chan struct{})
	ended := make(chan error, 1)
	beat := func() {
		select {
		case beats <- struct{}{}:
		case <-ctx.Done():
		}
	}
	go func() { ended <- call(ctx, beat) }()
	for {
		pause, stop := limited(ctx, limit, &silence{asked, limit})
		select {
		case <-beats:
			stop()
			continue
		case err := <-ended:
			stop()
			return e.heard(err)
		case <-pause.Done():
			stop()
			cancel(context.Cause(pause))
			return e.heard(context.Cause(pause))
		}
	}
}

// heard remembers whether the engine answers.
func (e *containerEngine) heard(err error) error {
	if e != nil {
		e.silent.Store(isSilence(err))
	}
	return err
}

// beating is a reader that tells of each piece that was read.
type beating struct {
	io.Reader
	beat func()
}

func (b beating) Read(p []byte) (int, error) {
	b.beat()
	return b.Reader.Read(p)
}

// closing is the context to remove with what was begun in vain: for long, but
// not where the drill has ended meanwhile.
func closing(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := closeTimeout
	if ctx.Err() != nil {
		limit = lastTry
	}
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}
