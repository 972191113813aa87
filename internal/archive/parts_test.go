package archive

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"daybefore/internal/crypt"
	"daybefore/internal/pgtest"
	"daybefore/internal/verdict"
)

// partFiles writes parts of a backup, and opens them in this order.
func partFiles(t *testing.T, database string, parts ...[]byte) (*Archive, error) {
	t.Helper()
	return sealedParts(t, nil, database, parts...)
}

func sealedParts(t *testing.T, keys *crypt.Keys, database string, parts ...[]byte) (*Archive, error) {
	t.Helper()
	dir := t.TempDir()
	var paths []string
	for i, data := range parts {
		path := filepath.Join(dir, "part"+strconv.Itoa(i))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return OpenParts(t.Context(), paths, Options{Name: "shop", Database: database, Dir: t.TempDir(), Keys: keys})
}

// What is dumped in parts says what is dumped at once, in each mixture of formats
// that pg_restore and psql restore one after the other.
func TestParts(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", `CREATE ROLE app; CREATE DATABASE small OWNER app`)
	c.Exec("small", readFile(t, "testdata/small.sql")+"ALTER TABLE a OWNER TO app; CREATE TABLE d (a int REFERENCES a); INSERT INTO d VALUES (1);")
	dump := func(args ...string) []byte { return c.Dump(append(args, "-d", "small")...) }
	globals := c.DumpBy("pg_dumpall", "--globals-only")
	whole := mustOpen(t, dump("-Fc"))
	for name, parts := range map[string][][]byte{
		"globals, custom":          {globals, dump("-Fc")},
		"schema, rows":             {dump("-Fc", "-s"), dump("-Fc", "-a")},
		"globals, schema, rows":    {gzipped(t, globals), dump("-Fc", "-s"), zstded(t, dump("-Fc", "-a"))},
		"sections":                 {dump("-Fc", "--section=pre-data"), dump("-Fc", "--section=data"), dump("-Fc", "--section=post-data")},
		"schema, rows in a tar":    {dump("-Fc", "-s"), gzipped(t, c.DumpDirectory("-a", "-d", "small"))},
		"scripts":                  {dump("-s"), dump("-a")},
		"globals, scripts, packed": {globals, gzipped(t, dump("-s")), zstded(t, append([]byte("\xef\xbb\xbf"), dump("-a")...))},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := partFiles(t, "small", parts...)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.HasPrefix(name, "globals"); slices.Contains(a.ClusterRoles, "app") != want || !slices.Contains(a.Roles(), "app") {
				t.Errorf("roles: %q, %q", a.ClusterRoles, a.Roles())
			}
			if a.Format != Plain && !slices.Equal(tagsOf(whole), tagsOf(a)) {
				t.Errorf("entries:\n%q\n%q", tagsOf(whole), tagsOf(a))
			}
			checkJoined(t, a)
		})
	}
}

