package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"daybefore/internal/pgtest"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

var update = flag.Bool("update", false, "write the small archives in testdata anew, from real servers")

// servers start a real server of each kind that the archives come from.
var servers = map[string]func(testing.TB) *pgtest.Cluster{
	"local": pgtest.Server,
	"17":    func(t testing.TB) *pgtest.Cluster { return pgtest.Container(t, "postgres:17") },
}

// small are committed archives: of PostgreSQL 15 to a file, of 17 to a pipe.
var small = []string{"testdata/small-15.dump", "testdata/small-17.dump"}

// smallTars are the same as pg_dump -Ft writes it, smallFolder as pg_dump -Fd does,
// in a tar.
var (
	smallTars   = []string{"testdata/small-15.tar", "testdata/small-17.tar"}
	smallFolder = []string{"testdata/folder-15.tar", "testdata/folder-17.tar"}
)

const nastyDB = "nasty db"

func TestOpenRealDumps(t *testing.T) {
	t.Parallel()
	variants := map[string][]string{
		"default":       {},
		"uncompressed":  {"-Z0"},
		"best gzip":     {"-Z9"},
		"inserts":       {"--inserts"},
		"data only":     {"--data-only"},
		"schema only":   {"--schema-only"},
		"pre-data":      {"--section=pre-data"},
		"data":          {"--section=data"},
		"post-data":     {"--section=post-data"},
		"no blobs":      {"--no-blobs"},
		"one table":     {"-t", "s.people"},
		"excluded data": {"--exclude-table-data=s.*"},
		"clean":         {"--clean", "--if-exists"},
		"root":          {"--load-via-partition-root"},
	}
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t)
			c.Exec("postgres", readFile(t, "testdata/nasty.sql"))
			variants := maps.Clone(variants)
			if name == "17" {
				variants["lz4"] = []string{"--compress=lz4"}
				variants["zstd"] = []string{"--compress=zstd:3"}
			}
			for variant, args := range variants {
				args = append([]string{"-Fc", "-d", nastyDB}, args...)
				t.Run(variant, func(t *testing.T) {
					checkReal(t, c, c.Dump(args...))
					checkReal(t, c, c.DumpFile(args...))
				})
			}
			checkNasty(t, mustOpen(t, c.Dump("-Fc", "-d", nastyDB)))
			checkListed(t, c, c.DumpFile("-Fc", "-d", nastyDB))
		})
	}
}

// checkReal compares what is read with what pg_restore of the same version lists.
func checkReal(t *testing.T, c *pgtest.Cluster, data []byte) {
	t.Helper()
	a := mustOpen(t, data)
	if a.Size != int64(len(data)) || a.Database != nastyDB || a.Encoding != "UTF8" || !a.StdStrings {
		t.Errorf("header: %+v, size %d of %d", a.Header, a.Size, len(data))
	}
	if age := time.Since(a.Created); age > 15*time.Hour || age < -15*time.Hour {
		t.Errorf("created %v", a.Created)
	}
	if got, want := listing(a), listed(t, c, data); !gocmp.Equal(got, want) {
		t.Errorf("entries differ from pg_restore's list:\n%s", gocmp.Diff(want, got))
	}
	for _, e := range a.Entries {
		if e.HadData != (e.DataSize > 0) {
			t.Errorf("entry %s: had data %v, size %d", e.name(), e.HadData, e.DataSize)
		}
	}
	h, err := Peek(t.Context(), bytes.NewReader(data[:min(len(data), PeekSize)]), nil)
	if err != nil || h != a.Header {
		t.Errorf("peek: %+v, %v, want %+v", h, err, a.Header)
	}
}

// listing are the entries as pg_restore -l -v tells them.
func listing(a *Archive) []string {
	var lines []string
	for _, e := range a.Entries {
		lines = append(lines, fmt.Sprintf("%d %d %d %s deps %v", e.DumpID, e.TableOID, e.OID, e.Desc, e.Deps))
	}
	return lines
}

