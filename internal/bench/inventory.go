package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	inventoryRounds = 5
	// fullBucket is how many objects the limits are about.
	fullBucket = 100_000
	// fewestObjects have a gap between two.
	fewestObjects = 2
)

// Ways to look into a bucket.
const (
	listing   Way = "listing"   // every page of the list, by the SDK alone
	inventory Way = "inventory" // the target, by the compiled binary
)

// inventoryPromises leave what judging may cost beside a list that nobody
// looks at.
var inventoryPromises = []promise{
	{"inventory / listing, wall", inventory, listing, wall, 1.5, false},
	{"inventory / listing, CPU", inventory, listing, cpu, 1.5, false},
	{"inventory, MB", inventory, "", megabytes, 100, true},
}

// Inventory compares the target inventory on a bucket of many backups with a
// bare list of that bucket. Its error carries the process's exit code, as
// Run's does.
func Inventory(ctx context.Context, o Options) (err error) {
	o.Rounds = cmp.Or(o.Rounds, inventoryRounds)
	o.Objects = cmp.Or(o.Objects, fullBucket)
	o = o.withDefaults()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.Objects < fewestObjects {
		return cannot(ctx, "-objects=%d: at least %d", o.Objects, fewestObjects)
	}
	r, err := o.begin(ctx, o.bucketNeeds)
	if err != nil {
		return cannot(ctx, "%v", err)
	}
	b, err := o.makeBucket(ctx)
	if err != nil {
		return cannot(ctx, "make the bucket: %v", err)
	}
	defer func() { err = errors.Join(err, b.close()) }()
	r.Bucket = &b.Bucket
	if r.Samples, err = o.measure(ctx, []job{{Way: listing, Bucket: &b.opened}, {Way: inventory, Bucket: &b.opened}}); err != nil {
		return cannot(ctx, "%v", err)
	}
	return o.end(ctx, r, inventoryPromises, "inventory.json")
}

// look is one of both ways.
func (j job) look(ctx context.Context) (*Sample, error) {
	if j.Way == listing {
		return j.list(ctx)
	}
	return j.inventory(ctx)
}

// list asks for all pages and keeps nothing. Its process is not counted in: it
// has begun, and a person's program would do more.
func (j job) list(ctx context.Context) (*Sample, error) {
	s := newStopwatch(j.Way)
	count := 0
	for _, err := range j.Bucket.objects(ctx) {
		if err != nil {
			return nil, err
		}
		count++
	}
	if count != j.Bucket.Objects {
		return nil, fmt.Errorf("the list names %d objects, and there are %d", count, j.Bucket.Objects)
	}
	s.step("list")
	s.stop(ctx, nil)
	return s.sample()
}

// inventory runs the binary, from the start of its process to the end.
func (j job) inventory(ctx context.Context) (*Sample, error) {
	cmd := command(ctx, j.Bucket.Binary, j.Bucket.Home, "inventory", "-name="+drillName)
	cmd.Env = append(cmd.Env, j.Bucket.environ()...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begun, machine := time.Now(), machineCPU()
	err := cmd.Run()
	took, busy := time.Since(begun), machineCPU()-machine
	if err != nil {
		return nil, fmt.Errorf("run the inventory: %w: %s", err, lastLines(out.String()+said.String()))
	}
	if err := judged(out.String(), j.Bucket.Objects); err != nil {
		return nil, err
	}
	p := cmd.ProcessState
	return &Sample{
		Way: j.Way, Wall: took.Seconds(), HarnessCPU: (p.UserTime() + p.SystemTime()).Seconds(), MachineCPU: busy,
		// Not less than this process held when it started the other, which is
		// less than that one needs.
		PeakRSS: maxRSS(p.SysUsage().(*syscall.Rusage)), Steps: map[string]int64{"all": took.Milliseconds()},
	}, nil
}

// declared are the checks that the drill file asks for.
var declared = []string{
	"backup_age", "cadence", "min_backups", "min_size", "oldest_at_least", "collapse:backups", "collapse:bytes", "size_change",
}

// judged makes sure that an inventory did what it is measured for.
func judged(printed string, objects int) error {
	for _, check := range declared {
		if !regexp.MustCompile(`(?m)^` + check + ` +PASS `).MatchString(printed) {
			return fmt.Errorf("the inventory did not find that %s is as declared: %s", check, printed)
		}
	}
	if all := regexp.MustCompile(fmt.Sprintf(`(?m)^min_backups .* %d backups$`, objects)); !all.MatchString(printed) {
		return fmt.Errorf("the inventory did not find all %d backups: %s", objects, printed)
	}
	return nil
}

// opened is what both ways are told of a bucket.
type opened struct {
	Endpoint  string `json:"endpoint"`
	AccessKey string `json:"access_key"` // made up for this bench
	SecretKey string `json:"secret_key"`
	Objects   int    `json:"objects"`
	Binary    string `json:"binary"`
	Home      string `json:"home"` // with a drill of the bucket
}

// environ gives the binary the bucket's keys, and none of the person's own.
func (b opened) environ() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + b.AccessKey, "AWS_SECRET_ACCESS_KEY=" + b.SecretKey, "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// objects are all that the bucket holds, as the SDK gives them by itself.
func (b opened) objects(ctx context.Context) iter.Seq2[objectInfo, error] {
	client := s3.New(s3.Options{
		BaseEndpoint: &b.Endpoint, Region: region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(b.AccessKey, b.SecretKey, ""),
	})
	return func(yield func(objectInfo, error) bool) {
		pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: aws.String(bucketName)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(objectInfo{}, fmt.Errorf("list the bucket: %w", err))
				return
			}
			for _, o := range page.Contents {
				if !yield(objectInfo{aws.ToString(o.Key), aws.ToString(o.ETag), aws.ToInt64(o.Size), aws.ToTime(o.LastModified)}, nil) {
					return
				}
			}
		}
	}
}

// objectInfo is what a list tells of an object.
type objectInfo struct {
	key, etag string
	size      int64
	at        time.Time
}
