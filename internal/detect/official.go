package detect

import "strings"

// minOfficialDigits are those of the number with the fewest: an Italian tax
// code's seven, a Spanish foreigner's seven, a British one's six.
const minOfficialDigits = 6

// proof is what a form needs to be somebody's number.
type proof uint8

const (
	formTells  proof = iota // it has a strong checksum, or a rigid syntax
	wordTells               // it is doubtful without a word beside it
	wordNeeded              // it is nothing without: any number would do
)

// official is a kind of number that an authority gave a person. form is its
// letters: 9 a digit, N one of 2 to 9, A a letter, X a digit or a letter; all
// else is itself. Letters are all of one case.
type official struct {
	form  string
	valid func(s []byte) bool
	proof proof
	words contextWords
}

var (
	ssnWords      = contextOf("ssn ssns social sozialversicherung itin")
	cpfWords      = contextOf("cpf cadastro contribuinte")
	ninoWords     = contextOf("nino ni national insurance")
	dniWords      = contextOf("dni nif nie documento identidad cif")
	personWords   = contextOf("personnummer personnr pnr persnr ssn samordningsnummer")
	nirWords      = contextOf("nir insee sécu secu sécurité securite sociale sociales")
	ahvWords      = contextOf("ahv avs sozialversicherung sozialversicherungsnummer navs")
	belgianWords  = contextOf("rijksregister rijksregisternummer registre national insz niss rrn")
	peselWords    = contextOf("pesel")
	bsnWords      = contextOf("bsn burgerservicenummer sofi sofinummer")
	sinWords      = contextOf("sin nas social")
	cprWords      = contextOf("cpr personnummer cprnr")
	residentWords = contextOf("rrn resident jumin 주민등록번호 주민번호")
	taxWords      = contextOf("steuer steuerid idnr identifikationsnummer steueridentifikationsnummer tin")
	aadhaarWords  = contextOf("aadhaar aadhar uidai uid")
	birthWords    = contextOf("fødselsnummer fodselsnummer fnr personnummer")
	rodneWords    = contextOf("rodné rodne číslo cislo rc rč")
	rutWords      = contextOf("rut run")
	hkidWords     = contextOf("hkid hong identity")
	nricWords     = contextOf("nric fin identity")
)