// listed reads the list; the kind is the run of capitals that begins it, so
// the name's own capitals must not follow it: none here do.
func listed(t *testing.T, c *pgtest.Cluster, data []byte) []string {
	t.Helper()
	var lines []string
	for l := range strings.Lines(string(c.Run(data, "pg_restore", "-l", "-v"))) {
		if deps, ok := strings.CutPrefix(l, ";\tdepends on:"); ok {
			lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], "[]") + fmt.Sprint(strings.Fields(deps))
			continue
		}
		id, rest, ok := strings.Cut(l, "; ")
		if _, err := strconv.Atoi(id); !ok || err != nil {
			continue
		}
		f := strings.Fields(rest)
		kind := f[2:]
		for i, w := range kind {
			if i > 0 && (w == "-" || strings.ToUpper(w) != w || w == "DATABASE" || w == "EXTENSION" || w == "LARGE" || w == "ENCODING" || w == "STDSTRINGS" ||
				w == "SEARCHPATH") {
				kind = kind[:i]
				break
			}
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s deps []", id, f[0], f[1], strings.Join(kind, " ")))
	}
	return lines
}

func checkNasty(t *testing.T, a *Archive) {
	t.Helper()
	roles := []string{"Owner; B", "current_user", "default_for", "default_to", "fn_user", `grantee "q"`, "grantor_g",
		"mapped_role", "owner_a", "policy_one", "postgres", "setting_role", "to"}
	slices.Sort(roles)
	if diff := gocmp.Diff(roles, without(a.Roles(), "pg_database_owner")); diff != "" {
		t.Errorf("roles: %s", diff)
	}
	if diff := gocmp.Diff([]string{"citext"}, a.Extensions()); diff != "" {
		t.Errorf("extensions: %s", diff)
	}
	d := a.DatabaseDefn()
	if d.Encoding != "UTF8" || d.Provider != "libc" || d.Collate != "C" || d.CType != "C.UTF-8" || d.Owner != "owner_a" {
		t.Errorf("database: %+v", d)
	}
	want := []string{
		`ALTER DATABASE "nasty db" OWNER TO "owner_a"`,
		`COMMENT ON DATABASE "nasty db" IS 'it''s; a "comment"'`,
		`ALTER DATABASE "nasty db" SET "app.note" TO 'a;b''c'`,
		`ALTER DATABASE "nasty db" SET work_mem TO '5MB'`,
		`ALTER ROLE setting_role IN DATABASE "nasty db" SET statement_timeout TO '5s'`,
		`GRANT CONNECT ON DATABASE "nasty db" TO "grantee ""q"""`,
		`REVOKE CONNECT,TEMPORARY ON DATABASE "nasty db" FROM PUBLIC`,
		`GRANT TEMPORARY ON DATABASE "nasty db" TO PUBLIC`,
	}
	got := a.DatabaseProperties()
	slices.Sort(want)
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("database properties: %s", diff)
	}
	if i := slices.IndexFunc(a.Entries, func(e Entry) bool { return e.Desc == "TABLE" && e.Tag == "x; COPY\nCOPY y FROM stdin;" }); i < 0 {
		t.Error("the table with a newline in its name is missing, or its name was changed")
	}
	if a.DataOnly() {
		t.Error("a whole dump counts as data only")
	}
}

func without(list []string, item string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == item })
}

