package aliyun_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

func TestCodesAndStatusesHaveTheirClass(t *testing.T) {
	for _, x := range []struct {
		product     string
		status      int
		code        string
		read, write fleet.Class
	}{
		{"ecs", 400, "Throttling", fleet.Throttled, fleet.Throttled},
		{"ram", 400, "Throttling.User", fleet.Throttled, fleet.Throttled},
		{"sas", 503, "Throttling.Api", fleet.Throttled, fleet.Throttled},
		{"kms", 429, "Rejected.Throttling", fleet.Throttled, fleet.Throttled},
		{"ecs", 400, "SystemBusy", fleet.Throttled, fleet.Throttled},
		{"ecs", 503, "ServiceBusy", fleet.Throttled, fleet.Throttled},
		{"mns", 400, "QpsLimitExceeded", fleet.Throttled, fleet.Throttled},
		{"oss", 503, "TotalQpsLimitExceeded", fleet.Throttled, fleet.Throttled},
		{"ecs", 429, "", fleet.Throttled, fleet.Throttled},
		{"ecs", 429, "SomethingNew", fleet.Throttled, fleet.Throttled},
		{"ecs", 400, "TaskConflict", fleet.Busy, fleet.Busy},
		{"ecs", 409, "OperationConflict", fleet.Busy, fleet.Busy},
		{"ecs", 403, "IncorrectInstanceStatus", fleet.Busy, fleet.Busy},
		{"ram", 409, "ConcurrentCallNotSupported", fleet.Busy, fleet.Busy},
		{"kms", 429, "Rejected.LimitExceeded", fleet.Limit, fleet.Limit},
		{"ram", 409, "LimitExceeded.Policy", fleet.Limit, fleet.Limit},
		{"ecs", 503, "ServiceUnavailable", fleet.Unavailable, fleet.Lost},
		{"ecs", 500, "InternalError", fleet.Unavailable, fleet.Lost},
		{"ecs", 500, "SomethingNew", fleet.Unavailable, fleet.Lost},
		{"oss", 502, "", fleet.Unavailable, fleet.Lost},
		// Sent twice on the way: the first of them may have been carried out.
		{"ecs", 400, "SignatureNonceUsed", fleet.Unavailable, fleet.Lost},
		{"ecs", 400, "UnknownError", fleet.Unavailable, fleet.Lost},
		{"ram", 404, "EntityNotExist.Role", fleet.NotFound, fleet.NotFound},
		{"resourcemanager", 404, "EntityNotExists.ResourceDirectory", fleet.NotFound, fleet.NotFound},
		{"mns", 404, "QueueNotExist", fleet.NotFound, fleet.NotFound},
		// An answer about a batch is HTTP 200; each element has its own code.
		{"ecs", 200, "InvalidInstanceId.NotFound", fleet.NotFound, fleet.NotFound},
		{"ecs", 404, "Forbidden.InstanceNotFound", fleet.NotFound, fleet.NotFound},
		{"ecs", 403, "Forbidden.InstanceNotFound", fleet.NotFound, fleet.NotFound},
		{"ecs", 404, "Instance.Notfound", fleet.NotFound, fleet.NotFound},
		{"ram", 409, "EntityAlreadyExists.Role", fleet.Exists, fleet.Exists},
		{"ecs", 400, "RegionId.ApiNotSupported", fleet.Absent, fleet.Absent},
		{"ram", 403, "NoPermission", fleet.Denied, fleet.Denied},
		{"ecs", 403, "Forbidden.RAM", fleet.Denied, fleet.Denied},
		{"oss", 403, "AccessDenied", fleet.Denied, fleet.Denied},
		{"sts", 400, "SignatureDoesNotMatch", fleet.Denied, fleet.Denied},
		{"sts", 404, "InvalidAccessKeyId.NotFound", fleet.Denied, fleet.Denied},
		{"sts", 400, "InvalidSecurityToken.Expired", fleet.Denied, fleet.Denied},
		{"ecs", 400, "InvalidParameter", fleet.Invalid, fleet.Invalid},
		// The API or the region is not found, and no resource.
		{"ecs", 404, "InvalidAction.NotFound", fleet.Invalid, fleet.Invalid},
		{"ecs", 404, "InvalidVersion.NotFound", fleet.Invalid, fleet.Invalid},
		{"ecs", 404, "InvalidRegionId.NotFound", fleet.Invalid, fleet.Invalid},
		// Codes of other products, prefixes and suffixes are not recognised.
		{"ecs", 404, "EntityNotExist.Role", fleet.Unclassified, fleet.Unclassified},
		{"mns", 404, "NoSuchKey", fleet.Unclassified, fleet.Unclassified},
		{"oss", 400, "Throttling", fleet.Unclassified, fleet.Unclassified},
		{"ram", 404, "EntityNotExist.RoleOrSo", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 404, "InvalidSomethingNew.NotFound", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 403, "Forbidden.SomethingNew", fleet.Unclassified, fleet.Unclassified},
		// An unlisted code is never "not found" and never "try again".
		{"ecs", 404, "SomethingNew", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 404, "", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 403, "SomethingNew", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 400, "SomethingNew", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 400, "", fleet.Unclassified, fleet.Unclassified},
		{"ecs", 200, "SomethingNew", fleet.Unclassified, fleet.Unclassified},
	} {
		for write, want := range map[bool]fleet.Class{false: x.read, true: x.write} {
			err := fmt.Errorf("doing something: %w", aliyun.NewError(x.product+":A", x.status, x.code, "", "", write))
			if got := fleet.ClassOf(err); got != want {
				t.Errorf("%s: %d %q, write %v: got %v, want %v", x.product, x.status, x.code, write, got, want)
			}
			if fleet.CodeOf(err) != x.code {
				t.Errorf("got code %q, want %q", fleet.CodeOf(err), x.code)
			}
		}
	}
}

