package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// owner names this machine, since its start, with its temporary directory:
// only who shares all of that can look at another's lock. Two containers
// that share an engine and a kernel have temporary directories of their own.
var owner = sync.OnceValue(func() string {
	host, _ := os.Hostname()
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	var st syscall.Stat_t
	if err := syscall.Stat(os.TempDir(), &st); err != nil {
		return randomHex(8)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d\n%d", host, strings.TrimSpace(string(boot)), st.Dev, st.Ino))
	return hex.EncodeToString(sum[:8])
})
