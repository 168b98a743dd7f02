//go:build unix && !linux

package fc

import "syscall"

// processAttributes puts a function into a process group of its own.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
