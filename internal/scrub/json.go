package scrub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	"daybefore/internal/spec"
)

var errNotJSON = errors.New("not a JSON document")

// deepest is how far documents may nest: further than a server's stack goes.
const deepest = 100_000

// documentPaths is the name under which a rule by paths is reported.
const documentPaths = "json"

// What becomes of values that no path names.
const (
	redactUnmatched = "redact"
	refuseUnmatched = "refuse"
	keepUnmatched   = "keep"
)

// documentRecipe says what becomes of the values in a JSON document.
type documentRecipe struct {
	column    *column
	paths     []pathRecipe
	unmatched string
	redact    *recipe // of texts
}

type pathRecipe struct {
	spec.JSONPath
	keys    [][]byte // of the steps, in the encoding of the rows
	made    *recipe  // nil: the value passes
	written []byte   // constant, as JSON
	link    string
	pos     spec.Pos
}

// document rewrites JSON documents byte by byte: what it does not replace
// stays as it was written, to the last digit and blank. One serves one
// goroutine.
type document struct {
	*documentRecipe
	mask   *masker
	decode *decoder
	stays  [][]foldedGlob // by path: values of its link that keep leaves as they are
	met    []int64        // by path: values that it named
	sample *sampler       // of the texts that it rewrites; nil: not wanted
	inside *inside        // looks at what passes; nil: nobody does

	src    []byte
	at     int      // in src
	copied int      // of src to the output
	masks  []uint64 // for each level of nesting and path: bit n tells that n steps led here
	trail  []place
	random randomBytes // for what is redacted: of the whole document, once it is needed
	seeded bool
	number recipe // for a number in the place of a text
	raw    []byte
	out    []byte
}

// place is a member's key in src, or an array's element where to is 0.
type place struct{ from, to int }

// unnamedValue is a value that no path names, where that is refused.
type unnamedValue struct{ path string }

func (e *unnamedValue) Error() string { return "a value at " + e.path + " that no path names" }

func newDocument(p *Plan, r *documentRecipe, mask *masker, decode *decoder) *document {
	d := &document{documentRecipe: r, mask: mask, decode: decode, met: make([]int64, len(r.paths))}
	if r.unmatched == keepUnmatched {
		d.inside = p.newInside(p.scanner)
	}
	for _, path := range r.paths {
		d.stays = append(d.stays, p.keptInLink(path.link))
	}
	return d
}

// append appends the document with its values rewritten.
func (d *document) append(dst, src []byte) ([]byte, error) {
	d.src, d.at, d.copied, d.trail = src, 0, 0, d.trail[:0]
	d.masks, d.seeded = d.masks[:0], false
	for range d.paths {
		d.masks = append(d.masks, 1)
	}
	d.inside.begin()
	d.blanks()
	dst, err := d.value(dst, 0, -1)
	if err != nil {
		return dst, err
	}
	if d.blanks(); d.at != len(src) {
		return dst, errNotJSON
	}
	return append(dst, src[d.copied:]...), d.inside.end()
}

func (d *document) blanks() {
	for d.at < len(d.src) && (d.src[d.at] == ' ' || d.src[d.at] == '\n' || d.src[d.at] == '\r' || d.src[d.at] == '\t') {
		d.at++
	}
}

func (d *document) peek() byte {
	if d.at < len(d.src) {
		return d.src[d.at]
	}
	return 0
}

// level are the masks of one level of nesting.
func (d *document) level(n int) []uint64 { return d.masks[n*len(d.paths) : (n+1)*len(d.paths)] }

