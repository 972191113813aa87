package keeper

import (
	"syscall"
	"unsafe"
)

// What the syscall package does not name, and golang.org/x/sys, which does,
// would have this package wait for.
const (
	oPath       = 0x200000
	atFdcwd     = -100
	atEmptyPath = 0x1000
	atRecursive = 0x8000
	rlimitNproc = 6

	closeRangeCloexec = 4

	prSetDumpable        = 4
	prCapBoundsDrop      = 24
	prSetChildSubreaper  = 36
	prSetNoNewPrivs      = 38
	prCapAmbient         = 47
	prCapAmbientClearAll = 4

	capSetGID = 6
	capSetUID = 7
	capLast   = 63 // of any kernel

	seccompSetModeFilter = 1
	seccompFlagTSync     = 1

	attrRdonly = 1
	attrNosuid = 2
	attrNodev  = 4
	attrNoexec = 8

	stRdonly     = 1
	stNosuid     = 2
	stNodev      = 4
	stNoexec     = 8
	stNoatime    = 1024
	stNodiratime = 2048
	stRelatime   = 4096

	// These have one number on every processor.
	mfdCloexec      = 1
	sysCloseRange   = 436
	sysMountSetattr = 442
)

func prctl(what, first, second uintptr) error {
	if _, _, number := syscall.Syscall6(syscall.SYS_PRCTL, what, first, second, 0, 0, 0); number != 0 {
		return number
	}
	return nil
}

// mountSetattr adds flags to a mount.
func mountSetattr(path string, how uintptr, set uint64) error {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return err
	}
	attr := struct{ set, clear, propagation, users uint64 }{set: set}
	at := atFdcwd
	_, _, number := syscall.Syscall6(sysMountSetattr, uintptr(at), uintptr(unsafe.Pointer(name)), how,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if number != 0 {
		return number
	}
	return nil
}
