package expect

import (
	"strings"

	"daybefore/internal/told"
	"daybefore/internal/verdict"
)

// defaultPath is the search_path of a server that nobody told another.
const defaultPath = `"$user", public`

// whose says under which search_path what is in a relation is read. A view may
// call what it finds by the database's; of all else nothing is called.
func (r relation) whose() whose {
	if r.kind == "view" || r.kind == "foreign table" {
		return theirs
	}
	return ours
}

// tellPath says in a check that it was run under the database's search_path,
// where that is another than the server's own.
func (q *query) tellPath(c *verdict.Check, o Options) {
	if path := q.session.path; path != "" && path != defaultPath {
		c.Expected = strings.TrimSpace(c.Expected + " under search_path " + shownPath(path, o.Names))
	}
}

// shownPath writes a search_path with no more names of schemas than may be told.
func shownPath(path string, names *told.Names) string {
	const most = 8
	var all []string
	for name := range strings.SplitSeq(path, ",") {
		name = strings.TrimSpace(name)
		schema := strings.ReplaceAll(strings.Trim(name, `"`), `""`, `"`)
		if schema != "$user" && !names.Knows(schema) {
			name = names.Tell(schema)
		}
		all = append(all, printable(name))
	}
	if more := len(all) - most; more > 0 {
		all = append(all[:most], "…")
	}
	return strings.Join(all, ", ")
}
