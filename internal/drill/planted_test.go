package drill_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"daybefore/internal/drill"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// plant is a line of planted.tsv: a secret, and what stands in its place in
// the clean twin.
type plant struct{ id, kind, place, secret, lookAlike string }

func plants(t *testing.T) []plant {
	t.Helper()
	text, err := os.ReadFile("testdata/planted/planted.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []plant
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		whole := strings.NewReplacer("<>", "", `\n`, "\n")
		all = append(all, plant{f[0], f[1], f[2], whole.Replace(f[3]), whole.Replace(f[4])})
	}
	return all
}

var planting = regexp.MustCompile(`\{\{([a-z0-9_]+)(?::(json|php))?\}\}`)

// practice is the SQL of one of the twins.
func practice(t *testing.T, all []plant, of func(plant) string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/planted/practice.sql")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range all {
		values[p.id] = of(p)
	}
	used := map[string]bool{}
	sql := planting.ReplaceAllStringFunc(string(text), func(found string) string {
		m := planting.FindStringSubmatch(found)
		v := values[m[1]]
		used[m[1]] = true
		if m[2] != "" {
			quoted, _ := json.Marshal(v)
			v = string(quoted[1 : len(quoted)-1])
		}
		if m[2] == "php" {
			v = strings.ReplaceAll(v, "/", `\/`)
		}
		return v
	})
	if len(used) != len(all) || len(values) != len(all) {
		t.Fatalf("%d of %d values are planted", len(used), len(all))
	}
	return sql
}

// twin makes a store with a backup of one of the twins.
func twin(t *testing.T, name string, of func(plant) string) (store string) {
	t.Helper()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE DATABASE "+name)
	source.Exec(name, practice(t, plants(t), of))
	store = t.TempDir()
	if err := os.WriteFile(filepath.Join(store, "practice.dump"), source.Dump("-Fc", name), 0o600); err != nil {
		t.Fatal(err)
	}
	return store
}

// reviewed is the drill file of somebody who knows the tables, without and with
// its rules.
func reviewed(t *testing.T) (head, whole string) {
	t.Helper()
	written, err := os.ReadFile("testdata/planted/practice.yaml")
	if err != nil {
		t.Fatal(err)
	}
	whole = string(written)
	head, _, found := strings.Cut(whole, "  rules:\n")
	if !found {
		t.Fatal("the file has no rules")
	}
	return head, whole
}

// forms are how a secret may stand in a file: as a text, a whole number in eight bytes,
// or the bytes that it is the hexadecimal digits of.
func (p plant) forms() []string {
	all := text(p.secret)
	const digitsOfPoint = 42 // WKB's shortest
	if n, err := strconv.ParseInt(p.secret, 10, 64); err == nil && n > math.MaxUint32 {
		all = append(all, string(binary.LittleEndian.AppendUint64(nil, uint64(n))))
	}
	if b, err := hex.DecodeString(p.secret); err == nil && p.kind == "position" && len(p.secret) >= digitsOfPoint {
		all = append(all, string(b))
	}
	return all
}

// leftOut is the place of what calls home, and so is never restored.
const leftOut = "left out"

// words say in reports what is of a kind.
var words = map[string]string{"email": "an e-mail address", "phone": "a phone number", "card": "a card number", "iban": "an IBAN",
	"ip": "a network address", "national_id": "an official number", "secret": "a secret", "real": "a real value"}

// A database that somebody filled with secrets who had not read the detectors:
// each is reported by its place without any rule, or never restored; and what
// then has a rule is nowhere in the sandbox.
func TestPlantedSecretsAreReportedAndGone(t *testing.T) {
	t.Parallel()
	all := plants(t)
	if len(all) != 292 {
		t.Fatalf("%d secrets are planted", len(all))
	}
	d := plantedDrills{store: twin(t, "practice", func(p plant) string { return p.secret }), values: needles{}}
	for _, p := range all {
		d.values[p.id] = p.forms()
	}
	t.Run("found unscrubbed", func(t *testing.T) {
		t.Parallel()
		d.findsAllUnscrubbed(t)
	})
	t.Run("reported", func(t *testing.T) {
		t.Parallel()
		reported := d.withoutRules(t)
		found, leaks := d.untilNothingIsNew(t, reported)
		count := 0
		for _, p := range all {
			what, leaked := leaks[p.place]
			leaked = leaked && strings.Contains(what, words[p.kind])
			switch {
			case found[p.id] && !leaked:
				t.Errorf("%s lies in the sandbox, and %s is said to hold %q", p.id, p.place, what)
			case !leaked && !reported[p.place] && p.place != leftOut:
				t.Errorf("nobody reports %s in %s", p.id, p.place)
			default:
				count++
			}
		}
		for at, what := range leaks {
			// The view's text is reported too, and not only what it computes.
			if at != "the view reporting.totals" && !slices.ContainsFunc(all, func(p plant) bool { return p.place == at }) {
				t.Errorf("%s is said to hold %s, and nothing is planted there", at, what)
			}
		}
		t.Logf("%d of %d planted secrets are gone or reported", count, len(all))
	})
}

