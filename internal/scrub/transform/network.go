package transform

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"strconv"

	"daybefore/internal/scrub/schema"
)

const (
	URL  = "url"  // https://example.invalid/<16 characters, 80 bits>
	UUID = "uuid" // a random UUID's form
	IP   = "ip"   // an address of 10.0.0.0/8 or 2001:db8::/32
	MAC  = "mac"  // a locally administered address in the same form
)

func init() {
	uuids := anyOf(schema.Type.IsText, schema.Type.IsUUID)
	register(URL, kind{fits: schema.Type.IsText, length: urlLength, most: urlLength, write: writeURL})
	register(UUID, kind{fits: uuids, length: uuidLength, most: uuidLength, write: writeUUID})
	register(IP, kind{
		fits: anyOf(schema.Type.IsText, schema.Type.IsAddress), keepsShape: true,
		samples: []string{"192.0.2.7", "198.51.100.0/24", "2001:db8::7"}, write: writeIP,
	})
	register(MAC, kind{
		fits: anyOf(schema.Type.IsText, schema.Type.IsMAC), keepsShape: true,
		samples: []string{"00:00:5e:00:53:01", "00:00:5e:ff:fe:00:53:01"}, write: writeMAC,
	})
}

var (
	errNotAnAddress = errors.New("not a network address")
	errNotAMAC      = errors.New("not a MAC address")
)

const (
	urlPrefix  = "https://example.invalid/"
	urlLength  = len(urlPrefix) + emailBytes*8/5
	uuidLength = 36
)

func writeURL(_ *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	return emailAlphabet.AppendEncode(append(dst, urlPrefix...), in.digest[:emailBytes]), nil
}

// writeUUID writes a random one's version and variant over 122 bits of the digest.
func writeUUID(_ *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	b := [16]byte(in.digest[:16])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	for i, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, part)
	}
	return dst, nil
}

// writeIP gives an address that is nobody's on the internet, and keeps family
// and netmask.
func writeIP(_ *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	host, netmask, masked := bytes.Cut(in.value, []byte("/"))
	var a netip.Addr
	switch {
	case isIPv4(host):
		a = netip.AddrFrom4([4]byte{10, in.digest[0], in.digest[1], in.digest[2]})
	case isIPv6(host):
		b := [16]byte{0x20, 0x01, 0x0d, 0xb8}
		copy(b[4:], in.digest[:])
		a = netip.AddrFrom16(b)
	default:
		return dst, errNotAnAddress
	}
	bits := a.BitLen()
	if masked {
		n := 0
		digits := digitsOf(netmask)
		for _, c := range netmask[:digits] {
			n = min(n*10+int(c-'0'), bits+1)
		}
		if digits == 0 || digits != len(netmask) || n > bits {
			return dst, errNotAnAddress
		}
		bits = n
	}
	if r.network {
		p, err := a.Prefix(bits)
		if err != nil {
			return dst, errNotAnAddress
		}
		a = p.Addr()
	}
	start := len(dst)
	dst = a.AppendTo(dst)
	if masked {
		dst = strconv.AppendInt(append(dst, '/'), int64(bits), 10)
	}
	if r.limit > 0 && len(dst)-start > r.limit {
		return dst, errNotAnAddress // ::1 in a short column
	}
	return dst, nil
}

// isIPv4 does not allocate, as netip.ParseAddr would for each value.
func isIPv4(s []byte) bool {
	parts := 0
	for {
		n := digitsOf(s)
		value := 0
		for _, c := range s[:min(n, 4)] {
			value = value*10 + int(c-'0')
		}
		if n < 1 || n > 3 || value > 255 {
			return false
		}
		parts++
		s = s[n:]
		if len(s) == 0 {
			return parts == 4
		}
		if s[0] != '.' {
			return false
		}
		s = s[1:]
	}
}

// isIPv6 is content with what no other text looks like.
func isIPv6(s []byte) bool {
	colons := 0
	for _, c := range s {
		switch {
		case c == ':':
			colons++
		case c != '.' && !isHex(c):
			return false
		}
	}
	return colons >= 2 && colons <= 7
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f' }

// writeMAC keeps the form and gives a unicast address that no maker has given out.
func writeMAC(m *Masker, dst []byte, _ *Recipe, in input) ([]byte, error) {
	const short, long = 12, 16
	random := newRandomBytes(in.digest)
	digits := 0
	hexDigits := "0123456789abcdef"
	if bytes.ContainsAny(in.value, "ABCDEF") {
		hexDigits = "0123456789ABCDEF"
	}
	for _, c := range in.value {
		switch {
		case isHex(c):
			c = hexDigits[random.below(16)]
			if digits < 2 {
				c = "02"[digits]
			}
			digits++
		case c != ':' && c != '-' && c != '.':
			return dst, errNotAMAC
		}
		dst = append(dst, c)
	}
	if digits != short && digits != long {
		return dst, errNotAMAC
	}
	return dst, nil
}
