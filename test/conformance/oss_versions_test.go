package conformance_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	osskeys "github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

// TestOSSOverwritesWhatMustNotBeOverwrittenInAVersionedBucket: the header
// x-oss-forbid-overwrite means nothing where versioning is, or ever was, enabled; only
// x-oss-version-id in the answer shows it.
func TestOSSOverwritesWhatMustNotBeOverwrittenInAVersionedBucket(t *testing.T) {
	c := newCloud(t, server.Options{})
	api := c.oss(sharerAdmin)
	for _, x := range []struct {
		states []oss.VersioningStatusType
		want   string // what comes of the second write
		now    string
	}{
		{nil, "409 FileAlreadyExists", "one"},
		{[]oss.VersioningStatusType{oss.VersionEnabled}, "<nil>", "two"},
		{[]oss.VersioningStatusType{oss.VersionEnabled, oss.VersionSuspended}, "<nil>", "two"},
		{[]oss.VersioningStatusType{oss.VersionSuspended}, "<nil>", "two"},
	} {
		name := fmt.Sprintf("bucket-%d", time.Now().UnixNano())
		c.bucket(name)
		state := ""
		for _, s := range x.states {
			_, err := api.PutBucketVersioning(t.Context(), &oss.PutBucketVersioningRequest{Bucket: &name, VersioningConfiguration: &oss.VersioningConfiguration{Status: s}})
			c.ok(err)
			state = string(s)
		}
		got, err := api.GetBucketVersioning(t.Context(), &oss.GetBucketVersioningRequest{Bucket: &name})
		c.ok(err)
		if now := value(got.VersionStatus); now != state {
			t.Errorf("%v: versioning is %q", x.states, now)
		}
		first, err := api.PutObject(t.Context(), &oss.PutObjectRequest{Bucket: &name, Key: oss.Ptr("k"), Body: strings.NewReader("one"), ForbidOverwrite: oss.Ptr("true")})
		c.ok(err)
		if noted := value(first.VersionId) != ""; noted != (state != "") {
			t.Errorf("%v: the answer names the version %q", x.states, value(first.VersionId))
		}
		if got := ossCode(put(t.Context(), api, name, "k", "two", once)); got != x.want {
			t.Errorf("%v: a second write: got %s, want %s", x.states, got, x.want)
		}
		if now := string(c.OSS.Object(name, "k")); now != x.now {
			t.Errorf("%v: the object is %q, want %q", x.states, now, x.now)
		}
	}
}

func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func TestOSSKeepsVersionsAndDeleteMarkers(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	bucket, key := oss.Ptr("ledger-bucket"), oss.Ptr("k")
	api, ctx := c.oss(sharerAdmin), t.Context()
	c.ok(put(ctx, api, *bucket, *key, "before"))
	c.ok(c.OSS.SetVersioning(*bucket, "Enabled"))
	second, err := api.PutObject(ctx, &oss.PutObjectRequest{Bucket: bucket, Key: key, Body: strings.NewReader("second")})
	c.ok(err)
	gone, err := api.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: bucket, Key: key})
	c.ok(err)
	if !gone.DeleteMarker || value(gone.VersionId) == "" {
		t.Errorf("a deletion answered %+v", gone)
	}
	read := func(version string) string {
		req := &oss.GetObjectRequest{Bucket: bucket, Key: key}
		if version != "" {
			req.VersionId = &version
		}
		got, err := api.GetObject(ctx, req)
		if err != nil {
			return ossCode(err)
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		c.ok(err)
		return string(text)
	}
	got := map[string]string{}
	for name, version := range map[string]string{"current": "", "before versioning": "null", "second": *second.VersionId, "marker": *gone.VersionId, "unknown": "none"} {
		got[name] = read(version)
	}
	want := map[string]string{
		"current": "404 NoSuchKey", "before versioning": "before", "second": "second", "marker": "405 MethodNotAllowed", "unknown": "404 NoSuchVersion",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	list, err := api.ListObjectsV2(ctx, &oss.ListObjectsV2Request{Bucket: bucket})
	c.ok(err)
	if len(list.Contents) != 0 {
		t.Errorf("a deleted object is listed: %+v", list.Contents)
	}
	_, err = api.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: bucket, Key: key, VersionId: gone.VersionId})
	c.ok(err)
	if now := read(""); now != "second" {
		t.Errorf("without its marker the object is %q", now)
	}
	// While versioning is suspended there is one version null, which is written over.
	c.ok(c.OSS.SetVersioning(*bucket, "Suspended"))
	for _, text := range []string{"third", "fourth"} {
		c.ok(put(ctx, api, *bucket, *key, text))
	}
	if now, null, kept := read(""), read("null"), read(*second.VersionId); now != "fourth" || null != "fourth" || kept != "second" {
		t.Errorf("suspended: current %q, null %q, the version of before %q", now, null, kept)
	}
}

