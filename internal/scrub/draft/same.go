package draft

import (
	"fmt"

	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/sketch"
)

// ruleSame has a rule proposed for columns that no name gives away, or only as free
// text, and whose values are those of a column that is one person's: they become the
// same.
func (s *Survey) ruleSame(all []judged, byRoot map[*schema.Column]*evidence) []judged {
	var told []judged
	index := map[*schema.Column]int{}
	for i, j := range all {
		index[j.Root] = i
		if e := byRoot[j.Root]; e != nil && j.tellsOne(e) {
			j.values = &e.different
			told = append(told, j)
		}
	}
	for _, f := range s.Unruled() {
		at, judgedBefore := index[f.Root]
		e := byRoot[f.Root]
		if e == nil || f.Root.Family() != schema.Textual || s.IsTied(f.Root) ||
			judgedBefore && all[at].What != freeText {
			continue
		}
		same, n, of := sameAs(e, told)
		if same == nil {
			continue
		}
		j := *same
		j.Lineage = f
		j.confidence = medium
		j.reason = fmt.Sprintf("%d of %d different values that were sampled are those of %s", n, of, same.Root)
		j.Varies = e.mail.varies(f.Root)
		j.Folds = e.mail.folds()
		if judgedBefore {
			all[at] = j
		} else {
			all = append(all, j)
		}
	}
	return all
}

// freeText is what detect says of a column that is named like one of texts.
const freeText = "free text"

// tellsOne reports whether the values of a column each tell one person, so that
// others who hold the same tell the same.
func (j *judged) tellsOne(e *evidence) bool {
	if j.Within || j.Passes != "" || j.Few > 0 || j.Root.Family() != schema.Textual {
		return false
	}
	switch j.What {
	case detect.Email.Words(), detect.Phone.Words(), detect.IBAN.Words(), detect.NationalID.Words(),
		detect.PersonWords, "an account's name":
		n, _ := e.different.Count()
		return n >= leastSame
	}
	return false
}

// leastSame is how many different values of a column have to be known.
const leastSame = 20

// sameAs is the column that holds nearly all values of another; nil for none.
func sameAs(e *evidence, told []judged) (same *judged, n, of int) {
	sample := e.different.Sample()
	if len(sample) < leastSame {
		return nil, 0, 0
	}
	for i := range told {
		held, known := heldBy(told[i].values, sample)
		if known >= leastSame && nearlyAll(int64(held), int64(known)) && held > n {
			same = &told[i]
			n = held
			of = known
		}
	}
	return same, n, of
}

// heldBy is how many of the values a column holds, of those for which that is known.
// It gives up once the first of them are none of its.
func heldBy(values *sketch.Sketch, hashes []uint64) (held, known int) {
	holds := values.Holds()
	for _, hash := range hashes {
		here, isKnown := holds(hash)
		if !isKnown {
			continue
		}
		known++
		if here {
			held++
		}
		if known == leastSame && held == 0 {
			break
		}
	}
	return held, known
}

// dialed reports whether a value is written as a phone number: 7 to 15 digits, and
// little else.
func dialed(value []byte) bool {
	const least, most = 7, 15
	digits := 0
	for i, c := range value {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case c == '+' && i == 0, c == ' ', c == '-', c == '/', c == '(', c == ')', c == '.':
		default:
			return false
		}
	}
	return least <= digits && digits <= most
}

// areNumbersToDial reports whether the values are phone numbers, of which some have no
// country's code by which they could be told one by one.
func (e *evidence) areNumbersToDial() bool {
	const some = 4
	return some*e.whole[detect.Phone] >= e.values && nearlyAll(e.dialed, e.values)
}

// areCodes reports whether nearly all values hold signs and digits that
// no name of a person or a place does.
func (e *evidence) areCodes() bool {
	var all int64
	for _, n := range e.kinds {
		all += n
	}
	return nearlyAll(e.kinds[detect.Codes]+e.kinds[detect.Digits], all)
}

// areDegrees reports whether nearly all numbers are degrees with digits after the point.
func (k *keyEvidence) areDegrees() bool { return nearlyAll(k.forms[likeDegrees], k.values) }

// aboutPlaces reports whether a key says so.
func (k *keyEvidence) aboutPlaces() bool {
	return k.what == "a place" || k.transform == transform.Position
}
