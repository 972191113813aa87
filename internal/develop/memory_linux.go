package develop

import (
	"os"

	"golang.org/x/sys/unix"
)

// inMemory is where Linux keeps files in memory, for everybody.
const inMemory = "/dev/shm"

// leastInMemory is the room that tests need there, twice over.
const leastInMemory = 8 << 30

// tempInMemory is a folder in memory for what tests write, to be removed later;
// empty where there is none, or not room enough. A server's cluster is a thousand
// files, and hundreds are made and removed: on a file system without a journal,
// as virtual machines often have, ext4 spends a third of all processor time
// looking for inodes that were not free a moment ago.
func tempInMemory() string {
	var fs unix.Statfs_t
	if err := unix.Statfs(inMemory, &fs); err != nil || fs.Type != unix.TMPFS_MAGIC {
		return ""
	}
	// Tests run programs there, and make an image's devices.
	if fs.Flags&(unix.ST_NOEXEC|unix.ST_NODEV) != 0 || fs.Bavail*uint64(fs.Bsize) < leastInMemory {
		return ""
	}
	dir, err := os.MkdirTemp(inMemory, "t")
	if err != nil {
		return ""
	}
	// Servers of other accounts pass through it.
	if err := os.Chmod(dir, os.ModeSticky|0o777); err != nil {
		os.Remove(dir)
		return ""
	}
	return dir
}
