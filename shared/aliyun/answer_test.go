package aliyun_test

import (
	"net/http"
	"strings"
	"testing"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

func TestAnswerThatCannotBeReadIsNoAnswer(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": "<html>captive portal</html>", "cut off": `{"RequestId":"R","AccountId":"1`, "other type": `{"RequestId":"R","AccountId":1,"Role":1}`,
		"two values": `{"RequestId":"R"}{}`, "blank": " ",
		// The gateway answered, and no product did: nothing is to be read from it.
		"no request id": `{}`, "no request id, but a list": `{"AccountId":"1"}`,
	} {
		t.Run(name, func(t *testing.T) {
			url, count := answering(t, text(200, body))
			s, w := newSession(t, url, 0)
			got, err := read(t.Context(), s)
			if fleet.ClassOf(err) != fleet.Unavailable || got != nil || int(count.Load()) != len(w.all)+1 {
				t.Errorf("read: got %v, %v after %d requests", got, err, count.Load())
			}
			count.Store(0)
			err = write(t.Context(), s, "role")
			if fleet.ClassOf(err) != fleet.Lost || count.Load() != 1 {
				t.Errorf("write: got %v after %d requests, want Lost after 1", err, count.Load())
			}
		})
	}
}

func TestAnswerWithDuplicateNamesTakesTheLast(t *testing.T) {
	url, _ := answering(t, text(200, `{"RequestId":"R","AccountId":"1","AccountId":"2"}`))
	s, _ := newSession(t, url, 0)
	got, err := read(t.Context(), s)
	if err != nil || got.AccountID != "2" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestHugeAnswerIsRefused(t *testing.T) {
	const answer = `{"RequestId":"R"}`
	spaces := strings.Repeat(" ", 32<<20)
	for padding, want := range map[string]fleet.Class{spaces: fleet.Unavailable, spaces[len(answer):]: fleet.Unclassified} {
		url, _ := answering(t, text(200, answer+padding))
		s, _ := newSession(t, url, 1) // no retries: each would send 32 MiB
		_, err := read(t.Context(), s)
		if want == fleet.Unclassified && err != nil {
			t.Errorf("%d bytes: %v", len(answer)+len(padding), err)
		}
		if want == fleet.Unavailable && fleet.ClassOf(err) != fleet.OutOfBudget {
			t.Errorf("%d bytes: got %v, want that it is tried again and the budget ends that", len(answer)+len(padding), err)
		}
	}
}

func TestErrorPageOfAProxyIsNoAnswer(t *testing.T) {
	url, count := answering(t, text(502, "<html>Bad Gateway</html>"))
	s, _ := newSession(t, url, 0)
	if _, err := read(t.Context(), s); fleet.ClassOf(err) != fleet.Unavailable {
		t.Errorf("read: got %v", err)
	}
	count.Store(0)
	if err := write(t.Context(), s, "role"); fleet.ClassOf(err) != fleet.Lost || count.Load() != 1 {
		t.Errorf("write: got %v after %d requests", err, count.Load())
	}
}

func TestHostHeaderStaysTheRealEndpoint(t *testing.T) {
	for _, x := range []struct {
		product aliyun.Product
		region  fleet.Region
		want    string
	}{
		{aliyun.STS, "cn-hangzhou", "sts.cn-hangzhou.aliyuncs.com"},
		{aliyun.STS, "", "sts.aliyuncs.com"},
		{aliyun.RAM, "cn-hangzhou", "ram.aliyuncs.com"},
		{aliyun.ECS, "cn-hangzhou", "ecs-cn-hangzhou.aliyuncs.com"},
		{aliyun.ECS, "eu-central-1", "ecs.eu-central-1.aliyuncs.com"},
		{aliyun.KMS, "cn-shanghai", "kms.cn-shanghai.aliyuncs.com"},
	} {
		var host string
		url, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
			host = r.Host
			text(200, `{"RequestId":"R"}`)(w, r)
		})
		s, _ := newSession(t, url, 0)
		if _, err := aliyun.Do[none, none](t.Context(), s, aliyun.API{Product: x.product, Action: "Any", Region: x.region}, &none{}); err != nil {
			t.Fatal(err)
		}
		if host != x.want {
			t.Errorf("%s in %q: got host %q, want %q", x.product.Name, x.region, host, x.want)
		}
	}
}
