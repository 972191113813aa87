package pgtext

import "bytes"

// dateField is what a piece of a date or time looks like (ParseDateTime).
type dateField byte

const (
	aNumber dateField = iota
	aDate
	aTime
	aZone
	aWord
	aSpecial
)

// dateToken is a piece of a date or time, in lower case.
type dateToken struct {
	kind dateField
	text []byte
}

const (
	maxFields  = 25  // MAXDATEFIELDS
	maxDateLen = 128 // MAXDATELEN
)

// tokens takes a value apart; false for what no date or time can be made of.
func (r *Reader) tokens(s []byte) ([]dateToken, bool) {
	if len(s) > maxDateLen+maxFields {
		return nil, false
	}
	r.lower = append(r.lower[:0], s...)
	for i, c := range r.lower {
		if 'A' <= c && c <= 'Z' {
			r.lower[i] = c + 'a' - 'A'
		}
	}
	n := 0
	for s := r.lower; len(s) > 0; {
		c := s[0]
		if isSpace(c) || isPunct(c) && c != '.' && c != '-' && c != '+' {
			s = s[1:]
			continue
		}
		if n == maxFields {
			return nil, false
		}
		kind, end := tokenAt(s)
		if end < 0 {
			return nil, false
		}
		r.fields[n] = dateToken{kind, s[:end]}
		if c == '-' || c == '+' { // blanks may stand after the sign
			if blank := signBlanks(s); blank > 0 {
				s = s[blank:]
				s[0] = c
				kind, end = tokenAt(s)
				if end < 0 {
					return nil, false
				}
				r.fields[n] = dateToken{kind, s[:end]}
			}
		}
		n, s = n+1, s[end:]
	}
	return r.fields[:n], true
}

// signBlanks is how many blanks stand after a sign.
func signBlanks(s []byte) int {
	n := 1
	for n < len(s) && isSpace(s[n]) {
		n++
	}
	return n - 1
}

// tokenAt is the kind of the token at the beginning, and where it ends; -1 for
// none.
func tokenAt(s []byte) (dateField, int) {
	c := s[0]
	switch {
	case isDigit(c):
		return digitsAt(s)
	case c == '.':
		return aNumber, digitsEnd(s, 1)
	case isAlpha(c):
		return wordAt(s)
	case c == '-' || c == '+':
		return signedAt(s)
	}
	return 0, -1
}

func signedAt(s []byte) (dateField, int) {
	i := 1 + signBlanks(s)
	switch {
	case i == len(s):
		return 0, -1
	case i > 1: // read again without the blanks
		if isDigit(s[i]) || isAlpha(s[i]) {
			return aSpecial, i
		}
		return 0, -1
	case isDigit(s[1]):
		return aZone, run(s, 1, ":.-", true, false)
	case isAlpha(s[1]):
		return aSpecial, run(s, 1, "", false, true)
	}
	return 0, -1
}

// run is where the bytes end that are digits, letters or of more.
func run(s []byte, i int, more string, digits, letters bool) int {
	for i < len(s) && (digits && isDigit(s[i]) || letters && isAlpha(s[i]) || oneOf(s[i], more)) {
		i++
	}
	return i
}

