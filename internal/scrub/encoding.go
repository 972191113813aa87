package scrub

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"daybefore/internal/copytext"
)

// rowEncoding is how the rows of an archive are encoded, its client_encoding.
// Values are hashed as UTF-8, so that a person has one pseudonym in archives
// of any encoding.
type rowEncoding struct {
	name    string
	charset copytext.Charset
	code    encoding.Encoding // nil: UTF-8, or bytes of no known meaning
}

// encodings are PostgreSQL's, without those of which this program has no
// table: EUC_TW, EUC_JIS_2004, SHIFT_JIS_2004, JOHAB, MULE_INTERNAL.
var encodings = map[string]rowEncoding{
	"UTF8": {}, "UNICODE": {}, "SQL_ASCII": {},
	"LATIN1": {code: charmap.ISO8859_1}, "LATIN2": {code: charmap.ISO8859_2}, "LATIN3": {code: charmap.ISO8859_3},
	"LATIN4": {code: charmap.ISO8859_4}, "LATIN5": {code: charmap.ISO8859_9}, "LATIN6": {code: charmap.ISO8859_10},
	"LATIN7": {code: charmap.ISO8859_13}, "LATIN8": {code: charmap.ISO8859_14}, "LATIN9": {code: charmap.ISO8859_15},
	"LATIN10": {code: charmap.ISO8859_16}, "ISO_8859_5": {code: charmap.ISO8859_5}, "ISO_8859_6": {code: charmap.ISO8859_6},
	"ISO_8859_7": {code: charmap.ISO8859_7}, "ISO_8859_8": {code: charmap.ISO8859_8},
	"KOI8R": {code: charmap.KOI8R}, "KOI8U": {code: charmap.KOI8U},
	"WIN866": {code: charmap.CodePage866}, "WIN874": {code: charmap.Windows874},
	"WIN1250": {code: charmap.Windows1250}, "WIN1251": {code: charmap.Windows1251}, "WIN1252": {code: charmap.Windows1252},
	"WIN1253": {code: charmap.Windows1253}, "WIN1254": {code: charmap.Windows1254}, "WIN1255": {code: charmap.Windows1255},
	"WIN1256": {code: charmap.Windows1256}, "WIN1257": {code: charmap.Windows1257}, "WIN1258": {code: charmap.Windows1258},
	"EUC_JP": {code: japanese.EUCJP}, "EUC_CN": {code: simplifiedchinese.GBK}, "EUC_KR": {code: korean.EUCKR},
	"SJIS":    {code: japanese.ShiftJIS, charset: copytext.ShiftJIS},
	"BIG5":    {code: traditionalchinese.Big5, charset: copytext.DoubleByte},
	"GBK":     {code: simplifiedchinese.GBK, charset: copytext.DoubleByte},
	"UHC":     {code: korean.EUCKR, charset: copytext.DoubleByte},
	"GB18030": {code: simplifiedchinese.GB18030, charset: copytext.DoubleByte},
}

// encodingOf finds an encoding by PostgreSQL's name; the empty name is UTF8's.
func encodingOf(name string) (rowEncoding, bool) {
	if name == "" {
		name = "UTF8"
	}
	e, ok := encodings[strings.ToUpper(name)]
	e.name = name
	return e, ok
}

// encode turns a drill file's text into what the rows are written in; false if
// they cannot hold it.
func (e rowEncoding) encode(s string) ([]byte, bool) {
	if e.code == nil {
		return []byte(s), true
	}
	b, err := e.code.NewEncoder().Bytes([]byte(s))
	return b, err == nil && (e.charset == copytext.ASCIISafe || isASCII(s))
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// decoder turns values into UTF-8; one serves one goroutine.
type decoder struct {
	code *encoding.Decoder
	buf  []byte
}

func (e rowEncoding) newDecoder() *decoder {
	if e.code == nil {
		return &decoder{}
	}
	return &decoder{code: e.code.NewDecoder()}
}

// decode returns the value as UTF-8, valid until the next call; and as it is
// where it is of no known meaning, so that different bytes stay different.
func (d *decoder) decode(value []byte) []byte {
	if d.code == nil || !hasHighBytes(value) {
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

func hasHighBytes(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}