var officials = []official{
	{"999-99-9999", isSSN, wordTells, ssnWords}, // United States
	{"999 99 9999", isSSN, wordNeeded, ssnWords},
	{"999999999", isSSN, wordNeeded, ssnWords},
	{"999.999.999-99", isCPF, formTells, nil}, // Brazil
	{"99999999999", isCPF, wordNeeded, cpfWords},
	{"AA999999A", isNINO, wordTells, ninoWords}, // United Kingdom
	{"AA 99 99 99 A", isNINO, wordTells, ninoWords},
	{"AA-99-99-99-A", isNINO, wordTells, ninoWords},
	{"99999999A", isDNI, wordTells, dniWords}, // Spain
	{"99999999-A", isDNI, wordTells, dniWords},
	{"99.999.999-A", isDNI, formTells, dniWords},
	{"A9999999A", isNIE, wordTells, dniWords},
	{"A-9999999-A", isNIE, wordTells, dniWords},
	{"AAAAAA99A99A999A", isFiscal, formTells, nil},          // Italy
	{"9 99 99 99 999 999 99", isNIR, formTells, nil},        // France
	{"999999999999999", isNIR, wordTells, nirWords},         //
	{"9 99 99 99 999 999", isNIRHead, wordNeeded, nirWords}, //
	{"999999-999X", isHetu, formTells, nil},                 // Finland
	{"999999+999X", isHetu, formTells, nil},
	{"999999A999X", isHetu, formTells, nil},
	{"999.9999.9999.99", isAHV, formTells, nil}, // Switzerland
	{"999 9999 9999 99", isAHV, formTells, nil},
	{"9999999999999", isAHV, wordTells, ahvWords},
	{"999999-9999", isPersonal, wordTells, personWords}, // Sweden
	{"999999+9999", isPersonal, wordTells, personWords},
	{"99999999-9999", isPersonal, wordTells, personWords},
	{"9999999999", isPersonal, wordNeeded, personWords},
	{"999999999999", isPersonal, wordNeeded, personWords},
	{"99.99.99-999.99", isNational, formTells, nil}, // Belgium
	{"99999999999", isNational, wordNeeded, belgianWords},
	{"99999999999999999X", isChinese, formTells, nil}, // China
	{"999999 99999999 999X", isChinese, formTells, nil},
	{"99999999999", isPESEL, wordNeeded, peselWords},         // Poland
	{"999999999", isBSN, wordNeeded, bsnWords},               // Netherlands
	{"999 999 999", hasLuhn, wordNeeded, sinWords},           // Canada
	{"999-999-999", hasLuhn, wordNeeded, sinWords},           //
	{"999999999", hasLuhn, wordNeeded, sinWords},             //
	{"999999-9999", isBirthday, wordNeeded, cprWords},        // Denmark
	{"9999999999", isBirthday, wordNeeded, cprWords},         //
	{"999999-9999999", isResident, wordTells, residentWords}, // Korea
	{"99999999999", isTaxID, wordNeeded, taxWords},           // Germany
	{"99 999 999 999", isTaxID, wordNeeded, taxWords},        //
	{"9999 9999 9999", isAadhaar, wordNeeded, aadhaarWords},  // India
	{"999999999999", isAadhaar, wordNeeded, aadhaarWords},    //
	{"99999999999", isNorwegian, wordNeeded, birthWords},     // Norway
	{"999999 99999", isNorwegian, wordNeeded, birthWords},    //
	{"999999/9999", isRodne, wordTells, rodneWords},          // Czechia and Slovakia
	{"99.999.999-X", isRUT, wordTells, rutWords},             // Chile
	{"9.999.999-X", isRUT, wordTells, rutWords},              //
	{"AAAA999999AAAAAAX9", isCURP, formTells, nil},           // Mexico
	{"A999999(X)", isHKID, wordTells, hkidWords},             // Hong Kong
	{"A9999999A", isNRIC, wordNeeded, nricWords},             // Singapore
}

// officialByRun holds the forms by what they begin with, digits or letters, and
// by how many of them: of most texts nothing else needs a look.
var officialByRun = func() (t [2][20][]official) {
	for _, o := range officials {
		kind := 0
		if o.form[0] == 'A' {
			kind = 1
		}
		same := 0
		for same < len(o.form) && o.form[same] == o.form[0] {
			same++
		}
		t[kind][same] = append(t[kind][same], o)
		if kind == 0 && same < len(o.form) && o.form[same] == 'X' {
			t[kind][same+1] = append(t[kind][same+1], o)
		}
	}
	return t
}()

// nextOfficial finds official numbers between word boundaries. All have digits: before the first of them may be
// letters.
func nextOfficial(text []byte, from int) span {
	end := from
	for at := nextDigit(text, from); at < len(text); at = nextDigit(text, end) {
		end = at + 1
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		if first := lettersBefore(text, from, at); first < at && starts(text, first) {
			n := at - first
			if !isLetter(text[at-1]) {
				n--
			}
			if found := officialAt(text, first, n, officialByRun[1][n]); found.to > 0 {
				return found
			}
		}
		n := end - at
		if n >= len(officialByRun[0]) || n < minOfficialDigits && !goesOn(text, end) || !starts(text, at) {
			continue
		}
		if found := officialAt(text, at, n, officialByRun[0][n]); found.to > 0 {
			return found
		}
	}
	return span{}
}

// lettersBefore is where the letters begin that stand before digits, which begin at at, or before a blank or a dash
// there; at for none, and for more than any form has.
func lettersBefore(text []byte, from, at int) int {
	const most = len("AAAAAA")
	last := at
	if last > from && (text[last-1] == ' ' || text[last-1] == '-') {
		last--
	}
	first := last
	for first > from && isLetter(text[first-1]) && last-first <= most {
		first--
	}
	if first == last || last-first > most {
		return at
	}
	return first
}

