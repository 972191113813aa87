// Package document rewrites JSON documents by path, byte by byte: each value that a
// path names becomes what its transform makes of it, and all others are redacted,
// kept or refused. It must never let a text or number pass that no path preserves
// unless the rule keeps the rest, and never put one into an error; what it does not
// replace stays as it was written.
package document

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"math/bits"

	"daybefore/internal/copytext"
	"daybefore/internal/jsontext"
	"daybefore/internal/scrub/transform"
)

var errNotJSON = errors.New("not a JSON document")

// Rewriter rewrites JSON documents byte by byte: what it does not replace
// stays as it was written, to the last digit and blank. One serves one
// goroutine.
type Rewriter struct {
	*Recipe
	Stays  []func(normalized []byte) bool // by path: reports which of its texts are left as they are; may be nil
	Met    []int64                        // by path: values that it named
	Sample func(text []byte)              // is shown the texts that are taken away, in UTF-8; may be nil
	Watch  *Watch                         // looks at what passes; may be nil
	kept   []func(text []byte)            // see ShowKept; by path, behind what none of them names
	awake  *bool                          // they are shown this document
	Known  func(key []byte) bool          // reports whether a detector knows a key; may be nil
	Told   func(key []byte) bool          // reports whether a path may show a key; nil: none but the rule's own
	Census *Census                        // counts the keys that stay; may be nil

	mask   *transform.Masker
	decode *copytext.Decoder

	src         []byte
	looking     bool           // Watch looks at this document
	counting    bool           // the census counts this document's keys
	eachKey     bool           // somebody is shown each key, so that none is passed over
	rules       []*keyRule     // by path; nil: it is for values
	where       func() string  // path
	whereObject func() string  // objectPath
	quiet       *jsontext.Memo // of keys, by Watch.Quiet; nil where no value passes that no path names
	at          int            // in src
	escaped     bool           // the string that ends there holds a backslash
	dst         []byte         // what the document becomes
	copied      int            // of src to dst
	escapes     bool           // what was put in may hold what COPY escapes
	states      []uint64       // of the paths, for each level of nesting
	trail       []place
	words       wordStream // for what is redacted: of the whole document
	cipher      cipher.Block
	block       [aes.BlockSize]byte
	raw         []byte
	out         []byte
}

// Watch looks at what a rule by paths lets pass.
type Watch struct {
	Begin func() bool // before each document; reports whether it is to be looked at
	// Look is shown what stays as it is, in UTF-8, and path is where it stands: of a
	// key, where its object does. It may be nil.
	Look  func(text []byte, isKey bool, path func() string)
	Named bool                            // look also at what a path preserves
	Key   func(key []byte)                // is shown keys that stay where values do not; may be nil
	Tell  func(key []byte, isNumber bool) // is shown the key of each value that passes and no path names; may be nil
	// Quiet reports whether a key, whatever it is the key of, is of no interest to Look
	// and Tell: where no path names it they are not shown it again. It may be nil.
	Quiet func(key []byte) bool
	End   func() error // after a document that was looked at; its error is Append's
}

// place is a member's key in src, or an array's element where to is 0.
type place struct{ from, to int }

// level is how deep a value stands, and whether a path leads there or further:
// below a place to which none leads nobody looks for one.
type level struct {
	depth int
	alive bool
	keys  *keyRule // for those of the value, if it is an object; nil: none
}

// UnnamedError is a value, or a key that may be one, that no path names, where that
// is refused.
type UnnamedError struct {
	Path string // of a key, its object's
	Key  bool
}

func (e *UnnamedError) Error() string {
	if e.Key {
		return "a key at " + e.Path + " that may be somebody's and that no path names"
	}
	return "a value at " + e.Path + " that no path names"
}

// NewRewriter rewrites by a recipe, under the key of a masker that no other
// goroutine uses.
func NewRewriter(r *Recipe, mask *transform.Masker, decode *copytext.Decoder) *Rewriter {
	d := &Rewriter{
		Recipe: r, mask: mask, decode: decode,
		Stays: make([]func([]byte) bool, len(r.Paths)), Met: make([]int64, len(r.Paths)),
		rules: newKeyRules(r.Paths),
	}
	d.where = d.path
	d.whereObject = d.objectPath
	if r.Unmatched == Keep {
		d.quiet = jsontext.NewMemo(d.showMember)
	}
	return d
}

