package runbook

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

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
		"file": {"file:///srv/it's/", spec.Source{}, nil, []string{`cp -R -- '/srv/it'\''s/'"$BACKUP" backup.0`}},
		"s3": {"s3://shop/nightly/", spec.Source{Region: "eu-central-1", Endpoint: "https://s3.example.com", Profile: "p"}, nil, []string{
			`aws s3 cp --only-show-errors --endpoint-url https://s3.example.com --region eu-central-1 --profile p s3://shop/nightly/"$BACKUP" backup.0`,
			"AWS_ACCESS_KEY_ID"}},
		"s3 folder": {"s3://shop/", spec.Source{Anonymous: true}, folder, []string{`--no-sign-request --recursive s3://shop/"$BACKUP"/ backup.0/`}},
		"google":    {"gs://shop/", spec.Source{}, nil, []string{`gsutil cp gs://shop/"$BACKUP" backup.0`}},
		"sftp": {"sftp://me@host:2222/a b/", spec.Source{KeyFile: "/k", KnownHosts: "/h"}, nil, []string{
			`sftp -P 2222 -i /k -o UserKnownHostsFile=/h 'me@host:/a b/'"$BACKUP" backup.0`}},
		"sftp folder": {"sftp://host/a/", spec.Source{}, folder, []string{`sftp -r host:/a/"$BACKUP" backup.0`}},
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

// The commands that decrypt and unpack do, with the programs themselves.
func TestOpen(t *testing.T) {
	t.Parallel()
	for around, pack := range map[string]string{"gzip": "gzip -c", "zstd": "zstd -c", "xz": "xz -c", "bzip2": "bzip2 -c", "lz4": "lz4 -c", "openpgp": "gpg"} {
		t.Run(around, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			name, _, _ := strings.Cut(pack, " ")
			testneed.Program(t, name)
			d := &spec.Drill{Name: "shop"}
			var env []string
			script := "printf rows | " + pack + " >backup.0"
			if around == "openpgp" {
				d.Source.Decrypt = &spec.Decrypt{OpenPGPKeyEnv: "BACKUP_KEY", OpenPGPPassphraseEnv: "BACKUP_PASSPHRASE"}
				env = append(env, "BACKUP_KEY="+madeKey(t, dir), "BACKUP_PASSPHRASE=it's \"one\"")
				script = `printf rows | GNUPGHOME="$PWD/home" gpg --batch --trust-model always -r a@example.org -e >backup.0`
			}
			p := &plan{Input{shopReport("file:///a/", "b", around), d, nil}, nil}
			p.by = p.Report.ByHand
			run := exec.CommandContext(t.Context(), "sh", "-ec", script+"\n"+strings.Join(p.open(), "\n")+"\ncat "+p.opened(0))
			run.Dir, run.Env = dir, append(os.Environ(), env...)
			var out, said bytes.Buffer
			run.Stdout, run.Stderr = &out, &said
			if err := run.Run(); err != nil || out.String() != "rows" {
				t.Errorf("%q, %v\n%s", &out, err, &said)
			}
		})
	}
}

// madeKey makes a key pair in a keyring below dir, and returns its private half.
func madeKey(t *testing.T, dir string) string {
	t.Helper()
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "gpg-agent.conf"), []byte("s2k-count 65536\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("gpgconf", "--homedir", home, "--kill", "gpg-agent").Run() })
	gpg := func(args ...string) string {
		run := exec.CommandContext(t.Context(), "gpg", slices.Concat([]string{"--homedir", home, "--batch",
			"--pinentry-mode", "loopback", "--passphrase", `it's "one"`}, args)...)
		var said bytes.Buffer
		run.Stderr = &said
		out, err := run.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		return string(out)
	}
	gpg("--quick-generate-key", "a@example.org", "future-default", "default", "never")
	return gpg("--armor", "--export-secret-keys", "a@example.org")
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
