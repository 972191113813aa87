package catalog

import (
	"bytes"
	"strings"
	"testing"
)

func TestParseSums(t *testing.T) {
	t.Parallel()
	a := strings.Repeat("0a", 32)
	b := strings.Repeat("b1", 32)
	tests := []struct{ name, text, want string }{
		{"bare", a, a},
		{"bare, upper case, CRLF", strings.ToUpper(a) + "\r\n", a},
		{"byte order mark", "\ufeff" + a + "\n", a},
		{"sha256sum", a + "  x.dump\n", a},
		{"sha256sum, binary", a + " *x.dump\n", a},
		{"sha256sum, a path", a + "  /var/backups/x.dump\n", a},
		{"sha256sum, from stdin", a + "  -\n", a},
		{"taken under another name", a + "  x.dump.tmp\n", a},
		{"escaped", `\` + a + `  x\ny` + "\n", a},
		{"BSD", "SHA256 (x.dump) = " + a + "\n", a},
		{"openssl 1", "SHA256(x.dump)= " + a + "\n", a},
		{"openssl 3", "SHA2-256(x.dump)= " + a + "\n", a},
		{"several", "# sums\n\n" + b + "  y.dump\n" + a + "  ./x.dump\n", a},
		{"several, twice the same", a + "  x.dump\n" + a + " *x.dump\n" + b + "  y\n", a},
		{"several, two of it", a + "  x.dump\n" + b + "  x.dump\n", ""},
		{"several, none of it", a + "  z.dump\n" + b + "  y.dump\n", ""},
		{"another of several kinds", "MD5 (y.dump) = " + a[:32] + "\nSHA256 (x.dump) = " + a + "\n", a},
		{"MD5 alone", "MD5 (x.dump) = " + a[:32], a[:32]},
		{"several, bare", a + "\n" + b + "\n", ""},
		{"empty", "", ""},
		{"blank", " \n\n", ""},
		{"too short", a[:63], ""},
		{"too long", a + "0", ""},
		{"no sum", "<html>404</html>", ""},
		{"a sum and rubbish", a + "  x.dump\nrubbish\n", ""},
		{"sha256sum -z", a + "  x.dump\x00" + b + "  y\x00", a},
		{"old Mac, DOS", a + "  x.dump\r" + b + "  y\r\n\x1a", a},
		{"UTF-16", "\xff\xfe" + strings.Join(strings.Split(a, ""), "\x00") + "\x00\r\x00\n\x00", a},
		{"UTF-16, the other end first", "\xfe\xff\x00" + strings.Join(strings.Split(a, ""), "\x00"), a},
		{"Latin 1", a + "  r\xe4um.dump\n" + b + "  x.dump", b},
		{"with its kind in front", "sha256:" + a, a},
		{"--tag, escaped", `\SHA256 (x\ny) = ` + a, a},
		{"of several kinds", "MD5 (x.dump) = " + a[:32] + "\nSHA256 (x.dump) = " + a + "\nSHA512 (x.dump) = " + a + a + "\n", a},
		{"of several kinds, without names", a[:32] + "\n" + a + "\n", a},
		{"another kind of as many digits", "SHA3-256 (x.dump) = " + a, ""},
		{"a CRC", "3015617425 6 x.dump", ""},
		{"signed", "-----BEGIN PGP SIGNED MESSAGE-----\n\n" + a, ""},
		{"signed by signify", "untrusted comment: verify with shop.pub\nRWQ=\nSHA256 (x.dump) = " + a, ""},
		{"SHA-512", strings.Repeat("0a", 64) + "  x.dump", strings.Repeat("0a", 64)},
	}
	for _, tt := range tests {
		got, err := parseSums([]byte(tt.text), "x.dump", "")
		if got.sum != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// FuzzParseSums: whatever lies beside a backup is read as a sum or refused.
func FuzzParseSums(f *testing.F) {
	sum := strings.Repeat("0a", 32)
	for _, text := range []string{sum, sum + "  x.dump\n" + sum + " *y\n", "SHA256 (x.dump) = " + sum, `\` + sum + `  a\\b`, "\ufeff#\n"} {
		f.Add([]byte(text), "x.dump")
	}
	f.Fuzz(func(t *testing.T, text []byte, base string) {
		got, err := parseSums(text, base, "")
		if (err == nil) != (got.kind != "" && kindByLength(len(got.sum), got.kind) == got.kind && bareSum.MatchString(got.sum)) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		wide := bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff})
		if err == nil && !wide && !strings.Contains(strings.ToLower(string(text)), got.sum) {
			t.Errorf("%q does not hold %q", text, got)
		}
	})
}
