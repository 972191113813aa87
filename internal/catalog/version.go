package catalog

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// VersionOf is what tells an object from all others of its name, size and ETag:
// when the bucket took it and, where it keeps versions, which it is. An ETag
// alone is an MD5 sum, of which whoever writes both dumps makes two alike. Of a
// folder it is empty: the ETag tells all. The error is a *verdict.Problem, with
// CodeChangedMeanwhile where the object is no longer the one that was listed.
func VersionOf(ctx context.Context, store Store, o Object) (string, error) {
	s, ok := store.(*s3Store)
	if !ok {
		return "", nil
	}
	head, err := s.head(ctx, o)
	if err != nil {
		return "", err
	}
	if trimETag(aws.ToString(head.ETag)) != o.ETag {
		return "", wasChanged(s, o, "the object was replaced")
	}
	taken := aws.ToTime(head.LastModified).UTC().Format(time.RFC3339Nano)
	return strings.TrimSpace(taken + " " + aws.ToString(head.VersionId)), nil
}
