package channel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

const (
	good  = fleet.Class(100) // no error
	odd   = fleet.Class(101) // unavailable, and unknown
	page  = "<html><body>502 Bad Gateway</body></html>"
	later = "Retry-After"
)

// answers are by type: what the channel answers to every post, and how it is classified.
func answers() map[string][]answering {
	code := func(n int, words string) string { return fmt.Sprintf(`{"errcode":%d,"errmsg":%q}`, n, words) }
	feishu := func(n int, words string) string { return fmt.Sprintf(`{"code":%d,"msg":%q,"data":{}}`, n, words) }
	return map[string][]answering{
		policy.ChannelDingTalk: {
			{200, code(0, "ok"), good, 0, 1},
			{200, code(310000, "keywords not in content"), fleet.Denied, 0, 1},
			{200, code(310000, "sign not match, more: https://ding-doc.dingtalk.com"), fleet.Denied, 0, 1},
			{200, code(310000, "ip 1.2.3.4 not in whitelist"), fleet.Denied, 0, 1},
			{200, code(310000, "invalid timestamp"), fleet.Denied, 0, 2},
			{200, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute","status":1111,"wait":7,"source":"x5","punish":"deny"}`, fleet.Throttled, time.Minute, 1},
			{200, code(410100, "limit"), fleet.Throttled, time.Minute, 1},
			{200, code(410101, "send too fast"), fleet.Throttled, time.Minute, 1},
			{200, code(90030, "quota"), fleet.Denied, 0, 1},
			{200, code(300001, "token is not exist"), fleet.Denied, 0, 1},
			{200, code(300002, "token is not exist"), fleet.Denied, 0, 1},
			{200, code(400102, "stopped"), fleet.Denied, 0, 1},
			{200, code(40035, "bad json"), fleet.Invalid, 0, 2},
			{200, code(460101, "too long"), fleet.Invalid, 0, 2},
			{200, code(430102, "unsafe"), fleet.Invalid, 0, 2},
			{200, code(-1, "busy"), fleet.Unavailable, 0, 1},
			{200, code(77777, "news"), odd, 0, 1},
			{502, code(77777, "news"), fleet.Unavailable, 0, 1},
			{500, code(0, "ok"), fleet.Unavailable, 0, 1},
			{200, `{"errcode":"0"}`, fleet.Lost, 0, 1},
			{200, `{}`, fleet.Lost, 0, 1},
		},
		policy.ChannelFeishu: {
			{200, `{"code":0,"msg":"success","data":{},"StatusCode":0,"StatusMessage":"success"}`, good, 0, 1},
			{200, feishu(19021, "sign match fail or timestamp is not within one hour"), fleet.Denied, 0, 2},
			{200, feishu(19022, "ip not allowed"), fleet.Denied, 0, 1},
			{200, feishu(19024, "key words not found"), fleet.Denied, 0, 1},
			{200, feishu(11232, "frequency limited psm[lark.oapi.app_platform]"), fleet.Throttled, time.Minute, 1},
			{200, feishu(9499, "frequency limited psm[x]"), fleet.Throttled, time.Minute, 1},
			{200, feishu(9499, "Bad Request"), fleet.Invalid, 0, 2},
			{200, feishu(200621, "parse card json err"), fleet.Invalid, 0, 2},
			{200, feishu(19036, "too large"), fleet.Invalid, 0, 2},
			{200, feishu(12345, "news"), odd, 0, 1},
			{400, feishu(19024, "key words not found"), fleet.Denied, 0, 1},
		},
		policy.ChannelWeCom: {
			{200, code(0, "ok"), good, 0, 1},
			{200, code(45009, "api freq out of limit"), fleet.Throttled, time.Minute, 1},
			{200, code(45033, "concurrency"), fleet.Throttled, time.Minute, 1},
			{200, code(-1, "system busy"), fleet.Unavailable, 0, 1},
			{200, code(93000, "invalid webhook url"), fleet.Denied, 0, 1},
			{200, code(40058, "markdown.content exceed max length 4096"), fleet.Invalid, 0, 2},
			{200, code(40008, "invalid message type"), fleet.Invalid, 0, 2},
			{200, code(99999, "news"), odd, 0, 1},
		},
		policy.ChannelSlack: {
			{200, "ok", good, 0, 1},
			{200, "not ok", fleet.Lost, 0, 1},
			{400, "invalid_payload", fleet.Invalid, 0, 2},
			{400, "invalid_blocks", fleet.Invalid, 0, 2},
			{400, "user_not_found", fleet.Denied, 0, 1},
			{403, "invalid_token", fleet.Denied, 0, 1},
			{403, "action_prohibited", fleet.Denied, 0, 1},
			{404, "no_service", fleet.Denied, 0, 1},
			{410, "channel_is_archived", fleet.Denied, 0, 1},
		},
		policy.ChannelTeams: {
			{202, "", good, 0, 1},
			{200, "1", good, 0, 1},
			{400, `{"error":{"code":"TriggerInputSchemaMismatch"}}`, fleet.Invalid, 0, 2},
			{401, `{"error":{"code":"DirectApiAuthorizationRequired"}}`, fleet.Denied, 0, 1},
			{404, `{"error":{"code":"WorkflowNotFound"}}`, fleet.Denied, 0, 1},
			{413, "", fleet.Invalid, 0, 2},
		},
		policy.ChannelWebhook: {
			{204, "", good, 0, 1},
			{400, "no", fleet.Invalid, 0, 1},
			{401, "no", fleet.Denied, 0, 1},
			{408, "", fleet.Throttled, 0, 1},
			{418, "teapot", odd, 0, 1},
		},
	}
}

type answering struct {
	status int
	body   string
	class  fleet.Class
	after  time.Duration
	posts  int
}

func TestEachAnswerHasItsClass(t *testing.T) {
	for _, kind := range kinds() {
		common := []answering{
			{500, page, fleet.Unavailable, 0, 1}, {503, "", fleet.Unavailable, 0, 1}, {429, "", fleet.Throttled, 0, 1},
			{302, "", odd, 0, 1}, {307, "", odd, 0, 1}, {200, strings.Repeat("x", 2*maxAnswer), fleet.Lost, 0, 1},
		}
		if kind == policy.ChannelTeams || kind == policy.ChannelWebhook { // which are judged by the status
			common = common[:len(common)-1]
		} else {
			common = append(common, answering{200, page, fleet.Lost, 0, 1}, answering{200, "", fleet.Lost, 0, 1})
		}
		if len(answers()[kind]) == 0 {
			t.Errorf("%s has no answers", kind)
		}
		for _, x := range append(answers()[kind], common...) {
			rec := receive(t, func(_ int, w http.ResponseWriter, r *http.Request) {
				if x.status >= 300 && x.status < 400 {
					w.Header().Set("Location", "http://"+r.Host+"/elsewhere")
				}
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, x.body)
			})
			_, err := sinkOf(t, kind, rec).Send(t.Context(), sample())
			if strings.Contains(x.body, ":310000,") && fleet.CodeOf(err) != "310000" {
				t.Errorf("%s: the code is %q", kind, fleet.CodeOf(err))
			}
			class, unknown := fleet.ClassOf(err), false
			var e *Error
			switch errors.As(err, &e) {
			case false:
				class = good
			default:
				unknown = e.Unknown()
			}
			want, wantUnknown := x.class, x.class == odd
			if wantUnknown {
				want = fleet.Unavailable
			}
			if class != want || unknown != wantUnknown || fleet.RetryAfter(err) != x.after || len(rec.requests()) != x.posts {
				t.Errorf("%s, HTTP %d %.60q: %v of class %s, after %s, after %d posts; want %+v", kind, x.status, x.body, err, class, fleet.RetryAfter(err), len(rec.requests()), x)
			}
		}
	}
}

