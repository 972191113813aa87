package crypt

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

const (
	passphrase    = "correct horse battery staple"
	anotherPhrase = "Tr0ub4dor&3"
)

// dumpLike is text that compresses about as a dump does.
func dumpLike(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%d\tuser%x@example.com\t2026-11-29 18:%02d:%02d\t%x\n", i, r.Uint64(), i%60, i%59, r.Uint32())
	}
	return b.Bytes()[:size]
}

// decrypt reads a file to its end, with keys.
func decrypt(t *testing.T, file []byte, keys *Keys) ([]byte, Stream, error) {
	t.Helper()
	in := bufio.NewReaderSize(bytes.NewReader(file), 64<<10)
	head, _ := in.Peek(4096)
	c, ok := keys.Of(head, true)
	if !ok {
		t.Fatalf("no cipher is told by % x", head[:min(8, len(head))])
	}
	s, err := c.Open(t.Context(), in, keys)
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(s)
	if closed := s.Close(); closed != nil {
		t.Error(closed)
	}
	return text, s, err
}

func newKeys(t *testing.T, d Declared) *Keys {
	t.Helper()
	k, err := NewKeys(d)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// run gives a program's output.
func run(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, &said)
	}
	return out.Bytes()
}

// gnupg is GnuPG with a home of its own.
type gnupg struct{ program, home, agent string }

func newGnuPG(t *testing.T) gnupg {
	t.Helper()
	g := gnupg{
		program: testneed.Debian(t, "gpg").Program(t, "gpg"),
		agent:   testneed.Debian(t, "gpg-agent").Program(t, "gpg-agent"),
	}
	home, err := os.MkdirTemp(testneed.ShortTemp(), "gpg-") // short: its agent's socket lies there
	if err != nil {
		t.Fatal(err)
	}
	g.home = home
	t.Cleanup(func() {
		_ = os.WriteFile(filepath.Join(home, "end"), nil, 0o600)
		_ = exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
		os.RemoveAll(home) // which its agent notices, and ends
	})
	return g
}

func (g gnupg) run(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	return run(t, stdin, g.program, append([]string{"--homedir", g.home, "--agent-program", g.agent, "--batch", "--yes",
		"--pinentry-mode", "loopback", "--trust-model", "always"}, args...)...)
}

// key makes a key, and gives its private half, locked by the passphrase or not.
func (g gnupg) key(t *testing.T, name, algorithm, phrase string) []byte {
	t.Helper()
	parts := strings.Split(algorithm, "/")
	spec := fmt.Sprintf("Key-Type: %s\n%s\nSubkey-Type: %s\n%s\nName-Real: %s\nExpire-Date: 0\n", parts[0], parts[1],
		parts[2], parts[3], name)
	if phrase == "" {
		spec += "%no-protection\n"
	} else {
		spec += "Passphrase: " + phrase + "\n"
	}
	g.run(t, []byte(spec+"%commit\n"), "--gen-key")
	return g.run(t, nil, "--passphrase", phrase, "--export-secret-keys", name)
}

func identityOf(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// written is what a test is about: a file, and what opens it.
type written struct {
	name    string
	file    []byte
	keys    *Keys
	key     string // public
	wrong   *Keys  // others
	wrongly error  // what they lead to
	head    int    // bytes that keys are found in
	unsure  bool   // nobody can tell the wrong key from damage
}

// ageFiles are files of age's, by its own program where that takes no terminal.
func ageFiles(t *testing.T, text []byte) []written {
	t.Helper()
	id := identityOf(t)
	program := testneed.Debian(t, "age").Program(t, "age")
	recipient := id.Recipient().String()
	dir := t.TempDir()
	run(t, nil, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "id"))
	private, err := os.ReadFile(filepath.Join(dir, "id"))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := strings.Fields(string(run(t, nil, "ssh-keygen", "-l", "-f", filepath.Join(dir, "id"))))[1]
	other := newKeys(t, Declared{AgeIdentity: []byte(identityOf(t).String()), AgePassphrase: []byte(anotherPhrase)})
	own := newKeys(t, Declared{AgeIdentity: []byte("# of the drill\n" + id.String() + "\n")})
	phrase := newKeys(t, Declared{AgePassphrase: []byte(passphrase)})
	return []written{
		{name: "age", file: run(t, text, program, "-r", recipient), keys: own, key: recipient, wrong: other,
			wrongly: ErrWrongKey, head: 200},
		{name: "age armored", file: run(t, text, program, "-a", "-r", recipient), keys: own, key: recipient, wrong: other,
			wrongly: ErrWrongKey, head: 350},
		{name: "age to SSH", file: run(t, text, program, "-R", filepath.Join(dir, "id.pub")),
			keys: newKeys(t, Declared{AgeIdentity: private}), key: fingerprint, wrong: other, wrongly: ErrWrongKey, head: 250},
		{name: "age passphrase", file: byPassphrase(t, text, 12), keys: phrase, wrong: other, wrongly: ErrWrongKey, head: 200},
	}
}

