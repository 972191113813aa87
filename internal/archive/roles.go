package archive

import (
	"maps"
	"slices"
	"strings"

	"daybefore/internal/sqltext"
)

// Roles names every role that a restore of the archive will ask for, sorted:
// owners, grantees and grantors, the roles of policies, of default
// privileges, of user mappings and of settings by role. Left out are PUBLIC,
// CURRENT_USER and their like, and the server's own pg_ roles, which nobody
// can create.
func (a *Archive) Roles() []string {
	found := map[string]bool{}
	for _, role := range a.roles {
		found[role] = true
	}
	for _, e := range a.Entries {
		for _, role := range e.roles {
			found[role] = true
		}
		if a.Format == Plain {
			continue // its labels are no source: names in them lack quotes
		}
		found[e.Owner] = true
		if !namesRoles(e.Desc) {
			continue
		}
		for _, tokens := range sqltext.Statements(a.tokens(e.Defn)) {
			for _, role := range rolesOf(tokens) {
				found[role] = true
			}
		}
	}
	maps.DeleteFunc(found, func(role string, _ bool) bool {
		return role == "" || role == "public" || role == "none" || strings.HasPrefix(role, "pg_")
	})
	return slices.Sorted(maps.Keys(found))
}

// namesRoles tells the kinds of entries whose SQL may name a role: a function
// is not searched, since its body is no statement of the restore.
func namesRoles(desc string) bool {
	switch desc {
	case "FUNCTION", "PROCEDURE", "AGGREGATE", "COMMENT", "TABLE DATA", "STATISTICS DATA":
		return false
	}
	return true
}

// rolesOf names the roles in one statement.
func rolesOf(tokens []sqltext.Token) []string {
	s := scan{sqltext.Cursor{Tokens: tokens}}
	switch {
	case s.Takes("grant"), s.Takes("revoke"):
		return s.grant()
	case s.Takes("alter", "default", "privileges"):
		roles := s.after("for", "role")
		return append(roles, s.grant()...)
	case s.Takes("alter", "role"), s.Takes("alter", "user"):
		return s.list()
	case s.Takes("create", "policy"):
		return s.after("to")
	case s.Takes("create", "user", "mapping"):
		return s.after("for")
	case s.Takes("set", "session", "authorization"):
		return s.list()
	case s.Takes("alter"):
		return s.after("owner", "to")
	case s.Takes("create", "schema"), s.Takes("create", "database"):
		return append(s.after("authorization"), s.after("owner", "=")...)
	}
	return nil
}

// scan looks for roles in the tokens of a statement, outside of parentheses:
// in there stand columns, arguments and conditions.
type scan struct{ sqltext.Cursor }

// after reads the list of roles after the first occurrence of these words;
// without one, the scan stays where it is.
func (s *scan) after(words ...string) []string {
	from, depth := s.Pos, 0
	for ; s.Pos < len(s.Tokens); s.Pos++ {
		t := s.Tokens[s.Pos]
		switch {
		case t.Is("("):
			depth++
		case t.Is(")"):
			depth--
		case depth == 0 && s.Takes(words...):
			return s.list()
		}
	}
	s.Pos = from
	return nil
}

// grant reads GRANT ... TO, or REVOKE ... FROM, and GRANTED BY after them.
func (s *scan) grant() []string {
	roles := s.after("to")
	roles = append(roles, s.after("from")...)
	return append(roles, s.after("granted", "by")...)
}

// list reads names with commas between them. A quoted name is a role even if
// it reads like a keyword.
func (s *scan) list() []string {
	var roles []string
	for s.Pos < len(s.Tokens) {
		if s.Pos+1 < len(s.Tokens) && s.Tokens[s.Pos].Is("group") && !s.Tokens[s.Pos+1].Is(",") {
			s.Pos++ // GRANT ... TO GROUP name, of old
		}
		t := s.Tokens[s.Pos]
		switch {
		case !t.IsName() && t.Kind != sqltext.String:
			return roles
		case t.Kind == sqltext.Word && standIn(t.Text):
		default:
			roles = append(roles, t.Text)
		}
		s.Pos++
		if !s.Takes(",") {
			return roles
		}
	}
	return roles
}

// standIn tells words that stand for a role instead of naming one.
func standIn(word string) bool {
	switch word {
	case "public", "current_user", "current_role", "session_user", "user", "default", "all":
		return true
	}
	return false
}
