package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"daybefore/internal/sandbox"
)

// Every odd archive is made, and drilled in all its ways.
func TestShapes(t *testing.T) {
	needLocal(t)
	o, tmp := home(t, sandbox.Local)
	var out, said bytes.Buffer
	o.Stdout, o.Stderr = &out, &said
	if err := Shapes(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	leftBehind(t, tmp)
	r := read(t, o, "shapes.json")
	for _, s := range shapes(Scales[smallest]) {
		if !strings.Contains(out.String(), s.about) {
			t.Errorf("the table lacks %q:\n%s", s.about, &out)
		}
		for _, w := range s.ways {
			found := r.each(w.way, "", wall)
			if len(found) != 1 || found[0] <= 0 {
				t.Errorf("%s: measured %v", w.way, found)
			}
		}
	}
	if len(r.Limits) != len(shapePromises) {
		t.Errorf("%d limits of %d are judged", len(r.Limits), len(shapePromises))
	}
}

// The checks of a database are compared with psql, which is sent what they
// ask, and with a past.
func TestChecks(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		o, tmp := home(t, kind)
		var out, said bytes.Buffer
		o.Stdout, o.Stderr = &out, &said
		if err := Checks(t.Context(), o); err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		leftBehind(t, tmp)
		r := read(t, o, "checks.json")
		for _, way := range []Way{byPsql, byChecks} {
			found := r.each(way, "", wall)
			if len(found) != 1 || found[0] <= 0 {
				t.Errorf("%s: measured %v", way, found)
			}
		}
		if len(r.Limits) != len(checksPromises) || !strings.Contains(out.String(), "10 tables of 50 rows") {
			t.Errorf("%d limits of %d are judged:\n%s", len(r.Limits), len(checksPromises), &out)
		}
	})
}

// What a connection is asked is written down as psql can send it.
func TestStatements(t *testing.T) {
	t.Parallel()
	var s statements
	f := pgproto3.NewFrontend(nil, io.Discard)
	f.Trace(&s, pgproto3.TracerOptions{SuppressTimestamps: true})
	for _, sql := range []string{"begin read only", "select \"a\"\nfrom json($1::json) -- all", "rollback", "begin read only", "select 1"} {
		f.SendParse(&pgproto3.Parse{Query: sql})
		bind := &pgproto3.Bind{}
		if strings.Contains(sql, "$1") {
			bind.Parameters = [][]byte{[]byte(`[{"s": 1}]`)}
		}
		f.SendBind(bind)
		f.SendExecute(&pgproto3.Execute{})
	}
	want := []string{"begin read only\n;\nselect \"a\"\nfrom json('[{\"s\": 1}]'::json) -- all\n;\nrollback\n;\n", "begin read only\n;\nselect 1\n;\n"}
	if !slices.Equal(s.transactions, want) || s.err != nil {
		t.Errorf("%q, %v", s.transactions, s.err)
	}
}

// Ten drills run in one process, as many at once as was asked for, and the
// database is restored by as many workers as there may be.
func TestScaling(t *testing.T) {
	kinds(t, func(t *testing.T, kind string) {
		o, tmp := home(t, kind)
		var out, said bytes.Buffer
		o.Stdout, o.Stderr = &out, &said
		if err := Scaling(t.Context(), o); err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		leftBehind(t, tmp)
		r := read(t, o, "scaling.json")
		for _, want := range []Way{"by_hand -j1", "scrubbed -j1", allAtOnce, asDefault} {
			found := r.each(want, "", cpu)
			if len(found) != 1 || found[0] <= 0 {
				t.Errorf("%s: %v CPU seconds", want, found)
			}
		}
		for _, s := range r.Samples {
			if several := s.Way == allAtOnce || s.Way == asDefault; several &&
				(s.Declared < drillMemory || s.Memory <= 0 || s.ServerCPU <= 0 || s.HarnessCPU <= 0 || s.PeakRSS < mib) {
				t.Errorf("not measured: %+v", s)
			}
		}
		if len(r.Limits) != len(drillsPromises) {
			t.Errorf("%d limits of %d are judged", len(r.Limits), len(drillsPromises))
		}
	})
}

func read(t *testing.T, o Options, file string) (r Result) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.Dir, "reports", "bench", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNumbersOfWorkers(t *testing.T) {
	t.Parallel()
	for cores, want := range map[int]string{1: "[1]", 2: "[1 2]", 3: "[1 2 3]", 4: "[1 2 4]", 12: "[1 2 4 8 12]"} {
		if got := fmt.Sprint(numbersOfWorkers(cores)); got != want {
			t.Errorf("%d cores: %s, want %s", cores, got, want)
		}
	}
}

func TestTenth(t *testing.T) {
	t.Parallel()
	for scale, want := range map[string]string{"10": "1", "5": "0.5", "2": "0.1", "1": "0.1", "0.5": "0.05", "0.1": "0.01", "0.01": "0.01"} {
		if got := tenth(scale); got != want {
			t.Errorf("a tenth of %s: %s, want %s", scale, got, want)
		}
	}
}
