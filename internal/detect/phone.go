package detect

import (
	"bytes"
	"strings"
)

const (
	minPhone = 9
	maxPhone = 15 // ITU-T E.164
)

// openings are the signs of a phone number: a plus, a bracket or a zero before it; a dash or a dot in one of North
// America.
const openings = "+(0-."

// nextPhone finds numbers with their country's code, (212) 555-0123, and what a word such as phone stands before.
func (s *search) nextPhone(text []byte, from int) span {
	var first span
	for k := range s.phones {
		switch openings[k] {
		case '+', '(':
			if s.signs == 0 {
				continue
			}
		case '-':
			if s.signs < 2 || s.wordless {
				continue
			}
		case '.':
			if s.dots < 2 || s.wordless {
				continue
			}
		case '0':
			if s.wordless && !bytes.HasPrefix(text, []byte("00")) { // 0049 171 5512345 needs no word
				continue
			}
		}
		first = first.or(s.phones[k].seek(openings[k], text, from, nextOpening))
	}
	return first
}

// nextOpening finds the first number of a sign.
func nextOpening(text []byte, from int, sign byte) span {
	for at := from; ; at++ {
		i := bytes.IndexByte(text[at:], sign)
		if i < 0 {
			return span{}
		}
		at += i
		var found span
		switch sign {
		case '+':
			found = phoneAt(text, at)
		case '(':
			found = bracketAt(text, at)
			if found.to == 0 {
				found = nationalAt(text, at)
			}
		case '0':
			found = nationalAt(text, at)
			if found.to == 0 {
				at += run(text[at+1:], isDigit) // none begins within a number
			}
		default:
			found = dashedAt(text, at, from)
		}
		if found.to > 0 {
			return found
		}
	}
}

// bracketAt returns the number of North America that begins at a bracket, and whose area and exchange begin with
// 2 to 9.
func bracketAt(text []byte, at int) span {
	if at+5 >= len(text) || !isDigit(text[at+1]) || text[at+4] != ')' {
		return span{}
	}
	form := "(N99) N99-9999"
	if text[at+5] != ' ' {
		form = "(N99)N99-9999"
	}
	end := at + len(form)
	if end > len(text) {
		return span{}
	}
	number := text[at:end]
	if gap := number[len(number)-5]; gap != '-' && gap != ' ' && gap != '.' {
		return span{}
	}
	head, tail := number[:len(number)-5], number[len(number)-4:]
	if !isForm(head, form[:len(head)]) || !isForm(tail, "9999") || !alone(text, at, end) {
		return span{}
	}
	return span{at, end, Certain}
}

// dashedAt returns the number of North America, as 212-555-0123 or 212.555.0123, whose first dash or dot stands at i.
// A part's number may look so, too: a word has to say what it is.
func dashedAt(text []byte, i, from int) span {
	const form = "N99-N99-9999"
	at := i - 3
	end := at + len(form)
	if at < from || end > len(text) || !isDigit(text[at]) || text[i+4] != text[i] {
		return span{}
	}
	if !isForm(text[at:i], "N99") || !isForm(text[i+1:i+4], "N99") || !isForm(text[i+5:end], "9999") ||
		!ends(text, end) {
		return span{}
	}
	if at > from+1 && text[at-1] == text[i] && text[at-2] == '1' {
		at -= 2
	}
	if !alone(text, at, end) {
		return span{}
	}
	if phoneWords.beside(text, at, end) {
		return span{at, end, Certain}
	}
	return span{}
}

// phoneAt returns the number that begins at a plus sign.
func phoneAt(text []byte, at int) span {
	if !starts(text, at) || at+1 == len(text) || text[at+1] < '1' || text[at+1] > '9' {
		return span{}
	}
	if at > 0 && (text[at-1] == ']' || text[at-1] == ')') { // a sum
		return span{}
	}
	var d dialed
	end := d.read(text, at+1)
	place := d.groups == 2 && d.gap == '-' && (d.first == 4 || d.first == 6) && d.n == 2*d.first+1 // ISO 6709
	if end == 0 || place {
		return span{}
	}
	return span{at, end, Certain}
}