// value rewrites the value that begins here. inForce is the path that decides
// for all that it holds, unless a longer one names it; -1 for none.
func (d *document) value(dst []byte, level, inForce int) ([]byte, error) {
	if level > deepest {
		return dst, errNotJSON
	}
	inForce, alive := d.named(level, inForce)
	if inForce >= 0 && d.paths[inForce].whole() {
		return d.replaceWhole(dst, inForce)
	}
	if !alive && d.passes(inForce) {
		from := d.at
		err := d.skip(level)
		d.passed(from, inForce)
		return dst, err
	}
	switch c := d.peek(); {
	case c == '{':
		return d.object(dst, level, inForce)
	case c == '[':
		return d.array(dst, level, inForce)
	case c == '"':
		return d.text(dst, inForce)
	case c == '-' || '0' <= c && c <= '9':
		return d.numeral(dst, inForce)
	}
	return dst, d.word()
}

// named counts the paths that end here and tells which decides, and whether
// any leads further.
func (d *document) named(level, inForce int) (int, bool) {
	found, alive := false, false
	for i, mask := range d.level(level) {
		if mask == 0 {
			continue
		}
		end := uint64(1) << len(d.paths[i].Steps)
		if alive = alive || mask&^end != 0; mask&end != 0 {
			d.met[i]++
			if !found {
				inForce, found = i, true
			}
		}
	}
	return inForce, alive
}

// whole tells whether a path's rule replaces objects and arrays too.
func (p *pathRecipe) whole() bool {
	return p.made != nil && (p.made.name == setNull || p.made.name == constant)
}

func (d *document) passes(inForce int) bool {
	return inForce >= 0 && d.paths[inForce].made == nil || inForce < 0 && d.unmatched == keepUnmatched
}

// passed looks at what stays as it is, from where it begins up to here.
func (d *document) passed(from, inForce int) {
	if !d.inside.looks(inForce >= 0) {
		return
	}
	if kind, ok := d.inside.find(d.unescaped(d.src[from:d.at])); ok {
		path := d.path()
		d.inside.leaked(d.column.root().String()+" at "+path, kind, fmt.Sprintf("add under json: - {path: %s, transform: %s}, or preserve: true with a why", path, transformFor[kind]))
	}
}

func (d *document) replaceWhole(dst []byte, inForce int) ([]byte, error) {
	from := d.at
	if err := d.skip(0); err != nil {
		return dst, err
	}
	p := &d.paths[inForce]
	if d.src[from] == '"' {
		d.sample.add(d.unescaped(d.src[from+1 : d.at-1]))
	}
	if p.made.name == setNull || string(d.src[from:d.at]) == "null" {
		return append(d.until(dst, from), "null"...), nil
	}
	return append(d.until(dst, from), p.written...), nil
}

// until appends what was passed over before from, and counts what was read
// since as replaced.
func (d *document) until(dst []byte, from int) []byte {
	dst = append(dst, d.src[d.copied:from]...)
	d.copied = d.at
	return dst
}

func (d *document) object(dst []byte, level, inForce int) (_ []byte, err error) {
	d.at++
	if d.blanks(); d.peek() == '}' {
		d.at++
		return dst, nil
	}
	for {
		d.blanks()
		from := d.at
		if err := d.skipText(); err != nil {
			return dst, err
		}
		key := d.src[from+1 : d.at-1]
		literal := d.descend(level, key, -1)
		d.trail = append(d.trail, place{from + 1, d.at - 1})
		if dst, err = d.key(dst, from, literal, inForce); err != nil {
			return dst, err
		}
		if d.blanks(); d.peek() != ':' {
			return dst, errNotJSON
		}
		d.at++
		d.blanks()
		if dst, err = d.value(dst, level+1, inForce); err != nil {
			return dst, err
		}
		d.trail = d.trail[:len(d.trail)-1]
		more, err := d.next('}')
		if err != nil || !more {
			return dst, err
		}
	}
}

func (d *document) array(dst []byte, level, inForce int) (_ []byte, err error) {
	d.at++
	if d.blanks(); d.peek() == ']' {
		d.at++
		return dst, nil
	}
	d.trail = append(d.trail, place{})
	for i := 0; ; i++ {
		d.blanks()
		d.descend(level, nil, i)
		if dst, err = d.value(dst, level+1, inForce); err != nil {
			return dst, err
		}
		more, err := d.next(']')
		if err != nil || !more {
			d.trail = d.trail[:len(d.trail)-1]
			return dst, err
		}
	}
}

