package keeper

const (
	sysSeccomp     = 358
	sysExecveat    = 362
	sysMemfdCreate = 360
)
