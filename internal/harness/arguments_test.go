package harness

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/magefile/mage/parse"
	"pgregory.net/rapid"

	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

func nothing(string) string { return "" }

// What a line means, whatever the order and the writing of its options.
func TestArguments(t *testing.T) {
	t.Parallel()
	gate := "gate -name=shop -strict=true"
	for line, want := range map[string]string{
		"":                                  "help",
		"-v":                                "help",
		"gate -name=shop -strict":           gate,
		"-name=shop gate -strict":           gate,
		"-name=shop -strict gate":           gate,
		"-name shop --strict gate":          gate,
		"--name shop gate --strict":         gate,
		"GATE -Name shop -STRICT=true":      gate,
		"gate --name=shop --strict":         gate,
		"-- gate":                           "gate",
		"gate -name=shop -strict=false":     "gate -name=shop -strict=false",
		"gate -t 1h -v -name=shop":          "-t=1h -v=true gate -name=shop",
		"-t=5m drill -parallel 2":           "-t=5m drill -parallel=2",
		"-name drills drills":               "drills -name=drills",
		"image 17":                          "image 17",
		"-v image 17":                       "-v=true image 17",
		"dev:bench -peers -scale 0.1":       "dev:bench -peers=true -scale=0.1",
		"Scrub:Draft -name=shop":            "scrub:draft -name=shop",
		"dev:rebuilddemo":                   "dev:rebuildDemo",
		"dev:check dev:test":                "dev:check dev:test",
		"drill -name=a,b* gate -name=a":     "drill -name=a,b* gate -name=a",
		"accept -why=a=b -check=x -name=s":  "accept -why=a=b -check=x -name=s",
		"drill -json":                       "-json=true drill",
		"-json=true -name=shop gate -v":     "-json=true -v=true gate -name=shop",
		"--JSON help":                       "-json=true help",
		"-json":                             "-json=true help",
		"-json=false drills":                "drills",
		"drill -name=shop -verbose":         "drill -name=shop -verbose=true",
		"-l":                                "-l",
		"-v -l":                             "-l",
		"help":                              "help",
		"-h":                                "help",
		"--help":                            "help",
		"help help":                         "help",
		"help gate":                         "-h gate",
		"gate --help":                       "-h gate",
		"gate -name=shop -h":                "-h gate",
		"-h dev:bench":                      "-h dev:bench",
		"image -h":                          "-h image",
		"version":                           "version",
		"--version":                         "version",
		"gate --help=false -name=shop -l=0": "gate -name=shop",
	} {
		got, err := AllTargets.Arguments(strings.Fields(line), nothing)
		said := strings.Join(got, " ")
		if err != nil || said != want {
			t.Errorf("%q: %q, want %q: %v", line, said, want, err)
		}
	}
}

