package machine

import "runtime/debug"

// CollectEarly keeps a process that drills small. Its garbage is little and comes
// rarely, save for buffers that grew for a long row.
func CollectEarly() { debug.SetGCPercent(25) }