func TestARetryComesAfterTheTimeThatTheAnswerAsksFor(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second, noon().Add(time.Hour).UTC().Format(http.TimeFormat): time.Hour, "999999999": maxAfter, "-5": 0, "soon": 0,
		noon().Add(-time.Hour).UTC().Format(http.TimeFormat): 0, "99999999999999999999": 0,
	} {
		for kind, body := range map[string]string{policy.ChannelSlack: "rate_limited", policy.ChannelWebhook: ""} {
			rec := receive(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set(later, value)
				w.WriteHeader(429)
				_, _ = io.WriteString(w, body)
			})
			_, err := sinkOf(t, kind, rec).Send(t.Context(), sample())
			if fleet.RetryAfter(err) != want || fleet.ClassOf(err) != fleet.Throttled {
				t.Errorf("%s, %q: %v after %s, want %s", kind, value, err, fleet.RetryAfter(err), want)
			}
		}
	}
}

// refusing are the answers of each type to a card whose shape is wrong, and to a message.
func refusing() map[string][2]string {
	return map[string][2]string{
		policy.ChannelDingTalk: {`{"errcode":400105,"errmsg":"wrong type"}`, `{"errcode":0,"errmsg":"ok"}`},
		policy.ChannelFeishu:   {`{"code":9499,"msg":"Bad Request"}`, `{"code":0,"msg":"success"}`},
		policy.ChannelWeCom:    {`{"errcode":40008,"errmsg":"invalid type"}`, `{"errcode":0,"errmsg":"ok"}`},
		policy.ChannelSlack:    {"invalid_blocks", "ok"},
		policy.ChannelTeams:    {"TriggerInputSchemaMismatch", ""},
	}
}

