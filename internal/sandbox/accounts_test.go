package sandbox

import (
	"math"
	"slices"
	"testing"
)

// TestFreeIDs picks accounts of nobody's on machines and in containers.
func TestFreeIDs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		idMap string
		from  span // that may be picked; zero: none are
	}{
		"a machine":                 {"         0          0 4294967295\n", span{firstFree, lastFree}},
		"a container of many ids":   {"0 100000 65536\n", span{nobodyID - fewFree, nobodyID - 1}},
		"a container of more ids":   {"0 100000 1000000\n", span{nobodyID - fewFree, nobodyID - 1}},
		"ids above nobody's":        {"0 1000 1\n100000 100000 65536\n", span{165536 - fewFree, 165535}},
		"two runs":                  {"0 1000 1\n1 100000 65536\n", span{nobodyID - fewFree, nobodyID - 1}},
		"four ids, and root is one": {"0 1000 4\n", span{1, 3}},
		"too few ids":               {"0 1000 3\n", span{}},
		"root alone":                {"0 1000 1\n", span{}},
		"no map":                    {"", span{}},
	} {
		for range 1000 {
			s := highestSpan(tt.idMap)
			ids, err := span{max(s.first, 0), min(s.last, math.MaxInt32)}.pick(3)
			if tt.from == (span{}) {
				if err == nil {
					t.Errorf("%s: %v", name, ids)
				}
				continue
			}
			slices.Sort(ids)
			if err != nil || len(slices.Compact(ids)) != 3 || ids[0] < tt.from.first || ids[2] > tt.from.last {
				t.Errorf("%s: %v, %v; want three of %v", name, ids, err, tt.from)
			}
		}
	}
}

// TestLent looks that of a home no more is shown than the server in it.
func TestLent(t *testing.T) {
	t.Parallel()
	t.Run("system", func(t *testing.T) {
		if got := (binaries{dir: "/usr/lib/postgresql/15/bin"}).lent(); len(got) > 0 {
			t.Errorf("%q", got)
		}
	})
	for dir, want := range map[string][]string{
		"/opt/postgresql/17/bin": {"/opt/postgresql/17/bin", "/opt/postgresql/17/lib", "/opt/postgresql/17/lib64",
			"/opt/postgresql/17/share"},
		"/home/u/.local/bin": {"/home/u/.local/bin", "/home/u/.local/lib", "/home/u/.local/lib64",
			"/home/u/.local/share/postgresql"},
		"/nix/store/abc-postgres/bin": {"/nix/store"},
		"/bin2":                       {"/bin2", "/lib", "/lib64", "/share/postgresql"},
	} {
		if got := (binaries{dir: dir}).lent(); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
}
