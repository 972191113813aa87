package detect

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"sync"
	"unicode/utf8"
)

// wideLeads are the first bytes, in UTF-8, of digits and letters that plain makes ASCII; leads those of blanks, dashes
// and marks.
var (
	wideLeads = []byte{0xef, 0xd9, 0xdb}
	leads     = []byte{0xc2, 0xd8, 0xe2, 0xe3}
)

// plain is the ASCII character that stands for r, 0 for one that is only a mark (of direction, of where a line may
// break), and more for one that stays.
func plain(r rune) rune {
	switch {
	case 0xff01 <= r && r <= 0xff5e: // full width
		return r - 0xfee0
	case 0x0660 <= r && r <= 0x0669: // Arabic digits
		return '0' + r - 0x0660
	case 0x06f0 <= r && r <= 0x06f9: // Persian ones
		return '0' + r - 0x06f0
	case 0x2010 <= r && r <= 0x2015, r == 0x2212, r == 0xfe63:
		return '-'
	case r == 0xa0, 0x2000 <= r && r <= 0x200a, r == 0x202f, r == 0x205f, r == 0x3000:
		return ' '
	case r == 0xad, 0x200b <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x2060 <= r && r <= 0x2069,
		r == 0xfeff, r == 0x061c:
		return 0
	}
	return r
}

// firstMark is where the first mark stands that may hide a value; -1 for none.
func (n *counts) firstMark(text []byte) int {
	if n.digits == len(text) || n.digits < minOfficialDigits && n.ats == 0 && !n.mayBeWide(text) ||
		!beginsAsText(text) {
		return -1
	}
	return hidesAt(text, 0)
}

// long is the length of a text whose beginning says what it is.
const long = 4096

// mayBeWide reports whether a text has values that are written with no digit of ASCII's. A long one of a script that
// writes so has the script's signs throughout.
func (n *counts) mayBeWide(text []byte) bool {
	const sparse = 128
	return n.wide > 0 && (len(text) <= long || n.wide > len(text)/sparse) && hasWide(text)
}

// beginsAsText reports whether a text is short, or its beginning UTF-8: in a picture no mark hides anything.
func beginsAsText(text []byte) bool {
	if len(text) <= long {
		return true
	}
	end := long
	for end > long-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return utf8.Valid(text[:end])
}

// hasWide reports whether a text has an at sign, or several digits and letters in a row, that are ASCII's and not
// written
// so.
func hasWide(text []byte) bool {
	for _, lead := range wideLeads {
		for from := 0; ; from++ {
			i := bytes.IndexByte(text[from:], lead)
			if i < 0 {
				break
			}
			from += i
			if marks(text[from:]) && wideRun(text[from:]) {
				return true
			}
		}
	}
	return false
}

func wideRun(text []byte) bool {
	const least = 4
	for range least {
		r, size := utf8.DecodeRune(text)
		p := plain(r)
		switch {
		case p == r && !isWordRune(p) || r == utf8.RuneError:
			return false
		case p == '@':
			return true
		case !isWordRune(p) && p != '.' && p != '-' && p != ':':
			return false
		}
		text = text[size:]
	}
	return true
}

