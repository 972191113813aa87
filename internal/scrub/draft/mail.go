package draft

import (
	"bytes"
	"hash/maphash"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/sketch"
)

// mailEvidence is how a column's e-mail addresses are written: people take those
// that differ by case or outer blanks for the same. The zero value is ready.
type mailEvidence struct {
	capitals, padded int64         // values with capital letters, with outer blanks
	written, folded  sketch.Sketch // as they stand; in lower case and without blanks
}

// add takes a value as it stands and without outer blanks; what holds no @ is no
// address.
func (m *mailEvidence) add(written, trimmed []byte, seed maphash.Seed) {
	if bytes.IndexByte(trimmed, '@') < 0 {
		return
	}
	lower := bytes.ToLower(trimmed)
	if !bytes.Equal(lower, trimmed) {
		m.capitals++
	}
	if len(trimmed) < len(written) {
		m.padded++
	}
	m.written.Add(maphash.Bytes(seed, written))
	m.folded.Add(maphash.Bytes(seed, lower))
}

func (m *mailEvidence) join(other *mailEvidence) {
	m.capitals += other.capitals
	m.padded += other.padded
	m.written.Join(&other.written)
	m.folded.Join(&other.folded)
}

// varies reports whether some values hold capitals or outer blanks; char(n) ends
// all of its values in blanks.
func (m *mailEvidence) varies(c *schema.Column) bool {
	return m.capitals > 0 || m.padded > 0 && !c.Base.Is("bpchar")
}

// folds reports whether different values are equal in lower case and without
// blanks; of more than a sketch counts, whether that is likely.
func (m *mailEvidence) folds() bool {
	const doubt = 20 // one in so many may be the sketches' error
	written, exact := m.written.Count()
	folded, _ := m.folded.Count()
	if exact {
		return written > folded
	}
	return written-folded > folded/doubt
}
