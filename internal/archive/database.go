package archive

import (
	"strings"

	"daybefore/internal/sqltext"
)

// DatabaseDefn is how the dumped database was created. What the archive does
// not say is empty.
type DatabaseDefn struct {
	Statement     string // CREATE DATABASE as pg_dump wrote it
	Owner         string
	Encoding      string // e.g. "UTF8"; the archive's text encoding where the database's is not said
	Provider      string // libc | icu | builtin; since PostgreSQL 15
	Collate       string // LC_COLLATE, or LOCALE where one stands for both
	CType         string // LC_CTYPE, or LOCALE
	ICULocale     string
	ICURules      string
	BuiltinLocale string
	Tablespace    string
}

// DatabaseDefn reads the options of the archive's CREATE DATABASE.
func (a *Archive) DatabaseDefn() DatabaseDefn {
	d := DatabaseDefn{Encoding: a.Encoding}
	for _, e := range a.Entries {
		if e.Desc == "DATABASE" {
			d.Statement, d.Owner = e.Defn, e.Owner
			d.readOptions(a.tokens(e.Defn))
		}
	}
	return d
}

// readOptions reads pairs of NAME = value, in which pg_dump writes them all.
func (d *DatabaseDefn) readOptions(tokens []sqltext.Token) {
	for i := 1; i+1 < len(tokens); i++ {
		if !tokens[i].Is("=") {
			continue
		}
		value := tokens[i+1].Text
		switch tokens[i-1].Text {
		case "encoding":
			d.Encoding = value
		case "locale_provider":
			d.Provider = value
		case "locale":
			d.Collate, d.CType = value, value
		case "lc_collate":
			d.Collate = value
		case "lc_ctype":
			d.CType = value
		case "icu_locale":
			d.ICULocale = value
		case "icu_rules":
			d.ICURules = value
		case "builtin_locale":
			d.BuiltinLocale = value
		case "tablespace":
			d.Tablespace = value
		}
	}
}

// DatabaseProperties are the statements, one each, that give the database its
// owner, settings, comment, privileges and labels: what pg_restore leaves out
// unless it creates the database itself. They name the database as the header
// does, and are to be run in order over one connection.
func (a *Archive) DatabaseProperties() []string {
	var statements []string
	for _, e := range a.Entries {
		switch {
		case e.Desc == "DATABASE" && e.Owner != "":
			statements = append(statements, "ALTER DATABASE "+quoteIdent(e.Tag)+" OWNER TO "+quoteIdent(e.Owner))
		case e.Desc == "DATABASE PROPERTIES", e.aboutDatabase():
			statements = append(statements, a.split(e.Defn)...)
		}
	}
	return statements
}

func quoteIdent(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// tokens are the words of SQL that the archive holds.
func (a *Archive) tokens(sql string) []sqltext.Token { return sqltext.Tokens(sql, a.StdStrings) }

// split returns the statements of sql without their semicolons.
func (a *Archive) split(sql string) []string {
	var statements []string
	for _, tokens := range sqltext.Statements(a.tokens(sql)) {
		statements = append(statements, sql[tokens[0].Start:tokens[len(tokens)-1].End])
	}
	return statements
}
