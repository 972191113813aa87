package setup

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"daybefore/internal/setup/naming"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// storeOf makes a folder with files, each with what it holds.
func storeOf(t *testing.T, files map[string]string) Source {
	t.Helper()
	dir := t.TempDir()
	for name, held := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(held), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return Source{URL: "file://" + dir + "/"}
}

func look(t *testing.T, src Source) (*Holdings, error) {
	t.Helper()
	d, err := src.Drill("drills/shop.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	return Look(t.Context(), d.Source)
}

const plain = "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE t (id int);\n\n--\n-- PostgreSQL database dump complete\n--\n"

// What a store holds decides, or says what to do.
func TestChoose(t *testing.T) {
	t.Parallel()
	demo, err := os.ReadFile("../../drills/demo/backups/shop-20260304T031500Z.dump")
	if err != nil {
		t.Fatal(err)
	}
	sealed := encrypted(t, demo)
	for name, tt := range map[string]struct {
		files   map[string]string
		pattern string
		want    string // the pattern, or what the error says
	}{
		"nothing":            {nil, "", "there is no file at all"},
		"no backups":         {map[string]string{"README.md": "x", "a.log": "x"}, "", "none of its 2 files is called like a backup"},
		"one":                {map[string]string{"a-20261129.sql": plain}, "", "a-{time}.sql"},
		"the drill's":        {map[string]string{"a-20261129.sql": plain, "shop-20261129.sql": plain}, "", "shop-{time}.sql"},
		"its database":       {map[string]string{"a-20261129.dump": string(demo), "b-20261129.sql": plain}, "", "a-{time}.dump"},
		"several":            {map[string]string{"a-20261129.sql": plain, "b-20261129.sql": plain}, "", "say which, by -pattern"},
		"named":              {map[string]string{"a-20261129.sql": plain, "b-20261129.sql": plain}, "b-{time}.sql", "b-{time}.sql"},
		"misnamed":           {map[string]string{"a-20261129.sql": plain}, "b-{time}.sql", "no files are called b-{time}.sql"},
		"no times":           {map[string]string{"a.1.sql": plain, "a.2.sql": plain}, "", "a.*.sql"},
		"times before none":  {map[string]string{"a-20261129.sql": plain, "shop-latest.sql": plain}, "", "a-{time}.sql"},
		"roles beside it":    {map[string]string{"a-20261129.sql": plain, "globals-20261129.sql": plain}, "", "a-{time}.sql"},
		"an archive of logs": {map[string]string{"a-20261129.sql": plain, "logs-20261129.gz": "no such thing"}, "", "a-{time}.sql"},
		"encrypted":          {map[string]string{"a-20261129.dump.age": sealed}, "", "a-{time}.dump.age"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held, err := look(t, storeOf(t, tt.files))
			got := ""
			var f *Found
			if err == nil {
				f, err = held.Choose("shop", tt.pattern)
			}
			switch {
			case err != nil:
				got = err.Error()
			default:
				got = f.Name
			}
			if !strings.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if name == "encrypted" && f.KeyWanted() != "age_identity_env" {
				t.Errorf("the key is %q: %v", f.KeyWanted(), f.Err)
			}
		})
	}
}

// encrypted is a text under age, for a key that nobody has.
func encrypted(t *testing.T, text []byte) string {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, identity.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Names without times want every header read: a request each.
func TestTooManyToOpen(t *testing.T) {
	t.Parallel()
	src := storeOf(t, nil)
	for files, refused := range map[int]bool{mostOpened: false, mostOpened + 1: true} {
		_, err := src.Drill("drills/shop.yaml", &Found{Pattern: &naming.Pattern{Name: "a.*.sql", Files: make([]naming.File, files)}})
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "1001 backups tell no time") {
			t.Errorf("%d files: %v", files, err)
		}
	}
}

