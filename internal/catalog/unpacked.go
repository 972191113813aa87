package catalog

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"daybefore/internal/packed"
	"daybefore/internal/verdict"
)

// unpackedSum is the sum, of a kind, of what a packed file holds; is reports
// whether it is one. The error is why it cannot be unpacked:
// packed.ErrTooMuch among others.
func unpackedSum(path string, kind sumKind, ratio int64) (is bool, sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, "", err
	}
	r, err := unpacking(bufio.NewReaderSize(f, chunk))
	if r == nil {
		return err != nil, "", err
	}
	defer r.Close()
	h := kindsOfSums[max(kind.rank(), 0)].hash()
	if _, err := io.Copy(h, &packed.Bounded{R: r, Bound: packed.Bound(info.Size(), ratio)}); err != nil {
		return true, "", err
	}
	return true, hex.EncodeToString(h.Sum(nil)), nil
}

// unpacking gives what is in a packed file; nil where it is not packed.
func unpacking(in *bufio.Reader) (packed.Stream, error) {
	head, _ := in.Peek(32)
	codec, is := packed.Of(head)
	if !is {
		return nil, nil
	}
	return codec.Open(in)
}

// ofBytes is how S3 writes the ETag of an object that was put in one piece: the
// MD5 of its bytes, unless they are encrypted with a key of the caller's.
var ofBytes = regexp.MustCompile(`^[0-9a-f]{32}$`)

// AsStored looks whether the fetched bytes are those that the store holds, as
// far as it tells: before they are called damaged. It returns a Problem
// (CodeFetch, error) if they are others, and nil where nothing speaks against
// them.
func AsStored(ctx context.Context, store Store, o Object, path string) error {
	s, ok := store.(*s3Store)
	if !ok || !ofBytes.MatchString(o.ETag) {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.asStored(ctx, o, f)
}

const asStoredHint = "run the drill again; if it stays so, look at what lies between here and the store (a proxy, a " +
	"cache), and at the store's own disks"

// mostRead is how much is read once more before a header is called broken.
const mostRead = 64 << 20

// HeaderAsStored is AsStored of a backup that was not fetched, whose header is
// about to be called broken. A large one is not looked into.
func HeaderAsStored(ctx context.Context, store Store, o Object) error {
	s, ok := store.(*s3Store)
	if !ok || !ofBytes.MatchString(o.ETag) || o.Size > mostRead {
		return nil
	}
	r := newResumed(ctx, store, o, 0, o.Size, patient)
	defer r.Close()
	return s.asStored(ctx, o, r)
}

func (s *s3Store) asStored(ctx context.Context, o Object, r io.Reader) error {
	h := md5.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	if sum == o.ETag {
		return nil
	}
	head, err := s.head(ctx, o)
	var p *verdict.Problem
	switch {
	case errors.As(err, &p) && p.Code == verdict.CodeChangedMeanwhile:
		return err
	case err != nil, head.SSECustomerAlgorithm != nil,
		head.ServerSideEncryption != "" && head.ServerSideEncryption != types.ServerSideEncryptionAes256:
		return nil // then the ETag is of other bytes
	}
	return verdict.Errorf(verdict.CodeFetch, asStoredHint,
		"read %s%s: the bytes that came are not those that the store says it holds: their MD5 is %s, its ETag %s",
		s.url, o.Name, sum, o.ETag)
}
