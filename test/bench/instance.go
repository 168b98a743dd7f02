package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	account = "1000000000000001"
	region  = "cn-hangzhou"
)

// instance is one process of a function, with a runtime API of its own in front of
// it (version 2020-11-11, as deploy/local/fc serves it).
type instance struct {
	cmd    *exec.Cmd
	server *httptest.Server
	log    *os.File
	serial int
	begun  time.Time

	next   chan []byte    // payloads to hand out
	idle   chan time.Time // when it asked for the next one
	given  chan time.Time // when a payload was handed out
	answer chan answer
	exited chan struct{}
}

type answer struct {
	took   time.Duration
	failed []byte // what the function said of it
}

// start begins a process; idle says when it is up.
func start(b binary, policy string) (*instance, error) {
	i := &instance{next: make(chan []byte), idle: make(chan time.Time, 1), given: make(chan time.Time, 1),
		answer: make(chan answer, 1), exited: make(chan struct{})}
	var err error
	// A file, as with deploy/local: a pipe would have to be read while time is measured.
	if i.log, err = os.Create(b.path + ".log"); err != nil {
		return nil, fmt.Errorf("starting an instance: %w", err)
	}
	i.server = httptest.NewServer(i)
	i.cmd = exec.Command(b.path)
	i.cmd.Env = environment(strings.TrimPrefix(i.server.URL, "http://"), filepath.Dir(b.path), policy)
	i.cmd.Stdout, i.cmd.Stderr = i.log, i.log
	i.begun = time.Now()
	if err := i.cmd.Start(); err != nil {
		close(i.exited)
		return nil, errors.Join(fmt.Errorf("starting an instance: %w", err), i.stop())
	}
	go func() {
		_ = i.cmd.Wait() // it is killed in the end
		close(i.exited)
	}()
	return i, nil
}

// environment is what Function Compute and s.yaml set.
func environment(api, code, policy string) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC", "FLEETWARDEN_POLICY=" + policy, "GOMEMLIMIT=400MiB",
		"FC_RUNTIME_API=" + api, "FC_ACCOUNT_ID=" + account, "FC_REGION=" + region,
		"FC_FUNCTION_NAME=fleetwarden-attach-role", "FC_FUNCTION_HANDLER=main", "FC_FUNCTION_MEMORY_SIZE=512", "FC_FUNCTION_VERSION=LATEST",
		"FC_FUNC_CODE_PATH=" + code, "FC_INSTANCE_ID=c-1",
		"ALIBABA_CLOUD_ACCESS_KEY_ID=ak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=sk", "ALIBABA_CLOUD_SECURITY_TOKEN=token",
	}
}

// ServeHTTP is the runtime API.
func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	if path.Base(r.URL.Path) == "next" {
		i.idle <- now
		i.handOut(w, r)
		return
	}
	a := answer{took: now.Sub(<-i.given)}
	if path.Base(r.URL.Path) == "error" {
		a.failed, _ = io.ReadAll(r.Body) // some of it is better than nothing
	}
	w.WriteHeader(http.StatusOK)
	i.answer <- a
}

func (i *instance) handOut(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case payload := <-i.next:
		i.serial++
		for name, value := range map[string]string{
			"x-fc-request-id": "request-" + strconv.Itoa(i.serial), "x-fc-region": region, "x-fc-account-id": account,
			"x-fc-function-deadline": strconv.FormatInt(time.Now().Add(2*time.Minute).UnixMilli(), 10), "x-fc-function-timeout": "120",
			"x-fc-access-key-id": "ak", "x-fc-access-key-secret": "sk", "x-fc-security-token": "token",
		} {
			w.Header().Set(name, value)
		}
		i.given <- time.Now()
		_, _ = w.Write(payload) // a process that died meanwhile shows in await
	}
}

// ready waits until the process asks for work, and returns when it did.
func (i *instance) ready() (time.Time, error) { return await(i, i.idle) }

// invoke hands out a payload to a process that is ready, and waits until it is ready
// again. It returns the time from the payload to the answer.
func (i *instance) invoke(payload []byte) (time.Duration, error) {
	select {
	case i.next <- payload:
	case <-i.exited:
		return 0, i.died()
	}
	a, err := await(i, i.answer)
	if err == nil && a.failed != nil {
		err = fmt.Errorf("invoking %s: it failed: %s", i.cmd.Path, a.failed)
	}
	if err == nil {
		_, err = i.ready()
	}
	return a.took, err
}

func await[T any](i *instance, c chan T) (T, error) {
	select {
	case v := <-c:
		return v, nil
	case <-i.exited:
		var none T
		return none, i.died()
	}
}

func (i *instance) died() error {
	text, err := os.ReadFile(i.log.Name())
	return errors.Join(fmt.Errorf("%s has ended by itself: %s", i.cmd.Path, text), err)
}

// stop ends the process and its runtime API.
func (i *instance) stop() error {
	if i.cmd.Process != nil {
		_ = i.cmd.Process.Kill() // it may have ended
	}
	<-i.exited
	i.server.CloseClientConnections()
	i.server.Close()
	return i.log.Close()
}

// memory returns a line of the process's status, VmRSS or VmHWM, in MiB.
func (i *instance) memory(name string) (float64, error) {
	return statusLine(fmt.Sprintf("/proc/%d/status", i.cmd.Process.Pid), name)
}
