package drill_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybefore/internal/sandbox"
)

// needles are what is looked for: under a name, the forms that it may take in
// a file.
type needles map[string][]string

// text are the forms of a text: as it is, in JSON, as PHP writes that, and as
// pg_dump writes bytes.
func text(value string) []string {
	quoted, _ := json.Marshal(value)
	inner := string(quoted[1 : len(quoted)-1])
	forms := []string{value, inner, strings.ReplaceAll(inner, "/", `\/`), hex.EncodeToString([]byte(value))}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// leastNeedle is the length of the shortest: an IPv4 address as tuples hold it.
const leastNeedle = 6

// finder notes which needles the bytes written to it hold, in one pass.
type finder struct {
	t       *testing.T
	starts  map[[leastNeedle]byte][]needle
	maybe   [1 << 16]bool // by the first bytes, for most positions to cost no more
	longest int
	kept    []byte
	found   map[string]bool
}

type needle struct{ name, form string }

func newFinder(t *testing.T, all needles) *finder {
	f := &finder{t: t, starts: map[[leastNeedle]byte][]needle{}, found: map[string]bool{}}
	for name, forms := range all {
		for _, form := range forms {
			if len(form) < leastNeedle {
				t.Fatalf("%s is too short to be looked for", name)
			}
			start := [leastNeedle]byte([]byte(form[:leastNeedle]))
			f.starts[start] = append(f.starts[start], needle{name, form})
			f.maybe[mixed(start[:])] = true
			f.longest = max(f.longest, len(form))
		}
	}
	return f
}

func mixed(b []byte) uint16 {
	return uint16((uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40) * 0x9E3779B97F4A7C15 >> 48)
}

func (f *finder) Write(p []byte) (int, error) {
	f.kept = append(f.kept, p...)
	for i := 0; i+leastNeedle <= len(f.kept); i++ {
		b := f.kept[i:]
		if !f.maybe[mixed(b)] {
			continue
		}
		for _, n := range f.starts[[leastNeedle]byte(b)] {
			if !f.found[n.name] && bytes.HasPrefix(b, []byte(n.form)) {
				f.found[n.name] = true
			}
		}
	}
	f.kept = append(f.kept[:0], f.kept[max(0, len(f.kept)-f.longest+1):]...)
	return len(p), nil
}

// names are what was found, or what was not.
func (f *finder) names(all needles, found bool) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(n string) bool { return f.found[n] != found })
}

// files looks into every file of the sandbox but the backup itself, which lies
// in the spool or where pg_restore reads it: the data directory with its WAL,
// what the server logged, and all that lies beside.
func (f *finder) files(ctx context.Context, box sandbox.Box) {
	f.t.Helper()
	conn, err := box.DB().Connect(ctx, "template1")
	if err != nil {
		f.t.Error(err)
		return
	}
	defer conn.Close(ctx)
	var dir string
	if err := conn.QueryRow(ctx, "select current_setting('data_directory')").Scan(&dir); err != nil {
		f.t.Error(err)
	}
	if _, err := conn.Exec(ctx, "checkpoint"); err != nil {
		f.t.Error(err)
	}
	// The server removes files meanwhile, such as an exported snapshot; not twice in a row.
	const all = `find "$0" -type f -exec cat {} + || find "$0" -type f -exec cat {} +`
	f.run(ctx, box, sandbox.Command{Args: []string{"sh", "-c", all, dir}, Beside: true})
	work := filepath.Dir(filepath.Dir(box.HostPath("x")))
	err = filepath.WalkDir(work, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && (path == filepath.Join(work, "local") || path == filepath.Join(work, "spool")) {
			return fs.SkipDir
		}
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(path, box.HostPath("archive")) {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil {
			_, err = f.Write(append(content, 0))
		}
		return err
	})
	if err != nil {
		f.t.Error(err)
	}
}

// dump looks into what pg_dump makes of a restored database.
func (f *finder) dump(ctx context.Context, box sandbox.Box, database string) {
	f.t.Helper()
	f.run(ctx, box, sandbox.Command{Args: []string{"pg_dump", "-C", database}})
}

// processes looks into the command lines of all processes of this machine.
func (f *finder) processes() {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range all {
		if content, err := os.ReadFile(path); err == nil { // it may have ended
			_, _ = f.Write(append(content, 0))
		}
	}
}

func (f *finder) run(ctx context.Context, box sandbox.Box, c sandbox.Command) {
	f.t.Helper()
	c.Stdout = f
	c.Stderr = func(line string) { f.t.Log(line) }
	if err := box.Run(ctx, c); err != nil {
		f.t.Error(err)
	}
}

// What is looked for is found wherever a write ends, and in a command line.
func TestTheSearchFinds(t *testing.T) {
	t.Parallel()
	all := needles{"whole": {"a needle in one write"}, "split": {"a needle in several"}, "running": {"a needle in a command line"},
		"nowhere": {"a needle in no place"}}
	f := newFinder(t, all)
	_, _ = f.Write([]byte("hay a needle in one write and a needle i"))
	_, _ = f.Write([]byte("n seve"))
	_, _ = f.Write([]byte("ral hay a needle in no"))
	_, _ = f.Write([]byte(" hay"))
	cmd := exec.Command("sh", "-c", "read line", "a needle in a command line")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f.processes()
	in.Close()
	_ = cmd.Wait() // read meets the end of its input
	if missing := f.names(all, false); !slices.Equal(missing, []string{"nowhere"}) {
		t.Errorf("not found: %q", missing)
	}
}
