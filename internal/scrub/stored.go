package scrub

import (
	"bytes"
	"hash/maphash"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/verdict"
)

// Code of the backup's own may copy what no rule names, and no detector knows,
// into a column that is shown. So where such code can run, the load remembers
// which values it stored in the columns that are shown, and no other is.

const (
	storedBits   = 1 << 25 // four MiB a column
	storedHashes = 6
	// mostChance is how often a value may pass for a stored one by chance.
	mostChance = 0.01
)

// valueSet are the values that the load stored in one column, with those below
// it, as a Bloom filter over keyed hashes. Several workers may add at once.
type valueSet struct {
	seed  maphash.Seed
	words []uint64
	loose bool // the server writes its values otherwise than the load may

	once sync.Once
	full bool
}

func (s *valueSet) eachBit(value []byte, do func(word *uint64, bit uint64) bool) {
	h := maphash.Bytes(s.seed, value)
	at, step := h, h>>32|1
	for range storedHashes {
		bit := at % storedBits
		if !do(&s.words[bit/64], 1<<(bit%64)) {
			return
		}
		at += step
	}
}

func (s *valueSet) add(value []byte) {
	s.eachBit(value, func(word *uint64, bit uint64) bool {
		if atomic.LoadUint64(word)&bit == 0 {
			atomic.OrUint64(word, bit)
		}
		return true
	})
}

// has reports whether a value was added, or by chance passes for one.
func (s *valueSet) has(value []byte) bool {
	all := true
	s.eachBit(value, func(word *uint64, bit uint64) bool {
		all = atomic.LoadUint64(word)&bit != 0
		return all
	})
	return all
}

// proves reports whether what has says proves anything. Call it behind the load.
func (s *valueSet) proves() bool {
	s.once.Do(func() {
		set := 0
		for _, word := range s.words {
			set += bits.OnesCount64(word)
		}
		s.full = math.Pow(float64(set)/storedBits, storedHashes) > mostChance
	})
	return !s.full && !s.loose
}

// remember makes the sets of what latest_events shows.
func (p *planner) remember() error {
	if !p.ownCode {
		return nil
	}
	for _, e := range p.req.LatestEvents {
		for _, name := range e.Columns {
			if !p.Shown(e.Table.Schema, e.Table.Table, name) {
				continue
			}
			root := p.schema.ByName[schema.Name{Schema: e.Table.Schema, Table: e.Table.Table}].ByName[name].Root()
			if p.stored[root] != nil {
				continue
			}
			s := &valueSet{seed: p.seed, words: make([]uint64, storedBits/64)}
			for _, t := range root.Table.WithDescendants() {
				s.loose = s.loose || p.loose(t.ByName[name])
			}
			p.stored[root] = s
		}
	}
	return nil
}

// loose reports whether the server may write a column's values otherwise than
// they were loaded: what a filter put together, and what is written by settings
// within something else.
func (p *Plan) loose(c *schema.Column) bool {
	if c == nil {
		return true
	}
	within := c.Array || c.Base.Kind != "b" && c.Base.Kind != "e"
	switch made := p.recipes[c]; {
	case made != nil &&
		(made.document != nil || made.composite != nil || c.Array || c.Base.IsBytes() || c.Base.IsHstore()):
		return true
	case c.Base.Is("money"), c.Base.Kind == "c":
		return true
	case within:
		return c.Base.Is("timestamptz", "float4", "float8", "tstzrange", "tstzmultirange")
	}
	return false
}

// storing adds what a rewriter writes into the fields that are shown to their
// sets.
type storing struct {
	sets    []*valueSet // by field; nil: is not shown
	columns []*schema.Column
	charset copytext.Charset
	decode  *copytext.Decoder
	raw     []byte
}

// newStoring is nil where none of the columns is shown.
func (p *Plan) newStoring(t *schema.Table, columns []string) *storing {
	s := &storing{sets: make([]*valueSet, len(columns)), columns: make([]*schema.Column, len(columns)),
		charset: p.encoding.Charset, decode: p.encoding.NewDecoder()}
	some := false
	for i, name := range columns {
		if c := t.ByName[name]; c != nil && p.stored[c.Root()] != nil {
			s.sets[i] = p.stored[c.Root()]
			s.columns[i] = c
			some = true
		}
	}
	if !some {
		return nil
	}
	return s
}

// add takes a field as it is stored. One that cannot be read the server refuses.
func (s *storing) add(i int, field []byte) {
	if s == nil || s.sets[i] == nil || copytext.IsNull(field) {
		return
	}
	value := field
	if !copytext.Plain(field) {
		var err error
		if s.raw, err = s.charset.AppendUnescaped(s.raw[:0], field); err != nil {
			return
		}
		value = s.raw
	}
	s.sets[i].add(plainForm(s.columns[i], s.decode.Decode(value)))
}

// plainForm is a value of a column in one of the forms in which a server, dumps
// of any version and filters write it, as far as it is read to be shown.
func plainForm(c *schema.Column, value []byte) []byte {
	switch {
	case c.Array:
		return beginning(value)
	case c.Base.Is("bpchar"):
		return bytes.TrimRight(beginning(value), " ")
	case c.Base.Is("bool"):
		return value[:min(len(value), 1)]
	case c.Base.Is("uuid"):
		return bytes.ToLower(value)
	case c.Base.Is("inet"):
		return bytes.TrimSuffix(bytes.TrimSuffix(value, []byte("/32")), []byte("/128"))
	case c.Base.Is("numeric"), c.Base.Is("time"), c.Base.Is("timestamp"):
		return withoutZeros(value)
	case c.Base.Is("float4"):
		return shortest(value, 32)
	case c.Base.Is("float8"):
		return shortest(value, 64)
	case c.Base.Is("timestamptz"):
		return instant(value)
	}
	return beginning(value)
}

// beginning is as much of a text as is read to be shown.
func beginning(value []byte) []byte {
	if len(value) <= verdict.CellRead {
		return value
	}
	return transform.CutTo(value, 0, verdict.CellRead)
}

// withoutZeros is a number, or a time, without zeros at the end of its fraction.
func withoutZeros(value []byte) []byte {
	if !bytes.ContainsRune(value, '.') || bytes.ContainsRune(value, ' ') && bytes.HasSuffix(value, []byte("BC")) {
		return value
	}
	return bytes.TrimSuffix(bytes.TrimRight(value, "0"), []byte("."))
}

func shortest(value []byte, size int) []byte {
	f, err := strconv.ParseFloat(string(value), size)
	if err != nil {
		return value
	}
	return strconv.AppendFloat(nil, f, 'g', -1, size)
}

// instant is a point in time, whatever zone it was written in; one that is out
// of Go's sight stays as it is.
func instant(value []byte) []byte {
	text := string(value)
	zone := "-07"
	if at := max(strings.LastIndexByte(text, '+'), strings.LastIndexByte(text, '-')); at > 0 {
		zone += []string{"", ":00", ":00:00"}[min(strings.Count(text[at:], ":"), 2)]
	}
	when, err := time.Parse("2006-01-02 15:04:05.999999999"+zone, text)
	if err != nil {
		return value
	}
	return strconv.AppendInt(nil, when.UnixMicro(), 10)
}
