package oss

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

const (
	algorithm = "OSS4-HMAC-SHA256"
	// algorithmV1 is that of the older tools, such as "aliyun oss".
	algorithmV1 = "OSS"
	dateTime    = "20060102T150405Z"
	// unsigned is the only value of x-oss-content-sha256 that OSS takes.
	unsigned = "UNSIGNED-PAYLOAD"
	// maxSkew is how far a request's date may be from real time.
	maxSkew = 15 * time.Minute
)

// claim is what a request says about its signature. Version 4: "OSS4-HMAC-SHA256
// Credential=<key>/<day>/<region>/oss/aliyun_v4_request[,AdditionalHeaders=a;b],Signature=<hex>".
// Version 1: "OSS <key>:<base64>".
type claim struct {
	v1               bool
	key, day, region string
	additional       []string
	signature        string
}

func readClaim(r *http.Request) (claim, error) {
	method, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	c := claim{}
	switch method {
	case algorithmV1:
		c.v1 = true
		c.key, c.signature, _ = strings.Cut(rest, ":")
	case algorithm:
		if err := c.read(rest); err != nil {
			return c, err
		}
	default:
		return c, wire.Errorf(403, "AccessDenied", "Anonymous access is forbidden for this operation.")
	}
	if c.key == "" || c.signature == "" {
		return c, errMalformed("the Authorization header")
	}
	return c, nil
}

// read takes the members of version 4 apart.
func (c *claim) read(members string) error {
	for part := range strings.SplitSeq(members, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[3] != "oss" || scope[4] != "aliyun_v4_request" {
				return errMalformed("the credential's scope")
			}
			c.key, c.day, c.region = scope[0], scope[1], scope[2]
		case "AdditionalHeaders":
			c.additional = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	return nil
}

// verify checks date and signature of a request for an object of a bucket.
func (c claim) verify(r *http.Request, t target, secret string) error {
	at, err := dated(r.Header)
	switch {
	case err != nil || (!c.v1 && at.UTC().Format("20060102") != c.day):
		return errMalformed("x-oss-date or Date")
	case !c.v1 && r.Header.Get("x-oss-content-sha256") != unsigned:
		return errMalformed("x-oss-content-sha256")
	case time.Since(at).Abs() > maxSkew:
		return wire.Errorf(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	case !slices.IsSorted(c.additional):
		return errMalformed("AdditionalHeaders")
	}
	if c.v1 {
		return c.compare(SignV1(r, t.bucket, t.key, secret))
	}
	// The vendor's newer SDKs sign the time in the form of x-oss-date, its older one for
	// Go (2.2.9), by which Terraform calls, the header Date as it stands.
	err = c.compare(c.sign(r, t, at.UTC().Format(dateTime), secret))
	if date := r.Header.Get("Date"); err != nil && r.Header.Get("x-oss-date") == "" {
		return c.compare(c.sign(r, t, date, secret))
	}
	return err
}

func (c claim) compare(want string) error {
	if !hmac.Equal([]byte(want), []byte(c.signature)) {
		return errSignature()
	}
	return nil
}

// dated is the time of a request: x-oss-date, else Date, in ISO 8601 or as HTTP writes it.
func dated(h http.Header) (time.Time, error) {
	text := cmp.Or(h.Get("x-oss-date"), h.Get("Date"))
	if at, err := time.Parse(dateTime, text); err == nil {
		return at, nil
	}
	return http.ParseTime(text)
}

// subresources are the parameters that version 1 signs, of those that OSS documents.
var subresources = []string{
	"acl", "append", "bucketInfo", "callback", "callback-var", "cname", "comp", "continuation-token", "cors", "delete", "encryption", "endTime",
	"img", "inventory", "lifecycle", "live", "location", "logging", "metaQuery", "objectMeta", "partNumber", "policy", "position", "qos", "referer",
	"replication", "replicationLocation", "replicationProgress", "requestPayment", "resourceGroup", "response-cache-control",
	"response-content-disposition", "response-content-encoding", "response-content-language", "response-content-type", "response-expires", "restore",
	"security-token", "sequential", "startTime", "stat", "status", "style", "styleName", "symlink", "tagging", "transferAcceleration", "udf",
	"uploadId", "uploads", "versionId", "versioning", "versions", "vod", "website", "worm", "wormExtend", "wormId", "x-oss-process",
}

// SignV1 is the signature of version 1 of a request for an object, a bucket, or, if both are
// empty, the service: HMAC-SHA1 over method, digest, type, date, the x-oss- headers and the
// resource with its sub-resources.
func SignV1(r *http.Request, bucket, key, secret string) string {
	var headers, parameters []string
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-oss-") {
			headers = append(headers, name+":"+strings.TrimSpace(strings.Join(values, ","))+"\n")
		}
	}
	slices.Sort(headers)
	for name, values := range r.URL.Query() {
		if !slices.Contains(subresources, name) && !strings.HasPrefix(name, "x-oss-") {
			continue
		}
		if values[0] != "" {
			name += "=" + values[0]
		}
		parameters = append(parameters, name)
	}
	slices.Sort(parameters)
	resource := "/"
	if bucket != "" {
		resource += bucket + "/" + key
	}
	if len(parameters) > 0 {
		resource += "?" + strings.Join(parameters, "&")
	}
	m := hmac.New(sha1.New, []byte(secret))
	for _, line := range []string{r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), r.Header.Get("Date")} {
		m.Write([]byte(line + "\n"))
	}
	m.Write([]byte(strings.Join(headers, "") + resource))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// sign is the signature of version 4, with the time as it is signed.
