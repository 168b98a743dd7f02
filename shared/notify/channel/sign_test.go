package channel

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/policy"
)

// The vectors were computed with the code of the vendors' pages.
func TestSignaturesAreThoseOfTheVectors(t *testing.T) {
	address, err := url.Parse("https://oapi.dingtalk.com/robot/send?access_token=T")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{url: *address}
	dingtalk().sign(p, "SECtest", time.UnixMilli(1_700_000_000_000))
	if got := p.url.RequestURI(); got != "/robot/send?access_token=T&sign=aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g%3D&timestamp=1700000000000" {
		t.Errorf("DingTalk: %s", got)
	}
	p = &post{body: []byte(`{"msg_type":"text"}`)}
	feishu().sign(p, "test", time.Unix(1_700_000_000, 0))
	if want := `{"timestamp":"1700000000","sign":"eSJQnOl8XqPTMPHWz9e5IzeHS/tqoc68g2967ekIPmg=","msg_type":"text"}`; string(p.body) != want {
		t.Errorf("Feishu: %s", p.body)
	}
}

func TestARobotWithoutAKeyIsNotSigned(t *testing.T) {
	for kind, secret := range map[string]string{
		policy.ChannelDingTalk: "https://oapi.dingtalk.com/robot/send?access_token=T",
		policy.ChannelFeishu:   "https://open.feishu.cn/open-apis/bot/v2/hook/T",
	} {
		rec := receive(t, func(int, http.ResponseWriter, *http.Request) {})
		c := policy.Channel{Type: kind}
		client, err := Client(c, rec.serv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		sink, err := New(c, secret, client, noon)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = sink.Send(t.Context(), sample())
		if got := rec.requests()[0]; strings.Contains(got.URI+got.Body, "sign") {
			t.Errorf("%s: %+v", kind, got)
		}
	}
}

// It verifies as the package comment says.
func TestAReceiverCanVerifyAWebhook(t *testing.T) {
	rec := receive(t, func(int, http.ResponseWriter, *http.Request) {})
	sink := sinkOf(t, policy.ChannelWebhook, rec)
	if _, err := sink.Send(t.Context(), sample()); err != nil {
		t.Fatal(err)
	}
	got := rec.requests()[0]
	h := hmac.New(sha256.New, []byte("canary-key"))
	h.Write([]byte(got.Header.Get(HeaderTimestamp) + "." + got.Body))
	if want := "sha256=" + hex.EncodeToString(h.Sum(nil)); got.Header.Get(HeaderSignature) != want || got.Header.Get(HeaderTimestamp) != "1700000000" {
		t.Errorf("got %v, want %s", got.Header, want)
	}
	if got.Body != string(sink.Payload(sample())) {
		t.Errorf("the preview is not as posted: %s", got.Body)
	}
}

func TestAPreviewIsThePostWithoutSignatureAndSecret(t *testing.T) {
	for _, kind := range kinds() {
		rec := receive(t, func(int, http.ResponseWriter, *http.Request) {})
		sink := sinkOf(t, kind, rec)
		_, _ = sink.Send(t.Context(), sample())
		preview := string(sink.Payload(sample()))
		if strings.Contains(preview, "canary") || !json.Valid([]byte(preview)) || !strings.HasSuffix(rec.requests()[0].Body, preview[1:]) {
			t.Errorf("%s: %s", kind, preview)
		}
	}
}