// What is wrong is told with the nearest right line, before anything runs.
func TestArgumentsThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, says string }{
		{"drill|shop", `"shop" is no target: did you mean: go tool mage drill -name=shop`},
		{"gate|shop|-strict", `"shop" is no target: did you mean: go tool mage gate -name=shop -strict`},
		{"drill|-name=shop|blog", `"blog" is no target: did you mean: go tool mage drill -name=shop,blog`},
		{"drill|-name|shop|blog", `"blog" is no target: did you mean: go tool mage drill -name shop,blog`},
		{"-name=shop|drill|blog", `"blog" is no target: did you mean: go tool mage -name=shop,blog drill`},
		{"gate|-name=shop|blog", `"blog" is no target, and gate takes one drill: call it for each`},
		{"ledger", `"ledger" is no target: did you mean: go tool mage drill -name=ledger (go tool mage -l lists the targets)`},
		{"scrub", `"scrub" is no target; these are: scrub:draft, scrub:show`},
		{"gaet|-name=shop", `"gaet" is no target: did you mean: go tool mage gate -name=shop`},
		{"-name=shop|gaet", `did you mean: go tool mage -name=shop gate`},
		{"help|gaet", `did you mean: go tool mage help gate`},
		{"help|zzzzzz", `"zzzzzz" is no target; these are: accept, baseline,`},
		{"gate|help", `did you mean: go tool mage help gate`},
		{"gate|-nmae=a b", `"-nmae=a b" is no option: did you mean: go tool mage gate '-name=a b'`},
		{"-stric|gate", `"-stric" is no option: did you mean: go tool mage -strict gate`},
		{"gate|-quiet=1", `"-quiet=1" is no option of gate, which takes -name, -within, -strict, -verbose: see go tool mage help gate`},
		{"gate|-parallel=2", `"-parallel=2" is no option of gate, which takes -name, -within, -strict, -verbose: see go tool mage help gate`},
		{"-parallel=2|gate", `"-parallel=2" is no option of gate`},
		{"build|-name=shop", `"-name=shop" is no option of build, which takes none`},
		{"-zzzzzz", `"-zzzzzz" is no option: go tool mage help TARGET tells what a target takes`},
		{"---name=shop|gate", `"---name=shop" is no option: did you mean: go tool mage -name=shop gate`},
		{"gate|–name=shop", `did you mean: go tool mage gate -name=shop`},
		{"gate|-name=shop|—strict", `did you mean: go tool mage gate -name=shop -strict`},
		{"gate|-name=shop|-strict|false", `"false" is no target: did you mean: go tool mage gate -name=shop -strict=false`},
		{"-strict|true|gate", `did you mean: go tool mage -strict=true gate`},
		{"gate|-name=", `-name= is empty: was a variable not set? Write -name=shop`},
		{"gate|-name", `-name says no value: write -name=shop`},
		{"gate|-name|", `-name= is empty`},
		{"gate|-name= ", `-name= is empty`},
		{"gate|-name|-strict", `-name says no value`},
		{"-name=|drill", `-name= is empty`},
		{"drill|", `argument 2 is empty: was a variable not set?`},
		{"gate|-strict=", `-strict= is empty`},
		{"gate|-strict=yes", `-strict="yes": it takes true or false, such as -strict=true`},
		{"gate|-within=", `-within= is empty`},
		{"drill|-parallel|two", `-parallel="two": it takes a whole number, such as -parallel=2`},
		{"drill|-parallel=1.5", `-parallel="1.5"`},
		{"drill|-parallel=0", `-parallel="0": it takes a whole number from 1 on, such as -parallel=2`},
		{"drill|-name=shop|-copy=0", `-copy="0": it takes a whole number from 1 on, such as -copy=2`},
		{"drill|-parallel|-1", `-parallel says no value`},
		{"-t|drill", `-t="drill": it takes a time, such as -t=30m`},
		{"-t=0|drill", `-t="0"`},
		{"-t", `-t says no value`},
		{"-v=maybe", `-v="maybe"`},
		{"gate|-name=a|-name=b", `-name is said twice: write it once`},
		{"drill|-name=a|-name=b", `-name is said twice: write all names into one, as -name=a,b`},
		{"-name=a|drill|--name|b", `-name is said twice`},
		{"-t=1h|-t=2h|drill", `-t is said twice`},
		{"-name=shop", `"-name=shop" is for no target: say which of accept, baseline, drill, `},
		{"-strict", `"-strict" is for no target: say which of gate, as in: go tool mage gate -strict`},
		{"-name=shop|-h", `is for no target`},
		{"-name=shop|drill|inventory", `-name=shop stands before several targets: write it after the one that it is for`},
		{"-l|gate", `-l lists the targets and runs none`},
		{"gate|-name=shop|-l", `-l lists the targets and runs none`},
		{"help|gate|drill", `help explains one target at a time: go tool mage help gate`},
		{"drill|inventory|-json", `-json is for one target at a time: call each by itself`},
		{"-json|dev:check", `dev:check has no words for a program: leave out -json`},
		{"-l|-json", `-l is for a person: go tool mage help -json lists`},
		{"help|gate|-json", `help about a target is for a person`},
		{"drill|-json=maybe", `-json="maybe": it takes true or false`},
		{"drill|-jsn", `did you mean: go tool mage drill -json`},
		{"image", `image wants MAJOR, a whole number, such as: go tool mage image 17`},
		{"image|seventeen", `image "seventeen": MAJOR is a whole number`},
		{"image|17|18", `"18" is no target`},
		{"drill|--|-name=shop", `"-name=shop" is no target`},
		{"drill|-", `"-" is no target`},
		{"drill|a\nb", `"a\nb" is no target: go tool mage -l lists them`},
		{"drill|" + strings.Repeat("x", 500), `is no target`},
		{"check", `"check" is no target: did you mean: go tool mage dev:check`},
		{"bench:overhead|-rounds=1", `"bench:overhead" is no target: did you mean: go tool mage dev:overhead -rounds=1`},
	} {
		line, err := AllTargets.Arguments(strings.Split(c.line, "|"), nothing)
		exit := (*verdict.Exit)(nil)
		if !errors.As(err, &exit) || exit.Code != verdict.ExitError || !strings.Contains(exit.Reason, c.says) || strings.Contains(exit.Reason, "\n") {
			t.Errorf("%q: %v, %v; want %s", c.line, line, err, c.says)
		}
	}
}

