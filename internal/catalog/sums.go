package catalog

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"

	"golang.org/x/crypto/blake2b"
)

// sumKind is a kind of sum that side files tell; "" where they tell none.
type sumKind string

// kindsOfSums are those that are read, the strongest first.
var kindsOfSums = []struct {
	kind     sumKind
	bytes    int
	suffixes []string // of side files
	tags     []string // of lines that name their kind
	hash     func() hash.Hash
}{
	{"SHA-256", 32, []string{".sha256", ".sha256sum"}, []string{"SHA256", "SHA2-256", "SHA-256"}, sha256.New},
	{"SHA-512", 64, []string{".sha512", ".sha512sum"}, []string{"SHA512", "SHA2-512", "SHA-512"}, sha512.New},
	{"SHA-384", 48, []string{".sha384", ".sha384sum"}, []string{"SHA384", "SHA2-384", "SHA-384"}, sha512.New384},
	{"SHA-224", 28, []string{".sha224", ".sha224sum"}, []string{"SHA224", "SHA2-224", "SHA-224"}, sha256.New224},
	{"BLAKE2b", 64, []string{".b2", ".b2sum"}, []string{"BLAKE2B", "BLAKE2B512"}, newBLAKE2b},
	{"SHA-1", 20, []string{".sha1", ".sha1sum"}, []string{"SHA1", "SHA-1"}, sha1.New},
	{"MD5", 16, []string{".md5", ".md5sum"}, []string{"MD5"}, md5.New},
}

func newBLAKE2b() hash.Hash {
	h, _ := blake2b.New512(nil) // fails for a key that is too long only
	return h
}

// title names the kind for people.
func (k sumKind) title() string { return string(k) }

// rank is the lower the stronger a kind is; -1 for one that is not read.
func (k sumKind) rank() int {
	for i, s := range kindsOfSums {
		if s.kind == k {
			return i
		}
	}
	return -1
}

// sums are the sums of what is written to it: the SHA-256, and another where a
// side file or the store tells one.
type sums struct {
	first hash.Hash
	other hash.Hash // nil: the SHA-256 is told, or nothing
}

func newSums(told string) *sums {
	s := &sums{first: sha256.New()}
	if told != "" && told != kindsOfSums[0].kind.title() {
		s.other = hashOf(told)
	}
	return s
}

func (s *sums) Write(p []byte) (int, error) {
	s.first.Write(p)
	if s.other != nil {
		s.other.Write(p)
	}
	return len(p), nil
}

func (s *sums) sha256() string { return hex.EncodeToString(s.first.Sum(nil)) }

// told is the sum of the kind that is told.
func (s *sums) told() string {
	if s.other != nil {
		return hex.EncodeToString(s.other.Sum(nil))
	}
	return s.sha256()
}
