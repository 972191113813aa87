package scrub

import (
	"daybefore/internal/scrub/transform"

	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// ErrLeak is in the error that ends a load because content told what no rule
// had named. The plan's checks say where.
var ErrLeak = errors.New("a value looks sensitive, and its column has no rule")

// leaks are what was found where nothing sensitive may be. The zero value has
// none.
type leaks struct {
	mu    sync.Mutex
	found map[leak]int64
}

// leak is a kind of value in a place.
type leak struct {
	place string // a column, or what else holds text
	what  string // what it looks like
	mend  string
}

func (l *leaks) add(at leak, count int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.found == nil {
		l.found = map[leak]int64{}
	}
	l.found[at] += count
}

// restart begins the count anew, and returns what was found until now.
func (l *leaks) restart() map[leak]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.found
	l.found = nil
	return before
}

// atLeast brings back what was found before and was not found again.
func (l *leaks) atLeast(before map[leak]int64) {
	for at, n := range before {
		l.mu.Lock()
		more := n - l.found[at]
		l.mu.Unlock()
		if more > 0 {
			l.add(at, more)
		}
	}
}

// all are ordered by place.
func (l *leaks) all() []leak {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(maps.Keys(l.found), func(a, b leak) int {
		return cmp.Or(strings.Compare(a.place, b.place), strings.Compare(a.what, b.what))
	})
}

// ofSample says behind a count that not all rows were looked at: else a pass
// would say more than is known, and a number of findings be taken for all.
func (p *Plan) ofSample() string {
	if percent := p.rules.LeakScan.Percent; percent > 0 && percent < 100 {
		return fmt.Sprintf(", in a sample of %g%% of the rows", percent)
	}
	return ""
}

// checks tell each place once; of is said behind each place's counts.
func (l *leaks) checks(of string) []verdict.Check {
	var checks []verdict.Check
	for _, at := range l.all() {
		found := fmt.Sprintf("%s looked like %s", counted(l.found[at], "value"), at.what)
		if n := len(checks); n > 0 && checks[n-1].ID == "unmatched:"+at.place {
			checks[n-1].Observed += ", " + found
			continue
		}
		checks = append(checks, verdict.Check{
			ID: "unmatched:" + at.place, Stage: verdict.StageScrub, Code: verdict.CodeUnmatched, Outcome: verdict.Error,
			Expected: "no value that looks sensitive in a column without a rule", Observed: found,
			Message: fmt.Sprintf("%s contains what looks like %s and has no rule: load aborted, sandbox removed", at.place, at.what),
			Hint:    at.mend,
		})
	}
	for i := range checks {
		checks[i].Observed += of
	}
	return checks
}

func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// newScanner looks for what the drill file says, or for everything.
func newScanner(scan spec.LeakScan) (detect.Scanner, error) {
	set := detect.All
	if scan.Detectors != nil {
		var err error
		if set, err = detect.Named(scan.Detectors...); err != nil {
			return detect.Scanner{}, verdict.Errorf(verdict.CodeSpec, "correct scrub.leak_scan.detectors", "plan the scrub: %w", err)
		}
	}
	return detect.NewScanner(set, scan.Allow...), nil
}

