// Package machine is what the harness asks of the machine it runs on: the space
// of its disks, locks between processes, and the signals that end one. It must
// never decide anything by them: its callers do.
package machine

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Space is what a file system has left, and has.
type Space struct {
	Free, Size  int64 // bytes; Free is what an unprivileged process may write
	Files, Most int64 // files and folders that can still be made, and ever; Most is 0 where there is no such limit
}

// SpaceOf looks at the file system that a folder is on.
func SpaceOf(dir string) (Space, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return Space{}, fmt.Errorf("look for space in %s: %w", dir, err)
	}
	block := int64(s.Bsize)
	return Space{
		Free:  int64(s.Bavail) * block,
		Size:  int64(s.Blocks) * block,
		Files: int64(s.Ffree),
		Most:  int64(s.Files),
	}, nil
}
