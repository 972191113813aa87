package spec

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const anyPlace = "write file:///dir/, s3://bucket/prefix/, gs://bucket/prefix/, sftp://user@host/dir/ or https://host/dir/"

const timedName = ", name: 'a-{time}', time: 20060102T150405Z"

var badPlaces = []badInput{
	{"two places", drillFile("§source: {url: file:///b/, url_env: A_URL" + timedName + "}"),
		[]string{"source holds more than one of url, url_env and exec; keep one of them"}},
	{"a folder with keys of others", drillFile(source("url: file:///b/, token_env: §A, key_file: §k, listing: §l" + timedName)), []string{
		"source.token_env is for https, and the url is a folder's; remove it",
		"source.key_file is for sftp, and the url is a folder's; remove it",
		"source.listing is for https, and the url is a folder's; remove it"}},
	{"a bucket of Google's with a region", drillFile(source("url: gs://b/, region: §x" + timedName)),
		[]string{"source.region is for s3, and the url is a Google bucket's; remove it"}},
	{"a program with a region", drillFile(source("exec: {list: [a], fetch: [b, '{name}']}, region: §x" + timedName)),
		[]string{"source.region is for s3, and exec runs a program; remove it"}},
	{"sftp with a password", drillFile(source("url: §'sftp://me:secret@host/d/'" + timedName)),
		[]string{"source.url holds credentials; take them out, change them, and give them in the environment"}},
	{"sftp without a host", drillFile(source("url: §'sftp:///d/'" + timedName)), []string{"source.url names no host; " + anyPlace}},
	{"https with a user", drillFile(source("url: §'https://me@host/d/'" + timedName)),
		[]string{"source.url holds credentials; take them out, change them, and give them in the environment"}},
	{"a presigned URL", drillFile(source("url: §'https://host/a?X-Amz-Signature=1', timezone: UTC")),
		[]string{"source.url holds a query or a fragment; give a presigned URL in the environment, and its variable as url_env"}},
	{"plain http", drillFile(source("url: §'http://host/d/'" + timedName)), []string{"source.url: http lets anybody on the way read the backups and put " +
		"others in their place; write https://, or insecure: true where that is wanted"}},
	{"a token and a password", drillFile(source("url: https://host/d/, token_env: §A, user: u, password_env: B" + timedName)),
		[]string{"source holds a token and a password; keep what the server asks for"}},
	{"a user alone", drillFile("§source: {url: https://host/d/, user: u" + timedName + "}"),
		[]string{"source.user and source.password_env belong together; write both, or neither"}},
	{"a token in the file", drillFile(source("url: https://host/d/, token_env: §'eyJ.x'" + timedName)), []string{
		"source.token_env is not the name of an environment variable; write the variable's name, such as DRILL_STORE_TOKEN, never the key"}},
	{"a listing of one file", drillFile(source("url: https://host/d, timezone: UTC, listing: §l")),
		[]string{"source.listing is for a folder of a web server; let url end in a slash, or remove it"}},
	{"no name", drillFile("§source: {url: https://host/d/, timezone: UTC}"), []string{`source.name is missing; write a pattern such as "shop-{time}.dump"`}},
	{"a program that fetches nothing", drillFile(source("§exec: {list: [a]}" + timedName)),
		[]string{`source.exec.fetch is missing; write fetch: [program, argument, "{name}"]`}},
	{"a program that lists nothing", drillFile(source("§exec: {fetch: [a, '{name}']}" + timedName)),
		[]string{`source.exec.list is missing; write list: [program, argument, …]`}},
	{"a program that fetches the same", drillFile(source("exec: {list: [a], fetch: [§a, b]}" + timedName)),
		[]string{`source.exec.fetch fetches the same whatever is chosen; add "{name}" where the program takes the backup's name`}},
	{"a program that the store names", drillFile(source("exec: {list: [a], fetch: [§'b/{name}', c]}" + timedName)),
		[]string{`source.exec.fetch would run the program that a backup is called; write the program first, and "{name}" behind it`}},
	{"a preset and a program", drillFile(source("§exec: {preset: borg, file: f, list: [a]}")),
		[]string{"source.exec: a preset lists and fetches by itself; keep preset, or list and fetch"}},
	{"a program with a preset's keys", drillFile(source("§exec: {list: [a], fetch: [b, '{name}'], file: f}" + timedName)),
		[]string{"source.exec: repository, file and args are for a preset; write them into list and fetch, or name a preset"}},
	{"restic without a file", drillFile(source("§exec: {preset: restic}")),
		[]string{"source.exec.file is missing; add file: the backup's path in a snapshot, such as shop.dump"}},
	{"rclone without a remote", drillFile(source("§exec: {preset: rclone, file: §f}" + timedName)), []string{
		"source.exec.repository is missing: rclone is not told where; add repository: remote:path",
		"source.exec.file is for restic and borg; remove it, and write source.name"}},
	{"a password as a variable", drillFile(source("exec: {preset: borg, file: f, env: [BORG_REPO, §'a=b']}")), []string{
		"source.exec.env is not the name of an environment variable; write the variable's name, such as DRILL_STORE_TOKEN, never the key"}},
	{"a history at sftp", drillFile("history: §sftp://host/d/"), []string{"history: reports are not written to sftp; write file:///dir/ or s3://bucket/prefix/"}},
	{"the protection of an SFTP server", drillFile(source("url: sftp://h/d/"+timedName), "inventory: {protection: [§versioning]}"),
		[]string{"inventory.protection: versioning is for s3, and source.url is an SFTP server's; remove it"}},
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Source{
		"url: gs://b/p, anonymous: true, endpoint: http://127.0.0.1:1": {URL: "gs://b/p", Anonymous: true, Endpoint: "http://127.0.0.1:1"},
		"url: sftp://me@host:22/~/d/, key_file: k, known_hosts: h, password_env: P": {URL: "sftp://me@host:22/~/d/", KeyFile: "k", KnownHosts: "h",
			PasswordEnv: "P"},
		"url: https://host/d/, user: u, password_env: P, listing: l": {URL: "https://host/d/", User: "u", PasswordEnv: "P", Listing: "l"},
		"url: http://host/d/, insecure: true":                        {URL: "http://host/d/", Insecure: true},
		"url: http://127.0.0.1:80, token_env: T":                     {URL: "http://127.0.0.1:80/", TokenEnv: "T"},
		"exec: {list: [a, b], fetch: [c, '{name}'], env: [E]}":       {Exec: &Exec{List: []string{"a", "b"}, Fetch: []string{"c", "{name}"}, Env: []string{"E"}}},
	} {
		d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(source(body+timedName))))
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		want.Name, want.TimeLayout = "a-{time}", "20060102T150405Z"
		want.Checksum, want.Links, want.MaxRatio, want.TimeTolerance = d.Source.Checksum, d.Source.Links, d.Source.MaxRatio, d.Source.TimeTolerance
		if diff := cmp.Diff(want, d.Source); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// Where a place leaves no choice, nobody must say how its backups are called.