// Append appends the document with its values rewritten.
func (d *Rewriter) Append(dst, src []byte) ([]byte, error) {
	d.src, d.at, d.dst, d.copied, d.trail = src, 0, dst, 0, d.trail[:0]
	d.states, d.escapes = d.states[:0], false
	if d.Unmatched == Redact {
		d.seed()
	}
	for i := range d.machine {
		d.states = append(d.states, d.machine[i].begin)
	}
	d.looking = d.Watch != nil && d.Watch.Begin()
	d.counting = d.Census.begin()
	d.eachKey = d.counting || d.looking && d.Watch.Key != nil
	d.blanks()
	if err := d.value(level{alive: len(d.Paths) > 0}, -1); err != nil {
		return d.dst, err
	}
	d.blanks()
	if d.at != len(src) {
		return d.dst, errNotJSON
	}
	d.copy(len(src), len(src))
	if d.looking {
		return d.dst, d.Watch.End()
	}
	return d.dst, nil
}

// Escapes reports whether what was put into the last document may hold what COPY
// escapes, where the document itself held nothing of that kind.
func (d *Rewriter) Escapes() bool { return d.escapes }

func (d *Rewriter) blanks() { d.at = jsontext.AfterBlanks(d.src, d.at) }

func (d *Rewriter) peek() byte {
	if d.at < len(d.src) {
		return d.src[d.at]
	}
	return 0
}

// moved goes on where something ended; it did not where that is below 0.
func (d *Rewriter) moved(end int) error {
	if end < 0 {
		return errNotJSON
	}
	d.at = end
	return nil
}

// reached are the states of the paths at one level of nesting.
func (d *Rewriter) reached(depth int) []uint64 {
	return d.states[depth*len(d.machine) : (depth+1)*len(d.machine)]
}

// value rewrites the value that begins here. inForce is the path that decides
// for all that it holds, unless a longer one names it; -1 for none.
func (d *Rewriter) value(at level, inForce int) error {
	if at.depth > jsontext.Deepest {
		return errNotJSON
	}
	if at.alive {
		inForce, at = d.named(at, inForce)
		if inForce >= 0 && d.Paths[inForce].whole() {
			return d.replaceWhole(inForce)
		}
	}
	switch {
	case at.alive, at.keys != nil && d.peek() == '{':
	case d.passes(inForce):
		from := d.at
		err := d.moved(d.passingEnd(at.depth, inForce))
		d.passed(from, inForce)
		return err
	case inForce < 0 && d.Unmatched == Redact && !(d.eachKey && nests(d.peek())):
		return d.moved(d.redactValue(d.at, at.depth))
	}
	c := d.peek()
	switch {
	case c == '{':
		return d.object(at, inForce)
	case c == '[':
		return d.array(at, inForce)
	case c == '"':
		return d.text(inForce)
	case c == '-' || '0' <= c && c <= '9':
		return d.numeral(inForce)
	}
	return d.moved(jsontext.LiteralEnd(d.src, d.at))
}

// named counts the paths that end here and tells which decides for values and which
// for keys, and whether any leads further.
func (d *Rewriter) named(at level, inForce int) (int, level) {
	found := false
	at.alive = false
	for i, state := range d.reached(at.depth) {
		w := &d.machine[i]
		at.alive = at.alive || state&^w.ends != 0
		for ends := state & w.ends; ends != 0; ends &= ends - 1 {
			path := w.at[bits.TrailingZeros64(ends)].path
			if rule := d.rules[path]; rule != nil { // which is counted where there is an object
				if at.keys == nil {
					at.keys = rule
				}
				continue
			}
			d.Met[path]++
			if !found {
				inForce, found = path, true
			}
		}
	}
	return inForce, at
}

// whole reports whether a path's rule replaces objects and arrays too.
func (p *Path) whole() bool {
	return p.Made != nil && (p.Made.Name() == transform.SetNull || p.Made.Name() == transform.Constant)
}

func (d *Rewriter) passes(inForce int) bool {
	return inForce >= 0 && d.Paths[inForce].Made == nil || inForce < 0 && d.Unmatched == Keep
}

// ShowKept has show see, in UTF-8, what stays as it is of the values that a path
// preserves or, of one below 0, that no path names: of documents that come while
// awake is true.
func (d *Rewriter) ShowKept(path int, awake *bool, show func(text []byte)) {
	if d.kept == nil {
		d.kept = make([]func([]byte), len(d.Paths)+1)
	}
	d.awake, d.kept[path+1] = awake, show
}