// next takes a comma, or the bracket that ends.
func (d *document) next(end byte) (more bool, err error) {
	d.blanks()
	c := d.peek()
	if c != ',' && c != end {
		return false, errNotJSON
	}
	d.at++
	return c == ',', nil
}

// descend reckons the masks of a member or, where key is nil, of an element;
// and tells whether a path names the member by its key.
func (d *document) descend(level int, key []byte, index int) (literal bool) {
	need := (level + 2) * len(d.paths)
	for len(d.masks) < need {
		d.masks = append(d.masks, 0)
	}
	plain := bytes.IndexByte(key, '\\') < 0
	above, below := d.level(level), d.level(level+1)
	for i := range d.paths {
		below[i] = 0
		if above[i] == 0 {
			continue
		}
		p := &d.paths[i]
		for n := range p.Steps {
			if above[i]&(1<<n) == 0 {
				continue
			}
			step := &p.Steps[n]
			if step.Deep {
				below[i] |= 1 << n
			}
			switch {
			case step.Element != (index >= 0):
			case step.Any, step.Element && step.Index == index:
				below[i] |= 2 << n
			case !step.Element:
				if plain && bytes.Equal(key, p.keys[n]) || !plain && string(d.unescaped(key)) == step.Key {
					below[i] |= 2 << n
					literal = true
				}
			}
		}
	}
	return literal
}

// key judges a member's key, which may be a value itself: {"ada@example.com": 1}.
// One that is no plain word, and that no path names, goes the way of values.
func (d *document) key(dst []byte, from int, literal bool, inForce int) ([]byte, error) {
	key := d.src[from+1 : d.at-1]
	if d.passes(inForce) && !literal {
		d.passed(from, inForce)
		return dst, nil
	}
	if literal || plainKey(key) {
		return dst, nil
	}
	if key = d.unescaped(key); plainKey(key) {
		return dst, nil
	}
	made := d.redact
	switch {
	case inForce >= 0:
		made = d.paths[inForce].made
	case d.unmatched == refuseUnmatched:
		return dst, &unnamedValue{d.path()}
	}
	digest := d.mask.digest(made.domain, key)
	dst = append(d.until(dst, from), '"')
	return append(emailAlphabet.AppendEncode(dst, digest[:emailBytes]), '"'), nil
}

// plainKey tells a word that names from one that may be somebody's: without
// blanks, signs of an address and more digits than a counter has.
func plainKey(key []byte) bool {
	const counter = 6
	digits := 0
	for _, c := range key {
		switch {
		case 'a' <= c|0x20 && c|0x20 <= 'z', c == '_', c == '-', c == '.', c == '$', c == ':', c == '/':
		case '0' <= c && c <= '9':
			digits++
		default:
			return false
		}
	}
	return digits <= counter
}

// text rewrites the string that begins here.
func (d *document) text(dst []byte, inForce int) ([]byte, error) {
	from := d.at
	if err := d.skipText(); err != nil || d.at-from == len(`""`) {
		return dst, err
	}
	if d.passes(inForce) {
		d.passed(from, inForce)
		return dst, nil
	}
	if inForce < 0 {
		return d.redactText(dst, from)
	}
	made, stays := d.paths[inForce].made, d.stays[inForce]
	value := d.unescaped(d.src[from+1 : d.at-1])
	normalised := d.mask.normalise(made, value)
	if len(normalised) == 0 {
		return dst, nil
	}
	for _, g := range stays {
		if g.match(normalised) {
			return dst, nil
		}
	}
	d.sample.add(value)
	return d.write(dst, from, made, value, normalised)
}