// checkListed has the real pg_restore read a use-list.
func checkListed(t *testing.T, c *pgtest.Cluster, data []byte) {
	t.Helper()
	a := mustOpen(t, data)
	var want []Entry
	for _, e := range a.Entries {
		if e.Desc == "TABLE DATA" && (e.Tag == "people" || strings.HasPrefix(e.Tag, "x;")) {
			want = append(want, e)
		}
	}
	slices.Reverse(want)
	list := c.Scratch("list", UseList(want))
	dump := c.Scratch("listed.dump", data)
	out := string(c.Run(nil, "pg_restore", "-L", list, "-f", "-", dump))
	var copies []string
	for _, e := range want {
		if !strings.Contains(out, e.CopyStmt) {
			t.Errorf("no %q in the output", e.CopyStmt)
		}
		copies = append(copies, e.CopyStmt)
	}
	if n := strings.Count(out, "\n\\.\n"); n != len(want) || len(copies) != 2 {
		t.Errorf("%d blocks of rows for %d entries", n, len(want))
	}
	if first, second := strings.Index(out, copies[0]), strings.Index(out, copies[1]); first > second {
		t.Error("not in the order of the list")
	}
}

func TestKindsOfData(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	c.Exec("postgres", readFile(t, "testdata/small.sql"))
	rows := func(a *Archive) (inserts, copies int) {
		for _, e := range a.Entries {
			if e.Inserts() {
				inserts++
			}
			if e.CopyStmt != "" {
				copies++
			}
		}
		return inserts, copies
	}
	for _, v := range []struct {
		arg             string
		dataOnly        bool
		inserts, copies int
	}{
		{"--verbose", false, 0, 2},
		{"--inserts", false, 2, 0},
		{"--column-inserts", false, 2, 0},
		{"--data-only", true, 0, 2},
		{"--section=data", true, 0, 2},
		{"--schema-only", false, 0, 0},
	} {
		a := mustOpen(t, c.Dump("-Fc", "-d", "postgres", v.arg))
		inserts, copies := rows(a)
		if a.DataOnly() != v.dataOnly || inserts != v.inserts || copies != v.copies {
			t.Errorf("%s: data only %v, %d by INSERT, %d by COPY", v.arg, a.DataOnly(), inserts, copies)
		}
	}
	wantProblem(t, openBytes(t, c.Dump("-Ft", "-d", "postgres")[512:]), verdict.Error, verdict.CodeUnsupported, "it is the toc.dat")
}

func TestSmallArchives(t *testing.T) {
	t.Parallel()
	if *update {
		updateSmall(t)
	}
	want := []struct {
		header Header
		tags   []string
	}{
		{Header{Format: Custom, Compression: None, ArchiveVersion: "1.14", ServerMajor: 15, DumpMajor: 15}, nil},
		{Header{Format: Custom, Compression: None, ArchiveVersion: "1.16", ServerMajor: 17, DumpMajor: 17}, nil},
	}
	for i, path := range small {
		a, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		w := want[i].header
		w.Database, w.Encoding, w.StdStrings, w.DataCompression = "small", "UTF8", true, "gzip"
		w.Created, w.ServerVersion, w.DumpVersion = a.Created, a.ServerVersion, a.DumpVersion
		if diff := gocmp.Diff(w, a.Header); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
		var data []string
		for _, e := range a.Entries {
			if e.HadData {
				data = append(data, e.Tag)
			}
		}
		slices.Sort(data)
		if diff := gocmp.Diff([]string{"BLOBS", "a", "b"}, data); diff != "" && path == small[0] {
			t.Errorf("%s: entries with data: %s", path, diff)
		}
	}
}