// TestOSSAnswersNoSubresourceAsSomethingElse: every parameter and header that changes what
// a call is about is served, or refused by name.
func TestOSSAnswersNoSubresourceAsSomethingElse(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	api, ctx := c.oss(sharerAdmin), t.Context()
	c.ok(put(ctx, api, "ledger-bucket", "k", "1"))
	all := []string{"GET", "PUT", "DELETE"}
	served := map[string][]string{"acl": {"GET", "PUT"}, "bucketInfo": {"GET"}, "lifecycle": all, "tagging": all, "encryption": all, "publicAccessBlock": all}
	for _, part := range []string{"policy", "logging", "cors", "website", "referer", "transferAcceleration", "resourceGroup"} {
		served[part] = []string{"GET"}
	}
	for _, method := range []string{"GET", "PUT", "HEAD", "POST", "DELETE"} {
		for _, at := range []string{"/ledger-bucket/", "/ledger-bucket/k"} {
			for _, part := range []string{
				"acl", "lifecycle", "policy", "versions", "tagging", "uploads", "uploadId=1", "logging", "encryption", "bucketInfo", "location",
				"worm", "symlink", "restore", "append", "delete", "objectMeta", "x-oss-process=image", "publicAccessBlock",
				"cors", "website", "referer", "transferAcceleration", "resourceGroup",
			} {
				if at == "/ledger-bucket/" && slices.Contains(served[part], method) {
					continue
				}
				if got := c.ossRaw(method, at+"?"+part, "", nil); got.status != 501 || (method != "HEAD" && !strings.Contains(got.body, "NotImplemented")) {
					t.Errorf("%s %s?%s: got %d %s", method, at, part, got.status, got.body)
				}
			}
		}
	}
	for _, header := range []string{"x-oss-copy-source: /b/k", "x-oss-object-acl: public-read", "If-None-Match: *", "x-oss-tagging: a=b"} {
		name, text, _ := strings.Cut(header, ": ")
		if got := c.ossRaw("PUT", "/ledger-bucket/k", "2", map[string]string{name: text}); got.status != 501 {
			t.Errorf("PUT with %s: got %d %s", header, got.status, got.body)
		}
	}
	if now := string(c.OSS.Object("ledger-bucket", "k")); now != "1" {
		t.Errorf("the object has become %q", now)
	}
}

func TestOSSReadsUnderConditionsAndInParts(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	c.ok(put(t.Context(), c.oss(sharerAdmin), "ledger-bucket", "k", "0123456789"))
	tag := fmt.Sprintf(`"%X"`, md5.Sum([]byte("0123456789")))
	now := c.World.Clock.Now()
	date := func(d time.Duration) string { return now.Add(d).UTC().Format(http.TimeFormat) }
	for _, x := range []struct {
		header, value string
		status        int
		body          string
	}{
		{"If-Match", tag, 200, "0123456789"}, {"If-Match", `"other"`, 412, ""}, {"If-None-Match", tag, 304, ""}, {"If-None-Match", `"other"`, 200, "0123456789"},
		{"If-Modified-Since", date(0), 304, ""}, {"If-Modified-Since", date(-time.Hour), 200, "0123456789"}, {"If-Modified-Since", "soon", 200, "0123456789"},
		{"If-Unmodified-Since", date(0), 200, "0123456789"}, {"If-Unmodified-Since", date(-time.Hour), 412, ""},
		{"Range", "bytes=2-4", 206, "234"}, {"Range", "bytes=7-", 206, "789"}, {"Range", "bytes=-2", 206, "89"}, {"Range", "bytes=0-0", 206, "0"},
		{"Range", "bytes=5-99", 200, "0123456789"}, {"Range", "bytes=10-", 200, "0123456789"}, {"Range", "bytes=4-2", 200, "0123456789"},
		{"Range", "bytes=0-1,3-4", 200, "0123456789"}, {"Range", "lines=1-2", 200, "0123456789"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if method == "HEAD" && x.header == "Range" {
				continue
			}
			got := c.ossRaw(method, "/ledger-bucket/k", "", map[string]string{x.header: x.value})
			if got.status != x.status || (x.body != "" && method == "GET" && got.body != x.body) {
				t.Errorf("%s %s: %s: got %d %q, want %d %q", method, x.header, x.value, got.status, got.body, x.status, x.body)
			}
		}
	}
	for at, want := range map[string]int{"bytes=5-99": 206, "bytes=10-": 416} {
		if got := c.ossRaw("GET", "/ledger-bucket/k", "", map[string]string{"Range": at, "x-oss-range-behavior": "standard"}); got.status != want {
			t.Errorf("the standard range %s: got %d %q", at, got.status, got.body)
		}
	}
}

