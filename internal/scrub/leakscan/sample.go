package leakscan

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"daybefore/internal/octets"
)

// sampleLeast is how many characters a real value must have to be looked for:
// shorter ones are found anywhere by chance.
const sampleLeast = 8

// form is what is kept of one way to write a real value: nothing that it could be
// read from. Only this process knows the seed of the hashes, and only in memory.
type form struct {
	hash   uint64 // of the value in lower case
	prefix uint32 // of its first eight bytes
	length int32
}

// Sampler keeps a keyed sample of the different values of a column: those of
// the lowest hashes. One serves one goroutine.
type Sampler struct {
	Names bool // its values may be names elsewhere, as texts of documents are keys of others
	Forms bool // its values are looked for as they may be written elsewhere, too

	seed  maphash.Seed
	most  int
	limit uint64 // hashes above it are of no use any more
	kept  []form
	known map[uint64]struct{} // the hashes of kept: many values come again and again
	also  map[uint64][]form   // as some of them may be written elsewhere, by their hash
	buf   []byte
}

// NewSampler keeps so many values at most, by hashes of a seed.
func NewSampler(seed maphash.Seed, most int) *Sampler {
	return &Sampler{seed: seed, most: most, limit: ^uint64(0), known: map[uint64]struct{}{},
		also: map[uint64][]form{}}
}

// Add takes a value in UTF-8.
func (s *Sampler) Add(value []byte) {
	if s == nil {
		return
	}
	value = bytes.TrimSpace(value)
	if len(value) < sampleLeast || len(value) < 4*sampleLeast && utf8.RuneCount(value) < sampleLeast {
		return
	}
	made := s.formOf(value)
	if made.hash > s.limit {
		return
	}
	if _, known := s.known[made.hash]; known {
		return
	}
	s.known[made.hash] = struct{}{}
	s.kept = append(s.kept, made)
	if s.Forms {
		if also := s.alsoWritten(value); also != nil {
			s.also[made.hash] = also
		}
	}
	if len(s.kept) > s.most+s.most/4 {
		s.shrink()
	}
}

func (s *Sampler) formOf(value []byte) form {
	s.buf = AppendFolded(s.buf[:0], value)
	return form{hash: maphash.Bytes(s.seed, s.buf), prefix: prefixOf(s.buf), length: int32(len(value))}
}

// alsoWritten are the other ways in which texts write a value: a name with the family
// name in front or after, and Unicode's composed and decomposed forms.
func (s *Sampler) alsoWritten(value []byte) (all []form) {
	swapped := swappedName(value)
	if swapped == nil && isASCII(value) {
		return nil
	}
	ways := [][]byte{value}
	if swapped != nil {
		ways = append(ways, swapped)
	}
	for i, way := range ways {
		if i > 0 && len(way) >= sampleLeast {
			all = append(all, s.formOf(way))
		}
		if isASCII(way) {
			continue
		}
		for _, normal := range []norm.Form{norm.NFC, norm.NFD} {
			if other := normal.Bytes(way); len(other) >= sampleLeast && !bytes.Equal(other, way) {
				all = append(all, s.formOf(other))
			}
		}
	}
	return all
}

