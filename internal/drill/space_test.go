package drill

import (
	"context"
	"errors"
	"testing"
	"time"

	"daybefore/internal/archive"
	"daybefore/internal/sandbox"
	"daybefore/internal/verdict"
)

func TestADiskThatIsTooSmallIsNoFailureOfTheBackup(t *testing.T) {
	t.Parallel()
	work, err := sandbox.NewWorkdir()
	if err != nil {
		t.Fatal(err)
	}
	defer work.Close()
	box, err := sandbox.Start(t.Context(), sandbox.Options{Kind: sandbox.Local, Work: work, Deadline: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close(context.Background())
	for _, c := range []struct {
		size int64
		bad  bool
	}{{1 << 20, false}, {1 << 55, true}} {
		r := &run{box: boxState{Box: box}, archive: &archive.Archive{Size: c.size, Header: archive.Header{DataCompression: "gzip"}}}
		err := r.roomToLoad(t.Context())
		var p *verdict.Problem
		if bad := errors.As(err, &p) && p.Code == verdict.CodeDiskSpace && p.Outcome == verdict.Error; bad != c.bad || (err != nil) != c.bad {
			t.Errorf("%d bytes: %v", c.size, err)
		}
	}
}

func FuzzParseDF(f *testing.F) {
	f.Add("Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 1 2 3 4% /\n")
	f.Fuzz(func(t *testing.T, out string) { _, _ = parseDF(out) })
}
