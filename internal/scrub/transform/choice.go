package transform

import "daybefore/internal/spec"

// Choice makes one of the rule's values, the same of equal values.
const Choice = "choice"

func init() {
	register(Choice, kind{
		fits: anyType, escapes: true, texts: valuesOf, fixed: true,
		lacks: lacksValues, ready: readyTexts, write: writeChoice,
	})
}

func valuesOf(r *spec.Rule) []string { return r.Values }

func lacksValues(r *spec.Rule) (why, mend string) {
	if len(r.Values) == 0 {
		return "has the transform choice without values", "add values:"
	}
	return "", ""
}

func writeChoice(_ *Masker, dst []byte, r *Recipe, in input) ([]byte, error) {
	chosen := scale(leading(in.digest[:]), uint64(len(r.encoded)))
	return append(dst, r.encoded[chosen]...), nil
}