// redactText gives a string that no path names other letters and digits. They
// are those of its document: a digest for each would cost more than all else.
func (d *document) redactText(dst []byte, from int) ([]byte, error) {
	if d.unmatched == refuseUnmatched {
		return dst, &unnamedValue{d.path()}
	}
	value := d.unescaped(d.src[from+1 : d.at-1])
	d.sample.add(value)
	d.out = appendShape(d.out[:0], value, d.randomness(), false, d.redact.asciiOnly)
	return appendJSONString(d.until(dst, from), d.out), nil
}

func (d *document) redactNumber(dst []byte, from int) ([]byte, error) {
	if d.unmatched == refuseUnmatched {
		return dst, &unnamedValue{d.path()}
	}
	value := d.src[from:d.at]
	return appendDigits(d.until(dst, from), value, d.randomness()), nil
}

// randomness is the same for equal documents.
func (d *document) randomness() *randomBytes {
	if !d.seeded {
		d.random, d.seeded = newRandomBytes(d.mask.digest(d.redact.domain, d.src)), true
	}
	return &d.random
}

// write puts what the recipe makes in the place of what was read from from on,
// as a string.
func (d *document) write(dst []byte, from int, made *recipe, value, normalised []byte) (_ []byte, err error) {
	if d.out, err = d.mask.append(d.out[:0], made, value, normalised); err != nil {
		return dst, err
	}
	return appendJSONString(d.until(dst, from), d.out), nil
}

// numeral rewrites the number that begins here: by noise where the rule says
// so, digit for digit where it keeps a text's shape, else as a string.
func (d *document) numeral(dst []byte, inForce int) (_ []byte, err error) {
	from := d.at
	if err := d.skipNumber(); err != nil {
		return dst, err
	}
	if d.passes(inForce) {
		d.passed(from, inForce)
		return dst, nil
	}
	if inForce < 0 {
		return d.redactNumber(dst, from)
	}
	made, value := d.paths[inForce].made, d.src[from:d.at]
	switch {
	case made.name == noise || made.name == money:
		d.number = *made
		d.number.plainNumber, d.number.lenient = true, false
		dst = d.until(dst, from)
		return d.mask.append(dst, &d.number, value, value)
	case made.keepsShape && made.name != password && made.name != tokenLike:
		digest := d.mask.digest(made.domain, value)
		random := newRandomBytes(digest)
		return appendDigits(d.until(dst, from), value, &random), nil
	}
	return d.write(dst, from, made, value, value)
}

// appendDigits replaces a number's digits one for one; a leading zero, the
// point and the exponent stay.
func appendDigits(dst, value []byte, random *randomBytes) []byte {
	first := true
	for i, c := range value {
		switch {
		case c == 'e' || c == 'E':
			return append(dst, value[i:]...)
		case '0' <= c && c <= '9' && first:
			c, first = shapeFirst(rune(c), random), false
		case '0' <= c && c <= '9':
			c = '0' + random.below(10)
		}
		dst = append(dst, c)
	}
	return dst
}

// word takes true, false or null, which hold nothing of anybody.
func (d *document) word() error {
	for _, w := range []string{"null", "true", "false"} {
		if hasPrefix(d.src[d.at:], w) {
			d.at += len(w)
			return nil
		}
	}
	return errNotJSON
}

func (d *document) skipText() error {
	if d.peek() != '"' {
		return errNotJSON
	}
	for i := d.at + 1; ; {
		end := bytes.IndexByte(d.src[i:], '"')
		if end < 0 {
			return errNotJSON
		}
		slashes := 0
		for i += end; d.src[i-1-slashes] == '\\'; {
			slashes++
		}
		if i++; slashes%2 == 0 {
			d.at = i
			return nil
		}
	}
}

