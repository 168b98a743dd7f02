package fc_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/fc"
)

// client is one of a service that answers by the path and the page token of a request.
func client(t *testing.T, answers map[string]string) *fc.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		w.Header().Set("x-fc-request-id", "1")
		_, _ = w.Write([]byte(answers[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]+" "+q.Get("nextToken")+q.Get("NextToken")]))
	}))
	t.Cleanup(srv.Close)
	cloud := aliyuntest.Cloud(t, srv.URL, aliyun.Keys{AccessKeyID: "ak", AccessKeySecret: "sk"})
	return fc.New(cloud.NewSession(0), "cn-hangzhou")
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	c := client(t, map[string]string{
		"triggers ": `{"triggers":[{"triggerName":"a"}],"nextToken":"2"}`, "triggers 2": `{"triggers":[{"triggerName":"b"}]}`,
		"tags-v2 ": `{"TagResources":[],"NextToken":"2"}`, "tags-v2 2": `{"TagResources":[{"TagKey":"k","TagValue":"v"}]}`,
	})
	if got, err := c.Triggers(t.Context(), "f"); err != nil || len(got) != 2 || got[1].Name != "b" {
		t.Errorf("triggers %v, %v", got, err)
	}
	if got, err := c.Tags(t.Context(), "arn"); err != nil || got["k"] != "v" {
		t.Errorf("tags %v, %v", got, err)
	}
}

// A list whose next page is the one just read is not at its end.
func TestAListThatRepeatsAPageIsAnError(t *testing.T) {
	c := client(t, map[string]string{
		"triggers ": `{"triggers":[],"nextToken":"2"}`, "triggers 2": `{"triggers":[],"nextToken":"2"}`,
		"tags-v2 ": `{"TagResources":[],"NextToken":"2"}`, "tags-v2 2": `{"TagResources":[],"NextToken":"2"}`,
	})
	if got, err := c.Triggers(t.Context(), "f"); err == nil {
		t.Errorf("triggers %v", got)
	}
	if got, err := c.Tags(t.Context(), "arn"); err == nil {
		t.Errorf("tags %v", got)
	}
}

// The code of a function is read from an address that anyone may read: it is in no error.
func TestTheCodeOfAFunctionIsReadFromASecretAddress(t *testing.T) {
	answer := http.StatusOK
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(answer)
		_, _ = w.Write([]byte("zip"))
	}))
	defer store.Close()
	secret := "/code?Signature=s3cret"
	c := client(t, map[string]string{"code ": `{"checksum":"1","url":"` + store.URL + secret + `"}`})
	if got, err := c.Code(t.Context(), "f"); err != nil || string(got) != "zip" {
		t.Errorf("%q, %v", got, err)
	}
	answer = http.StatusForbidden
	if got, err := c.Code(t.Context(), "f"); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%q, %v", got, err)
	}
	for name, address := range map[string]string{"nothing": "", "no address": "%", "another scheme": "file:///etc/passwd?s3cret", "not encrypted": "http://example.com/" + secret, "nothing there": "http://127.0.0.1:1" + secret} {
		c := client(t, map[string]string{"code ": `{"checksum":"1","url":"` + address + `"}`})
		if got, err := c.Code(t.Context(), "f"); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := client(t, map[string]string{"code ": ""}).Code(t.Context(), "f"); err == nil {
		t.Errorf("%q without an answer", got)
	}
}
