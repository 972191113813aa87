package detect

// Luhn is the sum of a number's digits after Luhn, modulo 10: 0 for a valid one.
// What is no digit is passed over.
func Luhn(number []byte) int {
	sum := 0
	double := false
	for i := len(number) - 1; i >= 0; i-- {
		if !isDigit(number[i]) {
			continue
		}
		d := int(number[i] - '0')
		if double {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum % 10
}

// IBANRest is what an IBAN leaves by 97, its first four characters read last: 1
// for a valid one. Blanks in it are passed over.
func IBANRest(iban []byte) int {
	const head = 4
	rest := 0
	add := func(part []byte) {
		for _, c := range part {
			switch {
			case c == ' ':
			case isDigit(c):
				rest = (rest*10 + int(c-'0')) % 97
			default:
				rest = (rest*100 + int(c|0x20-'a') + 10) % 97
			}
		}
	}
	body := 0
	for seen := 0; body < len(iban) && seen < head; body++ {
		if iban[body] != ' ' {
			seen++
		}
	}
	add(iban[body:])
	add(iban[:body])
	return rest
}
