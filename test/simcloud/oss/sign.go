package oss

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetwarden/test/simcloud/wire"
)

const (
	algorithm = "OSS4-HMAC-SHA256"
	dateTime  = "20060102T150405Z"
	// unsigned is the only value of x-oss-content-sha256 that OSS takes.
	unsigned = "UNSIGNED-PAYLOAD"
	// maxSkew is how far a request's date may be from real time.
	maxSkew = 15 * time.Minute
)

// claim is what a request says about its signature: "OSS4-HMAC-SHA256
// Credential=<key>/<day>/<region>/oss/aliyun_v4_request[,AdditionalHeaders=a;b],Signature=<hex>".
type claim struct {
	key, day, region string
	additional       []string
	signature        string
}

func readClaim(r *http.Request) (claim, error) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), algorithm+" ")
	if !ok {
		return claim{}, wire.Errorf(403, "AccessDenied", "Anonymous access is forbidden for this operation.")
	}
	var c claim
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[3] != "oss" || scope[4] != "aliyun_v4_request" {
				return c, errMalformed("the credential's scope")
			}
			c.key, c.day, c.region = scope[0], scope[1], scope[2]
		case "AdditionalHeaders":
			c.additional = strings.Split(value, ";")
		case "Signature":
			c.signature = value
		}
	}
	if c.key == "" || c.signature == "" {
		return c, errMalformed("the Authorization header")
	}
	return c, nil
}

// verify checks date and signature of a request for an object of a bucket.
func (c claim) verify(r *http.Request, t target, secret string) error {
	if r.Header.Get("x-oss-content-sha256") != unsigned {
		return errMalformed("x-oss-content-sha256")
	}
	at, err := time.Parse(dateTime, r.Header.Get("x-oss-date"))
	if err != nil || !strings.HasPrefix(r.Header.Get("x-oss-date"), c.day) {
		return errMalformed("x-oss-date")
	}
	if time.Since(at).Abs() > maxSkew {
		return wire.Errorf(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
	}
	if !slices.IsSorted(c.additional) {
		return errMalformed("AdditionalHeaders")
	}
	if !hmac.Equal([]byte(c.sign(r, t, secret)), []byte(c.signature)) {
		return errSignature()
	}
	return nil
}

func (c claim) sign(r *http.Request, t target, secret string) string {
	sum := sha256.Sum256([]byte(c.canonical(r, t)))
	text := fmt.Sprintf("%s\n%s\n%s/%s/oss/aliyun_v4_request\n%s", algorithm, r.Header.Get("x-oss-date"), c.day, c.region, hex.EncodeToString(sum[:]))
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