// nationalAt returns the number that begins with a zero, or one in a bracket: 0049 171 5512345 and 030/1234567.
// All but
// one with a gap behind its country's code needs a word that says what it is.
func nationalAt(text []byte, at int) span {
	if at > 0 {
		switch c := text[at-1]; c {
		case '.', ',', '-', ':', '/', '+':
			return span{}
		default:
			if isWord(c) {
				return span{}
			}
		}
	}
	first := at
	if text[first] == '(' {
		first++
	}
	if first+1 >= len(text) || text[first] != '0' {
		return span{}
	}
	if text[first+1] == '.' || text[first+1] == ',' { // a fraction
		return span{}
	}
	if text[first+1] == '0' && first == at {
		return abroadAt(text, at)
	}
	const least, most = 8, 12
	digits, end, gap := 0, 0, 0
	for i := first; i < len(text) && gap < 3; i++ {
		c := text[i]
		switch {
		case isDigit(c):
			digits, end, gap = digits+1, i+1, 0
		case strings.IndexByte(" -./()", c) >= 0:
			gap++
		default:
			gap = 3
		}
	}
	if digits < least || digits > most || !ends(text, end) || !phoneWords.beside(text, at, end) {
		return span{}
	}
	return span{at, end, Certain}
}

// abroadAt returns the number that begins with two zeros and a country's code.
func abroadAt(text []byte, at int) span {
	var d dialed
	if at+2 == len(text) || !isDigit(text[at+2]) {
		return span{}
	}
	end := d.read(text, at+2)
	switch {
	case end == 0:
		return span{}
	case phoneWords.beside(text, at, end):
		return span{at, end, Certain}
	case d.first <= 3 && 1 < d.groups && d.groups < 5 && d.gap != '.':
		return span{at, end, Doubtful}
	}
	return span{}
}

// dialed is a number behind a plus sign, as far as it was read.
type dialed struct {
	digits [maxPhone]byte
	n      int
	groups int
	first  int  // digits of the first group
	gap    byte // the last one
}

// read returns where the longest number ends that begins at from and that its country's code allows; 0 for none.
func (d *dialed) read(text []byte, from int) (end int) {
	blanks := 0
	for i := from; i < len(text); i++ {
		c := text[i]
		switch {
		case bytes.HasPrefix(text[i:], []byte("(0)")) && d.groups > 0: // as dialed at home
			blanks, i = 1, i+len("(0)")-1
		case isDigit(c):
			if d.n == len(d.digits) {
				return end
			}
			d.take(c, i == from || blanks > 0)
			if blanks > 0 {
				d.gap = text[i-1]
			}
			blanks = 0
			if ends(text, i+1) && d.valid() {
				end = i + 1
			}
		case blanks < 2 && strings.IndexByte(" -.()/", c) >= 0, blanks == 2 && c == ' ' && text[i-1] == '-':
			blanks++
		default:
			return end
		}
	}
	return end
}

// take adds a digit, maybe the first of a group.
func (d *dialed) take(c byte, first bool) {
	if first {
		d.groups++
	}
	d.digits[d.n] = c
	d.n++
	if d.groups == 1 {
		d.first = d.n
	}
}

// valid reports whether the digits are a country's code and as many as its numbers have.
func (d *dialed) valid() bool {
	if d.n < minPhone {
		return false
	}
	code := 0
	for i := range 3 {
		code = 10*code + int(d.digits[i]-'0')
		lengths := callingCodes[code]
		if lengths.most == 0 {
			continue
		}
		national := d.digits[i+1 : d.n]
		if national[0] == '0' && !zeroKept[code] {
			if d.first > i+1 { // no gap before what is dialed at home only
				return false
			}
			national = national[1:]
		}
		if n := len(national); n < lengths.least || n > lengths.most {
			return false
		}
		return code != 1 || national[0] >= '2'
	}
	return false
}

