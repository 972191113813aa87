package scrub

import (
	"cmp"
	"fmt"

	"daybefore/internal/copytext"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/words"
)

// locale is where a rule's words come from: what it names itself, else what
// the scrub section does.
func (p *planner) locale(r *spec.Rule) *words.Locale {
	if found := words.Of(p.localeName(r)); found != nil {
		return found
	}
	return words.Of(words.Default)
}

func (p *Plan) localeName(r *spec.Rule) string {
	return cmp.Or(r.Locale, p.rules.Locale, words.Default)
}

// unfitWords finds words for which the rows' encoding has no letters, or the
// database's, into which the server turns it.
func (p *planner) unfitWords(r *spec.Rule) (why, mend string) {
	if !transform.WritesWords(r) {
		return "", ""
	}
	stored, _ := copytext.EncodingOf(p.conn.PgConn().ParameterStatus("server_encoding"))
	for _, encoding := range []copytext.Encoding{p.encoding, stored} {
		if _, ok := encoding.Encode(p.locale(r).Characters); !ok {
			return fmt.Sprintf("gets words of %s, for which %s has not all letters", p.localeName(r),
				encoding.Name), "name another locale, or another transform"
		}
	}
	return "", ""
}
