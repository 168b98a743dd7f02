package wire_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

var (
	virtual = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	real    = time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
)

// product records what reaches it.
type product struct {
	guard sync.Mutex // of all calls
	asks  []string   // resources, of each call
	mu    sync.Mutex
	calls []*wire.Call
	in    []any
}

func (p *product) Enter(c *wire.Call) (sync.Locker, error) {
	return &p.guard, c.Ask("ecs:"+c.Action, p.asks...)
}

func (p *product) note(c *wire.Call, in any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls, p.in = append(p.calls, c), append(p.in, in)
}

func (p *product) seen() []*wire.Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

type runRequest struct {
	Amount     int
	DryRun     bool
	ImageId    string
	HostName   *string
	SystemDisk struct{ Category string }
	Tag        []struct{ Key, Value string }
	HostNames  []string
}

type runResponse struct {
	InstanceIdSets struct{ InstanceIdSet []string }
}

func (p *product) RunInstances(c *wire.Call, in *runRequest) (*runResponse, error) {
	p.note(c, *in)
	out := &runResponse{}
	out.InstanceIdSets.InstanceIdSet = []string{"i-1", "i-<2>"}
	c.Refer("ACS::ECS::Instance", "i-1")
	return out, nil
}

type attachRequest struct{ InstanceIds, RamRoleName string }

func (p *product) AttachInstanceRamRole(c *wire.Call, in *attachRequest) (*struct{}, error) {
	p.note(c, *in)
	return &struct{}{}, c.Allow("ecs:AttachInstanceRamRole", "acs:ecs:*:1:instance/*")
}

func (p *product) DescribeRegions(*wire.Call, *struct{}) (*struct{}, error) { panic("broken") }

type oneKey struct{ allowed bool }

func (oneKey) Key(id, _ string) (string, wire.Identity, error) {
	if id != "ak" {
		return "", wire.Identity{}, wire.Errorf(404, "InvalidAccessKeyId.NotFound", "no key")
	}
	return "sk", wire.Identity{Account: "1", Type: "RAMUser", Name: "u", AccessKeyID: "ak"}, nil
}

func (k oneKey) Allowed(wire.Identity, string, string, map[string]string) bool { return k.allowed }

type trail struct {
	mu     sync.Mutex
	writes []wire.Write
}

func (t *trail) Wrote(w wire.Write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.writes = append(t.writes, w)
}

func (t *trail) seen() []wire.Write {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.writes
}

type bench struct {
	*httptest.Server
	t       *testing.T
	product *product
	log     *wire.Log
	faults  *simcloud.Faults
	trail   *trail
	nonce   atomic.Int64
}

func newBench(t *testing.T, quotas ...wire.Quota) *bench {
	t.Helper()
	b := &bench{t: t, product: &product{}, log: &wire.Log{}, faults: &simcloud.Faults{}, trail: &trail{}}
	world := simcloud.NewWorld(simcloud.NewClock(virtual), []string{"1"}, []string{"cn-hangzhou", "cn-shanghai"})
	r, err := wire.NewRouter(wire.Options{
		World: world, Keys: oneKey{}, Authorizer: oneKey{}, Trail: b.trail, Faults: b.faults, Log: b.log,
		Quotas: quotas, Real: func() time.Time { return real },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Register("ecs", b.product); err != nil {
		t.Fatal(err)
	}
	b.Server = httptest.NewServer(r)
	t.Cleanup(b.Close)
	return b
}

// request builds a V3 request; mutate changes it before it is signed.
func (b *bench) request(action string, params map[string]string, mutate func(*http.Request)) *http.Request {
	b.t.Helper()
	q := url.Values{}
	for k, v := range params {
		q.Set(k, v)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.URL+"/?"+q.Encode(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	empty := sha256.Sum256(nil)
	for k, v := range map[string]string{
		"x-acs-action": action, "x-acs-version": "2014-05-26", "x-acs-date": real.Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": fmt.Sprint(b.nonce.Add(1)), "x-acs-content-sha256": hex.EncodeToString(empty[:]),
	} {
		r.Header.Set(k, v)
	}
	if mutate != nil {
		mutate(r)
	}
	b.sign(r, "sk")
	return r
}

func (b *bench) sign(r *http.Request, secret string) {
	signed := []string{"host"}
	for k := range r.Header {
		if k = strings.ToLower(k); strings.HasPrefix(k, "x-acs-") || k == "content-type" {
			signed = append(signed, k)
		}
	}
	slices.Sort(signed)
	r.Host = r.URL.Host
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders="+strings.Join(signed, ";")+
		",Signature="+wire.SignV3(r, signed, secret))
}

type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) code() string {
	code, _ := a.body["Code"].(string)
	return fmt.Sprintf("%d %s", a.status, code)
}

func (b *bench) send(r *http.Request) answer {
	b.t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if err := json.NewDecoder(resp.Body).Decode(&a.body); err != nil {
		b.t.Fatalf("answer is not JSON: %v", err)
	}
	return a
}

func (b *bench) call(action string, params map[string]string) answer {
	b.t.Helper()
	return b.send(b.request(action, params, nil))
}
