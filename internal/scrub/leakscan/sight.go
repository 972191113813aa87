package leakscan

import (
	"fmt"
	"hash/maphash"

	"daybefore/internal/detect"
	"daybefore/internal/verdict"
)

// Sight is what a sample of values that pass looks like: their forms and, if it
// asks for that, whether they are personal. It keeps numbers and no value. The
// zero value asks for forms only; one serves one goroutine.
type Sight struct {
	Forms    detect.FormCounts
	asks     bool
	scanner  detect.Scanner
	seed     maphash.Seed
	looked   int64
	people   *detect.People // nil: none were looked for
	certain  map[detect.Kind]int64
	doubtful map[detect.Kind]int64
}

// NewSight asks what values are, too. Those that are joined have the same seed.
func NewSight(scanner detect.Scanner, seed maphash.Seed) Sight {
	return Sight{asks: true, scanner: scanner, seed: seed}
}

// AddBytes takes a value that is no text.
func (s *Sight) AddBytes() {
	s.looked++
	s.Forms[detect.Bytes]++
}

// Add takes a value in UTF-8, or its beginning.
func (s *Sight) Add(value []byte) {
	s.looked++
	s.Forms.Add(value)
	if !s.asks {
		return
	}
	s.peopleSeen().Add(value)
	if h, found := s.scanner.Find(value); found {
		s.count(h, 1)
	}
}

func (s *Sight) peopleSeen() *detect.People {
	if s.people == nil {
		s.people = detect.NewPeople(s.seed)
	}
	return s.people
}

func (s *Sight) count(h detect.Hit, n int64) {
	if s.certain == nil {
		s.certain, s.doubtful = map[detect.Kind]int64{}, map[detect.Kind]int64{}
	}
	if h.Confidence == detect.Certain {
		s.certain[h.Kind] += n
	} else {
		s.doubtful[h.Kind] += n
	}
}

// Join takes what another has seen.
func (s *Sight) Join(other *Sight) {
	s.looked += other.looked
	s.Forms.Join(other.Forms)
	if other.people != nil {
		s.peopleSeen().Join(other.people)
	}
	for k, n := range other.certain {
		s.count(detect.Hit{Kind: k}, n)
	}
	for k, n := range other.doubtful {
		s.count(detect.Hit{Kind: k, Confidence: detect.Doubtful}, n)
	}
}

// Tells is what the values are that is personal; empty: nothing.
func (s *Sight) Tells() string {
	if s.people != nil && (s.people.Found() || s.people.FoundFew()) {
		return detect.PersonWords
	}
	for _, k := range detect.Kinds() {
		if n := s.certain[k] + s.doubtful[k]; s.certain[k] > 0 || n >= LeastDoubtful {
			return fmt.Sprintf("%s (%d of %s looked at)", k.Words(), n, verdict.Count(s.looked, "value"))
		}
	}
	return ""
}
