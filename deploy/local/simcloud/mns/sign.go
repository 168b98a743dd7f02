package mns

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// maxSkew is how far a request's date may be from real time.
const maxSkew = 15 * time.Minute

// authorization splits "MNS <AccessKeyId>:<signature>".
func authorization(r *http.Request) (accessKeyID, signature string, err error) {
	h := r.Header.Get("Authorization")
	if h == "" {
		return "", "", wire.Errorf(400, "MissingAuthorizationHeader", "The Authorization header is required.")
	}
	rest, ok := strings.CutPrefix(h, "MNS ")
	accessKeyID, signature, ok2 := strings.Cut(rest, ":")
	if !ok || !ok2 {
		return "", "", wire.Errorf(400, "InvalidAuthorizationHeader", "The Authorization header is not MNS <AccessKeyId>:<signature>.")
	}
	return accessKeyID, signature, nil
}

// verify checks version, date, digest and signature of a request. The security
// token is not part of what is signed.
func verify(r *http.Request, body []byte, secret, signature string) error {
	if r.Header.Get("x-mns-version") == "" {
		return wire.Errorf(400, "MissingVersionHeader", "The x-mns-version header is required.")
	}
	if err := cmp.Or(checkDate(r), checkDigest(r, body)); err != nil {
		return err
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(stringToSign(r)))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return wire.Errorf(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
	}
	return nil
}

// stringToSign has the resource with its query exactly as it was sent.
func stringToSign(r *http.Request) string {
	var extra []string
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-mns-") {
			extra = append(extra, name+":"+strings.TrimSpace(values[0])+"\n")
		}
	}
	slices.Sort(extra)
	return r.Method + "\n" + r.Header.Get("Content-MD5") + "\n" + r.Header.Get("Content-Type") + "\n" +
		r.Header.Get("Date") + "\n" + strings.Join(extra, "") + r.RequestURI
}

// checkDate: x-mns-date replaces Date.
func checkDate(r *http.Request) error {
	date := cmp.Or(r.Header.Get("x-mns-date"), r.Header.Get("Date"))
	if date == "" {
		return wire.Errorf(400, "MissingDateHeader", "The Date header is required.")
	}
	at, err := http.ParseTime(date)
	if err != nil {
		return wire.Errorf(400, "InvalidDateHeader", "The Date header is not an RFC 1123 date.")
	}
	if time.Since(at).Abs() > maxSkew {
		return wire.Errorf(408, "TimeExpired", "The request date is more than 15 minutes off.")
	}
	return nil
}

// checkDigest takes Content-MD5 as the vendor's SDKs send it, base64 of the hex
// text, and as RFC 1864 has it, base64 of the 16 bytes.
func checkDigest(r *http.Request, body []byte) error {
	got := r.Header.Get("Content-MD5")
	if got == "" {
		return nil
	}
	sum := md5.Sum(body)
	asText := base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:])))
	if got != asText && got != base64.StdEncoding.EncodeToString(sum[:]) {
		return wire.Errorf(400, "InvalidDegist", "The Content-MD5 you specified is not valid.")
	}
	return nil
}
