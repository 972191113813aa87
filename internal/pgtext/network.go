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
// a point after the last (inet_net_pton_ipv4).
func inet4(s []byte) bool {
	parts := 0
	for len(s) > 0 && isDigit(s[0]) {
		n, rest := number(s, 255)
		if n < 0 || parts == 4 {
			return false
		}
		parts, s = parts+1, rest
		if len(s) == 0 || s[0] != '.' {
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
		n = n*10 + int(s[0]-'0')
		if n > most {
			return -1, s
		}
		s = s[1:]
	}
	return n, s
}

// cidr4 has no bits after its netmask. Hexadecimal networks, which nobody
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
		s = s[1:]
		if len(s) == 0 { // a point at the end
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

// groups are an IPv6 address as far as it was read.
type groups struct {
	address       [16]byte
	n, gap        int // bytes, and how many of them stand before ::, -1 for none
	digits, value int // of the group that is being read
}

// add takes in the group that was read; false if there is no room.
func (g *groups) add() bool {
	if g.n+2 > 16 {
		return false
	}
	g.address[g.n], g.address[g.n+1] = byte(g.value>>8), byte(g.value)
	g.n, g.digits, g.value = g.n+2, 0, 0
	return true
}

// digit takes in a digit; there are four at most.
func (g *groups) digit(d byte) bool {
	g.value = g.value<<4 | int(d)
	g.digits++
	return g.digits <= 4
}

// colon ends a group, before what is left, or begins the gap.
func (g *groups) colon(left int) bool {
	if g.digits > 0 {
		return left > 0 && g.add()
	}
	if g.gap >= 0 {
		return false
	}
	g.gap = g.n
	return true
}

// filled reports whether all bytes are there, once the gap is.
func (g *groups) filled() bool {
	if g.digits > 0 && !g.add() {
		return false
	}
	if g.gap < 0 {
		return g.n == 16
	}
	if g.n == 16 {
		return false
	}
	tail := g.n - g.gap
	copy(g.address[16-tail:], g.address[g.gap:g.n])
	clear(g.address[g.gap : 16-tail])
	return true
}

// ipv6 follows inet_cidr_pton_ipv6.
func ipv6(s []byte, cidr bool) bool {
	g := groups{gap: -1}
	if len(s) > 0 && s[0] == ':' {
		if len(s) < 2 || s[1] != ':' {
			return false
		}
		s = s[1:]
	}
	s, mask, masked := bytes.Cut(s, []byte("/"))
	bits := 128
	if masked {
		bits = prefix(mask)
	}
	ok := bits >= 0
	for token := s; ok && len(s) > 0; {
		c := s[0]
		s = s[1:]
		d := hexDigit(c)
		switch {
		case d != 255:
			ok = g.digit(d)
		case c == ':':
			token = s
			ok = g.colon(len(s) + len(mask))
		case c == '.' && g.n+4 <= 16 && dotted(g.address[g.n:g.n+4], token, masked):
			g.n, g.digits, s = g.n+4, 0, nil
		default:
			ok = false
		}
	}
	return ok && g.filled() && (!cidr || nothingBehind(g.address, bits))
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

// macForm is a separator after every so many numbers. Between separators each
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
		n = min(n<<4|int(hexDigit(s[i])), 1<<20)
		ok = true
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
		n++
		if n > 8 || hexDigit(s[0]) == 255 || hexDigit(s[1]) == 255 {
			return false
		}
		s = s[2:]
		if len(s) > 0 && oneOf(s[0], ":-.") {
			if spacer != 0 && spacer != s[0] {
				return false
			}
			spacer, s = s[0], s[1:]
		}
		if (n == 6 || n == 8) && len(s) > 0 && isSpace(s[0]) {
			s = skipSpace(s)
			if len(s) > 0 {
				return false
			}
		}
	}
	return n == 6 || n == 8
}
