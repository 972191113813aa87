// Package internal_test holds the rule by which the rooms of this house may
// call one another. docs/architecture.md tells the same in words.
package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "daybefore"

// room is what a package may import of this module: rooms of the layers below
// its own, unless only says which rooms.
type room struct {
	layer int
	only  []string
	why   string
}

var (
	nouns   = []string{"internal/verdict", "internal/spec", "internal/copytext"}
	targets = append([]string{"internal/harness"}, nouns...)
)

// rooms is the table of the house. A new room is entered here first.
var rooms = map[string]room{
	"internal/verdict":  {layer: 0, why: "the nouns that all rooms share depend on none of them"},
	"internal/spec":     {layer: 0, why: "a drill file means the same to every room, so it knows none of them"},
	"internal/copytext": {layer: 0, why: "rows of text are bytes, wherever they come from"},
	"internal/sqltext": {layer: 0, only: []string{"internal/verdict", "internal/copytext"},
		why: "SQL reads the same wherever it comes from; of what it reads it makes rows of COPY text"},
	"internal/machine":   {layer: 0, why: "space, locks and signals are the machine's, whoever asks for them"},
	"internal/octets":    {layer: 0, why: "a trick with words of eight bytes, whatever they hold"},
	"internal/jsontext":  {layer: 0, only: []string{"internal/octets"}, why: "where JSON begins and ends does not depend on what becomes of it"},
	"internal/pgtext":    {layer: 0, why: "what a type takes for text does not depend on rows, and is tried on every version"},
	"internal/program":   {layer: 0, why: "a foreign program is run the same way, whatever it is for"},
	"internal/packed":    {layer: 0, why: "what is under a compression is the same to whoever sums or reads it"},
	"internal/readahead": {layer: 0, why: "bytes are read ahead, whatever they are"},
	"internal/crypt": {layer: 0, only: []string{"internal/program", "internal/readahead", "internal/verdict"},
		why: "what opens a backup knows neither where it lies nor what is in it"},
	"internal/detect": {layer: 0, why: "what a value looks like does not depend on where it stands"},
	"internal/told":   {layer: 0, why: "which names and sentences may be shown does not depend on where they stand"},
	"internal/sketch": {layer: 0, why: "different values are counted by their hashes, whatever they are"},
	"internal/locale": {layer: 0, why: "what people and places are called does not depend on whom a name replaces"},

	"internal/enclosure": {layer: 0, why: "a program is set apart whatever it is; and a keeper starts before the rooms above are initialized"},

	"internal/catalog": {layer: 1, why: "finding and fetching a backup needs no idea of what is in it"},
	"internal/archive": {layer: 1, why: "what a file is can be told without a store and without a server"},
	"internal/sandbox": {layer: 1, why: "the place is the same whatever is restored into it"},
	"internal/debian":  {layer: 1, why: "what tests run against is unpacked, whatever they try with it"},
	"internal/s3test":  {layer: 1, why: "a server for tests and scenarios knows nothing of what they try"},
	"internal/image":   {layer: 1, why: "an image is built without any backup"},
	"internal/history": {layer: 1, why: "past reports are kept as they are, and judged elsewhere"},

	"internal/witness": {layer: 1, why: "what a record says can be read without a store and without a server"},

	"internal/restore": {layer: 2, why: "it takes the scrub as a function value, and is judged by others"},
	"internal/scrub":   {layer: 2, why: "it is handed rows, whoever reads and loads them"},
	"internal/expect":  {layer: 2, why: "a judge that knew how the data came would judge that instead of the data"},

	"internal/inventory": {layer: 2, only: slices.Concat(nouns, []string{"internal/catalog", "internal/history", "internal/witness", "internal/expect"}),
		why: "it judges a list, whoever made it; what a number became since past drills is judged in one place, which is expect's"},

	"internal/drill": {layer: 3, why: "it alone knows the order of the stages; it reads and writes no report"},
	"internal/setup": {layer: 3,
		only: slices.Concat(nouns, []string{"internal/drill", "internal/catalog", "internal/archive", "internal/scrub", "internal/sketch"}),
		why:  "a first drill file is written from what a drill's own steps read, by nobody who judges a backup"},
	"internal/report":   {layer: 3, only: nouns, why: "a rendering that could reach more than the nouns could change a verdict"},
	"internal/metrics":  {layer: 3, only: nouns, why: "numbers for others are a rendering, and change no verdict"},
	"internal/evidence": {layer: 3, only: nouns, why: "what is signed, and whether it is intact, does not depend on where it is kept"},

	"internal/runbook": {layer: 3, only: slices.Concat(nouns, []string{"internal/program", "internal/report"}),
		why: "a plan for the night is written from a report and a drill file alone, so that it holds no secret"},

	"internal/notify": {layer: 3, only: []string{"internal/verdict", "internal/spec", "internal/program", "internal/machine"},
		why: "who tells people knows what a report says, and nothing that could change it"},

	"internal/harness": {layer: 4, why: "what the targets call stands above all rooms"},
	"internal/develop": {layer: 4, why: "it looks at the sources and runs the tests, whatever they are"},
	"internal/bench":   {layer: 4, why: "it measures the rooms as they are, beside a restore without them"},

	"scenarios": {layer: 5, only: append([]string{"internal/sandbox", "internal/s3test", "internal/machine"}, targets...),
		why: "a scenario drills as a user does, and makes its broken backups in a sandbox"},
	"targets": {layer: 6, only: append([]string{"scenarios"}, targets...),
		why: "a target is a few lines over a function that is tested; what contributors need is in no user's binary"},
	"cmd": {layer: 7, only: append([]string{"targets"}, targets...), why: "the user's binary has the user's targets alone"},
	"magefiles": {layer: 7, only: append([]string{"targets", "scenarios", "internal/bench", "internal/develop"}, targets...),
		why: "a target is a few lines over a function that is tested"},
	"internal":   {layer: 0, why: "only this test stands here"},
	testneedRoom: {layer: 0, why: "what tests need is no part of what users run"},
	pgtestRoom:   {layer: 1, why: "a server for tests knows nothing of what they try"},
}

