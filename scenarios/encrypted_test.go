package scenarios

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"

	"daybefore/internal/verdict"
)

// Each cipher, with its key and without, whole and spoiled.
func TestEncryptedBackups(t *testing.T) { catches(t, needServer(t), brokenCiphers()) }

// A key is in no report, log, command line or environment of another program, and
// in no file that a drill writes; plain text is gone when the drill is.
func TestKeysAndPlainTextAreNowhere(t *testing.T) {
	kind := needServer(t)
	for name, l := range map[string]lock{"age_identity_env": ageLock, "openpgp_key_env": openPGPLock} {
		t.Run(name, func(t *testing.T) {
			temporary := t.TempDir()
			t.Setenv("TMPDIR", temporary)
			home := t.TempDir()
			s, err := newStore(filepath.Join(repository, drillsDir), home, kind)
			if err != nil {
				t.Fatal(err)
			}
			whole := func(file []byte) []byte { return file }
			if err := encrypted(l, whole, ownKey)(t.Context(), nil, s); err != nil {
				t.Fatal(err)
			}
			secret := keyIntoEnvironment(t, s, l, name)
			var log bytes.Buffer
			spied := spy(secret)
			r, err := drill(t.Context(), home, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
			seen := spied()
			if err != nil || r.Outcome != verdict.Pass || r.Backup.Encryption == "" || r.Backup.Key == "" {
				t.Fatalf("%v, %+v", err, r)
			}
			if seen != "" {
				t.Errorf("the key was in %s", seen)
			}
			if bytes.Contains(log.Bytes(), secret) {
				t.Error("the key is in the log")
			}
			nowhereBelow(t, home, secret)
			if left, _ := filepath.Glob(filepath.Join(temporary, "*", "*", "archive-*")); len(left) > 0 {
				t.Errorf("plain text is left: %v", left)
			}
			nowhereBelow(t, temporary, secret, []byte("PGDMP"))
		})
	}
}

// keyIntoEnvironment moves a scenario's key from its file into a variable, and
// gives a part of it that stands nowhere by chance.
func keyIntoEnvironment(t *testing.T, s *Store, l lock, name string) []byte {
	t.Helper()
	path := filepath.Join(s.dir, "backup.key")
	private, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.editDrill(l.key+": backup.key", name+": DRILL_TEST_BACKUP_KEY"); err != nil {
		t.Fatal(err)
	}
	text := string(private)
	if l.key == openPGPLock.key {
		text = armored(t, private)
	}
	t.Setenv("DRILL_TEST_BACKUP_KEY", text)
	text = strings.TrimSpace(text)
	return []byte(text[len(text)/2 : len(text)/2+24])
}

// spy looks again and again at all processes' command lines and environments,
// this one's own left out, and says at the end where it saw the secret.
func spy(secret []byte) (end func() string) {
	done := make(chan struct{})
	var seen string
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			for _, what := range []string{"cmdline", "environ"} {
				files, _ := filepath.Glob("/proc/[0-9]*/" + what)
				for _, file := range files {
					text, _ := os.ReadFile(file)
					if bytes.Contains(text, secret) {
						name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
						seen = file + " of " + strings.ReplaceAll(string(name), "\x00", " ")
					}
				}
			}
		}
	})
	return func() string {
		close(done)
		wait.Wait()
		return seen
	}
}

func nowhereBelow(t *testing.T, dir string, words ...[]byte) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		text, err := io.ReadAll(f)
		for _, word := range words {
			if bytes.Contains(text, word) {
				t.Errorf("%s has %q", path, word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func armored(t *testing.T, private []byte) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PrivateKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(private); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
