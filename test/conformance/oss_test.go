package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	osskeys "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
)

// oss is the official client with path style, since the address has no name.
func (c *cloud) oss(who identity) *oss.Client {
	return oss.NewClient(oss.LoadDefaultConfig().WithRegion("cn-hangzhou").WithEndpoint(c.URL()).WithUsePathStyle(true).WithRetryMaxAttempts(1).
		WithCredentialsProvider(osskeys.NewStaticCredentialsProvider(who.key, who.secret, who.token)))
}

func (c *cloud) bucket(name string) {
	c.t.Helper()
	_, err := c.oss(sharerAdmin).PutBucket(c.t.Context(), &oss.PutBucketRequest{Bucket: &name})
	c.ok(err)
}

func put(ctx context.Context, api *oss.Client, bucket, key, body string, options ...func(*oss.PutObjectRequest)) error {
	req := &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}
	for _, o := range options {
		o(req)
	}
	_, err := api.PutObject(ctx, req)
	return err
}

func once(r *oss.PutObjectRequest) { r.ForbidOverwrite = oss.Ptr("true") }

func ossCode(err error) string {
	var e *oss.ServiceError
	if !errors.As(err, &e) {
		return fmt.Sprint(err)
	}
	if e.RequestID == "" {
		return "no request id"
	}
	return fmt.Sprint(e.StatusCode, " ", e.Code)
}

func TestOSSObjectsComeBackAsTheyWerePut(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	api := c.oss(sharerAdmin)
	for _, key := range []string{"a", "a/b c+d%20/é.json", "a//b", "~*'()"} {
		body := "body of " + key
		c.ok(put(t.Context(), api, "ledger-bucket", key, body))
		got, err := api.GetObject(t.Context(), &oss.GetObjectRequest{Bucket: oss.Ptr("ledger-bucket"), Key: &key})
		c.ok(err)
		text, err := io.ReadAll(got.Body)
		c.ok(err)
		c.ok(got.Body.Close())
		if string(text) != body || got.ETag == nil || !strings.HasPrefix(*got.ETag, `"`) {
			t.Errorf("%s: got %q with ETag %v", key, text, got.ETag)
		}
		head, err := api.HeadObject(t.Context(), &oss.HeadObjectRequest{Bucket: oss.Ptr("ledger-bucket"), Key: &key})
		c.ok(err)
		if head.ContentLength != int64(len(body)) || *head.ETag != *got.ETag {
			t.Errorf("%s: the head reports %d bytes with %s", key, head.ContentLength, *head.ETag)
		}
	}
	_, err := api.DeleteObject(t.Context(), &oss.DeleteObjectRequest{Bucket: oss.Ptr("ledger-bucket"), Key: oss.Ptr("a")})
	c.ok(err)
	_, err = api.HeadObject(t.Context(), &oss.HeadObjectRequest{Bucket: oss.Ptr("ledger-bucket"), Key: oss.Ptr("a")})
	if got := ossCode(err); got != "404 NoSuchKey" {
		t.Errorf("after deletion: got %s", got)
	}
}

