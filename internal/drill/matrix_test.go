package drill_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/pgtest"
	"daybefore/internal/sandbox"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// cell is one of the matrix: how a backup was written, packed and encrypted, and
// where it lies.
type cell struct{ format, compression, encryption, place string }

func (c cell) String() string {
	return c.format + ", " + c.compression + ", " + c.encryption + ", " + c.place
}

// selection has each value of each axis. The first cell of each format is
// drilled cut, too: so it is under no command, which cannot tell a cut file from
// a wrong key.
var selection = []cell{
	{"custom", "none", "none", "s3"},
	{"custom", "zstd", "age", "gs"},
	{"custom", "lz4", "none", "exec"},
	{"plain", "gzip", "openpgp", "sftp"},
	{"plain", "xz", "none", "https"},
	{"plain", "gzip", "command", "file"},
	{"directory", "none", "none", "s3"},
	{"tar", "bzip2", "none", "file"},
	{"tar of a directory", "gzip", "age", "sftp"},
	{"cluster", "gzip", "none", "https"},
	{"parts", "zstd", "age", "s3"},
}

// met are the cells that people meet, as products. A directory's files are
// neither packed nor encrypted one by one by anything that people use.
var met = []struct {
	formats, compressions, encryptions, places string
}{
	{"custom", "none", "none age openpgp command", "file s3 gs sftp https exec"},
	{"custom", "gzip zstd xz bzip2 lz4", "none age", "file"},
	{"plain", "gzip", "none age openpgp command", "file s3 gs sftp https exec"},
	{"plain", "none zstd xz bzip2 lz4", "none age openpgp command", "file"},
	{"plain", "none zstd", "none", "s3 exec"},
	{"directory", "none", "none", "file s3 gs sftp https exec"},
	{"tar", "none gzip zstd xz bzip2 lz4", "none", "file"},
	{"tar", "none gzip", "age openpgp command", "s3"},
	{"tar of a directory", "none gzip zstd xz bzip2 lz4", "none", "file"},
	{"tar of a directory", "gzip zstd", "none age openpgp command", "s3"},
	{"tar of a directory", "gzip", "none", "gs sftp https exec"},
	{"cluster", "none gzip zstd xz bzip2 lz4", "none", "file"},
	{"cluster", "gzip", "none age openpgp command", "s3 exec"},
	{"cluster", "gzip", "none", "gs sftp https"},
	{"parts", "none gzip zstd xz bzip2 lz4", "none", "file"},
	{"parts", "gzip", "none age openpgp command", "s3"},
	{"parts", "none", "none", "gs sftp https exec"},
}

// everyCell is the selection, and what else people meet.
func everyCell() []cell {
	all := slices.Clone(selection)
	split := func(list string) []string { return strings.Split(list, " ") }
	for _, m := range met {
		for _, compression := range split(m.compressions) {
			for _, encryption := range split(m.encryptions) {
				for _, place := range split(m.places) {
					c := cell{m.formats, compression, encryption, place}
					if !slices.Contains(all, c) {
						all = append(all, c)
					}
				}
			}
		}
	}
	return all
}

// shape is how a dump was written, and what a report says of it.
type shape struct {
	names  string   // of source, with %s for what stands behind a file's name
	files  []string // their names, as in names; a directory's are its tar's
	told   string   // backup.format
	within string   // how pg_dump packs in it
}

var shapes = map[string]shape{
	"custom":             {`name: "shop-{time}.dump%s"`, []string{"shop-{time}.dump"}, "custom", "gzip"},
	"plain":              {`name: "shop-{time}.sql%s"`, []string{"shop-{time}.sql"}, "plain", "none"},
	"directory":          {`name: "shop-{time}%s"`, nil, "directory", "gzip"},
	"tar":                {`name: "shop-{time}.tar%s"`, []string{"shop-{time}.tar"}, "tar", "none"},
	"tar of a directory": {`name: "shop-{time}.tar%s"`, []string{"shop-{time}.tar"}, "tar", "gzip"},
	"cluster":            {`name: "all-{time}.sql%s"`, []string{"all-{time}.sql"}, "plain", "none"},
	"parts": {`parts: ["globals-{time}.sql%[1]s", "shop-{time}.dump%[1]s"]`, []string{"globals-{time}.sql", "shop-{time}.dump"},
		"custom", "gzip"},
}