// sealed is a text as a writer encrypts it.
func sealed(t *testing.T, text []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func byPassphrase(t *testing.T, text []byte, factor int) []byte {
	t.Helper()
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		t.Fatal(err)
	}
	r.SetWorkFactor(factor)
	return sealed(t, text, func(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, r) })
}

// gpgFiles are messages of GnuPG's.
func gpgFiles(t *testing.T, text []byte) []written {
	t.Helper()
	g := newGnuPG(t)
	const rsa, ecc = "RSA/Key-Length: 2048/RSA/Subkey-Length: 2048", "EDDSA/Key-Curve: ed25519/ECDH/Subkey-Curve: cv25519"
	rsaKey := newKeys(t, Declared{OpenPGPKey: g.key(t, "rsa", rsa, "")})
	eccKey := newKeys(t, Declared{OpenPGPKey: g.key(t, "ecc", ecc, passphrase), OpenPGPPassphrase: []byte(passphrase)})
	other := newKeys(t, Declared{OpenPGPKey: g.key(t, "other", ecc, ""), OpenPGPPassphrase: []byte(anotherPhrase)})
	phrase := newKeys(t, Declared{OpenPGPPassphrase: []byte(passphrase)})
	public := func(k *Keys) string { return fmt.Sprintf("%X", k.ring[0].PrimaryKey.Fingerprint) }
	to := func(args ...string) []byte { return g.run(t, text, append(args, "--encrypt")...) }
	all := []written{
		{name: "gpg", file: to("-r", "rsa"), keys: rsaKey, key: public(rsaKey)},
		{name: "gpg bare", file: to("-r", "ecc", "-z", "0"), keys: eccKey, key: public(eccKey)},
		{name: "gpg armored", file: to("-r", "ecc", "-a"), keys: eccKey, key: public(eccKey)},
		{name: "gpg zlib", file: to("-r", "ecc", "--compress-algo", "zlib"), keys: eccKey, key: public(eccKey)},
		{name: "gpg bzip2", file: to("-r", "ecc", "--compress-algo", "bzip2"), keys: eccKey, key: public(eccKey)},
		{name: "gpg 3DES", file: to("-r", "rsa", "--cipher-algo", "3DES"), keys: rsaKey, key: public(rsaKey)},
		{name: "gpg hidden", file: to("-R", "ecc", "-z", "0"), keys: eccKey, key: public(eccKey)},
		{name: "gpg signed", file: to("-r", "ecc", "-u", "rsa", "-s"), keys: eccKey, key: public(eccKey)},
	}
	for i := range all {
		all[i].wrong, all[i].wrongly, all[i].head = other, ErrWrongKey, 400
	}
	for name, args := range map[string][]string{"symmetric": nil, "symmetric bare": {"-z", "0"}, "symmetric armored": {"-a"}} {
		args = append(args, "--passphrase", passphrase, "--s2k-count", "65536", "--symmetric")
		all = append(all, written{name: "gpg " + name, file: g.run(t, text, args...), keys: phrase, wrong: other,
			wrongly: ErrEither, head: 100, unsure: true})
	}
	return all
}

