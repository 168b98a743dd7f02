package mns_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
)

// The class: a message that is refused harms only itself, wherever it stands. One that
// time may heal is sent again without its neighbours.
func TestARefusedMessageHarmsOnlyItself(t *testing.T) {
	const entry, failed = `<Message><MessageId>1</MessageId></Message>`, `<Message><ErrorCode>%s</ErrorCode><ErrorMessage>no</ErrorMessage></Message>`
	for code, class := range map[string]fleet.Class{"QpsLimitExceeded": fleet.Throttled, "InvalidArgument": fleet.Invalid} {
		for at := range 3 {
			var sizes []int
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				n := strings.Count(string(body), "<MessageBody>")
				sizes = append(sizes, n)
				w.WriteHeader(201)
				answer := make([]string, n)
				for i := range answer {
					answer[i] = entry
					if n == 1 || i == at {
						answer[i] = fmt.Sprintf(failed, code)
					}
				}
				_, _ = io.WriteString(w, "<Messages>"+strings.Join(answer, "")+"</Messages>")
			}))
			t.Cleanup(srv.Close)
			client, _ := newClient(t, srv.URL)
			stored, err := client.Send(t.Context(), inbox.Name, []mns.Message{{Body: "x"}, {Body: "y"}, {Body: "z"}})
			if stored != 2 || fleet.CodeOf(err) != code || fleet.ClassOf(err) != class {
				t.Errorf("stored %d, %v, want %s", stored, err, code)
			}
			if sizes[0] != 3 || (len(sizes) > 1) != class.Passing() || slices.Max(append(sizes[1:], 0)) > 1 {
				t.Errorf("%s: calls of %v messages", code, sizes)
			}
		}
	}
}

func TestAnswerThatSpeaksOfOtherMessagesIsNotBelieved(t *testing.T) {
	for name, body := range map[string]string{
		"fewer": "<Messages><Message><MessageId>1</MessageId></Message></Messages>", "none": "<Messages/>", "no XML": "ok", "empty": "",
	} {
		url, count := answering(t, 201, body)
		client, _ := newClient(t, url)
		stored, err := client.Send(t.Context(), inbox.Name, []mns.Message{{Body: "x"}, {Body: "y"}})
		if stored != 0 || fleet.ClassOf(err) != fleet.Unavailable || count.Load() < 2 {
			t.Errorf("%s: stored %d, %v after %d requests", name, stored, err, count.Load())
		}
	}
}

func answering(t *testing.T, status int, body string) (url string, count *atomic.Int64) {
	t.Helper()
	count = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, count
}

func TestErrorsDoNotQuoteBodies(t *testing.T) {
	url, _ := answering(t, 418, "not XML")
	client, _ := newClient(t, url)
	_, err := client.Send(t.Context(), inbox.Name, []mns.Message{{Body: "canary-4711"}})
	if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "local-sk") {
		t.Errorf("got %v", err)
	}
}

func TestHostHeaderStaysTheRealEndpoint(t *testing.T) {
	var host string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		w.WriteHeader(404)
	}))
	defer srv.Close()
	client, _ := newClient(t, srv.URL)
	if _, err := client.Send(t.Context(), "q", []mns.Message{{Body: "x"}}); err == nil {
		t.Error("404 is no success")
	}
	if want := "1000000000000001.mns.cn-hangzhou.aliyuncs.com"; host != want {
		t.Errorf("got host %q, want %q", host, want)
	}
}

func TestScopeThatIsNoAccountAndRegionIsRefused(t *testing.T) {
	cloud := newCloud(t, "")
	for _, scope := range []fleet.Scope{
		{}, {Account: server.Sharer}, {Region: server.Home}, {Account: "acct", Region: server.Home},
		{Account: server.Sharer, Region: "a.b"}, {Account: server.Sharer, Region: "cn/x"}, {Account: server.Sharer, Region: "CN"},
	} {
		if _, err := mns.Connect(cloud, scope); err == nil {
			t.Errorf("%q was taken", scope)
		}
	}
	if _, err := mns.Connect(cloud, home); err != nil {
		t.Error(err)
	}
}

func TestSendWithoutKeysFails(t *testing.T) {
	b := newBench(t)
	cloud, err := aliyun.NewCloud(&aliyun.Renewable{}, b.URL())
	if err != nil {
		t.Fatal(err)
	}
	queues, err := mns.Connect(cloud, home)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := queues.Client(cloud.NewSession(0)).Send(t.Context(), inbox.Name, []mns.Message{{Body: "x"}})
	if stored != 0 || err == nil {
		t.Errorf("stored %d, %v", stored, err)
	}
}

func TestSpentBudgetSendsNothing(t *testing.T) {
	b := newBench(t)
	queues, err := mns.Connect(newCloud(t, b.URL()), home)
	if err != nil {
		t.Fatal(err)
	}
	messages, _ := some(20)
	stored, err := queues.Client(newCloud(t, b.URL()).NewSession(1)).Send(t.Context(), inbox.Name, messages)
	if stored != 16 || fleet.ClassOf(err) != fleet.OutOfBudget || len(b.stored(t)) != 16 {
		t.Errorf("stored %d, %v", stored, err)
	}
}