func TestOSSChecksDigestsAndKeepsHeaders(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	sum := md5.Sum([]byte("body"))
	given := map[string]string{
		"Content-MD5": base64.StdEncoding.EncodeToString(sum[:]), "x-oss-meta-run": "r1", "Cache-Control": "no-store", "Content-Type": "text/plain",
	}
	if got := c.ossRaw("PUT", "/ledger-bucket/k", "body", given); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	got := c.ossRaw("GET", "/ledger-bucket/k", "", nil)
	for name, want := range given {
		if name != "Content-MD5" && got.header.Get(name) != want {
			t.Errorf("%s came back as %q", name, got.header.Get(name))
		}
	}
	if got := c.ossRaw("PUT", "/ledger-bucket/k", "other", given); got.status != 400 || !strings.Contains(got.body, "InvalidDigest") {
		t.Errorf("a wrong digest: got %d %s", got.status, got.body)
	}
	if now := string(c.OSS.Object("ledger-bucket", "k")); now != "body" {
		t.Errorf("the object has become %q", now)
	}
}

// TestOSSTakesTheSignaturesOfOlderTools: "aliyun oss" signs by version 1.
func TestOSSTakesTheSignaturesOfOlderTools(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	for _, key := range []string{"ledger/a.json", "ledger/b c.json", "other"} {
		c.ok(put(t.Context(), c.oss(sharerAdmin), "ledger-bucket", key, "body of "+key))
	}
	older := func(secret string) *oss.Client {
		return oss.NewClient(oss.LoadDefaultConfig().WithRegion("cn-hangzhou").WithEndpoint(c.URL()).WithUsePathStyle(true).WithRetryMaxAttempts(1).
			WithSignatureVersion(oss.SignatureVersionV1).WithCredentialsProvider(osskeys.NewStaticCredentialsProvider("local-ak", secret)))
	}
	api := older("local-sk")
	var names []string
	p := api.NewListObjectsPaginator(&oss.ListObjectsRequest{Bucket: oss.Ptr("ledger-bucket"), Prefix: oss.Ptr("ledger/"), MaxKeys: 1})
	for p.HasNext() {
		page, err := p.NextPage(t.Context())
		c.ok(err)
		for _, o := range page.Contents {
			names = append(names, *o.Key)
		}
	}
	if diff := cmp.Diff([]string{"ledger/a.json", "ledger/b c.json"}, names); diff != "" {
		t.Error(diff)
	}
	got, err := api.GetObject(t.Context(), &oss.GetObjectRequest{Bucket: oss.Ptr("ledger-bucket"), Key: oss.Ptr("ledger/b c.json")})
	c.ok(err)
	text, err := io.ReadAll(got.Body)
	c.ok(err)
	c.ok(got.Body.Close())
	if string(text) != "body of ledger/b c.json" {
		t.Errorf("got %q", text)
	}
	all, err := api.ListBuckets(t.Context(), &oss.ListBucketsRequest{})
	c.ok(err)
	if len(all.Buckets) != 1 || *all.Buckets[0].Name != "ledger-bucket" {
		t.Errorf("got %+v", all.Buckets)
	}
	_, err = older("wrong").GetObject(t.Context(), &oss.GetObjectRequest{Bucket: oss.Ptr("ledger-bucket"), Key: oss.Ptr("other")})
	if code := ossCode(err); code != "403 SignatureDoesNotMatch" {
		t.Errorf("a wrong secret: got %s", code)
	}
}

