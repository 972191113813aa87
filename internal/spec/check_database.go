package spec

import (
	"maps"
	"slices"
	"strings"
)

// database reads what is expected of the database as a whole.
func (c checker) database(raw *rawExpectations, e *Expectations) {
	extensions := unique[string]{}
	for _, t := range raw.Extensions {
		extensions.check(c, t, t.Value, "expectations.extensions", "list it once")
		e.Extensions = append(e.Extensions, c.filled(t, "expectations.extensions", "write an extension's name"))
	}
	e.Settings = c.settings(raw.Settings)
	e.UnlistedTables = raw.UnlistedTables.or("ignore")
	e.Sequences = raw.Sequences.given()
	e.Indexes = raw.Indexes.given()
	e.Constraints = raw.Constraints.given()
	e.MaterializedViews = raw.MaterializedViews.given()
	e.Collations = raw.Collations.given()
	e.Schema = c.schema(raw.Schema)
	e.CodeOnNew = "ignore"
	if raw.CodeRan != nil {
		e.CodeOnNew = raw.CodeRan.OnNew.or("ignore")
	}
	e.Amcheck = c.amcheck(raw.Amcheck)
	e.Canary = c.canary(raw.Canary)
	e.WarnOnly = c.warnOnly(raw)
}

// ofDatabase reports whether anything is expected of the database as a whole.
func (e Expectations) ofDatabase() bool {
	return len(e.Extensions) > 0 || len(e.Settings) > 0 || e.UnlistedTables != "ignore" ||
		e.Sequences || e.Indexes || e.Constraints || e.MaterializedViews || e.Collations || e.Schema != nil ||
		e.Amcheck != nil || e.Canary != nil
}

func (c checker) amcheck(raw *rawAmcheck) *Amcheck {
	if raw == nil {
		return nil
	}
	if !raw.Heap.Value && !raw.Indexes.Value {
		c.refuse(raw.at, "write heap: true, indexes: true or both", "expectations.amcheck looks at nothing")
	}
	return &Amcheck{Heap: raw.Heap.Value, Indexes: raw.Indexes.Value, Rows: raw.Depth.or("rows") == "rows"}
}

// settings are compared by their names in small letters, as the server does.
func (c checker) settings(raw map[string]text) []Setting {
	var all []Setting
	seen := unique[string]{}
	for _, written := range slices.Sorted(maps.Keys(raw)) {
		name := strings.ToLower(written)
		if written == "" || strings.ContainsAny(written, blanks+"=") {
			c.refuse(raw[written].at, "write a setting's name, such as timezone",
				"expectations.settings: %s is not a setting's name", shown(written))
		}
		seen.check(c, raw[written], name, "expectations.settings", "list it once")
		all = append(all, Setting{Name: name, Value: raw[written].Value})
	}
	return all
}

// warnOnly refuses to weigh what is not judged.
func (c checker) warnOnly(raw *rawExpectations) []string {
	s := raw.Severity
	if s == nil {
		return nil
	}
	var keys []string
	for _, k := range []struct {
		key      string
		severity text
		declared bool
	}{
		{"roles", s.Roles, len(raw.Roles) > 0},
		{"extensions", s.Extensions, len(raw.Extensions) > 0},
		{"settings", s.Settings, len(raw.Settings) > 0},
		{"sequences", s.Sequences, raw.Sequences.given()},
		{"indexes", s.Indexes, raw.Indexes.given()},
		{"constraints", s.Constraints, raw.Constraints.given()},
		{"materialized_views", s.MaterializedViews, raw.MaterializedViews.given()},
		{"collations", s.Collations, raw.Collations.given()},
	} {
		switch {
		case k.severity.given() && !k.declared:
			c.refuse(k.severity.at, "declare it under expectations, or remove it here",
				"expectations.severity.%s: %s are not judged", k.key, strings.ReplaceAll(k.key, "_", " "))
		case k.severity.Value == "warn":
			keys = append(keys, k.key)
		}
	}
	return keys
}
