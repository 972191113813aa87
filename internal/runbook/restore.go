package runbook

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"daybefore/internal/program"
	"daybefore/internal/verdict"
)

// packages are Debian's, by extension, after postgresql-17-; what else it has for
// extensions is in postgresql-17 itself.
var packages = map[string]string{
	"vector": "pgvector", "postgis": "postgis-3", "postgis_raster": "postgis-3", "postgis_topology": "postgis-3",
	"pg_cron": "cron", "pg_partman": "partman", "pgaudit": "pgaudit", "pg_repack": "repack", "hll": "hll",
	"orafce": "orafce", "ip4r": "ip4r", "rum": "rum", "pgtap": "pgtap", "pgrouting": "pgrouting", "semver": "semver",
	"prefix": "prefix", "debversion": "debversion", "hypopg": "hypopg", "periods": "periods", "tdigest": "tdigest",
	"mysql_fdw": "mysql-fdw", "tds_fdw": "tds-fdw", "ogr_fdw": "ogr-fdw", "q3c": "q3c", "pg_sphere": "pgsphere",
}

// superuser, and a database of that name, are there on nearly every server.
const superuser = "postgres"

// programs are what Debian calls the package of each program.
var programs = map[string]string{
	"age": "age", "openpgp": "gpg", "gzip": "gzip", "zstd": "zstd", "xz": "xz-utils", "bzip2": "bzip2", "lz4": "lz4",
}

// fetchers are the program that fetches, and Debian's package of it, by the kind of
// store.
var fetchers = map[string][2]string{
	"s3": {"aws", "awscli"}, "sftp": {"sftp", "openssh-client"}, "https": {"curl", "curl"}, "http": {"curl", "curl"},
}

// kind is the scheme of the store's URL.
func (p *plan) kind() string {
	u, err := url.Parse(p.Report.Backup.Store)
	if err != nil {
		return ""
	}
	return u.Scheme
}

// prepare installs what is missing.
func (p *plan) prepare() []string {
	postgres := fmt.Sprintf("postgresql-%d", p.Report.Sandbox.Major())
	lines := []string{orInstall("psql", postgres)}
	by, known := fetchers[p.kind()]
	if known {
		lines = append(lines, orInstall(by[0], by[1]))
	}
	var seen []string
	for _, part := range p.by.Parts {
		for _, around := range part.Around {
			of := programs[around]
			if of != "" && !slices.Contains(seen, of) {
				seen = append(seen, of)
				lines = append(lines, orInstall(strings.TrimSuffix(of, "-utils"), of))
			}
		}
	}
	return lines
}

func orInstall(name, of string) string {
	return "command -v " + name + " || apt-get install --yes " + of
}

// roles are those that must be there before the restore.
func (p *plan) roles() []string {
	all := slices.Clone(p.by.Roles)
	for _, name := range p.Drill.Expectations.Roles {
		if !slices.Contains(all, name) && !p.by.Cluster {
			all = append(all, name)
		}
	}
	return all
}

// makeRoles makes the roles that are missing, without a password, and says what
// of the extensions is.
func (p *plan) makeRoles() []string {
	var lines []string
	major := p.Report.Sandbox.Major()
	for _, name := range p.by.Extensions {
		there := `psql -X -At -d postgres -c ` + program.ShellWord("select name from pg_available_extensions where name = "+
			literal(name)) + " | grep ."
		if of, known := packages[name]; known {
			there += fmt.Sprintf(" || apt-get install --yes postgresql-%d-%s", major, of)
		}
		lines = append(lines, there)
	}
	roles := p.roles()
	if len(roles) == 0 {
		return lines
	}
	var values []string
	for _, role := range roles {
		values = append(values, "("+literal(role)+")")
	}
	return append(lines, "psql -X -q -v ON_ERROR_STOP=1 -d postgres <<'SQL'",
		"select format('create role %I', r) from (values "+strings.Join(values, ", ")+") v(r)",
		`where not exists (select from pg_roles where rolname = r) \gexec`, "SQL")
}

// literal is a string of SQL in one line, without what a terminal obeys.
func literal(s string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if !strings.ContainsFunc(s, hidden) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case hidden(r), r == '\\', r == '\'':
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			b.WriteRune(r)
		}
	}
	return "E'" + b.String() + "'"
}

// restore brings the parts back in their order: scripts by psql, archives by
// pg_restore.
func (p *plan) restore() []string {
	var lines []string
	var archives []int
	for i, part := range p.by.Parts {
		if part.Format != plainScript {
			archives = append(archives, i)
			continue
		}
		if !part.Connects && !p.isThere() && !slices.ContainsFunc(p.by.Parts[:i], creates) {
			lines = append(lines, p.createDatabase())
		}
		lines = append(lines, p.script(i)...)
	}
	if slices.Contains(p.by.Extensions, "timescaledb") {
		lines = append(lines, note("TimescaleDB wants select timescaledb_pre_restore() in the new database before its "+
			"rows come, and timescaledb_post_restore() after them: see its documentation"))
	}
	if len(archives) == 1 {
		lines = append(lines, `pg_restore --jobs="$(nproc)" `+p.into()+" "+p.opened(archives[0]))
	} else if len(archives) > 1 {
		lines = append(lines, p.sections(archives)...)
	}
	return append(lines, "psql -X -q -c 'analyze'")
}

// isThere reports whether every server has a database of that name.
func (p *plan) isThere() bool { return p.database() == superuser || p.database() == "template1" }

const intoDatabase = `--dbname="$PGDATABASE"`

// into lets pg_restore make the database, with its owner and settings.
func (p *plan) into() string {
	if p.isThere() {
		return intoDatabase
	}
	return "--create --dbname=postgres"
}

// creates reports whether the database is there after a script.
func creates(part verdict.Part) bool { return part.Format == plainScript && !part.Connects }

// createDatabase is for a script that does not make its database. An encoding that
// few locales know goes with the locale that all know.
func (p *plan) createDatabase() string {
	encoding := p.Report.Backup.Encoding
	if encoding == "" || encoding == "UTF8" || encoding == "SQL_ASCII" {
		return `createdb --template=template0 -- "$PGDATABASE"`
	}
	return "createdb --template=template0 --locale=C --encoding=" + program.ShellWord(encoding) + ` -- "$PGDATABASE"`
}

func (p *plan) script(i int) []string {
	if !p.by.Parts[i].Connects {
		return []string{"psql -X -q -v ON_ERROR_STOP=1 -f " + p.opened(i) + " >restore.log"}
	}
	if !p.by.Cluster {
		return []string{"psql -X -q -v ON_ERROR_STOP=1 -d postgres -f " + p.opened(i) + " >restore.log"}
	}
	return []string{note("one error is usual here: the role of the server's superuser already exists"),
		"psql -X -q -d postgres -f " + p.opened(i) + " >restore.log"}
}

// sections restores several archives as one: what each has of a section, before
// the next section.
func (p *plan) sections(archives []int) []string {
	var lines []string
	into := p.into()
	for _, section := range []string{"pre-data", "data", "post-data"} {
		for _, i := range archives {
			lines = append(lines, "pg_restore --section="+section+` --jobs="$(nproc)" `+into+" "+p.opened(i))
			into = intoDatabase
		}
	}
	return lines
}
