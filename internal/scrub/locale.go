package scrub

import (
	"cmp"
	"fmt"

	"daybefore/internal/copytext"
	"daybefore/internal/locale"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
)

// locale is where a rule's words come from: what it names itself, else what
// the scrub section does.
func (p *planner) locale(r *spec.Rule) *locale.Locale {
	if found := locale.Of(p.localeName(r)); found != nil {
		return found
	}
	return locale.Of(locale.Default)
}

func (p *Plan) localeName(r *spec.Rule) string {
	return cmp.Or(r.Locale, p.rules.Locale, locale.Default)
}

// unfitWords finds words for which the rows' encoding has no letters, or the
// database's, into which the server turns it.
func (p *planner) unfitWords(r *spec.Rule) (why, hint string) {
	if !transform.WritesWords(r) {
		return "", ""
	}
	stored, _ := copytext.EncodingOf(p.Conn.PgConn().ParameterStatus("server_encoding"))
	for _, encoding := range []copytext.Encoding{p.encoding, stored} {
		if _, ok := encoding.Encode(p.locale(r).Characters); !ok {
			return fmt.Sprintf("gets words of %s, for which %s has not all letters", p.localeName(r),
				encoding.Name), "name another locale, or another transform"
		}
	}
	return "", ""
}
