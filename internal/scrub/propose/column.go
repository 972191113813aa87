package propose

import (
	"daybefore/internal/detect"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
)

// Sensitive says what a column's values look like by its name and type, or
// nothing, and which transform would suit them. Better a column too many, which
// costs a line with its why in the drill file, than one too few.
func Sensitive(c *schema.Column) (what, fitting string) {
	switch c.Family() {
	case schema.Textual:
		return detect.Column(c.Table.Name.Table, c.Name, detect.Text)
	case schema.Numeric:
		return detect.Column(c.Table.Name.Table, c.Name, detect.Number)
	case schema.Temporal:
		return detect.Column(c.Table.Name.Table, c.Name, detect.Time)
	case schema.Opaque:
		return opaqueType(c)
	}
	return "", ""
}

// opaqueType is what a type tells by itself.
func opaqueType(c *schema.Column) (what, fitting string) {
	what = "of type " + c.SQL + ", which can hold anything"
	switch {
	case c.Base.IsAddress():
		return detect.IP.Words(), transform.IP
	case c.Base.IsMAC():
		return detect.IP.Words(), transform.MAC
	case c.Base.IsHstore():
		return what, transform.Text
	case c.Base.IsPoint(), c.Base.IsGeometry():
		return what, transform.Position
	}
	return what, transform.SetNull
}

// TransformFor is the transform that suits values of a kind.
func TransformFor(k detect.Kind) string { return transformFor[k] }

// transformFor is what suits a kind of content.
var transformFor = map[detect.Kind]string{
	detect.Email: transform.Email, detect.Phone: transform.Phone, detect.Card: transform.Card,
	detect.IBAN: transform.IBAN, detect.IP: transform.IP, detect.NationalID: transform.Text,
	detect.Secret: transform.Token,
}
