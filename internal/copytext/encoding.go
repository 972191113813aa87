package copytext

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Encoding is how an archive is written, its client_encoding: rows, names and
// SQL alike. The zero value is UTF-8.
type Encoding struct {
	Name    string // PostgreSQL's
	Charset Charset
	Code    encoding.Encoding // nil: UTF-8, or bytes of no known meaning
}

// encodings are PostgreSQL's, without those of which this program has no
// table: EUC_TW, EUC_JIS_2004, SHIFT_JIS_2004, JOHAB, MULE_INTERNAL.
var encodings = map[string]Encoding{
	"UTF8": {}, "UNICODE": {}, "SQL_ASCII": {},
	"LATIN1": {Code: charmap.ISO8859_1}, "LATIN2": {Code: charmap.ISO8859_2}, "LATIN3": {Code: charmap.ISO8859_3},
	"LATIN4": {Code: charmap.ISO8859_4}, "LATIN5": {Code: charmap.ISO8859_9}, "LATIN6": {Code: charmap.ISO8859_10},
	"LATIN7": {Code: charmap.ISO8859_13}, "LATIN8": {Code: charmap.ISO8859_14}, "LATIN9": {Code: charmap.ISO8859_15},
	"LATIN10": {Code: charmap.ISO8859_16}, "ISO_8859_5": {Code: charmap.ISO8859_5},
	"ISO_8859_6": {Code: charmap.ISO8859_6},
	"ISO_8859_7": {Code: charmap.ISO8859_7}, "ISO_8859_8": {Code: charmap.ISO8859_8},
	"KOI8R": {Code: charmap.KOI8R}, "KOI8U": {Code: charmap.KOI8U},
	"WIN866": {Code: charmap.CodePage866}, "WIN874": {Code: charmap.Windows874},
	"WIN1250": {Code: charmap.Windows1250}, "WIN1251": {Code: charmap.Windows1251},
	"WIN1252": {Code: charmap.Windows1252},
	"WIN1253": {Code: charmap.Windows1253}, "WIN1254": {Code: charmap.Windows1254},
	"WIN1255": {Code: charmap.Windows1255},
	"WIN1256": {Code: charmap.Windows1256}, "WIN1257": {Code: charmap.Windows1257},
	"WIN1258": {Code: charmap.Windows1258},
	"EUC_JP":  {Code: japanese.EUCJP}, "EUC_CN": {Code: simplifiedchinese.GBK}, "EUC_KR": {Code: korean.EUCKR},
	"SJIS":    {Code: japanese.ShiftJIS, Charset: ShiftJIS},
	"BIG5":    {Code: traditionalchinese.Big5, Charset: DoubleByte},
	"GBK":     {Code: simplifiedchinese.GBK, Charset: DoubleByte},
	"UHC":     {Code: korean.EUCKR, Charset: DoubleByte},
	"GB18030": {Code: simplifiedchinese.GB18030, Charset: DoubleByte},
}

// EncodingOf finds an encoding by PostgreSQL's name; the empty name is UTF8's.
func EncodingOf(name string) (Encoding, bool) {
	if name == "" {
		name = "UTF8"
	}
	e, ok := encodings[strings.ToUpper(name)]
	e.Name = name
	return e, ok
}

// Encode turns UTF-8 into what the archive is written in; false if that cannot
// hold it, or not where ASCII must stay what it looks like.
func (e Encoding) Encode(s string) ([]byte, bool) {
	if e.Code == nil {
		return []byte(s), true
	}
	b, err := e.Code.NewEncoder().Bytes([]byte(s))
	return b, err == nil && (e.Charset == ASCIISafe || !HasHighBytes(s))
}

// Decoder turns values into UTF-8; one serves one goroutine.
type Decoder struct {
	code *encoding.Decoder
	buf  []byte
}

// NewDecoder returns a decoder of this encoding.
func (e Encoding) NewDecoder() *Decoder {
	if e.Code == nil {
		return &Decoder{}
	}
	return &Decoder{code: e.Code.NewDecoder()}
}

// Converts reports whether Decode may return other bytes than it is given.
func (d *Decoder) Converts() bool { return d.code != nil }

// Decode returns the value as UTF-8, valid until the next call; and as it is
// where it is of no known meaning, so that different bytes stay different.
func (d *Decoder) Decode(value []byte) []byte {
	if d.code == nil || !HasHighBytes(value) {
		return value
	}
	const widest = utf8.UTFMax
	if need := widest*len(value) + widest; cap(d.buf) < need {
		d.buf = make([]byte, need)
	}
	d.code.Reset()
	n, _, err := d.code.Transform(d.buf[:cap(d.buf)], value, true)
	if err != nil {
		return value
	}
	out := d.buf[:n]
	for i := 0; i < len(out); {
		r, size := utf8.DecodeRune(out[i:])
		if r == utf8.RuneError {
			return value
		}
		i += size
	}
	return out
}

// HasHighBytes reports whether any byte is none of ASCII's.
func HasHighBytes[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
