package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/testneed"
)

func newWebFixture(t *testing.T, ranges bool) fixture {
	dir := t.TempDir()
	return inFolder(t, dir, spec.Source{URL: storetest.StartWeb(t, dir, ranges).URL + "/"})
}

func newSFTPFixture(t *testing.T) fixture {
	server := storetest.StartSSHD(t)
	dir := t.TempDir()
	server.Open(t, dir)
	return inFolder(t, dir, sftpSource(server, dir))
}

func sftpSource(s *storetest.SSHD, dir string) spec.Source {
	return spec.Source{URL: "sftp://" + s.User + "@" + s.Addr + dir, KeyFile: s.KeyFile, KnownHosts: s.KnownHosts}
}

// lister writes lines of name size time; [] where there is none.
const lister = `cd "$1" && test -z "$(ls -A)" && echo "[]" || find . -type f -printf "%P\\t%s\\t%T@\\n"`

func newExecFixture(t *testing.T) fixture {
	dir := t.TempDir()
	f := inFolder(t, dir, spec.Source{Exec: &spec.Exec{
		List: []string{"sh", "-c", lister, "sh", dir}, Fetch: []string{"cat", filepath.Join(dir, "{name}")}}})
	f.loose = true
	return f
}

var onPath sync.Mutex

// needed lets the drill find the programs of a Debian package.
func needed(t *testing.T, name string) {
	t.Helper()
	onPath.Lock()
	defer onPath.Unlock()
	pkg := testneed.Debian(t, name)
	if strings.Contains(os.Getenv("PATH"), pkg.Root) {
		return
	}
	for _, pair := range pkg.Environ() { // the last of equal names counts
		key, value, _ := strings.Cut(pair, "=")
		if strings.Contains(value, pkg.Root) {
			os.Setenv(key, value)
		}
	}
}

// A file of sums that a program lists is read as it is elsewhere.
func TestSumsThatAProgramLists(t *testing.T) {
	t.Parallel()
	f := newExecFixture(t)
	f.put(t, "n/x.dump", []byte("x"))
	f.put(t, "n/SHA256SUMS", []byte(sum([]byte("x"))+"  x.dump\n"))
	f.put(t, "SHA256SUMS", []byte(strings.Repeat("0b", 32)+"  x.dump\n")) // of another folder
	object := list(t, f.store, "n/x.dump", true)["n/x.dump"]
	got, err := Fetch(t.Context(), f.store, Backup{Object: object}, FetchOptions{Dir: t.TempDir()})
	if err != nil || !got.ChecksumVerified {
		t.Errorf("%+v, %v", got, err)
	}
}

func newRcloneFixture(t *testing.T) fixture {
	t.Helper()
	needed(t, "rclone")
	dir := t.TempDir()
	f := inFolder(t, dir, spec.Source{Exec: &spec.Exec{Preset: spec.PresetRclone, Repository: dir}})
	f.loose = true
	return f
}

func newGSFixture(t *testing.T, prefix string) fixture {
	server := storetest.StartGS(t)
	if prefix != "" {
		server.Put(t, "elsewhere.dump", []byte("not below the prefix"))
	}
	store, err := Open(t.Context(), spec.Source{Anonymous: true, Endpoint: server.Endpoint,
		URL: "gs://" + server.Bucket + "/" + strings.ReplaceAll(prefix, " ", "%20")})
	if err != nil {
		t.Fatal(err)
	}
	key := func(name string) string { return strings.TrimPrefix(prefix+"/"+name, "/") }
	return fixture{
		store:  store,
		put:    func(t *testing.T, name string, data []byte) { server.Put(t, key(name), data) },
		remove: func(t *testing.T, name string) { server.Delete(t, key(name)) },
	}
}