// What is for contributors is named where it can be had.
func TestArgumentsOfContributors(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"dev:test", "test", "bench:filter", "rebuildDemo"} {
		_, err := UserTargets.Arguments([]string{word}, nothing)
		if err == nil || !strings.Contains(err.Error(), "is a target for contributors, in a checkout: go tool mage dev:") {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// The help names each of the user's targets, and fits a newcomer's screen.
func TestHelp(t *testing.T) {
	t.Parallel()
	for _, name := range UserTargets.names() {
		if !regexp.MustCompile(`\b` + name + `\b`).MatchString(usage()) {
			t.Errorf("the help does not name %s", name)
		}
	}
	if n := strings.Count(usage(), "\n"); n > 9 { // and the line of the drills
		t.Errorf("the help has %d lines", n+1)
	}
	for line := range strings.Lines(usage()) {
		if n := len(strings.TrimSuffix(line, "\n")); n > helpWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	var files []spec.Loaded
	for i := range 30 {
		files = append(files, spec.Loaded{Name: "shop" + strings.Repeat("s", i)})
		if got := someNames(files, 40); len(got) > 40 {
			t.Errorf("%d columns: %s", len(got), got)
		}
	}
	if got := someNames(files, 40); got != "shop, shops, shopss, shopsss, 26 more" {
		t.Error(got)
	}
}

// `go tool mage -l` and `-h TARGET` reach the targets' program as variables.
func TestArgumentsFromMage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, set, want string }{
		{"", "MAGEFILE_LIST", "-l"},
		{"gate", "MAGEFILE_HELP", "-h gate"},
		{"dev:bench", "MAGEFILE_HELP", "-h dev:bench"},
		{"image", "MAGEFILE_HELP", "-h image"},
		{"gate -name=shop", "MAGEFILE_VERBOSE", "gate -name=shop"},
		{"gate -name=shop", "MAGEFILE_HELP", "MAGEFILE_HELP is set, and nothing would run: unset it"},
		{"gate -name=shop", "MAGEFILE_LIST", "-l lists the targets and runs none: leave it out (and MAGEFILE_LIST unset)"},
	} {
		got, err := AllTargets.Arguments(strings.Fields(c.line), func(name string) string {
			if name == c.set {
				return "1"
			}
			return ""
		})
		said := strings.Join(got, " ")
		if err != nil {
			said = err.Error()
		}
		if !strings.HasPrefix(said, c.want) {
			t.Errorf("%s with %s: %s, want %s", c.line, c.set, said, c.want)
		}
	}
}

// What the build target made is never run by `go tool mage`: variables that
// would have it print help in place of a drill are not heard, by Mage neither.
func TestWhatWasBuiltHearsNoVariable(t *testing.T) {
	for _, name := range []string{"MAGEFILE_HELP", "MAGEFILE_LIST"} {
		t.Setenv(name, "1")
	}
	line, err := AllTargets.Arguments([]string{"drill"}, handedOn(true))
	if err != nil || strings.Join(line, " ") != "drill" {
		t.Errorf("%v, %v", line, err)
	}
	if set := os.Getenv("MAGEFILE_HELP") + os.Getenv("MAGEFILE_LIST"); set != "" {
		t.Error("Mage would still hear them")
	}
}

// The tables of targets are what Mage finds in cmd/drill and in magefiles.
func TestTargetsAreThoseThatMageFinds(t *testing.T) {
	t.Parallel()
	for dir, table := range map[string]Targets{"cmd/drill": UserTargets, "magefiles": AllTargets} {
		found := targetsIn(t, filepath.Join("..", "..", dir))
		table := slices.Clone(table)
		for _, ts := range []Targets{found, table} {
			slices.SortFunc(ts, func(a, b Target) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
		}
		if len(found) != len(table) {
			t.Errorf("%s: %d targets, and %d in the table", dir, len(found), len(table))
		}
		for i := range min(len(found), len(table)) {
			is, has := found[i], table[i]
			if !strings.EqualFold(is.Name, has.Name) || (is.Word == "") != (has.Word == "") || !sameOptions(is.Options, has.Options) {
				t.Errorf("%s: %+v is %+v in the table", dir, is, has)
			}
		}
	}
}

// targetsIn are those of a folder that Mage compiles, its imports' included.
func targetsIn(t *testing.T, dir string) (found Targets) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, p := range paths {
		if name := filepath.Base(p); name != "mage_output_file.go" { // left there while another compiles
			files = append(files, name)
		}
	}
	info, err := parse.PrimaryPackage("go", dir, files, false)
	if err != nil {
		t.Fatal(err)
	}
	if info.DefaultFunc != nil && info.DefaultFunc.Name != "" {
		t.Errorf("the default target is %s: it is %s, which Arguments names", info.DefaultFunc.Name, helpTarget)
	}
	funcs := info.Funcs
	for _, imported := range info.Imports {
		funcs = append(funcs, imported.Info.Funcs...)
	}
	for _, f := range funcs {
		found = append(found, asTarget(f))
	}
	return found
}

func asTarget(f *parse.Function) Target {
	t := Target{Name: f.TargetName()}
	for _, a := range f.Args {
		if a.Optional {
			t.Options = append(t.Options, Option{Name: a.Name, Kind: Kind(a.Type)})
		} else {
			t.Word += strings.ToUpper(a.Name) + " " + a.Type
		}
	}
	return t
}

func sameOptions(is, has []Option) bool {
	return slices.EqualFunc(is, has, func(a, b Option) bool { return a.Name == b.Name && a.Kind == b.Kind })
}

// An option means one thing, also where it stands before its target.
func TestOptionsOfOneNameAreOfOneKind(t *testing.T) {
	t.Parallel()
	for _, target := range AllTargets {
		for _, o := range target.Options {
			if any := AllTargets.option(o.Name); any.Kind != o.Kind || optionOf(ownOptions, o.Name) != nil {
				t.Errorf("%s -%s is %s, and elsewhere %s", target.Name, o.Name, o.Kind, any.Kind)
			}
		}
	}
}

// Whatever is written, Mage is handed a line that it understands wholly, and
// that runs what was asked; or the process ends with 11.
func TestNoLineIsHalfUnderstood(t *testing.T) {
	t.Parallel()
	words := []string{"-json", "help", "-h", "--help", "-l", "--version", "-v", "-t", "-t=1h", "--", "-", "", "shop", "17", "true", "-name", "-name=", "–name=x", "=",
		"-=", "---x", "\x00", "-strict=0"}
	for _, target := range AllTargets {
		words = append(words, target.Name, strings.ToUpper(target.Name))
		for _, o := range target.Options {
			words = append(words, "-"+o.Name, "--"+o.Name+"=1", "-"+o.Name+"=shop")
		}
	}
	word := rapid.OneOf(rapid.SampledFrom(words), rapid.SampledFrom(words), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(word, 0, 6).Draw(t, "args")
		line, err := AllTargets.Arguments(args, nothing)
		if err != nil {
			exit := (*verdict.Exit)(nil)
			if !errors.As(err, &exit) || exit.Code != verdict.ExitError || exit.Reason == "" || strings.Contains(exit.Reason, "\n") {
				t.Fatalf("%q: %v", args, err)
			}
			return
		}
		does := asMage(t, line)
		asked := slices.ContainsFunc(args, func(a string) bool {
			return slices.Contains([]string{"help", "-h", "--help", "-l"}, strings.ToLower(a))
		})
		named := slices.ContainsFunc(args, func(a string) bool { return AllTargets.find(a) != nil })
		if does == "nothing" && named && !asked {
			t.Fatalf("%q becomes %q, which runs nothing", args, line)
		}
		if does != "nothing" && len(args) > 0 && !told(args, line) {
			t.Fatalf("%q becomes %q, which says less", args, line)
		}
		again, err := AllTargets.Arguments(line, nothing)
		if err != nil || !reflect.DeepEqual(again, line) {
			t.Fatalf("%q becomes %q, and that %q: %v", args, line, again, err)
		}
	})
}

