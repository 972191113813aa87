package harness

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"daybefore/internal/spec/guess"
	"daybefore/internal/verdict"
)

// ownOptions are those of the program, whatever the target.
var ownOptions = []Option{
	{Name: "v", Kind: YesNo}, {Name: "t", Kind: duration}, {Name: "l", Kind: YesNo},
	{Name: "h", Kind: YesNo}, {Name: "help", Kind: YesNo}, {Name: "version", Kind: YesNo},
	{Name: jsonOption, Kind: YesNo},
}

// TakeArguments reads the process's command line before Mage does and leaves
// Mage what it understands. Mage alone takes an option in front of a target
// for a question about its usage, answers it, and ends with 0: a gate that was
// never asked would be open. What cannot be understood ends the process with
// 11 here, before anything runs.
func TakeArguments(ts Targets) {
	if ts.find(devPrefix+"test") == nil { // the user's binary lacks what is for contributors
		program = byBinary
	}
	line, err := ts.Arguments(os.Args[1:], handedOn(sourceSum != ""))
	if err != nil {
		if slices.ContainsFunc(os.Args[1:], asksForDocument) {
			err = Document{}.write(os.Stdout, err)
		}
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(verdict.ExitError)
	}
	asDocument = line[0] == toldAsDocument
	if asDocument {
		line = line[1:]
	}
	os.Args = append(os.Args[:1:1], line...)
}

// toldAsDocument stands before a line for Mage where -json was said.
const toldAsDocument = "-" + jsonOption + "=true"

// asksForDocument reports whether an argument is -json, in a line that was not
// understood.
func asksForDocument(arg string) bool {
	name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	return strings.HasPrefix(arg, "-") && strings.EqualFold(name, jsonOption) && (!given || yes(value))
}

// handedOn gives the variables with which `go tool mage` hands -h and -l on to
// the targets that it compiled itself. It never runs what the build target
// made: there they are left over from something else, and none is heard, by
// Mage neither. A cron job in whose environment one stands would else print a
// help page, drill nothing, and end with 0.
func handedOn(built bool) func(name string) string {
	if !built {
		return os.Getenv
	}
	for _, name := range []string{"MAGEFILE_HELP", "MAGEFILE_LIST"} {
		os.Unsetenv(name)
	}
	return func(string) string { return "" }
}

// Arguments reads a command line (without the program's name) and returns the
// one that Mage is to read in its place, behind -json=true where that was said:
// targets, the options of each after it, or before it where there is but one.
// Help and the list are asked for without a target's options. The error is an *verdict.Exit with 11, and tells the
// nearest right line.
func (ts Targets) Arguments(args []string, getenv func(string) string) ([]string, error) {
	r := &reading{
		targets: ts, args: args,
		help: yes(getenv("MAGEFILE_HELP")), list: yes(getenv("MAGEFILE_LIST")), // as `go tool mage` hands them on
	}
	if err := r.read(); err != nil {
		return nil, err
	}
	switch {
	case r.list:
		return r.show()
	case r.help && !r.asked && len(r.options) > 0: // set for all that runs here, it would open a gate
		return nil, cannot("MAGEFILE_HELP is set, and nothing would run: unset it")
	case r.help:
		return r.explain()
	}
	return r.run()
}

func yes(text string) bool {
	b, _ := strconv.ParseBool(text)
	return b
}

// reading is a command line while it is read.
type reading struct {
	targets Targets
	args    []string

	calls      []call
	options    []said // all of them
	early      []said // those before the first target
	own        []said // -v and -t
	help, list bool
	asked      bool // for help, on the line itself
	document   bool // -json
	onlyWords  bool // after --
}

// call is one target with what was said to it.
type call struct {
	*Target
	word    string
	options []said
}

// said is an option as it was written.
type said struct {
	name     string
	value    string
	hasValue bool
	at, last int // its arguments
}

