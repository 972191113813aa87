package reference

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/invopop/jsonschema"

	"daybefore/internal/spec"
	"daybefore/internal/spec/tree"
)

// Schema is the JSON Schema of a drill file, for editors: generated from the
// very shapes that Load reads, indented, with a newline at its end.
func Schema() ([]byte, error) {
	s := reflected()
	s.Title = "A restore drill"
	return indented(s)
}

// DefaultsSchema is that of drills/defaults.yaml, which lies below all drill
// files: the same without what they alone may say, and no key is required but
// in the items of lists.
func DefaultsSchema() ([]byte, error) {
	s := reflected()
	s.Title = "Defaults of restore drills"
	optional(s, "")
	return indented(s)
}

// optional requires no key of a section, nor takes one that defaults may not
// hold.
func optional(s *jsonschema.Schema, path string) {
	s.Required = nil
	for _, long := range s.OneOf {
		optional(long, path)
	}
	allowed(s, path, func(v *jsonschema.Schema, below string) {
		if v.Items == nil {
			optional(v, below)
		}
		closed(v, below)
	})
}

// closed takes out of the items of lists what defaults may not hold.
func closed(s *jsonschema.Schema, path string) {
	s.Enum = slices.DeleteFunc(s.Enum, func(value any) bool { return spec.NotInDefaults(path, fmt.Sprint(value)) })
	for _, inner := range append(s.OneOf, s.Items) {
		if inner != nil {
			allowed(inner, path, closed)
		}
	}
}

// allowed takes the keys out of a section that defaults may not hold, and visits
// the others.
func allowed(s *jsonschema.Schema, path string, visit func(v *jsonschema.Schema, path string)) {
	for _, key := range keysOf(s) {
		below := tree.Join(path, key)
		if spec.NotInDefaults(below) {
			s.Properties.Delete(key)
			continue
		}
		v, _ := s.Properties.Get(key)
		visit(v, below)
	}
}

func keysOf(s *jsonschema.Schema) (keys []string) {
	for key := range s.Properties.FromOldest() {
		keys = append(keys, key)
	}
	return keys
}

func reflected() *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, LookupComment: describe}
	return r.ReflectFromType(spec.Shape())
}

func indented(s *jsonschema.Schema) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("write the drill file's schema: %w", err)
	}
	return out.Bytes(), nil
}
