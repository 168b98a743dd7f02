package wire_test

import (
	"net/http"
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud/wire"
)

// The vector of the vendor's page on the V3 request syntax and signature.
func TestSignatureV3EqualsThePublishedVector(t *testing.T) {
	r, err := http.NewRequest(http.MethodPost, "http://ecs.cn-shanghai.aliyuncs.com/?"+
		"ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{
		"x-acs-action": "RunInstances", "x-acs-version": "2014-05-26",
		"x-acs-date": "2023-10-26T10:22:32Z", "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
		"x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	} {
		r.Header.Set(k, v)
	}
	signed := strings.Split("host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version", ";")
	const want = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := wire.SignV3(r, signed, "YourAccessKeySecret"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := wire.SignV3(r, signed, "YourAccessKeySecret&"); got == want {
		t.Error("the V3 secret has no trailing &")
	}
}

// The vector of the vendor's page on the RPC signature: DescribeRegions.
func TestSignatureV2EqualsThePublishedVector(t *testing.T) {
	pairs := map[string]string{
		"Timestamp": "2016-02-23T12:46:24Z", "Format": "XML", "AccessKeyId": "testid", "Action": "DescribeRegions",
		"SignatureMethod": "HMAC-SHA1", "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
		"Version": "2014-05-26", "SignatureVersion": "1.0",
	}
	const want = "OLeaidS1JvxuMvnyHOwuJ+uX5qY="
	if got := wire.SignV2(http.MethodGet, pairs, "testsecret"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	pairs["Signature"] = "anything"
	if got := wire.SignV2(http.MethodGet, pairs, "testsecret"); got != want {
		t.Error("the signature must not cover itself")
	}
	pairs["Extra"] = "1"
	if got := wire.SignV2(http.MethodGet, pairs, "testsecret"); got == want {
		t.Error("the signature must cover every other parameter")
	}
}
