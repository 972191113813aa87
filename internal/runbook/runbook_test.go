package runbook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/debian"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// shopReport is a report of a drill of one custom archive that passed.
func shopReport(store, name string, around ...string) *verdict.Report {
	at := time.Date(2026, 3, 4, 5, 0, 0, 0, time.UTC)
	return &verdict.Report{
		Drill: "shop", Run: "20260304T050000Z-aaaa", Outcome: verdict.Pass, StartedAt: at, FinishedAt: at,
		Backup: verdict.Backup{Store: store, Name: name, TakenAt: at.Add(-time.Hour), Database: "shop", SHA256: "00ff",
			Format: "custom", ServerVersion: "17.2"},
		Sandbox:  verdict.Sandbox{Kind: "container", ServerVersion: "17.2"},
		Recovery: &verdict.Recovery{TotalMS: 64_000, FetchMS: 4_000, PreDataMS: 10_000, DataMS: 30_000, PostDataMS: 20_000},
		ByHand: &verdict.ByHand{
			Parts:   []verdict.Part{{Name: name, Format: "custom", Around: around}},
			Machine: verdict.Machine{Cores: 2, Jobs: 2, MemoryBytes: 8e9, System: "linux/amd64"},
		},
	}
}

func written(t *testing.T, in Input) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var block = regexp.MustCompile("(?ms)^(````*)sh\n(.*?)\n````*$")

// Names from a hostile backup are no markup, no command, and reach no terminal.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const hostile = "x\n```\n# Heading <script> | @all $(touch /tmp/owned) `id` '; drop table a; --\\\x1b[2J\u202e"
	r := shopReport("s3://backups/it's%20$(id)%1b%0a```/", hostile, "gzip")
	r.Backup.Database = hostile
	r.Backup.ServerVersion = hostile
	r.Sandbox.Preloaded = []string{hostile}
	r.ByHand.Roles = []string{hostile}
	r.ByHand.Extensions = []string{hostile}
	r.ByHand.Settings = []string{hostile}
	r.Tables = []verdict.Table{{Name: hostile, RowsHeld: 1}}
	r.Witnesses = []verdict.Witness{{Name: hostile, Table: hostile, Newer: 1}}
	table := spec.Name{Schema: "public", Table: hostile}
	r.Checks = []verdict.Check{{ID: "row_count:" + table.String(), Expected: hostile, Observed: hostile}}
	d := &spec.Drill{Name: "shop", Expectations: spec.Expectations{
		Tables: []spec.Table{{Table: table, RowCount: &spec.RowCount{}, Relationships: []spec.Relationship{{Column: hostile}}}},
		Roles:  []string{hostile}, Settings: []spec.Setting{{Name: hostile, Value: hostile}},
	}}
	page := written(t, Input{Report: r, Drill: d})
	if i := strings.IndexAny(page, "\x1b\u202e"); i >= 0 {
		t.Errorf("a control character stands at %q", page[i:i+20])
	}
	prose := block.ReplaceAllString(page, "")
	for _, bad := range []string{"<script", "\n# Heading", "`id`", "@all", "\n```"} {
		if strings.Contains(prose, bad) {
			t.Errorf("%q is markup in\n%s", bad, prose)
		}
	}
	for line := range strings.SplitSeq(page, "\n") {
		if strings.HasPrefix(line, "| ") && strings.Count(line, "|") != 3 {
			t.Errorf("a row has more cells: %s", line)
		}
	}
	for _, b := range block.FindAllStringSubmatch(page, -1) {
		check := exec.CommandContext(t.Context(), "sh", "-n")
		check.Stdin = strings.NewReader(b[2])
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%v %s\n%s", err, out, b[2])
		}
	}
}

