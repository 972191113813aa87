package detect

import "strings"

// sureIBANDigits are so many that hardly any word has them.
const sureIBANDigits = 10

// minIBANDigits are those of the registry's countries with the fewest, of which the check has two.
const minIBANDigits = 6

// bbans are what stands behind the check digits, by country: n a digit, a a letter, c either. After SWIFT's IBAN
// registry, as python-stdnum keeps it (iban.dat, the version that has Honduras and Yemen).
const bbans = `
	AD8n12c AE19n AL8n16c AT16n AZ4a20c BA16n BE12n BG4a6n8c BH4a14c BR23n1a1c BY4c4n16c CH5n12c CR18n CY8n16c CZ20n
	DE18n DK14n DO4c20n EE16n EG25n ES20n FI14n FO14n FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n GR7n16c GT24c HR17n
	HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c KZ3n13c LB4n20c LC4a24c LI5n12c LT16n LU3n13c
	LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n MR23n MT4a5n18c MU4a19n3a NL4a10n NO11n PK4a16c PL24n PS4a21c
	PT21n QA4a21c RO4a16c RS18n SA2n18c SC4a20n3a SE20n SI15n SK20n SM1a10n12c ST21n SV4a20n TL19n TN20n TR6n16c
	UA6n19c VA18n VG4a16n XK16n BI23n DJ23n FK2a12n HN4a20n MN16n NI4a20n OM3n16c RU14n15c SD14n SO19n YE4a4n18c`

// ibans are the structures, one byte a character, by the two letters of the country.
var ibans = func() (t [26 * 26]string) {
	for entry := range strings.FieldsSeq(bbans) {
		var b strings.Builder
		n := 0
		for i := 2; i < len(entry); i++ {
			if isDigit(entry[i]) {
				n = 10*n + int(entry[i]-'0')
				continue
			}
			b.WriteString(strings.Repeat(entry[i:i+1], n))
			n = 0
		}
		t[countryIndex(entry[0], entry[1])] = b.String()
	}
	return t
}()

func countryIndex(a, b byte) int { return int(a|0x20-'a')*26 + int(b|0x20-'a') }

// nextIBAN finds a country's letters, two digits and what its structure asks for, in one run or in groups of
// four, whose
// remainder by 97 is 1.
func nextIBAN(text []byte, from int) span {
	end := min(from+2, len(text))
	for i := nextDigit(text, end); i+1 < len(text); i = nextDigit(text, end) { // the check digits
		for end = i + 1; end < len(text) && isDigit(text[end]); end++ {
		}
		at := i - 2
		if isDigit(text[i+1]) && isLetter(text[at]) && isLetter(text[at+1]) && starts(text, at) {
			if found := ibanAt(text, at); found.to > 0 {
				return found
			}
		}
	}
	return span{}
}

// ibanAt returns the IBAN that begins at at. Letters are all of one case, and groups parted by one and the same sign.
func ibanAt(text []byte, at int) span {
	const head = 4
	form := ibans[countryIndex(text[at], text[at+1])]
	if form == "" || len(text)-at < head+len(form) {
		return span{}
	}
	var chars [34]byte
	lower := text[at] & 0x20
	n, digits, gap := 0, 0, byte(0)
	i := at
	for ; i < len(text) && n < head+len(form); i++ {
		c := text[i]
		if n == 0 || n%4 != 0 || isWord(c) || i > 0 && !isWord(text[i-1]) {
			want := byte('a')
			if n >= head {
				want = form[n-head]
			} else if n >= 2 {
				want = 'n'
			}
			if !fits(c, want) || isLetter(c) && c&0x20 != lower {
				return span{}
			}
			if isDigit(c) {
				digits++
			}
			chars[n] = c &^ (0x20 * b2b(isLetter(c)))
			n++
			continue
		}
		if gap != 0 && c != gap || c != ' ' && c != '-' && c != '.' {
			return span{}
		}
		gap = c
	}
	if n < head+len(form) || digits < minIBANDigits || !ends(text, i) || IBANRest(chars[:n]) != 1 {
		return span{}
	}
	if digits < sureIBANDigits && !ibanWords.beside(text, at, i) {
		return span{at, i, Doubtful}
	}
	return span{at, i, Certain}
}

func fits(c, want byte) bool {
	return isDigit(c) && want != 'a' || isLetter(c) && want != 'n'
}

// b2b is 1 for true.
func b2b(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// ibanWords say that a number is an account's.
var ibanWords = contextOf(`
	iban account acct konto kontonummer bank compte cuenta conto conta rekening bankrekening rachunek рахунок 账号 口座`)
