package setup

import (
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"daybefore/internal/setup/naming"
	"daybefore/internal/spec"
	"daybefore/internal/spec/amount"
	"daybefore/internal/verdict"
)

// Source is what a person says of where the backups lie, and of where they are
// restored.
type Source struct {
	URL     string
	Source  string // further keys of source, as YAML: "region: eu-west-1, endpoint: https://…"; may be empty
	Sandbox string // keys of sandbox, likewise
}

// pair is a key with its value, as YAML writes it.
type pair struct{ key, value string }

// pairsOf reads the keys of a section that an option gives. Problem: CodeSpec.
func pairsOf(option, given string) ([]pair, error) {
	given = strings.TrimSpace(given)
	if given == "" {
		return nil, nil
	}
	if !strings.HasPrefix(given, "{") {
		given = "{" + given + "}"
	}
	var read yaml.MapSlice
	err := yaml.Unmarshal([]byte(given), &read)
	if err != nil { // not wrapped: it quotes what stands there, which may be a secret
		return nil, verdict.Errorf(verdict.CodeSpec, "write it as -"+option+"='key: value, other: value'",
			"read -%s: it is no list of keys", option)
	}
	var all []pair
	for _, entry := range read {
		key := fmt.Sprint(entry.Key)
		if option == "source" && (key == "url" || key == "name") {
			return nil, verdict.Errorf(verdict.CodeSpec, "give source.url as -url, and source.name as -pattern",
				"read -source: it holds %s", key)
		}
		value, err := yaml.MarshalWithOptions(entry.Value, yaml.Flow(true))
		if err != nil {
			return nil, fmt.Errorf("write %s.%s: %w", option, verdict.Printable(key), err)
		}
		all = append(all, pair{key, strings.TrimSpace(string(value))})
	}
	return all, nil
}

// has reports whether a key is among them.
func has(pairs []pair, key string) bool {
	for _, p := range pairs {
		if p.key == key {
			return true
		}
	}
	return false
}

// Drill is a drill that looks at what the source holds, of which the drill file at
// that path will be made. Where a pattern is chosen it is of that; chosen may be nil.
// The error is of type Refused, or a Problem.
func (s Source) Drill(path string, chosen *Found) (*spec.Drill, error) {
	if chosen != nil && chosen.Layout == "" && chosen.Count() > mostOpened {
		return nil, verdict.Errorf(verdict.CodeSpec,
			"let the backup job write the time into the names, or give a folder with the newest alone as -url",
			"look into %s: the names of its %s tell no time, so that every one would be opened to find the newest", s.URL,
			verdict.Count(chosen.Count(), "backup"))
	}
	t := &text{}
	t.add("version: 1")
	err := s.write(t, chosen, "")
	if err == nil {
		err = s.writeSandbox(t)
	}
	if err != nil {
		return nil, err
	}
	t.add("expectations: {constraints: valid}")
	d, err := spec.Loader{}.Parse(path, []byte(strings.Join(t.lines, "\n")+"\n"))
	if err != nil {
		return nil, refused(path, err)
	}
	return d, nil
}

// write writes the section. The database is the one that the backup names, or empty.
func (s Source) write(t *text, chosen *Found, database string) error {
	pairs, err := pairsOf("source", s.Source)
	if err != nil {
		return err
	}
	t.add("source:")
	t.add("  url: %s", quoted(s.URL))
	if chosen == nil { // it is only looked into
		t.add("  name: '*'\n  timezone: UTC")
		pairs = slices.DeleteFunc(pairs, func(p pair) bool { return p.key == "time" || p.key == "timezone" })
	} else {
		writeNames(t, pairs, chosen.Pattern)
	}
	if database != "" && !has(pairs, "database") {
		t.why("  ", "the header must name it")
		t.add("  database: %s", quoted(database))
	}
	if chosen != nil && int64(chosen.Summed) >= chosen.Count() && !has(pairs, "checksum") {
		t.why("  ", "each backup has a file of sums beside it")
		t.add("  checksum: required")
	}
	for _, p := range pairs {
		t.add("  %s: %s", p.key, p.value)
	}
	return nil
}

func (s Source) writeSandbox(t *text) error {
	pairs, err := pairsOf("sandbox", s.Sandbox)
	if len(pairs) == 0 || err != nil {
		return err
	}
	t.add("\nsandbox:")
	for _, p := range pairs {
		t.add("  %s: %s", p.key, p.value)
	}
	return nil
}

func writeNames(t *text, pairs []pair, p *naming.Pattern) {
	t.why("  ", "%s, of %s in all", verdict.Count(p.Count(), "file"), amount.Size(p.Bytes()))
	if p.Layout == "" {
		t.ask("the names tell no time, so the headers of all files decide which is the newest: can the backup job write " +
			"the time into them?")
	}
	t.add("  name: %s", quoted(p.Name))
	if p.Layout != "" && !has(pairs, "time") {
		t.why("  ", "how {time} is written, by Go's reference time")
		t.add("  time: %s", quoted(p.Layout))
	}
	if has(pairs, "timezone") {
		return
	}
	z := p.Zone()
	t.why("  ", "%s", z.Why)
	if !z.Sure {
		t.ask("in which zone does the machine that takes the dumps tell its time? Another one than %s makes ages wrong "+
			"by hours", z.Name)
	}
	t.add("  timezone: %s", z.Name)
}

// quoted is a text as YAML reads it again.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