// One instance of a call may be refused, and its neighbours not. What else was not found,
// such as the role or the command, is refused for all of them.
func TestSomeCodesAreAboutOneInstance(t *testing.T) {
	for api, codes := range map[string]map[string]bool{
		"ecs:A": {"InvalidInstanceId.NotFound": true, "Forbidden.InstanceNotFound": true, "InvalidInstance.NotMatch": true,
			"InvalidNetworkType.MismatchRamRole": true, "IncorrectInstanceStatus": true,
			"InvalidRamRole.NotFound": false, "InvalidInstanceIds.Malformed": false, "InvalidInstanceType.NotFound": false, "InvalidCmdId.NotFound": false},
		"ram:A": {"InvalidInstanceId.NotFound": false},
	} {
		for code, want := range codes {
			err := fmt.Errorf("doing something: %w", aliyun.NewError(api, 404, code, "", "", true))
			if got := fleet.OfInstance(err); got != want {
				t.Errorf("%s %s: got %v", api, code, got)
			}
		}
	}
}

func TestErrorHasAPIClassCodeMessageAndRequest(t *testing.T) {
	url, _ := answering(t, text(403, `{"Code":"NoPermission","Message":"You may not.","RequestId":"R-1"}`))
	s, _ := newSession(t, url, 0)
	_, err := read(t.Context(), s)
	const want = "sts:GetCallerIdentity: denied: NoPermission (HTTP 403): You may not. [request R-1]"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestErrorWithoutCodeOrMessageSaysSo(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                 "sts:GetCallerIdentity: unclassified: HTTP 418",
		`{"Code":"Strange"}`: "sts:GetCallerIdentity: unclassified: Strange (HTTP 418)",
	} {
		url, _ := answering(t, text(418, body))
		s, _ := newSession(t, url, 0)
		if _, err := read(t.Context(), s); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
}

const canary = "canary-4711"

func TestErrorsHoldNoSecretsAndNoParameters(t *testing.T) {
	keys := aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "secret-" + canary, SecurityToken: "token-" + canary}
	answers := map[string]http.HandlerFunc{
		"dropped": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"empty":   text(200, ""),
		// The service quotes the whole request, with the security token in a header.
		"string to sign": func(w http.ResponseWriter, r *http.Request) {
			message := "Specified signature does not match our calculation. server CanonicalRequest is [" + form(r) + r.Header.Get("x-acs-security-token") + "]"
			text(400, fmt.Sprintf(`{"Code":"SignatureDoesNotMatch","Message":%q}`, message))(w, r)
		},
		"incomplete": func(w http.ResponseWriter, r *http.Request) {
			text(400, fmt.Sprintf(`{"Code":"IncompleteSignature","Message":%q}`, "server string to sign is:"+form(r)))(w, r)
		},
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			url, count := answering(t, answer)
			renewable := &aliyun.Renewable{}
			renewable.Renew(keys)
			cloud, err := aliyun.NewCloud(renewable, url)
			if err != nil {
				t.Fatal(err)
			}
			err = write(t.Context(), cloud.NewSession(0), canary)
			if err == nil || count.Load() == 0 {
				t.Fatal("nothing was sent, or nothing failed")
			}
			for _, form := range []string{"%v", "%+v", "%q"} {
				if s := fmt.Sprintf(form, err); strings.Contains(s, canary) {
					t.Errorf("%s: %s", form, s)
				}
			}
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				if strings.Contains(cause.Error(), canary) {
					t.Errorf("a cause: %s", cause)
				}
			}
		})
	}
}