// passed looks at what stays as it is, from where it begins up to here.
func (d *Rewriter) passed(from, inForce int) {
	if d.kept != nil && *d.awake && d.kept[inForce+1] != nil {
		text := d.src[from:d.at]
		if len(text) > 1 && text[0] == '"' {
			text = text[1 : len(text)-1]
		}
		d.kept[inForce+1](d.unescaped(text))
	}
	if !d.looking {
		return
	}
	if d.Watch.Look != nil && (inForce < 0 || d.Watch.Named) {
		d.Watch.Look(d.unescaped(d.src[from:d.at]), false, d.where)
	}
	if d.Watch.Tell != nil && inForce < 0 && d.at > from && isValue(d.src[from]) {
		d.tellOwn(d.src[from])
	}
}

// sampled shows a text that is taken away, in UTF-8.
func (d *Rewriter) sampled(text []byte) {
	if d.Sample != nil {
		d.Sample(text)
	}
}

func (d *Rewriter) replaceWhole(inForce int) error {
	from := d.at
	if err := d.moved(jsontext.ValueEnd(d.src, from, 0)); err != nil {
		return err
	}
	p := &d.Paths[inForce]
	if d.src[from] == '"' {
		d.sampled(d.unescaped(d.src[from+1 : d.at-1]))
	}
	d.until(from)
	if p.Made.Name() == transform.SetNull || string(d.src[from:d.at]) == "null" {
		d.dst = append(d.dst, "null"...)
	} else {
		d.dst = append(d.dst, p.written...)
		d.escapes = true
	}
	return nil
}

// until appends what was passed over before from, and counts what was read
// since as replaced.
func (d *Rewriter) until(from int) { d.copy(from, d.at) }

// copy brings dst to what becomes of src before from, to which it may be ahead,
// and goes on at end.
func (d *Rewriter) copy(from, end int) {
	if from >= d.copied {
		d.dst = append(d.dst, d.src[d.copied:from]...)
	} else {
		d.dst = d.dst[:len(d.dst)-(d.copied-from)]
	}
	d.copied = end
}

func (d *Rewriter) object(at level, inForce int) error {
	d.at++
	d.blanks()
	o := d.begin(at, inForce)
	if d.peek() == '}' {
		d.at++
		return nil
	}
	redacts := inForce < 0 && d.Unmatched == Redact && o.rule == nil
	s, i := d.src, d.at
	for more := true; more; {
		if i >= len(s) || s[i] != '"' {
			return errNotJSON
		}
		end, simple, escaped := jsontext.LabelEnd(s, i+1)
		if end < 0 {
			return errNotJSON
		}
		if redacts && !d.eachKey && !escaped && !o.wanted.has(end-i-2) {
			i = d.redactMember(i, end, simple, at.depth+1)
		} else {
			d.at, d.escaped = end, escaped
			if err := d.member(at, &o, i); err != nil {
				return err
			}
			i = d.at
		}
		i, more = jsontext.Next(s, i, '}')
		if i < 0 {
			return errNotJSON
		}
	}
	d.at = i
	return nil
}

// member rewrites the member whose key began at from and ends here.
func (d *Rewriter) member(at level, o *object, from int) error {
	inner := level{depth: at.depth + 1}
	literal := false
	if o.wanted.has(d.at-from-2) || d.escaped && o.wanted != 0 {
		literal, inner.alive = d.toMember(at.depth, d.src[from+1:d.at-1])
	}
	d.trail = append(d.trail, place{from + 1, d.at - 1})
	if err := d.key(from, literal, o); err != nil {
		return err
	}
	if err := d.moved(jsontext.ColonEnd(d.src, d.at)); err != nil {
		return err
	}
	if err := d.value(inner, o.inForce); err != nil {
		return err
	}
	d.trail = d.trail[:len(d.trail)-1]
	return nil
}

func (d *Rewriter) array(at level, inForce int) error {
	d.at++
	d.blanks()
	if d.peek() == ']' {
		d.at++
		return nil
	}
	d.trail = append(d.trail, place{})
	inner := level{depth: at.depth + 1, alive: at.alive}
	more := true
	for i := 0; more; i++ {
		if at.alive {
			inner.alive = d.toElement(at.depth, i)
		}
		if err := d.value(inner, inForce); err != nil {
			return err
		}
		d.at, more = jsontext.Next(d.src, d.at, ']')
		if d.at < 0 {
			return errNotJSON
		}
	}
	d.trail = d.trail[:len(d.trail)-1]
	return nil
}

// wanted are the lengths of the keys that lead further from what stands at a
// level.
func (d *Rewriter) wanted(at level) (all lengths) {
	if at.alive {
		for i, state := range d.reached(at.depth) {
			all |= d.machine[i].wanted(state)
		}
	}
	return all
}

