package draft

import (
	"bytes"
	"hash/maphash"
	"net"
	"net/netip"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/document"
	"daybefore/internal/scrub/leakscan"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/sketch"
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
	likePlace
	likeDegrees // one number with digits after the point
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
	rows          int64
	values, nulls int64 // values: neither null nor blank
	hits, whole   map[detect.Kind]int64
	doubtful      tallies // of those
	people        *detect.People
	degrees       int64 // numbers that may be a latitude or a longitude
	dialed        int64 // written as a phone number is
	forms         [likenesses]int64
	kinds         detect.FormCounts // of a sample
	different     sketch.Sketch
	mail          mailEvidence
	documents     int64
	keys          map[string]*keyEvidence // of documents; nil for those that do not tell
	inKeys        int64                   // hstores with a key that looks sensitive
	written       [writings]int64         // texts
	census        *document.Census        // of the keys of documents; nil: there are none
}

// tallies are hits, and those that are whole values.
type tallies struct{ hits, whole map[detect.Kind]int64 }

// keyEvidence is what stands under one key in a column's documents.
type keyEvidence struct {
	evidence
	what, transform string
	documents, last int64 // in how many, and in which last
	containers      int64 // objects and arrays of them
}

// The values whose kind is told: the first ones, and then one in so many.
const (
	kindsFirst = 1000
	kindsEvery = 64
)

// mostKeys is how many different keys of a column's documents are looked at.
const mostKeys = 10_000

// add takes a value in UTF-8.
func (e *evidence) add(value []byte, scanner detect.Scanner, seed maphash.Seed) {
	written := value
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		e.kinds.Add(value)
		return
	}
	e.mail.add(written, value, seed)
	e.values++
	e.different.Add(maphash.Bytes(seed, value))
	e.forms[likenessOf(value)]++
	if e.values <= kindsFirst || e.values%kindsEvery == 0 {
		e.kinds.Add(value)
	}
	if e.people == nil {
		e.people = detect.NewPeople(seed)
	}
	e.people.Add(value)
	if transform.IsDegrees(value) {
		e.degrees++
	}
	if dialed(value) {
		e.dialed++
	}
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
	isWhole := h.From == 0 && h.To == len(value)
	e.hits[h.Kind]++
	if isWhole {
		e.whole[h.Kind]++
	}
	if h.Confidence == detect.Doubtful {
		e.doubt(h.Kind, isWhole)
	}
}

func (e *evidence) doubt(kind detect.Kind, isWhole bool) {
	if e.doubtful.hits == nil {
		e.doubtful = tallies{map[detect.Kind]int64{}, map[detect.Kind]int64{}}
	}
	e.doubtful.hits[kind]++
	if isWhole {
		e.doubtful.whole[kind]++
	}
}

// weigh leaves doubtful hits out where a drill would only warn of them.
func (e *evidence) weigh() {
	var doubtful int64
	for _, n := range e.doubtful.hits {
		doubtful += n
	}
	if doubtful >= leakscan.LeastDoubtful {
		return
	}
	for kind, n := range e.doubtful.hits {
		e.hits[kind] -= n
		e.whole[kind] -= e.doubtful.whole[kind]
	}
	e.doubtful = tallies{}
}

// namesOf is how many of the different values that were sampled are people's names,
// and how sure it is that the column is one of names; none where it is not.
func (e *evidence) namesOf() (names, values int, sure confidence) {
	if e.people == nil {
		return 0, 0, none
	}
	names, values = e.people.Sampled()
	switch {
	case e.people.Found():
		return names, values, medium
	case e.people.FoundFew():
		return names, values, low
	}
	return names, values, none
}

func (e *evidence) join(other *evidence) {
	e.rows += other.rows
	e.values += other.values
	e.nulls += other.nulls
	e.documents += other.documents
	e.inKeys += other.inKeys
	e.kinds.Join(other.kinds)
	e.different.Join(&other.different)
	e.mail.join(&other.mail)
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
	e.degrees += other.degrees
	e.dialed += other.dialed
	for kind, n := range other.doubtful.hits {
		if e.doubtful.hits == nil {
			e.doubtful = tallies{map[detect.Kind]int64{}, map[detect.Kind]int64{}}
		}
		e.doubtful.hits[kind] += n
		e.doubtful.whole[kind] += other.doubtful.whole[kind]
	}
	switch {
	case e.people == nil:
		e.people = other.people
	case other.people != nil:
		e.people.Join(other.people)
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

// likeness is what nearly all values are. What may be a place is none: it takes more
// than that to say so.
func (e *evidence) likeness() likeness {
	for f := noLikeness + 1; f < likePlace; f++ {
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
	case transform.IsPlace(v):
		return likePlace
	case bytes.IndexByte(v, '.') > 0 && transform.IsDegrees(v):
		return likeDegrees
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
