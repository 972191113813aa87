package transform

import (
	"encoding/hex"

	"daybefore/internal/scrub/schema"
)

// Hash makes 32 hexadecimal digits.
const Hash = "hash"

const (
	hashBytes  = 16
	hashLength = 2 * hashBytes
)

func init() {
	fits := anyOf(schema.Type.IsText, schema.Type.IsUUID, schema.Type.IsBytes)
	register(Hash, kind{fits: fits, length: hashLength, most: hashLength, write: writeHash})
}

// writeHash: bytea reads its digits behind \x.
func writeHash(_ *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	return hex.AppendEncode(append(dst, r.lead...), in.digest[:hashBytes]), nil
}
