package sqltext

import (
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		`Select Ünder$1 "Quo""ted;"`:             `w:select w:Ünder$1 q:Quo"ted;`,
		`'it''s' E'a\'b;' 'back\'`:               `s:it's s:a'b; s:back\`,
		`B'01' x'ff' N'n' U&'\0041' U&"d\0061t"`: `s:01 s:ff s:n s:\0041 e:d\0061t`,
		`$$a;b$$ $tag$ $$ ; $tag$ $1 $`:          `s:a;b s: $$ ;  o:$ n:1 o:$`,
		"a -- 'comment;\nb /* /* ; */ ' */ c":    `w:a w:b w:c`,
		`1.5e3 -2 <> ::`:                         `n:1.5e3 o:- n:2 o:< o:> o:: o::`,
		`'unfinished`:                            `s:unfinished`,
		`"unfinished`:                            `q:unfinished`,
		`$x$unfinished`:                          `s:unfinished`,
		`/* unfinished`:                          ``,
		`E'\`:                                    `s:\`,
		"e 'spaced' x":                           `w:e s:spaced w:x`,
		`a$$b`:                                   `w:a$$b`,
	} {
		if got := spell(Tokens(sql, true)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", sql, got, want)
		}
	}
	if got := spell(Tokens(`'a\'b' c`, false)); got != `s:a'b w:c` {
		t.Errorf("without standard strings: %s", got)
	}
}

func spell(tokens []Token) string {
	var b []string
	for _, t := range tokens {
		b = append(b, string("wqesno"[t.Kind])+":"+t.Text)
	}
	return strings.Join(b, " ")
}

// FuzzTokens checks that tokens advance, lie within the text, and that what is
// between them is blank or comment.
func FuzzTokens(f *testing.F) {
	for _, sql := range []string{`a 'b' "c" $d$e$d$ -- f`, `E'\'' /* /* */ */ ; ( )`, `GRANT a ON b TO c`, "$é$x$é$"} {
		f.Add(sql, true)
		f.Add(sql, false)
	}
	f.Fuzz(func(t *testing.T, sql string, stdStrings bool) {
		end := 0
		for _, tok := range Tokens(sql, stdStrings) {
			if tok.Start < end || tok.End <= tok.Start || tok.End > len(sql) {
				t.Fatalf("token %q from %d to %d behind %d of %d", tok.Text, tok.Start, tok.End, end, len(sql))
			}
			if between := sql[end:tok.Start]; strings.ContainsAny(between, `'"$;`) && !strings.Contains(between, "--") && !strings.Contains(between, "/*") {
				t.Fatalf("skipped %q", between)
			}
			end = tok.End
		}
	})
}
