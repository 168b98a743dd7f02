package robots_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/robots"
	"fleetwarden/deploy/local/simcloud/wire"
)

// bench is a world of robots, one of each type, by the name of the type.
type bench struct {
	t testing.TB
	*robots.Service
	clock *simcloud.Clock
	h     *robots.Handler
}

// address of each robot, and the secret of its signature.
var address = map[string]string{
	"dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=T",
	"feishu":   "https://open.feishu.cn/open-apis/bot/v2/hook/T",
	"wecom":    "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=T",
	"slack":    "https://hooks.slack.com/services/A/B/T",
	"teams":    "https://x.westus.logic.azure.com:443/workflows/W/triggers/manual/paths/invoke?sp=%2Frun&sig=T",
	"webhook":  "https://ops.webhook.example/hook?token=T",
}

func newBench(t testing.TB, sign string, keywords ...string) *bench {
	t.Helper()
	clock := simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC))
	world := simcloud.NewWorld(clock, []string{"1"}, []string{"r"})
	b := &bench{t, robots.New(world), clock, nil}
	b.h = &robots.Handler{Service: b.Service, Faults: &simcloud.Faults{}, Log: &wire.Log{}}
	for name, at := range address {
		if err := b.Add(robots.Robot{Name: name, Type: robots.Type(name), URL: at, Sign: sign, Keywords: keywords}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func (b *bench) send(method, at, kind, body string, headers ...string) *http.Response {
	b.t.Helper()
	r := httptest.NewRequest(method, at, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	if !robots.Owns(r) {
		b.t.Fatalf("%s belongs to no robot", at)
	}
	b.h.ServeHTTP(w, r)
	return w.Result()
}

// post sends a body as JSON, and returns status and text of the answer.
func (b *bench) post(at, body string, headers ...string) string {
	b.t.Helper()
	return shown(b.t, b.send("POST", at, "application/json; charset=utf-8", body, headers...))
}

func shown(t testing.TB, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprint(r.StatusCode, " ", string(text)))
}

func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	if err := b.clock.Advance(b.t.Context(), d); err != nil {
		b.t.Fatal(err)
	}
}

// good is a message of each type, and the answer to it.
var good = map[string][2]string{
	"dingtalk": {`{"msgtype":"markdown","markdown":{"title":"t","text":"word"},"at":{"atMobiles":[],"isAtAll":false}}`, `200 {"errcode":0,"errmsg":"ok"}`},
	"feishu":   {`{"msg_type":"text","content":{"text":"word"}}`, `200 {"code":0,"msg":"success","data":{},"StatusCode":0,"StatusMessage":"success"}`},
	"wecom":    {`{"msgtype":"markdown","markdown":{"content":"word"}}`, `200 {"errcode":0,"errmsg":"ok"}`},
	"slack":    {`{"text":"word"}`, `200 ok`},
	"teams": {`{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","contentUrl":null,"content":{"type":"AdaptiveCard",` +
		`"version":"1.4","body":[{"type":"TextBlock","text":"word","color":"Attention"}],"actions":[{"type":"Action.OpenUrl","title":"o","url":"https://x"}]}}]}`, `202`},
	"webhook": {`{"any":"word"}`, `204`},
}

func TestAMessageAsDocumentedIsAcceptedAndKept(t *testing.T) {
	b := newBench(t, "")
	for name, x := range good {
		if got := b.post(address[name], x[0]); got != x[1] {
			t.Errorf("%s: got %s, want %s", name, got, x[1])
		}
		want := []robots.Post{{Robot: name, Type: robots.Type(name), Time: b.clock.Now(), Body: x[0]}}
		if _, err := fmt.Sscan(x[1], &want[0].Status); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, b.Accepted(name)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := len(b.Accepted("")); n != len(good) || len(b.Refused("")) != 0 {
		t.Errorf("%d posts are accepted, and %v refused", n, b.Refused(""))
	}
}

func TestAnUnknownAddressIsRefusedAsItsTypeDoes(t *testing.T) {
	b := newBench(t, "")
	for name, x := range map[string][2]string{
		"dingtalk":       {"https://oapi.dingtalk.com/robot/send?access_token=X", `200 {"errcode":300005,`},
		"dingtalk path":  {"https://oapi.dingtalk.com/other?access_token=T", `404 <html>`},
		"feishu":         {"https://open.feishu.cn/open-apis/bot/v2/hook/X", `200 {"code":19001,`},
		"feishu at Lark": {"https://open.larksuite.com/open-apis/bot/v2/hook/T", `200 {"code":19001,`},
		"wecom":          {"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=X", `200 {"errcode":93000,`},
		"slack":          {"https://hooks.slack.com/services/X/B/T", `404 no_service`},
		"slack token":    {"https://hooks.slack.com/services/A/B/X", `403 invalid_token`},
		"teams":          {"https://x.westus.logic.azure.com/workflows/X", `404 {"error":{"code":"WorkflowNotFound"`},
		"teams sig":      {"https://x.westus.logic.azure.com/workflows/W/triggers/manual/paths/invoke?sp=%2Frun", `401 {"error":{"code":"DirectApiAuthorizationRequired"`},
		"webhook":        {"https://other.webhook.example/hook?token=T", `404 Not Found`},
		"webhook token":  {"https://ops.webhook.example/hook", `403 Forbidden`},
	} {
		kind, _, _ := strings.Cut(name, " ")
		if got := b.post(x[0], good[kind][0]); !strings.HasPrefix(got, x[1]) {
			t.Errorf("%s: got %s, want %s", name, got, x[1])
		}
	}
	if n := len(b.Accepted("")); n != 0 || len(b.Refused("")) != 11 {
		t.Errorf("%d posts are accepted, %d refused", n, len(b.Refused("")))
	}
}

func TestAPostThatIsNoPostOfJSONIsRefused(t *testing.T) {
	b := newBench(t, "")
	for name, want := range map[string]string{
		"dingtalk": `200 {"errcode":43004,`, "feishu": `200 {"code":9499,`, "wecom": `200 {"errcode":40008,`,
		"slack": `400 invalid_payload`, "teams": `415 {"error":`, "webhook": `415 `,
	} {
		if got := shown(t, b.send("POST", address[name], "text/plain", good[name][0])); !strings.HasPrefix(got, want) {
			t.Errorf("%s as text: got %s, want %s", name, got, want)
		}
		if got := shown(t, b.send("POST", address[name], "application/json; charset=gbk", good[name][0])); !strings.HasPrefix(got, want) {
			t.Errorf("%s in GBK: got %s, want %s", name, got, want)
		}
		if got := shown(t, b.send("GET", address[name], "application/json", "")); !strings.HasPrefix(got, "405 ") {
			t.Errorf("%s by GET: got %s", name, got)
		}
		if got := b.post(address[name], strings.Repeat("x", 1<<20+1)); !strings.HasPrefix(got, "413 ") {
			t.Errorf("%s of a MiB: got %s", name, got)
		}
	}
	if n := len(b.Accepted("")); n != 0 {
		t.Errorf("%d posts are accepted", n)
	}
}

func TestAClosedGroupIsRefusedAsItsTypeDoes(t *testing.T) {
	b := newBench(t, "")
	for name, want := range map[string]string{
		"dingtalk": `200 {"errcode":400013,`, "feishu": `200 {"code":19001,`, "wecom": `200 {"errcode":93000,`,
		"slack": `410 channel_is_archived`, "teams": `404 {"error":`, "webhook": `410 Gone`,
	} {
		if err := b.Close(name); err != nil {
			t.Fatal(err)
		}
		if got := b.post(address[name], good[name][0]); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		b.Remove(name)
		if b.Close(name) == nil {
			t.Errorf("%s is there after it was removed", name)
		}
	}
}

// The signatures of notify.md's vectors: SECtest at 1700000000000 ms, and test at 1700000000 s.
func TestTheVectorsOfSignaturesAreAccepted(t *testing.T) {
	clock := simcloud.NewClock(time.Unix(1_700_000_000, 0))
	world := simcloud.NewWorld(clock, nil, []string{"r"})
	b := &bench{t, robots.New(world), clock, nil}
	b.h = &robots.Handler{Service: b.Service, Faults: &simcloud.Faults{}, Log: &wire.Log{}}
	for name, sign := range map[string]string{"dingtalk": "SECtest", "feishu": "test"} {
		if err := b.Add(robots.Robot{Name: name, Type: robots.Type(name), URL: address[name], Sign: sign}); err != nil {
			t.Fatal(err)
		}
	}
	got := b.post(address["dingtalk"]+"&timestamp=1700000000000&sign=aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g%3D", good["dingtalk"][0])
	if got != good["dingtalk"][1] {
		t.Errorf("dingtalk: %s", got)
	}
	got = b.post(address["feishu"], `{"timestamp":"1700000000","sign":"eSJQnOl8XqPTMPHWz9e5IzeHS/tqoc68g2967ekIPmg=","msg_type":"text","content":{"text":"x"}}`)
	if got != good["feishu"][1] {
		t.Errorf("feishu: %s", got)
	}
}

func mac(key, data string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(data))
	return m.Sum(nil)
}

// signed posts with a signature of a secret at a time.
func (b *bench) signed(name, secret string, at time.Time) string {
	b.t.Helper()
	body := good[name][0]
	switch name {
	case "dingtalk":
		ms := fmt.Sprint(at.UnixMilli())
		return b.post(address[name]+"&timestamp="+ms+"&sign="+url.QueryEscape(base64.StdEncoding.EncodeToString(mac(secret, ms+"\n"+secret))), body)
	case "feishu":
		sec := fmt.Sprint(at.Unix())
		sign := base64.StdEncoding.EncodeToString(mac(sec+"\n"+secret, ""))
		return b.post(address[name], fmt.Sprintf(`{"timestamp":%q,"sign":%q,%s`, sec, sign, body[1:]))
	}
	sec := fmt.Sprint(at.Unix())
	return b.post(address[name], body, "X-Fleetwarden-Timestamp", sec, "X-Fleetwarden-Signature", "sha256="+hex.EncodeToString(mac(secret, sec+"."+body)))
}

func TestASignatureIsGoodForItsWindowOfVirtualTime(t *testing.T) {
	for name, x := range map[string]struct {
		window      time.Duration
		late, wrong string
	}{
		"dingtalk": {time.Hour, `200 {"errcode":310000,"errmsg":"invalid timestamp"}`, `200 {"errcode":310000,"errmsg":"sign not match"}`},
		"feishu":   {time.Hour, `200 {"code":19021,`, `200 {"code":19021,`},
		"webhook":  {5 * time.Minute, `401 the timestamp`, `401 the signature`},
	} {
		for _, y := range []struct {
			secret string
			off    time.Duration
			want   string
		}{
			{"secret", -x.window, good[name][1]}, {"secret", x.window, good[name][1]}, {"secret", -x.window - time.Second, x.late},
			{"secret", x.window + time.Second, x.late}, {"other", 0, x.wrong},
		} {
			b := newBench(t, "secret")
			if got := b.signed(name, y.secret, b.clock.Now().Add(y.off)); !strings.HasPrefix(got, y.want) {
				t.Errorf("%s, signed with %s, off %s: got %s, want %s", name, y.secret, y.off, got, y.want)
			}
		}
		if got := newBench(t, "secret").post(address[name], good[name][0]); !strings.HasPrefix(got, x.late) {
			t.Errorf("%s, not signed: got %s", name, got)
		}
	}
}

func TestAMessageNeedsAKeyword(t *testing.T) {
	b := newBench(t, "", "never", "guard")
	for name, want := range map[string]string{"dingtalk": `200 {"errcode":310000,"errmsg":"keywords not in content"}`, "feishu": `200 {"code":19024,`} {
		if got := b.post(address[name], good[name][0]); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if got := b.post(address[name], strings.ReplaceAll(good[name][0], "word", "the guard")); got != good[name][1] {
			t.Errorf("%s with it: got %s", name, got)
		}
	}
}

func TestARobotIsAddedAtAHostOfItsTypeAndOnce(t *testing.T) {
	b := newBench(t, "")
	for _, r := range []robots.Robot{
		{Name: "slack", Type: robots.Slack, URL: "https://hooks.slack.com/services/1/2/3"}, {Name: "", Type: robots.Slack, URL: "https://hooks.slack.com/services/1/2/3"},
		{Name: "x", Type: robots.Slack, URL: "https://hooks.slack.example/services/1/2/3"}, {Name: "x", Type: robots.Slack, URL: "http://hooks.slack.com/services/1/2/3"},
		{Name: "x", Type: "", URL: "https://x.example"}, {Name: "x", Type: robots.Slack, URL: "https://hooks.slack.com/%zz"},
	} {
		if b.Add(r) == nil {
			t.Errorf("%+v was added", r)
		}
	}
	if r := httptest.NewRequest("POST", "https://ecs.cn-hangzhou.aliyuncs.com/", nil); robots.Owns(r) {
		t.Error("a robot owns a host of Alibaba Cloud")
	}
}

func TestTheNewestPostsAreKept(t *testing.T) {
	b := newBench(t, "")
	for i := range robots.Kept + 1 {
		b.post(address["webhook"], fmt.Sprintf(`{"n":%d}`, i))
	}
	if got := b.Accepted("webhook"); len(got) != robots.Kept || got[0].Body != `{"n":1}` {
		t.Errorf("%d are kept, the first is %s", len(got), got[0].Body)
	}
}
