package archive

import (
	"io"
	"iter"
	"slices"
	"strings"

	"daybefore/internal/copytext"
	"daybefore/internal/sqltext"
)

// namesIn is what the archive's names and SQL are written in: its own encoding,
// or that of the database where the dump took the bytes as they were. Between
// the databases that hold bytes of any meaning and UTF-8 no server converts
// either, so that there they stay as they are.
func (a *Archive) namesIn() copytext.Encoding {
	stored := a.DatabaseDefn().Encoding
	for _, bytes := range []string{"SQL_ASCII", "MULE_INTERNAL"} {
		if strings.EqualFold(stored, bytes) {
			return copytext.Encoding{}
		}
	}
	if e, known := copytext.EncodingOf(a.Encoding); known && a.Encoding != "" &&
		!strings.EqualFold(e.Name, "SQL_ASCII") {
		return e
	}
	e, _ := copytext.EncodingOf(stored)
	return e
}

// toUTF8 turns what the archive says of its objects into UTF-8, as every server
// tells it to this program and drill files have it. What programs compare with
// the archive to the byte, COPY statements and a script's parts, stays.
func (a *Archive) toUTF8() {
	a.names = a.namesIn()
	if a.names.Code == nil {
		return
	}
	decode := func(texts ...*string) {
		for _, s := range texts {
			*s = a.UTF8(*s)
		}
	}
	for i := range a.Entries {
		e := &a.Entries[i]
		decode(&e.Tag, &e.Namespace, &e.Owner, &e.Tablespace, &e.TableAM, &e.Defn, &e.DropStmt, &e.object, &e.table[0],
			&e.table[1])
		for j := range e.roles {
			decode(&e.roles[j])
		}
	}
	for i := range a.roles {
		decode(&a.roles[i])
	}
}

// Names are what the archive calls things: the names and schemas of its entries,
// their owners, and every name in the SQL that makes them or says which columns
// rows have. What stands in strings there, such as a function's body, is none.
// Some are there more than once.
func (a *Archive) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		told := func(names ...string) bool {
			return !slices.ContainsFunc(names, func(name string) bool { return !yield(name) })
		}
		for _, e := range a.Entries {
			name, _, _ := strings.Cut(e.Tag, "(") // of a function
			if !told(e.Tag, name, e.Namespace, e.Owner, e.Tablespace, e.TableAM, e.object) || !told(e.table[:]...) ||
				!told(e.roles...) {
				return
			}
			for _, sql := range []string{e.Defn, a.UTF8(e.CopyStmt)} {
				for _, t := range a.tokens(sql) {
					if t.IsName() && !yield(t.Text) {
						return
					}
				}
			}
		}
		_ = told(a.Database) && told(a.ClusterRoles...) && told(a.Others...) && told(a.roles...)
	}
}

// UTF8 returns text of the archive, or of what speaks its encoding, as UTF-8.
func (a *Archive) UTF8(text string) string {
	if !copytext.HasHighBytes(text) {
		return text
	}
	return string(a.names.NewDecoder().Decode([]byte(text)))
}

// InsertReader reads the archive's INSERT statements from r. Those that name no
// schema are for tables of the given one, or of the search_path that r sets.
func (a *Archive) InsertReader(r io.Reader, schema string) *sqltext.InsertReader {
	reader := sqltext.NewInsertReader(r, a.Encoding, a.StdStrings)
	reader.UTF8 = a.UTF8
	reader.Schema = schema
	return reader
}
