package oss_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/oss"
	"fleetwarden/deploy/local/simcloud/wire"
)

// anyCaller accepts every key and allows everything.
type anyCaller struct{}

func (anyCaller) Key(string, string) (string, wire.Identity, error) {
	return "secret", wire.Identity{Account: "1"}, nil
}

func (anyCaller) Allowed(wire.Identity, string, string, map[string]string) bool { return true }

// Whatever comes, it is answered, and nothing is written without a signature.
func FuzzUnsignedRequestsChangeNothing(f *testing.F) {
	f.Add("PUT", "/bucket/k", "", "oss-cn-hangzhou.aliyuncs.com", "OSS4-HMAC-SHA256 Credential=a/20260105/cn-hangzhou/oss/aliyun_v4_request,Signature=0", "body")
	f.Add("GET", "/", "list-type=2&max-keys=0&continuation-token=%", "bucket.oss-cn-hangzhou.aliyuncs.com", "OSS4-HMAC-SHA256 Credential=", "")
	f.Add("DELETE", "/bucket//", "acl", "127.0.0.1:1", "OSS4-HMAC-SHA256 ,,,==", "")
	f.Add("GET", "/", "versioning&acl", "127.0.0.1:1", "OSS a:b", "")
	f.Fuzz(func(t *testing.T, method, path, query, host, authorization, body string) {
		r, err := http.NewRequest(method, "http://h/", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r.URL.Path, r.URL.RawQuery, r.Host = path, query, host
		r.Header["Authorization"] = []string{authorization}
		w := simcloud.NewWorld(simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)), []string{"1"}, []string{"cn-hangzhou"})
		s := oss.New(w)
		if err := s.CreateBucket("1", "cn-hangzhou", "bucket"); err != nil {
			t.Fatal(err)
		}
		oss.Owns(r)
		rec := httptest.NewRecorder()
		h := oss.Handler{Service: s, Keys: anyCaller{}, Authorizer: anyCaller{}, Faults: &simcloud.Faults{}, Log: &wire.Log{}}
		h.ServeHTTP(rec, r)
		if rec.Code < 400 || len(s.Keys("bucket", "")) != 0 {
			t.Errorf("%s %s: answered %d, objects %v", method, path, rec.Code, s.Keys("bucket", ""))
		}
	})
}

func TestOwnsIsByHostOrSignature(t *testing.T) {
	for host, want := range map[string][2]bool{ // without and with a signature
		"oss-cn-hangzhou.aliyuncs.com": {true, true}, "b.oss-cn-hangzhou-internal.aliyuncs.com:80": {true, true},
		"127.0.0.1:4571": {false, true}, "localhost": {false, true}, "ecs.aliyuncs.com": {false, false}, "1.mns.cn-hangzhou.aliyuncs.com": {false, false},
		"a.b.oss-cn-hangzhou.aliyuncs.com": {false, false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		got := []bool{oss.Owns(r)}
		r.Header.Set("Authorization", "OSS4-HMAC-SHA256 x")
		if got = append(got, oss.Owns(r)); !slices.Equal(got, want[:]) {
			t.Errorf("%s: got %v, want %v", host, got, want)
		}
	}
}

// Whatever stands in Range and the conditions, a read stays inside the object.
func FuzzReadHeaders(f *testing.F) {
	f.Add("bytes=0-1", "standard", "*", "Mon, 05 Jan 2026 00:00:00 GMT")
	f.Add("bytes=-9", "", `"a", "b"`, "")
	f.Add("bytes=9-", "standard", "", "x")
	f.Fuzz(func(t *testing.T, ranges, behavior, tag, date string) {
		w := simcloud.NewWorld(simcloud.NewClock(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)), []string{"1"}, []string{"cn-hangzhou"})
		s := oss.New(w)
		if err := s.CreateBucket("1", "cn-hangzhou", "bucket"); err != nil {
			t.Fatal(err)
		}
		const body = "0123456789"
		if err := s.Replace("bucket", "k", []byte(body)); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "/bucket/k", nil)
		r.Host = "127.0.0.1:1"
		for name, value := range map[string]string{
			"Range": ranges, "X-Oss-Range-Behavior": behavior, "If-Match": tag, "If-None-Match": tag, "If-Modified-Since": date, "If-Unmodified-Since": date,
			"Date": time.Now().UTC().Format(http.TimeFormat),
		} {
			r.Header.Set(name, value)
		}
		r.Header.Set("Authorization", "OSS a:"+oss.SignV1(r, "bucket", "k", "secret"))
		rec := httptest.NewRecorder()
		(&oss.Handler{Service: s, Keys: anyCaller{}, Authorizer: anyCaller{}, Faults: &simcloud.Faults{}, Log: &wire.Log{}}).ServeHTTP(rec, r)
		switch rec.Code {
		case 200, 206:
			if !strings.Contains(body, rec.Body.String()) || (rec.Code == 200) != (rec.Body.String() == body && rec.Header().Get("Content-Range") == "") {
				t.Errorf("Range %q: got %d %q", ranges, rec.Code, rec.Body)
			}
		case 304, 412, 416:
		default:
			t.Errorf("got %d %s", rec.Code, rec.Body)
		}
	})
}