func updateSmall(t *testing.T) {
	for i, name := range []string{"local", "17"} {
		c := servers[name](t)
		c.Exec("postgres", "CREATE DATABASE small")
		c.Exec("small", readFile(t, "testdata/small.sql"))
		dump := c.DumpFile
		if i == 1 {
			dump = c.Dump
		}
		for path, data := range map[string][]byte{
			small[i]:       dump("-Fc", "-d", "small"),
			smallTars[i]:   c.Dump("-Ft", "-d", "small"),
			smallFolder[i]: c.DumpDirectory("-d", "small"),
		} {
			if err := os.WriteFile(path, data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// cuts are the lengths that n bytes are cut to, the longest first: of each byte,
// or of some, and then of each near both ends, where the headers and sums of a
// packed file are. What packs is cut at each byte by tests of packed, and here
// too under dev:matrix.
func cuts(n int, each bool) (all []int) {
	const (
		end    = 40
		stride = 13
	)
	for at := n - 1; at >= 0; at-- {
		if each || testneed.Matrix() || at < end || at >= n-end || at%stride == 0 {
			all = append(all, at)
		}
	}
	return all
}

// TestTruncatedAnywhere is the promise that no truncation passes.
func TestTruncatedAnywhere(t *testing.T) {
	t.Parallel()
	for _, path := range small {
		whole := []byte(readFile(t, path))
		for name, data := range map[string][]byte{
			"bare":          whole,
			"gzip":          gzipped(t, whole),
			"gzip members":  append(gzipped(t, whole[:500]), gzipped(t, whole[500:])...),
			"zstd":          zstded(t, whole),
			"zstd frames":   append(zstded(t, whole[:500]), zstded(t, whole[500:])...),
			"pzstd's frame": append([]byte("\x50\x2a\x4d\x18\x04\x00\x00\x00\x01\x02\x03\x04"), zstded(t, whole)...),
		} {
			t.Run(filepath.Base(path)+" "+name, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "backup")
				dir := t.TempDir()
				if err := os.WriteFile(file, data, 0o600); err != nil {
					t.Fatal(err)
				}
				if a, err := Open(t.Context(), file, Options{Dir: dir}); err != nil {
					t.Fatalf("whole: %v", err)
				} else if got := readFile(t, a.Path); got != string(whole) {
					t.Fatalf("unpacked to %d bytes, not to the %d that were packed", len(got), len(whole))
				} else if a.Path != file {
					os.Remove(a.Path)
				}
				for _, n := range cuts(len(data), name == "bare") {
					if err := os.Truncate(file, int64(n)); err != nil {
						t.Fatal(err)
					}
					_, err := Open(t.Context(), file, Options{Dir: dir})
					code := verdict.CodeTruncated
					if n == 0 {
						code = verdict.CodeNotAnArchive
					}
					if p, ok := errors.AsType[*verdict.Problem](err); !ok || p.Outcome != verdict.Fail || p.Code != code || p.Hint == "" {
						t.Fatalf("cut to %d of %d bytes: %v (%+v)", n, len(data), err, p)
					}
				}
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("%d spool files are left after failures", len(left))
				}
			})
		}
	}
}

func TestCorrupt(t *testing.T) {
	t.Parallel()
	whole := []byte(readFile(t, small[0]))
	a := mustOpen(t, whole)
	var first, second Entry
	for _, e := range a.Entries {
		if e.HadData && first.DumpID == 0 {
			first = e
		} else if e.HadData && second.DumpID == 0 {
			second = e
		}
	}
	spoil := func(at int64, b ...byte) []byte {
		data := bytes.Clone(whole)
		copy(data[at:], b)
		return data
	}
	// The same by a pg_dump and of a server that is not known yet, and under a
	// zstd frame whose blocks begin after a window of 2^27 bytes or more.
	future := func(at int64, b ...byte) []byte {
		return bytes.ReplaceAll(spoil(at, b...), []byte(a.DumpVersion[:2]), []byte("20"))
	}
	window := func(header ...byte) []byte {
		return append(append([]byte("\x28\xb5\x2f\xfd"), header...), bytes.Repeat([]byte{0xff}, 300)...)
	}
	serverAt := int64(bytes.Index(whole, []byte(a.ServerVersion)))
	for name, test := range map[string]struct {
		data []byte
		code verdict.Code
		says string
	}{
		"a version to come":        {spoil(6, 17), verdict.CodeCorrupt, "archive version of 1.17"},
		"version 2.0":              {spoil(5, 2, 0), verdict.CodeCorrupt, "archive version of 2.0"},
		"a version long past":      {spoil(6, 9), verdict.CodeCorrupt, "archive version of 1.9"},
		"layout of a directory":    {spoil(10, 5), verdict.CodeCorrupt, "only the custom format"},
		"layout of a tar":          {spoil(10, 3), verdict.CodeCorrupt, "only the custom format"},
		"a server to come":         {spoil(serverAt, '3'), verdict.CodeCorrupt, "dumped a server of version 35"},
		"a pg_dump of 2077":        {bytes.ReplaceAll(whole, []byte(a.DumpVersion[:2]), []byte("75")), verdict.CodeCorrupt, "pg_dump 75"},
		"zstd, a wide window":      {window(0x84, 0xf0), verdict.CodeCorrupt, "zstd stream is damaged"},
		"a byte behind":            {append(bytes.Clone(whole), 1), verdict.CodeCorrupt, "more bytes follow"},
		"a block's mark behind":    {append(bytes.Clone(whole), blockData), verdict.CodeCorrupt, "more bytes follow"},
		"itself behind":            {append(bytes.Clone(whole), whole...), verdict.CodeCorrupt, "more bytes follow"},
		"gzip, a byte behind":      {append(gzipped(t, whole), 'x'), verdict.CodeTruncated, ""},
		"gzip, text behind":        {append(gzipped(t, whole), "something else behind"...), verdict.CodeCorrupt, "followed by something else"},
		"zstd, text behind":        {append(zstded(t, whole), "something else behind"...), verdict.CodeCorrupt, "followed by something else"},
		"gzip, archive twice":      {append(gzipped(t, whole), gzipped(t, whole)...), verdict.CodeCorrupt, "more bytes follow"},
		"gzip, another checksum":   {flip(gzipped(t, whole), -6), verdict.CodeCorrupt, "gzip stream is damaged"},
		"zstd, another checksum":   {flip(zstded(t, whole), -2), verdict.CodeCorrupt, "zstd stream is damaged"},
		"unknown kind of block":    {spoil(first.offset.pos, 7), verdict.CodeCorrupt, "unknown kind 7"},
		"large objects for rows":   {spoil(first.offset.pos, blockBlobs), verdict.CodeCorrupt, "is of kind 3"},
		"a block of no entry":      {spoil(first.offset.pos+2, 0xff, 0xff), verdict.CodeCorrupt, "which has none or had it already"},
		"another entry's block":    {spoil(first.offset.pos+2, byte(second.DumpID), byte(second.DumpID>>8)), verdict.CodeCorrupt, "the table of contents says"},
		"a chunk of 1.9 GB":        {spoil(first.offset.pos+6, 0, 0, 0, 0, 0x71), verdict.CodeCorrupt, "claims a length"},
		"a negative chunk":         {spoil(first.offset.pos+6, 1), verdict.CodeCorrupt, "claims a length"},
		"through a terminal":       {bytes.ReplaceAll(whole, []byte("\n"), []byte("\r\n")), verdict.CodeCorrupt, "CR LF"},
		"layout":                   {spoil(10, 9), verdict.CodeCorrupt, "layout 9"},
		"version of garbage":       {spoil(5, 200, 200), verdict.CodeCorrupt, "200.200"},
		"numbers of no bytes":      {spoil(8, 0), verdict.CodeCorrupt, "numbers of 0"},
		"a 13th month":             {spoil(11+5+5*4, 0, 12), verdict.CodeCorrupt, "the month"},
		"a database's name of 2GB": {spoil(11+5+5*7, 0, 0, 0, 0, 0x70), verdict.CodeCorrupt, "claims a length"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, openBytes(t, test.data), verdict.Fail, test.code, test.says)
		})
	}
	for name, data := range map[string][]byte{
		"newer":  future(6, 17),
		"2.0":    future(5, 2, 0),
		"older":  future(6, 9),
		"window": append([]byte("\x28\xb5\x2f\xfd\x84\xf0\x00\x00\x00\x00\x01\x00\x00"), 0, 0, 0, 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantProblem(t, openBytes(t, data), verdict.Error, verdict.CodeUnsupported, "")
		})
	}
}

