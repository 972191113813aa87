// Package jsonpath reads how a drill file names values in a JSON document. It
// knows no document, and never decides what becomes of a value.
package jsonpath

import (
	"encoding/json"
	"strconv"
	"strings"

	"daybefore/internal/spec/guess"
)

// Path names values in a JSON document: $.contacts[*].email.
type Path struct {
	Steps  []Step
	Source string // as written
}

// String is the path as it was written.
func (p Path) String() string { return p.Source }

// Step goes from a value to some of those in it.
type Step struct {
	Deep    bool   // at any depth below it, not only right below
	Element bool   // an array's element, not an object's member
	Any     bool   // every one of them
	Index   int    // of the element, from 0
	Key     string // of the member
}

// maxSteps is what a machine word can remember of a path.
const maxSteps = 60

// Parse reads a path: $ is the whole document; .key a member, quoted
// ."like this" where the key holds more than letters, digits, _ and -; .* every
// member; [0] an element, [*] every element; ..key a member at any depth. The
// error is a *Fault.
func Parse(s string) (Path, error) {
	const hint = `write a path such as $.contacts[*].email, $..phone or $."a key"`
	rest, ok := strings.CutPrefix(s, "$")
	if !ok {
		return Path{}, &Fault{guess.Shown(s) + " does not begin with $", hint}
	}
	p := Path{Source: s}
	for rest != "" {
		one, after, ok := step(rest)
		if !ok {
			return Path{}, &Fault{guess.Shown(s) + " is not a path: it goes wrong at " + guess.Shown(rest), hint}
		}
		p.Steps = append(p.Steps, one)
		rest = after
	}
	if len(p.Steps) > maxSteps {
		return Path{}, &Fault{guess.Shown(s) + " has more than " + strconv.Itoa(maxSteps) + " steps",
			"name a value nearer to the top"}
	}
	return p, nil
}

// Fault is what is wrong with a path, and what to do about it.
type Fault struct{ Message, Hint string }

func (f *Fault) Error() string { return f.Message + "; " + f.Hint }

func step(s string) (step Step, rest string, ok bool) {
	rest, ok = strings.CutPrefix(s, "[")
	if ok {
		return elementStep(rest)
	}
	rest, step.Deep = strings.CutPrefix(s, "..")
	if !step.Deep {
		rest, ok = strings.CutPrefix(s, ".")
		if !ok {
			return step, s, false
		}
	}
	switch {
	case strings.HasPrefix(rest, "*"):
		step.Any = true
		return step, rest[1:], true
	case strings.HasPrefix(rest, `"`):
		step.Key, rest, ok = quotedKey(rest)
		return step, rest, ok
	}
	n := 0
	for n < len(rest) &&
		(rest[n] == '_' || rest[n] == '-' || '0' <= rest[n] && rest[n] <= '9' || 'a' <= rest[n]|0x20 &&
			rest[n]|0x20 <= 'z' || rest[n] >= 0x80) {
		n++
	}
	step.Key = rest[:n]
	return step, rest[n:], n > 0
}

// elementStep reads what follows a bracket.
func elementStep(s string) (step Step, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		step.Key, rest, ok = quotedKey(s)
		if !ok {
			return step, s, false
		}
		rest, ok = strings.CutPrefix(rest, "]")
		return step, rest, ok
	}
	step.Element = true
	inside, rest, ok := strings.Cut(s, "]")
	if inside == "*" {
		step.Any = true
		return step, rest, ok
	}
	n, err := strconv.ParseUint(inside, 10, 31)
	step.Index = int(n)
	return step, rest, ok && err == nil
}

// quotedKey reads a key in quotes as JSON writes it.
func quotedKey(s string) (key, rest string, ok bool) {
	end := 1
	for end < len(s) && s[end] != '"' {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s) || json.Unmarshal([]byte(s[:end+1]), &key) != nil {
		return "", s, false
	}
	return key, s[end+1:], true
}
