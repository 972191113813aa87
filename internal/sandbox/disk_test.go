package sandbox

import (
	"errors"
	"math"
	"strings"
	"testing"

	"daybefore/internal/verdict"
)

func TestDiskTake(t *testing.T) {
	t.Parallel()
	large := room{free: 100 * gib, size: 200 * gib, files: 5_000_000, most: 10_000_000}
	small := room{free: 600 * mib, size: 10 * gib, files: 1000, most: 100_000}
	plain := room{free: 600 * mib, size: 10 * gib} // a file system without a limit for files
	for name, tt := range map[string]struct {
		then room
		now  room
		most int64
		says string // part of what is told; empty: it may go on
	}{
		"nothing was taken":         {large, large, 0, ""},
		"all but what is kept":      {large, room{free: 4 * gib, files: 100_000}, 0, ""},
		"a byte more":               {large, room{free: 4*gib - 1, files: 100_000}, 0, "has 4095 MiB left of the 102400 MiB"},
		"a file more":               {large, room{free: 4 * gib, files: 99_999}, 0, "can take 99999 more files of the 5000000"},
		"a full disk, at the start": {small, small, 0, ""},
		"half of little":            {small, room{free: 300 * mib, files: 500}, 0, ""},
		"more than half of little":  {small, room{free: 300*mib - 1, files: 500}, 0, "has 299 MiB left of the 600 MiB"},
		"a folder too many":         {small, room{free: 600 * mib, files: 499}, 0, "can take 499 more files"},
		"no limit for files":        {plain, room{free: 300 * mib}, 0, ""},
		"what is allowed":           {large, room{free: 99 * gib, files: 5_000_000}, gib, ""},
		"more than is allowed": {large, room{free: 99*gib - 1, files: 5_000_000}, gib,
			"1024 MiB less than when it began, and sandbox.disk allows 1024 MiB"},
		"more room than before": {large, room{free: 101 * gib, files: 5_000_000}, gib, ""},
		"no limit at all":       {large, room{free: 5 * gib, files: 5_000_000}, math.MaxInt64, ""},
	} {
		err := disk{"/d", tt.then}.take(tt.now, tt.most)
		if tt.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		p, ok := errors.AsType[*verdict.Problem](err)
		if !ok || p.Code != verdict.CodeDiskSpace || p.Outcome != verdict.Error || !strings.Contains(p.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
}