func TestOSSRefusals(t *testing.T) {
	c := newCloud(t, server.Options{Propagation: -1})
	c.bucket("ledger-bucket")
	ctx, api := t.Context(), c.oss(sharerAdmin)
	c.makeRole("writer", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":["fc.aliyuncs.com"]}}]}`,
		`{"Effect":"Allow","Action":"oss:PutObject","Resource":"acs:oss:*:*:ledger-bucket/mine/*"},
		 {"Effect":"Allow","Action":"oss:ListObjects","Resource":"acs:oss:*:*:ledger-bucket","Condition":{"StringLike":{"oss:Prefix":"mine/*"}}}`)
	writer := c.oss(c.asFunction("writer"))
	get := func(api *oss.Client, bucket, key string) error {
		_, err := api.GetObject(ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key})
		return err
	}
	list := func(api *oss.Client, prefix string) error {
		_, err := api.ListObjectsV2(ctx, &oss.ListObjectsV2Request{Bucket: oss.Ptr("ledger-bucket"), Prefix: &prefix})
		return err
	}
	c.ok(put(ctx, api, "ledger-bucket", "k", "1", once))
	elsewhere := oss.NewClient(oss.LoadDefaultConfig().WithRegion("cn-shanghai").WithEndpoint(c.URL()).WithUsePathStyle(true).
		WithCredentialsProvider(osskeys.NewStaticCredentialsProvider("local-ak", "local-sk")))
	_, other := c.oss(shareeAdmin).PutBucket(ctx, &oss.PutBucketRequest{Bucket: oss.Ptr("ledger-bucket")})
	for _, x := range []struct {
		name string
		err  error
		want string
	}{
		{"a second write of what must not be overwritten", put(ctx, api, "ledger-bucket", "k", "2", once), "409 FileAlreadyExists"},
		{"an overwrite that is not forbidden", put(ctx, api, "ledger-bucket", "k", "3"), "<nil>"},
		{"a missing key", get(api, "ledger-bucket", "none"), "404 NoSuchKey"},
		{"a missing bucket", get(api, "no-bucket", "k"), "404 NoSuchBucket"},
		{"a bucket name that another account has", other, "409 BucketAlreadyExists"},
		{"a wrong secret", get(c.oss(identity{"local-ak", "wrong", ""}), "ledger-bucket", "k"), "403 SignatureDoesNotMatch"},
		{"an unknown key", get(c.oss(identity{"unknown", "s", ""}), "ledger-bucket", "k"), "403 InvalidAccessKeyId"},
		{"another account's administrator", get(c.oss(shareeAdmin), "ledger-bucket", "k"), "403 AccessDenied"},
		{"another region's endpoint", get(elsewhere, "ledger-bucket", "k"), "403 AccessDenied"},
		{"a role in its prefix", put(ctx, writer, "ledger-bucket", "mine/k", "1"), "<nil>"},
		{"a role outside of its prefix", put(ctx, writer, "ledger-bucket", "theirs/k", "1"), "403 AccessDenied"},
		{"a role that may not read", get(writer, "ledger-bucket", "mine/k"), "403 AccessDenied"},
		{"a role that lists its prefix", list(writer, "mine/"), "<nil>"},
		{"a role that lists everything", list(writer, ""), "403 AccessDenied"},
	} {
		if got := ossCode(x.err); got != x.want {
			t.Errorf("%s: got %s, want %s", x.name, got, x.want)
		}
	}
}

func TestOSSListsInOrderPageByPage(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	api := c.oss(sharerAdmin)
	var want []string
	for i := range 23 {
		key := fmt.Sprintf("x/%02d/a b", i)
		want = append(want, key)
		c.ok(put(t.Context(), api, "ledger-bucket", key, "1"))
		c.ok(put(t.Context(), api, "ledger-bucket", fmt.Sprintf("y/%02d", i), "1"))
	}
	list := func(r oss.ListObjectsV2Request) (keys []string, pages int) {
		r.Bucket = oss.Ptr("ledger-bucket")
		p := api.NewListObjectsV2Paginator(&r)
		for p.HasNext() {
			page, err := p.NextPage(t.Context())
			c.ok(err)
			pages++
			for _, o := range page.Contents {
				keys = append(keys, *o.Key)
			}
			for _, o := range page.CommonPrefixes {
				keys = append(keys, *o.Prefix)
			}
		}
		return keys, pages
	}
	keys, pages := list(oss.ListObjectsV2Request{Prefix: oss.Ptr("x/"), MaxKeys: 5})
	if diff := cmp.Diff(want, keys); diff != "" || pages != 5 {
		t.Errorf("%d pages: %s", pages, diff)
	}
	keys, _ = list(oss.ListObjectsV2Request{Prefix: oss.Ptr("x/"), StartAfter: oss.Ptr(want[19])})
	if diff := cmp.Diff(want[20:], keys); diff != "" {
		t.Error(diff)
	}
	keys, pages = list(oss.ListObjectsV2Request{Delimiter: oss.Ptr("/"), MaxKeys: 1})
	if !slices.Equal(keys, []string{"x/", "y/"}) || pages != 2 {
		t.Errorf("got %v in %d pages", keys, pages)
	}
	if keys, _ = list(oss.ListObjectsV2Request{Prefix: oss.Ptr("z")}); len(keys) != 0 {
		t.Errorf("got %v below a prefix that nothing has", keys)
	}
}

