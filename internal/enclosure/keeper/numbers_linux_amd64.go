package keeper

const (
	sysSeccomp     = 317
	sysExecveat    = 322
	sysMemfdCreate = 319
)
