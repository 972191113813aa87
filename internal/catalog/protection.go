package catalog

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/cenkalti/backoff/v5"

	"daybefore/internal/verdict"
)

// Lock is what keeps the objects of a bucket from being removed by anybody.
type Lock struct {
	Enabled bool      // objects can be locked
	Default string    // what new ones are locked for: "governance, 7 days"; "" if they are not
	Until   time.Time // what the object that was asked about is locked to; zero if it is not
	Held    bool      // it is under a legal hold
}

// Versioning asks a bucket whether what is overwritten or deleted in it is
// kept: "Enabled", "Suspended" or, if it never was, "". Any other store is a
// Problem with CodeUnsupported.
func Versioning(ctx context.Context, store Store) (string, error) {
	s, err := asBucket(store, "versioning")
	if err != nil {
		return "", err
	}
	out, err := ask(ctx, s, "ask for the versioning of", "s3:GetBucketVersioning on the bucket",
		func() (*s3.GetBucketVersioningOutput, error) {
			return s.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: &s.bucketName})
		})
	if err != nil {
		return "", err
	}
	return string(out.Status), nil
}

// ObjectLock asks a bucket whether its objects are locked, and about one of
// them where that is not the default.
func ObjectLock(ctx context.Context, store Store, o Object) (Lock, error) {
	s, err := asBucket(store, "object lock")
	if err != nil {
		return Lock{}, err
	}
	out, err := ask(ctx, s, "ask for the object lock of", "s3:GetBucketObjectLockConfiguration on the bucket",
		func() (*s3.GetObjectLockConfigurationOutput, error) {
			out, err := s.client.GetObjectLockConfiguration(ctx,
				&s3.GetObjectLockConfigurationInput{Bucket: &s.bucketName})
			if apiCode(err) == "ObjectLockConfigurationNotFoundError" {
				return &s3.GetObjectLockConfigurationOutput{}, nil
			}
			return out, err
		})
	if err != nil || out.ObjectLockConfiguration == nil ||
		out.ObjectLockConfiguration.ObjectLockEnabled != types.ObjectLockEnabledEnabled {
		return Lock{}, err
	}
	l := Lock{Enabled: true}
	if rule := out.ObjectLockConfiguration.Rule; rule != nil && rule.DefaultRetention != nil {
		l.Default = retention(rule.DefaultRetention)
		return l, nil
	}
	head, err := s.head(ctx, o)
	if err != nil {
		return Lock{}, err
	}
	l.Until = aws.ToTime(head.ObjectLockRetainUntilDate)
	l.Held = head.ObjectLockLegalHoldStatus == types.ObjectLockLegalHoldStatusOn
	return l, nil
}

// retention writes a bucket's rule: governance, 7 days.
func retention(d *types.DefaultRetention) string {
	mode := map[types.ObjectLockRetentionMode]string{types.ObjectLockRetentionModeGovernance: "governance",
		types.ObjectLockRetentionModeCompliance: "compliance"}[d.Mode]
	if d.Years != nil {
		return fmt.Sprintf("%s, %d years", mode, *d.Years)
	}
	return fmt.Sprintf("%s, %d days", mode, aws.ToInt32(d.Days))
}

// head asks for what the server says of an object.
func (s *s3Store) head(ctx context.Context, o Object) (*s3.HeadObjectOutput, error) {
	return ask(ctx, s, "ask about "+o.Name+" in", "s3:GetObject and s3:GetObjectRetention on the objects",
		func() (*s3.HeadObjectOutput, error) {
			return s.client.HeadObject(ctx,
				&s3.HeadObjectInput{Bucket: &s.bucketName, Key: aws.String(s.prefix + o.Name),
					ChecksumMode: types.ChecksumModeEnabled})
		})
}

func asBucket(store Store, what string) (*s3Store, error) {
	if s, ok := store.(*s3Store); ok {
		return s, nil
	}
	return nil, verdict.Errorf(verdict.CodeUnsupported, "remove inventory.protection",
		"ask for the %s of %s: only an S3 bucket has one", what, store.URL())
}

// ask sends one request, again if the trouble may pass. Where the key may not,
// needs says which right it lacks.
func ask[T any](ctx context.Context, s *s3Store, doing, needs string, send func() (T, error)) (T, error) {
	doing += " " + s.url
	out, err := backoff.Retry(ctx, func() (T, error) {
		out, err := send()
		if err != nil && (s.refusal("", err) != nil || status(err) == http.StatusNotImplemented) {
			err = backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(s.policy.backOff()), backoff.WithMaxTries(s.policy.tries), backoff.WithMaxElapsedTime(0))
	if err == nil {
		return out, nil
	}
	if stop := stopped(ctx, doing); stop != nil {
		return out, stop
	}
	p := s.refusal(doing, err)
	switch {
	case status(err) == http.StatusNotImplemented:
		return out, verdict.Errorf(verdict.CodeUnsupported,
			"this S3 server does not support the call: check its protection by hand", "%s: the server answered 501 %s",
			doing, s.hide(innermost(err)))
	case p == nil:
		return out, verdict.Errorf(verdict.CodeStoreUnreachable, "is the store up and reachable from here?", "%s: %s",
			doing, s.hide(innermost(err)))
	}
	refused := verdict.AsProblem(p)
	if refused.Hint == deniedHint {
		refused.Hint = "the key may not ask: it needs " + needs
	}
	return out, refused
}