func (c claim) sign(r *http.Request, t target, at, secret string) string {
	sum := sha256.Sum256([]byte(c.canonical(r, t)))
	text := fmt.Sprintf("%s\n%s\n%s/%s/oss/aliyun_v4_request\n%s", algorithm, at, c.day, c.region, hex.EncodeToString(sum[:]))
	key := []byte("aliyun_v4" + secret)
	for _, step := range []string{c.day, c.region, "oss", "aliyun_v4_request"} {
		key = mac(key, step)
	}
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the request as it is signed. The path names the bucket whether or
// not the address did; an endpoint's root has no bucket.
func (c claim) canonical(r *http.Request, t target) string {
	path := "/"
	if t.bucket != "" {
		path += t.bucket + "/" + t.key
	}
	return strings.Join([]string{
		r.Method, escape(path), canonicalQuery(r.URL.RawQuery), c.headers(r), strings.Join(c.additional, ";"), r.Header.Get("x-oss-content-sha256"),
	}, "\n")
}

// headers are all x-oss-*, the content's type and digest, and what the caller
// added.
func (c claim) headers(r *http.Request) string {
	var lines []string
	for name, values := range r.Header {
		name = strings.ToLower(name)
		if !strings.HasPrefix(name, "x-oss-") && name != "content-type" && name != "content-md5" && !slices.Contains(c.additional, name) {
			continue
		}
		trimmed := make([]string, len(values))
		for i, v := range values {
			trimmed[i] = strings.TrimSpace(v)
		}
		lines = append(lines, name+":"+strings.Join(trimmed, ",")+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// canonicalQuery sorts the parameters as they were sent; an empty value loses its
// equals sign.
func canonicalQuery(raw string) string {
	var parts []string
	for p := range strings.SplitSeq(strings.ReplaceAll(raw, "+", "%20"), "&") {
		if p != "" {
			parts = append(parts, strings.TrimSuffix(p, "="))
		}
	}
	slices.SortFunc(parts, func(a, b string) int {
		x, _, _ := strings.Cut(a, "=")
		y, _, _ := strings.Cut(b, "=")
		return strings.Compare(x, y)
	})
	return strings.Join(parts, "&")
}

// escape encodes all but unreserved characters and slashes.
func escape(path string) string {
	var b strings.Builder
	for i := range len(path) {
		ch := path[i]
		switch {
		case ch >= 'A' && ch <= 'Z', ch >= 'a' && ch <= 'z', ch >= '0' && ch <= '9', strings.IndexByte("-._~/", ch) >= 0:
			b.WriteByte(ch)
		default:
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}
