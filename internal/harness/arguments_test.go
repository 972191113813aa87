package harness

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/magefile/mage/parse"
	"pgregory.net/rapid"

	"daybefore/internal/verdict"
)

func nothing(string) string { return "" }

// What a line means, whatever the order and the writing of its options.
func TestArguments(t *testing.T) {
	t.Parallel()
	gate := "gate -name=shop -strict=true"
	for line, want := range map[string]string{
		"":                                  "drills",
		"-v":                                "-v=true drills",
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
		"bench -peers -scale 0.1":           "bench:run -peers=true -scale=0.1",
		"Scrub:Draft -name=shop":            "scrub:draft -name=shop",
		"rebuilddemo":                       "rebuildDemo",
		"check test":                        "check test",
		"drill -name=a,b* gate -name=a":     "drill -name=a,b* gate -name=a",
		"accept -why=a=b -check=x -name=s":  "accept -why=a=b -check=x -name=s",
		"-l":                                "-l",
		"-v -l":                             "-l",
		"help":                              "-l (usage)",
		"-h":                                "-l (usage)",
		"--help":                            "-l (usage)",
		"help help":                         "-l (usage)",
		"help gate":                         "-h gate",
		"gate --help":                       "-h gate",
		"gate -name=shop -h":                "-h gate",
		"-h bench":                          "-h bench:run",
		"image -h":                          "-h image",
		"version":                           "version",
		"--version":                         "version",
		"gate --help=false -name=shop -l=0": "gate -name=shop",
	} {
		got, err := Arguments(strings.Fields(line), nothing)
		said := strings.Join(got.Mage, " ")
		if got.Usage {
			said += " (usage)"
		}
		if err != nil || said != want {
			t.Errorf("%q: %q, want %q: %v", line, said, want, err)
		}
	}
}

// What is wrong is told with the nearest right line, before anything runs.
func TestArgumentsThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, says string }{
		{"drill|shop", `"shop" is no target: did you mean: drill drill -name=shop`},
		{"gate|shop|-strict", `"shop" is no target: did you mean: drill gate -name=shop -strict`},
		{"drill|-name=shop|blog", `"blog" is no target: did you mean: drill drill -name=shop,blog`},
		{"drill|-name|shop|blog", `"blog" is no target: did you mean: drill drill -name shop,blog`},
		{"-name=shop|drill|blog", `"blog" is no target: did you mean: drill -name=shop,blog drill`},
		{"gate|-name=shop|blog", `"blog" is no target, and gate takes one drill: call it for each`},
		{"shop", `"shop" is no target: did you mean: drill drill -name=shop (drill help lists the targets)`},
		{"gaet|-name=shop", `"gaet" is no target: did you mean: drill gate -name=shop`},
		{"-name=shop|gaet", `did you mean: drill -name=shop gate`},
		{"help|gaet", `did you mean: drill help gate`},
		{"gate|help", `did you mean: drill help gate`},
		{"gate|-nmae=a b", `"-nmae=a b" is no option: did you mean: drill gate '-name=a b'`},
		{"-stric|gate", `"-stric" is no option: did you mean: drill -strict gate`},
		{"gate|-quiet=1", `"-quiet=1" is no option of gate, which takes -name, -within, -strict: see drill help gate`},
		{"gate|-parallel=2", `"-parallel=2" is no option of gate, which takes -name, -within, -strict: see drill help gate`},
		{"-parallel=2|gate", `"-parallel=2" is no option of gate`},
		{"build|-name=shop", `"-name=shop" is no option of build, which takes none`},
		{"-zzzzzz", `"-zzzzzz" is no option: drill help TARGET tells what a target takes`},
		{"---name=shop|gate", `"---name=shop" is no option: did you mean: drill -name=shop gate`},
		{"gate|–name=shop", `did you mean: drill gate -name=shop`},
		{"gate|-name=shop|—strict", `did you mean: drill gate -name=shop -strict`},
		{"gate|-name=shop|-strict|false", `"false" is no target: did you mean: drill gate -name=shop -strict=false`},
		{"-strict|true|gate", `did you mean: drill -strict=true gate`},
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
		{"-strict", `"-strict" is for no target: say which of gate, as in: drill gate -strict`},
		{"-name=shop|-h", `is for no target`},
		{"-name=shop|drill|inventory", `-name=shop stands before several targets: write it behind the one that it is for`},
		{"-l|gate", `-l lists the targets and runs none`},
		{"gate|-name=shop|-l", `-l lists the targets and runs none`},
		{"help|gate|drill", `help explains one target at a time: drill help gate`},
		{"image", `image wants MAJOR, a whole number, such as: drill image 17`},
		{"image|seventeen", `image "seventeen": MAJOR is a whole number`},
		{"image|17|18", `"18" is no target`},
		{"drill|--|-name=shop", `"-name=shop" is no target`},
		{"drill|-", `"-" is no target`},
		{"drill|a\nb", `"a\nb" is no target: drill help lists them`},
		{"drill|" + strings.Repeat("x", 500), `is no target`},
	} {
		line, err := Arguments(strings.Split(c.line, "|"), nothing)
		exit := (*Exit)(nil)
		if !errors.As(err, &exit) || exit.Code != verdict.ExitError || !strings.Contains(exit.Reason, c.says) || strings.Contains(exit.Reason, "\n") {
			t.Errorf("%q: %v, %v; want %s", c.line, line, err, c.says)
		}
	}
}