// read takes the arguments apart.
func (r *reading) read() error {
	for i := 0; i < len(r.args); i++ {
		arg := r.args[i]
		switch {
		case arg == "--" && !r.onlyWords:
			r.onlyWords = true
		case !r.onlyWords && strings.HasPrefix(arg, "-") && arg != "-":
			s, err := r.option(i)
			if err != nil {
				return err
			}
			i = s.last
			r.place(s)
		default:
			if err := r.takeWord(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// option reads one, with its value: after =, or in the next argument.
func (r *reading) option(i int) (said, error) {
	text := strings.TrimPrefix(strings.TrimPrefix(r.args[i], "-"), "-")
	s := said{at: i, last: i}
	s.name, s.value, s.hasValue = strings.Cut(text, "=")
	s.name = strings.ToLower(s.name)
	o := r.targets.option(s.name)
	switch {
	case o == nil:
		return s, r.unknown(s)
	case o.Kind == YesNo && !s.hasValue:
		s.value, s.hasValue = "true", true
	case !s.hasValue && i+1 < len(r.args) && !strings.HasPrefix(r.args[i+1], "-"):
		s.value, s.last, s.hasValue = r.args[i+1], i+1, true
	}
	return s, s.check(*o)
}

// check looks at a value.
func (s said) check(o Option) error {
	var err error
	wants := ""
	switch {
	case !s.hasValue:
		return cannot("-%s says no value: write -%s=%s", o.Name, o.Name, example(o))
	case strings.TrimSpace(s.value) == "":
		return cannot("-%s= is empty: was a variable not set? Write -%s=%s, or leave it out", o.Name, o.Name,
			example(o))
	case o.Kind == Number:
		var n int
		n, err = strconv.Atoi(s.value)
		wants = "a whole number"
		if err == nil && n < 1 && (o.Name == "copy" || o.Name == "parallel") {
			err = strconv.ErrRange
			wants = "a whole number from 1 on"
		}
	case o.Kind == YesNo:
		_, err = strconv.ParseBool(s.value)
		wants = "true or false"
	case o.Kind == duration:
		var d time.Duration
		d, err = time.ParseDuration(s.value)
		if err == nil && d <= 0 {
			err = strconv.ErrRange
		}
		wants = "a time"
	}
	if err != nil {
		return cannot("-%s=%s: it takes %s, such as -%s=%s", o.Name, shown(s.value), wants, o.Name, example(o))
	}
	return nil
}

// example is a value that an option could have.
func example(o Option) string {
	switch {
	case o.Name == nameOption:
		return "shop"
	case o.Kind == Number:
		return "2"
	case o.Kind == YesNo:
		return "true"
	case o.Kind == duration:
		return "30m"
	case o.Name == "within":
		return "24h"
	case o.Name == "backup":
		return "./shop.dump"
	case o.Name == "before":
		return "2026-11-29"
	case o.Name == "history":
		return "s3://shop-reports/drills/"
	case o.Name == "to":
		return "public/index.html"
	case o.Name == "pick":
		return pickUnproven
	}
	return "VALUE"
}

// place puts an option where it belongs.
func (r *reading) place(s said) {
	r.options = append(r.options, s)
	switch {
	case s.name == "h", s.name == "help":
		if yes(s.value) {
			r.help, r.asked = true, true
		}
	case s.name == jsonOption:
		r.document = r.document || yes(s.value)
	case s.name == "l":
		r.list = r.list || yes(s.value)
	case s.name == "version":
		if yes(s.value) {
			r.calls = append(r.calls, call{Target: r.targets.find(s.name)})
		}
	case optionOf(ownOptions, s.name) != nil:
		r.own = append(r.own, s)
	case len(r.calls) == 0:
		r.early = append(r.early, s)
	default:
		c := &r.calls[len(r.calls)-1]
		c.options = append(c.options, s)
	}
}

// takeWord takes what is no option: a target, or the word that one takes.
func (r *reading) takeWord(i int) error {
	word := r.args[i]
	if c := r.last(); c != nil && c.Word != "" && c.word == "" {
		if _, err := strconv.Atoi(word); err != nil {
			return cannot("%s %s: %s is a whole number, such as 17", c.Name, shown(word), c.Word)
		}
		c.word = word
		return nil
	}
	isHelp := strings.EqualFold(word, helpTarget)
	if isHelp && len(r.calls) == 0 {
		r.help, r.asked = true, true
		return nil
	}
	t := r.targets.find(word)
	if t == nil || isHelp {
		return r.noTarget(i)
	}
	r.calls = append(r.calls, call{Target: t})
	return nil
}

func (r *reading) last() *call {
	if len(r.calls) == 0 {
		return nil
	}
	return &r.calls[len(r.calls)-1]
}

// show lists the targets and runs none.
func (r *reading) show() ([]string, error) {
	if r.document {
		return nil, cannot("-l is for a person: %s lists the targets for a program", command("help -json"))
	}
	if len(r.calls) > 0 || len(r.early) > 0 {
		return nil, cannot("-l lists the targets and runs none: " +
			"leave it out (and MAGEFILE_LIST unset) to run one, or all else to list them")
	}
	return []string{"-l"}, nil
}

// explain is help about one target.
func (r *reading) explain() ([]string, error) {
	switch len(r.calls) {
	case 0:
		if len(r.early) > 0 {
			return nil, r.whichTarget()
		}
		return r.alone(helpTarget)
	case 1:
		if r.document {
			return nil, cannot("help about a target is for a person: %s lists all targets for a program",
				command("help -json"))
		}
		return []string{"-h", r.calls[0].Name}, nil
	}
	return nil, cannot("help explains one target at a time: %s", command("help "+r.calls[0].Name))
}

// run is the line as Mage reads it: its own options, then each target with
// its options as -name=value.
func (r *reading) run() ([]string, error) {
	if err := r.settle(); err != nil {
		return nil, err
	}
	if len(r.calls) == 0 {
		return r.alone(helpTarget)
	}
	mage, err := r.alone()
	if err != nil {
		return nil, err
	}
	for _, s := range r.own {
		mage = append(mage, s.String())
	}
	for _, c := range r.calls {
		mage = append(mage, c.Name)
		if c.Word != "" {
			mage = append(mage, c.word)
		}
		for _, s := range c.options {
			mage = append(mage, s.String())
		}
	}
	return mage, nil
}

// alone are words for Mage, behind -json where that was said: one document is
// of one target, and of those that users have.
func (r *reading) alone(words ...string) ([]string, error) {
	if !r.document {
		return words, nil
	}
	if len(r.calls) > 1 {
		return nil, cannot("-json is for one target at a time: call each by itself")
	}
	for _, c := range r.calls {
		if UserTargets.find(c.Name) == nil {
			return nil, cannot("%s has no words for a program: leave out -json", c.Name)
		}
	}
	return append([]string{toldAsDocument}, words...), nil
}

func (s said) String() string { return "-" + s.name + "=" + s.value }

// settle gives each option to its target and looks whether it is one of its.
func (r *reading) settle() error {
	switch {
	case len(r.early) == 0:
	case len(r.calls) == 0:
		return r.whichTarget()
	case len(r.calls) > 1:
		return cannot("%s stands before several targets: write it after the one that it is for", r.args[r.early[0].at])
	default:
		r.calls[0].options = slices.Concat(r.early, r.calls[0].options)
	}
	if err := twice(r.own, ownOptions); err != nil {
		return err
	}
	for _, c := range r.calls {
		if err := r.settled(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *reading) settled(c call) error {
	if c.Word != "" && c.word == "" {
		return cannot("%s wants %s, a whole number, such as: %s", c.Name, c.Word, command(c.Name+" 17"))
	}
	for _, s := range c.options {
		if c.option(s.name) == nil {
			return r.notOf(c.Target, s)
		}
	}
	return twice(c.options, c.Options)
}

// twice refuses an option that is said again: Mage would take the last.
func twice(options []said, of []Option) error {
	seen := map[string]said{}
	for _, s := range options {
		before, again := seen[s.name]
		switch {
		case again && optionOf(of, s.name).Many:
			return cannot("-%s is said twice: write all names into one, as -name=%s,%s",
				s.name, shell(before.value), shell(s.value))
		case again:
			return cannot("-%s is said twice: write it once", s.name)
		}
		seen[s.name] = s
	}
	return nil
}

// whichTarget refuses options for no target.
func (r *reading) whichTarget() error {
	s := r.early[0]
	var having []string
	for _, t := range r.targets {
		if t.option(s.name) != nil {
			having = append(having, t.Name)
		}
	}
	meant := having[0]
	if slices.Contains(having, "drill") {
		meant = "drill"
	}
	return cannot("%s is for no target: say which of %s, as in: %s",
		shown(r.args[s.at]), strings.Join(having, ", "), command(meant+" "+shellLine(r.args)))
}

// unknown refuses an option that no target has.
func (r *reading) unknown(s said) error {
	options := []string{"help", "version", jsonOption}
	of := r.targets
	if c := r.last(); c != nil {
		of = Targets{*c.Target}
	}
	for _, t := range of {
		for _, o := range t.Options {
			options = append(options, o.Name)
		}
	}
	if near := guess.Nearest(s.name, options); near != "" {
		instead := "-" + near
		if s.hasValue {
			instead += "=" + s.value
		}
		return cannot("%s is no option: did you mean: %s", shown(r.args[s.at]), command(r.replaced(s.at, instead)))
	}
	if c := r.last(); c != nil {
		return r.notOf(c.Target, s)
	}
	return cannot("%s is no option: %s tells what a target takes", shown(r.args[s.at]), command("help TARGET"))
}

// notOf refuses an option that another target has.
func (r *reading) notOf(t *Target, s said) error {
	return cannot("%s is no option of %s, which takes %s: see %s",
		shown(r.args[s.at]), t.Name, t.takes(), command("help "+t.Name))
}

// aName is what a drill, several, or a glob of them may be called.
var aName = regexp.MustCompile(`^[a-z0-9_*?,@+~-]+$`)

// noTarget refuses a word.
func (r *reading) noTarget(i int) error {
	word := r.args[i]
	c := r.last()
	meant := guess.Nearest(word, r.targets.names())
	dev := devTargets.find(devPrefix + word[strings.LastIndexByte(word, ':')+1:])
	switch {
	case strings.TrimSpace(word) == "":
		return cannot("argument %d is empty: was a variable not set? Leave it out, or write -name=shop", i+1)
	case strings.HasPrefix(word, "–"), strings.HasPrefix(word, "—"): // as word processors make of two hyphens
		return r.nearest(i, "-"+strings.TrimLeft(word, "–—-"))
	case r.afterYesNo(i) && isBool(word):
		meant := slices.Replace(slices.Clone(r.args), i-1, i+1, r.args[i-1]+"="+word)
		return cannot("%s is no target: did you mean: %s", shown(word), command(shellLine(meant)))
	case c != nil && strings.EqualFold(word, helpTarget):
		return cannot("%s stands before a target: did you mean: %s", shown(word), command("help "+c.Name))
	case c != nil && c.option(nameOption) != nil && aName.MatchString(word):
		return r.alsoNamed(i, c)
	case dev != nil && r.targets.find(dev.Name) != nil:
		return r.nearest(i, dev.Name)
	case dev != nil:
		return cannot("%s is a target for contributors, in a checkout: %s %s", shown(word), byMage, dev.Name)
	case meant != "":
		return r.nearest(i, meant)
	case r.help:
		return cannot("%s is no target; these are: %s", shown(word), strings.Join(r.targets.names(), ", "))
	case c == nil && len(r.inGroup(word)) > 0:
		return cannot("%s is no target; these are: %s", shown(word), strings.Join(r.inGroup(word), ", "))
	case c == nil && len(r.early) == 0 && aName.MatchString(word):
		return cannot("%s is no target: did you mean: %s (%s lists the targets)",
			shown(word), command("drill -name="+shell(word)), command("-l"))
	}
	return cannot("%s is no target: %s lists them", shown(word), command("-l"))
}

// inGroup are the targets that begin with a word and a colon, such as those of scrub.
func (r *reading) inGroup(word string) []string {
	return slices.DeleteFunc(r.targets.names(), func(name string) bool {
		return !strings.HasPrefix(name, strings.ToLower(word)+":")
	})
}

// nearest refuses a word, and tells the line with what was meant in its place.
func (r *reading) nearest(i int, instead string) error {
	return cannot("%s is no target: did you mean: %s", shown(r.args[i]), command(r.replaced(i, instead)))
}

// alsoNamed refuses a drill's name that stands bare after a target.
func (r *reading) alsoNamed(i int, c *call) error {
	word := r.args[i]
	for _, s := range slices.Concat(r.early, c.options) {
		switch {
		case s.name != nameOption:
		case !c.option(nameOption).Many:
			return cannot("%s is no target, and %s takes one drill: call it for each", shown(word), c.Name)
		default:
			all := slices.Clone(r.args)
			all[s.last] += "," + word
			return cannot("%s is no target: did you mean: %s", shown(word), command(shellLine(slices.Delete(all, i, i+1))))
		}
	}
	return r.nearest(i, "-name="+word)
}

// afterYesNo reports whether the argument before is an option that needs no
// value, and has none.
func (r *reading) afterYesNo(i int) bool {
	if len(r.options) == 0 {
		return false
	}
	s := r.options[len(r.options)-1]
	return s.last == i-1 && r.targets.option(s.name).Kind == YesNo && !strings.Contains(r.args[s.at], "=")
}

func isBool(word string) bool {
	_, err := strconv.ParseBool(word)
	return err == nil
}

// replaced is the line with one argument as it should be.
func (r *reading) replaced(i int, instead string) string {
	all := slices.Clone(r.args)
	all[i] = instead
	return shellLine(all)
}

// shellLine writes arguments as a shell reads them.
func shellLine(args []string) string {
	var all []string
	for _, arg := range args {
		all = append(all, shell(arg))
	}
	return strings.Join(all, " ")
}

var plainWord = regexp.MustCompile(`^[\pL\pN_@%+=:,./-]+$`)

// shell writes an argument as a shell reads it.
func shell(arg string) string {
	if plainWord.MatchString(arg) {
		return arg
	}
	if strings.ContainsFunc(arg, func(c rune) bool { return !strconv.IsPrint(c) }) {
		return shown(arg)
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// shown quotes an argument, cut to what fits into a line.
func shown(arg string) string {
	const most = 60
	if r := []rune(arg); len(r) > most {
		arg = string(r[:most]) + "…"
	}
	return strconv.Quote(arg)
}
