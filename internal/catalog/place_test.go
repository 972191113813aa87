package catalog

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/sys/mountinfo"

	"daybefore/internal/catalog/storetest"
	"daybefore/internal/verdict"
)

// A network file system is the machine's that it is mounted from; any other is
// this one's.
func TestPlaceOfMounts(t *testing.T) {
	t.Parallel()
	mount := func(at, kind, source string) *mountinfo.Info {
		return &mountinfo.Info{Mountpoint: at, FSType: kind, Source: source}
	}
	mounts := []*mountinfo.Info{
		mount("/", "ext4", "/dev/vda1"), mount("/mnt/disk", "xfs", "/dev/sdb1"), mount("/mnt/stick", "fuseblk", "/dev/sdc1"),
		mount("/mnt/nfs", "nfs4", "backup1:/srv/shop"), mount("/mnt/nfs6", "nfs4", "[fd00::7]:/srv"), mount("/mnt/share", "cifs", "//nas.example.com/backups"),
		mount("/mnt/mac", "smbfs", "//me@nas.example.com/backups"), mount("/mnt/ssh", "fuse.sshfs", "me@backup2.example.com:dumps"),
		mount("/mnt/ceph", "ceph", "10.0.0.1:6789,[fd00::1]:6789:/"), mount("/mnt/dav", "fuse", "https://dav.example.com:8443/b"),
		mount("/mnt/s3", "fuse.s3fs", "s3fs"), mount("/mnt/vm", "virtiofs", "share"),
		mount("/mnt/twice", "nfs4", "hidden:/"), mount("/mnt/twice", "tmpfs", "tmpfs"),
	}
	for path, want := range map[string]Place{
		"/srv/backups":       {Here: "/dev/vda1 (ext4)"},
		"/mnt/diskette":      {Here: "/dev/vda1 (ext4)"},
		"/mnt/disk":          {Here: "/dev/sdb1 (xfs)"},
		"/mnt/stick/backups": {Here: "/dev/sdc1 (fuseblk)"},
		"/mnt/nfs/shop":      {Hosts: []string{"backup1"}},
		"/mnt/nfs6":          {Hosts: []string{"fd00::7"}},
		"/mnt/share":         {Hosts: []string{"nas.example.com"}},
		"/mnt/mac":           {Hosts: []string{"nas.example.com"}},
		"/mnt/ssh":           {Hosts: []string{"backup2.example.com"}},
		"/mnt/ceph":          {Hosts: []string{"10.0.0.1", "fd00::1"}},
		"/mnt/dav":           {Hosts: []string{"dav.example.com"}},
		"/mnt/s3":            {},
		"/mnt/vm":            {},
		"/mnt/twice/x":       {Here: "tmpfs (tmpfs)"},
	} {
		m := mountOf(mounts, path)
		got := placeOf(m)
		if !strings.Contains(got.What, m.Source) {
			t.Errorf("%s: %q does not say what was mounted", path, got.What)
		}
		got.What = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", path, diff)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	p, err := openDir(t, filepath.Join(dir, "link")).Place(t.Context())
	if err != nil || p.Here == "" || p.Hosts != nil {
		t.Errorf("a folder of this machine: %+v, %v", p, err)
	}
	_, err = openDir(t, filepath.Join(dir, "gone")).Place(t.Context())
	wantProblem(t, err, verdict.Error, verdict.CodeStoreUnreachable, "no such directory")

	p, err = openServer(t, storetest.S3(t), "x/").Place(t.Context())
	if err != nil || p.Here != "" || len(p.Hosts) != 1 || p.Hosts[0] != "127.0.0.1" {
		t.Errorf("an S3 server: %+v, %v", p, err)
	}
	src := serverSource(&storetest.Server{Region: "eu-central-1", Bucket: "shop"}, "")
	src.Endpoint, src.PathStyle, src.Anonymous = "", false, true
	amazon, err := Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer amazon.Close()
	if p, err := amazon.Place(t.Context()); err != nil || p.Hosts[0] != "shop.s3.eu-central-1.amazonaws.com" {
		t.Errorf("Amazon's: %+v, %v", p, err)
	}
}

func TestProtection(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	ctx := t.Context()
	store := openServer(t, server, "nightly/")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	versioning := func(want string) {
		t.Helper()
		if got, err := Versioning(ctx, store); err != nil || got != want {
			t.Errorf("versioning %q, %v, want %q", got, err, want)
		}
	}
	locked := func(o Object, want Lock) {
		t.Helper()
		got, err := ObjectLock(ctx, store, o)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
	}
	must(server.Put(ctx, "nightly/a", []byte("a")))
	a := Object{Name: "a"}
	b := Object{Name: "b"}
	versioning("")
	locked(a, Lock{})
	must(server.Version(ctx, true))
	versioning("Enabled")
	must(server.Version(ctx, false))
	versioning("Suspended")
	must(server.Version(ctx, true))
	must(server.Lock(ctx, 0))
	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	must(server.PutLocked(ctx, "nightly/b", []byte("b"), until))
	locked(a, Lock{Enabled: true})
	locked(b, Lock{Enabled: true, Until: until})
	must(server.Lock(ctx, 7))
	locked(a, Lock{Enabled: true, Default: "governance, 7 days"})

	src := serverSource(server, "")
	src.Anonymous = true
	must(server.Publish(ctx))
	anybody, err := Open(ctx, src)
	must(err)
	defer anybody.Close()
	_, err = Versioning(ctx, anybody)
	wantProblem(t, err, verdict.Error, verdict.CodeCredentialsRefused, "ask for the versioning of s3://backups/")
	_, err = Versioning(ctx, openDir(t, t.TempDir()))
	wantProblem(t, err, verdict.Error, verdict.CodeUnsupported, "only an S3 bucket")
}

// What two stores hold under one name is compared by the strongest sign that
// both give; unlike marks alone say nothing.
func TestSame(t *testing.T) {
	t.Parallel()
	server := storetest.S3(t)
	ctx := t.Context()
	first := openServer(t, server, "a/")
	second := openServer(t, server, "b/")
	folder := t.TempDir()
	data := noise(1000)
	other := append([]byte("x"), noise(1000)[1:]...)
	put := func(name string, data []byte) {
		t.Helper()
		if err := server.Put(ctx, name, data); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compare := func(a, b Store, name string, want Likeness) {
		t.Helper()
		got, err := Same(ctx, a, b, Entry{Name: name})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
	sizes := [2]int64{1000, 1000}
	for name, copy := range map[string][]byte{"alike": data, "unlike": other, "short": data[:999], "only": nil} {
		put("a/"+name, data)
		if copy != nil {
			put("b/"+name, copy)
			write(name, copy)
		}
	}
	compare(first, second, "only", Likeness{Absent: true})
	compare(first, second, "short", Likeness{Differ: true, By: "size", Sizes: [2]int64{1000, 999}})
	compare(first, second, "alike", Likeness{By: "CRC-64/NVME", Sizes: sizes})
	compare(first, second, "unlike", Likeness{Differ: true, By: "CRC-64/NVME", Sizes: sizes})

	local := openDir(t, folder)
	compare(first, local, "alike", Likeness{By: "size only", Sizes: sizes})
	put("a/alike.sha256", []byte(sum(data)))
	put("a/unlike.sha256", []byte(sum(data)))
	write("alike.sha256", []byte(sum(data)+"  alike\n"))
	write("unlike.sha256", []byte(sum(other)+"  unlike\n"))
	compare(first, local, "alike", Likeness{By: "SHA-256", Sizes: sizes})
	compare(first, local, "unlike", Likeness{Differ: true, By: "SHA-256", Sizes: sizes})
	compare(local, local, "short", Likeness{By: "size and ETag", Sizes: [2]int64{999, 999}})
	_, err := Same(ctx, first, second, Entry{Name: "gone"})
	wantProblem(t, err, verdict.Error, verdict.CodeChangedMeanwhile, "gone")
}