// Each place is reached by its own program, and no secret stands in a command.
func TestFetch(t *testing.T) {
	t.Parallel()
	folder := func(r *verdict.Report) { r.ByHand.Parts[0].Folder = true }
	for name, c := range map[string]struct {
		store string
		src   spec.Source
		alter func(*verdict.Report)
		want  []string
	}{
		"file": {"file:///srv/it's/", spec.Source{}, nil, []string{`cp -RL -- '/srv/it'\''s/'"$BACKUP" backup.0`}},
		"s3": {"s3://shop/nightly/", spec.Source{Region: "eu-central-1", Endpoint: "https://s3.example.com", Profile: "p"}, nil, []string{
			`aws s3 cp --only-show-errors --endpoint-url https://s3.example.com --region eu-central-1 --profile p s3://shop/nightly/"$BACKUP" backup.0`,
			"AWS_ACCESS_KEY_ID", "command -v aws || apt-get install --yes awscli\n"}},
		"s3 folder": {"s3://shop/", spec.Source{Anonymous: true}, folder, []string{`--no-sign-request --recursive s3://shop/"$BACKUP"/ backup.0/`}},
		"google":    {"gs://shop/", spec.Source{}, nil, []string{`gsutil cp gs://shop/"$BACKUP" backup.0`}},
		"sftp": {"sftp://me@host:2222/a b/", spec.Source{KeyFile: "/k", KnownHosts: "/h"}, nil, []string{
			`sftp -P 2222 -i /k -o UserKnownHostsFile=/h me@host:"$(printf '%s' '/a b/'"$BACKUP" | sed`}},
		"sftp folder": {"sftp://host/a/", spec.Source{}, folder, []string{`sftp -r host:"$(printf '%s' /a/"$BACKUP" | sed`}},
		"web": {"https://host/a/", spec.Source{TokenEnv: "TOKEN"}, nil, []string{
			`printf 'Authorization: Bearer %s\n' "$TOKEN" | curl --fail --location --output backup.0 https://host/a/b%20c.dump --header @-`}},
		"password": {"https://host/a/", spec.Source{User: "me", PasswordEnv: "PW"}, nil, []string{`"$(printf '%s:%s' me "$PW" | base64 -w 0)" | curl`, "| PW |"}},
		"presigned": {"https://host/", spec.Source{URLEnv: "BACKUP_URL"}, nil, []string{
			`printf 'url = "%s"\n' "$BACKUP_URL" | curl --config - --fail --location --output backup.0`}},
	} {
		r := shopReport(c.store, "b c.dump")
		if c.alter != nil {
			c.alter(r)
		}
		page := written(t, Input{Report: r, Drill: &spec.Drill{Name: "shop", Source: c.src}})
		for _, want := range append(c.want, "BACKUP='b c.dump'", "export PGDATABASE=shop") {
			if !strings.Contains(page, want) {
				t.Errorf("%s: it lacks %s\n%s", name, want, page)
			}
		}
	}
	byProgram := spec.Source{Exec: &spec.Exec{Env: []string{"RESTIC_PASSWORD"}}}
	page := written(t, Input{Report: shopReport("exec:restic/", "20260304_ab"), Drill: &spec.Drill{Name: "shop", Source: byProgram},
		Fetch: func(name string) ([]string, error) { return []string{"restic", "dump", name, "/shop dump"}, nil }})
	for _, want := range []string{"restic dump 20260304_ab '/shop dump' >backup.0\n", "| RESTIC_PASSWORD |"} {
		if !strings.Contains(page, want) {
			t.Errorf("it lacks %s\n%s", want, page)
		}
	}
}

// A web server is asked as it wants to be, by what variables hold.
func TestFetchFromTheWeb(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.URL.Path != "/a/b c.dump" || r.Header.Get("Authorization") != "Bearer it's-$a" && user+password != `me"it's"` && r.URL.RawQuery != "signed=1" {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = io.WriteString(w, "rows")
	}))
	defer server.Close()
	for name, c := range map[string]struct {
		src spec.Source
		env string
	}{
		"token":     {spec.Source{TokenEnv: "TOKEN"}, "TOKEN=it's-$a"},
		"password":  {spec.Source{User: "me", PasswordEnv: "PW"}, `PW="it's"`},
		"presigned": {spec.Source{URLEnv: "BACKUP_URL"}, "BACKUP_URL=" + server.URL + "/a/b%20c.dump?signed=1"},
	} {
		p := planOf(shopReport(server.URL+"/a/", "b c.dump"), &spec.Drill{Name: "shop", Source: c.src})
		lines, err := p.fetch()
		if err != nil {
			t.Fatal(err)
		}
		if out, err := shell(t, t.TempDir(), map[string]string{"curl": "curl"}, append(lines, "cat backup.0"), c.env); err != nil || out != "rows" {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

// A backup that is a link within its folder comes as what it leads to.
func TestFetchOfALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "tonight.dump"), []byte("rows"), 0o644),
		os.Symlink("tonight.dump", filepath.Join(dir, "latest.dump"))); err != nil {
		t.Fatal(err)
	}
	lines, err := planOf(shopReport("file://"+dir+"/", "latest.dump"), &spec.Drill{Name: "shop"}).fetch()
	if err != nil {
		t.Fatal(err)
	}
	lines = slices.Concat([]string{"BACKUP=latest.dump"}, lines, []string{"cat backup.0"})
	if out, err := shell(t, t.TempDir(), nil, lines); err != nil || out != "rows" {
		t.Errorf("%q, %v", out, err)
	}
}

