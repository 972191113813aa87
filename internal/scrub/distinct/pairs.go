package distinct

import (
	"hash/maphash"
	"maps"
)

const (
	// mostPairs is how many values with their pseudonyms are remembered, in all
	// columns together: some megabytes.
	mostPairs = 1 << 17
	// leastPairs are those of one column, however many there are.
	leastPairs = 1 << 8
)

// Share is how many pairs each of so many columns may remember.
func Share(columns int) int { return max(leastPairs, mostPairs/max(columns, 1)) }

// pairs remembers what became of values, as hashes: those whose pseudonym's
// hash is not above a limit, which sinks as they become too many. So whatever
// became one pseudonym is remembered, or forgotten, together. The zero value
// of of is ready; one serves one goroutine.
type pairs struct {
	seed    maphash.Seed
	most    int
	halved  int // times: one pseudonym of 2^halved is remembered
	of      map[uint64]uint64
	further map[[2]uint64]struct{} // values that became a pseudonym which another had
	buf     []byte
}

// itself stands for a value that stayed as it is.
const itself = 0

// wants reports whether a pseudonym is one of those that are remembered; none is
// where nothing is counted.
func (p *pairs) wants(pseudonym uint64) bool {
	return p != nil && pseudonym <= ^uint64(0)>>p.halved
}

// add notes that a value, told by its hash, became a pseudonym, told likewise.
func (p *pairs) add(value, pseudonym uint64) {
	if !p.wants(pseudonym) {
		return
	}
	old, known := p.of[pseudonym]
	switch {
	case !known && p.of == nil:
		p.of = map[uint64]uint64{pseudonym: value}
	case !known:
		p.of[pseudonym] = value
		for len(p.of) > p.most {
			p.halve()
		}
	case old != value:
		if p.further == nil {
			p.further = map[[2]uint64]struct{}{}
		}
		if len(p.further) < p.most {
			p.further[[2]uint64{pseudonym, value}] = struct{}{}
		}
	}
}

func (p *pairs) halve() {
	p.halved++
	limit := ^uint64(0) >> p.halved
	maps.DeleteFunc(p.of, func(pseudonym, _ uint64) bool { return pseudonym > limit })
	maps.DeleteFunc(p.further, func(f [2]uint64, _ struct{}) bool { return f[0] > limit })
}

// join takes in what another remembers, which forgets it: both together take
// room that is needed once.
func (p *pairs) join(other *pairs) {
	for p.halved < other.halved {
		p.halve()
	}
	for pseudonym, value := range other.of {
		p.add(value, pseudonym)
	}
	for f := range other.further {
		p.add(f[1], f[0])
	}
	other.of, other.further = nil, nil
}

// values is how many different values are remembered, and how many of them
// became several pseudonyms.
func (p *pairs) values() (n, parted int) {
	became := map[uint64]int{}
	for _, value := range p.of {
		became[value]++
	}
	for f := range p.further {
		became[f[1]]++
	}
	n = became[itself]
	delete(became, itself)
	for _, pseudonyms := range became {
		n++
		if pseudonyms > 1 {
			parted++
		}
	}
	return n, parted
}

// hash tells values apart. A UUID is the same with hyphens and without: types
// write it as they like.
func (p *pairs) hash(value []byte) uint64 {
	const hyphenated = 36
	if len(value) == hyphenated && value[8] == '-' && value[13] == '-' && value[18] == '-' && value[23] == '-' {
		p.buf = p.buf[:0]
		for _, c := range value {
			if c != '-' {
				p.buf = append(p.buf, c)
			}
		}
		value = p.buf
	}
	return max(maphash.Bytes(p.seed, value), itself+1)
}
