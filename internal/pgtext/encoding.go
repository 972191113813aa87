package pgtext

import "unicode/utf8"

// Valid returns the function that reports whether text is well-formed in an
// encoding, by PostgreSQL's name; nil where every byte but zero is, or where
// the encoding is not known.
//
// The rules are those of src/common/wchar.c.
func Valid(encoding string) func(text []byte) bool {
	switch encoding {
	case "", "UTF8", "UNICODE":
		return utf8.Valid
	case "EUC_JP":
		return by(eucJP)
	case "EUC_CN", "EUC_KR":
		return by(euc)
	case "EUC_TW":
		return by(eucTW)
	case "SJIS", "SHIFT_JIS_2004":
		return by(sjis)
	case "BIG5", "GBK", "UHC":
		return by(pair)
	case "GB18030":
		return by(gb18030)
	}
	return nil
}

// by reads characters whose first byte is none of ASCII's with a function that
// tells their length, 0 for what is none.
func by(length func(s []byte) int) func([]byte) bool {
	return func(s []byte) bool {
		for i := 0; i < len(s); {
			if s[i] < 0x80 {
				i++
				continue
			}
			n := length(s[i:])
			if n == 0 || n > len(s)-i {
				return false
			}
			i += n
		}
		return true
	}
}

// The bytes that introduce the second and the third set of EUC.
const (
	single2 = 0x8e
	single3 = 0x8f
)

func isEUC(s []byte, at int) bool { return at < len(s) && 0xa1 <= s[at] && s[at] <= 0xfe }

func euc(s []byte) int {
	if isEUC(s, 0) && isEUC(s, 1) {
		return 2
	}
	return 0
}

func eucJP(s []byte) int {
	switch {
	case s[0] == single2 && len(s) > 1 && 0xa1 <= s[1] && s[1] <= 0xdf:
		return 2
	case s[0] == single3 && isEUC(s, 1) && isEUC(s, 2):
		return 3
	case s[0] != single2 && s[0] != single3:
		return euc(s)
	}
	return 0
}

func eucTW(s []byte) int {
	switch {
	case s[0] == single2 && len(s) > 1 && 0xa1 <= s[1] && s[1] <= 0xa7 && isEUC(s, 2) && isEUC(s, 3):
		return 4
	case s[0] != single2 && s[0] != single3 && isEUC(s, 1):
		return 2
	}
	return 0
}

func sjis(s []byte) int {
	c := s[0]
	switch {
	case 0xa1 <= c && c <= 0xdf:
		return 1
	case len(s) > 1 && (0x81 <= c && c <= 0x9f || 0xe0 <= c && c <= 0xfc) &&
		(0x40 <= s[1] && s[1] <= 0x7e || 0x80 <= s[1] && s[1] <= 0xfc):
		return 2
	}
	return 0
}

// pair is any byte after the first.
func pair([]byte) int { return 2 }

func gb18030(s []byte) int {
	within := func(at int, low, high byte) bool { return at < len(s) && low <= s[at] && s[at] <= high }
	switch {
	case !within(0, 0x81, 0xfe):
		return 0
	case within(1, '0', '9'):
		if within(2, 0x81, 0xfe) && within(3, '0', '9') {
			return 4
		}
		return 0
	case within(1, 0x40, 0x7e) || within(1, 0x80, 0xfe):
		return 2
	}
	return 0
}
