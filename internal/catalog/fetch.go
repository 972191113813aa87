package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"

	"daybefore/internal/catalog/place"
	"daybefore/internal/machine"
	"daybefore/internal/verdict"
)

// Policies of source.checksum.
const (
	ChecksumRequired  = "required"
	ChecksumIfPresent = "if_present"
)

const (
	defaultParallel = 4
	defaultPartSize = 16 << 20
)

// FetchOptions say where and how to fetch; only Dir must be set.
type FetchOptions struct {
	Dir      string // a private directory for the spool file
	Checksum string // ChecksumRequired | ChecksumIfPresent (default)
	// MaxRatio is to how many times its size a packed backup may unpack where
	// its side file is of what is in it; 0: without limit.
	MaxRatio int64
	// Progress is told the bytes in the spool file, from one goroutine at a
	// time. Nil: nobody is told.
	Progress func(done, total int64)
	Parallel int   // connections; default 4
	PartSize int64 // bytes asked for at once; default 16 MiB

	ofMany  bool                                    // it is one of many small files: no request besides that for its bytes
	policy  retryPolicy                             // default: patient
	spaceOf func(dir string) (machine.Space, error) // default: machine.SpaceOf
}

func (o FetchOptions) withDefaults() FetchOptions {
	o.Parallel = cmp.Or(max(o.Parallel, 0), defaultParallel)
	o.PartSize = cmp.Or(max(o.PartSize, 0), defaultPartSize)
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.policy == (retryPolicy{}) {
		o.policy = patient
	}
	if o.spaceOf == nil {
		o.spaceOf = machine.SpaceOf
	}
	return o
}

// Spooled is a backup as it was fetched, byte for byte as in the store. The
// caller removes it.
type Spooled struct {
	// The file, or the directory that holds the files of a directory archive; of
	// several parts the directory that holds Files.
	Path  string
	Files []string // of each part the file or directory, in their order
	// SHA256 is in lower-case hexadecimal. Of several files it is that of what
	// sha256sum prints of them, in the order of Backup.Objects, each by its name
	// without the folders that all have in common.
	SHA256           string
	Size             int64
	ChecksumVerified bool // side files said the same, of all that it consists of
	Unpacked         bool // a side file said the same of what the file holds under compression
	// Compared says by what sums how much was compared: "SHA-256", "MD5".
	// Empty: nothing.
	Compared string
	// Kept says by which sums, that the store itself keeps, all of it was
	// compared, where no side file tells one: "CRC-32C". They say nothing of what
	// was before it was stored. Empty: by none.
	Kept string
	// Unread is what lies beside the backup and says something of its bytes,
	// where no sum was read: "x.dump.b3 (a BLAKE3 sum)". Empty: nothing.
	Unread string
	// Partly says of how many of several files a sum was compared: "1 of 2 files
	// has a sum". Empty: of all, or of none.
	Partly string
	// Doubt is why a side file that is there vouches for nothing (CodeChecksum,
	// error); nil: none. The backup may be bad by itself all the same, which is
	// worth more to know.
	Doubt error
}

// Fetch copies the chosen version of a backup into o.Dir: into a new private
// file, or into a directory of its own where it consists of several. Ranges of
// one file, and many files, are read at once; the sums are computed on the way.
// On failure, and when ctx ends, nothing is left.
//
// Problems: CodeChecksum (fail) where a sum of these bytes disagrees or a
// required one is not there; one that cannot be used is Spooled.Doubt.
// CodeDiskSpace, CodeChangedMeanwhile, CodeFetch, CodeCredentialsRefused,
// CodeStoreUnreachable (error).
func Fetch(ctx context.Context, store Store, b Backup, o FetchOptions) (Spooled, error) {
	o = o.withDefaults()
	doing := "fetch " + store.URL() + b.Name
	if err := enoughRoom(doing, b.Size, o); err != nil {
		return Spooled{}, err
	}
	if b.Parts != nil {
		return fetchSet(ctx, store, b, o)
	}
	told, err := sideSum(ctx, store, b.Object, o.Checksum == ChecksumRequired)
	doubt, err := doubtful(err)
	if err != nil {
		return Spooled{}, err
	}
	f, err := os.CreateTemp(o.Dir, "spool-*") // 0600, and never an existing file
	if err != nil {
		return Spooled{}, fmt.Errorf("%s: %w", doing, err)
	}
	got, err := fetchInto(ctx, store, b.Object, f, told, o)
	got.Doubt = cmp.Or(got.Doubt, doubt)
	got.Files = []string{got.Path}
	if err != nil {
		return Spooled{}, errors.Join(err, os.Remove(f.Name()))
	}
	return got, nil
}

