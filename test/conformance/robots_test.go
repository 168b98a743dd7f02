package conformance_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/robots"
	"fleetwarden/deploy/local/simcloud/server"
)

// robotSecret is the text of a robot's secret.
type robotSecret struct{ URL, Sign string }

// robot reads the secret of a robot of the start world, as the home account.
func (c *cloud) robot(name string) (s robotSecret) {
	c.t.Helper()
	body := plane{c, sharerAdmin, keyAPI}.must("GetSecretValue", map[string]any{"SecretName": "fleetwarden-" + name})
	var out struct{ SecretData string }
	c.ok(json.Unmarshal([]byte(body), &out))
	c.ok(json.Unmarshal([]byte(out.SecretData), &s))
	return s
}

// post sends JSON to an address, whose host is dialled at the local cloud.
func (c *cloud) post(ctx context.Context, address, body string, headers map[string]string) (status int, answer string, err error) {
	c.t.Helper()
	u, err := url.Parse(address)
	c.ok(err)
	local := *u
	local.Scheme, local.Host = "http", c.host()
	r, err := http.NewRequestWithContext(ctx, "POST", local.String(), strings.NewReader(body))
	c.ok(err)
	r.Host = u.Host
	r.Header.Set("Content-Type", "application/json")
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func hmac256(key, data string) []byte {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(data))
	return m.Sum(nil)
}

// Each robot of the start world takes what its documentation shows, at the address and under
// the signature of its secret.
func TestTheStartWorldHasARobotOfEachTypeWithItsSecret(t *testing.T) {
	c := newCloud(t, server.Options{})
	now := c.World.Clock.Now()
	ms, sec := fmt.Sprint(now.UnixMilli()), fmt.Sprint(now.Unix())
	text := `"msg_type":"text","content":{"text":"a word"}}`
	for name, x := range map[string]struct {
		body   func(robotSecret) string
		status int
		answer string
	}{
		"dingtalk": {func(robotSecret) string { return `{"msgtype":"text","text":{"content":"a word"}}` }, 200, `"errcode":0`},
		"feishu": {func(s robotSecret) string {
			return fmt.Sprintf(`{"timestamp":%q,"sign":%q,`, sec, base64.StdEncoding.EncodeToString(hmac256(sec+"\n"+s.Sign, ""))) + text
		}, 200, `"code":0`},
		"lark":    {func(robotSecret) string { return "{" + text }, 200, `"code":0`},
		"wecom":   {func(robotSecret) string { return `{"msgtype":"markdown","markdown":{"content":"a word"}}` }, 200, `"errcode":0`},
		"slack":   {func(robotSecret) string { return `{"text":"a word"}` }, 200, "ok"},
		"webhook": {func(robotSecret) string { return `{"a":"word"}` }, 204, ""},
		"teams": {func(robotSecret) string {
			return `{"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":{"type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","text":"a word"}]}}]}`
		}, 202, ""},
	} {
		s := c.robot(name)
		body, headers, at := x.body(s), map[string]string{}, s.URL
		switch name {
		case "dingtalk":
			at += "&timestamp=" + ms + "&sign=" + url.QueryEscape(base64.StdEncoding.EncodeToString(hmac256(s.Sign, ms+"\n"+s.Sign)))
		case "webhook":
			headers["X-Fleetwarden-Timestamp"] = sec
			headers["X-Fleetwarden-Signature"] = "sha256=" + hex.EncodeToString(hmac256(s.Sign, sec+"."+body))
		}
		status, answer, err := c.post(t.Context(), at, body, headers)
		if err != nil || status != x.status || !strings.Contains(answer, x.answer) {
			t.Errorf("%s: got %d %s, %v", name, status, answer, err)
		}
		if got := c.Robots.Accepted(name); len(got) != 1 || got[0].Body != body {
			t.Errorf("%s: kept %+v, refused %+v", name, got, c.Robots.Refused(""))
		}
	}
}

func TestTheControlShowsWhatChannelsGotAndNoAddress(t *testing.T) {
	c := newCloud(t, server.Options{})
	slack := c.robot("slack").URL
	for _, body := range []string{`{"text":"a word"}`, `{}`} {
		_, _, err := c.post(t.Context(), slack, body, nil)
		c.ok(err)
	}
	_, _, err := c.post(t.Context(), slack+"x", `{"text":"lost"}`, nil)
	c.ok(err)
	plane{c, sharerAdmin, mailAPI}.must("SingleSendMail", mail(nil))
	var got map[string]any
	if status := c.control("GET", "channels", "", &got); status != 200 {
		t.Fatalf("got %d", status)
	}
	now := "2026-01-05T00:00:00Z"
	want := map[string]any{
		"accepted": []any{map[string]any{"robot": "slack", "type": "slack", "time": now, "body": `{"text":"a word"}`, "status": 200.0}},
		"refused": []any{
			map[string]any{"robot": "slack", "type": "slack", "time": now, "body": `{}`, "status": 400.0, "code": "no_text", "reason": "neither text nor blocks"},
			map[string]any{"type": "slack", "time": now, "body": `{"text":"lost"}`, "status": 403.0, "code": "invalid_token", "reason": "invalid_token"},
		},
	}
	mails, _ := got["mails"].([]any)
	delete(got, "mails")
	if diff := cmp.Diff(want, got); diff != "" || len(mails) != 1 {
		t.Errorf("%d mails%s", len(mails), diff)
	}
	for _, e := range c.Log.Since(0) {
		if e.Product == "slack" && e.Action != "slack" && e.Action != "(unknown)" {
			t.Errorf("the log says %+v", e)
		}
	}
}

func TestAPostThatHangsEndsWhenItsClientGivesUp(t *testing.T) {
	for kind, accepted := range map[simcloud.FaultKind]int{simcloud.HangBefore: 0, simcloud.HangAfter: 1} {
		c := newCloud(t, server.Options{})
		c.ok(c.Faults.Set(1, []simcloud.Fault{{Product: string(robots.Slack), Kind: kind}}, simcloud.EventFaults{}))
		at := c.robot("slack").URL
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, _, err := c.post(ctx, at, `{"text":"a word"}`, nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || len(c.Robots.Accepted("slack")) != accepted {
			t.Errorf("%s: got %v, %d accepted", kind, err, len(c.Robots.Accepted("slack")))
		}
	}
}

func TestPostsAndMailsAreNotInTheDigest(t *testing.T) {
	c := newCloud(t, server.Options{})
	digest := func() any {
		var out map[string]any
		c.control("GET", "world?digest=1", "", &out)
		return out["digest"]
	}
	before := digest()
	_, _, err := c.post(t.Context(), c.robot("slack").URL, `{"text":"a word"}`, nil)
	c.ok(err)
	if digest() != before {
		t.Error("a post changed the digest")
	}
}