// The same tables with look-alikes in the secrets' places raise no alarm.
func TestTheCleanTwinRaisesNoAlarm(t *testing.T) {
	t.Parallel()
	_, file := reviewed(t)
	r := run(t, t.Context(), loadFrom(t, twin(t, "practice", func(p plant) string { return p.lookAlike }), file))
	quiet(t, r)
	if r.Outcome != verdict.Pass {
		t.Errorf("%s\n%s", r.Outcome, worst(r))
	}
}

// quiet wants no check to say anything but what was left out, or what but says.
func quiet(t *testing.T, r *verdict.Report, but ...string) {
	t.Helper()
	for _, c := range r.Checks {
		told := c.Outcome == verdict.Skipped && c.ID == "side_file" // no sum lies beside what a test dumps
		if c.Outcome != verdict.Pass && !told && !strings.HasPrefix(c.ID, "left_out:") &&
			!slices.ContainsFunc(but, func(p string) bool { return strings.HasPrefix(c.ID, p) }) {
			t.Errorf("%s: %s", c.ID, c.Message)
		}
	}
}

func loadFrom(t *testing.T, store, file string) *spec.Drill {
	t.Helper()
	d := load(t, sandbox.Local, file)
	d.Source.URL = "file://" + store
	return d
}

// plantedDrills are drills of the planted twin.
type plantedDrills struct {
	store  string
	values needles
}

// key scrubs what is scrubbed, and is looked for like the secrets.
const key = "a key of thirty-two bytes or more"

// run runs one drill, of which neither report nor log nor any command line may
// tell a secret or the key. Inspect may be nil.
func (d plantedDrills) run(t *testing.T, file string, inspect func(ctx context.Context, box sandbox.Box)) *verdict.Report {
	t.Helper()
	secrets := needles{"the key": append(text(key), base64.StdEncoding.EncodeToString([]byte(key)))}
	maps.Copy(secrets, d.values)
	told := newFinder(t, secrets)
	var log bytes.Buffer
	drilled := loadFrom(t, d.store, file)
	drilled.Scrub.Key = spec.Key(key)
	r := run(t, t.Context(), drilled, func(req *drill.Request) {
		req.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		var once sync.Once
		req.Progress = func(stage string, _, _ int64, _ string) {
			if stage == "load" {
				once.Do(told.processes)
			}
		}
		req.Inspect = func(ctx context.Context, box sandbox.Box) {
			told.processes()
			if inspect != nil {
				inspect(ctx, box)
			}
		}
	})
	report, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, said := range [][]byte{report, log.Bytes(), []byte(fmt.Sprintf("%+v", r))} {
		_, _ = told.Write(append(said, 0))
	}
	if names := told.names(secrets, true); len(names) > 0 {
		t.Errorf("a report, log or command line tells %q", names)
	}
	return r
}

// The search finds every secret after a drill that scrubs nothing and cuts no
// calls home.
func (d plantedDrills) findsAllUnscrubbed(t *testing.T) {
	head, _ := reviewed(t)
	file := head + "  drop: [cron_jobs]\n  rules:\n    - {column: \"*.*.*\", preserve: true, why: \"to be found\"}\n"
	f := newFinder(t, d.values)
	r := d.run(t, file, func(ctx context.Context, box sandbox.Box) {
		f.files(ctx, box)
		f.dump(ctx, box, "practice")
	})
	if missing := f.names(d.values, false); len(missing) > 0 {
		t.Errorf("the search misses %d secrets that are there: %q\n%s\n%s", len(missing), missing, r.Outcome, worst(r))
	}
}