// packers are the programs by which people compress, each in a package of its
// own save gzip, which every machine has.
var packers = map[string]struct{ suffix, pkg, program string }{
	"none":  {},
	"gzip":  {".gz", "", "gzip"},
	"zstd":  {".zst", "zstd", "zstd"},
	"xz":    {".xz", "xz-utils", "xz"},
	"bzip2": {".bz2", "bzip2", "bzip2"},
	"lz4":   {".lz4", "lz4", "lz4"},
}

// lock is a program that encrypts, and what opens it.
type lock struct {
	suffix  string
	program []string
	decrypt string // of source, as YAML
	key     string // backup.key
}

// through is what a program makes of data.
func through(t *testing.T, data []byte, command ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	var out, said bytes.Buffer
	cmd.Stdin = bytes.NewReader(data)
	cmd.Stdout = &out
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%q: %v\n%s", command, err, &said)
	}
	return out.Bytes()
}

// locks are those of all ciphers, with keys of their own.
func locks(t *testing.T) map[string]lock {
	t.Helper()
	dir := t.TempDir()
	written := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	to := id.Recipient().String()
	private, public, fingerprint := openPGPKey(t)
	gpg := []string{testneed.Debian(t, "gpg").Program(t, "gpg"), "--homedir", dir, "--batch", "--quiet", "--no-autostart",
		"--trust-model", "always", "--encrypt", "--recipient-file", written("public.asc", public)}
	openssl := []string{testneed.Program(t, "openssl"), "enc", "-aes-256-cbc", "-pbkdf2", "-pass",
		"file:" + written("passphrase", []byte("correct horse battery staple\n"))}
	opens := fmt.Sprintf("{command: [%s, -d]}", strings.Join(openssl, ", "))
	return map[string]lock{
		"none": {},
		"age": {".age", []string{testneed.Debian(t, "age").Program(t, "age"), "-r", to},
			fmt.Sprintf("{age_identity_file: %q}", written("identity", []byte(id.String()+"\n"))), to},
		"openpgp": {".gpg", gpg, fmt.Sprintf("{openpgp_key_file: %q}", written("private.asc", private)), fingerprint},
		"command": {".enc", openssl, opens, ""},
	}
}

