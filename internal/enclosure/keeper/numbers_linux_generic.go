//go:build linux && (arm64 || riscv64 || loong64)

package keeper

const (
	sysSeccomp     = 277
	sysExecveat    = 281
	sysMemfdCreate = 279
)