// toMember reckons where a member of what stands at a depth leads; literal
// reports whether a path names it by its key, alive whether any leads there.
func (d *Rewriter) toMember(depth int, key []byte) (literal, alive bool) {
	var plain []byte
	if d.escaped {
		plain = d.unescaped(key)
	}
	above, below := d.descend(depth)
	for i := range d.machine {
		next, named := uint64(0), false
		if above[i] != 0 {
			next, named = d.machine[i].toMember(above[i], key, plain)
		}
		below[i] = next
		literal, alive = literal || named, alive || next != 0
	}
	return literal, alive
}

// toElement does likewise for an array's element.
func (d *Rewriter) toElement(depth, index int) (alive bool) {
	above, below := d.descend(depth)
	for i := range d.machine {
		below[i] = d.machine[i].toElement(above[i], index)
		alive = alive || below[i] != 0
	}
	return alive
}

// descend are the states at a depth, and the place of those below it.
func (d *Rewriter) descend(depth int) (above, below []uint64) {
	for need := (depth + 2) * len(d.machine); len(d.states) < need; {
		d.states = append(d.states, 0)
	}
	return d.reached(depth), d.reached(depth + 1)
}

// text rewrites the string that begins here.
func (d *Rewriter) text(inForce int) error {
	from := d.at
	if err := d.skipText(); err != nil || d.at-from == len(`""`) {
		return err
	}
	if d.passes(inForce) {
		d.passed(from, inForce)
		return nil
	}
	if inForce < 0 {
		return d.unnamed(from)
	}
	made, stays := d.Paths[inForce].Made, d.Stays[inForce]
	value := d.unescaped(d.src[from+1 : d.at-1])
	normalized := d.mask.Normalize(made, value)
	if len(normalized) == 0 {
		return nil
	}
	if stays != nil && stays(normalized) {
		return nil
	}
	d.sampled(value)
	return d.write(from, made, value, normalized)
}

// unnamed rewrites a string or number that no path names, and that may not pass.
func (d *Rewriter) unnamed(from int) error {
	if d.Unmatched == Refuse {
		return &UnnamedError{Path: d.path()}
	}
	return d.moved(d.redactValue(from, 0))
}

// write puts what the recipe makes in the place of what was read from from on,
// as a string.
func (d *Rewriter) write(from int, made *transform.Recipe, value, normalized []byte) (err error) {
	d.until(from)
	start := len(d.dst)
	d.dst, err = d.mask.Append(append(d.dst, '"'), made, value, normalized)
	if err != nil {
		return err
	}
	if made := d.dst[start+1:]; !jsontext.Verbatim(made) {
		d.out = append(d.out[:0], made...)
		d.dst = jsontext.AppendQuoted(d.dst[:start], d.out)
		d.escapes = true
		return nil
	}
	d.dst = append(d.dst, '"')
	return nil
}

// quote puts d.out as a string in the place of what stands in src from from to
// end.
func (d *Rewriter) quote(from, end int) {
	d.copy(from, end)
	d.escapes = d.escapes || !jsontext.Verbatim(d.out)
	d.dst = jsontext.AppendQuoted(d.dst, d.out)
}

// numeral rewrites the number that begins here: by noise where the rule says
// so, digit for digit where it keeps a text's shape, else as a string.
func (d *Rewriter) numeral(inForce int) (err error) {
	from := d.at
	if err := d.moved(jsontext.NumberEnd(d.src, from)); err != nil {
		return err
	}
	if d.passes(inForce) {
		d.passed(from, inForce)
		return nil
	}
	if inForce < 0 {
		return d.unnamed(from)
	}
	made, value := d.Paths[inForce].Made, d.src[from:d.at]
	switch {
	case made.StaysNumber():
		d.until(from)
		d.dst, err = d.mask.AppendNumber(d.dst, made, value)
		return err
	case made.ReplacesDigits():
		d.until(from)
		d.dst = d.mask.AppendDigits(d.dst, made, value)
		return nil
	}
	return d.write(from, made, value, value)
}

// skipText passes over the string that begins here.
func (d *Rewriter) skipText() (err error) {
	if d.peek() != '"' {
		return errNotJSON
	}
	end, escaped := jsontext.TextEnd(d.src, d.at+1)
	d.escaped = escaped
	return d.moved(end)
}

// unescaped is a string's value in UTF-8, valid until the next call.
func (d *Rewriter) unescaped(s []byte) []byte {
	s = d.decode.Decode(s)
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	d.raw = jsontext.AppendUnquoted(d.raw[:0], s)
	return d.raw
}
