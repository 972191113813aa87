package detect

import (
	"testing"

	"pgregory.net/rapid"
)

// A name and its shape are judged alike, whatever stands between the letters.
func TestShapesAreJudgedAlike(t *testing.T) {
	t.Parallel()
	parts := rapid.SampledFrom([]string{"email", "Email", "first", "Name", "USER", "é", "u\u0308", "\u0301", "ß", "1", "77", "_", "-", ".", "ip", "Addr", "x", "≠", "<", "\u0338",
		"phone", "id", "password"})
	rapid.Check(t, func(rt *rapid.T) {
		name := ""
		for _, part := range rapid.SliceOfN(parts, 0, 6).Draw(rt, "parts") {
			name += part
		}
		shape := string(AppendShape(nil, []byte(name)))
		for _, table := range []string{"users", "rooms", "countries"} {
			for _, family := range []Family{Text, Number, Time} {
				what, fitting := Column(table, name, family)
				ofShape, fittingShape := Column(table, shape, family)
				if what != ofShape || fitting != fittingShape {
					rt.Fatalf("%q is %q by %q, its shape %q is %q by %q", name, what, fitting, shape, ofShape, fittingShape)
				}
			}
		}
	})
}