// An option's keys go into the section; what it holds is never repeated where it is wrong.
func TestOptions(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ option, given, want string }{
		"bare":       {"source", "region: eu-west-1, path_style: true", "region: eu-west-1 path_style: true"},
		"braces":     {"source", "{decrypt: {age_identity_env: KEY}}", "decrypt: {age_identity_env: KEY}"},
		"a name":     {"source", "name: x", "it holds name"},
		"no keys":    {"source", "region: [hunter2", "it is no list of keys"},
		"of another": {"sandbox", "name: x", "name: x"},
	} {
		pairs, err := pairsOf(tt.option, tt.given)
		var all []string
		for _, p := range pairs {
			all = append(all, p.key+": "+p.value)
		}
		got := strings.Join(all, " ")
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for lag, want := range map[time.Duration]string{0: "6h 1d", 15 * time.Minute: "6h 1d", 3 * time.Hour: "12h 1d", 10 * time.Hour: "2d 4d",
		2 * day: "7d 14d"} {
		warn, fail := limits(lag)
		if got := amount.Span(warn) + " " + amount.Span(fail); got != want {
			t.Errorf("%s: %s, want %s", lag, got, want)
		}
	}
	for rows, want := range map[int64]int64{1: 1, 19: 1, 20: 18, 745: 670, 4464: 4000, 200_000: 180_000} {
		if got := floor(rows); got != want {
			t.Errorf("%d rows: %d, want %d", rows, got, want)
		}
	}
}

// What a file holds of the store passes as it was when it was written, and fails once backups lack.
func TestInventory(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 29, 3, 15, 0, 0, time.UTC)
	p := &naming.Pattern{Name: "a-{time}.dump", Layout: "20060102T150405Z"}
	for i := range 10 {
		p.Files = append(p.Files, naming.File{At: at.AddDate(0, 0, -i), Size: 3 << 20, Written: at})
	}
	out := &text{}
	writeInventory(out, p, at.Add(time.Hour))
	got := strings.Join(out.lines, "\n")
	for _, want := range []string{"backup_age: {warn_after: 1d6h, fail_after: 1d12h}", "cadence: {every: 1d, tolerance: 2h24m}",
		"min_backups: {warn_below: 8, fail_below: 5}", "min_size: 1536KiB", "oldest_at_least: 7d"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	for i := range 340 { // as people write them
		p.Files = append(p.Files, naming.File{At: at.AddDate(0, 0, -10-i), Size: 3 << 20, Written: at})
	}
	kept := &text{}
	writeInventory(kept, p, at.Add(time.Hour))
	if got := strings.Join(kept.lines, "\n"); !strings.HasSuffix(got, "oldest_at_least: 279d") ||
		strings.Contains(got, "h0m") {
		t.Error(got)
	}
	p.Files = p.Files[:10]
	if len(out.questions) > 0 {
		t.Errorf("questions: %+v", out.questions)
	}
	writeInventory(out, p, at.AddDate(0, 0, 9))
	if len(out.questions) != 1 || !strings.Contains(out.questions[0].Text, "has the backup job stopped?") {
		t.Errorf("questions: %+v", out.questions)
	}
}

// What is new goes to the end of its list, and all else stays.
func TestInsert(t *testing.T) {
	t.Parallel()
	items := []string{"    # why", "    - {column: b}"}
	const added = "    # why\n    - {column: b}\n"
	for name, tt := range map[string]struct{ file, want string }{
		"a list": {"scrub:\n  rules:\n    - {column: a} # first\n\n# next\nexpectations:\n",
			"scrub:\n  rules:\n    - {column: a} # first\n" + added + "\n# next\nexpectations:\n"},
		"indented less": {"scrub:\n  rules:\n  - {column: a}\n  locale: de_DE\n",
			"scrub:\n  rules:\n  - {column: a}\n  # why\n  - {column: b}\n  locale: de_DE\n"},
		"a rule's lines": {"scrub:\n  rules:\n    - column: a\n      rules: x\n",
			"scrub:\n  rules:\n    - column: a\n      rules: x\n" + added},
		"no list":          {"scrub:\n  locale: de_DE\n", "scrub:\n  rules:\n" + added + "  locale: de_DE\n"},
		"no section":       {"version: 1\n", "version: 1\n\nscrub:\n  rules:\n" + added},
		"within a comment": {"# scrub:\nversion: 1\n", "# scrub:\nversion: 1\n\nscrub:\n  rules:\n" + added},
		"rules of another": {"other:\n  rules:\n    - x\nscrub:\n  rules:\n    - y\n",
			"other:\n  rules:\n    - x\nscrub:\n  rules:\n    - y\n" + added},
	} {
		if got := insert(tt.file, "scrub", "rules", items); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, tt.want)
		}
	}
	if got := insert("x: 1\n", "scrub", "rules", nil); got != "x: 1\n" {
		t.Errorf("nothing is new: %q", got)
	}
}