// An SFTP server's file and folder come by OpenSSH's own client.
func TestFetchBySFTP(t *testing.T) {
	t.Parallel()
	server := storetest.StartSSHD(t)
	dir := filepath.Join(t.TempDir(), "it's $a")
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "b c"), 0o755), os.WriteFile(filepath.Join(dir, "b c", "toc.dat"), []byte("rows"), 0o644)); err != nil {
		t.Fatal(err)
	}
	server.Open(t, dir)
	place := (&url.URL{Scheme: "sftp", User: url.User(server.User), Host: server.Addr, Path: dir + "/"}).String()
	d := &spec.Drill{Name: "shop", Source: spec.Source{KeyFile: server.KeyFile, KnownHosts: server.KnownHosts}}
	for name, file := range map[string]string{"b c": "backup.0/toc.dat", "b c/toc.dat": "backup.0"} {
		r := shopReport(place, name)
		r.ByHand.Parts[0].Folder = name == "b c"
		p := planOf(r, d)
		lines, err := p.fetch()
		if err != nil {
			t.Fatal(err)
		}
		lines = slices.Concat([]string{"BACKUP='" + name + "'"}, lines, []string{"cat " + file})
		if out, err := shell(t, t.TempDir(), map[string]string{"sftp": "openssh-client"}, lines); err != nil || !strings.HasSuffix(out, "rows") {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}

func planOf(r *verdict.Report, d *spec.Drill) *plan {
	return &plan{Input{Report: r, Drill: d}, r.ByHand}
}

// shell runs commands, with programs that this machine lacks from Debian's packages.
func shell(t *testing.T, dir string, needs map[string]string, lines []string, env ...string) (string, error) {
	t.Helper()
	var packages []debian.Package
	for name, of := range needs {
		if _, err := exec.LookPath(name); err != nil {
			packages = append(packages, testneed.Debian(t, of).Package)
		}
	}
	args := debian.Over(packages, "sh", "-ec", strings.Join(lines, "\n"))
	run := exec.CommandContext(t.Context(), args[0], args[1:]...)
	run.Dir, run.Env = dir, append(os.Environ(), env...)
	var out, said bytes.Buffer
	run.Stdout, run.Stderr = &out, &said
	err := run.Run()
	if err != nil {
		err = fmt.Errorf("%w\n%s\n%s", err, strings.Join(lines, "\n"), &said)
	}
	return out.String(), err
}

// The commands that decrypt and unpack do, with the programs themselves.
func TestOpen(t *testing.T) {
	t.Parallel()
	for around, of := range map[string]string{"gzip": "gzip", "zstd": "zstd", "xz": "xz-utils", "bzip2": "bzip2", "lz4": "lz4"} {
		t.Run(around, func(t *testing.T) {
			t.Parallel()
			p := planOf(shopReport("file:///a/", "b", around), &spec.Drill{Name: "shop"})
			lines := slices.Concat([]string{"printf rows | " + around + " -c >backup.0"}, p.open(), []string{"cat " + p.opened(0)})
			if out, err := shell(t, t.TempDir(), map[string]string{around: of}, lines); err != nil || out != "rows" {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

// A key under a passphrase opens what is under OpenPGP, and a command what only
// it knows.
func TestOpenByKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		decrypt spec.Decrypt
		around  string
		before  []string
	}{
		"openpgp": {spec.Decrypt{OpenPGPKeyEnv: "BACKUP_KEY", OpenPGPPassphraseEnv: "PW"}, "openpgp", []string{
			"mkdir -m 700 home", "echo s2k-count 65536 >home/gpg-agent.conf",
			`own() { gpg --homedir "$PWD/home" --batch --quiet --pinentry-mode loopback --passphrase "$PW" --trust-model always "$@"; }`,
			"own --quick-generate-key a@example.org future-default default never",
			"printf rows | own -r a@example.org --encrypt >backup.0", `BACKUP_KEY="$(own --armor --export-secret-keys)"`,
			`gpgconf --homedir "$PWD/home" --kill gpg-agent`}},
		"command": {spec.Decrypt{Command: []string{"tr", "a-z '", "b-za'"}}, "command", []string{"printf qnvr >backup.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &spec.Drill{Name: "shop", Source: spec.Source{Decrypt: &c.decrypt}}
			p := planOf(shopReport("file:///a/", "b", c.around), d)
			lines := slices.Concat(c.before, p.open(), []string{"cat " + p.opened(0)})
			out, err := shell(t, t.TempDir(), map[string]string{"gpg": "gpg", "gpg-agent": "gpg-agent"}, lines, `PW=it's "one"`)
			if err != nil || out != "rows" {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

// What is restored by which command, into a database that is made or there.
func TestRestore(t *testing.T) {
	t.Parallel()
	script := func(name string, connects bool) verdict.Part {
		return verdict.Part{Name: name, Format: "plain", Connects: connects}
	}
	archive := verdict.Part{Name: "a", Format: "custom"}
	for name, c := range map[string]struct {
		database string
		parts    []verdict.Part
		want     []string
	}{
		"archive":        {"shop", []verdict.Part{archive}, []string{`pg_restore --jobs="$(nproc)" --create --dbname=postgres backup.0`}},
		"into postgres":  {"postgres", []verdict.Part{archive}, []string{`pg_restore --jobs="$(nproc)" --dbname="$PGDATABASE" backup.0`}},
		"script":         {"shop", []verdict.Part{script("s", false)}, []string{"createdb", "psql -X -q -v ON_ERROR_STOP=1 -f backup.0"}},
		"making its own": {"shop", []verdict.Part{script("s", true)}, []string{"psql -X -q -v ON_ERROR_STOP=1 -d postgres -f backup.0"}},
		"scripts": {"shop", []verdict.Part{script("s", false), script("r", false)}, []string{"createdb", "psql -X -q -v ON_ERROR_STOP=1 -f part1.0",
			"psql -X -q -v ON_ERROR_STOP=1 -f part2.0"}},
		"globals and a script": {"shop", []verdict.Part{script("g", true), script("s", false)}, []string{"psql -X -q -v ON_ERROR_STOP=1 -d postgres -f part1.0",
			"createdb", "psql -X -q -v ON_ERROR_STOP=1 -f part2.0"}},
	} {
		r := shopReport("file:///a/", "b")
		r.Backup.Database = c.database
		r.ByHand.Parts = c.parts
		lines := planOf(r, &spec.Drill{Name: "shop"}).restore()
		same := func(line, want string) bool { return strings.HasPrefix(line, want) }
		if !slices.EqualFunc(lines, append(c.want, "psql -X -q -c 'analyze'"), same) {
			t.Errorf("%s: %q, want %q", name, lines, c.want)
		}
	}
}

// A report from before there was such a page, and what a page leaves out.
func TestWhatIsNotThere(t *testing.T) {
	t.Parallel()
	r := shopReport("file:///a/", "b.dump")
	page := written(t, Input{Report: r, Drill: &spec.Drill{Name: "shop"}})
	for _, none := range []string{"## Decrypt", "create role", "<no value>", "%!"} {
		if strings.Contains(page, none) {
			t.Errorf("%q stands in\n%s", none, page)
		}
	}
	r.ByHand = nil
	if err := Write(&bytes.Buffer{}, Input{Report: r, Drill: &spec.Drill{Name: "shop"}}); err == nil {
		t.Error("a report that tells nothing made a page")
	}
}

// Who is told stands on the page, and by what secret does not.
func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	r := shopReport("file:///srv/", "shop.dump")
	if page := written(t, Input{Report: r, Drill: &spec.Drill{Name: "shop"}}); !strings.Contains(page, "The drill file names nobody.") {
		t.Errorf("it says nothing of nobody:\n%s", page)
	}
	const secret = "hooks-77f3"
	page := written(t, Input{Report: r, Drill: &spec.Drill{Name: "shop", Notify: spec.Notify{
		HeartbeatEnv: "PING", Heartbeat: spec.Key(secret), Channels: []spec.Channel{
			{Kind: spec.ChannelSlack, Env: "SLACK", Secret: spec.Key(secret), When: []string{spec.WhenFail, spec.WhenRecovered}},
			{Kind: spec.ChannelEmail, Env: "SMTP", Secret: spec.Key(secret), To: []string{"ops.example"}, When: []string{spec.WhenFail}},
		}}}})
	for _, want := range []string{"- slack (SLACK): fail, recovered\n", "- email (SMTP, to ops.example): fail\n", "- heartbeat (PING): "} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if strings.Contains(page, secret) {
		t.Error("a secret stands on the page")
	}
}
