package harness

import (
	"fmt"

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

// usage has the user's targets by task, in ten lines of 80 columns with that of the
// drills.
func usage() string {
	return `Usage: ` + command("TARGET [-option=value ...]") + `; help TARGET explains one
  files   init writes a first one; drills, validate and show tell of them
  drill   drill restores a backup and checks it; report makes a page of all
  gate    opens before a deployment, if the newest backup is known to restore
  store   inventory judges all its backups; witness says what would be lost now
  scrub   scrub:draft writes rules for a backup; scrub:show tells what they do
  past    accept takes a change, baseline a structure; mute, verify, runbook
  more    build, image, clean, version, scenarios; -l lists all; -json: as JSON
Exit codes: 0 pass, warn or open; 10 fail; 11 not verified; 12 interrupted.
`
}

// Help shows what to do next. It asks no store and judges no drill file, so
// that it always comes at once.
func (h *Home) Help() error {
	files, _ := spec.Loader{WithoutSecrets: true}.LoadAll(h.drillsDir()) // no folder, no drills
	next := "Next: " + command("init -url=URL -name=NAME")
	if len(files) > 0 {
		next = "Next: " + command("drill -name="+files[0].Name) + " (there are: "
		next += someNames(files, helpWidth-len(next)-len(")")) + ")"
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

// helpWidth is what a terminal shows of a line.
const helpWidth = 80

// someNames is as many names as fit into so many columns, one at least.
func someNames(files []spec.Loaded, room int) string {
	text := files[0].Name
	for i := 1; i < len(files); i++ {
		longer := text + ", " + files[i].Name
		left := len(files) - 1 - i
		if left > 0 && len(longer)+len(more(left)) > room || len(longer) > room {
			return text + more(left+1)
		}
		text = longer
	}
	return text
}

func more(n int) string { return fmt.Sprintf(", %d more", n) }
