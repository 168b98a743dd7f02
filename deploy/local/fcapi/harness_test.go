package fcapi_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sdk "github.com/alibabacloud-go/fc-20230330/v4/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/fcapi"
	"fleetwarden/deploy/local/simcloud/server"
)

const trust = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`

// probe is the zip of the function of deploy/local/fc's tests, built once.
var probe = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "main")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, "../fc/testdata/probe").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the probe: %w: %s", err, out)
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return zipOf(map[string][]byte{"main": binary, "policy.json": []byte("{}")})
})

func zipOf(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, content := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// bench is a cloud whose Function Compute is served by the API and the real runtime;
// triggers are noted, not connected.
type bench struct {
	*testing.T
	*server.Server
	runtime *fc.Runtime
	api     *fcapi.API

	mu      sync.Mutex
	applied map[string]fcapi.Deployment
	refuse  error
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{T: t, Server: s, applied: map[string]fcapi.Deployment{}}
	b.runtime, err = fc.New(fc.Options{Clock: s.World.Clock, LogDir: t.TempDir(), Issue: func(f *fc.Function, session string) (fc.Credentials, error) {
		c, err := s.STS.Issue(f.Account, f.Role, session, time.Hour)
		return fc.Credentials{AccessKeyID: c.AccessKeyId, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.runtime.Close(), s.Close()); err != nil {
			t.Error(err)
		}
	})
	b.api = fcapi.New(fcapi.Options{World: s.World, Platform: b, RAM: s.RAM, Dir: t.TempDir(), Downloads: s.URL() + server.Code})
	s.Plug(func(h *server.Hooks) { h.Downloads = b.api })
	if err := s.Router.Register("fc", b.api); err != nil {
		t.Fatal(err)
	}
	b.role("worker", `{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/dead/messages"}`)
	return b
}

func (b *bench) Apply(d fcapi.Deployment) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	f := fc.Function{
		Account: d.Account, Region: d.Region, Name: d.Function.FunctionName, Code: d.Code, Handler: *d.Function.Handler,
		Memory: *d.Function.MemorySize, Timeout: time.Duration(*d.Function.Timeout) * time.Second, Reserved: d.Reserved,
		Env: maps.Clone(d.Function.EnvironmentVariables), Role: "worker",
	}
	if r := d.Function.InvocationRestriction; r != nil {
		f.Disabled = r.Disable
	}
	if err := b.runtime.Replace(f); err != nil {
		return err
	}
	b.applied[d.Function.FunctionName] = d
	return nil
}

func (b *bench) Withdraw(region, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runtime.Remove(region, name)
	delete(b.applied, name)
}

func (b *bench) Invoke(ctx context.Context, region, name string, payload []byte) (fc.Result, error) {
	return b.runtime.Invoke(ctx, region, name, fc.Cause{Trigger: "api", Payload: payload})
}

func (b *bench) InvokeAsync(region, name string, payload []byte) error {
	return b.runtime.InvokeAsync(region, name, fc.Cause{Trigger: "api", Payload: payload})
}

func (b *bench) role(name, statements string) {
	b.Helper()
	b.ok(b.RAM.AddRole(server.Sharer, name, trust, map[string]string{name: `{"Version":"1","Statement":[` + statements + `]}`}))
}

func (b *bench) ok(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// client is the official SDK for the administrator, or for a role.
func (b *bench) client(role string) *sdk.Client {
	b.Helper()
	cfg := &openapi.Config{
		AccessKeyId: tea.String("local-ak"), AccessKeySecret: tea.String("local-sk"), RegionId: tea.String(server.Home),
		Endpoint: tea.String(strings.TrimPrefix(b.URL(), "http://")), Protocol: tea.String("http"),
	}
	if role != "" {
		c, err := b.STS.Issue(server.Sharer, role, "s", time.Hour)
		b.ok(err)
		cfg.AccessKeyId, cfg.AccessKeySecret, cfg.SecurityToken = &c.AccessKeyId, &c.AccessKeySecret, &c.SecurityToken
	}
	client, err := sdk.NewClient(cfg)
	b.ok(err)
	return client
}

// input is a function as a deployment creates it.
func (b *bench) input(name string) *sdk.CreateFunctionInput {
	b.Helper()
	code, err := probe()
	b.ok(err)
	return &sdk.CreateFunctionInput{
		FunctionName: &name, Runtime: tea.String("go1"), Handler: tea.String("main"),
		MemorySize: tea.Int32(512), Cpu: tea.Float32(0.35), DiskSize: tea.Int32(512), Timeout: tea.Int32(60),
		Role:                 tea.String("acs:ram::" + server.Sharer + ":role/worker"),
		EnvironmentVariables: map[string]*string{"COLOUR": tea.String("blue")},
		Code:                 &sdk.InputCodeLocation{ZipFile: tea.String(base64.StdEncoding.EncodeToString(code))},
		Tags:                 []*sdk.Tag{{Key: tea.String("fleetwarden:deployment"), Value: tea.String("one")}},
	}
}

// small is input with a zip that holds no binary.
func (b *bench) small(name string) *sdk.CreateFunctionInput {
	b.Helper()
	code, err := zipOf(map[string][]byte{"readme": []byte("nothing runs here")})
	b.ok(err)
	in := b.input(name)
	in.Code.ZipFile = tea.String(base64.StdEncoding.EncodeToString(code))
	return in
}

func (b *bench) create(in *sdk.CreateFunctionInput) *sdk.Function {
	b.Helper()
	out, err := b.client("").CreateFunction(&sdk.CreateFunctionRequest{Body: in})
	b.ok(err)
	return out.Body
}

// invoke runs a function and returns status, error type and answer.
func (b *bench) invoke(name, payload string) (status int32, kind, body string) {
	b.Helper()
	out, err := b.client("").InvokeFunction(&name, &sdk.InvokeFunctionRequest{Body: strings.NewReader(payload)})
	b.ok(err)
	text, err := io.ReadAll(out.Body)
	b.ok(err)
	return *out.StatusCode, tea.StringValue(out.Headers["x-fc-error-type"]), string(text)
}

// fault checks status and code of an error.
func fault(t *testing.T, err error, status int, code string) {
	t.Helper()
	var a *tea.SDKError
	var d *dara.SDKError
	got := "no error"
	switch {
	case errors.As(err, &a):
		got = fmt.Sprint(tea.IntValue(a.StatusCode), " ", tea.StringValue(a.Code))
	case errors.As(err, &d):
		got = fmt.Sprint(tea.IntValue(d.StatusCode), " ", tea.StringValue(d.Code))
	case err != nil:
		got = err.Error()
	}
	if want := fmt.Sprint(status, " ", code); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