// goesOn reports whether digits follow, behind no more than a sign.
func goesOn(text []byte, end int) bool {
	if end+1 >= len(text) {
		return false
	}
	c := text[end]
	return isDigit(c) || (c == ' ' || c == '-' || c == '.') && isDigit(text[end+1])
}

// shortestWord is the length of the shortest word that stands beside a number.
const shortestWord = 2

// officialAt returns the number that begins at at with n digits or letters, and of several the surest.
func officialAt(text []byte, at, n int, candidates []official) span {
	var found span
	for i := range candidates {
		o := &candidates[i]
		last := at + len(o.form)
		if len(o.form) > n && last <= len(text) && o.form[n] < '0' && o.form[n] != text[at+n] { // another sign
			continue
		}
		if o.proof == wordNeeded && at < shortestWord && len(text)-last < shortestWord {
			continue
		}
		if last > len(text) || !isForm(text[at:last], o.form) || !alone(text, at, last) || !o.valid(text[at:last]) {
			continue
		}
		if o.proof == formTells || o.words.beside(text, at, last) {
			return span{at, last, Certain}
		}
		if o.proof == wordTells && !hexadecimal(text[at:last]) {
			found = span{at, last, Doubtful}
		}
	}
	return found
}

// hexadecimal reports whether a number may be one in the sixteen digits that programs write: a commit, a checksum.
func hexadecimal(s []byte) bool {
	letters := 0
	for _, c := range s {
		switch {
		case 'a' <= c && c <= 'f':
			letters++
		case !isDigit(c):
			return false
		}
	}
	return letters > 0
}

func isForm(s []byte, form string) bool {
	var cases byte // of letters: 1 small, 2 capital
	for i := range len(form) {
		c, ok := s[i], false
		switch form[i] {
		case '9':
			ok = isDigit(c)
		case 'N':
			ok = isDigit(c) && c >= '2'
		case 'A':
			ok = isLetter(c)
		case 'X':
			ok = isDigit(c) || isLetter(c)
		default:
			ok = c == form[i]
		}
		if !ok {
			return false
		}
		if isLetter(c) {
			cases |= 1 << b2b(isUpper(c))
		}
	}
	return cases < 3
}

// upper is a letter's capital, and anything else as it is.
func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}

// digitsOf packs the digits of s; n is how many.
func digitsOf(s []byte) (d [18]int, n int) {
	for _, c := range s {
		if isDigit(c) && n < len(d) {
			d[n] = int(c - '0')
			n++
		}
	}
	return d, n
}

func numberOf(d []int) int {
	v := 0
	for _, x := range d {
		v = 10*v + x
	}
	return v
}

// isSSN: there is no area 000, 666 or 900 and above, no group 00, no serial 0000.
func isSSN(s []byte) bool {
	d, _ := digitsOf(s)
	area := numberOf(d[:3])
	return area != 0 && area != 666 && area < 900 && numberOf(d[3:5]) != 0 && numberOf(d[5:9]) != 0
}

func isCPF(s []byte) bool {
	d, _ := digitsOf(s)
	check := func(n int) int {
		sum := 0
		for i := range n {
			sum += d[i] * (n + 1 - i)
		}
		return sum * 10 % 11 % 10
	}
	same := true
	for _, x := range d[:11] {
		same = same && x == d[0]
	}
	return !same && check(9) == d[9] && check(10) == d[10]
}

// isNINO: letters that were never given out, and suffixes A to D.
func isNINO(s []byte) bool {
	a, b, last := upper(s[0]), upper(s[1]), upper(s[len(s)-1])
	if strings.IndexByte("DFIQUV", a) >= 0 || strings.IndexByte("DFIOQUV", b) >= 0 || last > 'D' {
		return false
	}
	return !strings.Contains("BG GB KN NK NT TN ZZ", string([]byte{a, b}))
}

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func isDNI(s []byte) bool {
	d, n := digitsOf(s)
	return dniLetters[numberOf(d[:n])%len(dniLetters)] == upper(s[len(s)-1])
}