func (d *document) skipNumber() error {
	s := d.src[d.at:]
	n := 0
	if s[0] == '-' {
		n++
	}
	whole := digitsOf(s[n:])
	if whole == 0 || whole > 1 && s[n] == '0' {
		return errNotJSON
	}
	n += whole
	if n < len(s) && s[n] == '.' {
		fraction := digitsOf(s[n+1:])
		if fraction == 0 {
			return errNotJSON
		}
		n += 1 + fraction
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		if n++; n < len(s) && (s[n] == '+' || s[n] == '-') {
			n++
		}
		power := digitsOf(s[n:])
		if power == 0 {
			return errNotJSON
		}
		n += power
	}
	d.at += n
	return nil
}

// skip passes over a value.
func (d *document) skip(level int) error {
	if level > deepest {
		return errNotJSON
	}
	c := d.peek()
	switch {
	case c == '"':
		return d.skipText()
	case c == '-' || '0' <= c && c <= '9':
		return d.skipNumber()
	case c != '{' && c != '[':
		return d.word()
	}
	end := c + 2 // of either bracket in ASCII
	d.at++
	if d.blanks(); d.peek() == end {
		d.at++
		return nil
	}
	for more := true; more; {
		d.blanks()
		if c == '{' {
			if err := d.skipText(); err != nil {
				return err
			}
			if d.blanks(); d.peek() != ':' {
				return errNotJSON
			}
			d.at++
			d.blanks()
		}
		if err := d.skip(level + 1); err != nil {
			return err
		}
		var err error
		if more, err = d.next(end); err != nil {
			return err
		}
	}
	return nil
}

// path is where the value that is read stands, without keys that may be
// somebody's.
func (d *document) path() string {
	s := []byte("$")
	for _, p := range d.trail {
		switch key := d.src[p.from:p.to]; {
		case p.to == 0:
			s = append(s, "[*]"...)
		case len(key) > 0 && plainKey(key) && !bytes.ContainsAny(key, ".$:/"):
			s = append(append(s, '.'), key...)
		default:
			s = append(s, ".*"...)
		}
	}
	return string(s)
}

// unescaped is a string's value in UTF-8, valid until the next call.
func (d *document) unescaped(s []byte) []byte {
	s = d.decode.decode(s)
	if bytes.IndexByte(s, '\\') < 0 {
		return s
	}
	d.raw = d.raw[:0]
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			d.raw = append(d.raw, s[i])
			continue
		}
		i++
		switch s[i] {
		case 'b':
			d.raw = append(d.raw, '\b')
		case 'f':
			d.raw = append(d.raw, '\f')
		case 'n':
			d.raw = append(d.raw, '\n')
		case 'r':
			d.raw = append(d.raw, '\r')
		case 't':
			d.raw = append(d.raw, '\t')
		case 'u':
			r, n := codeUnit(s[i+1:])
			if low, m := rune(0), 0; utf16.IsSurrogate(r) && hasPrefix(s[i+1+n:], `\u`) {
				if low, m = codeUnit(s[i+3+n:]); utf16.DecodeRune(r, low) != utf8.RuneError {
					r, n = utf16.DecodeRune(r, low), n+2+m
				}
			}
			d.raw = utf8.AppendRune(d.raw, r)
			i += n
		default:
			d.raw = append(d.raw, s[i])
		}
	}
	return d.raw
}

// codeUnit reads up to four hexadecimal digits.
func codeUnit(s []byte) (r rune, n int) {
	for n < min(4, len(s)) && isHex(s[n]) {
		c := s[n]
		if c > '9' {
			c = c&0x0f + 9 + '0'
		}
		r = r<<4 | rune(c-'0')
		n++
	}
	return r, n
}

// appendJSONString appends a string as JSON writes it.
func appendJSONString(dst, value []byte) []byte {
	dst = append(dst, '"')
	done := 0
	for i, c := range value {
		if c != '"' && c != '\\' && c >= 0x20 {
			continue
		}
		dst = append(dst, value[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		}
	}
	return append(append(dst, value[done:]...), '"')
}

// constantJSON is the value where it is JSON itself, else a string of it.
func constantJSON(value string) string {
	if json.Valid([]byte(value)) {
		return value
	}
	return string(appendJSONString(nil, []byte(value)))
}