func openPGPKey(t *testing.T) (private, public []byte, fingerprint string) {
	t.Helper()
	e, err := openpgp.NewEntity("drill", "", "drill@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	armored := func(kind string, write func(io.Writer) error) []byte {
		var b bytes.Buffer
		w, err := armor.Encode(&b, kind, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(write(w), w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	private = armored(openpgp.PrivateKeyType, func(w io.Writer) error { return e.SerializePrivate(w, nil) })
	public = armored(openpgp.PublicKeyType, e.Serialize)
	return private, public, fmt.Sprintf("%X", e.PrimaryKey.Fingerprint)
}

// places put files where backups lie, and say where that is as a drill file does.
var places = map[string]func(t *testing.T, files map[string][]byte) string{
	"file": func(t *testing.T, files map[string][]byte) string {
		return fmt.Sprintf("url: %q", "file://"+folderOf(t, files))
	},
	"s3": func(t *testing.T, files map[string][]byte) string {
		server := storetest.S3(t)
		for name, data := range files {
			if err := server.Put(t.Context(), "nightly/"+name, data); err != nil {
				t.Fatal(err)
			}
		}
		if err := server.Publish(t.Context()); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("url: %q, endpoint: %q, region: %s, path_style: true, anonymous: true",
			"s3://"+server.Bucket+"/nightly/", server.Endpoint, server.Region)
	},
	"gs": func(t *testing.T, files map[string][]byte) string {
		server := storetest.StartGS(t)
		for name, data := range files {
			server.Put(t, "nightly/"+name, data)
		}
		return fmt.Sprintf("url: %q, endpoint: %q, anonymous: true", "gs://"+server.Bucket+"/nightly/", server.Endpoint)
	},
	"sftp": func(t *testing.T, files map[string][]byte) string {
		server := storetest.StartSSHD(t)
		dir := folderOf(t, files)
		server.Open(t, dir)
		return fmt.Sprintf("url: %q, key_file: %q, known_hosts: %q", "sftp://"+server.User+"@"+server.Addr+dir, server.KeyFile,
			server.KnownHosts)
	},
	"https": func(t *testing.T, files map[string][]byte) string {
		return fmt.Sprintf("url: %q", storetest.StartWeb(t, folderOf(t, files), true).URL+"/")
	},
	"exec": func(t *testing.T, files map[string][]byte) string {
		dir := folderOf(t, files)
		return fmt.Sprintf(`exec: {list: [find, %q, -type, f, -printf, '%%P\t%%s\t%%T@\n'], fetch: [cat, %q]}`, dir, dir+"/{name}")
	},
}

func folderOf(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		put(t, filepath.Join(dir, name), data)
	}
	return dir
}

// warehouse holds one database's dumps in all formats, by format and name.
type warehouse struct {
	dumps map[string]map[string][]byte
	locks map[string]lock
}

func newWarehouse(t *testing.T) warehouse {
	t.Helper()
	source := pgtest.Server(t)
	source.Exec("postgres", "CREATE ROLE app; CREATE DATABASE shop OWNER app")
	source.Exec("shop", `
CREATE TABLE items (id int PRIMARY KEY, label text NOT NULL);
INSERT INTO items SELECT g, md5(g::text) FROM generate_series(1, 400) g;
CREATE TABLE parts (id int PRIMARY KEY, item int REFERENCES items);
INSERT INTO parts SELECT g, g FROM generate_series(1, 50) g;
CREATE INDEX by_label ON items (label); ALTER TABLE items OWNER TO app;`)
	custom := source.Dump("-Fc", "shop")
	folder := source.DumpDirectory("shop")
	one := func(format string, data []byte) map[string][]byte {
		return map[string][]byte{shapes[format].files[0]: data}
	}
	return warehouse{locks: locks(t), dumps: map[string]map[string][]byte{
		"custom":             one("custom", custom),
		"plain":              one("plain", source.Dump("shop")),
		"directory":          members(t, folder),
		"tar":                one("tar", source.Dump("-Ft", "shop")),
		"tar of a directory": one("tar of a directory", folder),
		"cluster":            one("cluster", source.DumpBy("pg_dumpall")),
		"parts": {shapes["parts"].files[0]: source.DumpBy("pg_dumpall", "--globals-only"),
			shapes["parts"].files[1]: custom},
	}}
}

// members are the files of a directory archive that tar packed.
func members(t *testing.T, packed []byte) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	extract(t, packed, dir)
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files["shop-{time}/"+filepath.Base(path)] = data
	}
	return files
}

// files are a cell's, with the names and bytes that its programs give them.
func (w warehouse) files(t *testing.T, c cell) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, data := range w.dumps[c.format] {
		p := packers[c.compression]
		switch {
		case p.pkg != "":
			data = through(t, data, testneed.Debian(t, p.pkg).Program(t, p.program), "-c")
		case p.program != "":
			data = through(t, data, p.program, "-c")
		}
		l := w.locks[c.encryption]
		if l.program != nil {
			data = through(t, data, l.program...)
		}
		files[strings.ReplaceAll(name, "{time}", "20260304")+p.suffix+l.suffix] = data
	}
	return files
}

// drilled is the report of a drill of a cell's files.
func (w warehouse) drilled(t *testing.T, c cell, files map[string][]byte) *verdict.Report {
	t.Helper()
	l := w.locks[c.encryption]
	source := places[c.place](t, files) + ", " + fmt.Sprintf(shapes[c.format].names, packers[c.compression].suffix+l.suffix)
	if l.decrypt != "" {
		source += ", decrypt: " + l.decrypt
	}
	return run(t, t.Context(), load(t, sandbox.Local, fmt.Sprintf(`
version: 1
source: {%s, time: "20060102", time_tolerance: 999999h, timezone: UTC, database: shop}
expectations:
  roles: [app, postgres]
  tables: [{table: public.items, row_count: {equals: 400}}, {table: public.parts, row_count: {equals: 50}}]
`, source)))
}

