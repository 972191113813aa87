package scrub

import (
	"errors"
	"fmt"
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// ErrLeak is in the error that ends a load because content told what no rule
// had named. The plan's checks say where.
var ErrLeak = leakscan.ErrLeak

// scan decides what is looked for.
func (p *planner) scan() (err error) {
	p.scanner, err = leakscan.NewScanner(p.rules.LeakScan)
	return err
}

// watch decides which loaded columns are looked at as they pass: those that no
// rule names and that can hold text, or a card's number.
func (p *planner) watch() error {
	if err := p.scan(); err != nil {
		return err
	}
	for t, names := range p.loaded {
		for _, name := range names {
			c := t.ByName[name]
			if c == nil || p.assigned[c] != nil {
				continue
			}
			if s := p.scannerFor(c, p.isKey(c)); s.Looks() {
				p.watched[c] = s
			}
		}
	}
	return nil
}

// scannerFor looks for everything in text, and for cards in numbers that are
// long enough and no key: a key is one of many in a row, of which every tenth
// would pass Luhn's test.
func (p *Plan) scannerFor(c *schema.Column, key bool) detect.Scanner {
	switch {
	case c.Family() == schema.Textual:
		return p.scanner.Named(c.Name)
	case c.WholeDigits() >= detect.CardDigits && !key:
		return p.scanner.Only(detect.Card)
	}
	return detect.Scanner{}
}

func (p *planner) isKey(c *schema.Column) bool {
	if len(c.Unique) > 0 {
		return true
	}
	return slices.ContainsFunc(p.fks, func(fk schema.ForeignKey) bool {
		return slices.Contains(fk.Columns, c.Name) && slices.Contains(fk.From.WithDescendants(), c.Table)
	})
}

// newWatcher is nil where there is nothing to look at.
func (p *Plan) newWatcher(t *schema.Table, names []string, decode *copytext.Decoder) *leakscan.Watcher {
	var columns []*schema.Column
	for _, name := range names {
		columns = append(columns, t.ByName[name])
	}
	return leakscan.NewWatcher(columns, p.watched, leakscan.Rows{
		Charset: p.encoding.Charset, Decode: decode, Percent: p.rules.LeakScan.Percent, People: p.people,
		Found: p.leaked, Tells: p.mayTellKey,
	})
}

// LookOn finds all that looks sensitive, after a load that the first such value
// ended: read streams the whole of the rows through the filters that it is
// given, which go on behind what they find, and stores nothing. Its error is
// returned; what was found is then told as far as it is known.
func (p *Plan) LookOn(read func(filter func(namespace, table string,
	columns []string) (func(dst, row []byte) ([]byte, error), error)) error) error {
	p.mu.Lock()
	p.looking = true
	for _, k := range p.keeps {
		k.kept.Store(0) // they are counted again
	}
	p.mu.Unlock()
	before := p.leaks.Restart()
	defer p.leaks.AtLeast(before)
	return read(p.Filter)
}

// lookOn is rewrite without a result, for which a finding is no error.
func (r *rewriter) lookOn(dst, row []byte) ([]byte, error) {
	made, err := r.rewrite(r.made[:0], row)
	r.made = made
	if errors.Is(err, ErrLeak) {
		err = nil
	}
	return dst, err
}

// leaked notes what was found in a column, and reports whether that ends the load.
func (p *Plan) leaked(c *schema.Column, hit detect.Hit) bool {
	root := c.Root()
	fitting := propose.TransformFor(hit.Kind)
	if root.Base.IsNumber() { // the column holds others too, of which the kind's own transform could make nothing
		fitting = transform.Number
	}
	return p.leaks.Add(leakscan.Finding{
		Place: root.String(), What: hit.Kind.Words(), Fix: propose.LineFor(root, fitting),
		Doubtful: hit.Confidence == detect.Doubtful,
	}, 1)
}

// notePeople adds the places of people's names to what leaked. What was added before
// is not added again.
func (p *Plan) notePeople() {
	found := map[leakscan.Finding]int64{}
	for at, names := range p.people.Found() {
		place, fix := p.peopleAt(at)
		found[leakscan.Finding{Place: place, What: detect.PersonWords, Fix: fix, Warns: names.Few}] = int64(names.Count)
	}
	p.leaks.AtLeast(found)
}

// peopleAt says where names of people stand, and how the drill file is fixed.
func (p *Plan) peopleAt(at leakscan.PeoplePlace) (place, fix string) {
	place = at.Column.String()
	fix = propose.LineFor(at.Column, transform.Name)
	if at.Path == "" {
		return place, fix
	}
	place += " at " + at.Path
	if at.Column.Family() == schema.Textual { // a document in a text, which is rewritten as a whole
		return place, propose.LineFor(at.Column, transform.Text)
	}
	if !at.Told() {
		return place, "let unmatched_paths be redact, or name such values by paths under json"
	}
	return place, fmt.Sprintf("add under json: - {path: %s, transform: %s}, or preserve: true with a why",
		spec.YAMLText(at.Path), transform.Name)
}

// Leaked reports whether Checks says that what was loaded must not be looked at.
func (p *Plan) Leaked() bool {
	p.notePeople()
	return slices.ContainsFunc(p.leaks.Checks(""), isError)
}

func isError(c verdict.Check) bool { return c.Outcome == verdict.Error }

func leakError(place string, row int64) error {
	return verdict.Errorf(verdict.CodeUnmatched, "see the scrub's checks: each place comes with the line to add",
		"scrub %s, row %d: %w", place, row, ErrLeak)
}

// ofSample says behind a count which part of the rows was looked at.
func (p *Plan) ofSample() string { return leakscan.OfSample(p.rules.LeakScan.Percent) }

// scanCheck says what was looked at as it passed.
func (p *Plan) scanCheck() verdict.Check {
	c := verdict.Check{ID: "leak_scan", Stage: verdict.StageScrub, Code: verdict.CodeUnmatched, Outcome: verdict.Pass,
		Expected: "no value that looks sensitive in a column without a rule"}
	var values int64
	columns := map[*schema.Column]bool{}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.rewriters {
		for _, c := range r.cells {
			if looked := c.looked(); looked > 0 {
				values += looked
				columns[c.column.Root()] = true
			}
		}
		if r.watch == nil {
			continue
		}
		seen, of := r.watch.Looked()
		values += seen
		for _, c := range of {
			columns[c.Root()] = true
		}
	}
	found := "0"
	if n := p.leaks.Doubtful(); n > 0 {
		found = fmt.Sprintf("%d doubtful", n)
	}
	c.Observed = fmt.Sprintf("%s of %s in %s", found, verdict.Count(values, "value"),
		verdict.Count(int64(len(columns)), "column")) + p.ofSample()
	return c
}