// tagsOf are the archive's entries, sorted; which of them about large objects a
// dump of rows holds too depends on its version.
func tagsOf(a *Archive) (all []string) {
	for _, e := range a.Entries {
		if !strings.HasPrefix(e.Desc, "BLOB") {
			all = append(all, e.Desc+" "+e.Namespace+" "+e.Tag)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkJoined looks whether sections stand in their order, ids are unique, and
// the rows know their table.
func checkJoined(t *testing.T, a *Archive) {
	t.Helper()
	ids := map[int]Entry{}
	section := SectionPreData
	for _, e := range a.Entries {
		if ids[e.DumpID].DumpID != 0 {
			t.Errorf("two entries have the id %d", e.DumpID)
		}
		ids[e.DumpID] = e
		if e.Section != SectionNone && e.Section < section {
			t.Errorf("%s stands after the %s", e.name(), section)
		}
		section = max(section, e.Section)
		if e.part > 0 && !strings.HasPrefix(string(UseList([]Entry{e})), strconv.Itoa(e.DumpID-e.base)+"; ") {
			t.Errorf("listed as %s", UseList([]Entry{e}))
		}
	}
	for _, e := range a.Entries {
		if e.Desc != "TABLE DATA" {
			continue
		}
		if len(e.Deps) == 0 || ids[e.Deps[0]].Desc != "TABLE" || ids[e.Deps[0]].Tag != e.Tag {
			t.Errorf("the rows %s rest on %v", e.name(), e.Deps)
		}
	}
	if err := a.CheckData(t.Context(), a.Entries...); err != nil {
		t.Error(err)
	}
	if err := a.WriteOffsets(); err != nil {
		t.Error(err)
	}
}

// How a backup of parts is encrypted, and what of it nothing vouches for, is told
// of all parts; rows that lie open beside encrypted parts are noted.
func TestPartsAreToldOfAll(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", `CREATE DATABASE small`)
	c.Exec("small", readFile(t, "testdata/small.sql"))
	dump := func(args ...string) []byte { return c.Dump(append(args, "-d", "small")...) }
	globals := c.DumpBy("pg_dumpall", "--globals-only")
	box := byAge(t)
	sealed := func(data []byte) []byte { return box.bytes(t, data) }
	for name, b := range map[string]struct {
		parts      [][]byte
		encryption string
		noted      string // the part that is open; empty: none
		unproven   string
	}{
		"a dump beside open globals":    {[][]byte{globals, sealed(dump("-Fc"))}, "age", "", "the whole script part0"},
		"rows beside an open schema":    {[][]byte{dump("-Fc", "-s"), sealed(dump("-Fc", "-a"))}, "age", "", tableOfContents + " of part0"},
		"open rows":                     {[][]byte{sealed(dump("-Fc", "-s")), dump("-Fc", "-a")}, "age", "part1", tableOfContents + " of part1"},
		"open rows of a script":         {[][]byte{sealed(dump("-s")), dump("-a")}, "age", "part1", "the whole script"},
		"an open dump":                  {[][]byte{sealed(globals), dump("-Fc")}, "age", "part1", tableOfContents},
		"all sealed":                    {[][]byte{sealed(globals), sealed(dump("-Fc"))}, "age", "", ""},
		"none sealed":                   {[][]byte{gzipped(t, globals), gzipped(t, dump("-Fc"))}, "", "", ""},
		"globals without a sum":         {[][]byte{globals, gzipped(t, dump("-Fc"))}, "", "", "the whole script part0"},
		"a script and parts without it": {[][]byte{globals, zstded(t, dump("-Fc", "-s")), dump("-Fc", "-a")}, "", "", tableOfContents + " of part2, the whole script part0"},
	} {
		a, err := sealedParts(t, box.keys, "small", b.parts...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a.Encryption != b.encryption || (a.Key == box.key) != (b.encryption != "") {
			t.Errorf("%s: encryption %q, key %q", name, a.Encryption, a.Key)
		}
		if a.Unproven() != b.unproven {
			t.Errorf("%s: unproven %q", name, a.Unproven())
		}
		noted := len(a.Notes) == 1 && a.Notes[0].ID == "unencrypted_rows" && strings.Contains(a.Notes[0].Message, b.noted)
		if noted != (b.noted != "") || !noted && len(a.Notes) > 0 {
			t.Errorf("%s: %+v", name, a.Notes)
		}
	}
	ciphers, keys := Encryptions([]Header{{}, {Encryption: "age", Key: "a"}, {Encryption: "openpgp", Key: "b"}, {Encryption: "age", Key: "a"}})
	if ciphers != "age, openpgp" || keys != "a, b" {
		t.Errorf("%q, %q", ciphers, keys)
	}
}

func TestBadParts(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", `CREATE DATABASE small; CREATE DATABASE other`)
	c.Exec("small", readFile(t, "testdata/small.sql"))
	c.Exec("other", "CREATE TABLE o (i int); INSERT INTO o VALUES (1)")
	dump := func(args ...string) []byte { return c.Dump(append(args, "-d", "small")...) }
	schema, rows := dump("-Fc", "-s"), dump("-Fc", "-a")
	globals := c.DumpBy("pg_dumpall", "--globals-only")
	for name, b := range map[string]struct {
		parts   [][]byte
		outcome verdict.Outcome
		code    verdict.Code
		says    string
	}{
		"rows cut":               {[][]byte{schema, rows[:len(rows)-20]}, verdict.Fail, verdict.CodeTruncated, "shop, part1"},
		"globals cut":            {[][]byte{globals[:len(globals)-40], dump("-Fc")}, verdict.Fail, verdict.CodeTruncated, "shop, part0"},
		"packed globals cut":     {[][]byte{gzipped(t, globals)[:80], dump("-Fc")}, verdict.Fail, verdict.CodeTruncated, "gzip stream ends"},
		"a script cut":           {[][]byte{globals, dump("-s"), dump("-a")[:400]}, verdict.Fail, verdict.CodeTruncated, ""},
		"a packed script cut":    {[][]byte{dump("-s"), gzipped(t, dump("-a"))[:300]}, verdict.Fail, verdict.CodeTruncated, "part1: its gzip stream"},
		"a packed script spoilt": {[][]byte{dump("-s"), flip(gzipped(t, dump("-a")), -6)}, verdict.Fail, verdict.CodeCorrupt, "part1: its gzip stream"},
		"the same twice":         {[][]byte{schema, schema}, verdict.Error, verdict.CodeUnsupported, "two of its parts hold"},
		"rows twice":             {[][]byte{dump("-Fc"), rows}, verdict.Error, verdict.CodeUnsupported, "two of its parts hold"},
		"another database's":     {[][]byte{schema, c.Dump("-Fc", "-a", "-d", "other")}, verdict.Error, verdict.CodeDatabase, "different databases"},
		"a script and rows":      {[][]byte{dump("-s"), rows}, verdict.Error, verdict.CodeUnsupported, "it is a script"},
		"no backup":              {[][]byte{schema, []byte("<html>")}, verdict.Fail, verdict.CodeNotAnArchive, "shop, part1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := partFiles(t, "", b.parts...)
			wantProblem(t, err, b.outcome, b.code, b.says)
		})
	}
}

// A cluster's dump tells which other databases it holds.
func TestOthersOfACluster(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", `CREATE DATABASE small; CREATE DATABASE "b other"; CREATE DATABASE a`)
	data := c.DumpBy("pg_dumpall")
	path := filepath.Join(t.TempDir(), "all.sql")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), path, Options{Database: "small"})
	if err != nil || !slices.Equal(a.Others, []string{"a", "b other"}) {
		t.Errorf("%v, %+v", err, a)
	}
	if err := os.WriteFile(path, data[:len(data)-60], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, Options{Database: "a"})
	wantProblem(t, err, verdict.Fail, verdict.CodeTruncated, "")
}
