package catalog

import (
	"strings"
	"testing"
)

func TestParseSums(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("0a", 32), strings.Repeat("b1", 32)
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
		{"several, bare", a + "\n" + b + "\n", ""},
		{"empty", "", ""},
		{"blank", " \n\n", ""},
		{"too short", a[:63], ""},
		{"too long", a + "0", ""},
		{"no sum", "<html>404</html>", ""},
		{"a sum and rubbish", a + "  x.dump\nrubbish\n", ""},
		{"SHA-512", strings.Repeat("0a", 64) + "  x.dump", ""},
	}
	for _, tt := range tests {
		got, err := parseSums([]byte(tt.text), "x.dump")
		if got != tt.want || (err == nil) != (tt.want != "") {
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
		got, err := parseSums(text, base)
		if (err == nil) != bareSum.MatchString(got) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if err == nil && !strings.Contains(strings.ToLower(string(text)), got) {
			t.Errorf("%q does not hold %q", text, got)
		}
	})
}