func oneOf(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

// digitsAt is a token that begins with a digit.
func digitsAt(s []byte) (dateField, int) {
	i := digitsEnd(s, 0)
	if i == len(s) {
		return aNumber, i
	}
	delim := s[i]
	switch {
	case delim == ':':
		return aTime, run(s, i, ":.", true, false)
	case !oneOf(delim, "-/."):
		return aNumber, i
	}
	i++
	if i == len(s) || !isDigit(s[i]) {
		for i < len(s) && (isDigit(s[i]) || isAlpha(s[i]) || s[i] == delim) {
			i++
		}
		return aDate, i
	}
	kind := aDate
	if delim == '.' {
		kind = aNumber
	}
	i = digitsEnd(s, i)
	if i < len(s) && s[i] == delim {
		kind = aDate
		for i < len(s) && (isDigit(s[i]) || s[i] == delim) {
			i++
		}
	}
	return kind, i
}

// wordAt is a token that begins with a letter: a word, or a date or the name
// of a zone with something else in it.
func wordAt(s []byte) (dateField, int) {
	i := run(s, 0, "", false, true)
	if i < len(s) {
		c := s[i]
		_, known := words[string(truncated(s[:i]))]
		if oneOf(c, "-/.") || (c == '+' || isDigit(c)) && !known {
			return aDate, run(s, i, "+-/_.:", true, true)
		}
	}
	return aWord, i
}

// truncated is as much of a word as PostgreSQL compares.
func truncated(s []byte) []byte { return s[:min(len(s), 10)] }

// Kinds of words, as bits of a mask of what a value has.
const (
	month = 1 << iota
	year
	day
	zone
	daylight
	meridian
	hour
	minute
	second
	doy
	weekday
	era
	unitMask // no bit of a mask
	ignored  // likewise
	special  // likewise
	isoTime
	julian
)

const (
	wholeDate = year | month | day
	wholeTime = hour | minute | second
)

// dateWord is what a word means: its kind, and the month's number, or what of a
// special word's the value then has.
type dateWord struct {
	kind  int
	value int
}

const endless = -1 // of special words: infinity and epoch

// words are datetktbl.
var words = map[string]dateWord{
	"+infinity": {special, endless}, "-infinity": {special, endless}, "infinity": {special, endless},
	"epoch": {special, endless},
	"now":   {special, wholeDate | wholeTime | zone}, "today": {special, wholeDate}, "tomorrow": {special, wholeDate},
	"yesterday": {special, wholeDate},
	"allballs":  {special, wholeTime | zone},
	"ad":        {era, 0}, "bc": {era, 1}, "am": {meridian, 0}, "pm": {meridian, 1}, "at": {ignored, 0},
	"on":  {ignored, 0},
	"jan": {month, 1}, "january": {month, 1}, "feb": {month, 2}, "february": {month, 2}, "mar": {month, 3},
	"march": {month, 3},
	"apr":   {month, 4}, "april": {month, 4}, "may": {month, 5}, "jun": {month, 6}, "june": {month, 6},
	"jul":  {month, 7},
	"july": {month, 7},
	"aug":  {month, 8}, "august": {month, 8}, "sep": {month, 9}, "sept": {month, 9}, "september": {month, 9},
	"oct": {month, 10}, "october": {month, 10},
	"nov": {month, 11}, "november": {month, 11}, "dec": {month, 12}, "december": {month, 12},
	"sun": {weekday, 0}, "sunday": {weekday, 0}, "mon": {weekday, 1}, "monday": {weekday, 1}, "tue": {weekday, 2},
	"tues": {weekday, 2}, "tuesday": {weekday, 2},
	"wed": {weekday, 3}, "weds": {weekday, 3}, "wednesday": {weekday, 3}, "thu": {weekday, 4}, "thur": {weekday, 4},
	"thurs": {weekday, 4}, "thursday": {weekday, 4},
	"fri": {weekday, 5}, "friday": {weekday, 5}, "sat": {weekday, 6}, "saturday": {weekday, 6},
	"dst": {daylight, 0}, "t": {isoTime, 0}, "j": {julian, 0}, "jd": {julian, 0}, "julian": {julian, 0},
	"d": {unitMask, 0}, "h": {unitMask, 0}, "m": {unitMask, 0}, "mm": {unitMask, 0}, "s": {unitMask, 0},
	"y":   {unitMask, 0},
	"dow": {unitMask, 0}, "doy": {unitMask, 0}, "isodow": {unitMask, 0}, "isoyear": {unitMask, 0},
}

// strictSince is the version whose words for units need a number after them,
// and whose infinity stands alone.
const strictSince = 16

// moment is a date or time as far as it was read.
type moment struct {
	r                             *Reader
	timeOnly                      bool
	has                           int // a mask
	year, month, day, doy         int
	hour, minute, second          int
	fraction                      bool
	julian, twoDigits, textMonth  bool
	bc, endless, meridian, unsure bool
	label                         int // isoTime, julian or units: what the next number is
}

// read is DecodeDateTime, or DecodeTimeOnly.
func (m *moment) read(fields []dateToken) bool {
	for i := range fields {
		got, ok := m.field(fields, i)
		switch {
		case m.unsure:
			return true
		case !ok || got&m.has != 0:
			return false
		}
		m.has |= got
	}
	if m.label == isoTime || m.label != 0 && m.r.Major >= strictSince {
		return false
	}
	return m.endless || m.valid()
}

// field reads the field i, and returns what the moment has by it.
func (m *moment) field(fields []dateToken, i int) (got int, ok bool) {
	switch f := fields[i]; f.kind {
	case aDate:
		return m.dateField(fields, i)
	case aTime:
		if m.label == isoTime {
			m.label = 0
		}
		if m.label != 0 {
			m.unsure = m.timeOnly && m.r.Major < strictSince
			return 0, m.unsure
		}
		return wholeTime, m.clock(f.text) && !m.overflows()
	case aZone:
		return zone, displaces(f.text)
	case aNumber:
		return m.numberField(fields, i)
	default:
		return m.wordField(f.text)
	}
}

func (m *moment) dateField(fields []dateToken, i int) (got int, ok bool) {
	s := fields[i].text
	if m.label == julian {
		m.label, m.julian = 0, true
		n, rest := number(s, 1<<31-1)
		return wholeDate | wholeTime | zone, n >= 0 && len(rest) > 0 && displaces(rest)
	}
	mayBeDate := m.label == 0 && m.has&(month|day) != month|day
	if m.timeOnly {
		last := fields[len(fields)-1].kind
		mayBeDate = i == 0 && len(fields) >= 2 && (last == aDate || fields[1].kind == aTime)
	}
	if mayBeDate {
		return m.date(s)
	}
	if !isDigit(s[0]) && m.label == 0 {
		return zone, isZone(s)
	}
	if m.label != 0 && m.label != isoTime || m.has&wholeTime == wholeTime {
		return 0, false
	}
	m.label = 0
	sign := bytes.IndexByte(s, '-')
	if sign < 0 || !displaces(s[sign:]) {
		return 0, false
	}
	have := m.has
	if m.timeOnly {
		have |= wholeDate
	}
	got, ok = m.runTogether(s[:sign], have)
	return got | zone, ok
}

func (m *moment) numberField(fields []dateToken, i int) (got int, ok bool) {
	s := fields[i].text
	point := bytes.IndexByte(s, '.')
	switch {
	case m.label == julian:
		m.label, m.julian = 0, true
		if point >= 0 {
			return wholeDate | wholeTime, true
		}
		return wholeDate, len(s) < 10
	case m.label == isoTime:
		m.label = 0
		got, ok = m.runTogether(s, m.has|wholeDate)
		return got, ok && got == wholeTime
	case m.label != 0:
		m.unsure = m.r.Major < strictSince && m.has&(wholeDate|wholeTime) != wholeDate|wholeTime
		return 0, m.unsure
	case m.timeOnly:
		return m.timeNumber(fields, i, point)
	case point >= 0 && m.has&wholeDate == 0:
		return m.date(s)
	case point > 2:
		return m.runTogether(s, m.has)
	case len(s) >= 6 && (m.has&wholeDate == 0 || m.has&wholeTime == 0):
		return m.runTogether(s, m.has)
	}
	return m.number(s, m.has)
}

func (m *moment) timeNumber(fields []dateToken, i, point int) (got int, ok bool) {
	s := fields[i].text
	switch {
	case point >= 0 && i == 0 && len(fields) >= 2 && fields[len(fields)-1].kind == aDate:
		return m.date(s)
	case point > 2, point < 0 && len(s) > 4:
		return m.runTogether(s, m.has|wholeDate)
	case point >= 0:
		return 0, false
	}
	return m.number(s, m.has|wholeDate)
}

func (m *moment) wordField(s []byte) (got int, ok bool) {
	w, known := words[string(truncated(s))]
	switch {
	case isAbbreviation(s):
		return zone, true
	case !known:
		return zone, isZone(s)
	}
	switch w.kind {
	case ignored:
		return 0, true
	case special:
		if w.value == endless {
			m.endless = true
			if m.r.Major < strictSince {
				return special, !m.timeOnly
			}
			return wholeDate | wholeTime | zone, !m.timeOnly
		}
		m.unsure = true // now and such: no dump holds them
		return 0, true
	case month:
		if m.has&month != 0 && !m.textMonth && m.has&day == 0 && m.month >= 1 && m.month <= 31 {
			m.day, m.textMonth, m.month = m.month, true, w.value
			return day, true
		}
		m.textMonth, m.month = true, w.value
	case era:
		m.bc = w.value == 1
	case meridian:
		m.meridian = true
	case daylight:
		return zone | daylight, true
	case unitMask, julian:
		if m.label != 0 {
			return 0, false
		}
		m.label = w.kind
		return 0, true
	case isoTime:
		if m.label != 0 || !m.timeOnly && m.has&wholeDate != wholeDate {
			return 0, false
		}
		m.label = isoTime
		return 0, true
	}
	return w.kind, true
}

// date is DecodeDate: a date in one piece.
func (m *moment) date(s []byte) (got int, ok bool) {
	have := m.has
	if m.timeOnly {
		have = 0
	}
	add := func(mask int) bool {
		if have&mask != 0 {
			return false
		}
		have, got = have|mask, got|mask
		return true
	}
	for rest := s; len(rest) > 0; { // a text is the month
		var piece []byte
		piece, rest = datePiece(rest)
		if len(piece) == 0 {
			return 0, false
		}
		if !isAlpha(piece[0]) {
			continue
		}
		w, known := words[string(truncated(piece))]
		if known && w.kind == ignored {
			continue
		}
		if !known || w.kind != month || !add(month) {
			return 0, false
		}
		m.month, m.textMonth = w.value, true
	}
	for rest := s; len(rest) > 0; {
		var piece []byte
		piece, rest = datePiece(rest)
		if isAlpha(piece[0]) {
			continue
		}
		mask, ok := m.number(piece, have)
		if !ok || !add(mask) {
			return 0, false
		}
	}
	return got, have&^(doy|zone) == wholeDate
}

// datePiece takes the digits or the letters at the beginning, and one byte
// after them.
func datePiece(s []byte) (piece, rest []byte) {
	for len(s) > 0 && !isDigit(s[0]) && !isAlpha(s[0]) {
		s = s[1:]
	}
	if len(s) == 0 {
		return nil, nil
	}
	end := run(s, 0, "", isDigit(s[0]), isAlpha(s[0]))
	return s[:end], s[min(end+1, len(s)):]
}

// number is DecodeNumber: a number whose meaning follows from what there is.
func (m *moment) number(s []byte, have int) (got int, ok bool) {
	n, rest := number(s, 1<<31-1)
	if n < 0 {
		return 0, false
	}
	if len(rest) > 0 {
		if rest[0] != '.' {
			return 0, false
		}
		if len(s)-len(rest) > 2 {
			return m.runTogether(s, have|wholeDate)
		}
		if digitsEnd(rest, 1) != len(rest) {
			return 0, false
		}
	}
	if len(s) == 3 && have&wholeDate == year && n >= 1 && n <= 366 {
		m.doy = n
		return doy | month | day, true
	}
	if have&wholeDate == wholeDate {
		return m.runTogether(s, have)
	}
	got = m.meaning(s, n, have&wholeDate)
	switch got {
	case year:
		m.year, m.twoDigits = n, len(s) <= 2
	case month:
		m.month = n
	case day:
		m.day = n
	}
	return got, got != 0
}

func (m *moment) meaning(s []byte, n, have int) int {
	long := len(s) >= 3 || m.r.Dates == YMD
	switch have {
	case 0:
		switch {
		case long:
			return year
		case m.r.Dates == DMY:
			return day
		}
		return month
	case year, day:
		return month
	case month:
		if m.textMonth && long {
			return year
		}
		return day
	case year | month:
		if m.textMonth && len(s) >= 3 && m.twoDigits { // what was taken for the year is the day
			m.day, m.year, m.twoDigits = m.year, n, false
			m.unsure = m.day < 1 || m.day > 28
			return day | era<<1
		}
		return day
	case month | day:
		return year
	}
	return 0
}

// runTogether is DecodeNumberField: a date or time of digits alone.
func (m *moment) runTogether(s []byte, have int) (got int, ok bool) {
	point := bytes.IndexByte(s, '.')
	if point >= 0 {
		if digitsEnd(s, point+1) != len(s) {
			return 0, false
		}
		s = s[:point]
	} else if have&wholeDate != wholeDate && len(s) >= 6 {
		n := len(s)
		if n > 4+9 {
			return 0, false
		}
		m.year, _ = number(s[:n-4], 1<<31-1)
		m.month, _ = number(s[n-4:n-2], 99)
		m.day, _ = number(s[n-2:], 99)
		m.twoDigits = m.twoDigits || n == 6
		return wholeDate, true
	}
	if have&wholeTime == wholeTime {
		return 0, false
	}
	m.second = 0
	switch len(s) {
	case 6:
		m.second, _ = number(s[4:6], 99)
		fallthrough
	case 4:
		m.hour, _ = number(s[:2], 99)
		m.minute, _ = number(s[2:4], 99)
		return wholeTime, true
	}
	return 0, false
}

// clock is DecodeTime: hh:mm, hh:mm:ss, with a fraction, or mm:ss.fff.
func (m *moment) clock(s []byte) bool {
	n, rest := number(s, 1<<31-1)
	if n < 0 || len(rest) == 0 || rest[0] != ':' {
		return false
	}
	m.hour, m.second = n, 0
	m.minute, rest = orZero(rest[1:])
	if len(rest) == 0 {
		return m.minute <= 59
	}
	switch rest[0] {
	case '.':
		m.hour, m.minute, m.second = 0, m.hour, m.minute
	case ':':
		m.second, rest = orZero(rest[1:])
		if len(rest) == 0 {
			return m.minute <= 59 && m.second <= 60
		}
	}
	if rest[0] != '.' || digitsEnd(rest, 1) != len(rest) {
		return false
	}
	m.fraction = len(bytes.Trim(rest, ".0")) > 0
	return m.minute <= 59 && m.second <= 60
}

// orZero reads a number, of which nothing may be there; a sign, if it is of a
// zero.
func orZero(s []byte) (n int, rest []byte) {
	if len(s) > 1 && (s[0] == '+' || s[0] == '-') && isDigit(s[1]) {
		n, rest = number(s[1:], 1<<31-1)
		if s[0] == '-' && n != 0 {
			n = 1<<31 - 1
		}
		return n, rest
	}
	n, rest = number(s, 1<<31-1)
	if n >= 0 {
		return n, rest
	}
	if len(s) > 0 && isDigit(s[0]) {
		return 1<<31 - 1, s[len(s):] // too large
	}
	return 0, s
}

// overflows is time_overflows: later than 24:00:00.
func (m *moment) overflows() bool {
	return m.minute > 59 || m.second > 60 || m.hour > 24 || m.hour == 24 && (m.minute > 0 || m.second > 0 || m.fraction)
}

// displaces is DecodeTimezone: a sign, hours, and minutes and seconds.
func displaces(s []byte) bool {
	const mostHours = 15
	if s[0] != '+' && s[0] != '-' {
		return false
	}
	h, rest := orZero(s[1:])
	minutes, seconds := 0, 0
	switch {
	case len(rest) > 0 && rest[0] == ':':
		minutes, rest = orZero(rest[1:])
		if len(rest) > 0 && rest[0] == ':' {
			seconds, rest = orZero(rest[1:])
		}
	case len(rest) == 0 && len(s) > 3:
		h, minutes = h/100, h%100
	}
	return h <= mostHours && minutes <= 59 && seconds <= 59 && len(rest) == 0
}

var monthDays = [2][12]int{
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31},
}

