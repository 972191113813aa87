package restore

import (
	"strings"
	"testing"

	"daybefore/internal/archive"
	"daybefore/internal/verdict"
)

// heard is a session that has heard these lines, with these entries.
func heard(lines string, entries ...archive.Entry) *Session {
	s := &Session{archive: &archive.Archive{Header: archive.Header{Database: "shop"}, Entries: entries}}
	l := s.said.listener(1)
	for line := range strings.Lines(lines) {
		l.line(strings.TrimSuffix(line, "\n"))
	}
	return s
}

// What a server says that lacks something, in the words of versions 13 to 19,
// against errors of a backup that read much like it.
func TestCausesOfErrors(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]cause{
		`could not open dictionary file "/usr/share/postgresql/17/tsearch_data/x.dict": No such file or directory`: byFile,
		`could not open stop-word file "/usr/share/x.stop": No such file or directory`:                             byFile,
		`could not open thesaurus file "/usr/share/x.ths": No such file or directory`:                              byFile,
		`could not open file "/srv/rates.csv" for reading: No such file or directory`:                              byFile,
		`could not open file "base/5/16403": No such file or directory`:                                            "",
		`could not access file "$libdir/postgis-3": No such file or directory`:                                     byLibrary,
		`could not load library "/usr/lib/x.so": undefined symbol: f`:                                              byLibrary,
		`extension "plperl" is not available`:                                                                      byLibrary,
		`version to install must be specified`:                                                                     byControl,
		`function "compressed_data_in" is not supported under the current "apache" license`:                        byLicense,
		`functionality not supported under the current "apache" license. Learn more at https://timescale.com/.`:    byLicense,
		`extension "hstore" already exists`:                                                                        "",
		`could not create locale "de_DE.utf8": No such file or directory`:                                          byLocale,
		`collation "pg_catalog.de_DE" for encoding "UTF8" does not exist`:                                          byLocale,
		// the archive makes it, and nothing is wrong with it
		`collation "public.ours" for encoding "UTF8" does not exist`:       "",
		`could not connect to server "far"`:                                byNetwork,
		`user mapping not found for user "postgres", server "far"`:         byNetwork,
		`user mapping not found for "postgres"`:                            byNetwork,
		`could not establish connection`:                                   byNetwork,
		`pg_stat_statements must be loaded via "shared_preload_libraries"`: byPreload,
		`tablespace "fast" does not exist`:                                 byTablespace,
		`relation "public.t" does not exist`:                               "",
		`type "public.citext" does not exist`:                              "",
		`duplicate key value violates unique constraint "t_pkey"`:          "",
	} {
		s := heard("psql:/run/share/script-pre-data:1: ERROR:  "+text+"\n",
			archive.Entry{Desc: "COLLATION", Namespace: "public", Tag: "ours", Section: archive.SectionPreData})
		said := s.attribute()
		if len(said) != 1 || said[0].cause != want {
			t.Errorf("%s: %+v, want cause %q", text, said, want)
		}
		if c := s.errorsCheck(); (c.Outcome == verdict.Fail) != (want == "") || c.Hint == "" {
			t.Errorf("%s: %+v", text, c)
		}
	}
}

// What rests on something that is missing has the same cause, by the archive's
// dependencies and by name; what is missing for no cause has none.
func TestCausesSpread(t *testing.T) {
	t.Parallel()
	s := heard(`psql:/s:1: ERROR:  could not create locale "xx": No such file or directory
psql:/s:1: STATEMENT:  CREATE COLLATION public.german (provider = libc,
    locale = 'xx');
WARNING:  a-secret line of the statement
psql:/s:9: ERROR:  collation "public.german" for encoding "UTF8" does not exist
psql:/s:9: STATEMENT:  CREATE TABLE public.names (
psql:/s:19: ERROR:  relation "public.names" does not exist
psql:/s:19: STATEMENT:  CREATE VIEW public.first AS
psql:/s:29: ERROR:  relation "public.first" does not exist
psql:/s:29: STATEMENT:  CREATE MATERIALIZED VIEW public.second AS
psql:/s:39: ERROR:  relation "public.third" does not exist
`)
	var causes []string
	for _, m := range s.attribute() {
		causes = append(causes, string(m.cause))
	}
	locale := string(byLocale)
	if got, want := strings.Join(causes, "|"), strings.Join([]string{locale, locale, locale, locale, ""}, "|"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if w := s.said.all(warning); len(w) > 0 {
		t.Errorf("a statement's line is taken for a warning: %+v", w)
	}
	c := s.errorsCheck()
	if c.Outcome != verdict.Fail || !strings.Contains(c.Hint, `of 5 errors, 4 may be the drill's own`) || !strings.Contains(c.Hint, "public.third") {
		t.Errorf("%+v", c)
	}
}

// An extension that wants its library may say so by ending the session.
func TestNotPreloaded(t *testing.T) {
	t.Parallel()
	s := heard(`pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 7; 3079 16385 EXTENSION timescaledb 
pg_restore: error: could not execute query: FATAL:  extension "timescaledb" must be preloaded
pg_restore: error: server closed the connection unexpectedly
`, archive.Entry{DumpID: 7, Desc: "EXTENSION", Tag: "timescaledb"})
	err := s.ended(t.Context(), "pre-data", errDied, 0)
	if p, ok := err.(*verdict.Problem); !ok || p.Code != verdict.CodeExtensions || !strings.Contains(p.Hint, "sandbox.preload: [timescaledb]") {
		t.Errorf("got %+v", err)
	}
}

var errDied = &verdict.Problem{}

// Harmless errors are so in one form only.
func TestHarmlessErrors(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]int{
		"psql:/s:1: ERROR:  schema \"public\" already exists\npsql:/s:1: STATEMENT:  CREATE SCHEMA public;\n":                                                    0,
		"psql:/s:1: ERROR:  schema \"app\" already exists\npsql:/s:1: STATEMENT:  CREATE SCHEMA app;\n":                                                          1,
		"psql:/s:1: ERROR:  schema \"public\" already exists\npsql:/s:1: STATEMENT:  SELECT f();\n":                                                              1,
		"psql:/s:1: ERROR:  language \"plpgsql\" already exists\npsql:/s:1: STATEMENT:  CREATE PROCEDURAL LANGUAGE plpgsql;\n":                                   0,
		"psql:/s:1: ERROR:  permission denied for schema public\npsql:/s:1: STATEMENT:  CREATE SCHEMA public;\n":                                                 1,
		"pg_restore: from TOC entry 5; 2615 2200 SCHEMA public postgres\npg_restore: error: could not execute query: ERROR:  schema \"public\" already exists\n": 0,
	} {
		s := heard(said, archive.Entry{DumpID: 5, Desc: "SCHEMA", Tag: "public"})
		s.forgive()
		if got := s.said.count().Errors; got != want {
			t.Errorf("%s: %d errors, want %d", said, got, want)
		}
	}
}