// withoutRules returns the places that a drill without any rule names, and
// makes sure that the rules it proposes are taken.
func (d plantedDrills) withoutRules(t *testing.T) (reported map[string]bool) {
	t.Helper()
	head, _ := reviewed(t)
	reported = map[string]bool{}
	rules := unmatched(d.run(t, head, nil), reported)
	r := d.run(t, head+"  rules:\n"+strings.ReplaceAll(rules, "…", "nobody's"), nil)
	for _, c := range r.Checks {
		if c.Code == verdict.CodeRuleUnfit || c.Code == verdict.CodeRuleUnmet {
			t.Errorf("what was proposed is refused: %s", c.Message)
		}
	}
	return reported
}

// mended are what a user writes otherwise where the advice is no line to add.
var mended = map[string][2]string{
	"crm.contacts.attrs (a key)": {"{column: crm.contacts.attrs, transform: text}", "{column: crm.contacts.attrs, transform: set_null}"},
	"wild.crew.n06 at $.status":  {"json: [{path: \"$.a\", transform: text}]", "json: [{path: \"$.a\", transform: text}, {path: $.status, transform: name}]"},
}

// untilNothingIsNew does as a user does who gets the red report of a reviewed
// drill file: adds the rule that it proposes, or takes the other transform that
// it names, and drills again. It adds to the reported places, and returns which secrets lie in the last drill's sandbox
// and what its report says is where.
func (d plantedDrills) untilNothingIsNew(t *testing.T, reported map[string]bool) (found map[string]bool, leaks map[string]string) {
	t.Helper()
	const most = 40
	_, file := reviewed(t)
	for range most {
		f := newFinder(t, d.values)
		r := d.run(t, file, func(ctx context.Context, box sandbox.Box) {
			f.files(ctx, box)
			f.dump(ctx, box, "practice")
		})
		known := len(reported)
		file += unmatched(r, reported)
		for place, written := range mended {
			if reported[place] {
				file = strings.Replace(file, written[0], written[1], 1)
			}
		}
		if len(reported) > known {
			continue
		}
		leaks = map[string]string{}
		for _, c := range r.Checks {
			if at, ok := strings.CutPrefix(c.ID, "leak:"); ok {
				leaks[at] = c.Observed
			}
		}
		quiet(t, r, "leak:", "leak_scan:stored")
		if r.Outcome != verdict.Error {
			t.Errorf("%s\n%s", r.Outcome, worst(r))
		}
		return f.found, leaks
	}
	t.Fatalf("after %d drills there are still new places", most)
	return nil, nil
}

// unmatched returns the rules that a report proposes for the places where it
// wants some, and adds these to reported.
func unmatched(r *verdict.Report, reported map[string]bool) (rules string) {
	for _, c := range r.Checks {
		place, ok := strings.CutPrefix(c.ID, "unmatched:")
		if !ok || c.Outcome != verdict.Error && c.Outcome != verdict.Warn {
			continue
		}
		reported[place] = true
		if _, lines, ok := strings.Cut(c.Hint, "\n"); ok {
			rules += "    " + strings.ReplaceAll(lines, "\n", "\n    ") + "\n"
		}
	}
	return rules
}

// A key that lies in the environment of the harness goes no further: not into
// that of a program in the sandbox, nor into a file of it.
func TestTheKeyStaysInItsEnvironment(t *testing.T) {
	t.Setenv("DRILL_SCRUB_KEY", key)
	secret := needles{"the key": append(text(key), base64.StdEncoding.EncodeToString([]byte(key)))}
	for _, kind := range []string{sandbox.Local, sandbox.Container} {
		t.Run(kind, func(t *testing.T) {
			if kind == sandbox.Container {
				testneed.Image(t, "postgres:15")
			}
			f := newFinder(t, secret)
			d := load(t, kind, "")
			d.Scrub.KeyEnv, d.Scrub.Key = "DRILL_SCRUB_KEY", spec.Key(key)
			r := run(t, t.Context(), d, func(req *drill.Request) {
				req.Inspect = func(ctx context.Context, box sandbox.Box) {
					f.processes()
					for _, beside := range []bool{false, true} {
						f.run(ctx, box, sandbox.Command{Args: []string{"sh", "-c", "env; cat /proc/[0-9]*/environ 2>/dev/null; true"}, Beside: beside})
					}
					f.files(ctx, box)
				}
			})
			if r.Outcome != verdict.Pass {
				t.Errorf("%s\n%s", r.Outcome, worst(r))
			}
			if found := f.names(secret, true); len(found) > 0 {
				t.Errorf("%q lies in the sandbox", found)
			}
		})
	}
}