// Backups that differ by the database alone are drilled by one file.
func TestTogether(t *testing.T) {
	t.Parallel()
	for names, want := range map[string]string{
		"shop-{time}.dump blog-{time}.dump": "{database}-{time}.dump", "s/eu-{time}.dump s/au-{time}.dump": "s/{database}-{time}.dump",
		"eu/{time}.dump us/{time}.dump": "{database}/{time}.dump", "{time}-eu.dump {time}-eu-west.dump": "{time}-{database}.dump",
		"a-{time}.dump": "", "a-{time}.dump b-{time}.sql": "", "a-{time}.dump b-c/{time}.dump": "", "a.*.sql b.sql": "",
		"a-{time}.sql a.b-{time}.sql": "{database}-{time}.sql",
	} {
		var found []*Found
		for _, name := range strings.Fields(names) {
			found = append(found, &Found{Pattern: &naming.Pattern{Name: name}})
		}
		if got := Together(found); got != want {
			t.Errorf("%s: %q, want %q", names, got, want)
		}
	}
}

// A column is named by a rule or a comment, and not by a longer name.
func TestUnnamed(t *testing.T) {
	t.Parallel()
	section := &Section{}
	for _, column := range []string{"public.a.b", "public.a.c at $.x", "public.a.d"} {
		section.Passed = append(section.Passed, verdict.ScrubPassed{Column: column, Type: "text", Rows: 2, DecidedBy: verdict.DecidedByNobody})
	}
	section.Passed[2].DecidedBy = verdict.DecidedByRule
	for file, want := range map[string]int{"": 2, "x: public.a.b_2, old.public.a.b": 2, "#   public.a.b (text)": 1, "# public.a.b\n# public.a.c at $.x:": 0} {
		if got := Unnamed(file, section); len(got) != want {
			t.Errorf("%q: %q", file, got)
		}
	}
}

// A list of the file replaces that of the defaults, and so begins with what stands there.
func TestRulesOfDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	below := "scrub:\n  rules:\n    - {column: \"*.*.email\", transform: email}\n    - {column: public.a.b, transform: choice, values: [\"x: y\", z]}\n"
	if err := os.WriteFile(filepath.Join(dir, "defaults.yaml"), []byte(below), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "shop.yaml")
	rules := spec.DefaultRules(path)
	file := "version: 1\nsource: {url: file:x, name: a.dump, timezone: UTC}\n" +
		withRules("scrub:\n  locale: de_DE\n  rules:\n    # why\n    - {column: public.c.d, transform: text}\n", rules) +
		"expectations: {indexes: valid}\n"
	d, err := spec.Loader{}.Parse(path, []byte(file))
	if err != nil || len(d.Scrub.Rules) != 3 || d.Scrub.Rules[0].Transform != "email" || d.Scrub.Rules[2].Transform != "text" {
		t.Errorf("%v in\n%s", err, file)
	}
	for _, section := range []string{"", "scrub:\n  locale: de_DE\n"} { // whose list is that of the defaults
		if got := withRules(section, rules); got != section {
			t.Errorf("%q", got)
		}
	}
	if rules := spec.DefaultRules(filepath.Join(t.TempDir(), "shop.yaml")); rules != nil {
		t.Errorf("without defaults: %q", rules)
	}
}

// A comment stays one line, whatever a name holds.
func TestOneLine(t *testing.T) {
	t.Parallel()
	if got := oneLine("a\n- b\x1b[31m\u202e"); strings.ContainsAny(got, "\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
}

// An empty store is the backups' failure, not the machine's.
func TestEmptyStoreFails(t *testing.T) {
	t.Parallel()
	_, err := look(t, storeOf(t, nil))
	if p := verdict.AsProblem(err); p.Outcome != verdict.Fail || p.Hint == "" {
		t.Errorf("%s: %v", p.Outcome, err)
	}
}
