package catalog

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
)

// placesPage is docs/places.md made runnable: its snippets, and for each the words
// that stand for what nobody has.
type placesPage struct {
	dir  string // a folder with the backups
	data []byte // of the newest
}

const (
	newestName = "shop-20261121T030000Z.dump"
	backupctl  = `#!/bin/sh
test "$BACKUPCTL_TOKEN" = t0ken-of-backupctl || { echo "no token" >&2; exit 3; }
case $1 in
list) printf '[{"name":"shop-20261120T030000Z.dump"},{"name":"` + newestName + `"}]' ;;
get) exec cat "DIR/$2" ;;
esac
`
)

// Each snippet of docs/places.md is loaded, and its newest backup is chosen and
// fetched, from a real server or by the real program.
func TestSnippetsOfPlaces(t *testing.T) {
	text, err := os.ReadFile("../../docs/places.md")
	if err != nil {
		t.Fatal(err)
	}
	p := placesPage{dir: t.TempDir(), data: append([]byte("2026-11-21 03:00:00"), noise(200_000)...)}
	for name, data := range map[string][]byte{"shop-20261120T030000Z.dump": []byte(shopTime), newestName: p.data, "latest.dump": p.data,
		"backups.txt": []byte("shop-20261120T030000Z.dump\n" + newestName + "\n")} {
		if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	snippets := regexp.MustCompile("(?ms)^```yaml\n(source:.*?)^```$").FindAllStringSubmatch(string(text), -1)
	if len(snippets) < 12 {
		t.Fatalf("only %d snippets were found", len(snippets))
	}
	for i, snippet := range snippets {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) { p.drill(t, snippet[1]) })
	}
}

func (p placesPage) drill(t *testing.T, snippet string) {
	for mark, prepare := range map[string]func(*testing.T, string) string{
		"file://": p.folder, "s3://": p.bucket, "gs://": p.google, "sftp://": p.sftp, "https://backups": p.web, "url_env": p.presigned,
		"backupctl": p.program, "restic": p.restic, "borg": p.borg, "rclone": p.rclone,
	} {
		if strings.Contains(snippet, mark) {
			snippet = prepare(t, snippet)
			break
		}
	}
	path := filepath.Join(t.TempDir(), "shop.yaml")
	file := "version: 1\nexpectations: {tables: [{table: public.users}]}\n" + snippet
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := spec.Loader{}.Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	store := opened(t, d.Source)
	b, err := Choose(t.Context(), store, d.Source, textHeader)
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	got, err := Fetch(t.Context(), store, b, FetchOptions{Dir: t.TempDir()})
	if err != nil || got.SHA256 != sum(p.data) {
		t.Errorf("%s: %+v, %v\n%s", b.Name, got, err, file)
	}
}

func (p placesPage) folder(_ *testing.T, s string) string {
	return strings.ReplaceAll(s, "file:///mnt/nas/shop/", "file://"+p.dir)
}

func (p placesPage) bucket(t *testing.T, s string) string {
	server := storetest.S3(t)
	if err := server.Put(t.Context(), "nightly/"+newestName, p.data); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", server.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", server.SecretKey)
	return strings.NewReplacer("shop-backups", server.Bucket, "https://s3.example.com", server.Endpoint, "eu-central-1", server.Region).Replace(s)
}

func (p placesPage) google(t *testing.T, s string) string {
	server := storetest.StartGS(t)
	server.Put(t, "nightly/"+newestName, p.data)
	return strings.ReplaceAll(s, "shop-backups", server.Bucket) + "  endpoint: " + server.Endpoint + "\n  anonymous: true\n"
}

func (p placesPage) sftp(t *testing.T, s string) string {
	server := storetest.StartSSHD(t)
	server.Open(t, p.dir)
	return strings.NewReplacer("backup@nas.example.com/backups/shop/", server.User+"@"+server.Addr+p.dir+"/",
		"/etc/drill/id_ed25519", server.KeyFile, "/etc/drill/known_hosts", server.KnownHosts).Replace(s)
}

func (p placesPage) web(t *testing.T, s string) string {
	t.Setenv("DRILL_STORE_PASSWORD", "hunter2-hunter2")
	files := http.FileServer(http.Dir(p.dir))
	url := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); strings.Contains(s, "password_env") && password != "hunter2-hunter2" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.StripPrefix("/shop", files).ServeHTTP(w, r)
	})
	return strings.ReplaceAll(s, "https://backups.example.com", url)
}

func (p placesPage) presigned(t *testing.T, s string) string {
	t.Setenv("DRILL_BACKUP_URL", storetest.StartWeb(t, p.dir, true).URL+"/latest.dump?X-Amz-Signature=1")
	return s
}

func (p placesPage) program(t *testing.T, s string) string {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "backupctl"), []byte(strings.ReplaceAll(backupctl, "DIR", p.dir)), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("BACKUPCTL_TOKEN", "t0ken-of-backupctl")
	return s
}

func (p placesPage) restic(t *testing.T, s string) string {
	needed(t, "restic")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("RESTIC_REPOSITORY", t.TempDir())
	t.Setenv("RESTIC_PASSWORD", "hunter2-hunter2")
	run(t, nil, "restic", "init")
	run(t, p.data, "restic", "backup", "--stdin", "--stdin-filename", "shop.dump")
	return s
}

func (p placesPage) borg(t *testing.T, s string) string {
	needed(t, "borgbackup")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("BORG_REPO", filepath.Join(t.TempDir(), "repo"))
	t.Setenv("BORG_PASSPHRASE", "hunter2-hunter2")
	run(t, nil, "borg", "init", "--encryption", "repokey")
	run(t, p.data, "borg", "create", "--stdin-name", "backups/shop.dump", "::shop-1", "-")
	return strings.ReplaceAll(s, "BORG_PASSPHRASE]", "BORG_PASSPHRASE, PYTHONPATH, LD_LIBRARY_PATH]") // it is only unpacked
}

func (p placesPage) rclone(t *testing.T, s string) string {
	needed(t, "rclone")
	home := t.TempDir()
	t.Setenv("HOME", home)
	config := filepath.Join(home, ".config", "rclone", "rclone.conf")
	if err := os.MkdirAll(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "[azure]\ntype = alias\nremote = " + filepath.Join(home, "remote") + "\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "rclone", "copy", p.dir, "azure:backups/shop")
	return s
}
