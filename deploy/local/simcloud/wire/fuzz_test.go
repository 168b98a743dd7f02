package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/wire"
)

func fuzzRouter(f *testing.F, p *product) *wire.Router {
	f.Helper()
	r, err := wire.NewRouter(wire.Options{
		World: simcloud.NewWorld(simcloud.NewClock(virtual), []string{"1"}, []string{"cn-hangzhou"}),
		Keys:  oneKey{}, Authorizer: oneKey{true}, Real: func() time.Time { return real },
	})
	if err != nil {
		f.Fatal(err)
	}
	if err := r.Register("ecs", p); err != nil {
		f.Fatal(err)
	}
	return r
}

// Whatever comes, the gateway answers an error, and no method runs: nothing
// here is signed.
func FuzzUnsignedRequestsNeverReachAMethod(f *testing.F) {
	f.Add("Action=RunInstances&Version=2014-05-26&AccessKeyId=ak&SignatureMethod=HMAC-SHA1", "", "", "", "")
	f.Add("RegionId=cn-hangzhou", "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=host,Signature=00", "RunInstances", "2014-05-26", "Tag.1.Key=a")
	f.Add("%zz=1&a=1&a=2", "ACS3-HMAC-SHA256", "RunInstances", "2014-05-26", "%")
	p := &product{}
	r := fuzzRouter(f, p)
	f.Fuzz(func(t *testing.T, query, authorization, action, version, body string) {
		req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		req.URL.RawQuery = query
		req.Header.Set("Authorization", authorization)
		req.Header.Set("x-acs-action", action)
		req.Header.Set("x-acs-version", version)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		if len(p.seen()) != 0 || w.Code < 400 {
			t.Errorf("status %d, %d calls", w.Code, len(p.seen()))
		}
	})
}

// Whatever signed parameters come, decoding never panics.
func FuzzSignedParametersNeverPanic(f *testing.F) {
	f.Add("Tag.1.Key", "v", "HostNames.1000", "w")
	f.Add("SystemDisk.Category", "", "Amount", "99999999999999999999")
	f.Add("HostNames.1.2.3", "v", "Tag.-1.Key", "")
	r := fuzzRouter(f, &product{})
	var nonce atomic.Int64
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		x := &bench{t: t, Server: &httptest.Server{URL: "http://127.0.0.1"}}
		x.nonce.Store(nonce.Add(1))
		req := x.request("RunInstances", map[string]string{"RegionId": "cn-hangzhou", k1: v1, k2: v2}, nil)
		req.RemoteAddr = "127.0.0.1:1"
		req.Body = http.NoBody
		w := httptest.NewRecorder()
		r.ServeHTTP(w, req)
		if w.Code == 500 {
			t.Errorf("%q=%q %q=%q: %s", k1, v1, k2, v2, w.Body)
		}
	})
}