func TestNotAnArchive(t *testing.T) {
	t.Parallel()
	sqlite := "SQLite format 3\x00" + strings.Repeat("\x10\x00\x01\x01", 30)
	for _, test := range []struct {
		says, data string
		outcome    verdict.Outcome
	}{
		{"empty file", "", verdict.Fail},
		{"HTML page", "\n<!DOCTYPE html><title>secret</title>", verdict.Fail},
		{"HTML page", "<!-- hi --><HTML>", verdict.Fail},
		{"SQLite database", sqlite, verdict.Fail},
		{"XML document", `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, verdict.Fail},
		{"JSON document", ` {"error": "secret"}`, verdict.Fail},
		{"MySQL", "-- MySQL dump 10.13", verdict.Fail},
		{"UTF-16", "\xff\xfeP\x00G\x00D\x00M\x00P\x00\x01\x00", verdict.Fail},
		{"zero bytes", strings.Repeat("\x00", 5000), verdict.Fail},
		{"text of no known kind", "hunter2 was the secret\n", verdict.Fail},
		{"text of no known kind", strings.Repeat("é", 400), verdict.Fail},
		{"binary data of no known kind", "\x01\x02\x03secret\x99\x00", verdict.Fail},
		{"zip file", "PK\x03\x04abc", verdict.Error},
		{"openssl", "Salted__12345678", verdict.Error},
	} {
		code := verdict.CodeNotAnArchive
		if test.outcome == verdict.Error {
			code = verdict.CodeUnsupported
		}
		packed := map[string][]byte{"bare": []byte(test.data), "gzip": gzipped(t, []byte(test.data)), "zstd": zstded(t, []byte(test.data))}
		for how, data := range packed {
			err := openBytes(t, data)
			wantProblem(t, err, test.outcome, code, test.says)
			if strings.Contains(err.Error(), "secret") || how != "bare" && !strings.Contains(err.Error(), how) {
				t.Errorf("%s: %v", how, err)
			}
			if _, peeked := Peek(t.Context(), bytes.NewReader(data), nil); verdict.AsProblem(peeked).Code != code {
				t.Errorf("peek at %s, %s: %v", test.says, how, peeked)
			}
		}
	}
}

func TestPeekAtPart(t *testing.T) {
	t.Parallel()
	for _, path := range small {
		whole := []byte(readFile(t, path))
		a := mustOpen(t, whole)
		for name, data := range map[string][]byte{"bare": whole[:400], "gzip": gzipped(t, whole)[:600]} {
			h, err := Peek(t.Context(), bytes.NewReader(data), nil)
			if err != nil || h.Database != "small" || h.Created != a.Created || h.ServerMajor != a.ServerMajor {
				t.Errorf("%s of %s: %+v, %v", name, path, h, err)
			}
		}
		h, err := Peek(t.Context(), bytes.NewReader(whole[:140]), nil)
		if err != nil || h.Encoding != "" || h.Database != "small" {
			t.Errorf("only the fixed header: %+v, %v", h, err)
		}
		_, err = Peek(t.Context(), bytes.NewReader(whole[:40]), nil)
		wantProblem(t, err, verdict.Fail, verdict.CodeTruncated, "header")
	}
	// incompressible rows after the header make the first block of zstd big
	noise := make([]byte, 1<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	data := zstded(t, append([]byte(readFile(t, small[0])), noise...))
	if h, err := Peek(t.Context(), bytes.NewReader(data[:min(len(data), PeekSize)]), nil); err != nil || h.Database != "small" || h.Compression != Zstd {
		t.Errorf("zstd: %+v, %v", h, err)
	}
}

func TestOpenStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, small[0], Options{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("with a canceled context: %v", err)
	}
	if p, ok := errors.AsType[*verdict.Problem](err); ok {
		t.Errorf("being stopped counts as a problem of the backup: %+v", p)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	var last, of int64
	_, err := Open(t.Context(), small[0], Options{Progress: func(done, total int64) { last, of = done, total }})
	if size := int64(len(readFile(t, small[0]))); err != nil || last != size || of != size {
		t.Errorf("progress ended at %d of %d, %v", last, of, err)
	}
}

// FuzzOpen reads garbage: it must come to an end, allocate no more than the
// input justifies, and pass nothing that it has not walked to the end.
func FuzzOpen(f *testing.F) {
	for _, path := range small {
		whole := []byte(readFile(f, path))
		f.Add(whole)
		f.Add(whole[:len(whole)/2])
		f.Add(gzipped(f, whole))
		f.Add(zstded(f, whole))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		u, err := unwrap("fuzz", &source{ctx: t.Context(), r: bytes.NewReader(data)}, nil)
		if err != nil {
			return
		}
		defer u.Close()
		a, err := read("fuzz", io.LimitReader(u, 1<<24), "")
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a text")
			}
			return
		}
		a.Roles()
		a.DatabaseDefn()
		a.DatabaseProperties()
		if a.Size < int64(len(customMagic)) || a.ArchiveVersion == "" {
			t.Errorf("passed after %d bytes: %+v", a.Size, a.Header)
		}
	})
}

// TestEveryVersion writes a real archive in the layout of every version that
// is read, and has the real pg_restore say that it is one.
func TestEveryVersion(t *testing.T) {
	t.Parallel()
	c := pgtest.Server(t)
	whole := []byte(readFile(t, small[0]))
	a := mustOpen(t, whole)
	first := slices.MinFunc(slices.DeleteFunc(slices.Clone(a.Entries), func(e Entry) bool { return !e.HadData }),
		func(x, y Entry) int { return cmp.Compare(x.offset.pos, y.offset.pos) })
	for minor := oldest; minor <= newest; minor++ {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) {
			w := writer{minor: minor, offSize: 8 - minor%2*4}
			w.archive(a)
			data := append(w.Bytes(), whole[first.offset.pos:]...)
			b := mustOpen(t, data)
			if h := b.Header; h.ArchiveVersion != fmt.Sprintf("1.%d", minor) || h.Created != a.Created || h.Database != a.Database ||
				h.ServerVersion != a.ServerVersion || h.Encoding != a.Encoding || h.DataCompression != "gzip" {
				t.Errorf("header: %+v", h)
			}
			for i, e := range b.Entries {
				o := a.Entries[i]
				e.offset = offset{}
				o.offset = offset{}
				if minor < withRelKind {
					o.RelKind = 0
				}
				if minor < withAccessMeth {
					o.TableAM = ""
				}
				if e.Section != o.Section && minor < withSections && e.Desc != "SEQUENCE SET" && !strings.HasPrefix(e.Desc, "BLOB") {
					t.Errorf("%s: section %s, want %s", e.name(), e.Section, o.Section)
				}
				e.Section, o.Section = 0, 0
				if diff := gocmp.Diff(o, e, gocmp.AllowUnexported(Entry{}, offset{})); diff != "" {
					t.Error(diff)
				}
			}
			if minor <= 14 { // what pg_restore 15 reads
				if got, want := listing(b), listed(t, c, data); !gocmp.Equal(got, want) {
					t.Errorf("pg_restore reads it differently: %s", gocmp.Diff(want, got))
				}
			}
			wantProblem(t, openBytes(t, data[:len(data)-1]), verdict.Fail, verdict.CodeTruncated, "data of entry")
		})
	}
}

// writer writes archives as pg_dump does, without offsets.
type writer struct {
	bytes.Buffer
	minor, offSize int
}

func (w *writer) int(n int) {
	sign := byte(0)
	if n < 0 {
		sign, n = 1, -n
	}
	w.Write([]byte{sign, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)})
}

func (w *writer) text(s string) {
	if s == "" {
		w.int(-1) // NULL
		return
	}
	w.int(len(s))
	w.WriteString(s)
}

func (w *writer) archive(a *Archive) {
	w.WriteString(customMagic)
	w.Write([]byte{1, byte(w.minor), 0, 4, byte(w.offSize), layoutCustom})
	if w.minor >= withAlgorithm {
		w.WriteByte(1)
	} else {
		w.int(-1)
	}
	for _, n := range []int{a.Created.Second(), a.Created.Minute(), a.Created.Hour(), a.Created.Day(), int(a.Created.Month()) - 1, a.Created.Year() - 1900,
		-1} {
		w.int(n)
	}
	w.text(a.Database)
	w.text(a.ServerVersion)
	w.text(a.DumpVersion)
	w.int(len(a.Entries))
	for _, e := range a.Entries {
		w.entry(e)
	}
}

func (w *writer) entry(e Entry) {
	w.int(e.DumpID)
	state := offsetNoData
	if e.HadData {
		w.int(1)
		state = offsetUnknown
	} else {
		w.int(0)
	}
	w.text(fmt.Sprint(e.TableOID))
	w.text(fmt.Sprint(e.OID))
	w.text(e.Tag)
	w.text(e.Desc)
	if w.minor >= withSections {
		w.int(int(e.Section))
	}
	for _, s := range []string{e.Defn, e.DropStmt, e.CopyStmt, e.Namespace, e.Tablespace} {
		w.text(s)
	}
	if w.minor >= withAccessMeth {
		w.text(e.TableAM)
	}
	if w.minor >= withRelKind {
		w.int(int(e.RelKind))
	}
	w.text(e.Owner)
	w.text("false")
	for _, id := range e.Deps {
		w.text(strconv.Itoa(id))
	}
	w.int(-1)
	w.WriteByte(byte(state))
	w.Write(make([]byte, w.offSize))
}

// TestBoundedMemory claims gigabytes in a few bytes.
func TestBoundedMemory(t *testing.T) {
	header := []byte(readFile(t, small[0]))[:11]
	data := append(bytes.Clone(header), make([]byte, 5+5*7)...)
	data[11+5+5*3+1] = 1                                                                   // day
	data[11+5+5*5+1] = 100                                                                 // year
	data = append(data, "\x01\x01\x00\x00\x00\x01\x01\x00\x00\x00\x01\x01\x00\x00\x00"...) // three NULLs
	data = append(data, "\x00\xff\xff\xff\x7f"...)                                         // entries
	data = append(data, "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"...)                     // id, no data
	data = append(data, "\x00\x00\x00\x00\x40"...)                                         // a text of 1 GiB
	got := allocated(func() {
		d := newDecoder("bounded", bytes.NewReader(data))
		h := d.header()
		d.contents(&h)
		if verdict.AsProblem(d.err).Code != verdict.CodeTruncated {
			t.Error(d.err)
		}
	})
	if got > 1<<20 {
		t.Errorf("%d bytes allocated for %d bytes of archive", got, len(data))
	}
}

// allocated is how many bytes a function allocates, in a test that runs alone.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func openBytes(t testing.TB, data []byte) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{})
	return err
}

func mustOpen(t testing.TB, data []byte) *Archive {
	t.Helper()
	path := filepath.Join(t.TempDir(), "backup")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wantProblem(t testing.TB, err error, outcome verdict.Outcome, code verdict.Code, says string) {
	t.Helper()
	p, ok := errors.AsType[*verdict.Problem](err)
	if !ok || p.Outcome != outcome || p.Code != code || p.Hint == "" || !strings.Contains(p.Error(), says) {
		t.Errorf("got %v (%+v), want %s %s saying %q", err, p, outcome, code, says)
	}
}

func flip(data []byte, fromEnd int) []byte {
	data[len(data)+fromEnd] ^= 0x55
	return data
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// written is data as a writer packs or encrypts it.
func written(t testing.TB, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	return written(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func zstded(t testing.TB, data []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}
