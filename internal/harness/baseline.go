package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"daybefore/internal/expect"
	"daybefore/internal/report"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// Baseline drills one database and, if the drill passes, writes what the
// database consists of to the file that expectations.schema names, for later
// drills to be compared with. It says what changed since the one before.
func (h *Home) Baseline(ctx context.Context, name string) error {
	if name == "" {
		return cannot("baseline: -name is required: it is taken of one database")
	}
	ctx, stop := h.interruptible(ctx)
	defer stop()
	defer h.tellPage()
	f, err := h.loadOne(ctx, "baseline", name, spec.Loader{WithoutBaseline: true})
	if err != nil {
		return err
	}
	if f.Err != nil {
		fmt.Fprintln(h.Stderr, f.Err)
		return cannot("no baseline of %s: %s", f.Name, notLoaded(f))
	}
	b := f.Drill.Expectations.Schema
	if b == nil {
		return cannot("no baseline of %s: say under expectations where it is kept, such as schema: "+
			"{baseline: drills/%s.schema.json}", f.Name, f.Name)
	}
	before, err := readBaseline(b.Path)
	if err != nil {
		return cannot("no baseline of %s: %v; fix or remove the file", f.Name, err)
	}
	if before != nil {
		b.Salt = before.Salt // so that what did not change reads as before
	}
	h.sweep(ctx)
	var now *spec.Structure
	r := h.drillFor(ctx, f, report.NewScreen(h.Stderr), func(*verdict.Report) {},
		request{structure: func(s *spec.Structure) { now = s }})
	if err := h.conclude([]*verdict.Report{r}); err != nil {
		return err
	}
	if now == nil {
		return cannot("no baseline of %s: the drill never came to the database's structure", f.Name)
	}
	if err := writeBaseline(b.Path, now); err != nil {
		return cannot("no baseline of %s: %v", f.Name, err)
	}
	h.Document.Baseline = &BaselineState{File: b.File, Objects: len(now.Objects), First: before == nil,
		Changes: []string{}}
	if before != nil {
		h.Document.Baseline.Changes = append([]string{}, expect.Differences(before, now)...)
	}
	return tellBaseline(h.Stdout, h.Document.Baseline)
}

// readBaseline gives nil where there is none yet.
func readBaseline(path string) (*spec.Structure, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := spec.ParseStructure(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func writeBaseline(path string, s *spec.Structure) error {
	text, err := s.JSON()
	if err != nil {
		return err
	}
	return writeWhole(path, text)
}

// writeWhole leaves a file as it was, or whole.
func writeWhole(path string, text []byte) error { return placeWhole(path, text, os.Rename) }

// placeWhole writes a text beside its path, and has put bring it there.
func placeWhole(path string, text []byte, put func(from, to string) error) error {
	// hidden: a folder of drill files is read meanwhile
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // gone, if put renamed it
	_, err = temp.Write(text)
	if err := errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return put(temp.Name(), path)
}

func tellBaseline(w io.Writer, b *BaselineState) error {
	said := ", with what changed\n"
	switch {
	case b.First:
		said = fmt.Sprintf(", %d objects; keep it in version control beside the drill file\n", b.Objects)
	case len(b.Changes) == 0:
		said = ", as it was\n"
	}
	for _, line := range b.Changes {
		said += "  " + line + "\n"
	}
	_, err := fmt.Fprintf(w, "\nwritten: %s%s", b.File, said)
	return err
}
