package transform

import (
	"encoding/base32"

	"daybefore/internal/scrub/schema"
)

// Email makes <16 characters, 80 bits>@example.invalid.
const Email = "email"

const (
	emailBytes  = 10
	emailDomain = "@example.invalid"
	emailLength = emailBytes*8/5 + len(emailDomain)
)

var emailAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func init() {
	register(Email, kind{fits: schema.Type.IsText, length: emailLength, most: emailLength, write: writeEmail})
}

func writeEmail(_ *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	return append(emailAlphabet.AppendEncode(dst, in.digest[:emailBytes]), emailDomain...), nil
}

// AppendWord appends a word of 16 characters for a value: 80 bits of its digest.
func (m *Masker) AppendWord(dst []byte, r *Recipe, value []byte) []byte {
	return emailAlphabet.AppendEncode(dst, m.Digest(r.domain, value)[:emailBytes])
}
