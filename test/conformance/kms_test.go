package conformance_test

import (
	"fmt"
	"testing"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	utils "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"

	"fleetwarden/deploy/local/simcloud/kms"
	"fleetwarden/deploy/local/simcloud/server"
)

// rpc calls an API through the generic client that the typed SDKs are built on.
func (c *cloud) rpc(who identity, version, action string, query map[string]string) (map[string]any, error) {
	c.t.Helper()
	return c.rpcWith(who, version, action, query, nil)
}

func (c *cloud) rpcWith(who identity, version, action string, query map[string]string, headers map[string]*string) (map[string]any, error) {
	c.t.Helper()
	cfg := c.config(who)
	client, err := openapi.NewClient(&utils.Config{
		AccessKeyId: cfg.AccessKeyId, AccessKeySecret: cfg.AccessKeySecret, SecurityToken: cfg.SecurityToken,
		Endpoint: cfg.Endpoint, Protocol: cfg.Protocol, RegionId: cfg.RegionId,
	})
	c.ok(err)
	in := map[string]*string{}
	for k, v := range query {
		in[k] = tea.String(v)
	}
	out, err := client.CallApi(&utils.Params{
		Action: &action, Version: &version, Protocol: tea.String("HTTP"), Pathname: tea.String("/"), Method: tea.String("POST"),
		AuthType: tea.String("AK"), Style: tea.String("RPC"), ReqBodyType: tea.String("formData"), BodyType: tea.String("json"),
	}, &utils.OpenApiRequest{Query: in, Headers: headers}, &dara.RuntimeOptions{})
	if err != nil {
		return nil, err
	}
	body, _ := out["body"].(map[string]any)
	return body, nil
}

func TestKMSStatusIsPerAccountAndRegion(t *testing.T) {
	c := newCloud(t, server.Options{})
	status := func(who identity) string {
		got, err := c.rpc(who, "2016-01-20", "DescribeAccountKmsStatus", nil)
		c.ok(err)
		return fmt.Sprint(got["AccountStatus"])
	}
	if got := status(sharerAdmin); got != "Enabled" {
		t.Errorf("got %s, want Enabled", got)
	}
	c.KMS.SetStatus(server.Sharer, server.Home, "InDebt")
	if got := status(sharerAdmin); got != "InDebt" {
		t.Errorf("got %s, want InDebt", got)
	}
	if got := status(shareeAdmin); got != "Enabled" {
		t.Errorf("another account got %s, want Enabled", got)
	}
}

func TestServiceKeyIsFoundByItsAlias(t *testing.T) {
	c := newCloud(t, server.Options{})
	got, err := c.rpc(sharerAdmin, "2016-01-20", "DescribeKey", map[string]string{"KeyId": kms.ServiceAlias})
	c.ok(err)
	want, _ := c.KMS.Find(server.Sharer, server.Home, kms.ServiceAlias)
	if key := got["KeyMetadata"].(map[string]any); key["KeyId"] != want.ID || key["Creator"] != "ECS" {
		t.Errorf("the service key is %v, want %s", key, want.ID)
	}
	_, err = c.rpc(sharerAdmin, "2016-01-20", "DescribeKey", map[string]string{"KeyId": "none"})
	wantError(t, err, 404, "Forbidden.KeyNotFound")
}
