package sandbox

import (
	"fmt"
	"syscall"
	"time"

	"daybefore/internal/verdict"
)

const (
	// diskEach is the pause between two looks at the disks: what a disk takes
	// meanwhile, at the most, must fit into what is kept free.
	diskEach = 100 * time.Millisecond
	// Of a disk a fiftieth is kept free, within these bounds, and never more
	// than half of what was free when the sandbox began: on a disk that is
	// nearly full a small drill still finds room.
	diskShare     = 50
	leastKept     = 512 * mib
	mostKept      = 4 * gib
	mostKeptFiles = 100_000 // of the files and folders that a disk can still take
)

// room is what a file system has left.
type room struct {
	free, size  int64 // bytes that anybody may write
	files, most int64 // files and folders; most is 0 where there is no such limit
}

// roomOf looks at the file system of a directory.
func roomOf(dir string) (room, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return room{}, err
	}
	block := int64(s.Bsize)
	return room{free: int64(s.Bavail) * block, size: int64(s.Blocks) * block, files: int64(s.Ffree),
		most: int64(s.Files)}, nil
}

// kept is what stays free of a file system that has this much room.
func (r room) kept() room {
	k := room{free: min(clamp(r.size/diskShare, leastKept, mostKept), r.free/2)}
	if r.most > 0 {
		k.files = min(r.most/diskShare, mostKeptFiles, r.files/2)
	}
	return k
}

// disk is a file system that a sandbox can fill.
type disk struct {
	dir  string
	then room // when the sandbox began
}

// take returns a *verdict.Problem if a disk that has now so much room is to be
// filled no further. most is what may be taken of it, in bytes; 0: what it has.
func (d disk) take(now room, most int64) error {
	kept := d.then.kept()
	const hint = "make room there, or drill on a machine with a larger disk; if the backup should not need so much, " +
		"look at what else writes there, and at what the backup's own code writes"
	switch taken := d.then.free - now.free; {
	case now.free < kept.free:
		return verdict.Errorf(verdict.CodeDiskSpace, hint,
			"the sandbox was ended before it filled the disk of %s, which has %d MiB left of the %d MiB that were free",
			d.dir, now.free/mib, d.then.free/mib)
	case d.then.most > 0 && now.files < kept.files:
		return verdict.Errorf(verdict.CodeDiskSpace, hint,
			"the sandbox was ended before it filled the disk of %s, which can take %d more "+
				"files of the %d that it could", d.dir, now.files, d.then.files)
	case most > 0 && taken > most:
		return verdict.Errorf(verdict.CodeDiskSpace,
			"allow more under sandbox.disk, or look at what else writes there (the whole disk counts), and at what "+
				"the backup's own code writes",
			"the sandbox was ended because the disk of %s has %d MiB less than when it began, "+
				"and sandbox.disk allows %d MiB", d.dir, taken/mib, most/mib)
	}
	return nil
}

// watchDisks looks after the disks of directories that the sandbox can fill,
// until it has ended. Before one is full, or when more than most bytes of it
// were taken (0: no such limit), it tells all that use the server why, and then
// calls end, which ends the server. What others write meanwhile counts too:
// nobody could tell it apart.
func (b *base) watchDisks(most int64, end func(), dirs ...string) error {
	var disks []disk
	for _, dir := range dirs {
		then, err := roomOf(dir)
		if err != nil {
			return fmt.Errorf("look at the disk of %s: %w", dir, err)
		}
		disks = append(disks, disk{dir, then})
	}
	go func() {
		tick := time.NewTicker(diskEach)
		defer tick.Stop()
		for {
			select {
			case <-b.dead:
				return
			case <-tick.C:
			}
			for _, d := range disks {
				now, err := roomOf(d.dir)
				if err != nil {
					continue // it goes away with the sandbox
				}
				if full := d.take(now, most); full != nil {
					b.ends(full)
					end()
					return
				}
			}
		}
	}()
	return nil
}
