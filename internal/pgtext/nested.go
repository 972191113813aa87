package pgtext

import "bytes"

// mostDimensions is MAXDIM.
const mostDimensions = 6

// dimensions are an array's, as far as it was read.
type dimensions struct {
	depth, leaves       int // how deep it is, and how deep the elements are; 0: not known
	count, size         [mostDimensions + 1]int
	closed              [mostDimensions + 1]bool
	bounds              int // how many were given
	given               [mostDimensions]int
	expects, hasElement bool
}

// array follows array_in: bounds, braces that match, elements of the type.
func (r *Reader) array(t *Type, s []byte) bool {
	d := dimensions{expects: true}
	s, ok := d.readBounds(skipSpace(s))
	if !ok || len(s) == 0 || s[0] != '{' {
		return false
	}
	for {
		s = skipSpace(s)
		if len(s) == 0 {
			return false
		}
		c := s[0]
		switch {
		case c == '{' && d.expects:
			if !d.open() {
				return false
			}
			s = s[1:]
		case c == '}' && (!d.expects || d.count[d.depth] == 0 && !d.hasElement):
			s = s[1:]
			if !d.close() {
				return false
			}
			if d.depth == 0 {
				return len(skipSpace(s)) == 0 && d.match()
			}
		case c == t.delim && !d.expects:
			d.expects, s = true, s[1:]
		case d.expects && d.leaf():
			s, ok = r.element(t, s)
			if !ok {
				return false
			}
		default:
			return false
		}
	}
}

func (d *dimensions) open() bool {
	d.count[d.depth]++
	if d.leaves > 0 && d.depth >= d.leaves || d.depth == mostDimensions {
		return false
	}
	d.depth++
	d.count[d.depth], d.hasElement = 0, false
	return true
}

// leaf takes in an element: all stand equally deep.
func (d *dimensions) leaf() bool {
	if d.leaves == 0 {
		d.leaves = d.depth
	}
	d.count[d.depth]++
	d.expects, d.hasElement = false, true
	return d.leaves == d.depth
}

func (d *dimensions) close() bool {
	n := d.count[d.depth]
	if d.closed[d.depth] && d.size[d.depth] != n {
		return false
	}
	d.closed[d.depth], d.size[d.depth] = true, n
	d.depth--
	d.expects, d.hasElement = false, true
	return true
}

// match reports whether the bounds that were given are those of the elements.
func (d *dimensions) match() bool {
	if d.bounds == 0 {
		return true
	}
	for i := range d.bounds {
		if d.size[i+1] != d.given[i] {
			return false
		}
	}
	return d.bounds == max(d.leaves, 1)
}

// readBounds reads [1:2][3]= and returns what follows.
func (d *dimensions) readBounds(s []byte) ([]byte, bool) {
	for len(s) > 0 && s[0] == '[' {
		end := bytes.IndexByte(s, ']')
		if end < 0 || d.bounds == mostDimensions {
			return nil, false
		}
		lower, upper, both := bytes.Cut(s[1:end], []byte(":"))
		if !both {
			lower, upper = []byte("1"), lower
		}
		from, ok := rangeBound(lower)
		to, too := rangeBound(upper)
		if !ok || !too || to < from {
			return nil, false
		}
		d.given[d.bounds], d.bounds = to-from+1, d.bounds+1
		s = skipSpace(s[end+1:])
	}
	if d.bounds == 0 {
		return s, true
	}
	if len(s) == 0 || s[0] != '=' {
		return nil, false
	}
	return skipSpace(s[1:]), true
}

func rangeBound(s []byte) (n int, ok bool) {
	if len(s) == 0 {
		return 0, false
	}
	negative := s[0] == '-'
	if negative || s[0] == '+' {
		s = s[1:]
	}
	n, rest := number(s, 1<<31-1)
	ok = len(bytes.Trim(rest, "+-0123456789")) == 0
	if n < 0 { // before 17 atoi read it
		n = 0
	}
	if negative {
		n = -n
	}
	return n, ok
}

// element reads one element and returns what follows it.
func (r *Reader) element(t *Type, s []byte) (rest []byte, ok bool) {
	var null bool
	value := r.buffer()
	if s[0] == '"' {
		value, rest, ok = quotedElement(value, s[1:])
	} else {
		value, rest, null, ok = bareElement(value, s, t.delim)
	}
	r.keep(value)
	return rest, ok && (null || r.part(t.parts[0], value))
}

// quotedElement reads up to the quote that ends an element.
func quotedElement(value, s []byte) (_, rest []byte, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return value, s[i+1:], true
		case '\\':
			i++
			if i == len(s) {
				return value, nil, false
			}
		}
		value = append(value, s[i])
	}
	return value, nil, false
}

// bareElement reads up to the delimiter or brace that ends an element.
func bareElement(value, s []byte, delim byte) (_, rest []byte, null, ok bool) {
	keep, escaped := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == delim || c == '}':
			value = value[:keep]
			return value, s[i:], !escaped && fold(value, "null"), keep > 0
		case c == '{' || c == '"':
			return value, nil, false, false
		case c == '\\':
			i++
			if i == len(s) {
				return value, nil, false, false
			}
			value = append(value, s[i])
			escaped = true
			keep = len(value)
		default:
			value = append(value, c)
			if !isSpace(c) {
				keep = len(value)
			}
		}
	}
	return value, nil, false, false
}

