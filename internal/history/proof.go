package history

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"daybefore/internal/spec"
)

// What is signed. None can pass for another, nor for what the key may be
// used for elsewhere.
const (
	signedReport     = "daybefore report"
	signedAcceptance = "daybefore acceptance"
	signedMute       = "daybefore mute"
	signedKey        = "daybefore key id"
)

// keyIDSize is the length of a key's id in bytes: it tells keys apart, and
// nothing of them.
const keyIDSize = 8

// The keyed hash is a file's last member, written by nobody but sign: it covers
// the very bytes before it, so that no two readings of them can differ.
const keyedHash = `,
  "keyed_hash": "%s:%s"
}
`

var (
	hashed = regexp.MustCompile(`,\n  "keyed_hash": "([0-9a-f]{16}):([0-9a-f]{64})"\n}\n$`)
	end    = []byte("\n}\n")
)

// proof is what a file's keyed hash says of it.
type proof uint8

const (
	unsigned proof = iota // it has none that can be read
	foreign               // it is of another key than those that are known
	proven                // it is right
)

// errForged says that a file is not what was signed.
var errForged = errors.New("its keyed hash does not fit: it was changed, or is not the file that was signed")

// The reasons why a file that is whole is not believed.
var (
	errUnsigned = errors.New("it has no keyed hash")
	errForeign  = errors.New("it was signed with another key")
)

// sign puts the keyed hash of the first key after JSON that ends as indented
// JSON does; without a key it is left as it is.
func sign(what string, b []byte, keys []spec.Key) []byte {
	if len(keys) == 0 {
		return b
	}
	sum := fmt.Sprintf(keyedHash, idOf(keys[0]), hex.EncodeToString(sumOf(keys[0], what, b)))
	return slices.Concat(b[:len(b)-len(end)], []byte(sum))
}

// prove takes the keyed hash off a file. What it returns are the bytes that
// were signed; an error says that they are others.
func prove(what string, b []byte, keys []spec.Key) ([]byte, proof, error) {
	at := hashed.FindSubmatchIndex(b)
	if at == nil {
		return b, unsigned, nil
	}
	id, text := string(b[at[2]:at[3]]), b[at[4]:at[5]]
	body := slices.Concat(b[:at[0]], end)
	for _, key := range keys {
		if !hmac.Equal([]byte(idOf(key)), []byte(id)) {
			continue
		}
		if !hmac.Equal([]byte(hex.EncodeToString(sumOf(key, what, body))), text) {
			return nil, unsigned, errForged
		}
		return body, proven, nil
	}
	return body, foreign, nil
}

func sumOf(key spec.Key, what string, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(what + "\x00"))
	h.Write(b)
	return h.Sum(nil)
}

func idOf(key spec.Key) string { return hex.EncodeToString(sumOf(key, signedKey, nil)[:keyIDSize]) }
