package pgtext

import "unicode/utf8"

// boolean is parse_bool_with_len: beginnings of the words, as far as they are
// of one word alone.
func (r *Reader) boolean(_ *Type, s []byte) bool {
	s = trim(s)
	if len(s) == 0 {
		return false
	}
	switch s[0] {
	case 't', 'T':
		return begins("true", s)
	case 'f', 'F':
		return begins("false", s)
	case 'y', 'Y':
		return begins("yes", s)
	case 'n', 'N':
		return begins("no", s)
	case 'o', 'O':
		return fold(s, "on") || len(s) > 1 && begins("off", s)
	case '1', '0':
		return len(s) == 1
	}
	return false
}

func begins(word string, s []byte) bool { return len(s) <= len(word) && fold(s, word[:len(s)]) }

// uuid is string_to_uuid: hyphens after any four digits, braces around it.
func (r *Reader) uuid(_ *Type, s []byte) bool {
	braces := len(s) > 0 && s[0] == '{'
	if braces {
		s = s[1:]
	}
	for i := range 16 {
		if len(s) < 2 || hexDigit(s[0]) == 255 || hexDigit(s[1]) == 255 {
			return false
		}
		s = s[2:]
		if len(s) > 0 && s[0] == '-' && i%2 == 1 && i < 15 {
			s = s[1:]
		}
	}
	if braces {
		return string(s) == "}"
	}
	return len(s) == 0
}

// bytea is byteain: \x and digits with blanks between pairs, or octal escapes.
func (r *Reader) bytea(_ *Type, s []byte) bool {
	if len(s) >= 2 && s[0] == '\\' && s[1] == 'x' {
		return hexPairs(s[2:])
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			continue
		}
		rest := s[i+1:]
		switch {
		case len(rest) > 0 && rest[0] == '\\':
			i++
		case len(rest) > 2 && '0' <= rest[0] && rest[0] <= '3' && isOctal(rest[1]) && isOctal(rest[2]):
			i += 3
		default:
			return false
		}
	}
	return true
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

func hexPairs(s []byte) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == ' ' || c == '\n' || c == '\t' || c == '\r' {
			continue
		}
		if i+1 == len(s) || hexDigit(s[i]) == 255 || hexDigit(s[i+1]) == 255 {
			return false
		}
		i++
	}
	return true
}

// bit has exactly its length, varbit at most.
func (r *Reader) bit(t *Type, s []byte) bool {
	n := bitCount(s)
	return n >= 0 && (t.typmod <= 0 || n == int(t.typmod))
}

func (r *Reader) varbit(t *Type, s []byte) bool {
	n := bitCount(s)
	return n >= 0 && (t.typmod <= 0 || n <= int(t.typmod))
}

// bitCount is how many a bit string has; -1 for what is none.
func bitCount(s []byte) int {
	each := 1
	if len(s) > 0 && (s[0]|0x20 == 'b' || s[0]|0x20 == 'x') {
		if s[0]|0x20 == 'x' {
			each = 4
		}
		s = s[1:]
	}
	for _, c := range s {
		if each == 1 && c != '0' && c != '1' || hexDigit(c) == 255 {
			return -1
		}
	}
	return each * len(s)
}

// limited is text of at most so many characters: what is beyond must be blank.
func (r *Reader) limited(t *Type, s []byte) bool {
	limit := int(t.typmod) - header
	if limit <= 0 || len(s) <= limit {
		return true
	}
	for i := 0; i < len(s); limit-- {
		if limit == 0 {
			return onlyBlanks(s[i:])
		}
		_, size := utf8.DecodeRune(s[i:])
		i += size
	}
	return true
}

func onlyBlanks(s []byte) bool {
	for _, c := range s {
		if c != ' ' {
			return false
		}
	}
	return true
}

func (r *Reader) enum(t *Type, s []byte) bool {
	_, ok := t.labels[string(s)]
	return ok
}
