package fc

import "syscall"

// processAttributes puts a function into a process group of its own. Should this
// program be killed, the process goes too: without its runtime API, the Go
// library would ask for work in an endless loop. (The signal comes when the
// starting thread ends; Go ends no threads that were not locked.)
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
