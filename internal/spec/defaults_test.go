package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"daybefore/internal/spec/tree"
)

// loadWith loads shop.yaml beside defaults.
func loadWith(t *testing.T, defaults, shop string) Loaded {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "defaults.yaml", defaults)
	write(t, dir, "shop.yaml", shop)
	all, err := testLoader.LoadAll(dir)
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	return all[0]
}

func TestDefaultsLieBelow(t *testing.T) {
	t.Parallel()
	got := loadWith(t, `
version: 1
timeout: 10m
source: {region: eu-central-1, timezone: UTC}
sandbox: {kind: local, memory: 2GiB}
scrub:
  key_env: DRILL_SCRUB_KEY
  exclude_table_data: [public.sessions, public.jobs]
  rules:
    - {column: "*.*.email", transform: email}
`, `
source: {url: 's3://b/', name: 'shop-{time}.dump', time: 20060102T150405Z}
sandbox: {memory: 1GiB}
scrub: {exclude_table_data: [public.logs]}
expectations: {tables: [{table: public.users}]}
`)
	if got.Err != nil {
		t.Fatal(got.Err)
	}
	d := got.Drill
	if d.Timeout != 10*time.Minute || d.Source.Region != "eu-central-1" || d.Sandbox.Kind != "local" || d.Sandbox.Memory != 1<<30 ||
		d.Scrub.KeyEnv != "DRILL_SCRUB_KEY" || len(d.Scrub.ExcludeTableData) != 1 || len(d.Scrub.Rules) != 1 {
		t.Errorf("%+v", d)
	}
	if at := d.Scrub.Rules[0].Pos; filepath.Base(at.File) != "defaults.yaml" || at.Line != 10 {
		t.Errorf("the rule stands at %+v", at)
	}
}

// What is wrong is told where it stands: a § before it in either file.
func TestBadDefaults(t *testing.T) {
	t.Parallel()
	const fine = "expectations: {tables: [{table: public.users}]}\nsource: {url: 's3://b/', name: a, timezone: UTC}\nversion: 1\n"
	const passes = " lets real values pass, and so may not come from defaults; move it into the drill files that need it, where a reviewer sees it"
	for _, c := range []struct {
		name, defaults, shop string
		want                 []string
	}{
		{"an unknown key", "§timout: 1m\n", fine, []string{`"timout" is not a key of a drill file; did you mean timeout?`}},
		{"a wrong value", "timeout: §soon\n", fine, []string{`timeout: "soon" is not a duration; write 90s, 45m, 6h, 7d or 1d12h`}},
		{"one that only all keys tell", "timeout: §0s\n", fine, []string{"timeout: 0s is not a duration; write more than 0s or remove it"}},
		{"one that the file replaces", "timeout: §soon\n", fine + "timeout: 1m\n", []string{`timeout: "soon" is not a duration`}},
		{"no YAML", "timeout: §[\n", "version: 2\n", []string{"not valid YAML: a [ is not closed by ]; fix the YAML here; the rest was not looked at"}},
		{"a list", "§- a\n", fine, []string{"a drill file is a mapping of keys, not a list; begin with version: 1"}},
		{"a section that the file lacks", "source: {region: x}\n", "§version: 1\n", []string{
			"expectations is missing; a drill that expects nothing proves nothing: name a table"}},
		{"missing in an item", "scrub: {rules: [§{transform: email}]}\n", fine, []string{"scrub.rules.column is missing; name it as schema.table.column"}},
		{"both at once", "timeout: §soon\n", fine + "timeot: 1m\n", []string{`timeout: "soon" is not a duration; write 90s, 45m, 6h, 7d or 1d12h`, "timeot"}},
		{"databases", "§databases: [eu]\n", fine, []string{"databases: defaults do not say which drills there are; move it into a drill file"}},
		{"keep", "scrub:\n  §keep: [{table: public.users, match: {a: b}}]\n", fine, []string{"scrub.keep" + passes}},
		{"allow", "scrub: {leak_scan: {§allow: ['x']}}\n", fine, []string{"scrub.leak_scan.allow" + passes}},
		{"detectors", "scrub: {leak_scan: {§detectors: [email]}}\n", fine, []string{"scrub.leak_scan.detectors" + passes}},
		{"drop", "scrub: {§drop: [cron_jobs]}\n", fine, []string{"scrub.drop" + passes}},
		{"large objects", "scrub: {large_objects: §preserve}\n", fine, []string{"scrub.large_objects: preserve" + passes}},
		{"preserve", "scrub: {rules: [{column: a.b.c, §preserve: true, why: x}]}\n", fine, []string{"scrub.rules.preserve" + passes}},
		{"preserve, replaced", "scrub: {rules: [{column: a.b.c, §preserve: true, why: x}]}\n", fine + "scrub: {rules: [{column: a.b.c, transform: text}]}\n",
			[]string{"scrub.rules.preserve" + passes}},
		{"preserve by path", "scrub: {rules: [{column: a.b.c, json: [{path: $.a, §preserve: true, why: x}]}]}\n", fine,
			[]string{"scrub.rules.json.preserve" + passes}},
		{"paths", "scrub: {rules: [{column: a.b.c, unmatched_paths: §keep, why: x, json: [{path: $.a, transform: text}]}]}\n", fine,
			[]string{"scrub.rules.unmatched_paths: keep" + passes}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			defaults, places := unmark(c.defaults)
			shop, own := unmark(c.shop)
			got := loadWith(t, defaults, shop)
			mistakes, _ := got.Err.(Mistakes)
			if got.Drill != nil || len(mistakes) < len(places)+len(own) {
				t.Fatalf("%v", got.Err)
			}
			for i, p := range places {
				m := mistakes[i]
				want := fmt.Sprintf("defaults.yaml:%d:%d: %s", p.Line, p.Column, c.want[i])
				if said := strings.TrimPrefix(m.Error(), filepath.Dir(got.Path)+"/"); !strings.HasPrefix(said, want) {
					t.Errorf("%s\nwanted %s", said, want)
				}
			}
			if rest := mistakes[len(places):].Error(); len(c.want) > len(places) && !strings.Contains(rest, c.want[len(places)]) {
				t.Errorf("%s\nlacks %s", rest, c.want[len(places)])
			}
		})
	}
}

func TestTwoDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"defaults.yaml", "defaults.yml", "shop.yaml"} {
		write(t, dir, name, drillFile())
	}
	all, err := LoadAll(dir)
	if err != nil || len(all) != 1 || all[0].Err == nil || !strings.Contains(all[0].Err.Error(), "there are defaults in") {
		t.Errorf("%v, %v", all, err)
	}
}

// The digest changes with whatever the file comes to, and with nothing else.
func TestDigestOfTheEffectiveFile(t *testing.T) {
	t.Parallel()
	digest := func(defaults, shop string) string {
		got := loadWith(t, defaults, shop)
		if got.Err != nil {
			t.Fatal(got.Err)
		}
		return got.Drill.SHA256
	}
	shop := drillFile("sandbox: {kind: local}")
	first := digest("timeout: 5m\n", shop)
	for name, c := range map[string]struct {
		defaults, shop string
		same           bool
	}{
		"a comment":               {"# five\ntimeout: 5m # minutes\n", shop, true},
		"a default loosened":      {"timeout: 6m\n", shop, false},
		"a default added":         {"timeout: 5m\nsandbox: {memory: 1GiB}\n", shop, false},
		"one that makes no odds":  {"timeout: 5m\nsandbox: {kind: container}\n", shop, true},
		"the file edited":         {"timeout: 5m\n", shop + "latest_events: [{table: public.users, order_by: id, columns: [id]}]\n", false},
		"nothing below it at all": {"# none\n", shop, false},
	} {
		if (digest(c.defaults, c.shop) == first) != c.same {
			t.Errorf("%s: the digest does not tell", name)
		}
	}
	alone, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", shop))
	if err != nil || digest("# none\n", shop) != alone.SHA256 || alone.SHA256 != sumOf(shop) {
		t.Errorf("a file without defaults has the digest of its bytes: %v", err)
	}
}

// Two hundred files with one file of defaults: each is loaded, and has them.
func TestManyFilesWithDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "defaults.yaml", "restore: {into: 18}\n")
	for i := range 200 {
		write(t, dir, fmt.Sprintf("shop%d.yaml", i), strings.Replace(string(shop), "drills/shop.schema.json", "x", 1))
	}
	all, err := testLoader.LoadAll(dir)
	if err != nil || len(all) != 200 {
		t.Fatalf("%d, %v", len(all), err)
	}
	for _, l := range all {
		if l.Err != nil || l.Drill.Restore.Into != 18 {
			t.Fatalf("%s: %v", l.Name, l.Err)
		}
	}
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// The effective file, written out with the places of its keys, is the same
// drill.
func TestEffectiveFileIsTheSameDrill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	shop, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "defaults.yaml", "restore: {into: 18}\nscrub: {locale: de_DE}\n")
	write(t, dir, "shop.yaml", string(shop))
	write(t, dir, "blog.yaml", drillFile(ofAll, "databases: [eu]"))
	loader := testLoader
	loader.WithoutSecrets = true
	all, err := loader.LoadAll(dir)
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, %v", all, err)
	}
	for i, l := range all {
		if l.Err != nil {
			t.Fatal(l.Err)
		}
		written := l.Effective.YAML(func(e tree.Entry) string { return e.Key.At.String() })
		again, err := loader.Load(write(t, dir, fmt.Sprintf("again%d.yaml", i), string(written)))
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if diff := cmp.Diff(l.Drill, again, cmpopts.IgnoreTypes(Pos{}), cmpopts.IgnoreFields(Drill{}, "Name", "Path", "SHA256"),
			cmpopts.IgnoreFields(Source{}, "Siblings", "Others", "Known"), cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() }),
			cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() })); diff != "" {
			t.Errorf("-file +effective:\n%s\n%s", diff, written)
		}
	}
}
