package inventory

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
	"daybefore/internal/witness"
)

const mostNamed = 5 // backups in a message

// listed is what a catalogue of the backups says, beside what the store holds.
type listed struct {
	records, named int64 // of them within the time that is compared
	lacking        names // which the store does not hold
	unnamed        names // which it holds besides
	faults         int64
	fault          *witness.Fault // the first of them
}

// names counts, and keeps the first.
type names struct {
	count int64
	first []string
}

func (n *names) add(name string) {
	n.count++
	if n.count <= mostNamed {
		n.first = append(n.first, name)
	}
}

func (n names) String() string {
	text := strings.Join(n.first, ", ")
	if more := n.count - int64(len(n.first)); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// catalogued judges whether the store holds all that a catalogue of the
// backups names, and whether that names all which the store holds. Either way
// whatever prunes by the one would soon delete the other.
func catalogued(ctx context.Context, d spec.Catalogue, retention time.Duration, store catalog.Store,
	newest catalog.Backup, o Options) []verdict.Check {
	file := path.Base(d.Source.URL)
	within := ""
	if retention > 0 {
		within = ", of the last " + amount.Span(retention)
	}
	lacking := verdict.Check{ID: "catalogue:lacking", Code: verdict.CodeCatalogue,
		Expected: "every backup that " + file + " names" + within}
	unnamed := verdict.Check{ID: "catalogue:unnamed", Code: verdict.CodeCatalogue,
		Expected: "no backup that " + file + " does not name" + within}
	l, err := readCatalogue(ctx, d, retention, newest, o)
	if err != nil {
		fill(&lacking, err)
		fill(&unnamed, err)
		return []verdict.Check{lacking, unnamed}
	}
	judgeLacking(&lacking, l, file, store.URL())
	judgeUnnamed(&unnamed, l, file, store.URL())
	return []verdict.Check{lacking, unnamed}
}

func judgeLacking(c *verdict.Check, l listed, file, store string) {
	observed := fmt.Sprintf("%d of %d lacking", l.lacking.count, l.named)
	switch {
	case l.lacking.count > 0:
		c.Say(verdict.Fail, observed,
			"something removes backups, or they never arrived: stop whatever prunes this store now, and find out which",
			"%s lacks %d of the %d backups that %s names: %s", store, l.lacking.count, l.named, file, l.lacking)
	case l.unusable(c, file):
	case l.named == 0:
		c.Say(verdict.Skipped, observed, "is the catalogue still written?",
			"not compared: %s names no backup of that time", file)
	default:
		c.Pass(observed)
	}
}

func judgeUnnamed(c *verdict.Check, l listed, file, store string) {
	observed := fmt.Sprintf("%d that it does not name", l.unnamed.count)
	switch {
	case l.unusable(c, file): // which may be those that name them
	case l.unnamed.count > 0:
		c.Say(verdict.Fail, observed,
			"stop whatever prunes by the catalogue before it takes them for superfluous: has it lost "+
				"entries, or is it another store's?",
			"%s holds %s that %s does not name: %s", store, counted(l.unnamed.count), file, l.unnamed)
	default:
		c.Pass(observed)
	}
}

// unusable tells that a catalogue does not say what there should be.
func (l listed) unusable(c *verdict.Check, file string) bool {
	switch {
	case l.faults > 0:
		c.Say(verdict.Error, fmt.Sprintf("%d lines unusable", l.faults), l.fault.Hint,
			"%d of the lines of %s cannot be used; the first: %v", l.faults, file, l.fault)
	case l.records == 0:
		c.Say(verdict.Error, "no record", "look at what writes it: an empty catalog proves nothing",
			"%s holds no record", file)
	default:
		return false
	}
	return true
}

func readCatalogue(ctx context.Context, d spec.Catalogue, retention time.Duration, newest catalog.Backup,
	o Options) (listed, error) {
	var l listed
	matches, err := catalog.Named(d.Backups)
	if err != nil {
		return l, err
	}
	from := time.Time{}
	to := o.At.Add(-d.Lag)
	if retention > 0 {
		from = o.At.Add(-retention)
	}
	held := make(map[string]bool, len(newest.All)) // whether it is named
	for _, e := range newest.All {
		held[e.Name] = false
	}
	err = eachRecord(ctx, d, o, func(r witness.Record) error {
		l.records++
		name, there := heldAs(held, r.Key[0])
		if there {
			held[name] = true
		}
		switch {
		case r.At.Before(from), r.At.After(to):
		case there:
			l.named++
		case !matches(path.Base(r.Key[0])): // which may be anything, and is not told
			l.damaged(&witness.Fault{Line: r.Line,
				What: "names no backup: its " + d.Name + " is none as source.name tells",
				Hint: "look at what wrote it, and at inventory.catalogue.name in the drill file"})
		default:
			l.named++
			l.lacking.add(path.Base(r.Key[0]))
		}
		return nil
	}, l.damaged)
	for _, e := range newest.All {
		if !held[e.Name] && !e.TakenAt.Before(from) && !e.Latest().After(to) {
			l.unnamed.add(e.Name)
		}
	}
	return l, err
}

func (l *listed) damaged(f *witness.Fault) {
	l.faults++
	if l.fault == nil {
		l.fault = f
	}
}

// heldAs finds a backup by its name, before which the catalogue may say where
// it lies.
func heldAs(held map[string]bool, name string) (string, bool) {
	for more := true; more; _, name, more = strings.Cut(name, "/") {
		if _, there := held[name]; there {
			return name, true
		}
	}
	return "", false
}

func eachRecord(ctx context.Context, d spec.Catalogue, o Options, take func(witness.Record) error,
	damaged func(*witness.Fault)) error {
	const key = "inventory.catalogue.url"
	file, err := catalog.OpenRecord(ctx, d.Source, key)
	if err != nil {
		return err
	}
	defer file.Close()
	return witness.Each(file, witness.Options{
		Name: path.Base(d.Source.URL), Fields: []string{d.Name}, At: d.At,
		Clock: witness.Clock{Location: d.Location, Unit: d.Unit}, Now: o.At.Add(witness.ClockGrace),
	}, take, damaged)
}
