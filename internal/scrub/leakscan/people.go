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
	counters map[*schema.Column][]*detect.People // by the topmost column
}

// NewPeople counts by a key.
func NewPeople(seed maphash.Seed) *People {
	return &People{seed: seed, counters: map[*schema.Column][]*detect.People{}}
}

// counter is for the values of a column in one block; nil where they are no texts
// by themselves, or where nobody counts.
func (p *People) counter(c *schema.Column) *detect.People {
	if p == nil || c.Family() != schema.Textual || c.Array {
		return nil
	}
	counter := detect.NewPeople(p.seed)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counters[c.Root()] = append(p.counters[c.Root()], counter)
	return counter
}

// Found are the columns whose values are names, with how many of those that were
// sampled look so. Call it when no watcher is at work.
func (p *People) Found() map[*schema.Column]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[*schema.Column]int{}
	for c, counters := range p.counters {
		all := detect.NewPeople(p.seed)
		for _, counter := range counters {
			all.Join(counter)
		}
		if all.Found() {
			found[c], _ = all.Sampled()
		}
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
