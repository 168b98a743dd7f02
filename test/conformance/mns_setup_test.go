package conformance_test

import (
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
	"github.com/valyala/fasthttp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/wire"
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

func (q *queues) queue(t *testing.T, name string) mnssdk.AliMNSQueue {
	t.Helper()
	if _, err := q.service.Create(mns.Queue{Account: "1000000000000001", Region: "cn-hangzhou", Name: name}, mns.Defaults()); err != nil {
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

// raw sends a request without the SDK and returns status, code and body.
func (q *queues) raw(t *testing.T, header map[string]string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+q.url+"/queues/q/messages", nil)
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
