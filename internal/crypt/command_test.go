package crypt

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// openssl enc is opened by openssl, its passphrase out of a variable that it gets
// by name.
func TestOpenSSL(t *testing.T) {
	openssl := testneed.Program(t, "openssl")
	text := dumpLike(300 << 10)
	const variable = "CRYPT_TEST_PASSPHRASE"
	t.Setenv(variable, passphrase)
	args := []string{openssl, "enc", "-aes-256-cbc", "-pbkdf2", "-pass", "env:" + variable}
	file := run(t, text, args[0], args[1:]...)
	keys := newKeys(t, Declared{Command: append(args, "-d"), Env: []string{variable}})
	got, s, err := decrypt(t, file, keys)
	if err != nil || !bytes.Equal(got, text) || s.Key() != "" || s.Summed() {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	_, _, err = decrypt(t, file[:len(file)-5], keys)
	judged(t, err, ErrEither, verdict.Error, verdict.CodeDecrypt)
	_, _, err = decrypt(t, file, newKeys(t, Declared{Command: append(args, "-d")}))
	judged(t, err, ErrEither, verdict.Error, verdict.CodeDecrypt) // it did not get the variable
	t.Setenv(variable, anotherPhrase)
	got, _, err = decrypt(t, file, keys)
	if err == nil && bytes.Equal(got, text) {
		t.Error("another passphrase opens it")
	}
}

// Whatever a command does but its work is an error with its last words.
func TestCommandsThatFail(t *testing.T) {
	t.Parallel()
	file := dumpLike(2 << 20)
	for name, c := range map[string]struct {
		script string
		says   string
	}{
		"fails at once":      {"echo no key >&2; exit 2", "ended with status 2; its last words: no key"},
		"dies in the middle": {"head -c 100000; kill -9 $$", `ended by the signal "killed"`},
		"fails at the end":   {"cat; echo bad decrypt >&2; exit 1", "its last words: bad decrypt"},
		"floods its errors":  {"yes broken | head -c 3000000 >&2; exit 1", "its last words: broken"},
		"writes nothing":     {"cat >/dev/null", "it ended well and wrote nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := decrypt(t, file, newKeys(t, Declared{Command: []string{"sh", "-c", c.script}}))
			p, ok := errors.AsType[*verdict.Problem](err)
			if !ok || p.Outcome != verdict.Error || p.Code != verdict.CodeDecrypt || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want an error that says %q", err, c.says)
			}
			if len(err.Error()) > 4000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}
