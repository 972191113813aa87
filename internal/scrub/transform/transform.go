// Package transform turns one value into its pseudonym, as the rule of a drill
// file says: New makes a rule ready for a column, a Masker applies it. Whether a
// column takes what is made is decided before the first row, by the Unfit
// functions and by Outcomes. It must never keep a value, put one into an error, or
// let what came before decide what a value becomes.
package transform

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"maps"
	"regexp"
	"slices"

	"golang.org/x/text/encoding"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/words"
)

// The transforms, as drill files name them.
const (
	Email     = "email"      // <16 characters, 80 bits>@example.invalid
	Name      = "name"       // a first name, and a last name where the value has several words
	FirstName = "first_name" // a first name
	LastName  = "last_name"  // a last name
	Company   = "company"    // a company that is called after two people
	Street    = "street"     // a number and a street
	City      = "city"       // a city's name
	Postcode  = "postcode"   // other letters and digits in the same places; the first digit zero or not as it was
	Phone     = "phone"      // other digits in the same places
	Text      = "text"       // other letters and digits in the same places
	Hash      = "hash"       // 32 hexadecimal digits
	Token     = "token"      // letters and digits, as many as the value has and at least 16
	UUID      = "uuid"       // a random uuid's form
	URL       = "url"        // https://example.invalid/<16 characters, 80 bits>
	IP        = "ip"         // an address of 10.0.0.0/8 or 2001:db8::/32
	MAC       = "mac"        // a locally administered address in the same form
	IBAN      = "iban"       // the same country and form, with valid check digits
	Card      = "card"       // the same first digit and form, with a valid check digit
	Money     = "money"      // an amount near the value, in the same form
	Number    = "number"     // a number near the value, or the foot of its bucket
	DateShift = "date_shift" // a day near the value's, at the same time of day
	Truncate  = "truncate"   // the beginning of the value's hour, day, month or year
	Password  = "password"   // a hash of knownPassword, of the value's kind
	Replace   = "replace"    // what pattern finds replaced; text where it finds nothing
	Template  = "template"   // the rule's value, with {other transforms} in it
	Constant  = "constant"   // the rule's value; null stays null
	SetNull   = "set_null"   // null
)

// Effect is what a transform does to values that were apart.
type Effect int

const (
	KeepsApart Effect = iota // different stay different, but for a chance of 2^-64 and less
	Merges                   // different values may become equal
	Clears                   // nothing is left
)

// kind is what a drill file names. One that keeps a value's shape makes
// what a CHECK takes or refuses depend on the value too.
type kind struct {
	effect     Effect
	fits       func(t schema.Type) bool
	length     int                              // characters it needs at least; 0: what the value had, or it is cut
	most       int                              // characters it makes at most, where a template may hold it; 0: as many as words say, or it may not
	words      func(*words.Locale) words.Phrase // what is drawn from a locale's words; nil: nothing
	keepsShape bool
	samples    []string // values it is at home with
	write      func(m *Masker, dst []byte, r *Recipe, in input) ([]byte, error)
}

// input is a value in UTF-8, not empty; the same without what does not tell it
// from others; and the digest of that.
type input struct {
	value, normalized []byte
	digest            *[sha256.Size]byte
}

const (
	emailBytes  = 10
	emailDomain = "@example.invalid"
	emailLength = emailBytes*8/5 + len(emailDomain)
	hashBytes   = 16
	hashLength  = 2 * hashBytes
)