func TestOSSFaults(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	api := c.oss(sharerAdmin)
	for kind, want := range map[simcloud.FaultKind]string{
		simcloud.Throttle: "503 QpsLimitExceeded", simcloud.Unavailable: "503 ServiceUnavailable", simcloud.InternalError: "500 InternalError",
		simcloud.Deny: "403 AccessDenied",
	} {
		c.ok(c.Faults.Set(1, []simcloud.Fault{{Product: "oss", Action: "PutObject", Kind: kind, Count: 1}}, simcloud.EventFaults{}))
		if got := ossCode(put(t.Context(), api, "ledger-bucket", string(kind), "1")); got != want {
			t.Errorf("%s: got %s", kind, got)
		}
		if c.OSS.Object("ledger-bucket", string(kind)) != nil {
			t.Errorf("%s: the object was written", kind)
		}
	}
	c.ok(c.Faults.Set(1, []simcloud.Fault{{Product: "oss", Kind: simcloud.TimeoutAfter, Count: 1}}, simcloud.EventFaults{}))
	if err := put(t.Context(), api, "ledger-bucket", "lost", "1"); err == nil || c.OSS.Object("ledger-bucket", "lost") == nil {
		t.Errorf("a lost answer: got %v, and the object must have been written", err)
	}
	var seen int
	for _, e := range c.Log.Since(0) {
		if e.Product == "oss" && e.Action == "PutObject" {
			seen++
		}
	}
	if seen != 5 {
		t.Errorf("the request log has %d PutObject, want 5", seen)
	}
}

func TestOSSForgedRequestsAreRefused(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	for _, x := range []struct {
		name  string
		forge func(*http.Request)
		want  string
	}{
		{"nothing forged", func(*http.Request) {}, "<nil>"},
		{"another key", func(r *http.Request) { r.URL.Path = "/ledger-bucket/other" }, "403 SignatureDoesNotMatch"},
		{"a parameter added", func(r *http.Request) { r.URL.RawQuery = "x=1" }, "403 SignatureDoesNotMatch"},
		{"a header added", func(r *http.Request) { r.Header.Set("x-oss-meta-a", "b") }, "403 SignatureDoesNotMatch"},
		{"another date", func(r *http.Request) { r.Header.Set("x-oss-date", "20200101T000000Z") }, "400 InvalidArgument"},
		{"no signature", func(r *http.Request) { r.Host = "oss-cn-hangzhou.aliyuncs.com"; r.Header.Del("Authorization") }, "403 AccessDenied"},
	} {
		forged := oss.NewClient(oss.LoadDefaultConfig().WithRegion("cn-hangzhou").WithEndpoint(c.URL()).WithUsePathStyle(true).WithRetryMaxAttempts(1).
			WithCredentialsProvider(osskeys.NewStaticCredentialsProvider("local-ak", "local-sk")).
			WithHttpClient(&http.Client{Transport: forging(x.forge)}))
		if got := ossCode(put(t.Context(), forged, "ledger-bucket", "k", "1")); got != x.want {
			t.Errorf("%s: got %s, want %s", x.name, got, x.want)
		}
	}
}

// forging changes requests after they were signed.
type forging func(*http.Request)

func (f forging) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	f(r)
	return http.DefaultTransport.RoundTrip(r)
}
