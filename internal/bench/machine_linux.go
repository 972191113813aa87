package bench

import "golang.org/x/sys/unix"

func cpuModel() string { return field("/proc/cpuinfo", "model name") }

// memory is the machine's, in bytes.
func memory() int64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int64(info.Totalram) * int64(info.Unit)
}
