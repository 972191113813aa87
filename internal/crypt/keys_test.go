package crypt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"daybefore/internal/verdict"
)

// What is wrong with a key is told by the key of the drill file, and never shows
// what was found there.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	id := identityOf(t).String()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	locked := newGnuPG(t).key(t, "locked", "EDDSA/Key-Curve: ed25519/ECDH/Subkey-Curve: cv25519", passphrase)
	for name, c := range map[string]struct {
		declared Declared
		says     string
	}{
		"no identity":        {Declared{AgeIdentity: []byte("AGE-SECRET-KEY-1HUNTER2")}, "source.decrypt.age_identity_env: it holds no age identity"},
		"no file":            {Declared{AgeIdentityFile: filepath.Join(dir, "none")}, "source.decrypt.age_identity_file: "},
		"a file for all":     {Declared{AgeIdentityFile: write("all", id, 0o644)}, "all has mode 0644: others than its owner may reach the key in it"},
		"a file for a group": {Declared{OpenPGPKeyFile: write("group", id, 0o640)}, "group has mode 0640"},
		"no OpenPGP key":     {Declared{OpenPGPKey: []byte("HUNTER2")}, "source.decrypt.openpgp_key_env: it holds no private OpenPGP key"},
		"a locked key":       {Declared{OpenPGPKey: locked}, "the private key is locked by a passphrase"},
		"another passphrase": {Declared{OpenPGPKey: locked, OpenPGPPassphrase: []byte("HUNTER2")}, "the passphrase does not unlock the private key"},
		"no program":         {Declared{Command: []string{"no-such-program"}}, "source.decrypt.command: no-such-program cannot be run"},
	} {
		_, err := NewKeys(c.declared)
		p, ok := errors.AsType[*verdict.Problem](err)
		if !ok || p.Outcome != verdict.Error || p.Code != verdict.CodeDecrypt || p.Hint == "" || !strings.Contains(p.Error(), c.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, c.says)
			continue
		}
		if file := c.declared.AgeIdentityFile; name == "a file for all" && p.Hint != "chmod 600 "+file {
			t.Errorf("the hint %q does not name %s", p.Hint, file)
		}
		if said := fmt.Sprint(err, p.Hint); strings.Contains(said, "HUNTER2") || strings.Contains(said, id) {
			t.Errorf("%s: %s shows what was found", name, said)
		}
	}
	k := newKeys(t, Declared{AgeIdentityFile: write("own", id, 0o600), AgePassphrase: []byte(passphrase)})
	if said := fmt.Sprintf("%v %+v %#v %s", k, k, k, Declared{AgeIdentity: []byte(id)}); strings.Contains(said, "SECRET") {
		t.Errorf("a key is printed: %s", said)
	}
}

// A hybrid identity is one of age's own too.
func TestHybridIdentity(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	k := newKeys(t, Declared{AgeIdentity: []byte(id.String())})
	if k.identities[0].public != id.Recipient().String() {
		t.Errorf("%q", k.identities[0].public)
	}
}
