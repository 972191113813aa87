package keeper

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPlan writes plans down and reads them back.
func TestPlan(t *testing.T) {
	t.Parallel()
	for _, p := range []Plan{
		{},
		{Args: []string{"a", "", "with : and \n"}, Env: []string{"A=1"}, Dir: "/", Account: &Account{1, 2}, Keeper: &Account{3, 4}, Degree: Enclosed,
			Root: "/r", Programs: []string{"/opt/x"}, Binds: []Bind{{"/a", "/b", true}, {"/c", "/d", false}}, Limits: Limits{1, 2, 3, 4},
			Deadline: time.Unix(7, 9), Filters: [][]byte{{0, 255}, {}}, Users: true, Dropped: true},
	} {
		got, err := decode(p.Encode())
		if err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("got %+v, %v; want %+v", got, err, p)
		}
		for n := range p.Encode() {
			if _, err := decode(p.Encode()[:n]); err == nil {
				t.Errorf("%d of %d bytes are a plan", n, len(p.Encode()))
			}
		}
	}
	for _, told := range []Told{{Started: true}, {Ended: "deadline"}, {Step: "mount: x\ny", Errno: 1}} {
		line := told.encode()
		if got, err := DecodeTold(line[:len(line)-1]); err != nil || got != told {
			t.Errorf("got %+v, %v; want %+v", got, err, told)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Plan{Args: []string{"a"}}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := decode(b); err == nil {
			if again, err := decode(p.Encode()); err != nil || !reflect.DeepEqual(again, p) {
				t.Errorf("%q is %+v, and then %+v, %v", b, p, again, err)
			}
		}
	})
}

// TestImports holds a keeper to what is initialized before any other package.
func TestImports(t *testing.T) {
	t.Parallel()
	early := map[string]bool{"errors": true, "io": true, "os": true, "runtime": true, "strconv": true, "syscall": true, "time": true, "unsafe": true}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); !early[path] && !strings.HasSuffix(name, "_test.go") {
				t.Errorf("%s imports %s, before which others are initialized: see the package's comment", name, path)
			}
		}
	}
}
