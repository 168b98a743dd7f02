package sls

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sign adds the headers of version 1 of the signature. SHA-1 and MD5 are the protocol's; on
// the way TLS protects the request.
func sign(req *http.Request, body []byte, key, secret, token string, at time.Time) {
	h := req.Header
	h.Set("Date", at.UTC().Format(http.TimeFormat))
	h.Set("x-log-apiversion", "0.6.0")
	h.Set("x-log-signaturemethod", "hmac-sha1")
	h.Set("x-log-bodyrawsize", strconv.Itoa(len(body)))
	if token != "" {
		h.Set("x-acs-security-token", token)
	}
	if len(body) > 0 {
		sum := md5.Sum(body)
		h.Set("Content-Type", "application/json")
		h.Set("Content-MD5", strings.ToUpper(hex.EncodeToString(sum[:])))
	}
	h.Set("Authorization", "LOG "+key+":"+signature(req, secret))
}

// signature is that of a request as it stands. Parameters are signed unescaped.
func signature(req *http.Request, secret string) string {
	var extra []string
	for name, values := range req.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-log-") || strings.HasPrefix(name, "x-acs-") {
			extra = append(extra, name+":"+values[0])
		}
	}
	slices.Sort(extra)
	resource := req.URL.Path
	var params []string
	for name, values := range req.URL.Query() {
		params = append(params, name+"="+values[0])
	}
	if slices.Sort(params); len(params) > 0 {
		resource += "?" + strings.Join(params, "&")
	}
	h := req.Header
	lines := slices.Concat([]string{req.Method, h.Get("Content-MD5"), h.Get("Content-Type"), h.Get("Date")}, extra, []string{resource})
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(strings.Join(lines, "\n")))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
