package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybefore/internal/gateway"
	"daybefore/internal/testneed"
	"daybefore/internal/verdict"
)

// bucketHome is options for a bucket of a few hundred objects.
func bucketHome(t *testing.T) (Options, string) {
	t.Helper()
	if _, err := gateway.Binary(t.Context(), ""); err != nil {
		testneed.Missing(t, "an S3 server: %v", err)
	}
	o, tmp := home(t, "")
	o.Objects, o.Rounds = 300, 2
	return o, tmp
}

// Both ways look at the same bucket, and the limits are shown: how long it
// took is not judged here.
func TestInventory(t *testing.T) {
	o, tmp := bucketHome(t)
	var out, said bytes.Buffer
	o.Stdout, o.Stderr = &out, &said
	if err := Inventory(t.Context(), o); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	leftBehind(t, tmp)
	r := read(t, o, "inventory.json")
	if b := r.Bucket; b == nil || b.Objects != 300 || b.Folders != 4 || len(r.Samples) != 4 || len(r.Limits) != len(inventoryPromises) {
		t.Errorf("%+v, %d samples, %d limits", r.Bucket, len(r.Samples), len(r.Limits))
	}
	for _, s := range r.Samples {
		if s.Wall <= 0 || s.HarnessCPU <= 0 || s.PeakRSS < mib || len(s.Steps) == 0 {
			t.Errorf("not measured: %+v", s)
		}
	}
	for _, want := range []string{"a bucket of 300 backups, one every 15m, in 4 folders", "inventory / listing, wall", "inventory / listing, CPU", "inventory, MB"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &out)
		}
	}
}

func TestInventoryInterrupted(t *testing.T) {
	for _, at := range []string{"filling a bucket", "compiling the binary", "round 1 of"} {
		t.Run(at, func(t *testing.T) {
			o, tmp := bucketHome(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o.Stderr = writerFunc(func(p []byte) {
				if strings.Contains(string(p), at) {
					cancel()
				}
			})
			if code := exitCode(Inventory(ctx, o)); code != verdict.ExitInterrupted {
				t.Errorf("exit code %d", code)
			}
			leftBehind(t, tmp)
		})
	}
}

// A server that tells less of an object than it should is no measure.
func TestBucketIsChecked(t *testing.T) {
	o, _ := bucketHome(t)
	o = o.withDefaults()
	b, err := o.makeBucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	key := filepath.FromSlash(b.Newest.Add(-backupEvery).Format(keyLayout))
	s3 := filepath.Join(b.work.Spool(), "s3")
	for what, spoil := range map[string]func() (mend func() error, err error){
		"no ETag": func() (func() error, error) {
			link := filepath.Join(s3, "metadata", bucketName, key)
			to, err := os.Readlink(link)
			if err != nil {
				return nil, err
			}
			return func() error { return os.Symlink(to, link) }, os.Remove(link)
		},
		"another time": func() (func() error, error) {
			file, at := filepath.Join(s3, "buckets", bucketName, key), b.Newest.Add(-backupEvery)
			return func() error { return os.Chtimes(file, at, at) }, os.Chtimes(file, b.Newest, b.Newest)
		},
		"one too many": func() (func() error, error) {
			file := filepath.Join(s3, "buckets", bucketName, "more")
			return func() error { return os.Remove(file) }, os.WriteFile(file, []byte("x"), 0o600)
		},
	} {
		mend, err := spoil()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.check(t.Context()); err == nil {
			t.Errorf("%s: nobody noticed", what)
		}
		if err := mend(); err != nil {
			t.Fatal(err)
		}
		if err := b.check(t.Context()); err != nil {
			t.Errorf("%s: mended, and %v", what, err)
		}
	}
	b.opened.Objects++
	if err := judgedNow(t, b); err == nil || !strings.Contains(err.Error(), "did not find all 301 backups") {
		t.Errorf("an inventory that overlooks one: %v", err)
	}
}

func judgedNow(t *testing.T, b *bucket) error {
	t.Helper()
	_, err := job{Way: inventory, Bucket: &b.opened}.inventory(t.Context())
	return err
}

func TestJudged(t *testing.T) {
	t.Parallel()
	var good strings.Builder
	for _, check := range declared {
		fmt.Fprintf(&good, "%-17s PASS     as declared   300 backups\n", check)
	}
	if err := judged(good.String(), 300); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{
		"", strings.Replace(good.String(), "collapse:bytes    PASS", "collapse:bytes    SKIPPED", 1), strings.ReplaceAll(good.String(), "300", "3000"),
		strings.Replace(good.String(), "cadence ", "decadence ", 1),
	} {
		if err := judged(bad, 300); err == nil {
			t.Errorf("taken for all that is declared:\n%s", bad)
		}
	}
}

func TestFolders(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 0, 30, 0, 0, time.UTC)
	for objects, want := range map[int]int{1: 1, 3: 1, 4: 2, 99: 2, 100: 3} {
		if got := folders(at, objects); got != want {
			t.Errorf("%d objects: %d, want %d", objects, got, want)
		}
		seen := map[string]bool{}
		for key := range keys(t.Context(), at, 0, objects) {
			seen[filepath.Dir(key)] = true
		}
		if len(seen) != want {
			t.Errorf("%d objects lie in %d folders, want %d", objects, len(seen), want)
		}
	}
}

func TestInventoryRefused(t *testing.T) {
	t.Parallel()
	refused(t, "objects", Inventory, Options{Dir: t.TempDir(), Objects: 1}, "-objects=1: at least 2")
	refused(t, "rounds", Inventory, Options{Dir: t.TempDir(), Rounds: -1}, "-rounds=-1")
	refused(t, "room", Inventory, Options{Dir: t.TempDir(), room: func(string) (uint64, int64, bool) { return 1, mib, true }}, "for the bucket in ")
}
