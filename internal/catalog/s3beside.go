package catalog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"daybefore/internal/verdict"
)

// mostPages is how many pages are read of uploads and of versions: what matters
// is on the first.
const mostPages = 3

// besideTime is how long the bucket may take to tell of them. They are no part
// of the answer.
const besideTime = 15 * time.Second

// unfinished tells of uploads that were begun and not ended, and of objects
// whose newest version is that they were deleted. Keys that may not ask, and
// servers that know neither, are told nothing of.
func (s *s3Store) unfinished(ctx context.Context, prefix, newer string) []Unfinished {
	ctx, cancel := context.WithTimeout(ctx, besideTime)
	defer cancel()
	return append(s.uploads(ctx, prefix), s.deleted(ctx, prefix, newer)...)
}

func (s *s3Store) uploads(ctx context.Context, prefix string) []Unfinished {
	in := &s3.ListMultipartUploadsInput{Bucket: &s.bucketName, Prefix: aws.String(s.prefix + prefix)}
	var all []Unfinished
	for range mostPages {
		l, err := s.client.ListMultipartUploads(ctx, in)
		if err != nil {
			return all
		}
		for _, u := range l.Uploads {
			all = append(all, Unfinished{Name: strings.TrimPrefix(aws.ToString(u.Key), s.prefix),
				What: "an upload that was begun and not ended", Since: aws.ToTime(u.Initiated), Upload: true})
		}
		if !aws.ToBool(l.IsTruncated) {
			break
		}
		in.KeyMarker, in.UploadIdMarker = l.NextKeyMarker, l.NextUploadIdMarker
	}
	return all
}

func (s *s3Store) deleted(ctx context.Context, prefix, newer string) []Unfinished {
	in := &s3.ListObjectVersionsInput{Bucket: &s.bucketName, Prefix: aws.String(s.prefix + prefix)}
	if newer != "" {
		in.KeyMarker = aws.String(s.prefix + newer)
	}
	var all []Unfinished
	for range mostPages {
		l, err := s.client.ListObjectVersions(ctx, in)
		if err != nil {
			return all
		}
		for _, d := range l.DeleteMarkers {
			if aws.ToBool(d.IsLatest) {
				all = append(all, Unfinished{Name: strings.TrimPrefix(aws.ToString(d.Key), s.prefix),
					What: "deleted: the bucket has a delete marker over it", Since: aws.ToTime(d.LastModified), Deleted: true})
			}
		}
		if !aws.ToBool(l.IsTruncated) {
			break
		}
		in.KeyMarker, in.VersionIdMarker = l.NextKeyMarker, l.NextVersionIdMarker
	}
	return all
}

// frozen are the storage classes whose objects must be restored before they can
// be read.
var frozen = map[types.ObjectStorageClass]bool{
	types.ObjectStorageClassGlacier: true, types.ObjectStorageClassDeepArchive: true,
}

// thawed is the Problem of an object that lies in an archive tier and was not
// brought back from it, or nil.
func (s *s3Store) thawed(ctx context.Context, o Object) error {
	head, err := s.head(ctx, o)
	if err != nil {
		return err
	}
	restored := aws.ToString(head.Restore)
	const doing = "read %s%s: it lies in the archive tier %s%s"
	tier := string(head.StorageClass)
	switch {
	case strings.Contains(restored, `ongoing-request="false"`):
		return nil
	case strings.Contains(restored, `ongoing-request="true"`):
		return verdict.Errorf(verdict.CodeFetch, "run the drill again once it is brought back, which takes hours",
			doing, s.url, o.Name, tier, ", and is being brought back from it")
	}
	return verdict.Errorf(verdict.CodeFetch, fmt.Sprintf("bring it back first: aws s3api restore-object --bucket %s "+
		"--key %s --restore-request Days=2; and keep the newest backups out of that tier: a restore would wait for "+
		"hours", s.bucketName, s.prefix+o.Name), doing, s.url, o.Name, tier, ", from which nothing can be read at once")
}

// thawed is the Problem of a backup that cannot be read at once, or nil.
func (b Backup) thawed(ctx context.Context, store Store) error {
	s, is := store.(*s3Store)
	if !is {
		return nil
	}
	for _, p := range b.parts() {
		for _, o := range p.Objects {
			if !o.Frozen {
				continue
			}
			if err := s.thawed(ctx, o); err != nil {
				return err
			}
		}
	}
	return nil
}
