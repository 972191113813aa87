package document

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"strings"

	"daybefore/internal/jsontext"
)

// What a census keeps, whatever documents hold.
const (
	mostGroups = 64      // of objects
	mostHashes = 128     // of the different keys of a group; below twice as many, until they are thinned
	longestKey = 63      // that is told, as long as a name of PostgreSQL's
	mostArrays = 3       // within each other, between a key and an object
	mostKeys   = 1 << 14 // of one document: a long one has the first as it has the rest
)

// Census counts the different keys that stay in the documents of a column, by the
// key that their objects stand under. It keeps hashes of the keys, and those keys
// under which objects stand, as far as there are few. One serves one goroutine.
type Census struct {
	seed      maphash.Seed
	documents int64
	seen      int64 // with those that were not counted
	left      int   // keys to count of the document
	groups    map[groupID]*keyGroup
	rest      keyGroup // of further objects
}

// groupID tells objects that stand under one key, directly or within arrays.
type groupID struct {
	under  uint64 // the key's hash
	arrays int
}

// keyGroup counts the keys of the objects that stand under one key.
type keyGroup struct {
	under           []byte // the key; nil: it may not be told
	root            bool   // they stand under none
	above           groupID
	objects         int64
	documents, last int64 // in how many, and in which last
	limit           uint64
	thinned         bool             // hashes above limit were let go
	counts          map[uint64]int64 // by the lowest hashes of keys: how often each was met
}

// ManyKeys is what a census says of objects whose keys are many and different.
type ManyKeys struct {
	Path      string // of the objects; $..* where their place may not be told
	Different int64  // keys, about
	Objects   int64
	lowest    *keyGroup
}

// NewCensus hashes keys with a seed.
func NewCensus(seed maphash.Seed) *Census {
	return &Census{seed: seed, groups: map[groupID]*keyGroup{}}
}

// begin reports whether the keys of the next document are counted: of many
// documents, some tell enough.
func (c *Census) begin() bool {
	const first, then = 1024, 64
	if c == nil {
		return false
	}
	c.seen++
	if c.seen > first && c.seen%then != 0 {
		return false
	}
	c.documents++
	c.left = mostKeys
	return true
}

// counted counts a key of a document, and reports whether it was the last to count.
func (c *Census) counted() bool {
	c.left--
	return c.left <= 0
}

// groupOf is the group of the object at the end of a trail.
func (c *Census) groupOf(src []byte, trail []place) *keyGroup {
	id, key, rest := c.idOf(src, trail)
	g := c.groups[id]
	switch {
	case g != nil:
	case len(c.groups) >= mostGroups:
		g = &c.rest
	default:
		g = &keyGroup{root: key == nil}
		if 0 < len(key) && len(key) <= longestKey && jsontext.PlainKey(key) {
			g.under = bytes.Clone(key)
		}
		if !g.root {
			g.above, _, _ = c.idOf(src, rest)
		}
		c.groups[id] = g
	}
	g.objects++
	if g.last != c.documents {
		g.last = c.documents
		g.documents++
	}
	return g
}

// idOf is that of the objects at the end of a trail, the key under which they stand,
// nil for none, and the trail to the object that has that.
func (c *Census) idOf(src []byte, trail []place) (id groupID, key []byte, rest []place) {
	for i := len(trail) - 1; i >= 0; i-- {
		if p := trail[i]; p.to > 0 {
			key = src[p.from:p.to]
			id.under = maphash.Bytes(c.seed, key)
			return id, key, trail[:i]
		}
		id.arrays = min(id.arrays+1, mostArrays)
	}
	return id, nil, nil
}

// add counts a key, in UTF-8. One without a letter is a number of something.
func (g *keyGroup) add(seed maphash.Seed, key []byte) {
	if !bytes.ContainsFunc(key, func(r rune) bool { return 'a' <= r|0x20 && r|0x20 <= 'z' || r >= 0x80 }) {
		return
	}
	h := maphash.Bytes(seed, key)
	if g.thinned && h > g.limit {
		return
	}
	if g.counts == nil {
		g.counts = map[uint64]int64{}
	}
	g.counts[h]++
	if len(g.counts) >= 2*mostHashes {
		g.thin()
	}
}

// thin leaves the lowest hashes, with exact counts: one that was let go is above the
// limit from then on.
func (g *keyGroup) thin() {
	all := slices.Sorted(maps.Keys(g.counts))
	if len(all) <= mostHashes {
		return
	}
	g.limit = all[mostHashes-1]
	g.thinned = true
	maps.DeleteFunc(g.counts, func(h uint64, _ int64) bool { return h > g.limit })
}

// different estimates how many different keys there are.
func (g *keyGroup) different() int64 {
	if !g.thinned {
		return int64(len(g.counts))
	}
	return int64(math.Round(float64(len(g.counts)-1) / (float64(g.limit) / math.MaxUint64)))
}

// many reports whether the keys are many, and most likely values: fifty or more of
// them stand in few of the objects each.
func (g *keyGroup) many() bool {
	const least, few, tenth = 50, 4, 10
	if g == nil || len(g.counts) == 0 {
		return false
	}
	rare := int64(0)
	for _, n := range g.counts {
		if n <= few && n*tenth <= g.objects {
			rare++
		}
	}
	return rare*g.different() >= least*int64(len(g.counts))
}

