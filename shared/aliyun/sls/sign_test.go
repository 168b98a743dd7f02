package sls

import (
	"net/http"
	"testing"
)

// The two examples of the vendor's page "Request signatures".
func TestTheSignatureIsThatOfThePublishedExamples(t *testing.T) {
	for want, x := range map[string]struct {
		method, path string
		header       map[string]string
	}{
		"jEYOTCJs2e88o+y5F4/S5IsnBJQ=": {"GET", "/logstores?size=1000&logstoreName=&offset=0", map[string]string{
			"Date": "Mon, 09 Nov 2015 06:11:16 GMT", "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1",
		}},
		"XWLGYHGg2F2hcfxWxMLiNkGki6g=": {"POST", "/logstores/test-logstore", map[string]string{
			"Date": "Mon, 09 Nov 2015 06:03:03 GMT", "x-log-apiversion": "0.6.0", "x-log-signaturemethod": "hmac-sha1",
			"Content-MD5": "1DD45FA4A70A9300CC9FE7305AF2C494", "Content-Type": "application/x-protobuf", "Content-Length": "52",
			"x-log-bodyrawsize": "50", "x-log-compresstype": "lz4",
		}},
	} {
		req, err := http.NewRequestWithContext(t.Context(), x.method, "http://ali-test-project.cn-hangzhou.log.aliyuncs.com"+x.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range x.header {
			req.Header.Set(name, v)
		}
		if got := signature(req, "4fdO2fTDDnZPU/L7CHNdemB2Nsk="); got != want {
			t.Errorf("%s %s: got %s, want %s", x.method, x.path, got, want)
		}
	}
}
