package keeper

const (
	sysSeccomp  = 358
	sysExecveat = 362
)
