package mns_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/wire"
)

// anyone may do anything with the secret "sk".
type anyone struct{}

func (anyone) Key(string, string) (string, wire.Identity, error) { return "sk", wire.Identity{}, nil }

func (anyone) Allowed(wire.Identity, string, string, map[string]string) bool { return true }

// FuzzRequest: no signed request makes the service panic, hang or answer other
// than with well-formed XML, and none is an internal error.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/queues", "")
	f.Add("POST", "/queues/q/messages", `<Message><MessageBody>x</MessageBody><Priority>8</Priority></Message>`)
	f.Add("POST", "/queues/q/messages", `<Messages><Message><MessageBody>x</MessageBody></Message></Messages>`)
	f.Add("GET", "/queues/q/messages?numOfMessages=16", "")
	f.Add("GET", "/queues/q/messages?peekonly=true", "")
	f.Add("DELETE", "/queues/q/messages?ReceiptHandle=eHw%3D", "")
	f.Add("DELETE", "/queues/q/messages", `<ReceiptHandles><ReceiptHandle>x</ReceiptHandle></ReceiptHandles>`)
	f.Fuzz(func(t *testing.T, method, path, body string) {
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Host != "" || u.Query().Get("waitseconds") != "" || method == "" {
			return // not a request, or one that waits
		}
		w := simcloud.NewWorld(simcloud.NewClock(start), nil, nil)
		h := &mns.Handler{Service: mns.New(w), Keys: anyone{}, Authorizer: anyone{}, Faults: &simcloud.Faults{}, Log: &wire.Log{}}
		if _, err := h.Service.Create(name("q"), mns.Defaults()); err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, signed(t, method, path, body))
		if answer.Code == http.StatusInternalServerError {
			t.Errorf("%s", answer.Body)
		}
		if answer.Body.Len() > 0 {
			var v struct{ XMLName xml.Name }
			if err := xml.Unmarshal(answer.Body.Bytes(), &v); err != nil || v.XMLName.Space != "http://mns.aliyuncs.com/doc/v1/" {
				t.Errorf("answer %q: %v", answer.Body, err)
			}
		}
	})
}

// signed is a request with a valid signature; it need not be one that a client
// could send.
func signed(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Method, r.URL, r.RequestURI = method, u, path
	r.Host = "1000000000000001.mns.cn-hangzhou.aliyuncs.com"
	r.Body = io.NopCloser(strings.NewReader(body))
	date := time.Now().UTC().Format(http.TimeFormat)
	r.Header.Set("Date", date)
	r.Header.Set("x-mns-version", "2015-06-06")
	mac := hmac.New(sha1.New, []byte("sk"))
	mac.Write([]byte(method + "\n\n\n" + date + "\nx-mns-version:2015-06-06\n" + path))
	r.Header.Set("Authorization", "MNS ak:"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}
