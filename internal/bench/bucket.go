package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"daybefore/internal/gateway"
	"daybefore/internal/history"
	"daybefore/internal/sandbox"
	"daybefore/internal/spec"
	"daybefore/internal/verdict"
)

const (
	region     = "us-east-1"
	bucketName = "nightly"
	drillName  = "bucket"

	demoName = "shop-20060102T150405Z.dump"
	// keyLayout has a folder for each day. The server reads a folder from its
	// beginning for every page of the list: one of 100,000 files would hide
	// all else behind its own time.
	keyLayout   = "2006/01/02/" + demoName
	backupEvery = 15 * time.Minute
	// objectBytes is what an object takes on a disk, with what the server
	// knows of it.
	objectBytes = 5 << 10
)

// Bucket describes what was listed.
type Bucket struct {
	Objects int       `json:"objects"`
	Folders int       `json:"folders"`
	Newest  time.Time `json:"newest_at"`
	Every   string    `json:"every"`
}

// bucket is one on a server of this machine, full of backups, and a drill of it.
type bucket struct {
	Bucket
	opened     opened
	newestSize int64
	work       *sandbox.Workdir // swept if this process is killed
	server     *gateway.Server
}

// bucketNeeds is room for the files that the server serves, and the binary.
func (o Options) bucketNeeds(Machine) []need {
	return []need{{"the bucket", os.TempDir(), int64(o.Objects)*objectBytes + fixedBytes}}
}

// makeBucket starts a server with a bucket full of small files, of which the
// newest is a real archive; and makes a home where it is drilled.
func (o Options) makeBucket(ctx context.Context) (_ *bucket, err error) {
	w, err := sandbox.NewWorkdir()
	if err != nil {
		return nil, err
	}
	b := &bucket{work: w}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	newest, archive, err := o.newestOfDemo()
	if err != nil {
		return nil, err
	}
	b.newestSize = int64(len(archive))
	b.Bucket = Bucket{Objects: o.Objects, Folders: folders(newest, o.Objects), Newest: newest, Every: spec.Span(backupEvery)}
	b.opened = opened{
		AccessKey: rand.Text(), SecretKey: rand.Text(), Objects: o.Objects,
		Binary: filepath.Join(w.Spool(), "drill"), Home: filepath.Join(w.Spool(), "home"),
	}
	if err := o.serve(ctx, b, archive); err != nil {
		return nil, err
	}
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	if err := o.compile(ctx, b.opened.Binary); err != nil {
		return nil, err
	}
	return b, b.writeHome()
}

func (b *bucket) close() error {
	if b.server != nil {
		b.server.Stop()
	}
	return b.work.Close()
}

// newestOfDemo is the newest of the demo's backups, and when it was taken.
func (o Options) newestOfDemo() (at time.Time, archive []byte, err error) {
	folder := filepath.Join(o.source, "drills", "demo", "backups")
	found, _ := filepath.Glob(filepath.Join(folder, "shop-*.dump")) // errs for a bad pattern only
	if len(found) == 0 {
		return at, nil, fmt.Errorf("there is no backup of the demo in %s: the target rebuildDemo makes them", folder)
	}
	newest := found[len(found)-1] // Glob sorts, as the names do by time
	if at, err = time.Parse(demoName, filepath.Base(newest)); err != nil {
		return at, nil, err
	}
	archive, err = os.ReadFile(newest)
	return at, archive, err
}

// keys are those of the backups with the times when they were taken, from the
// newest on. The sequence ends early with ctx.
func keys(ctx context.Context, newest time.Time, first, end int) iter.Seq2[string, time.Time] {
	return func(yield func(string, time.Time) bool) {
		for i := first; i < end && ctx.Err() == nil; i++ {
			at := newest.Add(-time.Duration(i) * backupEvery)
			if !yield(at.Format(keyLayout), at) {
				return
			}
		}
	}
}

// folders is how many days hold a backup.
func folders(newest time.Time, objects int) int {
	day := 24 * time.Hour
	oldest := newest.Add(-time.Duration(objects-1) * backupEvery)
	return int(newest.Truncate(day).Sub(oldest.Truncate(day))/day) + 1
}

