package restore

import (
	"slices"
	"strings"

	"daybefore/internal/archive"
)

// lists are the archive's entries by the step that restores them.
type lists struct {
	pre      []archive.Entry
	rows     []archive.Entry // TABLE DATA, streamed
	direct   []archive.Entry // other data that pg_restore loads itself: sequence values, large objects
	post     []archive.Entry // and all privileges, which pg_restore grants last
	excluded []archive.Entry // TABLE DATA left out on request
	leftOut  []archive.Entry // left out by rule, and reported
	dropped  []archive.Entry // left out since they would call home, and reported
}

// sortEntries puts every entry where it belongs. Entries that pg_dump gives
// no section (comments, privileges) follow the section they stand in, as
// pg_restore itself takes them.
func sortEntries(a *archive.Archive, opts Options) lists {
	var l lists
	entries := a.Entries
	foreign := map[[2]string]bool{}
	for _, e := range entries {
		if e.Desc == "FOREIGN TABLE" {
			foreign[[2]string{e.Namespace, e.Tag}] = true
		}
	}
	section := archive.SectionPreData
	for _, e := range entries {
		if e.Section != archive.SectionNone {
			section = e.Section
		}
		switch {
		case special(e):
		case opts.drops(e):
			l.dropped = append(l.dropped, e)
		case neverRestored(e), e.Desc == "TABLE DATA" && foreign[[2]string{e.Namespace, e.Tag}]:
			l.leftOut = append(l.leftOut, e)
		case largeObject(e) && !opts.LargeObjects:
			l.leftOut = append(l.leftOut, e)
		case e.Desc == "TABLE DATA":
			if e.HadData {
				l.rows = append(l.rows, e)
			}
		case privileges(e) && a.Format != archive.Plain: // a script has them where they are to be run
			l.post = append(l.post, e)
		case section == archive.SectionPreData:
			l.pre = append(l.pre, e)
		case section == archive.SectionData:
			l.direct = append(l.direct, e)
		default:
			l.post = append(l.post, e)
		}
	}
	return l
}

// exclude takes the rows of tables that are not wanted out of the list.
func (l *lists) exclude(unwanted func(schema, table string) bool) {
	l.excluded = append(l.excluded,
		take(&l.rows, func(e archive.Entry) bool { return unwanted(e.Namespace, e.Tag) })...)
}

// take takes entries out of a list, and returns them.
func take(list *[]archive.Entry, wanted func(archive.Entry) bool) (taken []archive.Entry) {
	*list = slices.DeleteFunc(*list, func(e archive.Entry) bool {
		out := wanted(e)
		if out {
			taken = append(taken, e)
		}
		return out
	})
	return taken
}

// privileges are restored after all objects, whatever they are about
// (_tocEntryRestorePass in pg_backup_archiver.c): what works by them alone does
// not work while rows are loaded and indexes built.
func privileges(e archive.Entry) bool {
	return e.Desc == "ACL" || e.Desc == "ACL LANGUAGE" || e.Desc == "DEFAULT ACL"
}

// special entries describe the dump or the database itself: the archive's
// header and prepareServer see to them.
func special(e archive.Entry) bool {
	switch e.Desc {
	case "ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES":
		return true
	}
	return strings.HasPrefix(e.Tag, "DATABASE ") && e.Section == archive.SectionNone
}

// neverRestored entries hold real values outside any row that the filter sees,
// as statistics do; or speak to a module that a server is configured to load,
// which no backup brings along: the server refuses labels without it.
func neverRestored(e archive.Entry) bool {
	return e.Desc == "STATISTICS DATA" || e.Desc == "SECURITY LABEL"
}

// largeObject tells the entries of pg_dump 9.0 to 19 that make, own, comment
// on or fill large objects.
func largeObject(e archive.Entry) bool {
	switch e.Desc {
	case "BLOB", "BLOBS", "BLOB METADATA", "BLOB COMMENTS":
		return true
	}
	return strings.HasPrefix(e.Tag, "LARGE OBJECT") && e.Section == archive.SectionNone
}
