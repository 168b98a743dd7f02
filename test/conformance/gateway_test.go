package conformance_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	ecssdk "github.com/alibabacloud-go/ecs-20140526/v4/client"
	ramsdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	sassdk "github.com/alibabacloud-go/sas-20181203/v2/client"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
)

// TestARequestLineAboveEightKiBIsRefused: the SDK puts all parameters of this API into
// the query, and a full batch of ids is longer than gateways take.
func TestARequestLineAboveEightKiBIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	fleet, err := c.ECS.SeedFleet(ecs.FleetSpec{Count: 100})
	c.ok(err)
	if n := len(fleet.IDs[0]); n != 22 {
		t.Errorf("ids have %d characters, those of ECS 22", n)
	}
	api, err := sassdk.NewClient(c.config(sharerAdmin))
	c.ok(err)
	ask := func(ids []string) error {
		type criterion struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		}
		var criteria []criterion
		for _, id := range ids {
			criteria = append(criteria, criterion{"instanceId", id})
		}
		text, err := json.Marshal(criteria)
		c.ok(err)
		_, err = api.DescribeCloudCenterInstances(&sassdk.DescribeCloudCenterInstancesRequest{Criteria: tea.String(string(text)), LogicalExp: tea.String("OR")})
		return err
	}
	c.ok(ask(fleet.IDs[:50]))
	if err := ask(fleet.IDs); err == nil {
		t.Error("a request line above 8 KiB was taken")
	}
	got := c.Log.Since(0)
	if last := got[len(got)-1]; last.Status != 414 {
		t.Errorf("the log says %+v, want 414", last)
	}
}

func TestALongTermKeyWithATokenIsRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	odd := identity{"local-ak", "local-sk", "a-token"}
	_, err := c.ram(odd).GetRole(&ramsdk.GetRoleRequest{RoleName: tea.String("r")})
	wantError(t, err, 400, "InvalidSecurityToken.MismatchWithAccessKey")
	_, err = c.sts(odd).GetCallerIdentity() // V2
	wantError(t, err, 400, "InvalidSecurityToken.MismatchWithAccessKey")
	if got := ossCode(put(t.Context(), c.oss(odd), "ledger-bucket", "k", "1")); got != "403 InvalidAccessKeyId" {
		t.Errorf("OSS: got %s", got)
	}
}

// TestAnAPIThatIsNotServedSaysSo: no one must take a gap of simcloud for an answer of the
// cloud.
func TestAnAPIThatIsNotServedSaysSo(t *testing.T) {
	c := newCloud(t, server.Options{})
	api, err := ecssdk.NewClient(c.config(sharerAdmin))
	c.ok(err)
	_, known := api.RebootInstance(&ecssdk.RebootInstanceRequest{InstanceId: tea.String("i-1")})
	_, unknown := api.DescribeKeyPairs(&ecssdk.DescribeKeyPairsRequest{RegionId: tea.String("cn-hangzhou")})
	for name, err := range map[string]error{"RebootInstance": known, "DescribeKeyPairs": unknown} {
		if err == nil || !strings.Contains(err.Error(), "simcloud") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestAHangingCallEndsWhenItsClientGivesUp: a client's own patience is what ends it, and
// whether the call was carried out is up to the fault.
func TestAHangingCallEndsWhenItsClientGivesUp(t *testing.T) {
	for kind, done := range map[simcloud.FaultKind]bool{simcloud.HangBefore: false, simcloud.HangAfter: true} {
		c := newCloud(t, server.Options{})
		c.bucket("ledger-bucket")
		hang := func(product string) {
			c.ok(c.Faults.Set(1, []simcloud.Fault{{Product: product, Kind: kind, Count: 1}}, simcloud.EventFaults{}))
		}
		const patience = 200 * time.Millisecond
		began := time.Now()
		hang("oss")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := put(ctx, c.oss(sharerAdmin), "ledger-bucket", "k", "1")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) < patience {
			t.Errorf("%s: OSS gave up after %s with %v", kind, time.Since(began), err)
		}
		began = time.Now()
		hang("ram")
		api := c.ram(sharerAdmin)
		api.ReadTimeout = tea.Int(int(patience.Milliseconds()))
		_, err = api.CreateRole(&ramsdk.CreateRoleRequest{RoleName: tea.String("r"), AssumeRolePolicyDocument: tea.String(trustsECS)})
		if err == nil || time.Since(began) < patience {
			t.Errorf("%s: RAM gave up after %s with %v", kind, time.Since(began), err)
		}
		_, role := c.RAM.FindRole(server.Sharer, "r")
		if object := c.OSS.Object("ledger-bucket", "k") != nil; object != done || role != done {
			t.Errorf("%s: the object is there: %t, the role: %t; want %t", kind, object, role, done)
		}
	}
}

func TestMNSTakesAndGivesWhatItsPagesSay(t *testing.T) {
	q := newQueues(t, &keys{})
	body := func(method, path, text string) string { return q.signed(t, method, path, text) }
	if got := body("PUT", "/topics/t", "<Topic></Topic>"); !strings.Contains(got, "simcloud") || !strings.Contains(got, "topics") {
		t.Errorf("topics are not served: got %s", got)
	}
	q.queue(t, "q")
	sent := body("POST", "/queues/q/messages", "<Messages><Message><MessageBody>a</MessageBody></Message><Message><MessageBody>b</MessageBody></Message></Messages>")
	got := body("GET", "/queues/q/messages?numOfMessages=2", "")
	for _, answer := range []string{sent, got} {
		if strings.Count(answer, "xmlns=") != 1 || strings.Count(answer, "<Message>") != 2 {
			t.Errorf("the namespace is the root's alone: got %s", answer)
		}
	}
}

// signed sends a request without the SDK, signed as its pages say, and returns the answer.
func (q *queues) signed(t *testing.T, method, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+q.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	date := time.Now().UTC().Format(http.TimeFormat)
	mac := hmac.New(sha1.New, []byte("local-sk"))
	fmt.Fprintf(mac, "%s\n\ntext/xml\n%s\nx-mns-version:2015-06-06\n%s", method, date, path)
	for k, v := range map[string]string{
		"Content-Type": "text/xml", "Date": date, "x-mns-version": "2015-06-06",
		"Authorization": "MNS local-ak:" + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	} {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
