package transform

import "daybefore/internal/spec"

const (
	Constant = "constant" // the rule's value; null stays null
	SetNull  = "set_null" // null
)

func init() {
	register(Constant, kind{
		fits: anyType, escapes: true, texts: valueOf, fixed: true,
		lacks: lacksValue, ready: readyTexts, write: writeConstant,
	})
	register(SetNull, kind{fits: anyType, write: writeNothing})
}

// valueOf is the rule's value; nothing where it has none.
func valueOf(r *spec.Rule) []string {
	if r.Value == nil {
		return nil
	}
	return []string{*r.Value}
}

func lacksValue(r *spec.Rule) (why, mend string) {
	if r.Value == nil {
		return "has the transform " + r.Transform + " without a value", "add value:"
	}
	return "", ""
}

// readyTexts is for what makes its texts and nothing else.
func readyTexts(out *Recipe, r *spec.Rule, env Env) {
	for _, text := range out.texts(r) {
		encoded, _ := env.Encoding.Encode(text) // the plan has looked whether it can
		out.encoded = append(out.encoded, encoded)
	}
}

func writeConstant(_ *Masker, dst []byte, r *Recipe, _ input) ([]byte, error) {
	if len(r.encoded) == 0 { // Bare
		return dst, nil
	}
	return append(dst, r.encoded[0]...), nil
}

func writeNothing(_ *Masker, dst []byte, _ *Recipe, _ input) ([]byte, error) { return dst, nil }
