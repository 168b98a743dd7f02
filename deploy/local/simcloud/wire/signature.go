package wire

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// verifyV3 checks an ACS3-HMAC-SHA256 signature: the secret is used as it is,
// without derivation. Host, a content type if any, and every x-acs-* header
// must be signed; otherwise they could be changed on the way.
func verifyV3(r *http.Request, secret string) bool {
	names := strings.Split(field(r.Header.Get("Authorization"), "SignedHeaders"), ";")
	if !slices.IsSorted(names) || !coversV3(r, names) {
		return false
	}
	want := SignV3(r, names, secret)
	got := field(r.Header.Get("Authorization"), "Signature")
	return hmac.Equal([]byte(want), []byte(got))
}

func coversV3(r *http.Request, signed []string) bool {
	if !slices.Contains(signed, "host") {
		return false
	}
	for k := range r.Header {
		k = strings.ToLower(k)
		if (strings.HasPrefix(k, "x-acs-") || k == "content-type") && !slices.Contains(signed, k) {
			return false
		}
	}
	return true
}

// SignV3 returns the signature of r over the named headers, lower case and
// sorted.
func SignV3(r *http.Request, signedHeaders []string, secret string) string {
	sum := sha256.Sum256([]byte(canonicalV3(r, signedHeaders)))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	return hex.EncodeToString(mac.Sum(nil))
}

func canonicalV3(r *http.Request, signedHeaders []string) string {
	path := cmp.Or(r.URL.EscapedPath(), "/")
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r.URL.Query()) + "\n")
	for _, name := range signedHeaders {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		b.WriteString(name + ":" + strings.TrimSpace(value) + "\n")
	}
	b.WriteString("\n" + strings.Join(signedHeaders, ";") + "\n" + r.Header.Get("x-acs-content-sha256"))
	return b.String()
}

func canonicalQuery(values url.Values) string {
	pairs := make(map[string]string, len(values))
	for k, vs := range values {
		pairs[k] = strings.Join(vs, ",")
	}
	return canonicalPairs(pairs)
}

// canonicalPairs joins k=v, encoded and sorted by k.
func canonicalPairs(pairs map[string]string) string {
	var b strings.Builder
	for i, k := range slices.Sorted(maps.Keys(pairs)) {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(percent(k) + "=" + percent(pairs[k]))
	}
	return b.String()
}

// percent encodes as RFC 3986 does: a space is %20, and ~ stays.
func percent(s string) string {
	s = url.QueryEscape(s)
	s = strings.ReplaceAll(s, "+", "%20")
	s = strings.ReplaceAll(s, "*", "%2A")
	return strings.ReplaceAll(s, "%7E", "~")
}

// verifyV2 checks the HMAC-SHA1 signature of the classic RPC protocol, which
// covers every query and form parameter but itself.
func verifyV2(method string, pairs map[string]string, secret string) bool {
	return hmac.Equal([]byte(SignV2(method, pairs, secret)), []byte(pairs["Signature"]))
}

// SignV2 returns the classic RPC signature of the parameters. A parameter named
// Signature is left out.
func SignV2(method string, pairs map[string]string, secret string) string {
	rest := maps.Clone(pairs)
	delete(rest, "Signature")
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(method + "&%2F&" + percent(canonicalPairs(rest))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
