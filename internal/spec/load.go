package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"daybefore/internal/spec/amount"
	"daybefore/internal/spec/folder"
	"daybefore/internal/spec/tree"

	_ "time/tzdata" // zones are named in drill files; a bare machine has none of its own
)

const defaultTimeout = 45 * time.Minute

var drillName = regexp.MustCompile(`^[a-z0-9_-]+$`)

// IsDrillName reports whether a drill can be called so, and its file with .yaml.
func IsDrillName(name string) bool { return drillName.MatchString(name) && !isDefaults(name+".yaml") }

// Loader reads drill files. The zero value is ready.
type Loader struct {
	// LookupEnv finds the secrets that a drill file names; nil: os.LookupEnv.
	LookupEnv func(name string) (string, bool)
	// WithoutSecrets leaves them alone, for those who only list drills:
	// Scrub.Key stays nil and a missing one is no mistake. The keys of past
	// reports are read where they are set, since some compare with these.
	WithoutSecrets bool
	// WithoutBaseline leaves the file of expectations.schema alone, for who
	// writes it.
	WithoutBaseline bool
}

// Load reads and checks one drill file, with the defaults beside it. Its error
// is of type Mistakes, all of the file's at once; the drill is nil then.
func Load(path string) (*Drill, error) { return Loader{}.Load(path) }

// LoadAll reads every *.yaml and *.yml of a folder, sorted by name, save hidden
// ones (.x.yaml, an editor's lock) and the defaults, which lie below each. A
// broken file does not keep the others from being read. The error says only
// that the folder itself could not be. See Strays for what is left out.
func LoadAll(dir string) ([]Loaded, error) { return Loader{}.LoadAll(dir) }

// Loaded is one drill of a folder, or what is wrong with its file. Where the
// store tells which databases there are, it stands for all of them.
type Loaded struct {
	Name     string // the file's base name without .yaml; of one of several databases shop@eu
	Path     string
	Database string // as it is called, of several; else empty
	Drill    *Drill // nil with Err, and with Several
	Err      error  // Mistakes; or why the store did not tell
	Notify   Notify // who is told, of a file with mistakes too as far as it can be read
	// Effective is the file with the defaults below it, of this database; nil with Err, and with Several.
	Effective *tree.Node
	Several   *Several // nil for all but those whose databases the store tells
}

// File is the drill's name without its database.
func (l Loaded) File() string { return folder.NameOf(l.Path) }

// Load is the package's Load.
func (l Loader) Load(path string) (*Drill, error) {
	return onlyDrill(path, l.loadFile(path, readDefaults(filepath.Dir(path))))
}

// Parse is Load of what is to stand in a file, which it does not read.
func (l Loader) Parse(path string, data []byte) (*Drill, error) {
	return onlyDrill(path, l.loadText(path, data, readDefaults(filepath.Dir(path))))
}

// Check says what is wrong with what is to stand in a drill file, be it of one
// database or of several. The error is of type Mistakes.
func (l Loader) Check(path string, data []byte) error {
	for _, loaded := range l.loadText(path, data, readDefaults(filepath.Dir(path))) {
		if loaded.Err != nil {
			return loaded.Err
		}
	}
	return nil
}

// onlyDrill is the drill of a file that is of one database.
func onlyDrill(path string, all []Loaded) (*Drill, error) {
	if len(all) > 1 || all[0].Several != nil {
		return nil, Mistakes{{File: path, Line: 1, Column: 1, Message: "it is of several databases",
			Hint: "load the folder"}}
	}
	return all[0].Drill, all[0].Err
}

// LoadAll is the package's LoadAll.
func (l Loader) LoadAll(dir string) ([]Loaded, error) {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, fmt.Errorf("list drill files: %w", err)
	}
	below := readDefaults(dir)
	var all []Loaded
	for _, e := range entries {
		if !e.IsDir() && !folder.Hidden(e.Name()) && folder.IsDrillFile(e.Name()) && !isDefaults(e.Name()) {
			all = append(all, l.loadNamed(filepath.Join(dir, e.Name()), below, all)...)
		}
	}
	return all, nil
}

// loadNamed loads a file whose drill must not be called as one before.
func (l Loader) loadNamed(path string, below *defaults, before []Loaded) []Loaded {
	name := folder.NameOf(path)
	i := slices.IndexFunc(before, func(b Loaded) bool { return b.File() == name })
	if i < 0 {
		return l.loadFile(path, below)
	}
	return []Loaded{{Name: name, Path: path, Err: Mistakes{{File: path, Line: 1, Column: 1,
		Message: fmt.Sprintf("the drill %s is also in %s", name, before[i].Path),
		Hint:    "rename one of the files"}}}}
}

func (l Loader) lookup(name string) (string, bool) {
	if l.LookupEnv != nil {
		return l.LookupEnv(name)
	}
	return os.LookupEnv(name)
}

// checker turns what was written into what is meant.
type checker struct {
	*mistakeList
	loader Loader
	folder string // the drill file's
}

// positive gives a duration above zero, or the default.
func (c checker) positive(d duration, key string, otherwise time.Duration) time.Duration {
	if d.given() && d.Value <= 0 {
		c.refuse(d.at, "write more than 0s or remove it", "%s: %v is not a duration", key, d.Value)
	}
	return d.or(otherwise)
}

// filled refuses a text that says nothing where it was written at all.
func (c checker) filled(t text, key, hint string) string {
	if t.given() && strings.TrimSpace(t.Value) == "" {
		c.refuse(t.at, hint, "%s is empty", key)
	}
	return t.Value
}

func (c checker) zone(t text, key string) *time.Location {
	if !t.given() {
		return nil
	}
	const hint = "write a name such as Europe/Berlin or UTC"
	if t.Value == "" || t.Value == "Local" { // LoadLocation knows both, as whatever this machine is set to
		c.refuse(t.at, hint, "%s: %s is not the same zone on every machine", key, shown(t.Value))
		return nil
	}
	location, err := time.LoadLocation(t.Value)
	if err != nil {
		c.refuse(t.at, hint, "%s: there is no time zone %s", key, shown(t.Value))
		return nil
	}
	return location
}

// name reads a table's name; a missing one was refused before.
func (c checker) name(t text, key string) Name {
	if !t.given() {
		return Name{}
	}
	n, fault := parseName(t.Value)
	if fault != nil {
		c.refuseUnplaced(t.at, key, fault)
	}
	return n
}

func (c checker) column(t text, key string) string {
	if !t.given() {
		return ""
	}
	column, fault := parseColumn(t.Value)
	if fault != nil {
		c.refuseUnplaced(t.at, key, fault)
	}
	return column
}

// limits checks a pair of ages: one at least, the warning first.
func (c checker) limits(at Pos, key string, warnAfter, failAfter duration) (warn, fail time.Duration) {
	if !warnAfter.given() && !failAfter.given() {
		c.refuse(at, "write fail_after: 6h, warn_after or both", "%s sets no limit", key)
	}
	warn = c.positive(warnAfter, key+".warn_after", 0)
	fail = c.positive(failAfter, key+".fail_after", 0)
	if warn > 0 && fail > 0 && warn >= fail {
		c.refuse(warnAfter.at, "let warn_after be the shorter",
			"%s: warn_after %s can never be seen beside fail_after %s", key, amount.Span(warn), amount.Span(fail))
	}
	return warn, fail
}
