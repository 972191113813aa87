package draft

import (
	"bytes"
	"hash/maphash"
	"net"
	"net/netip"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/transform"
)

// likeness is what a whole value is, where no detector tells or none tells enough.
type likeness byte

const (
	noLikeness likeness = iota
	likeUUID
	likeURL
	likeIP
	likeMAC
	likeHash // a password's
	likenesses
)

// likenessTransform is what suits a likeness.
var likenessTransform = [likenesses]string{
	likeUUID: transform.UUID,
	likeURL:  transform.URL,
	likeIP:   transform.IP,
	likeMAC:  transform.MAC,
	likeHash: transform.Password,
}

// likenessWords are those for many of them.
var likenessWords = [likenesses]string{
	likeUUID: "UUIDs",
	likeURL:  "web addresses",
	likeIP:   "network addresses",
	likeMAC:  "device addresses",
	likeHash: "password hashes",
}

// evidence is what the values of a column look like, in numbers: none of it is
// a value. The zero value is ready; one serves one goroutine.
type evidence struct {
	values, nulls int64 // values: neither null nor blank
	hits, whole   map[detect.Kind]int64
	forms         [likenesses]int64
	different     sketch
	documents     int64
	keys          map[string]*keyEvidence // of documents; nil for those that do not tell
	inKeys        int64                   // hstores with a key that looks sensitive
	written       [writings]int64         // texts
	census        *document.Census        // of the keys of documents; nil: there are none
}

// keyEvidence is what stands under one key in a column's documents.
type keyEvidence struct {
	evidence
	what, transform string
	documents, last int64 // in how many, and in which last
	containers      int64 // objects and arrays of them
}

// mostKeys is how many different keys of a column's documents are looked at.
const mostKeys = 10_000

// add takes a value in UTF-8.
func (e *evidence) add(value []byte, scanner detect.Scanner, seed maphash.Seed) {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return
	}
	e.values++
	e.different.add(maphash.Bytes(seed, value))
	e.forms[likenessOf(value)]++
	if !scanner.Looks() {
		return
	}
	h, found := scanner.Find(value)
	if !found {
		return
	}
	if e.hits == nil {
		e.hits = map[detect.Kind]int64{}
		e.whole = map[detect.Kind]int64{}
	}
	e.hits[h.Kind]++
	if h.From == 0 && h.To == len(value) {
		e.whole[h.Kind]++
	}
}

func (e *evidence) join(other *evidence) {
	e.values += other.values
	e.nulls += other.nulls
	e.documents += other.documents
	e.inKeys += other.inKeys
	e.different.join(&other.different)
	for f, n := range other.forms {
		e.forms[f] += n
	}
	for w, n := range other.written {
		e.written[w] += n
	}
	if other.census != nil && e.census == nil {
		e.census = other.census
	} else if other.census != nil {
		e.census.Join(other.census)
	}
	if e.hits == nil {
		e.hits = map[detect.Kind]int64{}
		e.whole = map[detect.Kind]int64{}
	}
	for k, n := range other.hits {
		e.hits[k] += n
		e.whole[k] += other.whole[k]
	}
	if e.keys == nil {
		e.keys = map[string]*keyEvidence{}
	}
	for name, k := range other.keys {
		if k == nil {
			continue
		}
		mine := e.keys[name]
		if mine == nil {
			mine = &keyEvidence{what: k.what, transform: k.transform}
			e.keys[name] = mine
		}
		mine.evidence.join(&k.evidence)
		mine.documents += k.documents
		mine.containers += k.containers
	}
}

// leading is the kind that most of the values are, as a whole; and how many of
// them hold anything at all.
func (e *evidence) leading() (kind detect.Kind, whole, hits int64) {
	for _, k := range detect.Kinds() {
		if e.whole[k] > whole {
			kind, whole = k, e.whole[k]
		}
		hits += e.hits[k]
	}
	return kind, whole, hits
}

// likeness is what nearly all values are.
func (e *evidence) likeness() likeness {
	for f := noLikeness + 1; f < likenesses; f++ {
		if nearlyAll(e.forms[f], e.values) {
			return f
		}
	}
	return noLikeness
}

// nearlyAll is four of five: the rest of what people type is typed wrongly.
func nearlyAll(n, of int64) bool { return of > 0 && 5*n >= 4*of }

func likenessOf(v []byte) likeness {
	const hyphenated, shortest, longestAddress = 36, 7, 43
	switch {
	case len(v) == hyphenated && isUUIDText(v):
		return likeUUID
	case bytes.HasPrefix(v, []byte("https://")), bytes.HasPrefix(v, []byte("http://")):
		return likeURL
	case len(v) >= len("$1$") && v[0] == '$' && bytes.IndexByte(v[1:], '$') > 0,
		bytes.HasPrefix(v, []byte("SCRAM-SHA-256$")), bytes.HasPrefix(v, []byte("pbkdf2_")):
		return likeHash
	case len(v) < shortest || len(v) > longestAddress || !bytes.ContainsAny(v, ".:-"):
		return noLikeness
	}
	s := string(v)
	if _, err := netip.ParseAddr(s); err == nil {
		return likeIP
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return likeIP
	}
	if _, err := net.ParseMAC(s); err == nil {
		return likeMAC
	}
	return noLikeness
}

func isUUIDText(v []byte) bool {
	for i, c := range v {
		hyphen := i == 8 || i == 13 || i == 18 || i == 23
		lower := c | 0x20
		if hyphen != (c == '-') || !hyphen && !('0' <= c && c <= '9' || 'a' <= lower && lower <= 'f') {
			return false
		}
	}
	return true
}
