package document

import (
	"bytes"

	"daybefore/internal/jsontext"
	"daybefore/internal/scrub/transform"
)

// keyRule says what becomes of the keys of the objects at a path.
type keyRule struct {
	path   int
	made   *transform.Recipe // nil: they stay
	merges bool              // what is taken off a key may make it another of its object
}

// newKeyRules are by path, nil for those that are for values.
func newKeyRules(all []Path) []*keyRule {
	rules := make([]*keyRule, len(all))
	for i, p := range all {
		if p.Keys {
			rules[i] = &keyRule{path: i, made: p.Made, merges: p.Made != nil && p.Made.Normal() != (transform.Normal{})}
		}
	}
	return rules
}

// object is what is known of an object while its members are rewritten.
type object struct {
	inForce int
	wanted  lengths
	rule    *keyRule          // for its keys; nil: none
	firsts  map[string]string // where the rule merges: the first key that became a text
	group   *keyGroup         // where its keys are counted; nil: nobody does
}

// begin begins one whose brace is at the place where the rewriter is.
func (d *Rewriter) begin(at level, inForce int) object {
	o := object{inForce: inForce, wanted: d.wanted(at), rule: at.keys}
	switch {
	case o.rule != nil:
		d.Met[o.rule.path]++
		if o.rule.merges {
			o.firsts = map[string]string{}
		}
	case d.counting && !d.passes(inForce):
		o.group = d.Census.groupOf(d.src, d.trail)
	}
	return o
}

// apart is what a key is hashed as: without what its rule takes off it, but for one
// that would become what another key of the object did. No text of PostgreSQL's
// holds a zero byte, so that nothing else is hashed alike.
func (o *object) apart(key, normalized []byte) []byte {
	if o.firsts == nil {
		return normalized
	}
	earlier, known := o.firsts[string(normalized)]
	switch {
	case !known:
		o.firsts[string(normalized)] = string(key)
	case earlier != string(key):
		return append(bytes.Clone(key), 0)
	}
	return normalized
}

// key judges a member's key, which may be a value itself: {"ada@example.com": 1}.
// One that is no plain word, or that a detector knows, and that no path names, goes
// the way of values.
func (d *Rewriter) key(from int, literal bool, o *object) error {
	key := d.src[from+1 : d.at-1]
	switch {
	case literal:
		return nil
	case o.rule != nil && o.rule.made != nil:
		return d.rewriteKey(from, o)
	case o.rule != nil:
		d.stayed(key)
		return nil
	case d.passes(o.inForce):
		d.passedKey(from, o.inForce)
		return nil
	case d.mayStay(key):
		d.stayed(key)
		if o.group != nil && d.counting {
			d.count(key, o.group)
		}
		return nil
	case o.inForce >= 0:
		d.replaceKey(from, d.at, d.Paths[o.inForce].Made)
		return nil
	case d.Unmatched == Refuse:
		return &UnnamedError{Path: d.objectPath(), Key: true}
	}
	d.replaceKey(from, d.at, d.Redact)
	return nil
}

// count counts a key that stays, until enough of the document were counted.
func (d *Rewriter) count(key []byte, group *keyGroup) {
	group.add(d.Census.seed, d.unescaped(key))
	if d.Census.counted() {
		d.counting = false
		d.eachKey = d.looking && d.Watch.Key != nil
	}
}

// rewriteKey puts what the object's rule makes in the place of the key that began at
// from and ends here.
func (d *Rewriter) rewriteKey(from int, o *object) error {
	made, stays := o.rule.made, d.Stays[o.rule.path]
	value := d.unescaped(d.src[from+1 : d.at-1])
	normalized := d.mask.Normalize(made, value)
	if len(normalized) == 0 || stays != nil && stays(normalized) {
		return nil
	}
	d.sampled(value)
	return d.write(from, made, value, o.apart(value, normalized))
}

// mayStay reports whether a key is a word that names, and that no detector knows.
func (d *Rewriter) mayStay(key []byte) bool {
	return (jsontext.PlainKey(key) || d.names(key)) && !d.known(key)
}

// names reports whether a key is a plain word once it is unescaped.
func (d *Rewriter) names(key []byte) bool { return jsontext.PlainKey(d.unescaped(key)) }

// longestLabel is how long a key of letters and low lines, in its quotes, may be that
// is passed over at once, as most keys are: a secret is longer.
const longestLabel = 18

// known reports whether a detector knows a plain key: an address of a network, a
// secret.
func (d *Rewriter) known(key []byte) bool {
	if d.Known == nil || len(key)+len(`""`) <= longestLabel && isLabel(key) {
		return false
	}
	return d.Known(d.unescaped(key))
}

func isLabel(key []byte) bool {
	for _, c := range key {
		if c != '_' && (c|0x20 < 'a' || 'z' < c|0x20) {
			return false
		}
	}
	return true
}