const (
	testneedRoom = "internal/testneed"
	pgtestRoom   = "internal/pgtest"
)

// inner is the order of the packages within a room, which each may import those
// after it and no other.
var inner = map[string][]string{
	"internal/catalog": {"internal/catalog", "internal/catalog/place"},
	"internal/archive": {"internal/archive", "internal/archive/unpack"},
	"internal/scrub": {
		"internal/scrub/draft", "internal/scrub", "internal/scrub/propose", "internal/scrub/distinct",
		"internal/scrub/postdata", "internal/scrub/document", "internal/scrub/leakscan", "internal/scrub/transform",
		"internal/scrub/schema",
	},
	"internal/setup":   {"internal/setup", "internal/setup/figures", "internal/setup/naming"},
	"internal/expect":  {"internal/expect", "internal/expect/structure", "internal/expect/drift"},
	"internal/spec":    {"internal/spec/reference", "internal/spec", "internal/spec/family", "internal/spec/tree", "internal/spec/jsonpath", "internal/spec/guess", "internal/spec/calendar", "internal/spec/amount", "internal/spec/folder"},
	"internal/restore": {"internal/restore", "internal/restore/stream", "internal/restore/provider"},
	"internal/sandbox": {"internal/sandbox", "internal/sandbox/emptying"},
	"internal/report":  {"internal/report/page", "internal/report"},
}

// outward is what a package within a room may import of others, where that is
// less than the room may.
var outward = map[string][]string{
	"internal/catalog/place":  {"internal/spec", "internal/verdict", "internal/program"},
	"internal/archive/unpack": {"internal/machine", "internal/packed", "internal/verdict"},
	"internal/scrub/draft": {
		"internal/spec", "internal/copytext", "internal/jsontext", "internal/detect", "internal/verdict", "internal/locale",
		"internal/sketch",
	},
	"internal/scrub/propose":  {"internal/spec", "internal/detect"},
	"internal/scrub/distinct": {"internal/spec", "internal/copytext", "internal/verdict"},
	"internal/scrub/postdata": {"internal/sqltext", "internal/verdict"},
	"internal/scrub/document": {"internal/spec", "internal/copytext", "internal/jsontext", "internal/octets"},
	"internal/scrub/leakscan": {
		"internal/spec", "internal/copytext", "internal/jsontext", "internal/octets", "internal/detect", "internal/told",
		"internal/verdict",
	},
	"internal/scrub/transform": {
		"internal/spec", "internal/copytext", "internal/sqltext", "internal/pgtext", "internal/octets", "internal/detect",
		"internal/locale", "internal/jsontext",
	},
	"internal/scrub/schema": {"internal/spec", "internal/pgtext", "internal/sqltext", "internal/told"},

	"internal/setup/figures": {"internal/archive", "internal/copytext", "internal/scrub", "internal/sketch", "internal/spec"},
	"internal/setup/naming":  {"internal/catalog", "internal/spec"},

	"internal/expect/structure": {"internal/spec"},
	"internal/expect/drift":     {"internal/spec", "internal/history", "internal/verdict"},
	"internal/restore/stream":   {"internal/verdict"},
	"internal/restore/provider": {},
	"internal/sandbox/emptying": {},
}