// serve fills the bucket and starts its server.
func (o Options) serve(ctx context.Context, b *bucket, archive []byte) (err error) {
	at := gateway.Options{Dir: filepath.Join(b.work.Spool(), "s3"), Region: region, AccessKey: b.opened.AccessKey, SecretKey: b.opened.SecretKey}
	fmt.Fprintln(o.Stderr, "looking for the S3 server: it is built once, in two minutes")
	if at.Binary, err = gateway.Binary(ctx, o.source); err != nil {
		return err
	}
	fmt.Fprintf(o.Stderr, "filling a bucket with %d objects\n", o.Objects)
	if err := at.Fill(bucketName, []byte("an older backup\n"), keys(ctx, b.Newest, 1, o.Objects)); err != nil {
		return err
	}
	if err := at.Fill(bucketName, archive, keys(ctx, b.Newest, 0, 1)); err != nil {
		return err
	}
	if at.Listen, err = gateway.FreeAddr(); err != nil {
		return err
	}
	b.opened.Endpoint = "http://" + at.Listen
	b.server, err = gateway.Start(ctx, at)
	return err
}

// check makes sure that the server tells of every object what one tells that
// was written through it. It also brings all into memory, so that no way of
// the first round waits for the disk.
func (b *bucket) check(ctx context.Context) error {
	want := map[string]time.Time{}
	for key, at := range keys(ctx, b.Newest, 0, b.Objects) {
		want[key] = at
	}
	for o, err := range b.opened.objects(ctx) {
		if err != nil {
			return err
		}
		if at, ok := want[o.key]; !ok || !o.at.Equal(at) || o.size == 0 || len(strings.Trim(o.etag, `"`)) != 32 {
			return fmt.Errorf("the server tells something else of an object than what it is: %+v", o)
		}
		if at := want[o.key]; at.Equal(b.Newest) && o.size != b.newestSize {
			return fmt.Errorf("the newest backup has %d bytes and is listed with %d", b.newestSize, o.size)
		}
		delete(want, o.key)
	}
	if len(want) > 0 {
		return fmt.Errorf("the server lists %d objects, and there are %d", b.Objects-len(want), b.Objects)
	}
	return nil
}

// writeHome writes the drill of the bucket, with all that is judged by the
// list, and a past that it is compared with.
func (b *bucket) writeHome() error {
	oldest := time.Duration(b.Objects-1) * backupEvery
	text := fmt.Sprintf(`version: 1
source: {url: "s3://%s/", endpoint: %q, region: %s, path_style: true, name: "*/*/*/shop-{time}.dump", time: 20060102T150405Z, timezone: UTC, database: shop}
inventory:
  backup_age: {warn_after: 25h, fail_after: 30h}
  cadence: {every: %s, tolerance: 1m}
  min_backups: %d
  min_size: 50KiB
  oldest_at_least: %s
  collapse: {warn_percent: 15, fail_percent: 30}
  size_change: {against: median(7), warn_percent: 20, fail_percent: 50}
expectations:
  as_of: %s
  tables: [{table: public.users, row_count: {min: 1}}]
`, bucketName, b.opened.Endpoint, region, b.Every, b.Objects, spec.Span(oldest), b.Newest.Format(time.RFC3339))
	drills := filepath.Join(b.opened.Home, "drills")
	if err := os.MkdirAll(drills, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(drills, drillName+".yaml"), []byte(text), 0o644); err != nil {
		return err
	}
	return history.Save(filepath.Join(b.opened.Home, "reports"), &verdict.Report{
		Schema: verdict.Schema, Drill: drillName, Run: history.NewRunID(b.Newest), Outcome: verdict.Pass, StartedAt: b.Newest, FinishedAt: b.Newest,
		Backup:    verdict.Backup{SizeBytes: b.newestSize},
		Inventory: verdict.Inventory{Backups: int64(b.Objects), Bytes: b.newestSize, NewestAt: b.Newest, OldestAt: b.Newest.Add(-oldest)},
	}, nil)
}
