package draft

import "testing"

func TestWritingOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]writing{
		`{"full_name":"Ada","n":1}`: writtenJSON, `[{"a":"b"}]`: writtenJSON, `["a"]`: noWriting,
		`{a,b,"c d"}`: noWriting, "[info] ada": noWriting, `{"a":"b"} and more`: noWriting,
		"---\nfull_name:\n- Ada\n- Neu\n": writtenYAML, "a: 1\nb: 2\n": writtenYAML, "full_name: Ada\r\nroles:\r\n  - x: y\r\n": writtenYAML,
		"Note: call back": noWriting, "dear Ada:\nthank you: much": noWriting, "at 10:30 we\nmeet: you": noWriting,
		`a:1:{s:4:"name";s:3:"Ada";}`: writtenPHP, `O:4:"User":1:{s:1:"a";i:1;}`: writtenPHP, `s:3:"Ada";`: writtenPHP, "a: b": noWriting, "s:x": noWriting,
		"<p><n>Ada</n></p>": writtenXML, `<?xml version="1.0"?><a/>`: writtenXML, "<a b=\"c\"/>": writtenXML,
		"<urn:uuid:0e1d>": noWriting, "<ada@example.com>": noWriting, "<html><body>x</body></html>": noWriting, "<3 you all>": noWriting,
		"eyJmdWxsX25hbWUiOiJBZGEgTG92ZWxhY2UifQ==": writtenBase64, "Lovelace, Ada of London...": noWriting,
		"0123456789abcdef0123456789abcdef": noWriting, "called Ada back about the order": noWriting, "Ada Lovelace": noWriting, "{}": noWriting,
	} {
		if got := writingOf([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, writingWords[got], writingWords[want])
		}
	}
}