// mostLines is how long the Go of a package may be, tests left out.
const mostLines = 6000

// roomOf is the room that a package of this module belongs to.
func roomOf(pkg string) string {
	parts := strings.Split(pkg, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return path.Join(parts[:2]...)
	}
	return parts[0]
}

// isHelper reports whether a package is there for tests alone: testneed, pgtest,
// and packages such as internal/catalog/storetest below a room.
func isHelper(pkg string) bool {
	return pkg == testneedRoom || pkg == pgtestRoom || pkg != roomOf(pkg) && strings.HasSuffix(pkg, "test")
}

// refuse says why a package may not import another of this module; empty if it
// may. Both are paths within the module. Tests may import any room, which
// Go's own rule against cycles keeps in bounds.
func refuse(from, to string, inTest bool) string {
	f, known := rooms[roomOf(from)]
	if !known {
		return fmt.Sprintf("%s has no layer: enter the room %s in the table of internal/imports_test.go, with its reason", from, roomOf(from))
	}
	t, known := rooms[roomOf(to)]
	switch {
	case !known:
		return fmt.Sprintf("%s imports %s, which has no layer: enter the room %s in the table", from, to, roomOf(to))
	case inTest, isHelper(from):
		return ""
	case isHelper(to):
		return fmt.Sprintf("%s imports %s outside of its tests: %s", from, to, rooms[testneedRoom].why)
	case roomOf(from) == roomOf(to):
		return refuseWithin(from, to)
	case outward[from] != nil && !slices.Contains(outward[from], roomOf(to)):
		return fmt.Sprintf("%s imports %s, and may import only %s", from, to, strings.Join(outward[from], ", "))
	case f.only != nil && !slices.Contains(f.only, roomOf(to)):
		return fmt.Sprintf("%s imports %s, and may import only %s: %s", from, to, strings.Join(f.only, ", "), f.why)
	case f.only == nil && t.layer >= f.layer:
		return fmt.Sprintf("%s (layer %d) imports %s (layer %d), and may import lower layers only: %s", from, f.layer, to, t.layer, f.why)
	}
	return ""
}

// refuseWithin says why a package may not import another of its room.
func refuseWithin(from, to string) string {
	order := inner[roomOf(from)]
	if order == nil {
		return ""
	}
	at := slices.Index(order, from)
	below := slices.Index(order, to)
	switch {
	case at < 0 || below < 0:
		return fmt.Sprintf("%s imports %s, and one of them has no place in the order of %s", from, to, roomOf(from))
	case below <= at:
		return fmt.Sprintf("%s imports %s, which stands above it within %s", from, to, roomOf(from))
	}
	return ""
}

func TestImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, goos := range []string{"linux", "darwin"} {
		for _, tags := range []string{"", "mage"} {
			for _, p := range list(t, goos, tags) {
				seen[roomOf(p.path())] = true
				for _, why := range p.refusals() {
					t.Errorf("GOOS=%s -tags=%q: %s", goos, tags, why)
				}
			}
		}
	}
	for name := range maps.Keys(rooms) {
		if !seen[name] {
			t.Errorf("the room %s stands in the table and nowhere else", name)
		}
	}
}

// No package grows until nobody finds their way in it.
func TestLines(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "linux", "") {
		lines := 0
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			lines += bytes.Count(text, []byte{'\n'})
		}
		if lines > mostLines {
			t.Errorf("%s has %d lines, and may have %d: cut it", p.path(), lines, mostLines)
		}
	}
}