// TestOSSTakesVersionFourWithTheHeaderDate: version 4 signs a time, and Date may carry it.
// The vendor's older SDK for Go (aliyun-oss-go-sdk 2.2.9, getSignedStrV4) signs the header as
// it stands, others the same time in the form of x-oss-date.
func TestOSSTakesVersionFourWithTheHeaderDate(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.bucket("ledger-bucket")
	c.ok(put(t.Context(), c.oss(sharerAdmin), "ledger-bucket", "k", "1"))
	const iso = "20060102T150405Z"
	now := time.Now().UTC()
	for _, tt := range []struct {
		date, signed string
		want         int
	}{
		{now.Format(http.TimeFormat), now.Format(iso), 200},
		{now.Format(http.TimeFormat), now.Format(http.TimeFormat), 200},
		{now.Format(iso), now.Format(iso), 200},
		{now.Format(http.TimeFormat), now.Add(time.Minute).Format(iso), 403},
		{now.Format(http.TimeFormat), now.Add(time.Minute).Format(http.TimeFormat), 403},
		{now.Add(-time.Hour).Format(http.TimeFormat), now.Add(-time.Hour).Format(iso), 403},
		{"soon", now.Format(iso), 400},
		{"", now.Format(iso), 400},
	} {
		if got := c.dated(tt.date, tt.signed); got != tt.want {
			t.Errorf("Date: %s, signed as %s: got %d, want %d", tt.date, tt.signed, got, tt.want)
		}
	}
}

// dated asks for an object with the header Date and a signature of version 4 over signed.
func (c *cloud) dated(date, signed string) int {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.URL()+"/ledger-bucket/k", nil)
	c.ok(err)
	at, err := http.ParseTime(date)
	if err != nil {
		at = time.Now().UTC()
	}
	scope := at.Format("20060102") + "/cn-hangzhou/oss/aliyun_v4_request"
	sum := sha256.Sum256([]byte("GET\n/ledger-bucket/k\n\nx-oss-content-sha256:UNSIGNED-PAYLOAD\n\n\nUNSIGNED-PAYLOAD"))
	key := []byte("aliyun_v4local-sk")
	for step := range strings.SplitSeq(scope, "/") {
		key = sha256Of(key, step)
	}
	signature := sha256Of(key, fmt.Sprintf("OSS4-HMAC-SHA256\n%s\n%s\n%x", signed, scope, sum))
	r.Header.Set("x-oss-content-sha256", "UNSIGNED-PAYLOAD")
	r.Header.Set("Authorization", fmt.Sprintf("OSS4-HMAC-SHA256 Credential=local-ak/%s,Signature=%x", scope, signature))
	if date != "" {
		r.Header.Set("Date", date)
	}
	resp, err := http.DefaultClient.Do(r)
	c.ok(err)
	c.ok(resp.Body.Close())
	return resp.StatusCode
}

func sha256Of(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

type ossAnswer struct {
	status int
	header http.Header
	body   string
}

// ossRaw sends what the SDK would not, signed by version 1.
func (c *cloud) ossRaw(method, path, body string, header map[string]string) ossAnswer {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.URL()+path, bytes.NewBufferString(body))
	c.ok(err)
	r.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	for k, v := range header {
		r.Header.Set(k, v)
	}
	var extra []string
	for k, v := range header {
		if k = strings.ToLower(k); strings.HasPrefix(k, "x-oss-") {
			extra = append(extra, k+":"+v+"\n")
		}
	}
	resource, query, _ := strings.Cut(path, "?")
	if query != "" && query != "publicAccessBlock" { // newer than version 1
		resource += "?" + query
	}
	mac := hmac.New(sha1.New, []byte("local-sk"))
	fmt.Fprintf(mac, "%s\n%s\n%s\n%s\n%s%s", method, header["Content-MD5"], header["Content-Type"], r.Header.Get("Date"), strings.Join(extra, ""), resource)
	r.Header.Set("Authorization", "OSS local-ak:"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(r)
	c.ok(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	c.ok(err)
	return ossAnswer{resp.StatusCode, resp.Header, string(text)}
}
