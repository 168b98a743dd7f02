package channel

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

// noon is the time of all tests.
func noon() time.Time { return time.Unix(1_700_000_000, 0) }

// secrets are one of each type with an address. All that must not be seen has the word canary.
func secrets() map[string]string {
	return map[string]string{
		policy.ChannelDingTalk: `{"url":"https://oapi.dingtalk.com/robot/send?access_token=canary-token","sign":"SECcanary-key"}`,
		policy.ChannelFeishu:   `{"url":"https://open.feishu.cn/open-apis/bot/v2/hook/canary-hook","sign":"canary-key"}`,
		policy.ChannelWeCom:    `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=canary-key`,
		policy.ChannelSlack:    `https://hooks.slack.com/services/T0canary0/B0canary0/canary-hook`,
		policy.ChannelTeams:    `https://prod-1.westeurope.logic.azure.com/workflows/canary-flow/paths/invoke?sv=1.0&sig=canary-sig`,
		policy.ChannelWebhook:  `{"url":"https://hooks.example.com:8443/in/canary-path?token=canary-token","sign":"canary-key"}`,
	}
}

// kinds are the types with an address, in a fixed order.
func kinds() []string {
	return []string{policy.ChannelDingTalk, policy.ChannelFeishu, policy.ChannelWeCom, policy.ChannelSlack, policy.ChannelTeams, policy.ChannelWebhook}
}

// request is what a receiver got.
type request struct {
	Host, URI, Body string
	Header          http.Header
}

// receiver answers posts as it is set to, and keeps them.
type receiver struct {
	mu   sync.Mutex
	got  []request
	serv *httptest.Server
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request(nil), r.got...)
}

// receive starts a receiver. Its handler is called with the number of the post, from 1.
func receive(t *testing.T, handler func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	t.Helper()
	rec := &receiver{}
	rec.serv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		rec.mu.Lock()
		rec.got = append(rec.got, request{r.Host, r.RequestURI, string(body), r.Header})
		n := len(rec.got)
		rec.mu.Unlock()
		handler(n, w, r)
	}))
	t.Cleanup(rec.serv.Close)
	return rec
}

// sinkOf returns the sink of a type whose posts go to a receiver.
func sinkOf(t *testing.T, kind string, rec *receiver) Sink {
	t.Helper()
	c := policy.Channel{Name: "ops", Type: kind, Lang: policy.LangEnglish}
	client := &http.Client{}
	if rec != nil {
		var err error
		if client, err = Client(c, rec.serv.Listener.Addr().String()); err != nil {
			t.Fatal(err)
		}
	}
	sink, err := New(c, secrets()[kind], client, noon)
	if err != nil {
		t.Fatal(err)
	}
	return sink
}

func sample() notify.Document {
	return notify.Document{
		ID: "7f3a", Title: "instance-role: 2 violations in 1000000000000001", Tone: fleet.High,
		Sections: []notify.Section{
			{Heading: "Resources", Lines: []notify.Line{
				{Label: "region", Text: "cn-hangzhou"},
				{Text: "i-bp1a2b3c i-bp4d5e6f", Code: true},
			}},
			{Lines: []notify.Line{
				{Label: "why", Text: "web_01 of <@all> has no role & [click](https://evil.example)\nsecond line"},
				{Label: "repair", Text: `fleetwarden apply --only "i-bp1a2b3c" && echo <done>`, Code: true},
			}},
		},
		Links:  []notify.Link{{Text: "Console", URL: "https://ecs.console.aliyun.com/server/i-bp1a2b3c?a=1&b=(2)"}, {Text: "Report", URL: "oss://ledger/reports/7/"}},
		Footer: "Fleetwarden · 2026-12-01",
	}
}
