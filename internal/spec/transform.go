package spec

import (
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// Transform is what a drill file may say of one transform, and what it promises.
type Transform struct {
	Name     string
	For      string      // types, in words
	Apart    bool        // different values stay different, but for a chance of 2^-64 and less
	Hashes   bool        // what it makes depends on the value and the key alone: it takes link and normalize
	Words    bool        // it takes words of a locale
	Elements bool        // it goes through an array element by element
	Template bool        // it may stand in a template: how a value is written does not matter to it
	Takes    []string    // parameters beside those that the above imply
	Needs    []Parameter // of Takes, without which it makes nothing
}

// Parameter is a key that a rule must have, and how it is written.
type Parameter struct{ Key, Example string }

// named is the key in a sentence.
func (p Parameter) named() string {
	if strings.HasSuffix(p.Key, "s") {
		return p.Key
	}
	return "a " + p.Key
}

// Transforms are all that a rule may name: the table from which the drill file's
// values, its schema and its checks are made, and which the documentation and
// what rewrites the values are compared with. internal/scrub/transform has a
// writer for each.
var Transforms = []Transform{
	{Name: "email", For: "text", Apart: true, Hashes: true, Elements: true, Template: true},
	{Name: "name", For: "text", Hashes: true, Words: true, Elements: true, Template: true},
	{Name: "first_name", For: "text", Hashes: true, Words: true, Elements: true, Template: true},
	{Name: "last_name", For: "text", Hashes: true, Words: true, Elements: true, Template: true},
	{Name: "company", For: "text", Hashes: true, Words: true, Elements: true, Template: true},
	{Name: "street", For: "text", Hashes: true, Words: true, Elements: true, Template: true},
	{Name: "city", For: "text", Hashes: true, Words: true, Elements: true, Template: true},
	{Name: "postcode", For: "text", Hashes: true, Elements: true},
	{Name: "phone", For: "text", Hashes: true, Elements: true},
	{Name: "text", For: "text", Hashes: true, Elements: true},
	{Name: "hash", For: "text, uuid, bytea", Apart: true, Hashes: true, Elements: true, Template: true},
	{Name: "token", For: "text", Apart: true, Hashes: true, Elements: true},
	{Name: "uuid", For: "text, uuid", Apart: true, Hashes: true, Elements: true, Template: true},
	{Name: "url", For: "text", Apart: true, Hashes: true, Elements: true, Template: true},
	{Name: "permute", For: "text, integers, numeric, date, timestamp, inet, cidr, macaddr, macaddr8", Apart: true,
		Hashes: true, Elements: true},
	{Name: "ip", For: "text, inet, cidr", Hashes: true, Elements: true},
	{Name: "mac", For: "text, macaddr, macaddr8", Hashes: true, Elements: true},
	{Name: "iban", For: "text", Hashes: true, Elements: true},
	{Name: "card", For: "text, numeric", Hashes: true, Elements: true},
	{Name: "money", For: "money, numbers, text", Elements: true, Takes: []string{"percent"}},
	{Name: "number", For: "numbers, ranges of them", Elements: true, Takes: []string{"link", "percent", "bucket"}},
	{
		Name: "position", For: "numeric, floats, point, text, geometry, geography, bytea", Elements: true,
		Takes: []string{"link", "meters"},
	},
	{Name: "date_shift", For: "dates, timestamps, ranges of them, text", Elements: true,
		Takes: []string{"link", "days", "by"}},
	{Name: "truncate", For: "dates, timestamps, ranges of them, text", Elements: true, Takes: []string{"to"},
		Needs: []Parameter{{"to", "hour, day, month or year"}}},
	{Name: "password", For: "text", Elements: true},
	{Name: "replace", For: "text", Elements: true, Takes: []string{"pattern", "with"},
		Needs: []Parameter{{"pattern", `"…"`}, {"with", `"…", which may be empty`}}},
	{Name: "template", For: "text", Hashes: true, Words: true, Elements: true, Takes: []string{"value"},
		Needs: []Parameter{{"value", `"user-{hash}"`}}},
	{Name: "constant", For: "all", Elements: true, Takes: []string{"value"},
		Needs: []Parameter{{"value", `"…"`}}},
	{Name: "choice", For: "all", Hashes: true, Elements: true, Takes: []string{"values"},
		Needs: []Parameter{{"values", "[a, b]"}}},
	{Name: "set_null", For: "all that may be null"},
}

// TransformNamed is the row of that name; false if there is none.
func TransformNamed(name string) (Transform, bool) {
	i := slices.IndexFunc(Transforms, func(t Transform) bool { return t.Name == name })
	if i < 0 {
		return Transform{}, false
	}
	return Transforms[i], true
}

// TransformNames are those of all, in the order of the table.
func TransformNames() []string {
	return transformsThat(func(Transform) bool { return true })
}

// TemplateTransforms are those that may stand in a template.
func TemplateTransforms() []string {
	return transformsThat(func(t Transform) bool { return t.Template })
}

// transformsWith are the transforms under which a key acts.
func transformsWith(key string) []string {
	return transformsThat(func(t Transform) bool { return t.takes(key) })
}

func transformsThat(is func(Transform) bool) []string {
	var names []string
	for _, t := range Transforms {
		if is(t) {
			names = append(names, t.Name)
		}
	}
	return names
}

// takes reports whether a key acts under the transform.
func (t Transform) takes(key string) bool {
	switch {
	case slices.Contains(t.Takes, key):
		return true
	case key == "link", key == "normalize":
		return t.Hashes
	case key == "locale":
		return t.Words
	case key == "each":
		return t.Elements
	}
	return false
}

// JSONSchemaExtend lists the transforms, and says of each of their parameters
// which take it.
func (rawChange) JSONSchemaExtend(s *jsonschema.Schema) {
	keys := []string{"locale", "values", "percent", "bucket", "meters", "days", "by", "to", "pattern", "with"}
	for _, key := range keys {
		property, ok := s.Properties.Get(key)
		if takers := transformsWith(key); ok && len(takers) > 0 {
			property.Description = strings.Join(takers, ", ") + ": " + property.Description
		}
	}
	enumerate(s, reflect.TypeFor[rawChange]())
}
