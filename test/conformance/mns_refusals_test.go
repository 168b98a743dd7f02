package conformance_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	mnssdk "github.com/aliyun/aliyun-mns-go-sdk"
	goerrors "github.com/gogap/errors"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun/aliyuntest"
)

func TestMNSRefusesTooLargeBatches(t *testing.T) {
	queue := newQueues(t, &keys{}).queue(t, "q")
	tooMany := make([]mnssdk.MessageSendRequest, 17)
	for i := range tooMany {
		tooMany[i] = text("x")
	}
	_, err := queue.BatchSendMessage(tooMany...)
	refused(t, err, mnssdk.ERR_MNS_INVALID_ARGUMENT)
	half := strings.Repeat("x", 33<<10)
	_, err = queue.BatchSendMessage(text(half), text(half))
	refused(t, err, mnssdk.ERR_MNS_INVALID_ARGUMENT)
	_, err = queue.SendMessage(text(strings.Repeat("x", 64<<10+1)))
	refused(t, err, mnssdk.ERR_MNS_INVALID_ARGUMENT)
	if _, err = queue.SendMessage(text(strings.Repeat("x", 64<<10))); err != nil {
		t.Error(err)
	}
}

func TestMNSChecksSignatureAndRights(t *testing.T) {
	q := newQueues(t, &keys{deny: map[string]bool{"mns:ReceiveMessage": true}})
	q.queue(t, "q")
	with := func(key, secret string) error {
		_, err := receive(mnssdk.NewMNSQueue("q", q.client(key, secret, "")))
		return err
	}
	refused(t, with("local-ak", "wrong"), mnssdk.ERR_MNS_SIGNATURE_DOES_NOT_MATCH)
	refused(t, with("unknown", "local-sk"), mnssdk.ERR_MNS_INVALID_ACCESS_KEY_ID)
	refused(t, with("local-ak", "local-sk"), mnssdk.ERR_MNS_ACCESS_DENIED)
	q.keys.mu.Lock()
	defer q.keys.mu.Unlock()
	if got, want := q.keys.asked[len(q.keys.asked)-1], "mns:ReceiveMessage acs:mns:cn-hangzhou:1000000000000001:/queues/q/messages"; got != want {
		t.Errorf("asked RAM for %q, want %q", got, want)
	}
}

func TestMNSTakesTemporaryCredentials(t *testing.T) {
	q := newQueues(t, &keys{token: "sts-token"})
	queue := q.queue(t, "q")
	if _, err := queue.SendMessage(text("x")); err != nil {
		t.Error(err)
	}
	_, err := mnssdk.NewMNSQueue("q", q.client("local-ak", "local-sk", "other")).SendMessage(text("x"))
	refused(t, err, mnssdk.ERR_MNS_INVALID_ACCESS_KEY_ID)
}

func TestMNSFaults(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	active := func() int {
		st, err := q.service.Attributes(mns.Queue{Account: "1000000000000001", Region: "cn-hangzhou", Name: "q"})
		if err != nil {
			t.Fatal(err)
		}
		return st.Active
	}
	for _, c := range []struct {
		fault simcloud.FaultKind
		want  goerrors.ErrCodeTemplate
		sent  int
		code  string
	}{
		{simcloud.Throttle, mnssdk.ERR_MNS_QPS_LIMIT_EXCEEDED, 0, "QpsLimitExceeded"},
		{simcloud.Deny, mnssdk.ERR_MNS_ACCESS_DENIED, 0, "AccessDenied"},
		{simcloud.InternalError, mnssdk.ERR_MNS_INTERNAL_ERROR, 0, "InternalError"},
		{simcloud.Unavailable, mnssdk.ERR_MNS_UNKNOWN_CODE, 0, "ServiceUnavailable"},
		{simcloud.TimeoutBefore, mnssdk.ERR_SEND_REQUEST_FAILED, 0, "Timeout"},
		{simcloud.TimeoutAfter, mnssdk.ERR_SEND_REQUEST_FAILED, 1, "Timeout"},
		{simcloud.Empty, mnssdk.ERR_UNMARSHAL_RESPONSE_FAILED, 1, "Empty"},
	} {
		if err := q.faults.Set(1, []simcloud.Fault{{Product: "mns", Action: "SendMessage", Kind: c.fault}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		before := active()
		_, err := queue.SendMessage(text("x"))
		refused(t, err, c.want)
		if got := active() - before; got != c.sent {
			t.Errorf("%s: %d messages arrived, want %d", c.fault, got, c.sent)
		}
		log := q.log.Since(0)
		if last := log[len(log)-1]; last.Action != "SendMessage" || last.Code != c.code {
			t.Errorf("%s: logged as %+v", c.fault, last)
		}
	}
}

func TestMNSRefusesWhatTheSDKNeverSends(t *testing.T) {
	q := newQueues(t, &keys{})
	for _, c := range []struct {
		name   string
		header map[string]string
		want   string
	}{
		{"no authorization", nil, "400 MissingAuthorizationHeader"},
		{"another scheme", map[string]string{"Authorization": "OSS a:b"}, "400 InvalidAuthorizationHeader"},
		{"no version", map[string]string{"Authorization": "MNS local-ak:x"}, "400 MissingVersionHeader"},
		{"no date", map[string]string{"Authorization": "MNS local-ak:x", "x-mns-version": "2015-06-06"}, "400 MissingDateHeader"},
		{"an old date", map[string]string{"Authorization": "MNS local-ak:x", "x-mns-version": "2015-06-06", "Date": "Thu, 01 Jan 2015 00:00:00 GMT"}, "408 TimeExpired"},
		{"a wrong digest", map[string]string{"Authorization": "MNS local-ak:x", "x-mns-version": "2015-06-06", "x-mns-date": time.Now().UTC().Format(http.TimeFormat), "Content-MD5": "AA=="}, "400 InvalidDegist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := q.raw(t, c.header); !strings.HasPrefix(got, c.want+" ") {
				t.Errorf("answer %q, want %q", got, c.want)
			}
		})
	}
}

// TestMNSIsServedByTheCloudToWhomRAMAllows goes through the whole server: host
// name, keys, policies and log.
func TestMNSIsServedByTheCloudToWhomRAMAllows(t *testing.T) {
	cloud := aliyuntest.Serve(t, server.Options{})
	q := &queues{world: cloud.World, service: cloud.MNS, keys: &keys{}, url: strings.TrimPrefix(cloud.URL(), "http://")}
	q.queue(t, "fleetwarden-a")
	const (
		trust  = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`
		policy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/fleetwarden-a/messages"}]}`
	)
	if err := cloud.RAM.AddRole(server.Sharer, "sender", trust, map[string]string{"sender": policy}); err != nil {
		t.Fatal(err)
	}
	c, err := cloud.STS.Issue(server.Sharer, "sender", "session", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	sender := mnssdk.NewMNSQueue("fleetwarden-a", q.client(c.AccessKeyId, c.AccessKeySecret, c.SecurityToken))
	if _, err := sender.SendMessage(text("x")); err != nil {
		t.Error(err)
	}
	_, err = receive(sender)
	refused(t, err, mnssdk.ERR_MNS_ACCESS_DENIED)
	_, err = sender.BatchSendMessage(text("x"))
	refused(t, err, mnssdk.ERR_MNS_ACCESS_DENIED)
	_, err = mnssdk.NewMNSQueue("fleetwarden-a", q.client(c.AccessKeyId, c.AccessKeySecret, "another")).SendMessage(text("x"))
	refused(t, err, mnssdk.ERR_MNS_INVALID_ACCESS_KEY_ID)
}