// zeroKept are countries whose numbers begin with a zero.
var zeroKept = map[int]bool{39: true, 225: true, 241: true, 242: true, 378: true}

type bounds struct{ least, most int }

// callingCodes are those of ITU-T E.164, with the digits that a number of a landline or a mobile phone has behind
// them;
// after the metadata of libphonenumber 8.12.57.
var callingCodes = func() (t [1000]bounds) {
	for entry := range strings.FieldsSeq(callingCodeList) {
		code, digits, _ := strings.Cut(entry, ":")
		least, most, ranged := strings.Cut(digits, "-")
		if !ranged {
			most = least
		}
		t[numberIn(code)] = bounds{numberIn(least), numberIn(most)}
	}
	return t
}()

func numberIn(s string) (n int) {
	for i := range len(s) {
		n = 10*n + int(s[i]-'0')
	}
	return n
}

const callingCodeList = `
	1:10 20:8-10 211:9 212:9 213:8-9 216:8 218:9 220:7 221:9 222:8 223:8 224:8-9 225:10 226:8 227:8 228:8 229:8
	230:7-8 231:7-9 232:8 233:9 234:7-10 235:8 236:8 237:9 238:7 239:7 240:9 241:7-8 242:9 243:7-9 244:9 245:9 246:7
	247:5 248:7 249:9 250:8-9 251:9 252:6-9 253:8 254:7-9 255:9 256:9 257:8 258:8-9 260:9 261:9 262:9 263:5-10
	264:8-9 265:7-9 266:8 267:7-8 268:8 269:7 27:5-9 290:4-5 291:7 297:7 298:6 299:6 30:10 31:9-11 32:8-9 33:9 34:9
	350:8 351:9 352:4-11 353:7-10 354:7-9 355:8-9 356:8 357:8 358:5-10 359:6-9 36:8-9 370:8 371:8 372:7-8 373:8
	374:8 375:9 376:6-9 377:8-9 378:8-10 380:9 381:7-12 382:8 383:8-9 385:8-9 386:8 387:8-9 389:8 39:6-11 40:6-9
	41:9 420:9 421:6-9 423:7-9 43:4-13 44:9-10 45:8 46:7-9 47:8 48:7-9 49:5-15 500:5 501:7 502:8 503:8 504:8 505:8
	506:8 507:7-8 508:6 509:8 51:8-9 52:10-11 53:6-10 54:10-11 55:10-11 56:9 57:10 58:10 590:9 591:8 592:7 593:8-9
	594:9 595:7-9 596:9 597:6-7 598:8 599:7-8 60:8-10 61:9 62:7-12 63:6-10 64:8-10 65:8 66:8-9 670:7-8 672:6 673:7
	674:7 675:7-8 676:5-7 677:5-7 678:5-7 679:7 680:7 681:6 682:5 683:4-7 685:5-10 686:5-8 687:6 688:5-7 689:8
	690:4-7 691:7 692:7 7:10 800:8 808:8 81:9-10 82:5-10 84:9-10 850:8-10 852:8 853:8 855:8-9 856:8-10 86:7-11
	870:9-12 878:12 880:6-10 881:9 882:7-12 883:9-12 886:8-9 888:11 90:10 91:10 92:9-10 93:9 94:9 95:6-10 960:7
	961:7-8 962:8-9 963:8-9 964:8-10 965:8 966:9 967:7-9 968:8 970:8-9 971:8-9 972:8-12 973:8 974:8 975:7-8 976:8-10
	977:8-10 979:9 98:6-10 992:9 993:8 994:9 995:9 996:9 998:9`

// phoneWords say that a number is a phone's, in the languages of the locales.
var phoneWords = contextOf(`
	tel tels telefon telefono teléfono telefone téléphone telephone telefoon telefonnummer phone phones phoneno fon
	fone fax telefax mobile mobil móvil movil cellphone celular cellulare handy gsm whatsapp sms hotline rufnummer
	komórka тел телефон моб факс 电话 電話 手机`)