// fetchInto copies one object into a file, which it closes, and compares it
// with what side files say of it, or else the store.
func fetchInto(
	ctx context.Context, store Store, object Object, f *os.File, told beside, o FetchOptions,
) (Spooled, error) {
	doing := "fetch " + store.URL() + object.Name
	var kept place.Sum
	if told.sum == "" {
		kept = keptSum(ctx, store, object, !o.ofMany)
	}
	hashes := newSums(cmp.Or(told.kind.title(), kept.Kind))
	size, err := fill(ctx, store, object, f, hashes, o)
	if err == nil {
		err = unchanged(ctx, store, object)
	}
	got := Spooled{Path: f.Name(), SHA256: hashes.sha256(), Size: size, Unread: told.unread}
	if err == nil && told.sum != "" {
		err = got.compare(ctx, store, object, told, hashes.told(), o)
	} else if err == nil && kept.Kind != "" {
		err = got.compareKept(doing, kept, hashes.told())
	}
	err = errors.Join(err, f.Close())
	if err != nil {
		return got, whatFull(doing, whyStopped(ctx, doing, err))
	}
	return got, nil
}

// compare compares the sum of what was fetched with a side file's.
func (s *Spooled) compare(ctx context.Context, store Store, object Object, told beside, sum string, o FetchOptions) error {
	if sameSum(sum, told.sum) {
		s.ChecksumVerified = true
		s.Compared = told.kind.title()
		return nil
	}
	doing := "fetch " + store.URL() + object.Name
	unpacked, err := told.disagree(doing, sum, s.Path, path.Base(object.Name), o.MaxRatio)
	s.Unpacked = unpacked
	stored := AsStored(ctx, store, object, s.Path)
	if err != nil && stored != nil {
		err = stored // nothing is known of the backup's own bytes
	}
	s.Doubt, err = doubtful(err)
	return err
}

// compareKept compares the sum of what was fetched with the store's own.
func (s *Spooled) compareKept(doing string, kept place.Sum, sum string) error {
	switch {
	case sameSum(sum, kept.Hex):
		s.Kept = kept.Kind
	case !kept.Perhaps: // an ETag that is no MD5 looks like one
		return notKept(doing, kept, sum)
	}
	return nil
}

// unchanged looks, once the last byte is read, whether the object is still the one that
// was chosen, where an answer that is on its way may turn to another.
func unchanged(ctx context.Context, store Store, o Object) error {
	now, err := exact(ctx, store, o)
	if err == nil && now.ETag != o.ETag && o.ETag != "" {
		return wasChanged(store, o, "it was replaced")
	}
	return err
}

// doubtful parts an error of a side file that vouches for nothing from all
// others.
func doubtful(err error) (doubt, other error) {
	if err != nil && outcome(err) == verdict.Error && verdict.AsProblem(err).Code == verdict.CodeChecksum {
		return err, nil
	}
	return nil, err
}

const roomHint = "make room, or set TMPDIR to a directory on a larger disk"

// enoughRoom looks before the download whether it fits.
func enoughRoom(doing string, size int64, o FetchOptions) error {
	if size < 0 && size != place.Unsized {
		return verdict.Errorf(verdict.CodeFetch, "look at the store: no file has such a size",
			"%s: it is listed with %d bytes", doing, size)
	}
	space, err := o.spaceOf(o.Dir)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if size > space.Free {
		return verdict.Errorf(verdict.CodeDiskSpace, roomHint,
			"%s: it needs %d bytes in %s, and %d are available", doing, size, o.Dir, space.Free)
	}
	return nil
}

// whatFull turns the machine's "no space left" into a Problem; others used the
// room that was there at the start.
func whatFull(doing string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return verdict.Errorf(verdict.CodeDiskSpace, roomHint, "%s: the disk filled up during the download: %w", doing,
			err)
	}
	return err
}
