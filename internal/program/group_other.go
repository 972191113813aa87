//go:build !linux

package program

import (
	"os"
	"syscall"
)

// attributes put the program into a process group of its own, which a Ctrl-C
// at the terminal does not reach.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// widen does nothing: only Linux lets one.
func widen(*os.File) {}
