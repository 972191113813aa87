package leakscan

import (
	"hash/maphash"
	"sync"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
)

// People collects what the values of columns without a rule say of being names of
// people. It keeps keyed hashes, and nothing of a value. It is safe for concurrent
// use.
type People struct {
	seed maphash.Seed

	mu       sync.Mutex
	counters map[*schema.Column]*peopleCounter // by the topmost column
}

// NewPeople counts by a key.
func NewPeople(seed maphash.Seed) *People {
	return &People{seed: seed, counters: map[*schema.Column]*peopleCounter{}}
}

// peopleCounter counts in one column, for all blocks that hold rows of it.
type peopleCounter struct {
	mu sync.Mutex
	*detect.People
}

func (p *peopleCounter) add(value []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Add(value)
}

// counter is for the values of a column; nil where they are no texts by themselves,
// or where nobody counts.
func (p *People) counter(c *schema.Column) *peopleCounter {
	if p == nil || c.Family() != schema.Textual || c.Array {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	root := c.Root()
	if p.counters[root] == nil {
		p.counters[root] = &peopleCounter{People: detect.NewPeople(p.seed)}
	}
	return p.counters[root]
}

// Found are the columns whose values are names, with how many of those that were
// sampled look so.
func (p *People) Found() map[*schema.Column]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[*schema.Column]int{}
	for c, counter := range p.counters {
		counter.mu.Lock()
		if counter.Found() {
			found[c], _ = counter.Sampled()
		}
		counter.mu.Unlock()
	}
	return found
}

// Names are counted in the first rows of a block and in some of all others: that is
// enough for a share, and costs little.
const (
	firstRowsOfNames = 1 << 10
	everyRowOfNames  = 8
)

// countsNames reports whether names are counted in the row that is looked at.
func (w *Watcher) countsNames() bool {
	return w.rows <= firstRowsOfNames || w.rows%everyRowOfNames == 0
}
