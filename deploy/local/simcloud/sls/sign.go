package sls

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far a request's date may be from real time.
const maxSkew = 15 * time.Minute

// authorization splits "LOG <AccessKeyId>:<signature>", version 1 of the signature.
func authorization(r *http.Request) (key, signature string, err error) {
	rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), "LOG ")
	key, signature, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return "", "", refuse(http.StatusUnauthorized, "Unauthorized", "The Authorization header is not LOG <AccessKeyId>:<signature>. (simcloud serves no version 4 of the signature)")
	}
	return key, signature, nil
}

// verify checks what every request has to have, and its signature.
func verify(r *http.Request, body []byte, secret, signature string) error {
	at, err := http.ParseTime(r.Header.Get("Date"))
	switch {
	case r.Header.Get("x-log-apiversion") != "0.6.0":
		return refuse(400, "InvalidAPIVersion", "x-log-apiversion is 0.6.0")
	case r.Header.Get("x-log-signaturemethod") != "hmac-sha1":
		return refuse(400, "InvalidSignatureMethod", "x-log-signaturemethod is hmac-sha1")
	case err != nil:
		return refuse(400, "InvalidDateFormat", "Date must follow RFC822.")
	case time.Since(at).Abs() > maxSkew:
		return refuse(400, "RequestTimeExpired", "The request is more than 15 minutes off.")
	case len(body) > 0 && r.Header.Get("Content-Type") != "application/json":
		return refuse(415, "InvalidContentType", "Content-Type is application/json")
	case len(body) > 0 && r.Header.Get("Content-MD5") != sum(body):
		return refuse(400, "InvalidContentMD5", "Content-MD5 is not that of the body, in upper-case hex")
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(stringToSign(r)))
	if !hmac.Equal([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(signature)) {
		return refuse(http.StatusUnauthorized, "SignatureNotMatch", "signature not match")
	}
	return nil
}

func sum(body []byte) string {
	s := md5.Sum(body)
	return strings.ToUpper(hex.EncodeToString(s[:]))
}

// stringToSign has all headers x-log-* and x-acs-*, and the parameters unescaped, both in
// order of their names.
func stringToSign(r *http.Request) string {
	var headers []string
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-log-") || strings.HasPrefix(name, "x-acs-") {
			headers = append(headers, name+":"+strings.TrimSpace(values[0]))
		}
	}
	slices.Sort(headers)
	lines := append([]string{r.Method, r.Header.Get("Content-MD5"), r.Header.Get("Content-Type"), r.Header.Get("Date")}, headers...)
	return strings.Join(append(lines, r.URL.Path+parameters(r.URL.Query())), "\n")
}

func parameters(query url.Values) string {
	var all []string
	for name, values := range query {
		all = append(all, name+"="+values[0])
	}
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return "?" + strings.Join(all, "&")
}
