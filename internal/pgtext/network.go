package pgtext

import "bytes"

func (r *Reader) inet(_ *Type, s []byte) bool { return network(s, false) }
func (r *Reader) cidr(_ *Type, s []byte) bool { return network(s, true) }

// network follows network_in and inet_net_pton.c.
func network(s []byte, cidr bool) bool {
	if bytes.IndexByte(s, ':') >= 0 {
		return ipv6(s, cidr)
	}
	if !cidr {
		return inet4(s)
	}
	return cidr4(s)
}

// inet4 takes fewer than four parts only with a netmask that needs no more, and
// a point behind the last (inet_net_pton_ipv4).
func inet4(s []byte) bool {
	parts := 0
	for len(s) > 0 && isDigit(s[0]) {
		n, rest := number(s, 255)
		if n < 0 || parts == 4 {
			return false
		}
		if parts, s = parts+1, rest; len(s) == 0 || s[0] != '.' {
			break
		}
		s = s[1:]
	}
	if len(s) == 0 {
		return parts == 4
	}
	bits, rest := number(s[1:], 32)
	return s[0] == '/' && parts > 0 && bits >= 0 && len(rest) == 0 && bits/8 <= parts
}

// number reads digits as far as they go; -1 for none, or more than most.
func number(s []byte, most int) (n int, rest []byte) {
	if len(s) == 0 || !isDigit(s[0]) {
		return -1, s
	}
	for len(s) > 0 && isDigit(s[0]) {
		if n = n*10 + int(s[0]-'0'); n > most {
			return -1, s
		}
		s = s[1:]
	}
	return n, s
}

// cidr4 has no bits behind its netmask. Hexadecimal networks, which nobody
// writes, are known by their digits alone.
func cidr4(s []byte) bool {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		return hexNetwork(s[2:])
	}
	var address uint32
	parts := 0
	for {
		n, rest := number(s, 255)
		if n < 0 || parts == 4 {
			return false
		}
		address |= uint32(n) << (24 - 8*parts)
		parts, s = parts+1, rest
		if len(s) == 0 || s[0] == '/' {
			break
		}
		if s[0] != '.' {
			return false
		}
		if s = s[1:]; len(s) == 0 { // a point at the end
			return false
		}
	}
	if len(s) == 0 {
		return true // the netmask follows from the class, and what is there is wide enough
	}
	bits, rest := number(s[1:], 32)
	return bits >= 0 && len(rest) == 0 && address<<bits == 0
}

func hexNetwork(s []byte) bool {
	for len(s) > 0 && hexDigit(s[0]) != 255 {
		s = s[1:]
	}
	if len(s) == 0 {
		return true
	}
	bits, rest := number(s[1:], 32)
	return s[0] == '/' && bits >= 0 && len(rest) == 0
}

// ipv6 follows inet_cidr_pton_ipv6.
func ipv6(s []byte, cidr bool) bool {
	var address [16]byte
	n, gap := 0, -1
	bits := 128
	if len(s) > 0 && s[0] == ':' {
		if len(s) < 2 || s[1] != ':' {
			return false
		}
		s = s[1:]
	}
	digits, value, token := 0, 0, s
scan:
	for len(s) > 0 {
		c := s[0]
		s = s[1:]
		switch d := hexDigit(c); {
		case d != 255:
			value = value<<4 | int(d)
			if digits++; digits > 4 {
				return false
			}
		case c == ':':
			token = s
			if digits == 0 {
				if gap >= 0 {
					return false
				}
				gap = n
				continue
			}
			if len(s) == 0 || n+2 > 16 {
				return false
			}
			address[n], address[n+1] = byte(value>>8), byte(value)
			n, digits, value = n+2, 0, 0
		case c == '.' && n+4 <= 16:
			end := bytes.IndexByte(token, '/')
			if end >= 0 {
				if bits = prefix(token[end+1:]); bits < 0 {
					return false
				}
				token = token[:end]
			}
			if !dotted(address[n:n+4], token, end >= 0) {
				return false
			}
			n, digits = n+4, 0
			break scan
		case c == '/':
			if bits = prefix(s); bits < 0 {
				return false
			}
			break scan
		default:
			return false
		}
	}
	if digits > 0 {
		if n+2 > 16 {
			return false
		}
		address[n], address[n+1] = byte(value>>8), byte(value)
		n += 2
	}
	if gap >= 0 {
		if n == 16 {
			return false
		}
		tail := n - gap
		copy(address[16-tail:], address[gap:n])
		clear(address[gap : 16-tail])
		n = 16
	}
	return n == 16 && (!cidr || nothingBehind(address, bits))
}

