package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startIn starts a sandbox that may keep its cluster in dir.
func startIn(t *testing.T, kind, dir string) Box {
	t.Helper()
	b, err := Start(t.Context(), Options{
		Kind: kind, Image: imageFor(kind), Work: workdir(t), Deadline: time.Now().Add(testLife), Clusters: dir,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeBox(t, b) })
	return b
}

// keptIn returns the one cluster that is kept in dir.
func keptIn(t *testing.T, dir string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil || len(found) != 1 {
		t.Fatalf("kept: %v, %v", found, err)
	}
	return found[0]
}

func ask(t *testing.T, b Box, sql string) (answer string) {
	t.Helper()
	conn, err := b.DB().Connect(t.Context(), "template1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

const systemID = "select system_identifier::text from pg_control_system()"

// A cluster is made once; each sandbox has its own copy and its own password,
// and nothing that one of them did is seen by the next.
func TestKeptCluster(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{Container, Local} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			need(t, Options{Kind: kind, Image: imageFor(kind)})
			dir := filepath.Join(t.TempDir(), "clusters")
			first := startIn(t, kind, dir)
			path := keptIn(t, dir)
			if info, err := os.Stat(path); err != nil || info.Mode() != clusterMode || info.Size() < mib {
				t.Errorf("kept: %v, %v", info, err)
			}
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			ask(t, first, "with made as (select lo_from_bytea(4711, 'a real value')) select 'x' from made")
			second := startIn(t, kind, dir)
			if a, b := ask(t, first, systemID), ask(t, second, systemID); a != b {
				t.Errorf("the second sandbox did not take the kept cluster: %s and %s", a, b)
			}
			if n := ask(t, second, "select count(*)::text from pg_largeobject_metadata"); n != "0" {
				t.Errorf("the second sandbox sees %s objects of the first", n)
			}
			if first.DB().password == second.DB().password {
				t.Error("both have one password")
			}
			for whose, password := range map[string]string{
				"the first one's": first.DB().password, "the kept cluster's": baseOf(first).first,
			} {
				stranger := *second.DB()
				stranger.password = password
				if _, err := stranger.Connect(t.Context(), "template1"); err == nil {
					t.Errorf("%s password opens the second", whose)
				}
			}
			if a, b := baseOf(first).first, baseOf(second).first; a != b {
				t.Errorf("the kept cluster began with %q, and then with %q", a, b)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the kept cluster changed: %v", err)
			}
			for _, b := range []Box{first, second} {
				for _, name := range []string{b.HostPath(clusterName), filepath.Join(b.DB().socketDir, clusterName)} {
					if _, err := os.Lstat(name); err == nil {
						t.Errorf("%s is left", name)
					}
				}
			}
		})
	}
}

// One that is not as it was made costs a start of its own, and no drill.
func TestDamagedCluster(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Local})
	dir := filepath.Join(t.TempDir(), "clusters")
	first := startIn(t, Local, dir)
	path := keptIn(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(whole)
	altered := bytes.Replace(whole, []byte("listen_addresses"), []byte("listen_addressed"), 1)
	for name, damage := range map[string]struct {
		path    string
		content []byte
	}{
		"half of it":    {path, whole[:len(whole)/2]},
		"one byte":      {path, altered},
		"another's sum": {path + sealEnding, []byte(strings.Repeat("0", 64) + " secret\n")},
		"no sum":        {path + sealEnding, nil},
		"no password":   {path + sealEnding, []byte(hex.EncodeToString(sum[:]) + "\n")},
	} {
		if err := os.WriteFile(damage.path, damage.content, clusterMode); err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(t.TempDir(), clusterName)
		from := filepath.Join(t.TempDir(), clusterName)
		var told []string
		k := cachedCluster{path: path, log: slog.New(slog.NewTextHandler(t.Output(), nil)), progress: func(s string) { told = append(told, s) }}
		if err := k.hand(to, from); err != nil || k.password != "" || len(told) != 1 {
			t.Errorf("%s: handed out (%q), %v; told %q", name, k.password, err, told)
		}
		for _, gone := range []string{to, path, path + sealEnding} {
			if _, err := os.Stat(gone); !os.IsNotExist(err) {
				t.Errorf("%s: %s is there", name, gone)
			}
		}
		if err := os.WriteFile(from, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		k.take(from, baseOf(first).first)
		if healed, err := os.ReadFile(keptIn(t, dir)); err != nil || !bytes.Equal(healed, whole) {
			t.Errorf("%s: %d bytes are kept, and not %d: %v", name, len(healed), len(whole), err)
		}
	}
	second := startIn(t, Local, dir)
	if a, b := ask(t, first, systemID), ask(t, second, systemID); a != b {
		t.Errorf("what was kept anew was not taken: %s and %s", a, b)
	}
}

// One from which no server starts that can be entered is forgotten.
func TestUselessCluster(t *testing.T) {
	t.Parallel()
	need(t, Options{Kind: Local})
	dir := filepath.Join(t.TempDir(), "clusters")
	startIn(t, Local, dir)
	path := keptIn(t, dir)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, content := range map[string][]byte{
		"nothing in it":      make([]byte, 10240), // tar's end, and nothing before it
		"another's password": whole,
	} {
		sum := sha256.Sum256(content)
		seal := []byte(hex.EncodeToString(sum[:]) + " guessed")
		for name, content := range map[string][]byte{path: content, path + sealEnding: seal} {
			if err := os.WriteFile(name, content, clusterMode); err != nil {
				t.Fatal(err)
			}
		}
		o := Options{Kind: Local, Work: workdir(t), Deadline: time.Now().Add(testLife), Clusters: dir}
		if b, err := Start(t.Context(), o); err == nil {
			closeBox(t, b)
			t.Fatalf("%s: it started", what)
		}
		for _, gone := range []string{path, path + sealEnding} {
			if _, err := os.Stat(gone); !os.IsNotExist(err) {
				t.Errorf("%s: %s is still kept: %v", what, gone, err)
			}
		}
	}
	startIn(t, Local, dir)
	keptIn(t, dir)
}

func TestRemoveUnused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := filepath.Join(dir, "old.tar")
	young := filepath.Join(dir, "young.tar")
	now := time.Now()
	for name, at := range map[string]time.Time{old: now.Add(-2 * time.Hour), young: now} {
		if err := os.WriteFile(name, nil, clusterMode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeUnused(dir, now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := keptIn(t, dir); got != young {
		t.Errorf("%s is left", got)
	}
}
