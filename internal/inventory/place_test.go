package inventory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"daybefore/internal/catalog"
	"daybefore/internal/catalog/storetest"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

// placed is a store of which only the place is asked: another continent's
// machines are not to be had in a test.
type placed struct {
	catalog.Store
	place catalog.Place
	err   error
}

func (p placed) URL() string                                  { return "s3://shop/nightly/" }
func (p placed) Place(context.Context) (catalog.Place, error) { return p.place, p.err }

// network is a machine with these names around it.
func network(own string, names map[string][]string) machine {
	return machine{
		lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if at, err := netip.ParseAddr(host); err == nil {
				return []netip.Addr{at}, nil
			}
			var found []netip.Addr
			for _, text := range names[host] {
				found = append(found, netip.MustParseAddr(text))
			}
			if found == nil {
				return nil, errors.New("no such host")
			}
			return found, nil
		},
		own: func() ([]net.Addr, error) {
			_, n, err := net.ParseCIDR(own + "/24")
			n.IP = net.ParseIP(own)
			return []net.Addr{&net.IPNet{IP: net.IPv4(127, 0, 0, 1), Mask: net.CIDRMask(8, 32)}, n}, err
		},
	}
}

func TestOffSite(t *testing.T) {
	t.Parallel()
	names := map[string][]string{
		"s3.example.com": {"203.0.113.7", "203.0.113.8", "203.0.113.9", "203.0.113.10"}, "db1.example.com": {"10.0.0.5", "fd00::5"},
		"minio.example.com": {"::ffff:10.0.0.5"}, "here.example.com": {"10.0.0.9"}, "self.example.com": {"127.0.1.1"},
	}
	d := spec.OffSite{ProductionHosts: []string{"db1.example.com"}}
	const expected = "on none of db1.example.com, nor on this machine"
	at := func(hosts ...string) catalog.Place {
		return catalog.Place{Hosts: hosts, What: "the S3 server " + hosts[0]}
	}
	for _, c := range []struct {
		name  string
		d     spec.OffSite
		place catalog.Place
		err   error
		want  []short
	}{
		{"elsewhere", d, at("s3.example.com"), nil,
			[]short{{"off_site", "pass", expected, "the S3 server s3.example.com, at 203.0.113.7, 203.0.113.8, 203.0.113.9, …", ""}}},
		{"production by its address", d, at("minio.example.com"), nil, []short{{"off_site", "fail", expected, "db1.example.com",
			"s3://shop/nightly/ is held by the S3 server minio.example.com, which is production's db1.example.com (10.0.0.5)"}}},
		{"production by its name", spec.OffSite{ProductionHosts: []string{"nas.internal"}}, at("NAS.internal"), nil, []short{
			{"off_site", "fail", "on none of nas.internal, nor on this machine", "nas.internal", "which is production's nas.internal"}}},
		{"production's address", spec.OffSite{ProductionHosts: []string{"fd00::5"}}, at("db1.example.com"), nil, []short{
			{"off_site", "fail", "on none of fd00::5, nor on this machine", "fd00::5", "production's fd00::5 (fd00::5)"}}},
		{"this machine", d, at("here.example.com"), nil,
			[]short{{"off_site", "fail", expected, "this machine: 10.0.0.9", "which is this very machine (10.0.0.9)"}}},
		{"this machine by loopback", d, at("self.example.com"), nil, []short{{"off_site", "fail", expected, "this machine: 127.0.1.1", "this very machine"}}},
		{"one of several machines", d, at("s3.example.com", "here.example.com"), nil,
			[]short{{"off_site", "fail", expected, "this machine: 10.0.0.9", "this very machine"}}},
		{"a disk of this machine", d, catalog.Place{Here: "/dev/vda1 (ext4), which holds / too"}, nil, []short{
			{"off_site", "fail", expected, "this machine: /dev/vda1 (ext4), which holds / too",
				"is on a disk of this machine, /dev/vda1 (ext4), which holds / too: losing the machine loses the backups"}}},
		{"nobody knows", d, catalog.Place{What: "fuse.s3fs from s3fs, mounted at /mnt"}, nil, []short{
			{"off_site", "skipped", expected, "fuse.s3fs from s3fs, mounted at /mnt", "which machine holds s3://shop/nightly/ is not known"},
			{"off_site:fuse.s3fs from s3fs, mounted at /mnt", "warn", "", "not known", "it does not say which machine it is"}}},
		{"a name that does not resolve", spec.OffSite{ProductionHosts: []string{"db1.example.com", "db9.internal"}}, at("s3.example.com"), nil, []short{
			{"off_site", "skipped", "on none of db1.example.com, db9.internal, nor on this machine", "the S3 server s3.example.com",
				"not every name resolves here"},
			{"off_site:db9.internal", "warn", "", "not known", "was not compared with db9.internal: it does not resolve on this machine"}}},
		{"a name that does not resolve, and one that tells", spec.OffSite{ProductionHosts: []string{"db9.internal", "db1.example.com"}},
			at("minio.example.com"), nil, []short{
				{"off_site", "fail", "on none of db9.internal, db1.example.com, nor on this machine", "db1.example.com", "production's db1.example.com"}}},
		{"a store that does not resolve", d, at("s3.internal"), nil, []short{
			{"off_site", "skipped", expected, "the S3 server s3.internal", "not every name"},
			{"off_site:s3.internal", "warn", "", "not known", "does not resolve"}}},
		{"a store that is not there", d, catalog.Place{}, verdict.Errorf(verdict.CodeStoreUnreachable, "mount it", "read it: gone"),
			[]short{{"off_site", "error", expected, "", "gone"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := offSite(t.Context(), c.d, placed{place: c.place, err: c.err}, network("10.0.0.9", names))
			for i := range got {
				got[i].Stage = verdict.StageChoose
			}
			compare(t, c.want, got)
		})
	}
}

// The real ones: what is on this machine is on this machine.
func TestOffSiteHere(t *testing.T) {
	t.Parallel()
	if own, err := thisMachine.addresses(); err != nil || len(own) == 0 {
		t.Errorf("this machine's addresses: %v, %v", own, err)
	}
	known, unknown := thisMachine.resolve(t.Context(), []string{"localhost", "127.0.0.1", "no such name"})
	if len(known) != 2 || len(unknown) != 1 {
		t.Errorf("resolved %v, and not %v", known, unknown)
	}
	store := open(t, "file://"+t.TempDir())
	got := offSite(t.Context(), spec.OffSite{ProductionHosts: []string{"localhost"}}, store, thisMachine)
	if len(got) != 1 || got[0].Outcome != verdict.Fail {
		t.Errorf("a folder here: %+v", got)
	}
}

func open(t *testing.T, url string) catalog.Store {
	t.Helper()
	store, err := catalog.Open(t.Context(), spec.Source{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// bucket is a real server's, and makes its keys this process's.
func bucket(t *testing.T) (*storetest.Server, spec.Source) {
	server := storetest.S3(t)
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": server.AccessKey, "AWS_SECRET_ACCESS_KEY": server.SecretKey, "AWS_CONFIG_FILE": os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(key, value)
	}
	return server, spec.Source{
		URL: "s3://" + server.Bucket + "/nightly/", Region: server.Region, Endpoint: server.Endpoint, PathStyle: true,
		Name: "shop-{time}.dump", TimeLayout: "20060102T150405Z",
	}
}

func TestProtection(t *testing.T) {
	server, src := bucket(t)
	ctx := t.Context()
	store, err := catalog.Open(ctx, src)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const first, second = "shop-20261120T031500Z.dump", "shop-20261121T031500Z.dump"
	must(server.Put(ctx, "nightly/"+first, []byte("x")))
	judge := func(want ...short) {
		t.Helper()
		newest, err := catalog.Choose(ctx, store, src, nil)
		must(err)
		compare(t, want, Judge(ctx, store, spec.Inventory{Protection: []string{spec.Versioned, spec.ObjectLock}}, newest, Options{At: at}))
	}
	const versioned, isLocked = "versioning is on", "backups are locked"
	judge(short{"protection:versioning", "fail", versioned, "off", "s3://backups/nightly/ has no versioning: what is deleted or overwritten there is gone"},
		short{"protection:object_lock", "fail", isLocked, "off", "has no object lock"})
	must(server.Version(ctx, true))
	must(server.Version(ctx, false))
	judge(short{"protection:versioning", "fail", versioned, "suspended", "is suspended"}, short{"protection:object_lock", "fail", isLocked, "off", ""})
	must(server.Version(ctx, true))
	must(server.Lock(ctx, 0))
	judge(short{"protection:versioning", "pass", versioned, "on", ""},
		short{"protection:object_lock", "fail", isLocked, "on, and nothing is locked", "the newest backup (" + first + ") is not locked"})
	must(server.PutLocked(ctx, "nightly/"+second, []byte("y"), time.Now().AddDate(1, 0, 0)))
	got := protection(ctx, spec.ObjectLock, store, catalog.Backup{Object: catalog.Object{Name: second}}, time.Now())
	if got.Outcome != verdict.Pass {
		t.Errorf("locked by itself: %+v", got)
	}
	must(server.Lock(ctx, 7))
	judge(short{"protection:versioning", "pass", versioned, "on", ""}, short{"protection:object_lock", "pass", isLocked, "by default, governance, 7 days", ""})

	src.Endpoint = "http://127.0.0.1:1"
	silent, err := catalog.Open(ctx, src)
	must(err)
	defer silent.Close()
	if got := protection(ctx, spec.Versioned, silent, catalog.Backup{}, at); got.Outcome != verdict.Error || got.Code != verdict.CodeProtection ||
		got.Hint == "" {
		t.Errorf("of a store that is gone: %+v", got)
	}
}

func TestCopies(t *testing.T) {
	server, src := bucket(t)
	ctx := t.Context()
	folder := t.TempDir()
	second, third := src, src
	second.URL, third.URL = "s3://"+server.Bucket+"/second/", "file://"+folder
	inv := spec.Inventory{Copies: []spec.Copy{{Name: "second", Source: second}, {Name: "third", Source: third, Lag: 6 * time.Hour}}}
	night := func(day int) string { return fmt.Sprintf("shop-202611%02dT021500Z.dump", day) }
	put := func(key string, data string) {
		t.Helper()
		if err := server.Put(ctx, key, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, data string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	judge := func(want ...short) {
		t.Helper()
		store, err := catalog.Open(ctx, src)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		newest, err := catalog.Choose(ctx, store, src, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			want[i].ID, want[i].Expected = "copies:"+inv.Copies[i].Name, "the same newest backup"
		}
		want[1].Expected += " but for those of the last 6h"
		compare(t, want, Judge(ctx, store, inv, newest, Options{At: at}))
	}
	put("nightly/"+night(20), "old")
	put("nightly/"+night(21), "new")
	judge(short{"", "fail", "", "", "there is no file at all"}, short{"", "fail", "", "", "there is no file at all"})

	put("second/"+night(20), "old")
	write(night(20), "old")
	judge(short{"", "fail", "", "its newest is " + night(20), "s3://backups/second/ lacks " + night(21) + "; its newest is 1d behind, " + night(20)},
		short{"", "pass", "", night(20) + ", compared by size only", ""})

	put("second/"+night(21), "NEW")
	write(night(20), "ol")
	judge(short{"", "fail", "", "another CRC-64/NVME", "same size, different CRC-64/NVME"},
		short{"", "fail", "", "2B", "has 2 bytes, and 3 in s3://backups/nightly/"})

	put("second/"+night(21), "new")
	write(night(20), "old")
	judge(short{"", "pass", "", night(21) + ", compared by CRC-64/NVME", ""}, short{"", "pass", "", night(20) + ", compared by size only", ""})

	put("second/"+night(22), "newer")
	write(night(22), "newer")
	judge(short{"", "fail", "", "its newest is " + night(22), "holds a newer backup than s3://backups/nightly/, which lacks " + night(22)},
		short{"", "fail", "", "its newest is " + night(22), "file://"})

	third.URL = "file://" + filepath.Join(folder, "gone")
	inv.Copies[1].Source = third
	inv.Copies[0].Source.Endpoint = "http://127.0.0.1:1"
	judge(short{"", "error", "", "", "list s3://backups/second/"}, short{"", "error", "", "", "no such directory"})
}

// A backup that reached both stores between the two lists is no finding.
func TestACopyThatIsAheadForAMoment(t *testing.T) {
	t.Parallel()
	first := t.TempDir()
	second := t.TempDir()
	src := spec.Source{URL: "file://" + first, Name: "shop-{time}.dump", TimeLayout: "20060102"}
	write := func(name string) {
		for _, dir := range []string{first, second} {
			if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("x"), 10), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("shop-20261120.dump")
	store := open(t, src.URL)
	newest, err := catalog.Choose(t.Context(), store, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	write("shop-20261121.dump")
	src.URL = "file://" + second
	got := copied(t.Context(), spec.Copy{Source: src}, store, newest, Options{At: at})
	if got.Outcome != verdict.Pass || got.Observed != "shop-20261121.dump, which arrived meanwhile" {
		t.Errorf("%+v", got)
	}
}
