package conformance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	utils "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	stssdk "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

// cloud is a local cloud for one test.
type cloud struct {
	*server.Server
	t *testing.T

	mu     sync.Mutex
	events []simcloud.Event
}

// identity is a key pair, with a token when it is temporary.
type identity struct{ key, secret, token string }

var (
	sharerAdmin = identity{"local-ak", "local-sk", ""}
	shareeAdmin = identity{"sharee-ak", "sharee-sk", ""}
)

func newCloud(t *testing.T, o server.Options) *cloud {
	t.Helper()
	s, err := server.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &cloud{Server: s, t: t}
	s.World.Subscribe(func(e simcloud.Event) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.events = append(c.events, e)
	})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func (c *cloud) host() string { return strings.TrimPrefix(c.URL(), "http://") }

func (c *cloud) config(who identity) *openapi.Config {
	cfg := &openapi.Config{
		AccessKeyId: &who.key, AccessKeySecret: &who.secret,
		Endpoint: tea.String(c.host()), Protocol: tea.String("http"), RegionId: tea.String("cn-hangzhou"),
	}
	if who.token != "" {
		cfg.SecurityToken = &who.token
	}
	return cfg
}

func (c *cloud) ram(who identity) *ramsdk.Client {
	c.t.Helper()
	cfg := c.config(who)
	client, err := ramsdk.NewClient(&utils.Config{
		AccessKeyId: cfg.AccessKeyId, AccessKeySecret: cfg.AccessKeySecret, SecurityToken: cfg.SecurityToken,
		Endpoint: cfg.Endpoint, Protocol: cfg.Protocol, RegionId: cfg.RegionId,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

func (c *cloud) sts(who identity) *stssdk.Client {
	c.t.Helper()
	client, err := stssdk.NewClient(c.config(who))
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// makeRole makes a role with the given trust and permissions, as an
// administrator, and returns its name.
func (c *cloud) makeRole(name, trust, statements string) {
	c.t.Helper()
	api := c.ram(sharerAdmin)
	_, err := api.CreateRole(&ramsdk.CreateRoleRequest{RoleName: &name, AssumeRolePolicyDocument: &trust})
	c.ok(err)
	if statements == "" {
		return
	}
	document := `{"Version":"1","Statement":[` + statements + `]}`
	_, err = api.CreatePolicy(&ramsdk.CreatePolicyRequest{PolicyName: &name, PolicyDocument: &document})
	c.ok(err)
	_, err = api.AttachPolicyToRole(&ramsdk.AttachPolicyToRoleRequest{RoleName: &name, PolicyName: &name, PolicyType: tea.String("Custom")})
	c.ok(err)
}

// asFunction returns the credentials that Function Compute would have of a role.
func (c *cloud) asFunction(role string) identity {
	c.t.Helper()
	cred, err := c.STS.Issue(server.Sharer, role, "fn", time.Hour)
	c.ok(err)
	return identity{cred.AccessKeyId, cred.AccessKeySecret, cred.SecurityToken}
}

func (c *cloud) pass(d time.Duration) {
	c.t.Helper()
	c.ok(c.World.Clock.Advance(c.t.Context(), d))
}

func (c *cloud) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// wantError checks HTTP status and code of an error that an SDK returned.
func wantError(t *testing.T, err error, status int, code string) {
	t.Helper()
	var a *tea.SDKError
	var b *dara.SDKError
	gotStatus, gotCode := 0, "no error"
	switch {
	case errors.As(err, &a):
		gotStatus, gotCode = tea.IntValue(a.StatusCode), tea.StringValue(a.Code)
	case errors.As(err, &b):
		gotStatus, gotCode = tea.IntValue(b.StatusCode), tea.StringValue(b.Code)
	case err != nil:
		gotCode = err.Error()
	}
	if gotStatus != status || gotCode != code {
		t.Errorf("got error %d %s, want %d %s", gotStatus, gotCode, status, code)
	}
}

// control calls the control API, and decodes its JSON into out.
func (c *cloud) control(method, path, body string, out any) int {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.URL()+"/_sim/"+path, bytes.NewBufferString(body))
	c.ok(err)
	resp, err := http.DefaultClient.Do(req)
	c.ok(err)
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	c.ok(err)
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			c.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	return resp.StatusCode
}

// trail returns the trail records on the bus so far, by event name.
func (c *cloud) trail(name string) []map[string]any {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []map[string]any
	for _, e := range c.events {
		var r map[string]any
		c.ok(json.Unmarshal(e.Data, &r))
		if r["eventName"] == name {
			out = append(out, r)
		}
	}
	return out
}
