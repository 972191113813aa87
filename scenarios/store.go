package scenarios

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"daybefore/internal/harness"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

// Where the parts of a scenario lie, seen from its folder: the same layout as the
// repository's, so that the harness is at home in it.
const (
	demoName   = "demo"
	drillsDir  = "drills"
	drillFile  = demoName + ".yaml"
	backupsDir = demoName + "/backups"
	sideSuffix = ".sha256"

	// beside the backups, as a drill file names them
	baselineFile = "schema.json"
	witnessFile  = "admin.jsonl"
)

// Store is a scenario's own copy of the demo: its drill file and its backups,
// to be broken at will.
type Store struct {
	dir    string   // drills/ in the scenario's folder
	kind   string   // of sandbox, as the drill file names it
	atExit []func() // what the break has started
}

// newStore copies the demo from the folder drills into the folder home, for a
// kind of sandbox; for the one that the demo names if that is empty.
func newStore(drills, home, kind string) (*Store, error) {
	dir := filepath.Join(home, drillsDir)
	if err := os.CopyFS(filepath.Join(dir, backupsDir), os.DirFS(filepath.Join(drills, backupsDir))); err != nil {
		return nil, fmt.Errorf("copy the demo's backups: %w", err)
	}
	for _, name := range []string{baselineFile, witnessFile} {
		text, err := os.ReadFile(filepath.Join(drills, demoName, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, demoName, name), text, 0o644)
		}
		if err != nil {
			return nil, fmt.Errorf("copy the demo's %s: %w", name, err)
		}
	}
	text, err := os.ReadFile(filepath.Join(drills, drillFile))
	if err != nil {
		return nil, fmt.Errorf("copy the demo's drill file: %w", err)
	}
	s := &Store{dir: dir, kind: sandbox.Auto}
	if err := os.WriteFile(s.drill(), text, 0o644); err != nil || kind == "" {
		return s, err
	}
	if err := s.editDrill(kindLine(s.kind), kindLine(kind)); err != nil {
		return nil, err
	}
	s.kind = kind
	return s, nil
}

// kindLine is the drill file's line that names a kind of sandbox.
func kindLine(kind string) string { return "  kind: " + kind + "\n" }

// close ends what the break has started.
func (s *Store) close() {
	for _, end := range slices.Backward(s.atExit) {
		end()
	}
}

// home is the folder in which a harness drills it.
func (s *Store) home() string { return filepath.Dir(s.dir) }

func (s *Store) harness(b *Maker) *harness.Home {
	return quiet(s.home(), b.log)
}

// drilled drills what is there so far, as on a night before, and wants an
// outcome of it.
func (s *Store) drilled(ctx context.Context, b *Maker, want verdict.Outcome) error {
	r, err := drill(ctx, s.home(), b.log)
	if err != nil {
		return err
	}
	if r.Outcome != want {
		return fmt.Errorf("the drill before came to %s, not %s", r.Outcome, want)
	}
	return nil
}

func (s *Store) drill() string             { return filepath.Join(s.dir, drillFile) }
func (s *Store) path(backup string) string { return filepath.Join(s.dir, backupsDir, backup) }

// backups returns the names of the backups, the newest last.
func (s *Store) backups() ([]string, error) {
	files, err := os.ReadDir(s.path(""))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), sideSuffix) {
			names = append(names, f.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no backup in %s", s.path(""))
	}
	slices.Sort(names)
	return names, nil
}

// put writes a backup and a side file that vouches for it.
func (s *Store) put(name string, dump []byte) error { return writeBackup(s.path(""), name, dump) }

// writeBackup writes a backup and its side file into the folder dir.
func writeBackup(dir, name string, dump []byte) error {
	if err := os.WriteFile(filepath.Join(dir, name), dump, 0o644); err != nil {
		return err
	}
	side := fmt.Sprintf("%x  %s\n", sha256.Sum256(dump), name)
	return os.WriteFile(filepath.Join(dir, name+sideSuffix), []byte(side), 0o644)
}

// remove removes a backup and its side file.
func (s *Store) remove(name string) error {
	if err := os.Remove(s.path(name)); err != nil {
		return err
	}
	return os.Remove(s.path(name) + sideSuffix)
}

// editDrill replaces the one place of the drill file that reads old.
func (s *Store) editDrill(old, new string) error {
	text, err := os.ReadFile(s.drill())
	if err != nil {
		return err
	}
	if n := strings.Count(string(text), old); n != 1 {
		return fmt.Errorf("edit %s: %q is there %d times, want once", drillFile, old, n)
	}
	return os.WriteFile(s.drill(), []byte(strings.Replace(string(text), old, new, 1)), 0o644)
}

// newest returns the newest backup's name and bytes.
func (s *Store) newest() (name string, dump []byte, err error) {
	names, err := s.backups()
	if err != nil {
		return "", nil, err
	}
	name = names[len(names)-1]
	dump, err = os.ReadFile(s.path(name))
	return name, dump, err
}
