package scrub

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/propose"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
	"daybefore/internal/verdict"
)

// judgeKeys has the keys of the cell's documents counted, and looked at where they
// would stay.
func (c *cell) judgeKeys(p *Plan) {
	c.document.Census = document.NewCensus(p.seed)
	c.document.Told = p.mayTellKey
	if p.scanner.Looks() {
		c.document.Known = func(key []byte) bool {
			_, found := p.scanner.Find(key)
			return found
		}
	}
}

// mayTellKey reports whether a report may show a key of a document: one that columns
// have too, or that is made of words for what columns hold.
func (p *Plan) mayTellKey(key []byte) bool {
	name := string(key)
	return detect.Known(name) || p.columnNames != nil && p.columnNames()[name]
}

// columnNames are those of all columns.
func columnNames(s *schema.Schema) map[string]bool {
	all := map[string]bool{}
	for _, t := range s.Tables {
		for name := range t.ByName {
			all[name] = true
		}
	}
	return all
}

// keyTeller finds the keys of a column's documents that tell what they name, as
// names of columns do. One serves one goroutine.
type keyTeller struct {
	plan   *Plan
	column *schema.Column
	known  map[string]toldKey
	shapes map[string]bool // of keys, behind a family, of which they tell nothing
	shape  []byte
	hit    bool // in the document that is looked at
}

// toldKey is what a key says of texts and of numbers; nil: nothing.
type toldKey struct{ texts, numbers *leakscan.Finding }

func (p *Plan) newKeyTeller(c *schema.Column) *keyTeller {
	return &keyTeller{plan: p, column: c, known: map[string]toldKey{}, shapes: map[string]bool{}}
}

// Bounds of what is remembered of a column's documents; other keys are judged each
// time.
const (
	mostToldKeys   = 10_000
	longestToldKey = 256
)

// tell looks at the key of a value that passes.
func (k *keyTeller) tell(key []byte, isNumber bool) {
	told, known := k.told(key)
	found := told.texts
	switch {
	case known && isNumber:
		found = told.numbers
	case !known && isNumber:
		found = k.judge(key, detect.Number)
	case !known:
		found = k.judge(key, detect.Text)
	}
	if found != nil {
		k.hit = true
		k.plan.leaks.Add(*found, 1)
	}
}

// silent reports whether a key is known to tell nothing, whatever follows it.
func (k *keyTeller) silent(key []byte) bool {
	told, known := k.told(key)
	return known && told == toldKey{}
}

// told is what a key says, unless it is one too many.
func (k *keyTeller) told(key []byte) (told toldKey, known bool) {
	told, known = k.known[string(key)]
	if known || len(k.known) >= mostToldKeys || len(key) > longestToldKey {
		return told, known
	}
	told = toldKey{texts: k.judge(key, detect.Text), numbers: k.judge(key, detect.Number)}
	k.known[string(key)] = told
	return told, true
}

// judge is nil for a key that does not tell.
func (k *keyTeller) judge(key []byte, family detect.Family) *leakscan.Finding {
	k.shape = detect.AppendShape(append(k.shape[:0], byte(family)), key)
	if k.shapes[string(k.shape)] {
		return nil
	}
	what, fitting := detect.Column(k.column.Table.Name.Table, string(key), family)
	if what == "" {
		if len(k.shapes) < mostToldKeys && len(k.shape) <= longestToldKey {
			k.shapes[string(k.shape)] = true
		}
		return nil
	}
	out := &leakscan.Finding{Place: k.column.Root().String(), What: what + ", by its key"}
	path, err := jsonpath.Parse("$.." + string(key))
	if err != nil || len(path.Steps) != 1 || !k.plan.mayTellKey(key) {
		out.Fix = "let unmatched_paths be redact, or name such values by paths under json"
		return out
	}
	out.Place += " at " + path.Source
	out.Fix = fmt.Sprintf("add under json: - {path: %s, transform: %s}, or preserve: true with a why",
		path.Source, cmp.Or(propose.Suitable(k.column.AsText(), fitting), transform.Text))
	return out
}

// keyTransform is what a key of a kind may become: no two of an object become one.
func keyTransform(kind detect.Kind) string {
	if fitting := propose.TransformFor(kind); transform.EffectOf(&spec.Rule{Transform: fitting}) == transform.KeepsApart {
		return fitting
	}
	return transform.Hash
}

// keyRuleFor is the line for the keys of the objects at a path.
func keyRuleFor(path, transform string) string {
	return fmt.Sprintf("- {path: %s, keys: true, transform: %s}", spec.YAMLText(path), transform)
}

// manyKeys are the columns whose documents have keys that are many and different, and
// that no rule names.
func (p *Plan) manyKeys() []verdict.Check {
	all := map[string]*document.Census{}
	p.mu.Lock()
	for _, r := range p.rewriters {
		for _, c := range r.cells {
			if c == nil || c.document == nil || c.document.Census == nil {
				continue
			}
			name := c.column.Root().String()
			if all[name] == nil {
				all[name] = document.NewCensus(p.seed)
			}
			all[name].Join(c.document.Census)
		}
	}
	p.mu.Unlock()
	var checks []verdict.Check
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if found := all[name].Many(); len(found) > 0 {
			checks = append(checks, manyKeysCheck(name, found))
		}
	}
	return checks
}

func manyKeysCheck(column string, found []document.ManyKeys) verdict.Check {
	var places, lines []string
	for _, m := range found {
		places = append(places, fmt.Sprintf("about %d in %d objects at %s", m.Different, m.Objects, m.Path))
		lines = append(lines, keyRuleFor(m.Path, transform.Hash))
	}
	return verdict.Check{
		ID: "unmatched:" + column + " (keys)", Stage: verdict.StageScrub, Code: verdict.CodeUnmatched,
		Outcome:  verdict.Error,
		Expected: "no keys that are many and different, and that no rule names",
		Observed: strings.Join(places, "; "),
		Message: fmt.Sprintf("%s: keys of its documents are many and different, as values are, and would stay: %s",
			column, strings.Join(places, "; ")),
		Hint: "add under json, with the transform and the link of the column that holds the same values or, " +
			"if they are nobody's, preserve: true and a why instead of the transform:\n" + strings.Join(lines, "\n"),
	}
}

// keysStay reports whether a rule leaves keys within the values of a column as they
// are: those of documents and of hstores.
func (c *change) keysStay(of *schema.Column) bool {
	switch {
	case c == nil:
		return false
	case c.document != nil:
		return c.document.KeysStay()
	case c.composite != nil:
		return slices.ContainsFunc(c.composite.fields, func(f fieldRecipe) bool { return f.made.keysStay(f.column) })
	}
	return of.Base.IsHstore() && c.effect != transform.Clears && c.name != transform.Constant && c.name != recomputeName
}

// readKeys has f look at the keys instead of the detectors.
func (h *hstoreValues) readKeys(f func(text []byte, isKey bool)) {
	h.Within = nil
	h.Key = func(quoted []byte) { f(bytes.Trim(quoted, `"`), true) }
}