func TestKeysPrintWithoutSecrets(t *testing.T) {
	keys := aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: canary, SecurityToken: canary}
	renewable := &aliyun.Renewable{}
	renewable.Renew(keys)
	for _, v := range []any{keys, &keys, renewable, struct{ K aliyun.Keys }{keys}} {
		for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
			if s := fmt.Sprintf(form, v); strings.Contains(s, canary) {
				t.Errorf("%s of %T: %s", form, v, s)
			}
		}
	}
	if s := fmt.Sprint(keys); !strings.Contains(s, "local-ak") {
		t.Errorf("the key id is no secret, and helps: %s", s)
	}
}

func TestWrongEndpointIsRefusedAtOnce(t *testing.T) {
	for _, endpoint := range []string{"127.0.0.1:4571", "localhost", "ftp://127.0.0.1:21", "http://127.0.0.1", "http://:x", "http://", "://"} {
		_, err := aliyun.NewCloud(&aliyun.Renewable{}, endpoint)
		if err == nil || !strings.Contains(err.Error(), aliyun.EndpointVariable) {
			t.Errorf("%q: got %v, want an error that names the variable", endpoint, err)
		}
	}
	for endpoint, local := range map[string]string{"": "", "http://127.0.0.1:4571": "127.0.0.1:4571", "https://sim.example:443": "sim.example:443"} {
		cloud, err := aliyun.NewCloud(&aliyun.Renewable{}, endpoint)
		if err != nil {
			t.Fatalf("%q: %v", endpoint, err)
		}
		if cloud.Local() != local {
			t.Errorf("%q: got %q, want %q", endpoint, cloud.Local(), local)
		}
	}
}

func TestUnreachableEndpointNamesTheAddress(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	s, _ := newSession(t, "http://"+address, 0)
	_, err = read(t.Context(), s)
	if fleet.ClassOf(err) != fleet.Unavailable || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v, want Unavailable and the address %s", err, address)
	}
}

func TestWrongKeyIsDeniedAndNotRepeated(t *testing.T) {
	for code, keys := range map[string]aliyun.Keys{
		"InvalidAccessKeyId.NotFound": {AccessKeyID: "unknown", AccessKeySecret: "x"},
		"SignatureDoesNotMatch":       {AccessKeyID: "local-ak", AccessKeySecret: "wrong"},
	} {
		cloud := startCloud(t)
		renewable := &aliyun.Renewable{}
		renewable.Renew(keys)
		c, err := aliyun.NewCloud(renewable, cloud.URL())
		if err != nil {
			t.Fatal(err)
		}
		_, err = read(t.Context(), c.NewSession(0))
		if fleet.ClassOf(err) != fleet.Denied || fleet.CodeOf(err) != code {
			t.Errorf("got %v, want denied, %s", err, code)
		}
		if n := sent(cloud, "GetCallerIdentity"); n != 1 {
			t.Errorf("the cloud saw %d requests", n)
		}
	}
}

func TestRenewedKeysSignTheNextCall(t *testing.T) {
	cloud := startCloud(t)
	keys := &aliyun.Renewable{}
	c, err := aliyun.NewCloud(keys, cloud.URL())
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range []struct {
		keys    aliyun.Keys
		account string
	}{
		{admin, "1000000000000001"},
		{aliyun.Keys{AccessKeyID: "sharee-ak", AccessKeySecret: "sharee-sk"}, "1000000000000002"},
		{admin, "1000000000000001"},
	} {
		keys.Renew(x.keys)
		got, err := read(t.Context(), c.NewSession(0))
		if err != nil || got.AccountID != x.account {
			t.Errorf("call %d: got %v, %v, want account %s", i, got, err, x.account)
		}
	}
}

func TestCallWithoutKeysFailsClearlyAndIsNotSent(t *testing.T) {
	cloud := startCloud(t, simcloud.Fault{Kind: simcloud.Throttle})
	empty := &aliyun.Renewable{}
	empty.Renew(aliyun.Keys{})
	for name, keys := range map[string]*aliyun.Renewable{"never": {}, "empty": empty} {
		c, err := aliyun.NewCloud(keys, cloud.URL())
		if err != nil {
			t.Fatal(err)
		}
		_, err = read(t.Context(), c.NewSession(0))
		if fleet.ClassOf(err) != fleet.Denied || !strings.Contains(err.Error(), "no credentials") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if totals := cloud.Log.Totals(); len(totals) != 0 {
		t.Errorf("the cloud saw %v", totals)
	}
}
