package fc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// instance is one process of a function. Its maps are guarded by the runtime's
// mutex.
type instance struct {
	id      string
	f       *deployed
	cmd     *exec.Cmd
	log     logFile       // what the process writes
	store   string        // where the platform writes it to, under the function's role
	queue   chan *running // taken by GET next
	running map[string]*running
	from    map[string]int64 // where the log stood at each one's start
	gone    bool
	exited  chan struct{}
	once    sync.Once

	shipping sync.Mutex
	shipped  int64 // how much of log the platform has dealt with
}

// assign gives x, whose keys are of that session, to an idle instance, or to a new one.
func (r *Runtime) assign(x *running, session string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fmt.Errorf("the runtime is closed")
	}
	i := x.f.free()
	if i == nil {
		var err error
		if i, err = r.launch(x.f, x.creds); err != nil {
			return err
		}
		x.cold = true
	}
	x.instance = i
	r.sessions[session] = i
	i.running[x.id] = x
	i.from[x.id] = i.log.size()
	i.queue <- x // has room for one
	return nil
}

func (d *deployed) free() *instance {
	for _, i := range d.instances {
		if !i.gone && len(i.running) == 0 {
			return i
		}
	}
	return nil
}

// launch starts a process.
func (r *Runtime) launch(d *deployed, c Credentials) (*instance, error) {
	r.serial++
	id := fmt.Sprintf("c-%s-%06d", d.Name, r.serial)
	path := filepath.Join(r.o.LogDir, d.Region+"-"+id)
	i := &instance{
		id: id, f: d, log: logFile(path + ".out"), store: path + ".log", queue: make(chan *running, 1),
		running: map[string]*running{}, from: map[string]int64{}, exited: make(chan struct{}),
	}
	if err := i.startProcess(r.addr+"/"+id, c); err != nil {
		return nil, fmt.Errorf("starting an instance of %s: %w", d.Name, err)
	}
	d.instances = append(d.instances, i)
	r.instances[id] = i
	r.work.Go(func() { r.reap(i) })
	return i, nil
}

// startProcess starts the binary in a process group of its own.
func (i *instance) startProcess(api string, c Credentials) error {
	out, err := os.OpenFile(string(i.log), os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer out.Close() // the process has its own copy
	i.cmd = exec.Command(filepath.Join(i.f.Code, i.f.Handler))
	i.cmd.Dir = i.f.Code
	i.cmd.Env = i.f.environment(api, i.id, c)
	i.cmd.Stdout, i.cmd.Stderr = out, out
	i.cmd.SysProcAttr = processAttributes()
	return i.cmd.Start()
}

// reap waits for the process's end and fails what still ran in it.
func (r *Runtime) reap(i *instance) {
	err := i.cmd.Wait()
	r.mu.Lock()
	i.gone = true
	delete(r.instances, i.id)
	for n, other := range i.f.instances {
		if other == i {
			i.f.instances = append(i.f.instances[:n], i.f.instances[n+1:]...)
			break
		}
	}
	for _, x := range i.running {
		x.fail(Unhandled, fmt.Sprintf("Process exited unexpectedly before completing request (%v)", err))
	}
	r.mu.Unlock()
	_ = i.ship(true) // the invocation, if there was one, has its own note of it
	close(i.exited)
}

// kill ends the process with SIGKILL and waits until it is gone. It is safe to
// call more than once.
func (i *instance) kill() {
	i.once.Do(func() {
		// The process may have ended by itself; then there is nothing to kill.
		_ = syscall.Kill(-i.cmd.Process.Pid, syscall.SIGKILL)
	})
	<-i.exited
}

// ship has the platform write what the process wrote since the last time into the log
// store, a file of [Options.LogDir]: whole lines, and the rest once the process has ended.
// What it may not write is lost.
func (i *instance) ship(ended bool) error {
	i.shipping.Lock()
	defer i.shipping.Unlock()
	lines := i.log.from(i.shipped)
	if !ended {
		lines = lines[:bytes.LastIndexByte(lines, '\n')+1]
	}
	if len(lines) == 0 {
		return nil
	}
	i.shipped += int64(len(lines))
	if i.f.MayLog != nil {
		if err := i.f.MayLog(); err != nil {
			return fmt.Errorf("writing the function's log: %w", err)
		}
	}
	at, err := add(i.store, lines)
	if err != nil {
		return fmt.Errorf("writing the function's log: %w", err)
	}
	if i.f.Logged != nil {
		i.f.Logged(Lines{Instance: i.id, Path: i.store, Offset: at, Length: int64(len(lines))})
	}
	return nil
}

// add appends to a file, and returns where.
func add(path string, text []byte) (at int64, err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	if at, err = out.Seek(0, io.SeekEnd); err == nil {
		_, err = out.Write(text)
	}
	return at, errors.Join(err, out.Close())
}

// maxLog is how much of an instance's output an invocation keeps.
const maxLog = 64 << 10

// logFile is the path of an instance's output. The process writes to the file
// itself, so that nothing is still on its way when an invocation ends.
type logFile string

func (l logFile) size() int64 {
	st, err := os.Stat(string(l))
	if err != nil {
		return 0
	}
	return st.Size()
}

// since returns the end of what was written after offset from; nothing if the
// file is gone.
func (l logFile) since(from int64) string { return string(l.from(max(from, l.size()-maxLog))) }

// from returns all that was written after an offset.
func (l logFile) from(offset int64) []byte {
	f, err := os.Open(string(l))
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, max(l.size()-offset, 0))
	n, _ := f.ReadAt(b, offset) // a shorter log is a log too
	return b[:n]
}
