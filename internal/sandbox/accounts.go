package sandbox

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/user"
	"strconv"
	"strings"

	"daybefore/internal/enclosure"
	"daybefore/internal/verdict"
)

// leastAccount is whom a server runs as that root starts where it sees the
// machine's own accounts: no files are its own, and initdb knows its name.
const leastAccount = "nobody"

// accounts are those of one sandbox that root starts. Nobody else on the
// machine has them, save that of a server which is not enclosed.
type accounts struct{ server, programs, keeper enclosure.Account }

// pickAccounts returns the accounts for a sandbox; nil where the caller is not
// root, and all is its own.
func pickAccounts(degree enclosure.Degree) (*accounts, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	ids, err := freeIDs(3)
	if err != nil {
		return nil, verdict.Errorf(verdict.CodeSandbox,
			"run the drill as an ordinary user, or where root has more accounts (a map of 65536 ids)",
			"PostgreSQL refuses to run as root: %w", err)
	}
	own := func(id int) enclosure.Account { return enclosure.Account{UID: id, GID: id} }
	a := &accounts{own(ids[0]), own(ids[1]), own(ids[2])}
	if degree < enclosure.Enclosed {
		a.server, err = lookUp(leastAccount)
		if err != nil {
			return nil, fmt.Errorf("PostgreSQL refuses to run as root, and there is no other account: %w", err)
		}
	}
	return a, nil
}

func lookUp(name string) (enclosure.Account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return enclosure.Account{}, err
	}
	uid, noUID := strconv.Atoi(u.Uid)
	gid, noGID := strconv.Atoi(u.Gid)
	return enclosure.Account{UID: uid, GID: gid}, errors.Join(noUID, noGID)
}

// Ids from firstFree to lastFree belong to nobody by systemd's conventions,
// which others keep to.
const (
	firstFree = 0x70000000
	lastFree  = 0x7ffefffd
	// fewFree is how many of the highest ids below nobodyID are chosen from where
	// the machine is a container that has not so many.
	fewFree  = 3000
	nobodyID = 65534
)

// span is a run of ids, its ends included.
type span struct{ first, last int }

// freeIDs returns n ids, each for a user and a group, by chance out of those
// that this process may give and that nobody has.
func freeIDs(n int) ([]int, error) {
	from := span{0, math.MaxInt32}
	for _, name := range []string{"/proc/self/uid_map", "/proc/self/gid_map"} {
		text, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue // not Linux
		}
		if err != nil {
			return nil, err
		}
		if s := highestSpan(string(text)); s.last < from.last || s.first > from.first {
			from = span{max(from.first, s.first), min(from.last, s.last)}
		}
	}
	return from.pick(n)
}

// highestSpan is the run of the highest ids in a map of the kernel's.
func highestSpan(idMap string) (best span) {
	for line := range strings.Lines(idMap) {
		var first, outside, count int
		if _, err := fmt.Sscan(line, &first, &outside, &count); err == nil && first+count-1 > best.last {
			best = span{first, first + count - 1}
		}
	}
	return best
}

// pick picks n different ids of a run.
func (s span) pick(n int) ([]int, error) {
	if s.first <= firstFree && s.last >= lastFree {
		s = span{firstFree, lastFree}
	} else {
		if s.first < nobodyID && nobodyID <= s.last {
			s.last = nobodyID - 1
		}
		s.first = max(s.first, s.last-fewFree+1, 1)
	}
	if s.last-s.first+1 < n {
		return nil, fmt.Errorf("this process may act as %d other accounts only, and needs %d", max(0, s.last-s.first+1),
			n)
	}
	at := rand.IntN(s.last - s.first - n + 2)
	ids := make([]int, n)
	for i := range ids {
		ids[i] = s.first + at + i
	}
	return ids, nil
}
