package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"daybefore/internal/spec/folder"
)

// structureVersion is that of a baseline file's shape.
const structureVersion = 1

// Structure is what a database consists of, as a baseline file keeps it: the
// kind and the name of each object, such as "column public.orders.id", with
// what it is.
type Structure struct {
	Version int `json:"version"`
	// PostgreSQL is the major version of the server that wrote Definitions:
	// others write the same in other words.
	PostgreSQL int `json:"postgresql"`
	// Salt keys the fingerprints that stand for texts which may hold values.
	Salt        string            `json:"salt"`
	Objects     map[string]string `json:"objects"`     // in words of our own
	Definitions map[string]string `json:"definitions"` // of some of them, in the server's
}

// NewStructure is an empty one.
func NewStructure(postgresql int, salt string) *Structure {
	return &Structure{
		Version: structureVersion, PostgreSQL: postgresql, Salt: salt,
		Objects: map[string]string{}, Definitions: map[string]string{},
	}
}

// JSON is the baseline file, an object a line.
func (s *Structure) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("write a structure as JSON: %w", err)
	}
	return b.Bytes(), nil
}

// ParseStructure reads a baseline file.
func ParseStructure(content []byte) (*Structure, error) {
	s := &Structure{}
	err := json.Unmarshal(content, s)
	switch {
	case err != nil:
		return nil, fmt.Errorf("not a baseline: %w", err)
	case s.Version != structureVersion:
		return nil, fmt.Errorf("not a baseline of version %d", structureVersion)
	case s.Salt == "" || len(s.Objects) == 0:
		return nil, errors.New("not a baseline: it holds no objects")
	}
	return s, nil
}

// schema reads what the structure is compared with. The file's path counts
// from the folder that holds drills/.
func (c checker) schema(raw *rawSchema) *Baseline {
	if raw == nil {
		return nil
	}
	const key = "expectations.schema"
	s := &Baseline{
		File:    c.filled(raw.Baseline, key+".baseline", "write a path such as drills/shop.schema.json"),
		OnAdded: raw.OnAdded.or("warn"), OnRemoved: raw.OnRemoved.or("fail"), OnChanged: raw.OnChanged.or("fail"),
		Pos: raw.at,
	}
	if s.OnAdded == "ignore" && s.OnRemoved == "ignore" && s.OnChanged == "ignore" {
		c.refuse(raw.at, "let one of on_added, on_removed, on_changed warn or fail", "%s ignores every difference", key)
	}
	s.Path = s.File
	if !filepath.IsAbs(s.Path) {
		s.Path = filepath.Join(c.folder, "..", s.Path)
	}
	if raw.Baseline.given() && s.File != "" && !c.loader.WithoutBaseline {
		s.Structure = c.baseline(raw.Baseline, s.Path)
	}
	return s
}

func (c checker) baseline(t text, path string) *Structure {
	const key = "expectations.schema.baseline"
	write := "write it: bin/drill baseline -name=" + folder.NameOf(c.file)
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		c.refuse(t.at, write, "%s: %s is not there", key, path)
		return nil
	}
	if err != nil {
		c.refuse(t.at, "let this user read it", "%s: %v", key, err)
		return nil
	}
	s, err := ParseStructure(content)
	if err != nil {
		c.refuse(t.at, "take it from version control, or "+write, "%s: %s: %v", key, path, err)
		return nil
	}
	return s
}