// Join takes in what another has counted with the same seed.
func (c *Census) Join(other *Census) {
	c.documents += other.documents
	for id, g := range other.groups {
		mine := c.groups[id]
		switch {
		case mine != nil:
			mine.join(g)
		case len(c.groups) >= mostGroups:
			c.rest.join(g)
		default:
			own := *g
			own.counts = maps.Clone(g.counts)
			c.groups[id] = &own
		}
	}
	c.rest.join(&other.rest)
}

func (g *keyGroup) join(other *keyGroup) {
	g.objects += other.objects
	g.documents += other.documents
	if other.thinned && (!g.thinned || other.limit < g.limit) {
		g.thinned = true
		g.limit = other.limit
	}
	if g.counts == nil {
		g.counts = map[uint64]int64{}
	}
	for h, n := range other.counts {
		g.counts[h] += n
	}
	maps.DeleteFunc(g.counts, func(h uint64, _ int64) bool { return g.thinned && h > g.limit })
	g.thin()
}

// Many are the objects whose keys are many and different, by path.
func (c *Census) Many() []ManyKeys {
	var all []ManyKeys
	for id, g := range c.groups {
		if g.many() {
			all = append(all, ManyKeys{Path: c.path(id), Different: g.different(), Objects: g.objects, lowest: g})
		}
	}
	if c.rest.many() {
		all = append(all,
			ManyKeys{Path: "$..*", Different: c.rest.different(), Objects: c.rest.objects, lowest: &c.rest})
	}
	slices.SortFunc(all, func(a, b ManyKeys) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(b.Different, a.Different))
	})
	return slices.CompactFunc(all, func(a, b ManyKeys) bool { return a.Path == b.Path })
}

// path is that of the objects of a group.
func (c *Census) path(id groupID) string {
	g := c.groups[id]
	elements := strings.Repeat("[*]", id.arrays)
	switch {
	case g.root:
		return "$" + elements
	case c.tells(g):
		return "$.." + string(g.under) + elements
	}
	return "$..*" + elements
}

// tells reports whether the key under which a group's objects stand is one of few
// repeated names: many documents have it, and the keys beside it are no values.
func (c *Census) tells(g *keyGroup) bool {
	const few, percent = 2, 1
	for range mostGroups {
		if g == nil || g.under == nil || g.documents < few || 100*g.documents < percent*c.documents ||
			bytes.ContainsAny(g.under, ".$:/") {
			return false
		}
		above := c.groups[g.above]
		if above.many() {
			return false
		}
		if above == nil || above.root {
			return above != nil
		}
		g = above
	}
	return false
}

// Share is the part of a sample of the keys that has reports for their hashes: of
// those hashes that are known, which has says in known.
func (m ManyKeys) Share(has func(hash uint64) (holds, known bool)) float64 {
	held, all := 0, 0
	for h := range m.lowest.counts {
		holds, known := has(h)
		if known {
			all++
		}
		if holds {
			held++
		}
	}
	return float64(held) / float64(max(all, 1))
}

// Count counts the plain keys of a document that nobody rewrites. What is no document
// is left at the first fault.
func (c *Census) Count(doc []byte) {
	if c.begin() {
		w := censusWalk{census: c, doc: doc}
		w.value(jsontext.AfterBlanks(doc, 0), 0)
	}
}

type censusWalk struct {
	census *Census
	doc    []byte
	trail  []place
	key    []byte
}

// value is where the value that begins at i ends; -1 for none.
func (w *censusWalk) value(i, depth int) int {
	if i < 0 || i >= len(w.doc) || !nests(w.doc[i]) || depth >= jsontext.Deepest {
		return jsontext.ValueEnd(w.doc, max(i, 0), depth)
	}
	closes := w.doc[i] + 2 // of either bracket in ASCII
	var g *keyGroup
	if w.doc[i] == '{' {
		g = w.census.groupOf(w.doc, w.trail)
	}
	i = jsontext.AfterBlanks(w.doc, i+1)
	if i < len(w.doc) && w.doc[i] == closes {
		return i + 1
	}
	for more := true; more; {
		p := place{}
		if g != nil {
			p, i = w.member(i, g)
			if i < 0 {
				return -1
			}
		}
		w.trail = append(w.trail, p)
		i = w.value(i, depth+1)
		w.trail = w.trail[:len(w.trail)-1]
		i, more = jsontext.Next(w.doc, i, closes)
		if i < 0 {
			return -1
		}
	}
	return i
}

// member counts the key that begins at i, and is where its value begins; -1 for none.
func (w *censusWalk) member(i int, g *keyGroup) (place, int) {
	if i >= len(w.doc) || w.doc[i] != '"' {
		return place{}, -1
	}
	end, _ := jsontext.TextEnd(w.doc, i+1)
	if end < 0 {
		return place{}, -1
	}
	p := place{i + 1, end - 1}
	w.key = jsontext.AppendUnquoted(w.key[:0], w.doc[p.from:p.to])
	if jsontext.PlainKey(w.key) && w.census.left > 0 {
		g.add(w.census.seed, w.key)
		w.census.counted()
	}
	return p, jsontext.ColonEnd(w.doc, end)
}
