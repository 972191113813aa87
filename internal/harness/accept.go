package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strings"

	"daybefore/internal/history"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// AcceptOptions say which finding of the last report was wanted, and why.
type AcceptOptions struct {
	Name  string // the drill
	Check string // the check's id, as the report says it
	Why   string
}

// mostWhy is more than a reason needs.
const mostWhy = 500

// Accept records that a change which the last report found since past drills
// was wanted. The check compares with what it led to from then on; a further
// change is found as before.
func (h *Home) Accept(ctx context.Context, o AcceptOptions) error {
	why := strings.Join(strings.Fields(o.Why), " ")
	switch {
	case o.Name == "", o.Check == "", why == "":
		return cannot(
			`accept: -name, -check and -why are required: the id of the check is in the last report, and the reason will be ` +
				`in the next`,
		)
	case len(why) > mostWhy:
		return cannot("accept: the reason has %d bytes: say it in %d", len(why), mostWhy)
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	rec, last, err := h.lastReport(ctx, "accept", "nothing was accepted", o.Name)
	if err != nil {
		return err
	}
	defer rec.close()
	c, err := acceptable(last, o.Check)
	if err != nil {
		return err
	}
	a := history.Acceptance{
		Drill: rec.drill, Check: o.Check, Run: last.Run, Baseline: c.Change.Baseline, From: c.Change.From, To: c.Change.To,
		Why: why, Who: whoami(), At: h.Now().UTC(),
	}
	if a.At.Before(last.FinishedAt) { // a clock elsewhere is ahead of this one
		a.At = last.FinishedAt
	}
	return h.accept(ctx, rec, a)
}

// lastReport is the last report of a drill, of which a person says something that
// is to be signed; the caller closes the record. The error begins with what did
// not happen.
func (h *Home) lastReport(ctx context.Context, target, nothing, name string) (*record, *verdict.Report, error) {
	f, err := h.loadOne(ctx, target, name, spec.Loader{WithoutSecrets: true})
	if err != nil {
		return nil, nil, err
	}
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return nil, nil, cannot("%s: %s: %s", nothing, f.Name, notLoaded(f))
	}
	rec := h.record(ctx, f.Drill)
	unsigned := rec.keyless()
	if unsigned != nil {
		rec.close()
		return nil, nil, cannot("%s, since it could not be signed: %v; %s", nothing, unsigned, unsigned.Hint)
	}
	last, err := rec.newest(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = cannot("%s: %s has no report yet", nothing, f.Name)
	case err != nil:
		err = cannot("%s: %v", nothing, err)
	}
	if err != nil {
		rec.close()
		return nil, nil, err
	}
	return rec, last, nil
}

func (h *Home) accept(ctx context.Context, rec *record, a history.Acceptance) error {
	name, b, err := history.Accept(rec.dir, a, rec.keys...)
	if err != nil {
		return cannot("%v", err)
	}
	h.Document.Accepted = &a
	fmt.Fprintf(h.Stdout,
		"accepted: %s of %s, %s -> %s as seen in the run %s, by %s: %s\nthe next drill is compared with %s\n",
		a.Check, a.Drill, a.From, cmp.Or(a.To, "no row"), a.Run, a.Who, a.Why, cmp.Or(a.To, "no row"))
	err = rec.keep(ctx,
		func(ctx context.Context, s history.Store) error { return history.NoteTo(ctx, s, a.Drill, name, b) })
	if err != nil {
		return cannot("accepted on this machine only: %v", notKept(a.Drill, err, true))
	}
	return nil
}

// acceptable is the finding of that id, if it is one that can be accepted.
func acceptable(r *verdict.Report, id string) (verdict.Check, error) {
	var others []string
	for _, c := range r.Checks {
		found := c.Outcome == verdict.Fail || c.Outcome == verdict.Warn
		can := found && c.Change != nil && c.Change.Baseline != ""
		switch {
		case can && c.ID == id:
			return c, nil
		case can:
			others = append(others, c.ID)
		case c.ID == id && found:
			return c, cannot("nothing was accepted: %s is compared with the drill file, not with "+
				"past drills; change it there", id)
		case c.ID == id:
			return c, cannot("nothing was accepted: in the last report (%s) %s is %s", r.Run, id, c.Outcome)
		}
	}
	slices.Sort(others)
	return verdict.Check{},
		cannot("nothing was accepted: the last report (%s) has no check %s; checks that can be accepted: %s",
			r.Run, id, cmp.Or(strings.Join(others, ", "), "nothing"))
}

// whoami is who asks, as far as this machine knows.
func whoami() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}
