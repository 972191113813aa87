package document

import (
	"slices"

	"daybefore/internal/copytext"
	"daybefore/internal/jsontext"
	"daybefore/internal/scrub/schema"
	"daybefore/internal/scrub/transform"
	"daybefore/internal/spec"
	"daybefore/internal/spec/jsonpath"
)

// What becomes of values that no path names.
const (
	Redact = "redact"
	Refuse = "refuse"
	Keep   = "keep"
)

// Recipe says what becomes of the values in the JSON documents of a
// column.
type Recipe struct {
	Paths     []Path
	Unmatched string
	Redact    *transform.Recipe // of texts that no path names
	Cipher    *transform.Recipe // whose digest is the key by which these are chosen
	machine   paths             // made of the paths
	told      map[string]bool   // keys that the paths name
}

// Path says what becomes of the values that a path names.
type Path struct {
	jsonpath.Path
	Keys    bool              // it is for the keys of the objects there
	Made    *transform.Recipe // nil: what it names passes
	Link    string
	Pos     spec.Pos
	keys    [][]byte // of the steps, in the encoding of the rows
	written []byte   // constant, as JSON
}

// RecipeFunc makes a rule ready for texts of a column, which are hashed under a
// domain.
type RecipeFunc = func(c *schema.Column, r *spec.Rule, domain transform.Domain) *transform.Recipe

// New makes a rule by paths ready for a column, whose rows are in an encoding.
func New(c *schema.Column, r *spec.Rule, encoding copytext.Encoding, recipe RecipeFunc) *Recipe {
	within := c.AsText()
	out := &Recipe{Unmatched: r.Unmatched, told: map[string]bool{}}
	out.Redact = recipe(within, &spec.Rule{Transform: transform.Text}, transform.DomainOf("", c))
	out.Cipher = transform.Reader(transform.DomainOf("", c).Within("document"), transform.Normal{})
	for i := range r.JSON {
		entry := &r.JSON[i]
		path := Path{Path: entry.Path, Keys: entry.Keys, Link: entry.Link, Pos: entry.Pos}
		for _, step := range entry.Path.Steps {
			key, _ := encoding.Encode(step.Key)
			path.keys = append(path.keys, key)
			out.told[string(key)] = true
		}
		if !entry.Preserve {
			domain := transform.DomainOf(entry.Link, c)
			if entry.Link == "" {
				domain = domain.Within(entry.Path.Source)
				if entry.Keys {
					domain = domain.Within("keys")
				}
			}
			path.Made = recipe(within, &entry.Rule, domain)
		}
		if entry.Transform == transform.Constant && entry.Value != nil {
			path.written, _ = encoding.Encode(jsontext.Constant(*entry.Value))
		}
		out.Paths = append(out.Paths, path)
	}
	out.machine = newPaths(out.Paths)
	return out
}

// PassesSome reports whether texts may stay as they are: those that a path
// preserves, or all that no path names.
func (r *Recipe) PassesSome() bool {
	return r.Unmatched == Keep || slices.ContainsFunc(r.Paths, func(p Path) bool { return p.Made == nil })
}

// KeysStay reports whether keys may stay as they are: they do but for what is said of
// them, unless the documents are replaced as wholes.
func (r *Recipe) KeysStay() bool {
	return !slices.ContainsFunc(r.Paths, func(p Path) bool { return len(p.Steps) == 0 && !p.Keys && p.whole() })
}

// Place is what the path names, in words.
func (p *Path) Place() string {
	if p.Keys {
		return "an object at " + p.Source
	}
	return p.Source
}