func skipSpace(s []byte) []byte {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

// composite follows record_in: as many fields as there are, each of its type.
func (r *Reader) composite(t *Type, s []byte) bool {
	s = skipSpace(s)
	if len(s) == 0 || s[0] != '(' {
		return false
	}
	s = s[1:]
	for i, field := range t.parts {
		if i > 0 {
			if len(s) == 0 || s[0] != ',' {
				return false
			}
			s = s[1:]
		}
		if len(s) > 0 && (s[0] == ',' || s[0] == ')') { // null
			continue
		}
		value, rest, ok := untilDelimiter(r.buffer(), s, ",)")
		r.keep(value)
		if !ok || !r.part(field, value) {
			return false
		}
		s = rest
	}
	return len(s) > 0 && s[0] == ')' && len(skipSpace(s[1:])) == 0
}

// untilDelimiter reads up to one of the delimiters that is not quoted, which is
// left at the beginning of rest.
func untilDelimiter(value, s []byte, delimiters string) (_, rest []byte, ok bool) {
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
			if i == len(s) {
				return value, nil, false
			}
			value = append(value, s[i])
		case c == '"' && quoted && i+1 < len(s) && s[i+1] == '"':
			i++
			value = append(value, c)
		case c == '"':
			quoted = !quoted
		case !quoted && oneOf(c, delimiters):
			return value, s[i:], true
		default:
			value = append(value, c)
		}
	}
	return value, nil, false
}

// span is a range: range_parse.
func (r *Reader) span(t *Type, s []byte) bool {
	rest, ok := r.oneSpan(t, skipSpace(s))
	return ok && len(skipSpace(rest)) == 0
}

func (r *Reader) oneSpan(t *Type, s []byte) (rest []byte, ok bool) {
	const empty = "empty"
	if len(s) >= len(empty) && fold(s[:len(empty)], empty) {
		return s[len(empty):], true
	}
	if len(s) == 0 || s[0] != '[' && s[0] != '(' {
		return nil, false
	}
	lower, s, ok := r.spanBound(t.parts[0], s[1:])
	if !ok || s[0] != ',' {
		return nil, false
	}
	r.depth++ // the lower bound stays in its buffer
	upper, s, ok := r.spanBound(t.parts[0], s[1:])
	r.depth--
	if !ok || s[0] == ',' {
		return nil, false
	}
	return s[1:], len(lower) == 0 || len(upper) == 0 || !after(t.parts[0], lower, upper)
}

// spanBound reads a bound, which may not be there.
func (r *Reader) spanBound(t *Type, s []byte) (value, rest []byte, ok bool) {
	if len(s) > 0 && oneOf(s[0], ",])") {
		return nil, s, true
	}
	value, rest, ok = untilDelimiter(r.buffer(), s, ",])")
	r.keep(value)
	return value, rest, ok && r.part(t, value)
}

// after reports whether a bound is certainly after another, as both are mostly
// written: whole numbers, and days and times without a zone.
func after(t *Type, a, b []byte) bool {
	if t == nil {
		return false
	}
	switch t.what {
	case "integer", "bigint":
		x, ok := whole(a)
		y, too := whole(b)
		return ok && too && x > y
	case "date", "timestamp":
		ok, _ := usual(a)
		too, _ := usual(b)
		return ok && too && len(a) == len(b) && bytes.Compare(a, b) > 0
	}
	return false
}

func whole(s []byte) (n int, ok bool) {
	s = trim(s)
	negative := len(s) > 0 && s[0] == '-'
	if negative || len(s) > 0 && s[0] == '+' {
		s = s[1:]
	}
	n, rest := number(s, 1<<62)
	if negative {
		n = -n
	}
	return n, len(s) > 0 && isDigit(s[0]) && len(rest) == 0
}

// spans is a multirange.
func (r *Reader) spans(t *Type, s []byte) bool {
	s = skipSpace(s)
	if len(s) == 0 || s[0] != '{' {
		return false
	}
	s = skipSpace(s[1:])
	for first := true; ; first = false {
		if first && len(s) > 0 && s[0] == '}' {
			break
		}
		rest, ok := r.oneSpan(t, s)
		s = skipSpace(rest)
		if !ok || len(s) == 0 {
			return false
		}
		if s[0] == '}' {
			break
		}
		if s[0] != ',' {
			return false
		}
		s = skipSpace(s[1:])
	}
	return len(skipSpace(s[1:])) == 0
}

// hstore follows parse_hstore: keys and values, quoted or not.
func (r *Reader) hstore(_ *Type, s []byte) bool {
	for {
		s = skipSpace(s)
		if len(s) == 0 {
			return true
		}
		rest, ok := hstoreWord(s, false)
		s = skipSpace(rest)
		if !ok || !bytes.HasPrefix(s, []byte("=>")) {
			return false
		}
		s = skipSpace(s[2:])
		if len(s) == 0 {
			return false
		}
		rest, ok = hstoreWord(s, true)
		if !ok {
			return false
		}
		s = skipSpace(rest)
		if len(s) == 0 {
			return true
		}
		if s[0] != ',' {
			return false
		}
		s = s[1:]
	}
}

// hstoreWord is what follows a key or value, in which there is one byte at
// least.
func hstoreWord(s []byte, value bool) (rest []byte, ok bool) {
	if s[0] == '"' {
		return afterQuoted(s[1:])
	}
	if s[0] == '=' && !value {
		return nil, false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\':
			i++
			if i == len(s) {
				return nil, false
			}
		case i > 0 && (c == '=' && !value || c == ',' && value || isSpace(c)):
			return s[i:], true
		}
	}
	return s[len(s):], true
}

func afterQuoted(s []byte) (rest []byte, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return s[i+1:], true
		case '\\':
			i++
		}
	}
	return nil, false
}
