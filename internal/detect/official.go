package detect

import "strings"

// minOfficialDigits are those of the number with the fewest: an Italian tax
// code's seven, a Spanish foreigner's seven, a British one's six.
const minOfficialDigits = 6

// official is a kind of number that an authority gave a person. form is its
// letters: 9 a digit, N one of 2 to 9, A an upper-case letter, X a digit or a
// letter; all else is itself.
// Bare digits without a strong checksum are no form: any number would do.
type official struct {
	form  string
	valid func(s []byte) bool
}

var officials = []official{
	{"999-99-9999", isSSN},         // United States
	{"999.999.999-99", isCPF},      // Brazil
	{"AA999999A", isNINO},          // United Kingdom
	{"AA 99 99 99 A", isNINO},      //
	{"99999999A", isDNI},           // Spain
	{"99999999-A", isDNI},          //
	{"A9999999A", isNIE},           //
	{"A-9999999-A", isNIE},         //
	{"AAAAAA99A99A999A", isFiscal}, // Italy
	{"9 99 99 99 999 999 99", isNIR},
	{"999999999999999", isNIR}, // France
	{"999999-999X", isHetu},    // Finland
	{"999999+999X", isHetu},
	{"999999A999X", isHetu},
	{"999.9999.9999.99", isAHV},       // Switzerland
	{"999999-9999", isPersonal},       // Sweden
	{"99999999-9999", isPersonal},     //
	{"99.99.99-999.99", isNational},   // Belgium
	{"99999999999999999X", isChinese}, // China
}

// officialByRun holds the forms by what they begin with, digits or upper-case
// letters, and by how many of them: of most texts nothing else needs a look.
var officialByRun = func() (t [2][20][]official) {
	for _, o := range officials {
		kind := 0
		if o.form[0] == 'A' {
			kind = 1
		}
		run := 0
		for run < len(o.form) && o.form[run] == o.form[0] {
			run++
		}
		t[kind][run] = append(t[kind][run], o)
		if kind == 0 && run < len(o.form) && o.form[run] == 'X' {
			t[kind][run+1] = append(t[kind][run+1], o)
		}
	}
	return t
}()

// nextOfficial finds official numbers between word boundaries.
func nextOfficial(text []byte, from int) (at, end int) {
	for at = from; at+9 <= len(text); at = end {
		var kind int
		switch c := text[at]; {
		case isDigit(c):
			for end = at; end < len(text) && isDigit(text[end]); end++ {
			}
		case isUpper(c):
			kind = 1
			for end = at; end < len(text) && isUpper(text[end]); end++ {
			}
		default:
			end = at + 1
			continue
		}
		run := end - at
		if run >= len(officialByRun[0]) || !starts(text, at) {
			continue
		}
		for _, o := range officialByRun[kind][run] {
			last := at + len(o.form)
			if last <= len(text) && isForm(text[at:last], o.form) && alone(text, at, last) && o.valid(text[at:last]) {
				return at, last
			}
		}
	}
	return -1, -1
}

func isForm(s []byte, form string) bool {
	for i := range len(form) {
		c, ok := s[i], false
		switch form[i] {
		case '9':
			ok = isDigit(c)
		case 'N':
			ok = isDigit(c) && c >= '2'
		case 'A':
			ok = isUpper(c)
		case 'X':
			ok = isDigit(c) || isUpper(c)
		default:
			ok = c == form[i]
		}
		if !ok {
			return false
		}
	}
	return true
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
	a, b, last := s[0], s[1], s[len(s)-1]
	if strings.IndexByte("DFIQUV", a) >= 0 || strings.IndexByte("DFIOQUV", b) >= 0 || last > 'D' {
		return false
	}
	return !strings.Contains("BG GB KN NK NT TN ZZ", string(s[:2]))
}

const dniLetters = "TRWAGMYFPDXBNJZSQVHLCKE"

func isDNI(s []byte) bool {
	d, n := digitsOf(s)
	return dniLetters[numberOf(d[:n])%len(dniLetters)] == s[len(s)-1]
}

func isNIE(s []byte) bool {
	first := strings.IndexByte("XYZ", s[0])
	d, n := digitsOf(s)
	return first >= 0 && dniLetters[(first*10_000_000+numberOf(d[:n]))%len(dniLetters)] == s[len(s)-1]
}

// isFiscal checks the last letter of an Italian tax code.
func isFiscal(s []byte) bool {
	odd := [...]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}
	sum := 0
	for i, c := range s[:15] {
		v := int(c - '0')
		if isUpper(c) {
			v = int(c - 'A')
		}
		if i%2 == 0 {
			v = odd[v]
		}
		sum += v
	}
	return byte('A'+sum%26) == s[15]
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
	return isDay(d[2]*10+d[3], d[0]*10+d[1]) && strings.IndexByte("+-YXWVUABCDEF", s[6]) >= 0 &&
		letters[(numberOf(d[:6])*1000+numberOf(e[:3]))%len(letters)] == s[10]
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
	if len(s) > len("999999-9999") {
		if century := numberOf2(s[:2]); century != 19 && century != 20 {
			return false
		}
		s = s[2:]
	}
	var digits [10]byte
	copy(digits[copy(digits[:], s[:6]):], s[7:])
	return isDay(numberOf2(s[2:4]), numberOf2(s[4:6])) && Luhn(digits[:]) == 0
}

func numberOf2(s []byte) int { return int(s[0]-'0')*10 + int(s[1]-'0') }

func isNational(s []byte) bool {
	d, _ := digitsOf(s)
	n := numberOf(d[:9])
	check := numberOf(d[9:11])
	return isDay(d[2]*10+d[3], d[4]*10+d[5]) && (97-n%97 == check || 97-(n+2_000_000_000)%97 == check)
}

func isChinese(s []byte) bool {
	century := numberOf2(s[6:8])
	if century != 19 && century != 20 || !isDay(numberOf2(s[10:12]), numberOf2(s[12:14])) {
		return false
	}
	weights := [...]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(s[i]-'0')
	}
	return "10X98765432"[sum%11] == s[17]
}

func isDay(month, day int) bool { return 1 <= month && month <= 12 && 1 <= day && day <= 31 }
