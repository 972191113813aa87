package reference

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"

	"daybefore/internal/spec"
)

// Schema is the JSON Schema of a drill file, for editors: generated from the
// very shapes that Load reads, indented, with a newline at its end.
func Schema() ([]byte, error) {
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true, LookupComment: describe}
	s := r.ReflectFromType(spec.Shape())
	s.Title = "A restore drill"
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("write the drill file's schema: %w", err)
	}
	return out.Bytes(), nil
}