// valid is ValidateDate, and what is asked of the whole.
func (m *moment) valid() bool {
	switch {
	case m.meridian && m.hour > 12:
		return false
	case m.has&year != 0 && !m.julian && !m.anno():
		return false
	case m.timeOnly && m.overflows():
		return false
	case m.has&month != 0 && m.has&doy == 0 && !m.julian && (m.month < 1 || m.month > 12):
		return false
	case m.has&day != 0 && m.has&doy == 0 && !m.julian && (m.day < 1 || m.day > 31):
		return false
	case m.timeOnly:
		return m.has&wholeTime == wholeTime
	case m.has&wholeDate != wholeDate:
		return false
	case m.has&doy != 0 || m.julian:
		return true
	}
	leap := 0
	if m.year%4 == 0 && (m.year%100 != 0 || m.year%400 == 0) {
		leap = 1
	}
	return m.day <= monthDays[leap][m.month-1]
}

// anno makes the year an astronomical one; false for none.
func (m *moment) anno() bool {
	switch {
	case m.bc:
		if m.year <= 0 {
			return false
		}
		m.year = 1 - m.year
	case m.twoDigits && m.year < 70:
		m.year += 2000
	case m.twoDigits && m.year < 100:
		m.year += 1900
	}
	return m.bc || m.twoDigits || m.year > 0
}

