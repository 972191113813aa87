package develop_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"daybefore/internal/develop"
	"daybefore/internal/testneed"
)

// Nothing that only Linux has is called on another system. To see that, the types
// are enough; compiling all that bin/drill has takes ten times as long, which
// TestRelease does under dev:matrix.
func TestOtherSystems(t *testing.T) {
	t.Parallel()
	for _, p := range develop.Platforms {
		if p.System != "darwin" || p.Processor != "arm64" && !testneed.Matrix() {
			continue
		}
		t.Run(p.Processor, func(t *testing.T) {
			t.Parallel()
			checked := checked{fset: token.NewFileSet(), types: map[string]*types.Package{"unsafe": types.Unsafe}}
			checked.sizes = types.SizesFor("gc", p.Processor)
			ours := 0
			for _, source := range drillSources(t, p) {
				checked.add(t, source)
				if source.ours() {
					ours++
				}
			}
			if ours < 40 || len(checked.types) < 400 {
				t.Errorf("%d packages, and %d of ours, are too few", len(checked.types), ours)
			}
		})
	}
}

// source is a package as go list tells it.
type source struct {
	ImportPath, Dir string
	GoFiles         []string
	ImportMap       map[string]string
}

func (s source) ours() bool { return strings.HasPrefix(s.ImportPath, "daybefore/") }

// drillSources are the packages that bin/drill has on a platform, each after those
// that it imports.
func drillSources(t *testing.T, p develop.Platform) (all []source) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags=mage", "-json=ImportPath,Dir,GoFiles,ImportMap", "./cmd/drill")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.System, "GOARCH="+p.Processor)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for list := json.NewDecoder(out); ; {
		var s source
		err := list.Decode(&s)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checked are packages whose types have been checked.
type checked struct {
	fset  *token.FileSet
	sizes types.Sizes
	types map[string]*types.Package
}

// add checks one more package: of ours wholly, of others what can be imported.
func (c checked) add(t *testing.T, s source) {
	t.Helper()
	if s.ImportPath == "unsafe" {
		return
	}
	var files []*ast.File
	for _, name := range s.GoFiles {
		file, err := parser.ParseFile(c.fset, filepath.Join(s.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		files = append(files, file)
	}
	config := types.Config{
		IgnoreFuncBodies: !s.ours(),
		Sizes:            c.sizes,
		Error:            func(err error) { t.Error(err) },
		Importer: importing(func(path string) (*types.Package, error) {
			if mapped := s.ImportMap[path]; mapped != "" {
				path = mapped
			}
			if c.types[path] == nil {
				return nil, errors.New("go list did not name it before")
			}
			return c.types[path], nil
		}),
	}
	c.types[s.ImportPath], _ = config.Check(s.ImportPath, c.fset, files, nil) // each error is told already
}

type importing func(path string) (*types.Package, error)

func (i importing) Import(path string) (*types.Package, error) { return i(path) }
