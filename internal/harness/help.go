package harness

import (
	"fmt"
	"strings"

	"daybefore/internal/spec"
)

// How this program may be called: compiled, or in a checkout.
const (
	byBinary = "bin/drill"
	byMage   = "go tool mage"
)

// program is how this one is called, which TakeArguments finds out before
// anything runs.
var program = byMage

// command is a line for the person's shell, which calls this program as they did.
func command(line string) string { return program + " " + line }

// usage has the user's targets by task, in ten lines with that of the drills.
func usage() string {
	return `Usage: ` + command("TARGET [-option=value ...]") + `
  drill       init writes a first file; drill restores and checks; drills, validate, show tell of files; report makes a page
  gate        gate opens, before a deployment, only if the newest backup is known to restore
  store       inventory judges all backups of a store, in seconds; witness says what would be lost now
  scrub       scrub:draft writes the rules for a backup; scrub:show prints what they do to its values
  past        accept says that a change was wanted; mute quiets a check; baseline writes down what a database consists of
  look after  build compiles bin/drill; image makes an image; clean tidies up; scenarios tries the alarm; version
"` + command("help TARGET") + `" explains one, "` + command("-l") +
		`" lists all. With any target, -json writes one JSON document to stdout.
Exit codes: 0 pass or warn (or open), 10 fail, 11 error (could not verify), 12 interrupted.
`
}

// Help shows what to do next. It asks no store and judges no drill file, so
// that it always comes at once.
func (h *Home) Help() error {
	files, _ := spec.Loader{WithoutSecrets: true}.LoadAll(h.drillsDir()) // no folder, no drills
	next := "Next: " + command("init -url=URL -name=NAME")
	if len(files) > 0 {
		next = fmt.Sprintf("Next: %s (there are: %s)", command("drill -name="+files[0].Name), someNames(files))
	}
	for _, t := range UserTargets {
		options := []string{}
		for _, o := range t.Options {
			options = append(options, o.Name)
		}
		h.Document.Targets = append(h.Document.Targets, TargetState{t.Name, options})
	}
	_, err := fmt.Fprintln(h.Stdout, usage()+next)
	return err
}

// someNames is as many names as fit into a line.
func someNames(files []spec.Loaded) string {
	const most = 5
	var names []string
	for _, f := range files[:min(most, len(files))] {
		names = append(names, f.Name)
	}
	if more := len(files) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
