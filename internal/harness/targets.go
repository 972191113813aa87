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
	Name    string // such as scrub:draft
	Word    string // what the word after it is called, a whole number; empty: it takes none
	Options []Option
}

// nameOption is what names drills.
const nameOption = "name"

// Options that several targets have.
var (
	oneDrill   = Option{Name: nameOption, Kind: Text}
	someDrills = Option{Name: nameOption, Kind: Text, Many: true}
	inFull     = Option{Name: "verbose", Kind: YesNo}
	atScale    = Option{Name: "scale", Kind: Text}
	inRounds   = Option{Name: "rounds", Kind: Number}
	ofKind     = Option{Name: "kind", Kind: Text}
	inWays     = Option{Name: "ways", Kind: Text}
)

// Targets are what a program offers. Options of one name are of one kind, so
// that they are understood before the target is known.
type Targets []Target

// UserTargets are those of bin/drill: what targets/ declares, which a test
// compares.
var UserTargets = Targets{
	{Name: "accept", Options: []Option{oneDrill, {Name: "check", Kind: Text}, {Name: "why", Kind: Text}}},
	{Name: "baseline", Options: []Option{oneDrill, inFull}},
	{Name: "build"},
	{Name: "clean"},
	{Name: "drill", Options: []Option{someDrills, {Name: "parallel", Kind: Number}, {Name: "backup", Kind: Text},
		{Name: "before", Kind: Text}, {Name: "pick", Kind: Text}, {Name: "copy", Kind: Number}, inFull}},
	{Name: "drills", Options: []Option{someDrills}},
	{Name: "gate", Options: []Option{oneDrill, {Name: "within", Kind: Text}, {Name: "strict", Kind: YesNo}, inFull}},
	{Name: helpTarget},
	{Name: "image", Word: "MAJOR", Options: []Option{{Name: "packages", Kind: Text}, {Name: "tag", Kind: Text}}},
	{Name: "init", Options: []Option{oneDrill, {Name: "url", Kind: Text}, {Name: "pattern", Kind: Text},
		{Name: "source", Kind: Text}, {Name: "sandbox", Kind: Text}, {Name: "heartbeat", Kind: Text}}},
	{Name: "inventory", Options: []Option{someDrills}},
	{Name: "mute", Options: []Option{oneDrill, {Name: "check", Kind: Text}, {Name: "why", Kind: Text},
		{Name: "until", Kind: Text}}},
	{Name: "report", Options: []Option{{Name: "history", Kind: Text}, {Name: "to", Kind: Text}}},
	{Name: "runbook", Options: []Option{oneDrill}},
	{Name: "scenarios"},
	{Name: "scrub:draft", Options: []Option{oneDrill}},
	{Name: "scrub:show", Options: []Option{oneDrill}},
	{Name: "show", Options: []Option{someDrills}},
	{Name: "validate", Options: []Option{someDrills}},
	{Name: "verify", Options: []Option{oneDrill, {Name: "key", Kind: Text}}},
	{Name: "version"},
	{Name: "witness", Options: []Option{oneDrill}},
}

// devTargets are for contributors: what magefiles/ declares beside the user's.
var devTargets = Targets{
	{Name: "dev:bench", Options: []Option{atScale, inRounds, ofKind, inWays, {Name: "peers", Kind: YesNo},
		{Name: "mask", Kind: Text}}},
	{Name: "dev:check"},
	{Name: "dev:ci"},
	{Name: "dev:filter", Options: []Option{inRounds}},
	{Name: "dev:growth", Options: []Option{{Name: "scales", Kind: Text}, {Name: "tables", Kind: Text}, inRounds, ofKind}},
	{Name: "dev:matrix"},
	{Name: "dev:overhead", Options: []Option{inRounds, ofKind}},
	{Name: "dev:rebuildDemo"},
	{Name: "dev:release"},
	{Name: "dev:test", Options: []Option{{Name: "room", Kind: Text}}},
	{Name: "dev:unpack", Options: []Option{atScale, inRounds}},
	{Name: "test"},
}

// AllTargets are those of `go tool mage`.
var AllTargets = slices.Concat(UserTargets, devTargets)

// devPrefix begins their names.
const devPrefix = "dev:"

// helpTarget also runs where no target is named.
const helpTarget = "help"

// find finds one by its name, in letters of any case as Mage does; nil if
// there is none.
func (ts Targets) find(word string) *Target {
	i := slices.IndexFunc(ts, func(t Target) bool { return strings.EqualFold(word, t.Name) })
	if i < 0 {
		return nil
	}
	return &ts[i]
}

func (ts Targets) names() (names []string) {
	for _, t := range ts {
		names = append(names, t.Name)
	}
	return names
}

// option finds one of any target, or of the program itself.
func (ts Targets) option(name string) *Option {
	if o := optionOf(ownOptions, name); o != nil {
		return o
	}
	for i := range ts {
		if o := ts[i].option(name); o != nil {
			return o
		}
	}
	return nil
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

// takes names the options of a target.
func (t *Target) takes() string {
	var all []string
	for _, o := range t.Options {
		all = append(all, "-"+o.Name)
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}
