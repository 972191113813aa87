package spec

import (
	"cmp"
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
)

// YAML is the rule as an item of scrub.rules, with the keys that a proposal has.
// Between stands before each of its paths and fields; where it is empty, a blank
// does.
func (r *Rule) YAML(between string) string {
	parts := append([]string{"column: " + YAMLText(r.Column.Source)}, r.change()...)
	if r.Unmatched != "" {
		parts = append(parts, "unmatched_paths: "+r.Unmatched)
	}
	list := func(items []string) string {
		return "[" + between + strings.Join(items, ","+cmp.Or(between, " ")) + "]"
	}
	var within []string
	for i := range r.JSON {
		path := YAMLText(r.JSON[i].Path.Source)
		if r.JSON[i].Keys {
			path += ", keys: true"
		}
		within = append(within, braced("path", path, &r.JSON[i].Rule))
	}
	for i := range r.Fields {
		within = append(within, braced("field", YAMLText(r.Fields[i].Source), &r.Fields[i].Rule))
	}
	switch {
	case len(r.JSON) > 0:
		parts = append(parts, "json: "+list(within))
	case len(r.Fields) > 0:
		parts = append(parts, "fields: "+list(within))
	}
	return "- {" + strings.Join(parts, ", ") + "}"
}

func braced(key, value string, r *Rule) string {
	return "{" + strings.Join(append([]string{key + ": " + value}, r.change()...), ", ") + "}"
}

// change are the keys of what becomes of a value.
func (r *Rule) change() []string {
	var parts []string
	add := func(key, value string, given bool) {
		if given {
			parts = append(parts, key+": "+value)
		}
	}
	add("transform", r.Transform, r.Transform != "")
	if r.Value != nil {
		add("value", YAMLText(*r.Value), true)
	}
	if len(r.Values) > 0 {
		var values []string
		for _, v := range r.Values {
			values = append(values, jsonText(v))
		}
		add("values", "["+strings.Join(values, ", ")+"]", true)
	}
	add("link", YAMLText(r.Link), r.Link != "")
	add("normalize", "["+strings.Join(r.Normalize, ", ")+"]", len(r.Normalize) > 0)
	add("each", "true", r.Each)
	add("preserve", "true", r.Preserve)
	add("why", jsonText(r.Why), r.Preserve)
	return parts
}

var plainText = regexp.MustCompile(`^[\pL_][\pL\pN_.]*$`)

// YAMLText is a text as YAML within braces reads it again. The YAML library's
// own flow style loses line ends and tabs.
func YAMLText(s string) string {
	switch {
	case plainText.MatchString(s):
		return s
	case strings.ContainsFunc(s, unicode.IsControl):
		return jsonText(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// YAMLTexts are texts as YAML within brackets reads them again.
func YAMLTexts(texts []string) string {
	var all []string
	for _, s := range texts {
		all = append(all, YAMLText(s))
	}
	return strings.Join(all, ", ")
}

// jsonText is a text in double quotes, which YAML takes as JSON has them.
func jsonText(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a string, into memory
	return strings.TrimSuffix(b.String(), "\n")
}