// told reports whether each option with a value, and each word, is in the line.
func told(args, mage []string) bool {
	line := "\n" + strings.ToLower(strings.Join(mage, "\n")) + "\n"
	for _, arg := range args {
		bare := strings.ToLower(strings.TrimLeft(arg, "-"))
		name, _, _ := strings.Cut(bare, "=")
		if bare != "" && !slices.Contains([]string{"h", "help", "l", "version"}, name) && !strings.Contains(line, bare) {
			return false
		}
	}
	return true
}

// asMage reads a line as the main that Mage generates does, and tells what it
// would do.
func asMage(t *rapid.T, args []string) string {
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Bool("v", false, "")
	fs.Bool(jsonOption, false, "") // taken away before
	list := fs.Bool("l", false, "")
	help := fs.Bool("h", false, "")
	fs.Duration("t", 0, "")
	if err := fs.Parse(args); err != nil {
		t.Fatalf("Mage refuses %q: %v", args, err)
	}
	rest := fs.Args()
	if *list || *help && len(rest) == 1 && AllTargets.find(rest[0]) != nil {
		return "nothing"
	}
	for x := 0; x < len(rest); {
		called := AllTargets.find(rest[x])
		x++
		if called == nil {
			t.Fatalf("Mage finds no target %q in %q", rest[x-1], args)
		}
		if called.Word != "" {
			if _, err := strconv.Atoi(rest[x]); err != nil {
				t.Fatal(err)
			}
			x++
		}
		for ; len(called.Options) > 0 && x < len(rest) && strings.HasPrefix(rest[x], "-"); x++ {
			name, _, has := strings.Cut(rest[x][1:], "=")
			if called.option(name) == nil || !has {
				t.Fatalf("Mage finds no option %q of %s in %q", rest[x], called.Name, args)
			}
		}
	}
	if len(rest) == 0 || rest[0] == helpTarget {
		return "nothing"
	}
	return "runs"
}
