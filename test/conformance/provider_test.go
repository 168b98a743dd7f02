package conformance_test

import (
	"strings"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
)

// provided are the APIs that Terraform's provider calls for the resources of deploy/terraform,
// by version: the sources of aliyun/terraform-provider-alicloud, resource_alicloud_* and the
// services that read them back.
var provided = map[string]string{
	"2015-05-01": `CreatePolicy GetPolicy CreatePolicyVersion ListPolicyVersions DeletePolicyVersion DeletePolicy
		CreateRole GetRole UpdateRole DeleteRole AttachPolicyToRole DetachPolicyFromRole ListPoliciesForRole ListTagResources TagResources UntagResources`,
	"2020-04-01": `CreateEventBus GetEventBus UpdateEventBus DeleteEventBus CreateRule GetRule UpdateRule EnableRule DisableRule DeleteRule PutTargets ListTargets`,
	"2022-01-19": `CreateQueue GetQueueAttributes SetQueueAttributes DeleteQueue TagResources UntagResources`,
	"2014-05-26": `CreateCommand DescribeCommands DeleteCommand`,
	"2020-07-06": `CreateTrail DescribeTrails UpdateTrail DeleteTrail StartLogging StopLogging`,
}

func TestTheAPIsOfTerraformsProviderAreServed(t *testing.T) {
	c := newCloud(t, server.Options{})
	for version, actions := range provided {
		for _, action := range strings.Fields(actions) {
			if _, err := c.rpc(sharerAdmin, version, action, map[string]string{"RegionId": server.Home}); err != nil && strings.Contains(err.Error(), "InvalidAction.NotFound") {
				t.Errorf("%s of %s: %v", action, version, err)
			}
		}
	}
}

// The provider asks for a cascading deletion, whatever hangs on the policy.
func TestAPolicyIsDeletedWithWhatHangsOnIt(t *testing.T) {
	c := newCloud(t, server.Options{})
	c.makeRole("holder", trustsECS, `{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`)
	for _, x := range []struct {
		action string
		params map[string]string
	}{
		{"CreatePolicy", map[string]string{"PolicyName": "p", "PolicyDocument": onePolicy}},
		{"CreatePolicyVersion", map[string]string{"PolicyName": "p", "PolicyDocument": onePolicy}},
		{"AttachPolicyToRole", map[string]string{"PolicyName": "p", "PolicyType": "Custom", "RoleName": "holder"}},
		{"DeletePolicy", map[string]string{"PolicyName": "p", "CascadingDelete": "true"}},
	} {
		if _, err := c.rpc(sharerAdmin, "2015-05-01", x.action, x.params); err != nil {
			t.Fatal(x.action, err)
		}
	}
	_, err := c.rpc(sharerAdmin, "2015-05-01", "GetPolicy", map[string]string{"PolicyName": "p", "PolicyType": "Custom"})
	wantError(t, err, 404, "EntityNotExist.Policy")
}
