package copytext

import "strings"

// CharsetOf returns the charset of an encoding by PostgreSQL's name of it.
func CharsetOf(encoding string) Charset {
	switch strings.ToUpper(strings.NewReplacer("_", "", "-", "").Replace(encoding)) {
	case "SJIS", "SHIFTJIS", "MSKANJI", "WIN932", "WINDOWS932", "SHIFTJIS2004":
		return ShiftJIS
	case "BIG5", "WIN950", "WINDOWS950", "GBK", "WIN936", "WINDOWS936", "UHC", "WIN949", "WINDOWS949", "JOHAB",
		"GB18030":
		return DoubleByte
	}
	return ASCIISafe
}

// Lead reports whether b begins a two-byte character whose second byte may look
// like ASCII.
func (cs Charset) Lead(b byte) bool { return cs.lead != nil && cs.lead[b] }

// AppendEscaped appends a value of this charset to dst as COPY TO writes it.
func (cs Charset) AppendEscaped(dst, value []byte) []byte {
	if cs.lead == nil {
		return AppendEscaped(dst, value)
	}
	for i := 0; i < len(value); i++ {
		c := value[i]
		e := escapes[c]
		switch {
		case e != 0:
			dst = append(dst, '\\', e)
		case cs.lead[c] && i+1 < len(value):
			dst = append(dst, c, value[i+1])
			i++
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
