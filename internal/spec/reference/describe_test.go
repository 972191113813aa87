package reference

import (
	"reflect"
	"testing"

	"daybefore/internal/spec"
)

// Each key has a text, and each text a key.
func TestEachKeyIsDescribed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var walk func(shape reflect.Type)
	walk = func(shape reflect.Type) {
		for shape.Kind() == reflect.Pointer || shape.Kind() == reflect.Slice || shape.Kind() == reflect.Map {
			shape = shape.Elem()
		}
		if shape.Kind() != reflect.Struct || seen[shape.String()] {
			return
		}
		seen[shape.String()] = true
		for i := range shape.NumField() {
			f := shape.Field(i)
			if f.Tag.Get("json") != "" && describe(shape, f.Name) == "" {
				t.Errorf("%s.%s has no text in described", shape.Name(), f.Name)
			}
			walk(f.Type)
		}
		for field := range described[shape.Name()] {
			if _, ok := shape.FieldByName(field); !ok {
				t.Errorf("described has a text for %s.%s, which is no field", shape.Name(), field)
			}
		}
	}
	walk(spec.Shape())
	for name := range described {
		known := false
		for shape := range seen {
			known = known || shape == "spec."+name || len(shape) > len("spec."+name) && shape[:len("spec."+name)+1] == "spec."+name+"["
		}
		if !known {
			t.Errorf("described has texts for %s, which no key leads to", name)
		}
	}
}
