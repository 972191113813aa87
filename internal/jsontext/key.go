package jsontext

// keySigns tells the bytes of a word that names: 1 for a digit, strange for
// what is in no such word.
var keySigns = func() (t [256]int) {
	for c := range t {
		b := byte(c)
		switch {
		case 'a' <= b|0x20 && b|0x20 <= 'z', b == '_', b == '-', b == '.', b == '$', b == ':', b == '/':
		case '0' <= b && b <= '9':
			t[c] = 1
		default:
			t[c] = strangeSign
		}
	}
	return t
}()

const strangeSign = 1 << 16

// PlainKey reports whether a key is a word that names, rather than one that may
// be somebody's: it has no blank, no sign of an address, and no more digits than a
// counter has.
func PlainKey(key []byte) bool {
	const counter = 6
	digits := 0
	for _, c := range key {
		digits += keySigns[c]
	}
	return digits <= counter
}
