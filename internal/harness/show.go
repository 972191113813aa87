package harness

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"daybefore/internal/spec"
	"daybefore/internal/spec/tree"
)

// ShownDrill is a drill's effective file, for a program.
type ShownDrill struct {
	Drill    string     `json:"drill"`
	File     string     `json:"file"`
	Database string     `json:"database,omitempty"`
	SHA256   string     `json:"drill_sha256"` // as the drill's reports have it
	Keys     []ShownKey `json:"keys"`
}

// ShownKey is a key that holds a value, and where it stands.
type ShownKey struct {
	Key    string `json:"key"`
	Value  any    `json:"value"` // texts, as they are written, in lists and maps
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// Show prints the effective drill files of those that are named, or of all:
// with the defaults below them and their database put in, each key with the
// place that it comes from. What is printed of one is a drill file again.
func (h *Home) Show(ctx context.Context, wanted string) error {
	ctx, stop := h.interruptible(ctx)
	defer stop()
	drills, err := h.load(ctx, wanted, spec.Loader{WithoutSecrets: true})
	if err != nil {
		return err
	}
	onlyOnce(drills)
	var whole []spec.Loaded
	var broken []string
	for _, f := range drills {
		if f.Err != nil {
			fmt.Fprintln(h.Stderr, f.Err)
			broken = append(broken, f.Name+": "+notLoaded(f))
			continue
		}
		whole = append(whole, f)
		h.Document.Shown = append(h.Document.Shown, shownDrill(f))
	}
	err = h.showYAML(whole)
	if err == nil && len(broken) > 0 {
		return cannot("%s", strings.Join(broken, ", "))
	}
	return err
}

// showYAML prints one document a drill.
func (h *Home) showYAML(drills []spec.Loaded) error {
	for i, f := range drills {
		if i > 0 {
			fmt.Fprintln(h.Stdout, "---")
		}
		note := func(e tree.Entry) string { return origin(f, e) }
		_, err := fmt.Fprintf(h.Stdout, "# The drill %s, as it is run.\n%s", f.Name, f.Effective.YAML(note))
		if err != nil {
			return err
		}
	}
	return nil
}

// origin says where a key comes from: shop.yaml:7, defaults.yaml:3.
func origin(f spec.Loaded, e tree.Entry) string {
	at := e.Key.At
	file := at.File
	if file == "" {
		file = f.Path
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), at.Line)
}

// shownDrill is a drill for a program.
func shownDrill(f spec.Loaded) ShownDrill {
	d := ShownDrill{Drill: f.Name, File: f.Path, Database: f.Database, SHA256: f.Drill.SHA256}
	f.Effective.Values(func(path string, e tree.Entry) {
		k := ShownKey{Key: path, Value: e.Value.Plain(), File: e.Key.At.File, Line: e.Key.At.Line, Column: e.Key.At.Column}
		if k.File == "" {
			k.File = f.Path
		}
		d.Keys = append(d.Keys, k)
	})
	return d
}
