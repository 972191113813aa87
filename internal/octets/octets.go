// Package octets looks at eight bytes of a text at once, as one word. It must
// never be slower than a byte at a time.
package octets

import "encoding/binary"

const (
	Each = 0x0101010101010101 // times a byte: a word of eight of it
	High = 0x80 * Each        // the highest bit of every byte
)

// Load is the word of the first eight bytes.
func Load(s []byte) uint64 { return binary.LittleEndian.Uint64(s) }

// Under sets the highest bit of the bytes of a word that are below c, which is
// 128 at most. Behind the first that is, others may be marked too.
func Under(word uint64, c byte) uint64 { return (word - Each*uint64(c)) &^ word & High }

// Equal does likewise with bytes that are c.
func Equal(word uint64, c byte) uint64 { return Under(word^Each*uint64(c), 1) }

// Ranged sets the highest bit of the bytes of a word that are from first to
// last, as long as all before them are ASCII.
func Ranged(word uint64, first, last byte) uint64 {
	return (word + Each*uint64(0x80-first)) &^ (word + Each*uint64(0x7f-last)) & High
}