// replaceKey puts a word in the place of a key that stands from from to end.
func (d *Rewriter) replaceKey(from, end int, made *transform.Recipe) {
	key := d.unescaped(d.src[from+1 : end-1])
	d.sampled(key)
	d.copy(from, end)
	d.dst = append(d.mask.AppendWord(append(d.dst, '"'), made, key), '"')
}

// stayed shows a key that stays where values are rewritten.
func (d *Rewriter) stayed(key []byte) {
	if d.looking && d.Watch.Key != nil {
		d.Watch.Key(d.unescaped(key))
	}
}

// passedKey looks at a key that stays as it is with what it names, from where it
// begins up to here.
func (d *Rewriter) passedKey(from, inForce int) {
	if !d.looking || d.Watch.Look == nil || inForce >= 0 && !d.Watch.Named {
		return
	}
	if inForce < 0 && d.isQuiet(from+1, d.at-1) {
		return
	}
	d.Watch.Look(d.unescaped(d.src[from:d.at]), true, d.whereObject)
}

// isQuiet reports whether nobody has to be shown a key that no path names.
func (d *Rewriter) isQuiet(from, end int) bool {
	switch {
	case d.Watch.Quiet == nil:
		return false
	case d.quiet.Has(d.src, from, end):
		return true
	case !d.Watch.Quiet(d.unescaped(d.src[from:end])):
		return false
	}
	d.quiet.Add(d.src, from, end)
	return true
}

// showMember is tellMember unless the key is quiet, which it reports.
func (d *Rewriter) showMember(from, end, value int) (quiet bool) {
	if d.Watch.Quiet != nil && d.Watch.Quiet(d.unescaped(d.src[from:end])) {
		return true
	}
	d.tellMember(from, end, value)
	return false
}

// passingEnd is where the value that begins here ends, and tells the keys of the texts
// and numbers within it, unless a path in force decides for it; -1 for no end.
func (d *Rewriter) passingEnd(depth, inForce int) int {
	if !d.looking || d.Watch.Tell == nil || inForce >= 0 || !nests(d.peek()) {
		return jsontext.ValueEnd(d.src, d.at, depth)
	}
	if last := len(d.trail) - 1; last >= 0 && d.peek() == '[' && d.trail[last].to > 0 {
		if own := d.trail[last]; !d.isQuiet(own.from, own.to) {
			d.tellMember(own.from, own.to, d.at)
		}
	}
	return d.quiet.ValueEnd(d.src, d.at, depth)
}

// tellMember shows a key if it is the key of a text or a number, which may be the
// first of an array.
func (d *Rewriter) tellMember(from, end, value int) {
	s := d.src
	for value < len(s) && (s[value] == '[' || s[value] <= ' ') {
		value++
	}
	if value < len(s) && isValue(s[value]) && !bytes.HasPrefix(s[value:], []byte(`""`)) {
		d.Watch.Tell(d.unescaped(s[from:end]), s[value] != '"')
	}
}

// tellOwn shows the key of the text or number that begins with a byte, or of the array
// in which it stands.
func (d *Rewriter) tellOwn(c byte) {
	for i := len(d.trail) - 1; i >= 0; i-- {
		p := d.trail[i]
		if p.to == 0 {
			continue
		}
		if !d.isQuiet(p.from, p.to) {
			d.Watch.Tell(d.unescaped(d.src[p.from:p.to]), c != '"')
		}
		return
	}
}

// nests reports whether an object or an array begins with a byte.
func nests(c byte) bool { return c == '{' || c == '[' }

// isValue reports whether a text or a number begins with a byte.
func isValue(c byte) bool { return c == '"' || c == '-' || '0' <= c && c <= '9' }

// path is where the value that is read stands, without keys that may be somebody's.
func (d *Rewriter) path() string { return d.pathOf(d.trail) }

// objectPath is that of the object whose key is read.
func (d *Rewriter) objectPath() string { return d.pathOf(d.trail[:len(d.trail)-1]) }

func (d *Rewriter) pathOf(trail []place) string {
	s := []byte("$")
	for _, p := range trail {
		key := d.src[p.from:p.to]
		switch {
		case p.to == 0:
			s = append(s, "[*]"...)
		case d.mayTell(key):
			s = append(append(s, '.'), key...)
		default:
			s = append(s, ".*"...)
		}
	}
	return string(s)
}

// mayTell reports whether a path may show a key: one that the rule's own paths name,
// that is too short to be anybody's, or that is known as a name.
func (d *Rewriter) mayTell(key []byte) bool {
	const short = 2
	if len(key) == 0 || !jsontext.PlainKey(key) || bytes.ContainsAny(key, ".$:/") {
		return false
	}
	return len(key) <= short || d.told[string(key)] || d.Told != nil && d.Told(key)
}
