package sandbox

import (
	"errors"
	"math"
	"strings"
	"testing"

	"daybefore/internal/machine"
	"daybefore/internal/verdict"
)

func TestDiskTake(t *testing.T) {
	t.Parallel()
	large := machine.Space{Free: 100 * gib, Size: 200 * gib, Files: 5_000_000, Most: 10_000_000}
	small := machine.Space{Free: 600 * mib, Size: 10 * gib, Files: 1000, Most: 100_000}
	plain := machine.Space{Free: 600 * mib, Size: 10 * gib} // a file system without a limit for files
	for name, tt := range map[string]struct {
		then machine.Space
		now  machine.Space
		most int64
		says string // part of what is told; empty: it may go on
	}{
		"nothing was taken":         {large, large, 0, ""},
		"all but what is kept":      {large, machine.Space{Free: 4 * gib, Files: 100_000}, 0, ""},
		"a byte more":               {large, machine.Space{Free: 4*gib - 1, Files: 100_000}, 0, "has 4095 MiB left of the 102400 MiB"},
		"a file more":               {large, machine.Space{Free: 4 * gib, Files: 99_999}, 0, "can take 99999 more files of the 5000000"},
		"a full disk, at the start": {small, small, 0, ""},
		"half of little":            {small, machine.Space{Free: 300 * mib, Files: 500}, 0, ""},
		"more than half of little":  {small, machine.Space{Free: 300*mib - 1, Files: 500}, 0, "has 299 MiB left of the 600 MiB"},
		"a folder too many":         {small, machine.Space{Free: 600 * mib, Files: 499}, 0, "can take 499 more files"},
		"no limit for files":        {plain, machine.Space{Free: 300 * mib}, 0, ""},
		"what is allowed":           {large, machine.Space{Free: 99 * gib, Files: 5_000_000}, gib, ""},
		"more than is allowed": {large, machine.Space{Free: 99*gib - 1, Files: 5_000_000}, gib,
			"1024 MiB less than when it began, and sandbox.disk allows 1024 MiB"},
		"more room than before": {large, machine.Space{Free: 101 * gib, Files: 5_000_000}, gib, ""},
		"no limit at all":       {large, machine.Space{Free: 5 * gib, Files: 5_000_000}, math.MaxInt64, ""},
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