func TestACardOfWrongShapeIsFollowedByItsText(t *testing.T) {
	for kind, body := range refusing() {
		rec := receive(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			if n == 1 && (kind == policy.ChannelSlack || kind == policy.ChannelTeams) {
				w.WriteHeader(400)
			}
			_, _ = io.WriteString(w, body[min(n, 2)-1])
		})
		sink := sinkOf(t, kind, rec)
		a, err := sink.Send(t.Context(), sample())
		if err != nil || !a.Plain || a.Says != body[0] {
			t.Errorf("%s: %+v, %v", kind, a, err)
		}
		got := rec.requests()
		if len(got) != 2 || len(got[1].Body) > plainBytes+200 || !json.Valid([]byte(got[1].Body)) {
			t.Fatalf("%s: %d posts: %v", kind, len(got), got)
		}
		for _, part := range []string{"2 violations", "cn-hangzhou", "i-bp1a2b3c", "7f3a", "ecs.console.aliyun.com"} {
			if !strings.Contains(got[1].Body, part) {
				t.Errorf("%s: the text has no %q: %s", kind, part, got[1].Body)
			}
		}
		for _, part := range []string{"https://evil", "<@all>", "</at>"} {
			if strings.Contains(got[1].Body, part) {
				t.Errorf("%s: the text has %q: %s", kind, part, got[1].Body)
			}
		}
	}
}

func TestAClockThatIsOffIsCorrectedOnce(t *testing.T) {
	theirs := noon().Add(2 * time.Hour)
	for kind, bodies := range map[string][2]string{
		policy.ChannelDingTalk: {`{"errcode":310000,"errmsg":"invalid timestamp"}`, `{"errcode":0,"errmsg":"ok"}`},
		policy.ChannelFeishu:   {`{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`, `{"code":0,"msg":"success"}`},
	} {
		rec := receive(t, func(n int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", theirs.UTC().Format(http.TimeFormat))
			_, _ = io.WriteString(w, bodies[min(n, 2)-1])
		})
		if _, err := sinkOf(t, kind, rec).Send(t.Context(), sample()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		got := rec.requests()
		for i, at := range []time.Time{noon(), theirs} {
			if text := got[i].URI + got[i].Body; !strings.Contains(text, fmt.Sprint(at.Unix())) {
				t.Errorf("%s: post %d is not signed at %s: %s", kind, i+1, at, text)
			}
		}
	}
}

func TestTeamsAcceptsAndTheOthersDeliver(t *testing.T) {
	for kind, body := range refusing() {
		rec := receive(t, func(_ int, w http.ResponseWriter, _ *http.Request) {
			if kind == policy.ChannelTeams {
				w.WriteHeader(202)
			}
			_, _ = io.WriteString(w, body[1])
		})
		a, err := sinkOf(t, kind, rec).Send(t.Context(), sample())
		if want := kind == policy.ChannelTeams; err != nil || a.Accepted != want || a.Plain || a.Says != body[1] || a.Status/100 != 2 {
			t.Errorf("%s: %+v, %v", kind, a, err)
		}
	}
}

func TestWhatAnAnswerQuotesOfTheSecretIsInNoError(t *testing.T) {
	for _, kind := range kinds() {
		rec := receive(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			_, _ = fmt.Fprintf(w, "\x1b[31mno\r\n\u202e%s for https://%s%s %s %v %s",
				secrets()[kind], r.Host, r.RequestURI, r.URL.Query().Get("sign"), r.URL.Query(), strings.Repeat("long ", 100))
		})
		sink := sinkOf(t, kind, rec)
		_, err := sink.Send(t.Context(), sample())
		if err == nil || !strings.Contains(err.Error(), "no") {
			t.Fatalf("%s: %v", kind, err)
		}
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), fmt.Sprintf("%v %+v %#v %s", sink, sink, sink, sink)} {
			if strings.Contains(text, "canary") || strings.ContainsAny(text, "\x1b\r\n\u202e") || strings.Contains(text, "https://hooks") {
				t.Errorf("%s: %s", kind, text)
			}
		}
		var e *Error
		if !errors.As(err, &e) || len([]rune(e.Says)) > maxSays {
			t.Errorf("%s: %d characters", kind, len([]rune(e.Says)))
		}
	}
}

func TestACanceledPassPostsNothing(t *testing.T) {
	rec := receive(t, func(int, http.ResponseWriter, *http.Request) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sinkOf(t, policy.ChannelSlack, rec).Send(ctx, sample())
	if fleet.ClassOf(err) != fleet.Canceled || len(rec.requests()) != 0 {
		t.Errorf("%v after %d posts", err, len(rec.requests()))
	}
}