// goPackage is what go list tells of a package.
type goPackage struct {
	ImportPath, Dir                    string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// path is the package's within the module.
func (p goPackage) path() string { return within(p.ImportPath) }

func within(importPath string) string { return strings.TrimPrefix(importPath, module+"/") }

func (p goPackage) refusals() []string {
	var all []string
	if _, known := rooms[roomOf(p.path())]; !known {
		all = append(all, refuse(p.path(), p.path(), false))
	}
	for imports, inTest := range map[*[]string]bool{&p.Imports: false, &p.TestImports: true, &p.XTestImports: true} {
		for _, to := range *imports {
			if !strings.HasPrefix(to, module+"/") {
				continue
			}
			if why := refuse(p.path(), within(to), inTest); why != "" {
				all = append(all, why)
			}
		}
	}
	return all
}

// list asks go list for all packages of the module, as they are built for an
// operating system with a build tag.
func list(t *testing.T, goos, tags string) []goPackage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags="+tags, "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", module+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, &stderr)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// The rule must refuse what it is there for, and nothing else.
func TestRefuse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		inTest   bool
		want     string // part of the refusal; empty: allowed
	}{
		{"internal/drill", "internal/restore", false, ""},
		{"internal/drill", "internal/verdict", false, ""},
		{"internal/restore", "internal/sandbox", false, ""},
		{"internal/harness", "internal/report", false, ""},
		{"internal/catalog", "internal/testneed", true, ""},
		{"internal/scrub", "internal/pgtest", true, ""},
		{"internal/pgtest", "internal/testneed", false, ""},
		{"internal/catalog/storetest", "internal/testneed", false, ""},
		{"internal/image/recipe", "internal/image", false, ""},
		{"scenarios", "internal/sandbox", false, ""},
		{"magefiles", "scenarios", false, ""},
		{"internal/scrub", "internal/scrub/schema", false, ""},
		{"internal/scrub/schema", "internal/sqltext", false, ""},
		{"internal/inventory", "internal/expect/drift", false, ""},
		{"internal/expect", "internal/expect/drift", false, ""},

		{"internal/drill", "internal/scrub/draft", false, ""},
		{"internal/scrub/draft", "internal/scrub", false, ""},
		{"internal/scrub/draft", "internal/scrub/scrubtest", true, ""},
		{"internal/scrub/draft", "internal/scrub/scrubtest", false, "outside of its tests"},

		{"internal/spec", "internal/spec/guess", false, ""},

		{"internal/spec", "internal/spec/reference", false, "stands above it"},
		{"internal/expect/drift", "internal/expect", false, "stands above it"},
		{"internal/expect/structure", "internal/sandbox", false, "may import only"},
		{"internal/spec/guess", "internal/spec", false, "stands above it"},
		{"internal/scrub", "internal/scrub/draft", false, "stands above it"},
		{"internal/scrub/propose", "internal/scrub", false, "stands above it"},
		{"internal/scrub/distinct", "internal/scrub", false, "stands above it"},
		{"internal/scrub/postdata", "internal/spec", false, "may import only"},
		{"internal/scrub", "internal/scrub/distinct", false, ""},
		{"internal/scrub/document", "internal/scrub", false, "stands above it"},
		{"internal/scrub/document", "internal/detect", false, "may import only"},
		{"internal/scrub/draft", "internal/told", false, "may import only"},
		{"internal/scrub/schema", "internal/scrub", false, "stands above it"},
		{"internal/scrub/transform", "internal/scrub", false, "stands above it"},
		{"internal/scrub/transform", "internal/told", false, "may import only"},
		{"internal/scrub", "internal/scrub/leakscan", false, ""},
		{"internal/scrub/leakscan", "internal/scrub/document", false, "stands above it"},
		{"internal/scrub/schema", "internal/scrub", true, ""},
		{"internal/scrub/schema", "internal/detect", false, "may import only"},
		{"internal/scrub", "internal/scrub/another", false, "has no place"},
		{"internal/restore", "internal/restore/stream", false, ""},
		{"internal/restore/stream", "internal/restore", false, "stands above it"},
		{"internal/restore/stream", "internal/archive", false, "may import only"},
		{"internal/sandbox/emptying", "internal/sandbox", false, "stands above it"},
		{"internal/sandbox/emptying", "internal/machine", false, "may import only"},
		{"internal/sqltext", "internal/spec", false, "may import only"},
		{"internal/jsontext", "internal/copytext", false, "may import only"},
		{"internal/verdict", "internal/spec", false, "lower layers only"},
		{"internal/archive", "internal/catalog", false, "lower layers only"},
		{"internal/restore", "internal/scrub", false, "lower layers only"},
		{"internal/scrub", "internal/drill", false, "lower layers only"},
		{"internal/drill", "internal/report", false, "lower layers only"},
		{"internal/report", "internal/history", false, "may import only"},
		{"scenarios", "internal/restore", false, "may import only"},
		{"magefiles", "internal/sandbox", false, "may import only"},
		{"internal/catalog", "internal/testneed", false, "outside of its tests"},
		{"internal/restore", "internal/pgtest", false, "outside of its tests"},
		{"internal/catalog", "internal/catalog/storetest", false, "outside of its tests"},
		{"internal/newroom", "internal/verdict", false, "has no layer"},
		{"internal/drill", "internal/newroom", true, "has no layer"},
		{"cmd/drill", "internal/develop", false, "may import only"},
		{"targets", "internal/bench", false, "may import only"},
		{"newtop", "internal/harness", false, "has no layer"},
	} {
		got := refuse(c.from, c.to, c.inTest)
		if c.want == "" && got != "" || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s (in a test: %v): %q, want %q", c.from, c.to, c.inTest, got, c.want)
		}
	}
}