var emailAlphabet = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// kinds are all but those that need no value: constant and set_null are
// here for what they are, and written by others.
var kinds = map[string]*kind{
	Email: {fits: schema.Type.IsText, length: emailLength, most: emailLength, write: writeEmail},
	Hash:  {fits: anyOf(schema.Type.IsText, schema.Type.IsUUID, schema.Type.IsBytes), length: hashLength, most: hashLength, write: writeHash},
	UUID:  {fits: anyOf(schema.Type.IsText, schema.Type.IsUUID), length: uuidLength, most: uuidLength, write: writeUUID},
	URL:   {fits: schema.Type.IsText, length: urlLength, most: urlLength, write: writeURL},
	Token: {fits: schema.Type.IsText, length: leastToken, keepsShape: true, write: writeToken},

	Name:      {effect: Merges, fits: schema.Type.IsText, words: func(l *words.Locale) words.Phrase { return l.Name }, write: writeName},
	FirstName: {effect: Merges, fits: schema.Type.IsText, words: func(l *words.Locale) words.Phrase { return l.FirstName }, write: writeWords},
	LastName:  {effect: Merges, fits: schema.Type.IsText, words: func(l *words.Locale) words.Phrase { return l.LastName }, write: writeWords},
	Company:   {effect: Merges, fits: schema.Type.IsText, words: func(l *words.Locale) words.Phrase { return l.Company }, write: writeWords},
	Street:    {effect: Merges, fits: schema.Type.IsText, words: func(l *words.Locale) words.Phrase { return l.Street }, write: writeWords},
	City:      {effect: Merges, fits: schema.Type.IsText, words: func(l *words.Locale) words.Phrase { return l.City }, write: writeWords},

	Postcode: {effect: Merges, fits: schema.Type.IsText, keepsShape: true, samples: []string{"10115", "SW1A 1AA", "1010 AB", "00-950", "75001"}, write: writeNumberShape},
	Phone:    {effect: Merges, fits: schema.Type.IsText, keepsShape: true, samples: phoneSamples, write: writeNumberShape},
	Text:     {effect: Merges, fits: schema.Type.IsText, keepsShape: true, write: writeShape},
	IP:       {effect: Merges, fits: anyOf(schema.Type.IsText, schema.Type.IsAddress), keepsShape: true, samples: []string{"192.0.2.7", "198.51.100.0/24", "2001:db8::7"}, write: writeIP},
	MAC:      {effect: Merges, fits: anyOf(schema.Type.IsText, schema.Type.IsMAC), keepsShape: true, samples: []string{"00:00:5e:00:53:01", "00:00:5e:ff:fe:00:53:01"}, write: writeMAC},
	IBAN:     {effect: Merges, fits: schema.Type.IsText, keepsShape: true, samples: []string{"DE75512108001245126199", "GB33BUKB20201555555555", "NL91 ABNA 0417 1643 00"}, write: writeIBAN},
	Card:     {effect: Merges, fits: anyOf(schema.Type.IsText, schema.Type.IsDecimal), keepsShape: true, samples: []string{"4111111111111111", "378282246310005"}, write: writeCard},
	Password: {effect: Merges, fits: schema.Type.IsText, length: len(knownBcrypt), keepsShape: true, samples: []string{knownBcrypt, knownSCRAM, knownArgon2}, write: writePassword},

	Money:     {effect: Merges, fits: anyOf(schema.Type.IsText, schema.Type.IsNumber, schema.Type.IsMoney), keepsShape: true, samples: numberSamples, write: writeMoney},
	Number:    {effect: Merges, fits: anyOf(schema.Type.IsNumber, schema.Type.IsNumberRange), keepsShape: true, samples: numberSamples, write: writeNumber},
	DateShift: {effect: Merges, fits: anyOf(schema.Type.IsText, schema.Type.IsDate, schema.Type.IsDateRange), keepsShape: true, samples: DateSamples, write: writeDateShift},
	Truncate:  {effect: Merges, fits: anyOf(schema.Type.IsText, schema.Type.IsDate, schema.Type.IsDateRange), keepsShape: true, samples: DateSamples, write: writeTruncated},

	Replace:  {effect: Merges, fits: schema.Type.IsText, keepsShape: true, write: writeReplaced},
	Template: {effect: Merges, fits: schema.Type.IsText, write: writeTemplate}, // recipes of safer parts say so

	Constant: {effect: Merges, fits: anyType, write: writeConstant},
	SetNull:  {effect: Clears, fits: anyType, write: writeNothing},
}

var (
	phoneSamples  = []string{"+491712345678", "+49 171 2345678", "+1 (555) 010-1234", "01712345678", "0171-2345678", "(555) 010-1234", "555-010-1234", "5550101234", "123456789"}
	numberSamples = []string{"1", "2", "3", "5", "10", "50", "99", "100", "1000", "12345", "-1", "-10", "-100"}
	DateSamples   = []string{"1950-06-15", "1999-12-31", "2024-02-29", "2099-01-01"}
)

// Names are all of them, sorted.
func Names() []string { return slices.Sorted(maps.Keys(kinds)) }

// Known reports whether there is a transform of that name.
func Known(name string) bool { return kinds[name] != nil }

// Fits reports whether a transform can write values of a type.
func Fits(name string, t schema.Type) bool { return Known(name) && kinds[name].fits(t.Values()) }

func anyType(schema.Type) bool { return true }

func anyOf(kinds ...func(schema.Type) bool) func(schema.Type) bool {
	return func(t schema.Type) bool {
		return slices.ContainsFunc(kinds, func(is func(schema.Type) bool) bool { return is(t) })
	}
}

var errUnknownTransform = errors.New("no such transform")

