package scenarios

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/testneed"
)

// demoDrills is the repository's drills/, seen from this package.
const demoDrills = "../drills"

func demoDump(t testing.TB) (name string, dump []byte) {
	t.Helper()
	s := &Store{dir: demoDrills}
	name, dump, err := s.newest()
	if err != nil {
		t.Fatal(err)
	}
	return name, dump
}

func TestSetDumpTimeIsReadByPgRestore(t *testing.T) {
	t.Parallel()
	program := testneed.Program(t, "pg_restore")
	_, dump := demoDump(t)
	if err := setDumpTime(dump, time.Date(2031, 12, 24, 23, 59, 58, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.dump")
	if err := os.WriteFile(file, dump, 0o600); err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), program, "-l", file)
	list.Env = append(os.Environ(), "TZ=UTC")
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "created at 2031-12-24 23:59:58") {
		t.Errorf("pg_restore reads another time:\n%.200s", out)
	}
}

func TestSetDumpTimeChangesNothingElse(t *testing.T) {
	t.Parallel()
	_, dump := demoDump(t)
	changed := bytes.Clone(dump)
	if err := setDumpTime(changed, time.Date(2031, 12, 24, 23, 59, 58, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	at, err := dateOffset(dump)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(dump, changed) || !bytes.Equal(dump[:at], changed[:at]) || !bytes.Equal(dump[at+dateLen:], changed[at+dateLen:]) {
		t.Error("more or less than the date has changed")
	}
}

func FuzzSetDumpTime(f *testing.F) {
	_, dump := demoDump(f)
	f.Add(dump[:200])
	f.Add(dump[:compressionAt+intLen+dateLen-1])
	f.Add([]byte(dumpMagic))
	f.Fuzz(func(t *testing.T, dump []byte) {
		length := len(dump)
		setDumpTime(dump, time.Date(2026, 3, 4, 3, 15, 0, 0, time.UTC))
		if len(dump) != length {
			t.Error("the length has changed")
		}
	})
}

// rowsOf is the data of an archive as pg_restore writes it, in no order: the
// server may store updated rows in any.
func rowsOf(t testing.TB, file string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), testneed.Program(t, "pg_restore"), "--data-only", "-f", "-", file).Output()
	if err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
	rows := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	rows = slices.DeleteFunc(rows, func(line string) bool {
		return strings.HasPrefix(line, "--") || strings.HasPrefix(line, `\restrict`) || strings.HasPrefix(line, `\unrestrict`)
	})
	slices.Sort(rows)
	return rows
}
