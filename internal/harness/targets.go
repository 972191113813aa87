package harness

import (
	"cmp"
	"slices"
	"strings"
)

// Kind is what an option takes, in Go's word for it, as Mage reads it.
type Kind string

const (
	Text     Kind = "string"
	Number   Kind = "int"
	YesNo    Kind = "bool" // alone it says yes
	duration Kind = "time.Duration"
)

// Option is one of a target's.
type Option struct {
	Name string
	Kind Kind
	Many bool // it takes several, with commas between
}

// Target is what a command line can ask for.
type Target struct {
	Name    string // as `help` lists it, such as scrub:draft
	Alias   string // a shorter name; empty: none
	Word    string // what the word behind it is called, a whole number; empty: it takes none
	Options []Option
}

// nameOption is what names drills.
const nameOption = "name"

// Options that several targets have.
var (
	oneDrill   = Option{Name: nameOption, Kind: Text}
	someDrills = Option{Name: nameOption, Kind: Text, Many: true}
	atScale    = Option{Name: "scale", Kind: Text}
	inRounds   = Option{Name: "rounds", Kind: Number}
	ofKind     = Option{Name: "kind", Kind: Text}
	inWays     = Option{Name: "ways", Kind: Text}
)

// Targets are all there are: what magefiles/ declares, which a test compares.
// Options of one name are of one kind, so that they are understood before the
// target is known.
var Targets = []Target{
	{Name: "accept", Options: []Option{oneDrill, {Name: "check", Kind: Text}, {Name: "why", Kind: Text}}},
	{Name: "baseline", Options: []Option{oneDrill}},
	{Name: "bench:checks", Options: []Option{atScale, inRounds, ofKind}},
	{Name: "bench:filter", Options: []Option{inRounds}},
	{Name: "bench:inventory", Options: []Option{{Name: "objects", Kind: Number}, inRounds}},
	{Name: "bench:overhead", Options: []Option{inRounds, ofKind}},
	{Name: "bench:run", Alias: "bench", Options: []Option{atScale, inRounds, ofKind, inWays, {Name: "peers", Kind: YesNo}}},
	{Name: "bench:scaling", Options: []Option{atScale, inRounds, ofKind}},
	{Name: "bench:shapes", Options: []Option{atScale, inRounds, ofKind, inWays}},
	{Name: "build"},
	{Name: "check"},
	{Name: "clean"},
	{Name: "drill", Options: []Option{someDrills, {Name: "parallel", Kind: Number}}},
	{Name: "drills", Options: []Option{someDrills}},
	{Name: "gate", Options: []Option{oneDrill, {Name: "within", Kind: Text}, {Name: "strict", Kind: YesNo}}},
	{Name: "image", Word: "MAJOR"},
	{Name: "inventory", Options: []Option{someDrills}},
	{Name: "rebuildDemo"},
	{Name: "scenarios"},
	{Name: "scrub:draft", Options: []Option{oneDrill}},
	{Name: "scrub:show", Options: []Option{oneDrill}},
	{Name: "test"},
	{Name: "validate", Options: []Option{someDrills}},
	{Name: "version"},
	{Name: "witness", Options: []Option{oneDrill}},
}

// unasked runs where no target is named: it restores nothing. Mage knows no
// default target that takes options.
const unasked = "drills"

// target finds one by its name or alias, in letters of any case as Mage does.
func target(word string) *Target {
	i := slices.IndexFunc(Targets, func(t Target) bool {
		return strings.EqualFold(word, t.Name) || t.Alias != "" && strings.EqualFold(word, t.Alias)
	})
	if i < 0 {
		return nil
	}
	return &Targets[i]
}

func targetNames() (names []string) {
	for _, t := range Targets {
		names = append(names, cmp.Or(t.Alias, t.Name))
	}
	return names
}

// option finds one of the target's; nil if it has none of that name.
func (t *Target) option(name string) *Option {
	return optionOf(t.Options, name)
}

func optionOf(options []Option, name string) *Option {
	i := slices.IndexFunc(options, func(o Option) bool { return strings.EqualFold(o.Name, name) })
	if i < 0 {
		return nil
	}
	return &options[i]
}

// anyOption finds an option of any target, or of the program itself.
func anyOption(name string) *Option {
	if o := optionOf(ownOptions, name); o != nil {
		return o
	}
	for i := range Targets {
		if o := Targets[i].option(name); o != nil {
			return o
		}
	}
	return nil
}

// takes names the options of a target.
func (t *Target) takes() string {
	var all []string
	for _, o := range t.Options {
		all = append(all, "-"+o.Name)
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}
