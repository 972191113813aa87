package verdict

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// MarshalJSON writes the report on one line: a list that is empty is [], never
// null, so that no reader needs to know the difference, and < and > stay
// readable. It holds for every encoder that is handed a report.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report // without this method
	return Encode(plain(r.complete()), "")
}

// JSON is the report as it is kept: indented, ended by a newline.
func (r *Report) JSON() ([]byte, error) {
	type plain Report
	return Encode(plain(r.complete()), "  ")
}

// Encode writes a value as JSON that a person may print: < and > stay readable,
// and no control character stands in it. It ends with a newline.
func Encode(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write it as JSON: %w", err)
	}
	return escapeControls(b.Bytes()), nil
}

// escapeControls escapes the control characters that encoding/json lets
// through (DEL, and C1, of which a terminal takes U+009B for the beginning of
// an escape sequence): values in a report may come from a hostile backup, and
// people print reports with cat. In JSON they stand in strings only.
func escapeControls(b []byte) []byte {
	isLoose := func(r rune) bool { return r >= 0x7f && r <= 0x9f }
	if !bytes.ContainsFunc(b, isLoose) {
		return b
	}
	out := make([]byte, 0, len(b)+64)
	for _, r := range string(b) {
		if isLoose(r) {
			out = fmt.Appendf(out, `\u%04x`, r)
			continue
		}
		out = append(out, string(r)...)
	}
	return out
}

// complete is a copy of the report in which no list is nil.
func (r *Report) complete() Report {
	c := *r
	c.Stages = listed(r.Stages)
	c.Checks = listed(r.Checks)
	c.Tables = listed(r.Tables)
	c.Scrub.Columns = listed(r.Scrub.Columns)
	c.RolesCreated = listed(r.RolesCreated)
	c.LatestEvents = slices.Clone(listed(r.LatestEvents))
	for i := range c.LatestEvents {
		e := &c.LatestEvents[i]
		e.Columns = listed(e.Columns)
		e.Rows = slices.Clone(listed(e.Rows))
		for j := range e.Rows {
			e.Rows[j] = listed(e.Rows[j])
		}
	}
	return c
}

func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
