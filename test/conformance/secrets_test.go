package conformance_test

import (
	"fmt"
	"strings"
	"testing"

	v1kms "github.com/aliyun/alibaba-cloud-sdk-go/services/kms"
	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud/server"
)

const keyAPI = "2016-01-20"

const secretARN = "acs:kms:cn-hangzhou:1000000000000001:secret/robot"

func withSecret(c *cloud) { c.ok(c.KMS.SetSecret(server.Sharer, server.Home, "robot", "first", "")) }

func TestASecretIsReadByNameARNVersionAndStage(t *testing.T) {
	c := newCloud(t, server.Options{})
	withSecret(c)
	c.ok(c.KMS.SetSecret(server.Sharer, server.Home, "robot", "second", ""))
	c.ok(c.KMS.SetSecret(server.Sharer, server.Home, "robot", "third", ""))
	api, err := v1kms.NewClientWithOptions(server.Home, older(), credentialOf(sharerAdmin))
	c.ok(err)
	read := func(name, version, stage string) string {
		q := v1kms.CreateGetSecretValueRequest()
		q.Domain, q.SecretName, q.VersionId, q.VersionStage = c.host(), name, version, stage
		got, err := api.GetSecretValue(q)
		c.ok(err)
		if got.SecretName != "robot" || got.SecretType != "Generic" || got.SecretDataType != "text" || got.CreateTime != "2026-01-05T00:00:00Z" {
			t.Errorf("got %+v", got)
		}
		return fmt.Sprint(got.SecretData, " ", got.VersionStages.VersionStage)
	}
	for _, x := range []struct{ name, version, stage, want string }{
		{"robot", "", "", "third [ACSCurrent]"}, {secretARN, "", "", "third [ACSCurrent]"}, {"robot", "", "ACSPrevious", "second [ACSPrevious]"},
		{"robot", "00000000000000000000000000000001", "", "first []"}, {"robot", "00000000000000000000000000000003", "ACSCurrent", "third [ACSCurrent]"},
	} {
		if diff := cmp.Diff(x.want, read(x.name, x.version, x.stage)); diff != "" {
			t.Errorf("%+v: %s", x, diff)
		}
	}
	p := plane{c, sharerAdmin, keyAPI}
	for _, params := range []map[string]any{
		{"SecretName": "none"}, {"SecretName": "robot", "VersionId": "9"}, {"SecretName": "robot", "VersionStage": "ACSNext"},
		{"SecretName": "robot", "VersionId": "00000000000000000000000000000001", "VersionStage": "ACSCurrent"},
		{"SecretName": "acs:kms:cn-hangzhou:1000000000000002:secret/robot"},
	} {
		p.refused("GetSecretValue", params, 404, "Forbidden.ResourceNotFound")
	}
	c.KMS.RemoveSecret(server.Sharer, server.Home, "robot")
	p.refused("GetSecretValue", map[string]any{"SecretName": "robot"}, 404, "Forbidden.ResourceNotFound")
}

func TestASecretIsOfItsAccountAndRegion(t *testing.T) {
	c := newCloud(t, server.Options{})
	withSecret(c)
	plane{c, shareeAdmin, keyAPI}.refused("GetSecretValue", map[string]any{"SecretName": "robot"}, 404, "Forbidden.ResourceNotFound")
	plane{c, sharerAdmin, keyAPI}.refused("GetSecretValue", map[string]any{"SecretName": "robot", "RegionId": server.Another}, 404, "Forbidden.ResourceNotFound")
	for _, x := range [][4]string{{"9", server.Home, "a", "b"}, {server.Sharer, "moon", "a", "b"}, {server.Sharer, server.Home, "", "b"}, {server.Sharer, server.Home, "a", ""}} {
		if c.KMS.SetSecret(x[0], x[1], x[2], x[3], "") == nil {
			t.Errorf("%q was set", x)
		}
	}
	if c.KMS.SetSecret(server.Sharer, server.Home, "a", "b", "alias/acs/ecs") == nil {
		t.Error("a service key encrypts a secret")
	}
}

func TestASecretIsDescribedWithoutItsText(t *testing.T) {
	c := newCloud(t, server.Options{})
	withSecret(c)
	p := plane{c, sharerAdmin, keyAPI}
	body := p.must("DescribeSecret", map[string]any{"SecretName": "robot", "FetchTags": "true"}, `"Arn":"`+secretARN+`"`, `"SecretName":"robot"`)
	if strings.Contains(body, "first") {
		t.Error("the text is in the description")
	}
	p.refused("DescribeSecret", map[string]any{"SecretName": "none"}, 404, "Forbidden.ResourceNotFound")
}

// The page of GetSecretValue asks for kms:Decrypt on the customer's key.
func TestASecretUnderACustomersKeyNeedsTheRightToDecrypt(t *testing.T) {
	c := newCloud(t, server.Options{})
	key, err := c.KMS.AddKey(server.Sharer, server.Home, "alias/secrets")
	c.ok(err)
	c.ok(c.KMS.SetSecret(server.Sharer, server.Home, "robot", "text", "alias/secrets"))
	params := map[string]any{"SecretName": "robot"}
	read := `{"Effect":"Allow","Action":"kms:GetSecretValue","Resource":"` + secretARN + `"}`
	plane{c, c.acting("reader", read), keyAPI}.refused("GetSecretValue", params, 403, "Forbidden.RAM")
	both := plane{c, c.acting("decrypter", read+`,{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+key.ARN+`"}`), keyAPI}
	both.must("GetSecretValue", params, `"SecretData":"text"`)
	plane{c, sharerAdmin, keyAPI}.must("DescribeSecret", params, key.ID)
	c.ok(c.KMS.SetState(server.Sharer, server.Home, key.ID, "Disabled"))
	both.refused("GetSecretValue", params, 409, "Rejected.Disabled")
}

func TestSecretsNeedTheRightToTheVerySecret(t *testing.T) {
	needsRights(t, keyAPI, withSecret, secretARN, map[string]map[string]any{
		"kms:GetSecretValue": {"SecretName": "robot"},
		"kms:DescribeSecret": {"SecretName": "robot"},
	}, "")
}

func TestASecretIsInTheDigestAndItsTextInNoAnswerOfTheControl(t *testing.T) {
	c := newCloud(t, server.Options{})
	digest := func() any {
		var out map[string]any
		c.control("GET", "world?digest=1", "", &out)
		return out["digest"]
	}
	before := digest()
	c.ok(c.KMS.SetSecret(server.Sharer, server.Home, "robot", "a-text-of-a-secret", ""))
	first := digest()
	c.ok(c.KMS.SetSecret(server.Sharer, server.Home, "robot", "another", ""))
	if before == first || first == digest() {
		t.Error("secrets do not change the digest")
	}
	var world map[string]any
	c.control("GET", "world", "", &world)
	if text := fmt.Sprint(world["kms"]); text == "" || strings.Contains(text, "a-text-of-a-secret") {
		t.Error("the text of a secret is shown")
	}
}
