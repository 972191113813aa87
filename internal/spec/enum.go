package spec

import (
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// enumerations are the lists of values that a tag enum names.
var enumerations = map[string]func() []string{
	"transforms": TransformNames,
	"locales": func() []string {
		return []string{"de_DE", "en_US", "es_ES", "fr_FR", "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "uk_UA"}
	},
	"detectors": func() []string {
		return []string{"email", "phone", "card", "iban", "ip", "national_id", "secret"}
	},
	"when": WhenNames,
	"drop": func() []string {
		return []string{"subscriptions", "user_mappings", "foreign_servers", "event_triggers", "cron_jobs"}
	},
}

// enum lists what a key's value may be, nil where it is free.
func enum(rules reflect.StructTag) []string {
	if list := enumerations[rules.Get("enum")]; list != nil {
		return list()
	}
	var allowed []string
	for _, keyword := range strings.Split(rules.Get("jsonschema"), ",") {
		if value, ok := strings.CutPrefix(keyword, "enum="); ok {
			allowed = append(allowed, value)
		}
	}
	return allowed
}

// enumerate writes the lists that a shape's tags name into its schema.
func enumerate(s *jsonschema.Schema, shape reflect.Type) {
	for _, f := range fieldsOf(shape) {
		list := enumerations[f.tag.Get("enum")]
		if list == nil {
			continue
		}
		property, ok := s.Properties.Get(f.key)
		if !ok {
			continue
		}
		if property.Items != nil {
			property = property.Items
		}
		for _, value := range list() {
			property.Enum = append(property.Enum, value)
		}
	}
}

// JSONSchemaExtend lists what may be said.
func (rawScrub) JSONSchemaExtend(s *jsonschema.Schema) { enumerate(s, reflect.TypeFor[rawScrub]()) }

// JSONSchemaExtend lists what may be said.
func (rawLeakScan) JSONSchemaExtend(s *jsonschema.Schema) {
	enumerate(s, reflect.TypeFor[rawLeakScan]())
}

// JSONSchemaExtend lists what may be said.
func (rawNotify) JSONSchemaExtend(s *jsonschema.Schema) { enumerate(s, reflect.TypeFor[rawNotify]()) }

// JSONSchemaExtend lists what may be said.
func (rawChannel) JSONSchemaExtend(s *jsonschema.Schema) {
	enumerate(s, reflect.TypeFor[rawChannel]())
}
