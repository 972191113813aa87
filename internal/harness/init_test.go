package harness_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/harness"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// afterTheDemo is a moment at which the newest of the demo's backups is young.
func afterTheDemo() time.Time { return time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC) }

// newcomer is somebody who has a store, and nothing else.
type newcomer struct {
	*harness.Home
	stdout, stderr bytes.Buffer
}

func newNewcomer(t *testing.T, dir string) *newcomer {
	t.Helper()
	n := &newcomer{}
	n.Home = &harness.Home{Dir: dir, Stdout: &n.stdout, Stderr: &n.stderr, Now: afterTheDemo, Log: slog.New(slog.DiscardHandler),
		Clusters: testneed.Clusters()}
	return n
}

// demoStore copies the demo's backups to a folder of their own.
func demoStore(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(repository, "drills/demo/backups"))); err != nil {
		t.Fatal(err)
	}
}

// exitOf is how the process would end.
func exitOf(t *testing.T, err error) (code int, reason string) {
	t.Helper()
	if err == nil {
		return verdict.ExitOK, ""
	}
	exit, ok := err.(*verdict.Exit)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return exit.Code, exit.Reason
}

// From nothing but a place to a drill that passes without an edit; then a second run, which writes
// nothing and prints what the file lacks.
func TestInit(t *testing.T) {
	p := newPlace(t)
	demoStore(t, filepath.Join(p.dir, "b"))
	n := newNewcomer(t, p.dir)
	monitor := newReceiver(t)
	t.Setenv("INIT_PING", monitor.URL+"/"+token)
	o := harness.InitOptions{URL: "file://" + filepath.Join(p.dir, "b") + "/", Name: "shop", Sandbox: "kind: local, isolation: no_listener",
		Heartbeat: "INIT_PING"}
	if err := n.Init(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &n.stdout, &n.stderr)
	}
	file := filepath.Join(p.dir, "drills/shop.yaml")
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pings := monitor.took()
	if len(pings) != 3 || !strings.HasPrefix(pings[0], "/"+token+"/log a test of daybefore") || !strings.HasPrefix(pings[2], "/"+token+" PASS ") {
		t.Errorf("the monitor heard %q", pings)
	}
	for _, want := range []string{"a test ping arrived at the monitor of INIT_PING", "one each 1d", "PASS  shop", "Next:", "gate -name=shop", "line "} {
		if !strings.Contains(n.stdout.String(), want) {
			t.Errorf("no %q in\n%s", want, &n.stdout)
		}
	}
	for _, want := range []string{"name: 'shop-{time}.dump'", "time: '20060102T150405Z'", "checksum: required", "cadence: {every: 1d",
		"{column: public.people.email, transform: email", "freshness: {column: polled_ms, warn_after: 6h, fail_after: 1d, unit: ms}",
		"roles: [app, readonly]", "sequences: not_behind", "# Questions"} {
		if !strings.Contains(string(written), want) {
			t.Errorf("no %q in\n%s", want, written)
		}
	}
	if text := n.stdout.String() + n.stderr.String() + string(written); strings.Contains(text, "@") {
		t.Error("a real address is shown")
	}
	lacks := strings.Replace(string(written), "    - {column: public.addresses.street, transform: street}\n", "", 1)
	lacks = strings.Replace(lacks, "    - table: public.products\n", "    - table: public.people_of_old\n", 1)
	p.write("drills/shop.yaml", lacks)
	n = newNewcomer(t, p.dir)
	if err := n.Init(t.Context(), harness.InitOptions{Name: "shop"}); err != nil {
		t.Fatalf("%v\n%s", err, &n.stderr)
	}
	for _, want := range []string{"\n+    - {column: public.addresses.street, transform: street}\n", "\n+    - table: public.products\n"} {
		if got := n.stdout.String(); !strings.Contains(got, want) || strings.Contains(got, "\n-  ") {
			t.Errorf("no %q in, or something is removed by,\n%s", want, got)
		}
	}
	if after, _ := os.ReadFile(file); string(after) != lacks {
		t.Error("the file was changed")
	}
	if _, err := spec.Load(file); err != nil {
		t.Error(err)
	}
}

// What keeps a newcomer from a first drill says what to do, and leaves no file.
func TestInitRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	demoStore(t, filepath.Join(dir, "two"))
	demoStore(t, filepath.Join(dir, "one"))
	newest := "shop-20260304T031500Z.dump"
	text, err := os.ReadFile(filepath.Join(dir, "two", newest))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"two/blog-20260304T031500Z.dump": text, "empty/x.log": nil, "cut/" + newest: text[:len(text)-5000],
		"odd/shop.yaml": text, "drills/there.yaml": []byte("version: 1\n")} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	url := func(name string) string { return "file://" + filepath.Join(dir, name) + "/" }
	for name, tt := range map[string]struct {
		o    harness.InitOptions
		code int
		says string
	}{
		"no name":           {harness.InitOptions{URL: url("one")}, 11, "-name is missing, and there is no terminal"},
		"no place":          {harness.InitOptions{Name: "shop"}, 11, "-url is missing, and there is no terminal"},
		"the defaults":      {harness.InitOptions{Name: "defaults", URL: url("one")}, 11, "what all drills share"},
		"no drill's name":   {harness.InitOptions{Name: "Shop 1", URL: url("one")}, 11, "small letters"},
		"no such place":     {harness.InitOptions{Name: "a", URL: url("none")}, 11, "init a: "},
		"nothing there":     {harness.InitOptions{Name: "a", URL: url("empty")}, 10, "called like a backup"},
		"several":           {harness.InitOptions{Name: "a", URL: url("two")}, 11, "-pattern='blog-{time}.dump'"},
		"cut":               {harness.InitOptions{Name: "a", URL: url("cut"), Sandbox: "kind: local, isolation: no_listener"}, 10, "(truncated)"},
		"no keys":           {harness.InitOptions{Name: "a", URL: url("one"), Source: "regin: x"}, 11, "did you mean region"},
		"a file of another": {harness.InitOptions{Name: "there"}, 11, "there.yaml:1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNewcomer(t, dir)
			code, reason := exitOf(t, n.Init(t.Context(), tt.o))
			if said := reason + n.stderr.String(); code != tt.code || !strings.Contains(said, tt.says) {
				t.Errorf("%d, want %d with %q: %s", code, tt.code, tt.says, said)
			}
			if _, err := os.Stat(filepath.Join(dir, "drills/a.yaml")); err == nil {
				t.Error("a file was written")
			}
		})
	}
}

// At a terminal a person is asked, once for each that is missing.
func TestInitAsks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	demoStore(t, filepath.Join(dir, "shop-backups"))
	n := newNewcomer(t, dir)
	n.Answers = strings.NewReader(filepath.Join(dir, "shop-backups") + "\n\n")
	_, reason := exitOf(t, n.Init(t.Context(), harness.InitOptions{Source: "regin: x"})) // which ends it before the store is asked
	if said := n.stderr.String(); !strings.Contains(said, "Where are the backups") || !strings.Contains(said, "be called? [shop]") ||
		!strings.HasPrefix(reason, "init shop: ") {
		t.Errorf("%s, %s", reason, said)
	}
}