// Whatever the real programs write is read, by its key alone.
func TestFilesOfTheRealPrograms(t *testing.T) {
	t.Parallel()
	text := dumpLike(700 << 10)
	for _, w := range slices.Concat(ageFiles(t, text), gpgFiles(t, text)) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			got, s, err := decrypt(t, w.file, w.keys)
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("%d bytes of %d, %v", len(got), len(text), err)
			}
			if s.Key() != w.key || !s.Summed() {
				t.Errorf("the key is %q, want %q; summed: %v", s.Key(), w.key, s.Summed())
			}
			_, _, err = decrypt(t, w.file, w.wrong)
			judged(t, err, w.wrongly, verdict.Error, verdict.CodeDecrypt)
			_, _, err = decrypt(t, w.file, nil)
			judged(t, err, ErrNoKey, verdict.Error, verdict.CodeDecrypt)
			_, _, err = decrypt(t, append(bytes.Clone(w.file), "something else"...), w.keys)
			judged(t, err, ErrAltered, verdict.Fail, "")
		})
	}
}

// judged compares an error with what it has to say.
func judged(t *testing.T, err, is error, outcome verdict.Outcome, code verdict.Code) {
	t.Helper()
	p, ok := errors.AsType[*verdict.Problem](err)
	switch {
	case !ok, !errors.Is(err, is), p.Outcome != outcome, code != "" && p.Code != code, p.Hint == "":
		t.Errorf("%v, want %v as %s %s, with a hint", err, is, outcome, code)
	}
	for _, secret := range []string{passphrase, "AGE-SECRET", anotherPhrase} {
		if err != nil && strings.Contains(err.Error()+p.Hint, secret) {
			t.Errorf("the error has a secret: %v", err)
		}
	}
}

// A file that was cut or changed anywhere is never read as whole. After its head
// it is known to be bad, save where nothing vouches for the key.
func TestCutAndChanged(t *testing.T) {
	t.Parallel()
	text := dumpLike(150 << 10)
	places := 40
	if testneed.Matrix() {
		places = 150
	}
	for _, w := range slices.Concat(ageFiles(t, text), gpgFiles(t, text)) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			step := max(1, len(w.file)/places)
			for at := 40; at < len(w.file); at += step {
				_, _, err := decrypt(t, w.file[:at], w.keys)
				w.bad(t, fmt.Sprintf("cut at %d of %d", at, len(w.file)), err, at >= w.head)
				changed := bytes.Clone(w.file)
				changed[at] ^= 1
				got, _, err := decrypt(t, changed, w.keys)
				if err == nil && bytes.Equal(got, text) && strings.Contains(w.name, "armored") {
					continue // a comment, or bits that stand for nothing
				}
				w.bad(t, fmt.Sprintf("changed at %d of %d", at, len(w.file)), err, at >= w.head && !w.unsure)
			}
		})
	}
}

// bad wants an error; one that blames the file where that is known.
func (w written) bad(t *testing.T, what string, err error, known bool) {
	t.Helper()
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || known && (p.Outcome != verdict.Fail || !errors.Is(err, ErrAltered)) {
		t.Errorf("%s: %v, want a Problem that blames the file: %v", what, err, known)
	}
}

// What a passphrase may cost is bounded.
func TestWorkFactor(t *testing.T) {
	t.Parallel()
	file := bytes.Replace(byPassphrase(t, nil, 10), []byte(" 10\n"), []byte(" 21\n"), 1)
	_, _, err := decrypt(t, file, newKeys(t, Declared{AgePassphrase: []byte(passphrase)}))
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Outcome != verdict.Error || p.Code != verdict.CodeUnsupported {
		t.Errorf("%v", err)
	}
}

// Nothing is told of a file that a later version may read.
func TestLaterVersionOfAge(t *testing.T) {
	t.Parallel()
	_, _, err := decrypt(t, []byte("age-encryption.org/v2\n-> X25519 abc\n"), nil)
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Outcome != verdict.Error || p.Code != verdict.CodeUnsupported {
		t.Errorf("%v", err)
	}
}
