package catalog

import "syscall"

// changeTime is when a file or what is told of it was last changed, in
// nanoseconds since 1970: the kernel sets it, and no call sets it back.
func changeTime(st *syscall.Stat_t) int64 { return st.Ctim.Nano() }
