package leakscan

import (
	"hash/maphash"
	"sync"

	"daybefore/internal/copytext"
	"daybefore/internal/detect"
	"daybefore/internal/jsontext"
	"daybefore/internal/scrub/schema"
)

// People collects what the values of columns without a rule, and the texts of
// documents that pass, say of being names of people. It keeps keyed hashes, and
// nothing of a value. It is safe for concurrent use.
type People struct {
	seed maphash.Seed

	mu       sync.Mutex
	counters map[PeoplePlace]*peopleCounter
}

// PeoplePlace is the topmost column and, of a document's members, a path.
type PeoplePlace struct {
	Column *schema.Column
	Path   string
}

// NewPeople counts by a key.
func NewPeople(seed maphash.Seed) *People {
	return &People{seed: seed, counters: map[PeoplePlace]*peopleCounter{}}
}

// peopleCounter counts in one place, for all blocks that hold rows of it.
type peopleCounter struct {
	mu sync.Mutex
	*detect.People
}

func (p *peopleCounter) add(value []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Add(value)
}

// mostPeoplePlaces are counted in: documents may have any number of paths.
const mostPeoplePlaces = 10_000

// counter is for the values of a place. Of places that are too many the values are
// counted by nobody.
func (p *People) counter(at PeoplePlace) *peopleCounter {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.counters[at]
	if known == nil {
		known = &peopleCounter{People: detect.NewPeople(p.seed)}
		if len(p.counters) < mostPeoplePlaces {
			p.counters[at] = known
		}
	}
	return known
}

// counterOf is for the values of a column, or for the elements of its arrays; nil
// where they are no texts by themselves, or where nobody counts.
func (p *People) counterOf(c *schema.Column) *peopleCounter {
	if p == nil || c.Family() != schema.Textual {
		return nil
	}
	return p.counter(PeoplePlace{Column: c.Root()})
}

// Names are how many of the different values that were sampled look like names.
type Names struct {
	Count int
	Few   bool // the values are too few to say so for sure
}

// Found are the places whose values are names.
func (p *People) Found() map[PeoplePlace]Names {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := map[PeoplePlace]Names{}
	for at, counter := range p.counters {
		counter.mu.Lock()
		if few := counter.FoundFew(); few || counter.Found() {
			names, _ := counter.Sampled()
			found[at] = Names{names, few}
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

// addNames counts a value, of an array element by element.
func (w *Watcher) addNames(f *watchedField, value []byte) {
	switch {
	case f.members != nil && f.members.isDocument(value):
		if f.members.Begin() {
			f.members.Add(value, nil)
		}
	case !f.column.Array:
		f.people.add(value)
	case w.charset == copytext.ASCIISafe: // else braces cannot be told from letters
		w.out, _ = w.array.Append(w.out[:0], value, f.column.Delim, func(dst, element []byte) ([]byte, error) {
			f.people.add(element)
			return dst, nil
		})
	}
}

// Members counts names in the texts of documents, by the key that they stand under.
// One serves one goroutine.
type Members struct {
	people *People
	column *schema.Column
	tells  func(key []byte) bool // reports whether a key may be told
	paths  map[string]*peopleCounter
	seen   int64
	left   int // texts to look at of the document
}

// NewMembers is nil where nobody counts. A key of which tells says no is told as *.
func NewMembers(p *People, c *schema.Column, tells func(key []byte) bool) *Members {
	if p == nil {
		return nil
	}
	return &Members{people: p, column: c, tells: tells, paths: map[string]*peopleCounter{}}
}

// Bounds of what is looked at: of a block the first documents and then one in so
// many, and of each the first texts.
const (
	firstDocuments = 1 << 10
	everyDocument  = 64
	mostTexts      = 1 << 10
)

// Begin begins with a document, and reports whether it is looked at. The nil one
// looks at none.
func (m *Members) Begin() bool {
	if m == nil {
		return false
	}
	m.seen++
	m.left = mostTexts
	return m.seen <= firstDocuments || m.seen%everyDocument == 0
}

// isDocument reports whether a text is an object or an array of JSON's, by its ends.
func (m *Members) isDocument(text []byte) bool {
	if len(text) < 2 {
		return false
	}
	ends := string([]byte{text[0], text[len(text)-1]})
	return ends == "{}" || ends == "[]"
}

// Add counts the texts of a document, or of a part of one. Those that stand under no
// key of it are of path, or of the document itself where that is nil.
func (m *Members) Add(doc []byte, path func() string) {
	var counter *peopleCounter
	if m.left <= 0 {
		return
	}
	for text, value := range jsontext.Texts(doc) {
		m.left--
		switch {
		case m.left < 0:
			return
		case value >= 0:
			counter = m.ofKey(text)
		default:
			if counter == nil {
				counter = m.keyless(path)
			}
			counter.add(text)
		}
	}
}

// elsewhere is the path of texts under keys that may not be told.
const elsewhere = "$..*"

// Told reports whether a path of the place leads to its values alone.
func (p PeoplePlace) Told() bool { return p.Path != elsewhere }

func (m *Members) ofKey(key []byte) *peopleCounter {
	if known, ok := m.paths[string(key)]; ok {
		return known
	}
	path := elsewhere
	if jsontext.PlainKey(key) && m.tells(key) {
		path = "$.." + string(key)
	}
	made := m.people.counter(PeoplePlace{m.column.Root(), path})
	if len(m.paths) < mostPeoplePlaces {
		m.paths[string(key)] = made
	}
	return made
}

// keyless is for texts under no key: at a path, or of an array that is the document.
func (m *Members) keyless(path func() string) *peopleCounter {
	at := PeoplePlace{m.column.Root(), "$[*]"}
	if path != nil {
		at.Path = path()
	}
	return m.people.counter(at)
}