// `go tool mage -l` and `-h TARGET` reach the targets' program as variables.
func TestArgumentsFromMage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, set, want string }{
		{"", "MAGEFILE_LIST", "-l"},
		{"gate", "MAGEFILE_HELP", "-h gate"},
		{"bench", "MAGEFILE_HELP", "-h bench:run"},
		{"image", "MAGEFILE_HELP", "-h image"},
		{"gate -name=shop", "MAGEFILE_VERBOSE", "gate -name=shop"},
		{"gate -name=shop", "MAGEFILE_HELP", "MAGEFILE_HELP is set, and nothing would run: unset it"},
		{"gate -name=shop", "MAGEFILE_LIST", "-l lists the targets and runs none: leave it out (and MAGEFILE_LIST unset)"},
	} {
		got, err := Arguments(strings.Fields(c.line), func(name string) string {
			if name == c.set {
				return "1"
			}
			return ""
		})
		said := strings.Join(got.Mage, " ")
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
	line, err := Arguments([]string{"drill"}, handedOn(true))
	if err != nil || strings.Join(line.Mage, " ") != "drill" {
		t.Errorf("%v, %v", line, err)
	}
	if set := os.Getenv("MAGEFILE_HELP") + os.Getenv("MAGEFILE_LIST"); set != "" {
		t.Error("Mage would still hear them")
	}
}

// The table of targets is what Mage finds in magefiles/.
func TestTargetsAreThoseOfTheMagefiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "magefiles")
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
		t.Errorf("the default target is %s: say it as unasked, where it may take options", info.DefaultFunc.Name)
	}
	var found []Target
	for _, f := range info.Funcs {
		found = append(found, asTarget(f, info.Aliases))
	}
	slices.SortFunc(found, func(a, b Target) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	if len(found) != len(Targets) {
		t.Errorf("%d targets, and %d in the table", len(found), len(Targets))
	}
	for i := range min(len(found), len(Targets)) {
		is, has := found[i], Targets[i]
		if !strings.EqualFold(is.Name, has.Name) || is.Alias != has.Alias || (is.Word == "") != (has.Word == "") || !sameOptions(is.Options, has.Options) {
			t.Errorf("%+v is %+v in the table", is, has)
		}
	}
}

func asTarget(f *parse.Function, aliases map[string]*parse.Function) Target {
	t := Target{Name: f.TargetName()}
	for alias, of := range aliases {
		if of.Name == f.Name && of.Receiver == f.Receiver {
			t.Alias = alias
		}
	}
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
	for _, target := range Targets {
		for _, o := range target.Options {
			if any := anyOption(o.Name); any.Kind != o.Kind || optionOf(ownOptions, o.Name) != nil {
				t.Errorf("%s -%s is %s, and elsewhere %s", target.Name, o.Name, o.Kind, any.Kind)
			}
		}
	}
}

// Whatever is written, Mage is handed a line that it understands wholly, and
// that runs what was asked; or the process ends with 11.
func TestNoLineIsHalfUnderstood(t *testing.T) {
	t.Parallel()
	words := []string{"help", "-h", "--help", "-l", "--version", "-v", "-t", "-t=1h", "--", "-", "", "shop", "17", "true", "-name", "-name=", "–name=x", "=", "-=", "---x", "\x00", "-strict=0"}
	for _, target := range Targets {
		words = append(words, target.Name, strings.ToUpper(target.Name))
		for _, o := range target.Options {
			words = append(words, "-"+o.Name, "--"+o.Name+"=1", "-"+o.Name+"=shop")
		}
	}
	word := rapid.OneOf(rapid.SampledFrom(words), rapid.SampledFrom(words), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(word, 0, 6).Draw(t, "args")
		line, err := Arguments(args, nothing)
		if err != nil {
			exit := (*Exit)(nil)
			if !errors.As(err, &exit) || exit.Code != verdict.ExitError || exit.Reason == "" || strings.Contains(exit.Reason, "\n") {
				t.Fatalf("%q: %v", args, err)
			}
			return
		}
		does := asMage(t, line.Mage)
		asked := slices.ContainsFunc(args, func(a string) bool {
			return slices.Contains([]string{"help", "-h", "--help", "-l"}, strings.ToLower(a))
		})
		if does == "nothing" && !asked {
			t.Fatalf("%q becomes %q, which runs nothing", args, line.Mage)
		}
		if does != "nothing" && len(args) > 0 && !told(args, line.Mage) {
			t.Fatalf("%q becomes %q, which says less", args, line.Mage)
		}
		again, err := Arguments(line.Mage, nothing)
		if err != nil || !reflect.DeepEqual(again.Mage, line.Mage) {
			t.Fatalf("%q becomes %q, and that %q: %v", args, line.Mage, again.Mage, err)
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
	list, help := fs.Bool("l", false, ""), fs.Bool("h", false, "")
	fs.Duration("t", 0, "")
	if err := fs.Parse(args); err != nil {
		t.Fatalf("Mage refuses %q: %v", args, err)
	}
	rest := fs.Args()
	if *list || *help && len(rest) == 1 && target(rest[0]) != nil {
		return "nothing"
	}
	for x := 0; x < len(rest); {
		called := target(rest[x])
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
	if len(rest) == 0 {
		return "nothing"
	}
	return "runs"
}
