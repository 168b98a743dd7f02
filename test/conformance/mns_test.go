package conformance_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	mnssdk "github.com/aliyun/aliyun-mns-go-sdk"
	goerrors "github.com/gogap/errors"
	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"fleetwarden/test/simcloud"
	"fleetwarden/test/simcloud/mns"
	"fleetwarden/test/simcloud/server"
	"fleetwarden/test/simcloud/wire"
)

// start is any moment; virtual time has nothing to do with the real one.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// queues is a cloud with nothing but queues, and the official SDK before it.
type queues struct {
	world   *simcloud.World
	service *mns.Service
	keys    *keys
	faults  *simcloud.Faults
	log     *wire.Log
	url     string
}

// keys are one user's, and say what the user may not do.
type keys struct {
	mu    sync.Mutex
	token string
	deny  map[string]bool
	asked []string
}

func (k *keys) Key(id, token string) (string, wire.Identity, error) {
	if id != "local-ak" || token != k.token {
		return "", wire.Identity{}, wire.Errorf(403, "InvalidAccessKeyId", "The AccessKey Id you provided is not exist.")
	}
	return "local-sk", wire.Identity{Account: "1000000000000001", Type: "RAMUser", Name: "local"}, nil
}

func (k *keys) Allowed(_ wire.Identity, action, resource string, _ map[string]string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, action+" "+resource)
	return !k.deny[action]
}

func newQueues(t *testing.T, k *keys) *queues {
	t.Helper()
	w := simcloud.NewWorld(simcloud.NewClock(start), []string{"1000000000000001"}, []string{"cn-hangzhou"})
	q := &queues{world: w, service: mns.New(w), keys: k, faults: &simcloud.Faults{}, log: &wire.Log{}}
	srv := httptest.NewServer(&mns.Handler{Service: q.service, Keys: k, Authorizer: k, Faults: q.faults, Log: q.log})
	t.Cleanup(srv.Close)
	q.url = strings.TrimPrefix(srv.URL, "http://")
	return q
}

// local sends what is meant for the five-part host name to one local address.
type local struct{ client *fasthttp.HostClient }

func (l local) RoundTrip(_ *fasthttp.HostClient, req *fasthttp.Request, resp *fasthttp.Response) (bool, error) {
	req.UseHostHeader = true
	return false, l.client.Do(req, resp)
}

const host = "1000000000000001.mns.cn-hangzhou.aliyuncs.com"

func (q *queues) client(key, secret, token string) mnssdk.MNSClient {
	c := mnssdk.NewAliMNSClientWithConfig(mnssdk.AliMNSClientConfig{
		EndPoint: "http://" + host, AccessKeyId: key, AccessKeySecret: secret, Token: token, TimeoutSecond: 35,
	})
	c.SetTransport(local{&fasthttp.HostClient{Addr: q.url, Dial: func(a string) (net.Conn, error) { return net.Dial("tcp", a) }, MaxIdemponentCallAttempts: 1}})
	return c
}

func (q *queues) manager() mnssdk.AliQueueManager {
	return mnssdk.NewMNSQueueManager(q.client("local-ak", "local-sk", q.keys.token))
}

func (q *queues) queue(t *testing.T, name string) mnssdk.AliMNSQueue {
	t.Helper()
	if err := q.manager().CreateSimpleQueue(name); err != nil {
		t.Fatal(err)
	}
	return mnssdk.NewMNSQueue(name, q.client("local-ak", "local-sk", q.keys.token))
}

