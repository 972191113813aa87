package detect

const (
	minCard = 14
	maxCard = 19
)

// nextCard finds 14 to 19 digits, in one run or in groups as cards show them, of an issuer's prefix and length, that
// pass Luhn's test.
func nextCard(text []byte, from int) span {
	for at := nextDigit(text, from); at < len(text); at = nextDigit(text, at) {
		end := at + 1
		for end < len(text) && isDigit(text[end]) {
			end++
		}
		digits := end - at
		switch {
		case digits >= minCard:
			if found := cardRun(text, at, end); found.to > 0 {
				return found
			}
		case digits == 4:
			if found := cardGroups(text, at); found.to > 0 {
				return found
			}
		}
		at = end
	}
	return span{}
}

// cardRun judges digits in one run. Longer numbers than most cards', and what stands in a path, may be somebody's
// keys.
func cardRun(text []byte, at, end int) span {
	n := end - at
	if n > maxCard || !isCard(text[at:end]) || !alone(text, at, end) || isFraction(text, at) {
		return span{}
	}
	doubt := Certain
	if (n > 16 || at > 0 && (text[at-1] == '/' || text[at-1] == '=')) && !cardWords.beside(text, at, end) {
		doubt = Doubtful
	}
	return span{at, end, doubt}
}

// isFraction reports whether digits stand behind a point that begins a number: .4444444444444448.
func isFraction(text []byte, at int) bool {
	return at > 0 && text[at-1] == '.' && (at == 1 || !isWord(text[at-2]) && text[at-2] != '.')
}

// cardWords say that a number is a card's.
var cardWords = contextOf(`
	card cards pan visa mastercard amex maestro diners discover jcb unionpay credit debit cc ccnum karte kreditkarte
	carte tarjeta carta cartão kaart karta картка 卡号 カード`)

// cardForms are the lengths of the groups that cards show their numbers in.
var cardForms = [...][]int{{4, 4, 4, 4, 3}, {4, 4, 4, 4}, {4, 6, 5}, {4, 6, 4}}

// cardGroups returns the number in groups that begins at at. One of many groups in a row may be no card's: it is
// doubtful if groups go on at one of its ends, and none if they do at both.
func cardGroups(text []byte, at int) span {
	gapAt := at + 4
	if gapAt >= len(text) || !isCardGap(text[gapAt]) || !starts(text, at) {
		return span{}
	}
	gap := text[gapAt]
	if second := run(text[gapAt+1:min(len(text), gapAt+8)], isDigit); second != 4 && second != 6 {
		return span{}
	}
	var digits [maxCard]byte
	for _, form := range cardForms {
		n, end := groupsAt(text, at, gap, form, digits[:])
		if end == 0 || !isCard(digits[:n]) || !ends(text, end) {
			continue
		}
		before, behind := neighbors(text, at, end, gap)
		switch {
		case before >= 4 && behind >= 4 || behind > 4 || gap == '-' && before+behind > 0:
			continue
		case before >= 4 || behind == 4:
			return span{at, end, Doubtful}
		}
		return span{at, end, Certain}
	}
	return span{}
}

// neighbors are the digits of the groups beside what stands from at to end.
func neighbors(text []byte, at, end int, gap byte) (before, behind int) {
	if at > 0 && text[at-1] == gap {
		for at-2-before >= 0 && isDigit(text[at-2-before]) {
			before++
		}
	}
	if end < len(text) && text[end] == gap {
		behind = run(text[end+1:], isDigit)
	}
	return before, behind
}

func isCardGap(c byte) bool { return c == ' ' || c == '-' || c == '.' || c == '\t' }

// groupsAt collects the digits of a form's groups; end is 0 where the text has others.
func groupsAt(text []byte, at int, gap byte, form []int, digits []byte) (n, end int) {
	for k, group := range form {
		if k > 0 {
			if at >= len(text) || text[at] != gap {
				return 0, 0
			}
			at++
		}
		if len(text)-at < group || run(text[at:at+group], isDigit) < group {
			return 0, 0
		}
		n += copy(digits[n:], text[at:at+group])
		at += group
	}
	if at < len(text) && isDigit(text[at]) {
		return 0, 0
	}
	return n, at
}

// issuer is a range of prefixes of ISO/IEC 7812, and how long the numbers are behind them.
type issuer struct{ from, to, digits, least, most int }

// issuers are after the networks' own pages, as the list of issuer identification numbers collects them.
var issuers = [...]issuer{
	{4, 4, 1, 16, 16}, {4, 4, 1, 19, 19}, // Visa
	{51, 55, 2, 16, 16}, {2221, 2720, 4, 16, 16}, // Mastercard
	{34, 34, 2, 15, 15}, {37, 37, 2, 15, 15}, // American Express
	{6011, 6011, 4, 16, 19}, {644, 649, 3, 16, 19}, {65, 65, 2, 16, 19}, // Discover
	{3528, 3589, 4, 16, 19},                                                                  // JCB
	{300, 305, 3, 14, 14}, {3095, 3095, 4, 14, 14}, {36, 36, 2, 14, 14}, {38, 39, 2, 14, 14}, // Diners Club
	{62, 62, 2, 16, 19},                                                                                // UnionPay
	{5018, 5018, 4, 16, 19}, {5020, 5020, 4, 16, 19}, {5038, 5038, 4, 16, 19}, {5893, 5893, 4, 16, 19}, // Maestro
	{6304, 6304, 4, 16, 19}, {6759, 6759, 4, 16, 19}, {6761, 6763, 4, 16, 19},
	{2200, 2204, 4, 16, 19}, {9792, 9792, 4, 16, 16}, {5019, 5019, 4, 16, 16}, // Mir, Troy, Dankort
}

// issuersBy holds them by the first digit.
var issuersBy = func() (t [10][]issuer) {
	for _, is := range issuers {
		first := is.from
		for first > 9 {
			first /= 10
		}
		t[first] = append(t[first], is)
	}
	return t
}()

// isCard tells digits of an issuer's prefix and length that pass Luhn's test.
func isCard(digits []byte) bool {
	by := issuersBy[digits[0]-'0']
	if by == nil {
		return false
	}
	var prefix [5]int // of so many digits
	for n := 1; n < len(prefix); n++ {
		prefix[n] = 10*prefix[n-1] + int(digits[n-1]-'0')
	}
	for i := range by {
		is := &by[i]
		if p := prefix[is.digits]; is.from <= p && p <= is.to && is.least <= len(digits) && len(digits) <= is.most {
			return Luhn(digits) == 0
		}
	}
	return false
}