// Recipe is a rule made ready for one column, or for a part of its values.
type Recipe struct {
	*kind
	name        string // of the transform
	effect      Effect // of the transform, or of what the template is made of
	domain      []byte // with its zero byte
	normal      Normal
	value       []byte         // constant: in the encoding of the rows
	parts       []templatePart // template
	pattern     *regexp.Regexp // replace
	with        []byte         // replace
	percent     float64        // number, money
	bucket      uint64         // number; 0: noise
	largest     uint64         // number, money: the type's largest; 0: none
	days        int            // date_shift
	to          datePrecision  // truncate
	span        dateSpan
	limit       int               // characters; 0: none
	lead        string            // hash: of a bytea
	whole       bool              // the value is a range: what is made of it is no sample's extreme
	network     bool              // ip: the type is cidr, whose host bits are zero
	locale      *words.Locale     // where the transform, or a part of its template, writes words
	code        encoding.Encoding // of the rows; nil: Unicode
	plainNumber bool              // money: the type is a number's
	folded      bool              // equal normalized values are to become equal, whatever was taken off them
	lenient     bool              // the value is a text: what is not of the transform's kind becomes text's
}

// WritesPlain tells whether what the recipe makes holds nothing that COPY
// escapes, unless the value did: it copies of the value, and writes digits,
// letters and words of its own.
func (r *Recipe) WritesPlain() bool {
	switch r.name {
	case Constant, Replace, Template:
		return false
	}
	return len(r.lead) == 0
}

// NewMasker makes one whose digests are under a key.
func NewMasker(key []byte) *Masker { return &Masker{Keyed: NewKeyed(key)} }

// Masker applies recipes; one serves one goroutine.
type Masker struct {
	*Keyed
	norm, digits, clock []byte
	unicode             []byte            // what is yet to be encoded
	encoder             *encoding.Encoder // nil until something is
	ranges              copytext.RangeReader
	lower, upper        []byte  // a range's bounds
	person              *uint64 // date_shift: who the value is about, instead of the value itself
	seed                uint64  // person's
}

// Append appends what the recipe makes of a value, which is UTF-8 and not
// empty, to dst; normalized is the value without what does not tell it from
// others.
func (m *Masker) Append(dst []byte, r *Recipe, value, normalized []byte) ([]byte, error) {
	in := input{value: value, normalized: normalized}
	if r.name != Constant {
		in.digest = m.Digest(r.domain, normalized)
	}
	if r.folded {
		in.value = normalized
	}
	start := len(dst)
	out, err := r.write(m, dst, r, in)
	if err != nil && r.lenient {
		return writeShape(m, out[:start], r, in)
	}
	return out, err
}

func writeConstant(_ *Masker, dst []byte, r *Recipe, _ input) ([]byte, error) {
	return append(dst, r.value...), nil
}

func writeNothing(_ *Masker, dst []byte, _ *Recipe, _ input) ([]byte, error) { return dst, nil }

func writeEmail(_ *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	return append(emailAlphabet.AppendEncode(dst, in.digest[:emailBytes]), emailDomain...), nil
}

// writeHash: bytea reads its digits behind \x.
func writeHash(_ *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	return hex.AppendEncode(append(dst, r.lead...), in.digest[:hashBytes]), nil
}

// knownPassword is what everybody's password is in the sandbox under the
// transform password.
const knownPassword = "password"

// Hashes of knownPassword. A value's own kind is kept where it is one of these;
// all others become bcrypt's.
const (
	knownBcrypt = "$2b$10$CW3vzN0iE3The9LhmZIzAuPpaVjU6kg/CwRn5Ehze7QLweQwQft02"
	knownSCRAM  = "SCRAM-SHA-256$4096:ZGF5YmVmb3JlIGRyaWxsIQ==$G+rhwE9r2n3gijCTePcqdftkYDLwlCd+d5rAxcINZ5A=:oODRLqmDB0/vLgkhKKWqjLtLKJ50s4OFI6ztC7PSWoU="
	knownArgon2 = "$argon2id$v=19$m=65536,t=3,p=4$ZGF5YmVmb3JlIGRyaWxsIQ$GnA3H62ox0c/Gqh33mNKjCselIgP11aQIrASde8mNsw"
)

func writePassword(_ *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	s := in.value
	switch {
	case hasPrefix(s, "SCRAM-SHA-256$"):
		return append(dst, knownSCRAM...), nil
	case hasPrefix(s, "$argon2id$"):
		return append(dst, knownArgon2...), nil
	case len(s) > 4 && (hasPrefix(s, "$2a$") || hasPrefix(s, "$2y$")): // the same for ASCII, and some libraries want their own
		return append(append(dst, s[:4]...), knownBcrypt[4:]...), nil
	}
	return append(dst, knownBcrypt...), nil
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// AppendWord appends a word of 16 characters for a value: 80 bits of its digest.
func (m *Masker) AppendWord(dst []byte, r *Recipe, value []byte) []byte {
	return emailAlphabet.AppendEncode(dst, m.Digest(r.domain, value)[:emailBytes])
}