// since reports whether the date is none before PostgreSQL's first, the day 0 of
// the Julian calendar.
func (m *moment) since() bool {
	return m.year > -4713 || m.year == -4713 && (m.month > 11 || m.month == 11 && m.day >= 24)
}

// The last years of date and timestamp.
const (
	lastYear      = 5874897
	lastStampYear = 294276
)

func (r *Reader) date(_ *Type, s []byte) bool { return r.moment(s, lastYear) }

func (r *Reader) timestamp(_ *Type, s []byte) bool { return r.moment(s, lastStampYear) }

func (r *Reader) moment(s []byte, last int) bool {
	if ok, sure := usual(s); sure {
		return ok
	}
	fields, ok := r.tokens(s)
	if !ok {
		return false
	}
	m := moment{r: r}
	if !m.read(fields) {
		return false
	}
	if m.unsure || m.endless || m.julian || m.has&doy != 0 {
		return true
	}
	spill := 0 // a zone can carry the last moment into a year that is none
	if m.has&zone != 0 {
		spill = 1
	}
	return m.since() && m.year <= last+spill
}

// usual tells of the form in which nearly all come, 2006-01-02 with or without
// 15:04:05, a fraction and a zone's hours, whether it is a date; it is not sure
// of any other.
func usual(s []byte) (ok, sure bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' || !isDigit(s[0]) || !isDigit(s[1]) {
		return false, false
	}
	y, a := number(s[:4], 9999)
	mon, b := number(s[5:7], 99)
	d, c := number(s[8:10], 99)
	if len(a)+len(b)+len(c) > 0 || y < 1 || mon < 1 || mon > 12 || d < 1 || d > 28 {
		return false, false
	}
	if len(s) == 10 {
		return true, true
	}
	if len(s) < 19 || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return false, false
	}
	h, a := number(s[11:13], 23)
	min, b := number(s[14:16], 59)
	sec, c := number(s[17:19], 59)
	return true, len(a)+len(b)+len(c) == 0 && h >= 0 && min >= 0 && sec >= 0 && usualEnd(s[19:])
}

// usualEnd reports whether nothing but a fraction and a zone's hours follow.
func usualEnd(s []byte) bool {
	if len(s) > 1 && s[0] == '.' {
		end := digitsEnd(s, 1)
		if end == 1 || end > 7 {
			return false
		}
		s = s[end:]
	}
	if len(s) == 0 {
		return true
	}
	return len(s) == 3 && (s[0] == '+' || s[0] == '-') && (s[1] == '0' || s[1] == '1' && s[2] < '5') && isDigit(s[2])
}

// time is a time of day, with or without a zone.
func (r *Reader) time(_ *Type, s []byte) bool {
	fields, ok := r.tokens(s)
	if !ok {
		return false
	}
	m := moment{r: r, timeOnly: true}
	return m.read(fields)
}