// scan decides what is looked for.
func (p *planner) scan() (err error) {
	p.scanner, err = newScanner(p.rules.LeakScan)
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

// watcher looks at the values of a block that no rule names.
type watcher struct {
	plan    *Plan
	fields  []watchedField
	charset copytext.Charset
	decode  *copytext.Decoder
	raw     []byte
	share
}

type watchedField struct {
	field   int
	column  *schema.Column
	scanner detect.Scanner
}

// newWatcher is nil where there is nothing to look at.
func (p *Plan) newWatcher(t *schema.Table, columns []string, decode *copytext.Decoder) *watcher {
	w := &watcher{plan: p, charset: p.encoding.Charset, decode: decode, share: share{percent: p.rules.LeakScan.Percent}}
	for i, name := range columns {
		c := t.ByName[name]
		if s, ok := p.watched[c]; ok {
			w.fields = append(w.fields, watchedField{i, c, s})
		}
	}
	if len(w.fields) == 0 {
		return nil
	}
	return w
}

// LookOn finds all that looks sensitive, after a load that the first such value
// ended: read streams the whole of the rows through the filters that it is
// given, which go on behind what they find, and stores nothing. Its error is
// returned; what was found is then told as far as it is known.
func (p *Plan) LookOn(read func(filter func(namespace, table string, columns []string) (func(dst, row []byte) ([]byte, error), error)) error) error {
	p.mu.Lock()
	p.looking = true
	for _, k := range p.keeps {
		k.kept.Store(0) // they are counted again
	}
	p.mu.Unlock()
	before := p.leaks.restart()
	defer p.leaks.atLeast(before)
	return read(p.Filter)
}

// lookOn is rewrite without a result, for which a finding is no error.
func (r *rewriter) lookOn(dst, row []byte) ([]byte, error) {
	made, err := r.rewrite(r.made[:0], row)
	if r.made = made; errors.Is(err, ErrLeak) {
		err = nil
	}
	return dst, err
}

// look returns an error if a value of the row looks sensitive, once all of
// the row was looked at.
func (w *watcher) look(r *rewriter, row []byte) error {
	if w.skips() {
		return nil
	}
	hit := false
	for i := range w.fields {
		f := &w.fields[i]
		field := r.field(row, f.field)
		if len(field) < detect.Shortest {
			continue
		}
		value, err := w.value(field)
		if err != nil {
			return r.failed(f.field, err)
		}
		if h, ok := f.scanner.Find(value); ok {
			hit = true
			w.plan.leaked(f.column, h.Kind)
		}
	}
	if hit {
		return leakError(r.table.Name.String(), r.row)
	}
	return nil
}

// share is the part of the rows, or of other things, that is looked at.
type share struct {
	percent float64 // 0: all
	due     float64
	rows    int64 // looked at
}

// skips tells for how many rows in a hundred nobody looks, evenly spread.
func (s *share) skips() bool {
	if s.percent > 0 {
		s.due += s.percent
		if s.rows > 0 && s.due < 100 {
			return true
		}
		s.due -= 100
	}
	s.rows++
	return false
}

// value is a field as text of which ASCII can be told, valid until the next.
func (w *watcher) value(field []byte) (value []byte, err error) {
	if !copytext.Plain(field) {
		w.raw, err = w.charset.AppendUnescaped(w.raw[:0], field)
		field = w.raw
	}
	if w.charset != copytext.ASCIISafe {
		field = w.decode.Decode(field)
	}
	return field, err
}

func (p *Plan) leaked(c *schema.Column, k detect.Kind) {
	root := c.Root()
	fitting := transformFor[k]
	if root.Base.IsNumber() { // the column holds others too, of which the kind's own transform could make nothing
		fitting = transform.Number
	}
	r := ruleFor(root, &spec.Rule{Preserve: true, Why: "no transform fits"})
	if t := suitable(root, fitting); t != "" {
		r = ruleFor(root, &spec.Rule{Transform: t})
	}
	p.leaks.add(leak{place: root.String(), what: k.Words(), mend: advice([]string{r.YAML("")}, r)}, 1)
}

// transformFor is what suits a kind of content.
var transformFor = map[detect.Kind]string{
	detect.Email: transform.Email, detect.Phone: transform.Phone, detect.Card: transform.Card, detect.IBAN: transform.IBAN, detect.IP: transform.IP, detect.NationalID: transform.Text, detect.Secret: transform.Token,
}

func leakError(place string, row int64) error {
	return verdict.Errorf(verdict.CodeUnmatched, "see the scrub's checks: each place comes with the line to add",
		"scrub %s, row %d: %w", place, row, ErrLeak)
}

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
		values += r.watch.rows * int64(len(r.watch.fields))
		for _, f := range r.watch.fields {
			columns[f.column.Root()] = true
		}
	}
	c.Observed = fmt.Sprintf("0 of %s in %s", counted(values, "value"), counted(int64(len(columns)), "column")) + p.ofSample()
	return c
}
