package inventory

import (
	"context"
	"fmt"
	"strings"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

const hintCopy = "look at what copies the backups there; until it works again there is one copy less than you count on"

// copied judges whether another store holds the newest backup too.
func copied(ctx context.Context, d spec.Copy, store catalog.Store, newest catalog.Backup, o Options) verdict.Check {
	c := verdict.Check{ID: "copies:" + d.Name, Code: verdict.CodeCopies, Expected: "the same newest backup"}
	if d.Lag > 0 {
		c.Expected = "the same newest backup but for those of the last " + amount.Span(d.Lag)
	}
	if err := compareCopy(ctx, &c, d, store, newest, o); err != nil {
		fill(&c, ofCopy(err))
	}
	return c
}

func compareCopy(ctx context.Context, c *verdict.Check, d spec.Copy, store catalog.Store, newest catalog.Backup,
	o Options) error {
	due, ok := dueBackup(d, newest.All, o)
	if !ok {
		c.Say(verdict.Skipped, "", "nothing is wrong; later backups are compared",
			"no backup is older than the %s that the copy may be behind", amount.Span(d.Lag))
		return nil
	}
	second, err := catalog.Open(ctx, d.Source)
	if err != nil {
		return err
	}
	defer second.Close()
	there, err := catalog.Choose(ctx, second, d.Source, o.Peek)
	if err != nil {
		return err
	}
	like, err := catalog.Same(ctx, store, second, due)
	switch {
	case err != nil:
		return err
	case like.Absent:
		c.Say(verdict.Fail, "its newest is "+there.Name, hintCopy, "%s lacks %s; %s", second.URL(), due.Name,
			behind(there, due))
		return nil
	case like.Differ && like.Sizes[0] != like.Sizes[1]:
		c.Say(verdict.Fail, amount.Size(like.Sizes[1]), hintCopy,
			"%s of %s has %d bytes, and %d in %s: it was cut off, or is another one", due.Name, second.URL(),
			like.Sizes[1], like.Sizes[0], store.URL())
		return nil
	case like.Differ:
		c.Say(verdict.Fail, "another "+like.By,
			"one of the two was damaged or replaced: find out which, and copy it again",
			"%s differs between %s and %s: same size, different %s", due.Name, store.URL(), second.URL(), like.By)
		return nil
	}
	if there.TakenAt.After(newest.All[0].TakenAt) { // by their names
		return newerCopy(ctx, c, store, second, there)
	}
	c.Pass(due.Name + ", compared by " + like.By)
	return nil
}

// dueBackup is the newest one that must have been copied by now.
func dueBackup(d spec.Copy, all []catalog.Entry, o Options) (catalog.Entry, bool) {
	for _, e := range all {
		if d.Lag == 0 || !e.Latest().After(o.At.Add(-d.Lag)) {
			return e, true
		}
	}
	return catalog.Entry{}, false
}

func behind(there catalog.Backup, due catalog.Entry) string {
	if late := due.TakenAt.Sub(there.TakenAt); late > 0 {
		return fmt.Sprintf("its newest is %s behind, %s", amount.Span(late), there.Name)
	}
	return "it holds " + there.Name + " instead"
}

// newerCopy judges a copy that is ahead: a backup that came meanwhile, or one
// that the store has lost.
func newerCopy(ctx context.Context, c *verdict.Check, store, second catalog.Store, there catalog.Backup) error {
	like, err := catalog.Same(ctx, second, store, there.Entry())
	if err != nil {
		return err
	}
	if !like.Absent {
		c.Pass(there.Name + ", which arrived meanwhile")
		return nil
	}
	c.Say(verdict.Fail, "its newest is "+there.Name,
		"find out what removed it from the first store, or why it was never written there, before that is relied upon",
		"%s holds a newer backup than %s, which lacks %s", second.URL(), store.URL(), there.Name)
	return nil
}

// ofCopy lets a hint name the keys of the copy instead of the source's.
func ofCopy(err error) error {
	p := verdict.AsProblem(err)
	p.Hint = strings.ReplaceAll(p.Hint, "source.", "inventory.copies.")
	for _, own := range []string{"name", "time", "timezone"} { // which are the source's
		p.Hint = strings.ReplaceAll(p.Hint, "inventory.copies."+own, "source."+own)
	}
	return p
}
