package wire_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

func TestParametersReachTheMethodTyped(t *testing.T) {
	b := newBench(t)
	a := b.call("RunInstances", map[string]string{
		"RegionId": "cn-shanghai", "Amount": "3", "DryRun": "true", "ImageId": "a b*~+%/é", "HostName": "",
		"SystemDisk.Category": "cloud_essd", "Tag.2.Key": "k2", "Tag.1.Key": "k1", "Tag.1.Value": "v1",
		"HostNames.1": "a", "HostNames.3": "c",
	})
	if a.status != 200 || a.body["RequestId"] == "" {
		t.Fatalf("got %d %v", a.status, a.body)
	}
	want := runRequest{Amount: 3, DryRun: true, ImageId: "a b*~+%/é", HostName: new(string), HostNames: []string{"a", "c"}}
	want.SystemDisk.Category = "cloud_essd"
	want.Tag = []struct{ Key, Value string }{{"k1", "v1"}, {"k2", ""}}
	if diff := cmp.Diff(want, b.product.in[0]); diff != "" {
		t.Error(diff)
	}
	c := b.product.seen()[0]
	if c.Region != "cn-shanghai" || !c.Now.Equal(virtual) || c.Caller.Name != "u" {
		t.Errorf("got %+v", c)
	}
	if got := a.header.Get("Date"); got != "Wed, 02 Jan 2030 03:04:05 GMT" {
		t.Errorf("Date is %s, not the virtual time", got)
	}
}

func TestRefusedRequestsDoNotReachTheMethod(t *testing.T) {
	ids := func(n int) string { return `["` + strings.Repeat(`i","`, n-1) + `i"]` }
	region := func(more ...string) map[string]string {
		out := map[string]string{"RegionId": "cn-hangzhou"}
		for i := 0; i+1 < len(more); i += 2 {
			out[more[i]] = more[i+1]
		}
		return out
	}
	for _, x := range []struct {
		name, action string
		params       map[string]string
		want         string
	}{
		{"unknown action", "RunInstance", region(), "404 InvalidAction.NotFound"},
		{"action without a method", "StopInstance", region("InstanceId", "i"), "404 InvalidAction.NotFound"},
		{"missing parameter", "RunInstances", nil, "400 MissingParameter"},
		{"empty required parameter", "RunInstances", map[string]string{"RegionId": ""}, "400 MissingParameter"},
		{"unknown parameter", "RunInstances", region("InstanceTypo", "x"), "400 InvalidParameter"},
		{"unknown member of a list", "RunInstances", region("Tag.1.Kee", "x"), "400 InvalidParameter"},
		{"list without index", "RunInstances", region("HostNames", "x"), "400 InvalidParameter"},
		{"index 0", "RunInstances", region("HostNames.0", "x"), "400 InvalidParameter"},
		{"no number", "RunInstances", region("Amount", "many"), "400 InvalidParameter"},
		{"no boolean", "RunInstances", region("DryRun", "yes"), "400 InvalidParameter"},
		{"no JSON array", "AttachInstanceRamRole", region("RamRoleName", "r", "InstanceIds", "i-1"), "400 InvalidInstanceIds.Malformed"},
		{"101 ids", "AttachInstanceRamRole", region("RamRoleName", "r", "InstanceIds", ids(101)), "400 InvalidParameter"},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBench(t)
			a := b.call(x.action, x.params)
			if a.code() != x.want {
				t.Errorf("got %s (%v), want %s", a.code(), a.body["Message"], x.want)
			}
			if len(b.product.seen()) != 0 || len(b.trail.seen()) != 0 {
				t.Error("the request reached the method or the trail")
			}
		})
	}
	b := newBench(t)
	b.call("AttachInstanceRamRole", region("RamRoleName", "r", "InstanceIds", ids(100)))
	if len(b.product.seen()) != 1 {
		t.Error("100 ids did not reach the method")
	}
}

func TestForgedRequestsAreRefused(t *testing.T) {
	b := newBench(t)
	ok := map[string]string{"RegionId": "cn-hangzhou"}
	set := func(k, v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(k, v) }
	}
	for _, x := range []struct {
		name   string
		before func(*http.Request) // signing
		after  func(*http.Request)
		want   string
	}{
		{"nothing forged", nil, nil, "200 "},
		{"query changed", nil, func(r *http.Request) { r.URL.RawQuery += "&Amount=100" }, "400 SignatureDoesNotMatch"},
		{"header changed", nil, set("x-acs-action", "DescribeRegions"), "400 SignatureDoesNotMatch"},
		{"unsigned header added", nil, set("x-acs-security-token", "t"), "400 SignatureDoesNotMatch"},
		{"signature cut", nil, set("Authorization", "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=host,Signature="), "400 SignatureDoesNotMatch"},
		{"body of another digest", set("x-acs-content-sha256", strings.Repeat("0", 64)), nil, "400 SignatureDoesNotMatch"},
		{"unknown key", nil, set("Authorization", "ACS3-HMAC-SHA256 Credential=other,SignedHeaders=host,Signature=0"), "404 InvalidAccessKeyId.NotFound"},
		{"no signature", nil, func(r *http.Request) { r.Header.Del("Authorization") }, "400 MissingParameter"},
		{"16 minutes old", set("x-acs-date", real.Add(-16*time.Minute).Format("2006-01-02T15:04:05Z")), nil, "400 InvalidTimeStamp.Expired"},
		{"16 minutes ahead", set("x-acs-date", real.Add(16*time.Minute).Format("2006-01-02T15:04:05Z")), nil, "400 InvalidTimeStamp.Expired"},
		{"virtual time", set("x-acs-date", virtual.Format("2006-01-02T15:04:05Z")), nil, "400 InvalidTimeStamp.Expired"},
		{"time of another form", set("x-acs-date", "yesterday"), nil, "400 InvalidTimeStamp.Format"},
		{"14 minutes old", set("x-acs-date", real.Add(-14*time.Minute).Format("2006-01-02T15:04:05Z")), nil, "200 "},
		{"nonce of the first request", set("x-acs-signature-nonce", "1"), nil, "400 SignatureNonceUsed"},
		{"no nonce", set("x-acs-signature-nonce", ""), nil, "400 MissingParameter"},
	} {
		r := b.request("RunInstances", ok, x.before)
		if x.after != nil {
			x.after(r)
		}
		if a := b.send(r); a.code() != x.want {
			t.Errorf("%s: got %s, want %s", x.name, a.code(), x.want)
		}
	}
	if n := len(b.product.seen()); n != 2 {
		t.Errorf("%d requests reached the method, want 2", n)
	}
}

