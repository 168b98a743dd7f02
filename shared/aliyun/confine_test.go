package aliyun_test

import (
	"net/http"
	"strings"
	"testing"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

func TestARedirectIsNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere := 0
		url, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "sts.cn-hangzhou.aliyuncs.com" && r.Host != "ram.aliyuncs.com" {
				elsewhere++
				text(200, `{"RequestId":"R","AccountId":"666"}`)(w, r)
				return
			}
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(status)
		})
		s, _ := newSession(t, url, 0)
		if got, err := read(t.Context(), s); fleet.ClassOf(err) != fleet.Unavailable || got != nil {
			t.Errorf("%d, read: got %v, %v", status, got, err)
		}
		if err := write(t.Context(), s, "role"); fleet.ClassOf(err) != fleet.Lost {
			t.Errorf("%d, write: got %v", status, err)
		}
		if elsewhere != 0 {
			t.Errorf("%d: %d requests were sent elsewhere, with the security token", status, elsewhere)
		}
	}
}

func TestARegionThatWouldNameAnotherHostIsNotCalled(t *testing.T) {
	for _, region := range []fleet.Region{"evil.example/", "evil.example#", "evil.example?", "a@evil.example:443/", "cn-hangzhou.evil", "CN", "a b", "é"} {
		url, count := answering(t, text(200, `{"RequestId":"R"}`))
		s, _ := newSession(t, url, 0)
		for _, product := range []aliyun.Product{aliyun.STS, aliyun.ECS, aliyun.KMS, aliyun.SAS, aliyun.ActionTrail} {
			_, err := aliyun.Do[none, identity](t.Context(), s, aliyun.API{Product: product, Action: "GetCallerIdentity", Region: region}, &none{})
			if fleet.ClassOf(err) != fleet.Invalid {
				t.Errorf("%s in %q: got %v", product.Name, region, err)
			}
		}
		if count.Load() != 0 {
			t.Errorf("%q: %d requests were sent", region, count.Load())
		}
	}
}

func TestAnAnswerThatCannotBeReadIsNotQuoted(t *testing.T) {
	for name, body := range map[string]string{
		"a number":      `{"RequestId":"R","AccountId":31415926}`,
		"an object":     `{"RequestId":"R","AccountId":{"SecurityToken":"31415926"}}`,
		"a list":        `{"RequestId":"R","AccountId":["31415926"]}`,
		"no JSON":       `{"RequestId":"R","AccountId":31415926x}`,
		"no JSON, name": `{"RequestId":"R","31415926":}`,
	} {
		url, _ := answering(t, text(200, body))
		s, _ := newSession(t, url, 0)
		_, err := read(t.Context(), s)
		if err == nil || strings.Contains(err.Error(), "31415926") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
