package catalog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"daybefore/internal/verdict"
)

// meaning is what an S3 error code says about the drill, and what to do.
type meaning struct {
	code verdict.Code
	hint string
}

const unknownKeyHint = "the store does not know the key id: look at AWS_ACCESS_KEY_ID or " +
	"AWS_PROFILE, and at source.endpoint"

const tokenHint = "the session has ended: log in again, or let the job fetch a new session token"

const regionHint = "set source.region to the bucket's own region"

// meanings of the codes that another try does not mend. The text of the
// server's own message goes with them.
var meanings = map[string]meaning{
	"InvalidAccessKeyId": {verdict.CodeCredentialsRefused, unknownKeyHint},
	"XAdminUserNotFound": {verdict.CodeCredentialsRefused, unknownKeyHint}, // versitygw's word for it
	"SignatureDoesNotMatch": {verdict.CodeCredentialsRefused,
		"the secret key does not belong to the key id: look at AWS_SECRET_ACCESS_KEY"},
	"ExpiredToken":         {verdict.CodeCredentialsRefused, tokenHint},
	"InvalidToken":         {verdict.CodeCredentialsRefused, tokenHint},
	"RequestTimeTooSkewed": {verdict.CodeCredentialsRefused, "this machine's clock is wrong: set it"},
	"AccessDenied":         {verdict.CodeCredentialsRefused, deniedHint},
	"NoSuchBucket": {verdict.CodeStoreUnreachable,
		"the bucket does not exist there: look at source.url and source.endpoint, and whether it was deleted"},
	"InvalidBucketName":                  {verdict.CodeSpec, "correct the bucket's name in source.url"},
	"PermanentRedirect":                  {verdict.CodeSpec, regionHint},
	"AuthorizationHeaderMalformed":       {verdict.CodeSpec, regionHint},
	"IllegalLocationConstraintException": {verdict.CodeSpec, regionHint},
	"InvalidObjectState": {verdict.CodeFetch,
		"the object is in an archive tier: restore it there first, and keep the newest backups out of that tier"},
}

const deniedHint = "the key may not do this: it needs s3:ListBucket on the bucket and s3:GetObject on its objects"

// listProblem says what it means that the store cannot be listed.
func (s *s3Store) listProblem(ctx context.Context, err error) error {
	if stop := stopped(ctx, "list "+s.url); stop != nil {
		return stop
	}
	var told *verdict.Problem
	if errors.As(err, &told) {
		return verdict.Errorf(told.Code, told.Hint, "list %s: %w", s.url, told.Err)
	}
	if p := s.refusal("list "+s.url, err); p != nil {
		return p
	}
	return verdict.Errorf(verdict.CodeStoreUnreachable,
		"is source.endpoint right, and the store up and reachable from here?",
		"list %s: %s", s.url, s.hide(innermost(err)))
}

// readProblem sorts the failures of one read: a Problem if another try is
// pointless, else a plain error.
func (s *s3Store) readProblem(ctx context.Context, o Object, err error) error {
	doing := "read " + s.url + o.Name
	if stop := stopped(ctx, doing); stop != nil {
		return stop
	}
	switch status(err) {
	case http.StatusPreconditionFailed:
		return wasChanged(s, o, "the object was replaced")
	case http.StatusRequestedRangeNotSatisfiable:
		return wasChanged(s, o, "the object became shorter")
	}
	if code := apiCode(err); code == "NoSuchKey" || code == "NotFound" {
		return wasChanged(s, o, "the object was removed")
	}
	if p := s.refusal(doing, err); p != nil {
		return p
	}
	return fmt.Errorf("%s: %s", doing, s.hide(innermost(err)))
}

// refusal is the Problem of an answer that will stay the same; nil for trouble
// that may pass.
func (s *s3Store) refusal(doing string, err error) error {
	m, known := meanings[apiCode(err)]
	st := status(err)
	switch {
	case known:
	case st == http.StatusUnauthorized, st == http.StatusForbidden:
		m = meanings["AccessDenied"]
	case st >= 300 && st < 400:
		m = meanings["PermanentRedirect"]
	case st >= 400 && st < 500 && st != http.StatusRequestTimeout && st != http.StatusTooManyRequests:
		m = meaning{verdict.CodeStoreUnreachable, "is source.endpoint the address of an S3 server?"}
	default:
		return nil
	}
	if s.anonymous && m.code == verdict.CodeCredentialsRefused {
		m.hint = "the bucket is not public: unset source.anonymous and give credentials"
	}
	return verdict.Errorf(m.code, m.hint, "%s: the server answered %d %s", doing, st, s.hide(innermost(err)))
}

// status is the HTTP status that err came with; 0: there was no answer.
func status(err error) int {
	var e *awshttp.ResponseError
	if errors.As(err, &e) {
		return e.HTTPStatusCode()
	}
	return 0
}

func apiCode(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}

// innermost takes off the layers that say again what was being done, and the
// request's URL with them.
func innermost(err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return network
	}
	var garbled *smithy.DeserializationError
	if errors.As(err, &garbled) {
		return fmt.Errorf("the answer cannot be read: %w", garbled.Err)
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}