// compressed is what a report says of a cell's compressions.
func (c cell) compressed() string {
	within := shapes[c.format].within
	switch {
	case within == "none":
		return c.compression
	case c.compression == "none":
		return within + " within"
	}
	return c.compression + " around " + within
}

// Backups of every format pass, however they are packed and encrypted and
// wherever they lie, and fail where they are cut.
func TestFormatsPackedEncryptedAnywhere(t *testing.T) {
	t.Parallel()
	w := newWarehouse(t)
	cells := selection
	if testneed.Matrix() {
		cells = everyCell()
	}
	spoilt := map[string]bool{}
	for _, c := range cells {
		t.Run(c.String(), func(t *testing.T) {
			t.Parallel()
			w.passes(t, c)
		})
		if spoilt[c.format] {
			continue
		}
		spoilt[c.format] = true
		t.Run(c.String()+", cut", func(t *testing.T) {
			t.Parallel()
			w.failsCut(t, c)
		})
	}
}

func (w warehouse) passes(t *testing.T, c cell) {
	files := w.files(t, c)
	r := w.drilled(t, c, files)
	if r.Outcome != verdict.Pass {
		t.Fatalf("%s\n%s\n%+v", r.Outcome, worst(r), r.Checks)
	}
	held := map[string]int64{}
	for _, table := range r.Tables {
		held[table.Name] = table.RowsHeld
	}
	if want := map[string]int64{"public.items": 400, "public.parts": 50}; !maps.Equal(held, want) {
		t.Errorf("rows: %v, want %v", held, want)
	}
	key := w.locks[c.encryption].key
	encryption := c.encryption
	if encryption == "none" {
		encryption = ""
	}
	b := r.Backup
	if b.Format != shapes[c.format].told || b.Compression != c.compressed() || b.Encryption != encryption || b.Key != key {
		t.Errorf("told as %s, %s, encrypted by %q for %q; want %s, %s, %q, %q", b.Format, b.Compression, b.Encryption, b.Key,
			shapes[c.format].told, c.compressed(), encryption, key)
	}
	if len(files) > 1 && b.Files != len(files) {
		t.Errorf("it has %d files, want %d", b.Files, len(files))
	}
}

// failsCut wants a backup to fail whose largest file lacks its last third.
func (w warehouse) failsCut(t *testing.T, c cell) {
	files := w.files(t, c)
	largest := ""
	for name, data := range files {
		if len(data) > len(files[largest]) {
			largest = name
		}
	}
	files[largest] = files[largest][:len(files[largest])*2/3]
	r := w.drilled(t, c, files)
	if s := stageOf(r, verdict.StageFetch); r.Outcome != verdict.Fail || s.Code != verdict.CodeTruncated {
		t.Errorf("%s: %s\n%s", largest, r.Outcome, worst(r))
	}
}

// The selection leaves out no value of an axis, and no cell is there twice.
func TestSelectionCoversEachAxis(t *testing.T) {
	t.Parallel()
	values := func(cells []cell) string {
		axes := make([]map[string]bool, 4)
		for i := range axes {
			axes[i] = map[string]bool{}
		}
		for _, c := range cells {
			for i, value := range []string{c.format, c.compression, c.encryption, c.place} {
				axes[i][value] = true
			}
		}
		return fmt.Sprint(axes)
	}
	all := everyCell()
	if got, want := values(selection), values(all); got != want {
		t.Errorf("the selection has\n%s, the matrix\n%s", got, want)
	}
	for _, value := range slices.Concat(slices.Collect(maps.Keys(shapes)), slices.Collect(maps.Keys(packers)), slices.Collect(maps.Keys(places))) {
		if !strings.Contains(values(all), value+":") {
			t.Errorf("no cell has %s", value)
		}
	}
	spoilt := map[string]bool{}
	for _, c := range selection {
		if !spoilt[c.format] && c.encryption == "command" {
			t.Errorf("%s is cut, which nobody can tell", c)
		}
		spoilt[c.format] = true
	}
	t.Logf("%d cells of %d are drilled without dev:matrix", len(selection), len(all))
}