// prefix is getbits: at most 128, without leading zeros.
func prefix(s []byte) int {
	n, rest := number(s, 128)
	if len(rest) > 0 || len(s) > 1 && s[0] == '0' {
		return -1
	}
	return n
}

// dotted is getv4: up to four numbers without leading zeros, which may be
// empty, the last only before a netmask.
func dotted(address, s []byte, masked bool) bool {
	for i := range 4 {
		n, rest := orZero(s)
		if n > 255 || len(s)-len(rest) > 1 && s[0] == '0' {
			return false
		}
		address[i] = byte(n)
		if len(rest) == 0 {
			return masked || len(s) > 0
		}
		if rest[0] != '.' {
			return false
		}
		s = rest[1:]
	}
	return false
}

func nothingBehind(address [16]byte, bits int) bool {
	for i := bits; i < 128; i++ {
		if address[i/8]&(0x80>>(i%8)) != 0 {
			return false
		}
	}
	return true
}

// macaddr follows macaddr_in: six numbers in one of seven forms, of which the
// first that fits decides.
func (r *Reader) macaddr(_ *Type, s []byte) bool {
	for _, form := range macForms {
		if fits, inRange := form.reads(s); fits {
			return inRange
		}
	}
	return false
}

// macForm is a separator behind every so many numbers. Between separators each
// has two digits at most.
type macForm struct {
	separator byte
	every     int
}

var macForms = []macForm{{':', 1}, {'-', 1}, {':', 3}, {'-', 3}, {'.', 2}, {'-', 2}, {0, 6}}

func (f macForm) reads(s []byte) (fits, inRange bool) {
	width := 2
	if f.every == 1 {
		width = maxDateLen
	}
	inRange = true
	for i := range 6 {
		n, rest, ok := scanHex(s, width)
		if !ok {
			return false, false
		}
		s, inRange = rest, inRange && 0 <= n && n <= 255
		if i == 5 || (i+1)%f.every != 0 {
			continue
		}
		if len(s) == 0 || s[0] != f.separator {
			return false, false
		}
		s = s[1:]
	}
	return len(skipSpace(s)) == 0, inRange
}

// scanHex is sscanf's %x of so many bytes at most: blanks, a sign, 0x, digits.
func scanHex(s []byte, width int) (n int, rest []byte, ok bool) {
	s = skipSpace(s)
	i, end := 0, min(width, len(s))
	if i < end && (s[i] == '-' || s[i] == '+') {
		i++
	}
	if i+1 < end && s[i] == '0' && s[i+1]|0x20 == 'x' {
		i, ok = i+2, true // no digits are 0, to most C libraries
	}
	for ; i < end && hexDigit(s[i]) != 255; i++ {
		n, ok = min(n<<4|int(hexDigit(s[i])), 1<<20), true
	}
	if ok && s[0] == '-' {
		n = -n
	}
	return n, s[i:], ok
}

// macaddr8 follows macaddr8_in: six or eight bytes of two digits, with one
// separator between them, or none. A single byte at the end is not looked at.
func (r *Reader) macaddr8(_ *Type, s []byte) bool {
	s = skipSpace(s)
	n, spacer := 0, byte(0)
	for len(s) >= 2 {
		if n++; n > 8 || hexDigit(s[0]) == 255 || hexDigit(s[1]) == 255 {
			return false
		}
		if s = s[2:]; len(s) > 0 && oneOf(s[0], ":-.") {
			if spacer != 0 && spacer != s[0] {
				return false
			}
			spacer, s = s[0], s[1:]
		}
		if (n == 6 || n == 8) && len(s) > 0 && isSpace(s[0]) {
			if s = skipSpace(s); len(s) > 0 {
				return false
			}
		}
	}
	return n == 6 || n == 8
}
