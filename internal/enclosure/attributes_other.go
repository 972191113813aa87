//go:build unix && !linux

package enclosure

import (
	"os"
	"syscall"
)

// thisProgram is the one that runs.
func thisProgram() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// attributes are those of the keeper's process, which has no terminal.
func (p plan) attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// seccompFilters has no filter for calls here.
func seccompFilters() ([][]byte, error) { return nil, nil }