func (q *queues) advance(t *testing.T, d time.Duration) {
	t.Helper()
	if err := q.world.Clock.Advance(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// receive is the SDK's channel interface as a function.
func receive(q mnssdk.AliMNSQueue, wait ...int64) (mnssdk.MessageReceiveResponse, error) {
	got, failed := make(chan mnssdk.MessageReceiveResponse, 1), make(chan error, 1)
	q.ReceiveMessage(got, failed, wait...)
	select {
	case m := <-got:
		return m, nil
	case err := <-failed:
		return mnssdk.MessageReceiveResponse{}, err
	}
}

func batchReceive(q mnssdk.AliMNSQueue, n int32) ([]mnssdk.MessageReceiveResponse, error) {
	got, failed := make(chan mnssdk.BatchMessageReceiveResponse, 1), make(chan error, 1)
	q.BatchReceiveMessage(got, failed, n)
	select {
	case m := <-got:
		return m.Messages, nil
	case err := <-failed:
		return nil, err
	}
}

func text(body string) mnssdk.MessageSendRequest {
	return mnssdk.MessageSendRequest{MessageBody: body, Priority: 8}
}

// refused fails unless err is of the SDK's error type.
func refused(t *testing.T, err error, want goerrors.ErrCodeTemplate) {
	t.Helper()
	if !want.IsEqual(err) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func TestMNSQueueLifeCycle(t *testing.T) {
	q := newQueues(t, &keys{})
	m := q.manager()
	if err := m.CreateQueue("q1", 0, 65536, 345600, 30, 0, 2); err != nil {
		t.Fatal(err)
	}
	refused(t, m.CreateQueue("q1", 0, 65536, 345600, 30, 0, 2), mnssdk.ERR_MNS_QUEUE_ALREADY_EXIST_AND_HAVE_SAME_ATTR)
	refused(t, m.CreateQueue("q1", 1, 65536, 345600, 30, 0, 2), mnssdk.ERR_MNS_QUEUE_ALREADY_EXIST)
	q.advance(t, time.Minute)
	if err := m.SetQueueAttributesWithOptions("q1", mnssdk.WithVisibilityTimeout(60)); err != nil {
		t.Fatal(err)
	}
	got, err := m.GetQueueAttributes("q1")
	if err != nil {
		t.Fatal(err)
	}
	got.XMLName.Local, got.XMLName.Space = "", ""
	want := mnssdk.QueueAttribute{
		QueueName: "q1", MaxMessageSize: 65536, MessageRetentionPeriod: 345600, VisibilityTimeout: 60,
		CreateTime: start.Unix(), LastModifyTime: start.Add(time.Minute).Unix(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := m.DeleteQueue("q1"); err != nil {
		t.Fatal(err)
	}
	_, err = m.GetQueueAttributes("q1")
	refused(t, err, mnssdk.ERR_MNS_QUEUE_NOT_EXIST)
}

func TestMNSRefusesBadQueues(t *testing.T) {
	m := newQueues(t, &keys{}).manager()
	refused(t, m.CreateSimpleQueue("under_score"), mnssdk.ERR_MNS_INVALID_QUEUE_NAME)
	refused(t, m.CreateSimpleQueue(strings.Repeat("q", 121)), mnssdk.ERR_MNS_QUEUE_NAME_LENGTH_ERROR)
	refused(t, m.CreateQueue("q", 0, 1023, 345600, 30, 0, 2), mnssdk.ERR_MNS_INVALID_ARGUMENT)
	refused(t, m.CreateQueue("q", 0, 65536, 604801, 30, 0, 2), mnssdk.ERR_MNS_INVALID_ARGUMENT)
	if err := m.CreateSimpleQueue(strings.Repeat("q", 120)); err != nil {
		t.Error(err)
	}
}

func TestMNSListsQueuesInPages(t *testing.T) {
	m := newQueues(t, &keys{}).manager()
	for _, name := range []string{"fw-a", "fw-b", "fw-c", "other"} {
		if err := m.CreateSimpleQueue(name); err != nil {
			t.Fatal(err)
		}
	}
	first, err := m.ListQueue("", 2, "fw-")
	if err != nil {
		t.Fatal(err)
	}
	second, err := m.ListQueueDetail(first.NextMarker, 2, "fw-")
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Queues) != 2 || first.Queues[1].QueueURL != "http://"+host+"/queues/fw-b" {
		t.Errorf("first page %+v", first)
	}
	if len(second.Attrs) != 1 || second.Attrs[0].QueueName != "fw-c" || second.NextMarker != "" {
		t.Errorf("second page %+v", second)
	}
}

func TestMNSMessageIsReceivedHiddenAndReceivedAgain(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	sent, err := queue.SendMessage(text(`{"a":"<&>"}`))
	if err != nil {
		t.Fatal(err)
	}
	first, err := receive(queue)
	if err != nil {
		t.Fatal(err)
	}
	if first.MessageId != sent.MessageId || first.MessageBody != `{"a":"<&>"}` || first.MessageBodyMD5 != sent.MessageBodyMD5 || sent.ReceiptHandle != "" {
		t.Errorf("sent %+v, received %+v", sent, first)
	}
	if first.NextVisibleTime != start.Add(30*time.Second).UnixMilli() || first.DequeueCount != 1 || first.Priority != 8 {
		t.Errorf("received %+v", first)
	}
	_, err = receive(queue)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	q.advance(t, 30*time.Second)
	refused(t, queue.DeleteMessage(first.ReceiptHandle), mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	again, err := receive(queue)
	if err != nil || again.DequeueCount != 2 || again.FirstDequeueTime != start.UnixMilli() {
		t.Fatalf("received again %+v, %v", again, err)
	}
	if err := queue.DeleteMessage(again.ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	refused(t, queue.DeleteMessage(again.ReceiptHandle), mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	refused(t, queue.DeleteMessage("not-a-handle"), mnssdk.ERR_MNS_RECEIPT_HANDLE_ERROR)
	refused(t, queue.DeleteMessage(""), mnssdk.ERR_MNS_MISSING_RECEIPT_HANDLE)
}

func TestMNSChangesVisibilityUnderANewHandle(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	if _, err := queue.SendMessage(text("x")); err != nil {
		t.Fatal(err)
	}
	m, err := receive(queue)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := queue.ChangeMessageVisibility(m.ReceiptHandle, 120)
	if err != nil {
		t.Fatal(err)
	}
	if changed.ReceiptHandle == m.ReceiptHandle || changed.NextVisibleTime != start.Add(2*time.Minute).UnixMilli() {
		t.Errorf("changed %+v", changed)
	}
	refused(t, queue.DeleteMessage(m.ReceiptHandle), mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	q.advance(t, 119*time.Second)
	_, err = receive(queue)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	if err := queue.DeleteMessage(changed.ReceiptHandle); err != nil {
		t.Error(err)
	}
	_, err = queue.ChangeMessageVisibility(changed.ReceiptHandle, 43201)
	refused(t, err, mnssdk.ERR_MNS_INVALID_ARGUMENT)
}

func TestMNSDelayedMessageComesAfterItsDelay(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	sent, err := queue.SendMessage(mnssdk.MessageSendRequest{MessageBody: "later", DelaySeconds: 300, Priority: 8})
	if err != nil || sent.ReceiptHandle == "" {
		t.Fatalf("sent %+v, %v", sent, err)
	}
	q.advance(t, 299*time.Second)
	_, err = receive(queue)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
	q.advance(t, time.Second)
	if _, err := receive(queue); err != nil {
		t.Error(err)
	}
}

func TestMNSLongPollWaitsInVirtualTime(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	if _, err := queue.SendMessage(mnssdk.MessageSendRequest{MessageBody: "later", DelaySeconds: 10, Priority: 8}); err != nil {
		t.Fatal(err)
	}
	answer := make(chan error, 1)
	go func() {
		m, err := receive(queue, 30)
		if err == nil && m.MessageBody != "later" {
			err = errors.New("another message: " + m.MessageBody)
		}
		answer <- err
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go q.world.Clock.Follow(ctx, 1000)
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if waited := q.world.Clock.Now().Sub(start); waited < 10*time.Second {
		t.Errorf("answered after %v of virtual time, want at least 10s", waited)
	}
	_, err := receive(queue, 5)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
}

func TestMNSBatches(t *testing.T) {
	q := newQueues(t, &keys{})
	queue := q.queue(t, "q")
	sent, err := queue.BatchSendMessage(text("a"), mnssdk.MessageSendRequest{MessageBody: "bad priority"}, text("c"))
	if err != nil {
		t.Fatal(err)
	}
	if sent.Messages[0].MessageId == "" || sent.Messages[1].ErrorCode != "InvalidArgument" || sent.Messages[2].MessageId == "" {
		t.Errorf("sent %+v", sent.Messages)
	}
	got, err := batchReceive(queue, 16)
	if err != nil || len(got) != 2 || got[0].MessageBody != "a" || got[1].MessageBody != "c" {
		t.Fatalf("received %+v, %v", got, err)
	}
	bad, err := queue.BatchDeleteMessage(got[0].ReceiptHandle, "not-a-handle")
	refused(t, err, mnssdk.ERR_MNS_BATCH_OP_FAIL)
	if len(bad.FailedMessages) != 1 || bad.FailedMessages[0].ErrorCode != "ReceiptHandleError" || bad.FailedMessages[0].ReceiptHandle != "not-a-handle" {
		t.Errorf("failed %+v", bad.FailedMessages)
	}
	if _, err := queue.BatchDeleteMessage(got[1].ReceiptHandle); err != nil {
		t.Error(err)
	}
	_, err = batchReceive(queue, 17)
	refused(t, err, mnssdk.ERR_MNS_INVALID_ARGUMENT)
	_, err = batchReceive(queue, 16)
	refused(t, err, mnssdk.ERR_MNS_MESSAGE_NOT_EXIST)
}

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

func TestMNSPeekTakesNothing(t *testing.T) {
	queue := newQueues(t, &keys{}).queue(t, "q")
	for _, m := range []mnssdk.MessageSendRequest{text("second"), {MessageBody: "first", Priority: 1}} {
		if _, err := queue.SendMessage(m); err != nil {
			t.Fatal(err)
		}
	}
	one, all, failed := make(chan mnssdk.MessageReceiveResponse, 1), make(chan mnssdk.BatchMessageReceiveResponse, 1), make(chan error, 2)
	queue.PeekMessage(one, failed)
	queue.BatchPeekMessage(all, failed, 16)
	if m := <-one; m.MessageBody != "first" || m.ReceiptHandle != "" || m.DequeueCount != 0 {
		t.Errorf("peeked %+v", m)
	}
	if m := <-all; len(m.Messages) != 2 || m.Messages[1].MessageBody != "second" {
		t.Errorf("peeked %+v", m.Messages)
	}
	if m, err := receive(queue); err != nil || m.MessageBody != "first" {
		t.Errorf("received %+v, %v", m, err)
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
	refused(t, with("nobody", "local-sk"), mnssdk.ERR_MNS_INVALID_ACCESS_KEY_ID)
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

// raw sends a request without the SDK and returns status, code and body.
func (q *queues) raw(t *testing.T, header map[string]string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+q.url+"/queues", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(body), "<Code>")
	code, _, _ = strings.Cut(code, "</Code>")
	return strings.Fields(resp.Status)[0] + " " + code + " " + string(body)
}

// TestMNSIsServedByTheCloudToWhomRAMAllows goes through the whole server: host
// name, keys, policies and log.
func TestMNSIsServedByTheCloudToWhomRAMAllows(t *testing.T) {
	cloud, err := server.New(server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cloud.Close(); err != nil {
			t.Error(err)
		}
	})
	q := &queues{world: cloud.World, service: cloud.MNS, keys: &keys{}, url: strings.TrimPrefix(cloud.URL(), "http://")}
	q.queue(t, "fw-a")
	const (
		trust  = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`
		policy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/fw-a/messages"}]}`
	)
	if err := cloud.RAM.AddRole(server.Sharer, "sender", trust, map[string]string{"sender": policy}); err != nil {
		t.Fatal(err)
	}
	c, err := cloud.STS.Issue(server.Sharer, "sender", "session", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	sender := mnssdk.NewMNSQueue("fw-a", q.client(c.AccessKeyId, c.AccessKeySecret, c.SecurityToken))
	if _, err := sender.SendMessage(text("x")); err != nil {
		t.Error(err)
	}
	_, err = receive(sender)
	refused(t, err, mnssdk.ERR_MNS_ACCESS_DENIED)
	_, err = sender.BatchSendMessage(text("x"))
	refused(t, err, mnssdk.ERR_MNS_ACCESS_DENIED)
	_, err = mnssdk.NewMNSQueue("fw-a", q.client(c.AccessKeyId, c.AccessKeySecret, "another")).SendMessage(text("x"))
	refused(t, err, mnssdk.ERR_MNS_INVALID_ACCESS_KEY_ID)
}
