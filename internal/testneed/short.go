package testneed

import "os"

// ShortTemp is where to make temporary folders for sockets, whose paths may have
// 107 bytes: os.TempDir, or /tmp where that is long already.
func ShortTemp() string {
	const longest = 48 // a test's own folders come behind it
	dir := os.TempDir()
	if len(dir) > longest {
		return "/tmp"
	}
	return dir
}
