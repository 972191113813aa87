package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Keys are read from variables, and printed nowhere; a file lies beside the drill file.
func TestDecrypt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "shop.yaml")
	text := drillFile(decrypts("{age_identity_file: keys/id.txt, openpgp_key_env: PGP, openpgp_passphrase_env: PHRASE}"))
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "§", "")), 0o600); err != nil {
		t.Fatal(err)
	}
	l := Loader{LookupEnv: func(name string) (string, bool) { return "the secret " + name, true }}
	drill, err := l.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	d := drill.Source.Decrypt
	if d.AgeIdentityFile != filepath.Join(filepath.Dir(path), "keys/id.txt") || string(d.OpenPGPKey) != "the secret PGP" ||
		string(d.OpenPGPPassphrase) != "the secret PHRASE" || d.AgeIdentity != nil {
		t.Errorf("%s %s", d.AgeIdentityFile, []byte(d.OpenPGPKey))
	}
	if said := fmt.Sprintf("%v %+v %#v %x", *d, *d, *d, *d); strings.Contains(said, "secret") {
		t.Errorf("a key is printed: %s", said)
	}
	listed, err := Loader{LookupEnv: func(string) (string, bool) { return "", false }, WithoutSecrets: true}.Load(path)
	if err != nil || listed.Source.Decrypt.OpenPGPKey != nil {
		t.Errorf("without secrets: %v, %v", listed, err)
	}
}
