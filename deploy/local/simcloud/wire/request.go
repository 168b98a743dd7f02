package wire

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The largest request bodies that are read: of an RPC API, whose largest documented
// parameter, UserData, is 32 KB before Base64; and of an API with a path. Function
// Compute takes a zip of 100 MB, which is Base64 here (its limits page, 2026-01).
const (
	maxBody       = 1 << 20
	maxRootedBody = 140 << 20
)

// request is an HTTP request taken apart, before anything of it is believed.
type request struct {
	http *http.Request
	v2   bool
	// pairs are all query and form parameters, as V2 signs them.
	pairs map[string]string
	// params are the pairs without the protocol's own parameters.
	params  map[string]string
	body    []byte
	action  string
	version string
	key     string
	token   string
	nonce   string
	date    string
}

// protocol lists the parameters that belong to the classic RPC protocol. They
// never reach a product.
func protocol(name string) bool {
	switch name {
	case "Action", "Version", "Format", "AccessKeyId", "SignatureMethod", "SignatureVersion",
		"SignatureNonce", "SignatureType", "Timestamp", "Signature", "SecurityToken":
		return true
	}
	return false
}

func parse(r *http.Request) (*request, error) {
	q := &request{http: r, pairs: map[string]string{}, params: map[string]string{}}
	limit := int64(maxBody)
	if q.rooted() {
		limit = maxRootedBody
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, Errorf(400, "InvalidParameter", "reading the body: %v", err)
	}
	if int64(len(body)) > limit {
		return nil, Errorf(413, "RequestEntityTooLarge", "the body is larger than %d bytes", limit)
	}
	q.body = body
	if err := q.collect(r.URL.RawQuery); err != nil {
		return nil, err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		if err := q.collect(string(body)); err != nil {
			return nil, err
		}
	}
	for k, v := range q.pairs {
		if !protocol(k) {
			q.params[k] = v
		}
	}
	q.identify()
	if q.v2 && r.Header.Get("x-acs-action") == "" && !q.rooted() && !strings.EqualFold(q.pairs["Format"], "JSON") {
		return nil, Errorf(400, "InvalidParameter", "simcloud answers JSON alone: a call of the classic protocol has to ask for Format=JSON.")
	}
	return q, nil
}

// collect adds query or form pairs. A parameter given twice with two values is
// refused, since signer and reader could each take another one.
func (q *request) collect(encoded string) error {
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return Errorf(400, "InvalidParameter", "parameters are not URL-encoded: %v", err)
	}
	for k, vs := range values {
		for _, v := range vs {
			if old, ok := q.pairs[k]; ok && old != v {
				return Errorf(400, "InvalidParameter", "parameter %q is given twice", k)
			}
			q.pairs[k] = v
		}
	}
	return nil
}

// identify takes what both protocols say about the call: from x-acs headers in
// V3, from parameters in V2.
func (q *request) identify() {
	h := q.http.Header
	q.v2 = !strings.HasPrefix(h.Get("Authorization"), "ACS3-HMAC-SHA256")
	q.action = cmp.Or(h.Get("x-acs-action"), q.pairs["Action"])
	q.version = cmp.Or(h.Get("x-acs-version"), q.pairs["Version"])
	if q.v2 {
		q.key, q.token = q.pairs["AccessKeyId"], q.pairs["SecurityToken"]
		q.nonce, q.date = q.pairs["SignatureNonce"], q.pairs["Timestamp"]
		return
	}
	q.key = field(h.Get("Authorization"), "Credential")
	q.token = h.Get("x-acs-security-token")
	q.nonce, q.date = h.Get("x-acs-signature-nonce"), h.Get("x-acs-date")
}

// field takes one field out of "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…".
func field(authorization, name string) string {
	_, rest, _ := strings.Cut(authorization, " ")
	for part := range strings.SplitSeq(rest, ",") {
		if k, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && k == name {
			return v
		}
	}
	return ""
}

// signed reports whether the request carries a signature under the secret.
func (q *request) signed(secret string) bool {
	if q.v2 {
		return q.pairs["SignatureMethod"] == "HMAC-SHA1" && verifyV2(q.http.Method, q.pairs, secret)
	}
	sum := sha256.Sum256(q.body)
	if q.http.Header.Get("x-acs-content-sha256") != hex.EncodeToString(sum[:]) {
		return false
	}
	return verifyV3(q.http, secret)
}

// maxSkew is how far the request's time may be from ours.
const maxSkew = 15 * time.Minute

// fresh checks the request's time, which is real time, never the virtual one.
func (q *request) fresh(now time.Time) error {
	t, err := time.Parse("2006-01-02T15:04:05Z", q.date)
	if err != nil {
		return Errorf(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.")
	}
	if d := now.Sub(t); d > maxSkew || d < -maxSkew {
		return Errorf(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
	}
	return nil
}
