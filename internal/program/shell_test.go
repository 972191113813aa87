package program_test

import (
	"os/exec"
	"strings"
	"testing"

	"daybefore/internal/program"
)

// What is told to type is one word to a shell, whatever a table is called.
func TestShellWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"row_count_change:public.orders":   "row_count_change:public.orders",
		`row_count_change:public."a b"`:    `'row_count_change:public."a b"'`,
		`table_present:public."it's $(x)"`: `'table_present:public."it'\''s $(x)"'`,
		"":                                 "''",
		"\x1b[2J%s'\\":                     `"$(printf '\033[2J\045s\047\134')"`,
	} {
		if got := program.ShellWord(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, text := range []string{"-n", "a b", "$HOME `id` \"'", "a\nb", "\x1b]0;x\a", "\u202eabc%d\\n", "\xff", "*", "é"} {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '<%s>' "+program.ShellWord(text)).Output()
		if err != nil || string(out) != "<"+text+">" {
			t.Errorf("%q became %q, %v", text, out, err)
		}
		if strings.ContainsAny(program.ShellWord(text), "\x1b\a\u202e") {
			t.Errorf("%q reaches a terminal as it is", text)
		}
	}
}