func TestNamesOfPlaces(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"exec: {preset: restic, file: shop.dump}":                                              "{time}_*",
		"exec: {preset: borg, file: shop.dump}, name: '{time}_shop-*', time: 20060102T150405Z": "{time}_shop-*",
		"url_env: A_URL, timezone: UTC":                                                        "*",
		"url: https://host/shop.dump, timezone: UTC":                                           "*",
	} {
		d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(source(body))))
		if err != nil || d.Source.Name != want {
			t.Errorf("%s: %+v, %v", body, d, err)
		}
	}
}

// A password goes to nobody but whom it was given for.
func TestCredentialsStayWithTheirServer(t *testing.T) {
	t.Parallel()
	file := drillFile(source("url: https://one/d/, token_env: T"+timedName), "inventory: {copies: [https://one/e/, https://two/d/, s3://b/]}")
	d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", file))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range d.Inventory.Copies {
		got = append(got, c.Source.TokenEnv)
	}
	if diff := cmp.Diff([]string{"T", "", ""}, got); diff != "" {
		t.Error(diff)
	}
}

// A bucket beside backups in a folder is reached as the environment says.
func TestABucketBesideAFolderHasNoKeys(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{"file:///b/": true, "s3://b/": false} {
		d, err := testLoader.Load(write(t, t.TempDir(), "shop.yaml", drillFile(source("url: '"+url+"', name: a, timezone: UTC"), "history: s3://reports/")))
		if err != nil || d.History.NoKeys != want {
			t.Errorf("%s: %+v, %v", url, d, err)
		}
	}
}
