package document

import (
	"encoding/json"
	"strings"

	"daybefore/internal/scrub/schema"
	"daybefore/internal/spec/jsonpath"
)

// samples are documents that hold what the paths name, with values that their
// transforms are at home with, and a member of each name that a constraint knows.
func (r *Recipe) Samples(within *schema.Column, named []string) []string {
	all := []string{"{}", "[]", `"x"`, "1"}
	add := func(values func(path *Path) []any, members []any) {
		for i := range most(values, r.Paths) {
			var document any
			for j := range r.Paths {
				fitting := values(&r.Paths[j])
				document = plant(document, r.Paths[j].Steps, fitting[i%len(fitting)])
			}
			for _, name := range named {
				document = plant(document, membersOf(name), members[i%len(members)])
			}
			if b, err := json.Marshal(document); err == nil && document != nil {
				all = append(all, string(b))
			}
		}
	}
	texts := func(path *Path) []any {
		var values []any
		switch {
		case path.Keys:
			return []any{map[string]any{"someone": 1}}
		case path.Made == nil:
			return []any{"x"}
		}
		for _, s := range path.Made.Inputs(within) {
			values = append(values, s)
		}
		return values
	}
	numbers := func(*Path) []any { return []any{42, 7.5, -1} }
	add(texts, []any{"x", 1, true})
	add(numbers, []any{1, "x"})
	for _, v := range named {
		add(numbers, []any{v})
		add(func(*Path) []any { return []any{v} }, []any{v})
		if json.Valid([]byte(v)) {
			add(func(*Path) []any { return []any{json.RawMessage(v)} }, []any{json.RawMessage(v)})
		}
	}
	return all
}

func most(values func(*Path) []any, of []Path) int {
	n := 1
	for i := range of {
		n = max(n, len(values(&of[i])))
	}
	return n
}

// membersOf are the steps to a member that a constraint names: by its name, or
// by those that lead to it, as #> takes them.
func membersOf(name string) []jsonpath.Step {
	var steps []jsonpath.Step
	if inner, ok := strings.CutPrefix(name, "{"); ok && strings.HasSuffix(inner, "}") {
		for _, key := range strings.Split(inner[:len(inner)-1], ",") {
			steps = append(steps, jsonpath.Step{Key: key})
		}
		return steps
	}
	return append(steps, jsonpath.Step{Key: name})
}

// plant puts a value where the steps lead, and makes what they lead through;
// what is there already stays.
func plant(at any, steps []jsonpath.Step, value any) any {
	const longest = 8
	if len(steps) == 0 {
		if at == nil {
			return value
		}
		return at
	}
	step := steps[0]
	if step.Element {
		list, ok := at.([]any)
		if !ok && at != nil || step.Index >= longest {
			return at
		}
		for len(list) <= step.Index {
			list = append(list, nil)
		}
		list[step.Index] = plant(list[step.Index], steps[1:], value)
		return list
	}
	members, ok := at.(map[string]any)
	if !ok && at != nil {
		return at
	}
	if members == nil {
		members = map[string]any{}
	}
	key := step.Key
	if step.Any {
		key = "any"
	}
	members[key] = plant(members[key], steps[1:], value)
	return members
}
