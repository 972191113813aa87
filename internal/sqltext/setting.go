package sqltext

import (
	"slices"
	"strings"
)

// Setting is what SET, RESET, DISCARD ALL and set_config change of a session.
type Setting struct {
	Name  string   // "all" of RESET ALL and DISCARD ALL
	Value string   // the first of List
	List  []string // nil for a default
	Reset bool     // RESET or DISCARD
}

// ParseSetting reads a statement that changes a setting for longer than a
// transaction.
func ParseSetting(tokens []Token) (Setting, bool) {
	c := &Cursor{Tokens: tokens}
	switch {
	case c.Takes("set"):
		return c.set()
	case c.Takes("reset"):
		name, _, ok := c.settingName()
		return Setting{Name: name, Reset: true}, ok
	case c.Takes("discard", "all"):
		return Setting{Name: "all", Reset: true}, true
	case c.Takes("select", "pg_catalog", ".", "set_config", "("),
		c.Takes("select", "*", "from", "pg_catalog", ".", "set_config", "("): // in PostgreSQL 18
		s := Setting{Name: c.Text()}
		if c.Takes(",") {
			s.Value = c.Text()
			s.List = (&Cursor{Tokens: Tokens(s.Value, true)}).items()
		}
		return s, true
	}
	return Setting{}, false
}

// set reads what follows SET: name = value, name TO value, SESSION
// AUTHORIZATION value.
func (c *Cursor) set() (Setting, bool) {
	name, assigned, ok := c.settingName()
	if !ok || assigned && !c.Takes("=") && !c.Takes("to") {
		return Setting{}, false
	}
	s := Setting{Name: name}
	if t := c.Peek(); !t.Is("default") {
		s.Value = t.Text
		s.List = c.items()
	}
	return s, true
}

// settingName takes the name of a setting; assigned, if = or TO follows it.
func (c *Cursor) settingName() (name string, assigned, ok bool) {
	switch {
	case c.Takes("session", "authorization"):
		return "session authorization", false, true
	case c.Takes("role"):
		return "role", false, true
	case c.Takes("time", "zone"):
		return "timezone", false, true
	}
	t := c.Peek()
	if t.Kind != Word ||
		slices.Contains([]string{"", "local", "session", "transaction", "constraints", "time"}, t.Text) {
		return "", false, false
	}
	for name = c.Text(); c.Takes("."); {
		name += "." + c.Text()
	}
	return name, true, true
}

// items takes values with commas between them.
func (c *Cursor) items() []string {
	items := []string{c.Text()}
	for c.Takes(",") {
		items = append(items, c.Text())
	}
	return items
}

// On is the value as a boolean.
func (s Setting) On() bool {
	return !slices.Contains([]string{"off", "false", "no", "0"}, strings.ToLower(s.Value))
}

// Path is what a setting of search_path sets.
func (s Setting) Path() SearchPath {
	return SearchPath{given: s.List != nil, Schemas: slices.DeleteFunc(slices.Clone(s.List), func(schema string) bool {
		return schema == "" || schema == "$user" || strings.HasPrefix(schema, "pg_temp")
	})}
}

// SearchPath is where names without a schema belong. The zero value is a
// session's own. pg_dump has named schemas since 10.3 and 9.6.8; until then it
// set the path before the objects of each.
type SearchPath struct {
	Schemas []string
	given   bool
}

// Creates is the schema that gets what is made without naming one; empty if none
// does.
func (p SearchPath) Creates() string {
	switch {
	case !p.given:
		return "public"
	case len(p.Schemas) == 0:
		return ""
	}
	return p.Schemas[0]
}
