package program

import "syscall"

// signalEnd asks the program, and all that it started, to end.
func (r *Running) signalEnd() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGTERM) }

// killAll ends the program and all that it started and left in its group.
// Mostly there is nobody left.
func (r *Running) killAll() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) }
