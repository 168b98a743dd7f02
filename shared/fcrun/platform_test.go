package fcrun_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
)

// TestMain turns the test binary into a function when the platform started it.
func TestMain(m *testing.M) {
	if os.Getenv("FC_RUNTIME_API") != "" {
		fcrun.Start(probe())
	}
	os.Exit(m.Run())
}

var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

// request is what the platform hands to the function.
type request struct {
	id, payload string
	keys        aliyun.Keys
	answer      chan answer
}

// answer is what the function posts back: to response or to error.
type answer struct {
	kind string
	body string
}

// platform is Function Compute's runtime API with one instance of a function.
type platform struct {
	t     *testing.T
	cloud *server.Server
	next  chan *request
	left  time.Duration // until the deadline of each invocation; set while there is none

	mu   sync.Mutex
	open map[string]*request

	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	exited         chan struct{}
}

// start runs the function with more environment.
func start(t *testing.T, environment ...string) *platform {
	t.Helper()
	cloud, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{t: t, cloud: cloud, next: make(chan *request), left: time.Minute, open: map[string]*request{}, exited: make(chan struct{})}
	runtime := httptest.NewServer(p)
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append([]string{
		"FC_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://"), aliyun.EndpointVariable + "=" + cloud.URL(),
		// The keys of the instance's start: stale, and not to be used.
		"ALIBABA_CLOUD_ACCESS_KEY_ID=stale", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=stale",
	}, environment...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // killed in the end
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.stop()
		runtime.CloseClientConnections()
		runtime.Close()
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// stop ends the function, as the platform does; its output is complete then.
func (p *platform) stop() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.exited
}

// ServeHTTP is the runtime API, version 2020-11-11.
func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, "/2020-11-11/runtime/invocation/")
	if !ok {
		http.NotFound(w, r)
		return
	}
	if path == "next" {
		p.handOut(w, r)
		return
	}
	id, kind, _ := strings.Cut(path, "/")
	body, err := io.ReadAll(r.Body)
	p.mu.Lock()
	inv := p.open[id]
	delete(p.open, id)
	p.mu.Unlock()
	if err != nil || inv == nil {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(http.StatusOK)
	inv.answer <- answer{kind, string(body)}
}

func (p *platform) handOut(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case inv := <-p.next:
		p.mu.Lock()
		p.open[inv.id] = inv
		p.mu.Unlock()
		for name, value := range map[string]string{
			"x-fc-request-id": inv.id, "x-fc-region": server.Home, "x-fc-account-id": server.Sharer,
			"x-fc-function-deadline": strconv.FormatInt(time.Now().Add(p.left).UnixMilli(), 10), "x-fc-function-timeout": "60",
			"x-fc-access-key-id": inv.keys.AccessKeyID, "x-fc-access-key-secret": inv.keys.AccessKeySecret,
			"x-fc-security-token": inv.keys.SecurityToken,
		} {
			w.Header().Set(name, value)
		}
		_, _ = io.WriteString(w, inv.payload)
	}
}

// begin hands out an invocation and returns where its answer will be.
func (p *platform) begin(id, payload string, keys aliyun.Keys) chan answer {
	p.t.Helper()
	inv := &request{id, payload, keys, make(chan answer, 1)}
	select {
	case p.next <- inv:
	case <-p.exited:
		p.t.Fatalf("the function has ended: %s", p.stderr.String())
	}
	return inv.answer
}

func (p *platform) wait(a chan answer) answer {
	p.t.Helper()
	select {
	case got := <-a:
		return got
	case <-p.exited:
		p.t.Fatalf("the function has ended: %s", p.stderr.String())
	}
	return answer{}
}

func (p *platform) invoke(id, payload string, keys aliyun.Keys) answer {
	p.t.Helper()
	return p.wait(p.begin(id, payload, keys))
}

// records ends the function and returns the records it wrote, by request id. The
// runtime writes marks of its own between them.
func (p *platform) records() map[string][]fleet.Record {
	p.t.Helper()
	p.stop()
	out := map[string][]fleet.Record{}
	for line := range strings.Lines(p.stdout.String()) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var r fleet.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			p.t.Fatalf("%v in %s", err, line)
		}
		out[r.Request] = append(out[r.Request], r)
	}
	return out
}
