package keeper

const (
	sysSeccomp     = 348
	sysExecveat    = 354
	sysMemfdCreate = 350
)
