package wire_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

// classic sends a V2 request, parameters in the body, and returns status and
// body.
func (b *bench) classic(params map[string]string) (int, string) {
	b.t.Helper()
	all := map[string]string{
		"Version": "2014-05-26", "AccessKeyId": "ak", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
		"SignatureNonce": fmt.Sprint("v2-", b.nonce.Add(1)), "Timestamp": real.Format("2006-01-02T15:04:05Z"),
	}
	for k, v := range params {
		all[k] = v
	}
	form := url.Values{}
	for k, v := range all {
		form.Set(k, v)
	}
	form.Set("Signature", wire.SignV2(http.MethodPost, all, "sk"))
	resp, err := http.PostForm(b.URL, form)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestClassicProtocolAnswersJSONAlone(t *testing.T) {
	b := newBench(t)
	_, got := b.classic(map[string]string{"Action": "RunInstances", "RegionId": "cn-hangzhou", "Format": "JSON"})
	if !strings.HasPrefix(got, `{"RequestId":"`) {
		t.Errorf("got %s", got)
	}
	status, got := b.classic(map[string]string{"Action": "RunInstances", "RegionId": "cn-hangzhou"})
	if status != 400 || !strings.Contains(got, "Format=JSON") {
		t.Errorf("without a format it is answered %d %s", status, got)
	}
}

func TestParameterAddedToAClassicRequestBreaksItsSignature(t *testing.T) {
	b := newBench(t)
	all := map[string]string{
		"Action": "RunInstances", "RegionId": "cn-hangzhou", "Format": "JSON", "Version": "2014-05-26", "AccessKeyId": "ak",
		"SignatureMethod": "HMAC-SHA1", "SignatureNonce": "n", "Timestamp": real.Format("2006-01-02T15:04:05Z"),
	}
	form := url.Values{"Signature": {wire.SignV2(http.MethodPost, all, "sk")}, "Amount": {"100"}}
	for k, v := range all {
		form.Set(k, v)
	}
	resp, err := http.PostForm(b.URL, form)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 400 || !strings.Contains(string(body), "SignatureDoesNotMatch") {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
}

func TestFaultsHappenBeforeOrAfterTheWrite(t *testing.T) {
	params := map[string]string{"RegionId": "cn-hangzhou"}
	for _, x := range []struct {
		kind  simcloud.FaultKind
		want  string // status and code, or "dropped", or "empty"
		calls int
		code  string // in the log
	}{
		{simcloud.Throttle, "400 Throttling.User", 0, "Throttling.User"},
		{simcloud.Deny, "403 Forbidden.RAM", 0, "Forbidden.RAM"},
		{simcloud.Unavailable, "503 ServiceUnavailable", 0, "ServiceUnavailable"},
		{simcloud.InternalError, "500 InternalError", 0, "InternalError"},
		{simcloud.TimeoutBefore, "dropped", 0, "Timeout"},
		{simcloud.TimeoutAfter, "dropped", 1, "Timeout"},
		{simcloud.Empty, "empty", 1, "Empty"},
	} {
		t.Run(string(x.kind), func(t *testing.T) {
			b := newBench(t)
			if err := b.faults.Set(1, []simcloud.Fault{{Kind: x.kind, Count: 1}}, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			got := outcome(b, params)
			if got != x.want || len(b.product.seen()) != x.calls || len(b.trail.seen()) != x.calls {
				t.Errorf("got %s with %d calls and %d trail records, want %s with %d", got, len(b.product.seen()), len(b.trail.seen()), x.want, x.calls)
			}
			if e := b.log.Since(0); len(e) != 1 || e[0].Code != x.code {
				t.Errorf("got log %+v, want one entry with code %s", e, x.code)
			}
			if a := b.call("RunInstances", params); a.status != 200 {
				t.Errorf("the call after it got %s", a.code())
			}
		})
	}
}

func outcome(b *bench, params map[string]string) string {
	resp, err := http.DefaultClient.Do(b.request("RunInstances", params, nil))
	if err != nil {
		if errors.Is(err, io.EOF) {
			return "dropped"
		}
		return err.Error()
	}
	defer func() { _ = resp.Body.Close() }()
	body, _ := io.ReadAll(resp.Body)
	if len(body) == 0 && resp.StatusCode == 200 {
		return "empty"
	}
	_, code, _ := strings.Cut(string(body), `"Code":"`)
	code, _, _ = strings.Cut(code, `"`)
	return fmt.Sprintf("%d %s", resp.StatusCode, code)
}

func TestRegionComesFromParameterThenHost(t *testing.T) {
	b := newBench(t)
	_ = b.call("AttachInstanceRamRole", map[string]string{"RegionId": "x", "InstanceIds": "[]", "RamRoleName": "r"})
	if got := b.product.seen()[0].Region; got != "x" {
		t.Errorf("got region %s, want the parameter", got)
	}
	for host, want := range map[string]string{
		"ecs.cn-shanghai.aliyuncs.com": "cn-shanghai", "ecs-cn-shanghai.aliyuncs.com": "cn-shanghai",
		"ecs.aliyuncs.com": "cn-hangzhou", "127.0.0.1": "cn-hangzhou",
	} {
		if got := wire.RegionOf(host, []string{"cn-hangzhou", "cn-shanghai"}); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
}

func TestLogKeepsTheLastRequestsAndCountsAll(t *testing.T) {
	var l wire.Log
	const n = 25_000
	for i := range n {
		l.Add(wire.Entry{Product: "ecs", Action: "A", Caller: "fn", IDs: i})
	}
	l.Add(wire.Entry{Product: "ecs", Action: "A", Caller: "fn", Code: "Throttling.User", Account: "2"})
	kept := l.Since(0)
	if len(kept) != 10_000 || kept[0].Seq != n+1-10_000+1 || kept[len(kept)-1].Seq != n+1 {
		t.Errorf("kept %d, from %d to %d", len(kept), kept[0].Seq, kept[len(kept)-1].Seq)
	}
	if got := l.Since(n); len(got) != 1 || got[0].Code != "Throttling.User" {
		t.Errorf("since the last but one: %+v", got)
	}
	if got := l.Since(n + 100); len(got) != 0 {
		t.Errorf("since the future: %+v", got)
	}
	want := []wire.Total{
		{Caller: "fn", Product: "ecs", Action: "A", Count: n},
		{Account: "2", Caller: "fn", Product: "ecs", Action: "A", Code: "Throttling.User", Count: 1},
	}
	if diff := cmp.Diff(want, l.Totals()); diff != "" {
		t.Error(diff)
	}
}

func TestInventedActionsDoNotGrowTheTotals(t *testing.T) {
	var l wire.Log
	const n = 30_000
	for i := range n {
		l.Add(wire.Entry{Action: fmt.Sprint("A", i)})
	}
	sum := 0
	for _, x := range l.Totals() {
		sum += x.Count
	}
	if kinds := len(l.Totals()); kinds > 10_001 || sum != n {
		t.Errorf("%d kinds of %d requests", kinds, sum)
	}
}
