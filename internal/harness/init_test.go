package harness_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
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
	_, next, _ := strings.Cut(n.stdout.String(), "Next:\n")
	for line := range strings.Lines(strings.ReplaceAll(next, p.dir, "/srv/drills")) {
		if len(line) > 81 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
	if text := n.stdout.String() + n.stderr.String() + string(written); strings.Contains(text, "@") {
		t.Error("a real address is shown")
	}
	lacks := strings.Replace(string(written), "    - {column: public.addresses.street, transform: street}\n", "", 1)
	lacks = strings.Replace(lacks, "    - table: public.products\n", "    - table: public.people_of_old\n", 1)
	harmless := regexp.MustCompile(`(?m)^  #   (\S+) \(.*decided by nobody\n`).FindStringSubmatch(lacks)
	if harmless == nil {
		t.Fatalf("no column passes as it is in\n%s", lacks)
	}
	lacks = strings.Replace(lacks, harmless[0], "", 1)
	p.write("drills/shop.yaml", lacks)
	n = newNewcomer(t, p.dir)
	if err := n.Init(t.Context(), harness.InitOptions{Name: "shop"}); err != nil {
		t.Fatalf("%v\n%s", err, &n.stderr)
	}
	for _, want := range []string{"\n+    - {column: public.addresses.street, transform: street}\n", "\n+    - table: public.products\n",
		"\n+    # passes as it is: " + harmless[1] + " ("} {
		if got := n.stdout.String(); !strings.Contains(got, want) || strings.Contains(got, "\n-  ") {
			t.Errorf("no %q in, or something is removed by,\n%s", want, got)
		}
	}
	if said := n.stderr.String(); !strings.Contains(said, "pass as they are:\n  "+harmless[1]+" (") || strings.Count(said, "\n  ") != 1 {
		t.Errorf("it hides %s, or names others: %s", harmless[1], said)
	}
	if after, _ := os.ReadFile(file); string(after) != lacks {
		t.Error("the file was changed")
	}
	if _, err := spec.Load(file); err != nil {
		t.Error(err)
	}
}

// The same from a bucket, with the environment that people have: a region, a server
// of one's own, and a folder among others.
func TestInitFromABucket(t *testing.T) { // not parallel: the bucket's keys are in the environment
	server := storetest.S3(t)
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": server.AccessKey, "AWS_SECRET_ACCESS_KEY": server.SecretKey,
		"AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	files, err := filepath.Glob(filepath.Join(repository, "drills/demo/backups/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err == nil {
			err = server.Put(t.Context(), "nightly/"+filepath.Base(path), text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Put(t.Context(), "other/blog-20260304T031500Z.dump", []byte("PGDMP")); err != nil {
		t.Fatal(err)
	}
	p := newPlace(t)
	n := newNewcomer(t, p.dir)
	o := harness.InitOptions{URL: "s3://" + server.Bucket + "/nightly", Name: "shop", Sandbox: "kind: local, isolation: no_listener",
		Source: "region: " + server.Region + ", endpoint: '" + server.Endpoint + "', path_style: true"}
	if err := n.Init(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &n.stdout, &n.stderr)
	}
	text := n.stdout.String() + n.stderr.String() + p.read("drills/shop.yaml")
	for _, want := range []string{"PASS  shop", "one each 1d", "url: 's3://" + server.Bucket + "/nightly'", "path_style: true", "checksum: required"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, server.SecretKey) {
		t.Error("the secret key is shown")
	}
	o.URL, o.Name = "s3://no-such-bucket/", "blog"
	code, reason := exitOf(t, newNewcomer(t, p.dir).Init(t.Context(), o))
	if code != verdict.ExitError || !strings.Contains(reason, "look at -url and endpoint of -source") {
		t.Errorf("%d: %s", code, reason)
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
		"no such place":     {harness.InitOptions{Name: "a", URL: url("none")}, 11, "is the disk mounted, and -url right?"},
		"no kind of store":  {harness.InitOptions{Name: "a", URL: "ftp://x/"}, 11, `-url: "ftp" is not a kind of store; write file:///dir/`},
		"a password":        {harness.InitOptions{Name: "a", URL: "s3://u:geheim@x/"}, 11, "-url: it holds credentials; take them out"},
		"no such sandbox":   {harness.InitOptions{Name: "a", URL: url("one"), Sandbox: "kind: loca"}, 11, `-sandbox: kind: "loca" is not one of its values`},
		"nothing there":     {harness.InitOptions{Name: "a", URL: url("empty")}, 10, "called like a backup"},
		"several":           {harness.InitOptions{Name: "a", URL: url("two")}, 11, "-pattern='blog-{time}.dump'"},
		"several in one":    {harness.InitOptions{Name: "a", URL: url("two")}, 11, "databases: {pattern: '{database}-{time}.dump'}"},
		"cut":               {harness.InitOptions{Name: "a", URL: url("cut"), Sandbox: "kind: local, isolation: no_listener"}, 10, "(truncated)"},
		"no keys":           {harness.InitOptions{Name: "a", URL: url("one"), Source: "regin: x"}, 11, `-source: "regin" is not a key of a drill file; did you mean`},
		"a file of another": {harness.InitOptions{Name: "there"}, 11, "there.yaml:1:1"},
		"and its mistakes":  {harness.InitOptions{Name: "there"}, 11, "there.yaml is there, and cannot be taken as it is: its drill file has mistakes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNewcomer(t, dir)
			code, reason := exitOf(t, n.Init(t.Context(), tt.o))
			if said := reason + n.stderr.String(); code != tt.code || !strings.Contains(said, tt.says) {
				t.Errorf("%d, want %d with %q: %s", code, tt.code, tt.says, said)
			} else if strings.Contains(said, "a.yaml:") || strings.Contains(said, "source.") || strings.Contains(said, "geheim") {
				t.Errorf("it speaks of a file that is not there, or of a password: %s", said)
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
