package catalog

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"daybefore/internal/catalog/place"
	"daybefore/internal/verdict"
)

// nvme is the polynomial of the CRC that S3 keeps by default, reflected.
const nvme = 0x9a6c9329ac4bc9b5

// keptKinds are the sums that stores keep besides those of side files.
var keptKinds = map[string]func() hash.Hash{
	"CRC-64/NVME": func() hash.Hash { return crc64.New(crc64.MakeTable(nvme)) },
	"CRC-32C":     func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"CRC-32":      func() hash.Hash { return crc32.NewIEEE() },
}

// hashOf computes a sum of a kind; nil for one that is not known.
func hashOf(kind string) hash.Hash {
	if i := sumKind(kind).rank(); i >= 0 {
		return kindsOfSums[i].hash()
	}
	if h, is := keptKinds[kind]; is {
		return h()
	}
	return nil
}

// keptSum is the sum that a store keeps of an object's bytes; the zero value
// where it tells none. A bucket of S3 is asked, where asking pays.
func keptSum(ctx context.Context, store Store, o Object, pays bool) place.Sum {
	s, is := store.(*s3Store)
	if !is {
		return o.Sum
	}
	if pays {
		head, err := s.head(ctx, o)
		if err == nil && trimETag(aws.ToString(head.ETag)) == o.ETag { // else the bytes are all there is
			if all := headSums(head); len(all) > 0 {
				return all[0]
			}
		}
	}
	if ofBytes.MatchString(o.ETag) {
		return place.Sum{Kind: "MD5", Hex: o.ETag, Perhaps: true}
	}
	return place.Sum{}
}

// headSums are the sums of all its bytes that S3 keeps of an object, the
// strongest first.
func headSums(head *s3.HeadObjectOutput) []place.Sum {
	if head.ChecksumType == types.ChecksumTypeComposite { // which depends on the parts
		return nil
	}
	var all []place.Sum
	for i, sum := range []*string{head.ChecksumSHA256, head.ChecksumSHA1, head.ChecksumCRC64NVME,
		head.ChecksumCRC32C, head.ChecksumCRC32} {
		raw, err := base64.StdEncoding.DecodeString(aws.ToString(sum))
		if err == nil && len(raw) > 0 {
			all = append(all, place.Sum{Kind: sumKinds[i], Hex: hex.EncodeToString(raw)})
		}
	}
	return all
}

// notKept is the error of bytes that are not those that the store was given. By
// whose fault, and so what is true of the backup, nobody can tell from here.
func notKept(doing string, kept place.Sum, got string) error {
	return verdict.Errorf(verdict.CodeFetch, asStoredHint,
		"%s: the bytes that came are not those that the store was given: their %s is %s, and it keeps %s",
		doing, kept.Kind, got, kept.Hex)
}
