package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"daybefore/internal/machine"
	"daybefore/internal/sandbox"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30

	// What a shop at scale 1 was seen to need, with something to spare: the
	// database and its WAL while it is made; the database twice over while the
	// usual way rewrites it; and the archive.
	filledBytes    = 5.5 * gib
	rewrittenBytes = 14 * gib
	archiveBytes   = 400 * mib
	// fixedBytes is a cluster with nothing in it, at any scale.
	fixedBytes = 256 * mib
)

// need is room that must be free in a folder.
type need struct {
	what  string
	dir   string
	bytes int64
}

// needs are what o will write of databases that are restored one after the
// other, and where. An engine whose folder is not here keeps its own watch.
func (o Options) needs(m Machine, recipes ...recipe) []need {
	var kept, copied, restored int64
	for _, r := range recipes {
		kept += r.archive
		copied = max(copied, r.archive)
		restored = max(restored, r.filled)
		if slices.Contains(o.ways(), Usual) {
			restored = max(restored, r.rewritten)
		}
	}
	return []need{
		{"the dumps that are kept", o.Cache, kept},
		{"a copy of a dump", o.tmp, copied},
		{"the restored database", o.dataDir(m), restored + fixedBytes},
	}
}

// dataDir is on the file system where a sandbox keeps its data.
func (o Options) dataDir(m Machine) string {
	if o.Kind != sandbox.Local && m.dockerRoot != "" {
		return m.dockerRoot
	}
	return o.tmp
}

// enoughRoom adds up what is needed on each file system, before anything is
// begun.
func (o Options) enoughRoom(needs []need) error {
	wanted := map[uint64]int64{}
	free := map[uint64]int64{}
	folders := map[uint64][]string{}
	for _, n := range needs {
		dir, ok := existing(n.dir)
		if !ok {
			continue
		}
		device, there, ok := o.room(dir)
		if !ok {
			continue // it cannot be told, so it is not refused
		}
		wanted[device] += n.bytes
		free[device] = there
		folders[device] = append(folders[device], fmt.Sprintf("%s for %s in %s", inGiB(n.bytes), n.what, n.dir))
	}
	for device, bytes := range wanted {
		if free[device] < bytes {
			return fmt.Errorf("it needs %s of room, and there are %s (%s): make room, or measure less",
				inGiB(bytes), inGiB(free[device]), strings.Join(folders[device], ", "))
		}
	}
	return nil
}

// roomIn tells the file system of a folder, and what is free there.
func roomIn(dir string) (device uint64, free int64, ok bool) {
	var st unix.Stat_t
	space, err := machine.SpaceOf(dir)
	if err != nil || unix.Stat(dir, &st) != nil {
		return 0, 0, false
	}
	return uint64(st.Dev), space.Free, true
}

// existing is the folder itself, or the one above it that is there.
func existing(dir string) (string, bool) {
	for {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir, true
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		return "", false
	}
}

func inGiB(n int64) string {
	if n >= gib {
		return fmt.Sprintf("%.1f GiB", float64(n)/gib)
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/mib)
}
