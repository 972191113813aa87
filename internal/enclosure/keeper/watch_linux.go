package keeper

import (
	"os"
	"strconv"
	"syscall"
	"time"
)

// watchEach is the pause between two looks at what all processes hold together.
const watchEach = 200 * time.Millisecond

// watch ends all when the processes together hold more than they may. It sees
// them where the world has a /proc of its own, which only an enclosed one has.
func (k *keeper) watch() {
	for range time.Tick(watchEach) {
		memory, processes := k.held()
		switch {
		case k.Limits.Memory > 0 && memory > k.Limits.Memory:
			k.stop("memory")
		case k.Limits.Processes > 0 && processes > k.Limits.Processes:
			k.stop("processes")
		}
	}
}

// held sums the private memory of all processes but this one, and what lies in
// file systems that are in memory.
func (k *keeper) held() (memory, processes int64) {
	entries, _ := os.ReadDir("/proc")
	page := int64(os.Getpagesize())
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		statm, err := os.ReadFile("/proc/" + e.Name() + "/statm")
		fields := split(string(statm), ' ')
		if err != nil || len(fields) < 3 {
			continue
		}
		resident, _ := strconv.ParseInt(fields[1], 10, 64)
		shared, _ := strconv.ParseInt(fields[2], 10, 64)
		memory += (resident - shared) * page
		processes++
	}
	for _, dir := range inMemory {
		var s syscall.Statfs_t
		if syscall.Statfs(dir, &s) == nil {
			memory += int64(s.Blocks-s.Bfree) * int64(s.Bsize)
		}
	}
	return memory, processes
}