func isNIE(s []byte) bool {
	first := strings.IndexByte("XYZ", upper(s[0]))
	d, n := digitsOf(s)
	return first >= 0 && dniLetters[(first*10_000_000+numberOf(d[:n]))%len(dniLetters)] == upper(s[len(s)-1])
}

// isFiscal checks the last letter of an Italian tax code.
func isFiscal(s []byte) bool {
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i, c := range s[:15] {
		v := int(c - '0')
		if isLetter(c) {
			v = int(upper(c) - 'A')
		}
		if i%2 == 0 {
			v = odd[v]
		}
		sum += v
	}
	return byte('A'+sum%26) == upper(s[15])
}

func isNIR(s []byte) bool {
	d, _ := digitsOf(s)
	month := numberOf(d[3:5])
	return (d[0] == 1 || d[0] == 2) && (1 <= month && month <= 12 || 20 <= month && month <= 42) &&
		97-numberOf(d[:13])%97 == numberOf(d[13:15])
}

func isHetu(s []byte) bool {
	d, _ := digitsOf(s[:6])
	e, _ := digitsOf(s[7:10])
	const letters = "0123456789ABCDEFHJKLMNPRSTUVWXY"
	return isDay(d[2]*10+d[3], d[0]*10+d[1]) && strings.IndexByte("+-YXWVUABCDEF", upper(s[6])) >= 0 &&
		letters[(numberOf(d[:6])*1000+numberOf(e[:3]))%len(letters)] == upper(s[10])
}

func isAHV(s []byte) bool {
	d, _ := digitsOf(s)
	sum := 0
	for i, x := range d[:13] {
		sum += x * (1 + i%2*2)
	}
	return numberOf(d[:3]) == 756 && sum%10 == 0
}

// isPersonal is Luhn's test over the last ten digits, of which six are a date.
func isPersonal(s []byte) bool {
	d, n := digitsOf(s)
	if n == 12 {
		if century := numberOf(d[:2]); century != 19 && century != 20 {
			return false
		}
		copy(d[:], d[2:])
	}
	var digits [10]byte
	for i := range digits {
		digits[i] = '0' + byte(d[i])
	}
	return isDay(numberOf(d[2:4]), numberOf(d[4:6])) && Luhn(digits[:]) == 0
}

func isNational(s []byte) bool {
	d, _ := digitsOf(s)
	n := numberOf(d[:9])
	check := numberOf(d[9:11])
	return isDay(d[2]*10+d[3], d[4]*10+d[5]) && (97-n%97 == check || 97-(n+2_000_000_000)%97 == check)
}

