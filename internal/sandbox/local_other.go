//go:build !linux

package sandbox

import (
	"os"
	"syscall"
)

// apart sets a program apart, as far as this system can: its own process
// group and the account.
func apart(account *syscall.Credential, _ bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: account}
}

// canLeaveNetwork says no: network namespaces are Linux's.
func canLeaveNetwork(*syscall.Credential) bool { return false }

func inNetworkOfItsOwn(int) bool { return false }

// widenPipe leaves a pipe as it is: only Linux lets it hold more.
func widenPipe(*os.File) {}

// machineMemory returns what any machine of today has, in bytes.
func machineMemory() int64 { return 4 * gib }

// killUnder finds nobody: a server notices by itself when its directory goes.
func killUnder(_, _ string) int { return 0 }