func TestDeniedCallIsAnsweredAndTrailed(t *testing.T) {
	b := newBench(t)
	a := b.call("AttachInstanceRamRole", map[string]string{"RegionId": "cn-hangzhou", "InstanceIds": `["i"]`, "RamRoleName": "r"})
	if a.code() != "403 Forbidden.RAM" {
		t.Errorf("got %s", a.code())
	}
	if len(b.trail.seen()) != 1 || b.trail.seen()[0].Err.Code != "Forbidden.RAM" {
		t.Errorf("got trail %+v", b.trail.seen())
	}
}

func TestPanicOfAProductIsAnInternalError(t *testing.T) {
	b := newBench(t)
	if a := b.call("DescribeRegions", nil); a.code() != "500 InternalError" {
		t.Errorf("got %s", a.code())
	}
}

func TestQuotaHoldsForAMinuteOfVirtualTime(t *testing.T) {
	b := newBench(t, wire.Quota{Product: "ecs", Action: "RunInstances", Calls: 2, Window: time.Minute})
	var got []string
	for range 3 {
		got = append(got, b.call("RunInstances", map[string]string{"RegionId": "cn-hangzhou"}).code())
	}
	last := b.call("RunInstances", map[string]string{"RegionId": "cn-hangzhou"})
	if !strings.Contains(last.header.Get("X-RateLimit-User-API"), "TimeLeft:55000,") {
		t.Errorf("got %q, want the rest of the minute", last.header.Get("X-RateLimit-User-API"))
	}
	got = append(got, b.call("RunInstances", map[string]string{"RegionId": "cn-shanghai"}).code())
	want := []string{"200 ", "200 ", "400 Throttling.User", "200 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestThrottledCallsLearnWhenTheWindowEnds(t *testing.T) {
	b := newBench(t, wire.Quota{Product: "ecs", Calls: 0, Window: 10 * time.Second})
	got := b.call("RunInstances", map[string]string{"RegionId": "cn-hangzhou"}).header.Get("X-RateLimit-User-API")
	want := fmt.Sprintf("Limit:0,Remain:0,TimeLeft:5000,Reset:%d", virtual.Add(5*time.Second).UnixMilli())
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMisspeltMethodsAndFieldsAreRefusedAtStart(t *testing.T) {
	r, err := wire.NewRouter(wire.Options{World: simcloud.NewWorld(simcloud.NewClock(virtual), nil, nil), Keys: oneKey{}, Authorizer: oneKey{}})
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]any{"method": wrongMethod{}, "field": wrongField{}} {
		if r.Register("ecs", p) == nil {
			t.Errorf("a misspelt %s was taken", name)
		}
	}
	if r.Register("oss", &product{}) == nil {
		t.Error("a product without facts was taken")
	}
}

type wrongMethod struct{}

func (wrongMethod) RunInstance(*wire.Call, *struct{}) (*struct{}, error) { return nil, nil }

type wrongField struct{}

func (wrongField) RunInstances(*wire.Call, *struct{ SystemDiskCategory string }) (*struct{}, error) {
	return nil, nil
}

func TestRAMIsAskedBeforeAMethodAndItsMutexIsGivenBack(t *testing.T) {
	b := newBench(t)
	if a := b.call("DescribeRegions", nil); a.code() != "500 InternalError" || !b.product.guard.TryLock() {
		t.Errorf("after a panic: %s, or the mutex is held", a.code())
	}
	b.product.guard.Unlock()
	b.product.asks = []string{"acs:ecs:$Region:$Account:image/$ImageId"}
	a := b.call("RunInstances", map[string]string{"RegionId": "cn-shanghai", "ImageId": "m-1"})
	if message, _ := a.body["Message"].(string); a.code() != "403 Forbidden.RAM" || !strings.Contains(message, "acs:ecs:cn-shanghai:1:image/m-1") {
		t.Errorf("got %s %s", a.code(), message)
	}
	if len(b.product.seen()) != 0 || len(b.trail.seen()) != 1 || !b.product.guard.TryLock() {
		t.Error("a call that is denied reached its method, no trail, or holds the mutex")
	}
}
