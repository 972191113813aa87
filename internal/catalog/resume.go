package catalog

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/cenkalti/backoff/v5"

	"daybefore/internal/catalog/place"
	"daybefore/internal/verdict"
)

// retryPolicy says how a broken read is taken up again.
type retryPolicy struct {
	tries uint          // without one byte in between
	first time.Duration // the first wait; each further one is about twice as long
	max   time.Duration // the longest wait
	stall time.Duration // a connection that is silent for so long is broken
}

// patient outlasts a store that is restarted: about half a minute in all.
var patient = retryPolicy{tries: 8, first: 500 * time.Millisecond, max: 10 * time.Second, stall: time.Minute}

// resumed reads a range of one version of an object, and goes on at the byte
// where a connection broke.
type resumed struct {
	ctx    context.Context
	store  Store
	object Object
	offset int64 // the next byte
	end    int64 // after the last one
	policy retryPolicy

	body  io.ReadCloser   // nil: not connected
	conn  context.Context // of this connection; its cause tells a stall
	stop  context.CancelCauseFunc
	watch *time.Timer
}

func newResumed(ctx context.Context, store Store, o Object, offset, length int64, policy retryPolicy) *resumed {
	policy = policy.of(store)
	return &resumed{ctx: ctx, store: store, object: o, offset: offset, end: offset + length, policy: policy}
}

// of is the policy with the patience that a store asks for.
func (p retryPolicy) of(store Store) retryPolicy {
	if s, slow := store.(place.Slow); slow {
		p.stall = max(p.stall, s.Silence())
	}
	return p
}

func (r *resumed) Read(p []byte) (int, error) {
	if r.offset >= r.end {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	p = p[:min(int64(len(p)), r.end-r.offset)]
	n, err := backoff.Retry(r.ctx, func() (int, error) { return r.attempt(p) },
		backoff.WithBackOff(r.policy.backOff()), backoff.WithMaxTries(r.policy.tries), backoff.WithMaxElapsedTime(0))
	r.offset += int64(n)
	if err != nil {
		return n, r.verdict(err)
	}
	return n, nil
}

func (p retryPolicy) backOff() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.MaxInterval, b.Multiplier = p.first, p.max, 2
	return b
}

// attempt reads at least one byte or fails. Whatever breaks, the connection is
// given up, so that the next attempt begins a new one at the same byte.
func (r *resumed) attempt(p []byte) (int, error) {
	if err := r.connect(); err != nil {
		return 0, r.broken(err)
	}
	r.watch.Reset(r.policy.stall)
	n, err := r.body.Read(p)
	r.watch.Stop()
	switch {
	case err == nil && n > 0:
		return n, nil
	case err == nil, errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	err = r.broken(err)
	if n > 0 && !isProblem(err) {
		return n, nil
	}
	return 0, err
}

// broken gives the connection up and says why it broke.
func (r *resumed) broken(err error) error {
	if context.Cause(r.conn) == errStalled {
		err = errStalled
	}
	r.disconnect()
	if isProblem(err) {
		return backoff.Permanent(err)
	}
	return err
}

var errStalled = errors.New("the connection fell silent")

func (r *resumed) connect() error {
	if r.body != nil {
		return nil
	}
	conn, stop := context.WithCancelCause(r.ctx)
	r.conn, r.stop = conn, stop
	r.watch = time.AfterFunc(r.policy.stall, func() { stop(errStalled) })
	length := r.end - r.offset
	if r.end == place.Unsized {
		length = place.Unsized
	}
	body, err := r.store.ReadRange(conn, r.object, r.offset, length)
	r.watch.Stop()
	r.body = body
	return err
}

func (r *resumed) disconnect() {
	if r.stop != nil {
		r.watch.Stop()
		r.stop(nil)
		r.stop = nil
	}
	if r.body != nil {
		_ = r.body.Close() // it is broken, or done
		r.body = nil
	}
}

// verdict says what it means that no further try is made.
func (r *resumed) verdict(err error) error {
	where := r.store.URL() + r.object.Name
	var p *verdict.Problem
	if errors.As(err, &p) { // which may say what a program was doing when its time ran out
		return p
	}
	if stop := stopped(r.ctx, "read "+where); stop != nil {
		return stop
	}
	return verdict.Errorf(verdict.CodeFetch, "look at the network between here and the store, then run the drill again",
		"read %s: broke off at byte %d of %d and could not be resumed in %d tries: %w",
		where, r.offset, r.object.Size, r.policy.tries, err)
}

// Close ends the connection. It does not fail.
func (r *resumed) Close() error {
	r.disconnect()
	return nil
}

// reader reads all of one version of an object.
func reader(ctx context.Context, store Store, o Object, policy retryPolicy) io.ReadCloser {
	if o.Size == place.Unsized {
		return newWhole(ctx, store, o, policy)
	}
	return newResumed(ctx, store, o, 0, o.Size, policy)
}

// whole reads an object whose end is known only once it is reached. Where that
// breaks off, it cannot be taken up again.
type whole struct{ resumed }

func newWhole(ctx context.Context, store Store, o Object, policy retryPolicy) *whole {
	return &whole{resumed{ctx: ctx, store: store, object: o, end: place.Unsized, policy: policy.of(store)}}
}

func (w *whole) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.once(p)
	w.offset += int64(n)
	if err != nil && err != io.EOF {
		return n, w.brokeOff(err)
	}
	return n, err
}

func (w *whole) once(p []byte) (int, error) {
	if err := w.connect(); err != nil {
		return 0, w.broken(err)
	}
	w.watch.Reset(w.policy.stall)
	n, err := w.body.Read(p)
	w.watch.Stop()
	if err != nil && err != io.EOF {
		err = w.broken(err)
	}
	return n, err
}

// brokeOff says what it means that the rest did not come.
func (w *whole) brokeOff(err error) error {
	where := w.store.URL() + w.object.Name
	var p *verdict.Problem
	if errors.As(err, &p) { // which may say what a program was doing when its time ran out
		return p
	}
	if stop := stopped(w.ctx, "read "+where); stop != nil {
		return stop
	}
	return verdict.Errorf(verdict.CodeFetch, "look at the network between here and the store, then run the drill again",
		"read %s: broke off after byte %d, and the store does not let it be resumed: %w", where, w.offset, err)
}