func isChinese(s []byte) bool {
	d, _ := digitsOf(s[:len(s)-1])
	if century := numberOf(d[6:8]); century != 19 && century != 20 || !isDay(numberOf(d[10:12]), numberOf(d[12:14])) {
		return false
	}
	weights := [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	return "10X98765432"[weighed(d[:], weights[:])%11] == upper(s[len(s)-1])
}

// weighed is the sum of digits by their weights.
func weighed(d []int, weights []int) (sum int) {
	for i, w := range weights {
		sum += w * d[i]
	}
	return sum
}

// isNIRHead is a French number without its check digits.
func isNIRHead(s []byte) bool {
	d, _ := digitsOf(s)
	month := numberOf(d[3:5])
	return (d[0] == 1 || d[0] == 2) && (1 <= month && month <= 12 || 20 <= month && month <= 42)
}

// isPESEL: months above 12 are of other centuries.
func isPESEL(s []byte) bool {
	d, _ := digitsOf(s)
	return isDay(numberOf(d[2:4])%20, numberOf(d[4:6])) && weighed(d[:], []int{1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1})%10 == 0
}

func isBSN(s []byte) bool {
	d, _ := digitsOf(s)
	sum := weighed(d[:], []int{9, 8, 7, 6, 5, 4, 3, 2, -1})
	return sum != 0 && sum%11 == 0
}

func hasLuhn(s []byte) bool { return Luhn(s) == 0 }

func isBirthday(s []byte) bool {
	d, _ := digitsOf(s)
	return isDay(numberOf(d[2:4]), numberOf(d[:2]))
}

// isResident: a date, and a digit for sex and century.
func isResident(s []byte) bool {
	d, _ := digitsOf(s)
	return isDay(numberOf(d[2:4]), numberOf(d[4:6])) && 1 <= d[6] && d[6] <= 8
}

// isTaxID is ISO 7064's modulo 11, 10.
func isTaxID(s []byte) bool {
	d, _ := digitsOf(s)
	product := 10
	for _, x := range d[:10] {
		sum := (x + product) % 10
		if sum == 0 {
			sum = 10
		}
		product = 2 * sum % 11
	}
	return d[0] != 0 && (11-product)%10 == d[10]
}

// isAadhaar is Verhoeff's test.
func isAadhaar(s []byte) bool {
	d, n := digitsOf(s)
	permuted := [...]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	check := 0
	for i := range n {
		x := d[n-1-i]
		for range i % 8 {
			x = permuted[x]
		}
		check = dihedral(check, x)
	}
	return d[0] > 1 && check == 0
}

// dihedral multiplies in the group of a pentagon's symmetries.
func dihedral(a, b int) int {
	switch {
	case a < 5 && b < 5:
		return (a + b) % 5
	case a < 5:
		return (a+b-5)%5 + 5
	case b < 5:
		return (a-5-b+5)%5 + 5
	}
	return (a - b + 5) % 5
}

func isNorwegian(s []byte) bool {
	d, _ := digitsOf(s)
	return isDay(numberOf(d[2:4])%40, numberOf(d[:2])%40) &&
		weighed(d[:], []int{3, 7, 6, 1, 8, 9, 4, 5, 2, 1})%11 == 0 &&
		weighed(d[:], []int{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1})%11 == 0
}

// isRodne: women's months are 50 above.
func isRodne(s []byte) bool {
	d, _ := digitsOf(s)
	return isDay(numberOf(d[2:4])%50, numberOf(d[4:6])) && numberOf(d[:10])%11 == 0
}

func isRUT(s []byte) bool {
	d, n := digitsOf(s[:len(s)-1])
	sum := 0
	for i := range n {
		sum += d[n-1-i] * (2 + i%6)
	}
	return "0K987654321"[sum%11] == upper(s[len(s)-1])
}

// isCURP: initials, a date, sex, state and three consonants; the last digit checks all.
func isCURP(s []byte) bool {
	const values = "0123456789ABCDEFGHIJKLMN\x00OPQRSTUVWXYZ" // the gap is Ñ's
	d, _ := digitsOf(s[4:10])
	if !isDay(numberOf(d[2:4]), numberOf(d[4:6])) || strings.IndexByte("HMX", upper(s[10])) < 0 {
		return false
	}
	sum := 0
	for i, c := range s[:17] {
		sum += strings.IndexByte(values, upper(c)) * (18 - i)
	}
	return (10-sum%10)%10 == int(s[17]-'0')
}

func isHKID(s []byte) bool {
	sum := 9*36 + 8*(int(upper(s[0])-'A')+10)
	for i := range 6 {
		sum += (7 - i) * int(s[1+i]-'0')
	}
	return "0A987654321"[sum%11] == upper(s[8])
}

func isNRIC(s []byte) bool {
	d, _ := digitsOf(s)
	sum := weighed(d[:], []int{2, 7, 6, 5, 4, 3, 2})
	switch upper(s[0]) {
	case 'T':
		sum += 4
		fallthrough
	case 'S':
		return "JZIHGFEDCBA"[sum%11] == upper(s[8])
	case 'G':
		sum += 4
		fallthrough
	case 'F':
		return "XWUTRQPNMLK"[sum%11] == upper(s[8])
	}
	return false
}

func isDay(month, day int) bool { return 1 <= month && month <= 12 && 1 <= day && day <= 31 }