// hidesAt returns where the next character stands, at or behind from, that plain changes and that may be within a
// value:
// between what numbers and addresses are made of, or instead of it; -1 for none.
func hidesAt(text []byte, from int) int {
	for i := from; i < len(text); i++ {
		c := text[i]
		if c < utf8.RuneSelf {
			for len(text)-i > 8 {
				others := binary.LittleEndian.Uint64(text[i+1:]) & nonASCII
				if others != 0 {
					i += bits.TrailingZeros64(others) / 8
					break
				}
				i += 8
			}
			continue
		}
		if !leading[c] || !marks(text[i:]) {
			if c >= 0xe0 { // of three bytes
				i += 2
			} else if c >= 0xc0 {
				i++
			}
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		p := plain(r)
		if p != r && (isWordRune(p) || p == '@' || p == '+' || joined(text, i, i+size)) {
			return i
		}
	}
	return -1
}

// nonASCII are the bits that none of eight bytes of ASCII has.
const nonASCII = 0x8080808080808080

// leading holds the first bytes of marks.
var leading = func() (t [256]bool) {
	for _, c := range slices.Concat(leads, wideLeads) {
		t[c] = true
	}
	return t
}()

// marks reports whether a text may begin with what plain changes, by its first two bytes or three.
func marks(text []byte) bool {
	if len(text) < 2 {
		return false
	}
	switch second := text[1]; text[0] {
	case 0xc2:
		return second == 0xa0 || second == 0xad
	case 0xd8:
		return second == 0x9c
	case 0xd9:
		return second < 0xaa
	case 0xdb:
		return second >= 0xb0
	case 0xe2:
		return second <= 0x81 && len(text) > 2 && (second == 0x81 || text[2] <= 0x95 || text[2] >= 0xa8) ||
			second == 0x88
	case 0xe3:
		return second == 0x80 && len(text) > 2 && text[2] == 0x80
	case 0xef:
		return second >= 0xb9 && second <= 0xbd
	}
	return false
}

// joined reports whether what stands beside a mark, from at to end, may be one value with it. Other marks and a blank
// beside a dash may stand between.
func joined(text []byte, at, end int) bool {
	if at == 0 || end == len(text) {
		return false
	}
	before, behind := text[at-1], text[end]
	if before == ' ' && behind == ' ' && at > 1 && end+1 < len(text) {
		return isDigit(text[at-2]) && isDigit(text[end+1])
	}
	if !joins(before) {
		return false
	}
	if behind >= utf8.RuneSelf {
		r, _ := utf8.DecodeRune(text[end:])
		return plain(r) != r
	}
	return joins(behind)
}

func isWordRune(r rune) bool { return r < utf8.RuneSelf && isWord(byte(r)) }

// joins reports whether a byte beside a mark may belong to a value with it.
func joins(c byte) bool {
	return isWord(c) || c == '@' || c == '.' || c == '-' || c == '+' || c == '(' || c == ')'
}

// folded is a piece of a text with its marks made plain, and where each byte of it was.
type folded struct {
	text []byte
	at   []int // one more than text: where what follows begins
	wide []int // where in text a mark was made plain or left out
}

// window is how long a piece is: more than what any value needs that people write with marks.
const window = 1024

// around is how much of a text is looked at on both sides of a mark.
const around = 96

var pieces = sync.Pool{New: func() any {
	const most = window + utf8.UTFMax
	return &folded{text: make([]byte, 0, most), at: make([]int, 0, most+1), wide: make([]int, 0, most)}
}}

// eachFolded tells the hits that marks hide, the first of which is given, until tell returns false: it looks at
// the text
// around each mark once more, with the marks made plain.
func (s *Scanner) eachFolded(text []byte, mark int, tell func(Hit) bool) {
	f := pieces.Get().(*folded)
	defer pieces.Put(f)
	for end := 0; mark >= 0; mark = hidesAt(text, end) {
		told := end
		end = f.read(text, max(0, end-around, mark-around), mark)
		if !f.each(s, text, told, tell) {
			return
		}
	}
}

// read makes plain what begins at from, to no less than a bit behind the last mark; end is where the next piece's
// marks
// are looked for.
func (f *folded) read(text []byte, from, mark int) (end int) {
	for from < mark && !utf8.RuneStart(text[from]) {
		from++
	}
	f.text, f.at, f.wide = f.text[:0], f.at[:0], f.wide[:0]
	last := mark
	i := from
	for i < len(text) && len(f.text) < window && i < last+around {
		c := text[i]
		if c < utf8.RuneSelf {
			f.text, f.at = append(f.text, c), append(f.at, i)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		p := plain(r)
		if p != r {
			last = max(last, i)
			f.wide = append(f.wide, len(f.text))
		}
		switch {
		case p != r && p > 0:
			f.text, f.at = append(f.text, byte(p)), append(f.at, i)
		case p == r:
			for k := range size {
				f.text, f.at = append(f.text, text[i+k]), append(f.at, i+k)
			}
		}
		i += size
	}
	f.at = append(f.at, i)
	return i
}

// each tells the hits of a piece that a mark stands in, and that end behind told: those before it were told already.
func (f *folded) each(s *Scanner, text []byte, told int, tell func(Hit) bool) bool {
	n := count(f.text)
	return s.each(f.text, n, func(h Hit) bool {
		hidden := false
		for _, w := range f.wide {
			hidden = hidden || h.From <= w && w < h.To
		}
		if !hidden {
			return true
		}
		_, size := utf8.DecodeRune(text[f.at[h.To-1]:])
		h.From, h.To = f.at[h.From], f.at[h.To-1]+size
		return h.To <= told || tell(h)
	})
}
