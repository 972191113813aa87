package sandbox

import (
	"fmt"
	"time"

	"daybefore/internal/machine"
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

// keepFree is what stays free of a file system that has this much space.
func keepFree(s machine.Space) machine.Space {
	k := machine.Space{Free: min(clamp(s.Size/diskShare, leastKept, mostKept), s.Free/2)}
	if s.Most > 0 {
		k.Files = min(s.Most/diskShare, mostKeptFiles, s.Files/2)
	}
	return k
}

// disk is a file system that a sandbox can fill.
type disk struct {
	dir  string
	then machine.Space // when the sandbox began
}

// take returns a *verdict.Problem if a disk that has now so much room is to be
// filled no further. most is what may be taken of it, in bytes; 0: what it has.
func (d disk) take(now machine.Space, most int64) error {
	keep := keepFree(d.then)
	const hint = "make room there, or drill on a machine with a larger disk; if the backup should not need so much, " +
		"look at what else writes there, and at what the backup's own code writes"
	taken := d.then.Free - now.Free
	switch {
	case now.Free < keep.Free:
		return verdict.Errorf(verdict.CodeDiskSpace, hint,
			"the sandbox was ended before it filled the disk of %s, which has %d MiB left of the %d MiB that were free",
			d.dir, now.Free/mib, d.then.Free/mib)
	case d.then.Most > 0 && now.Files < keep.Files:
		return verdict.Errorf(verdict.CodeDiskSpace, hint,
			"the sandbox was ended before it filled the disk of %s, which can take %d more "+
				"files of the %d that it could", d.dir, now.Files, d.then.Files)
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
		then, err := machine.SpaceOf(dir)
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
				now, err := machine.SpaceOf(d.dir)
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