func isASCII(value []byte) bool {
	return bytes.IndexFunc(value, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// swappedName is Byron, Ada of Ada Byron, and the reverse; nil for what is none of
// two to four words with capitals.
func swappedName(value []byte) []byte {
	const most = 64
	if len(value) > most || !unicode.IsUpper(firstRune(value)) {
		return nil
	}
	if family, first, found := bytes.Cut(value, []byte(", ")); found {
		if bytes.IndexByte(first, ',') >= 0 || !unicode.IsUpper(firstRune(first)) {
			return nil
		}
		return bytes.Join([][]byte{first, family}, []byte(" "))
	}
	last := bytes.LastIndexByte(value, ' ')
	if last < 0 || bytes.Count(value, []byte(" ")) > 3 || !unicode.IsUpper(firstRune(value[last+1:])) {
		return nil
	}
	return bytes.Join([][]byte{value[last+1:], value[:last]}, []byte(", "))
}

func firstRune(text []byte) rune {
	r, _ := utf8.DecodeRune(text)
	return r
}

// shrink leaves the most lowest.
func (s *Sampler) shrink() {
	s.kept = lowest(s.kept, s.most)
	if len(s.kept) == s.most {
		s.limit = s.kept[s.most-1].hash
		maps.DeleteFunc(s.known, func(hash uint64, _ struct{}) bool { return hash > s.limit })
		maps.DeleteFunc(s.also, func(hash uint64, _ []form) bool { return hash > s.limit })
	}
}

// lowest are the most values of the lowest hashes, each once.
func lowest(all []form, most int) []form {
	slices.SortFunc(all, func(a, b form) int { return cmp.Compare(a.hash, b.hash) })
	all = slices.CompactFunc(all, func(a, b form) bool { return a.hash == b.hash })
	return all[:min(len(all), most)]
}

// AppendFolded appends a value with its ASCII letters in lower case.
func AppendFolded(dst, value []byte) []byte {
	const lower = 'a' - 'A'
	at := len(dst)
	dst = append(dst, value...)
	rest := dst[at:]
	for ; len(rest) >= 8; rest = rest[8:] {
		word := octets.Load(rest)
		if word&octets.High != 0 {
			break
		}
		binary.LittleEndian.PutUint64(rest, word|octets.Ranged(word, 'A', 'Z')/0x80*lower)
	}
	for i, c := range rest {
		if 'A' <= c && c <= 'Z' {
			rest[i] = c + lower
		}
	}
	return dst
}

// prefixOf hashes eight bytes, whose letters' case does not matter. It is as
// cheap as it may be, since every word of the database is asked for it.
func prefixOf(value []byte) uint32 {
	const folded, odd = 0x2020202020202020, 0x9e3779b97f4a7c15
	return uint32((binary.LittleEndian.Uint64(value) | folded) * odd >> 32)
}

// Overlap finds sampled values in text.
type Overlap struct {
	seed    maphash.Seed
	filter  []uint64           // a bit for each prefix's upper bits
	shift   int                // of a prefix, to its upper bits
	lengths map[uint32][]int32 // of the values of a prefix
	columns map[uint64]int32   // of a value's hash
	names   []string           // of the columns
	named   []bool             // by column: its values may be names elsewhere
	values  int
	allowed func(found []byte) bool // what is no finding; nil: nothing
}

// The filter has so many bits for each prefix that few words meet one, and at most
// as many, as a power of two, as fit into a processor's cache.
const (
	bitsOfPrefix = 32
	mostBits     = 22
)

// NewOverlap joins what the samplers of each column kept, so many of each; nil if
// there is nothing. The samplers are empty then.
func NewOverlap(seed maphash.Seed, most int, columns map[string][]*Sampler) *Overlap {
	o := &Overlap{
		seed: seed, lengths: map[uint32][]int32{}, columns: map[uint64]int32{},
	}
	named := func(name string) bool { return columns[name][0].Names }
	byName := slices.Sorted(maps.Keys(columns))
	slices.SortStableFunc(byName, func(a, b string) int { // of a value in two columns the first counts
		switch {
		case named(a) == named(b):
			return 0
		case named(b):
			return -1
		}
		return 1
	})
	for _, name := range byName {
		var all []form
		also := map[uint64][]form{}
		for _, s := range columns[name] {
			all = append(all, s.kept...)
			maps.Copy(also, s.also)
			s.kept, s.known, s.also = nil, nil, nil
		}
		for _, f := range lowest(all, most) {
			o.put(f, also[f.hash], int32(len(o.names)))
		}
		o.names = append(o.names, name)
		o.named = append(o.named, named(name))
	}
	if o.values == 0 {
		return nil
	}
	o.makeFilter()
	return o
}

func (o *Overlap) makeFilter() {
	size := min(bits.Len(uint(bitsOfPrefix*len(o.lengths))), mostBits)
	o.shift = 32 - size
	o.filter = make([]uint64, 1<<size/64)
	for prefix := range o.lengths {
		bit := prefix >> o.shift
		o.filter[bit/64] |= 1 << (bit % 64)
	}
}

// Allow has texts that are sampled values be no findings where allowed says so.
func (o *Overlap) Allow(allowed func(found []byte) bool) {
	if o != nil {
		o.allowed = allowed
	}
}

// Holds reports whether a sampled value is in a text.
func (o *Overlap) Holds(text []byte) bool {
	if o == nil {
		return false
	}
	at, _, _, _ := o.find(text, 0, nil)
	return at >= 0
}

func (o *Overlap) put(f form, also []form, column int32) {
	if _, known := o.columns[f.hash]; known {
		return
	}
	o.values++
	o.putForm(f, column)
	for _, f := range also {
		if _, known := o.columns[f.hash]; !known {
			o.putForm(f, column)
		}
	}
}

func (o *Overlap) putForm(f form, column int32) {
	o.columns[f.hash] = column
	if !slices.Contains(o.lengths[f.prefix], f.length) {
		o.lengths[f.prefix] = append(o.lengths[f.prefix], f.length)
	}
}

// wordBytes tells the bytes that make up words.
var wordBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c >= 0x80
	}
	return t
}()

// find returns the first sampled value at or behind from that stands between
// word boundaries, and its column; at is -1 for none. buf is for its use.
func (o *Overlap) find(text []byte, from int, buf []byte) (at, end int, column int32, _ []byte) {
	for i := from; i+sampleLeast <= len(text); i++ {
		if i > 0 && wordBytes[text[i-1]] && wordBytes[text[i]] || text[i] == ' ' {
			continue
		}
		prefix := prefixOf(text[i:])
		bit := prefix >> o.shift
		if o.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, n := range o.lengths[prefix] {
			last := i + int(n)
			if last > len(text) || last < len(text) && wordBytes[text[last-1]] && wordBytes[text[last]] {
				continue
			}
			buf = AppendFolded(buf[:0], text[i:last])
			column, ok := o.columns[maphash.Bytes(o.seed, buf)]
			if ok && (o.allowed == nil || !o.allowed(text[i:last])) {
				return i, last, column, buf
			}
		}
	}
	return -1, -1, 0, buf
}
