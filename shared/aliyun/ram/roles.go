package ram

import (
	"context"

	sdk "github.com/alibabacloud-go/ram-20150501/v2/client"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// role is the resource type of a role, for tags.
const role = "role"

// RoleTags reads the tags of a role, with ListTagResources; none when there is no such
// role.
func (c *Client) RoleTags(ctx context.Context, name string) (map[string]string, error) {
	out := map[string]string{}
	req := &sdk.ListTagResourcesRequest{ResourceType: new(role), ResourceNames: []*string{&name}, PageSize: new(int32(100))}
	for {
		page, err := aliyun.Do[sdk.ListTagResourcesRequest, sdk.ListTagResourcesResponseBody](ctx, c.session, read("ListTagResources"), req)
		if fleet.ClassOf(err) == fleet.NotFound {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for _, t := range page.TagResources {
			if deref(t.ResourceName) == name {
				out[deref(t.TagKey)] = deref(t.TagValue)
			}
		}
		if deref(page.NextToken) == "" {
			return out, nil
		}
		req.NextToken = page.NextToken
	}
}

// TagRole puts one tag on a role.
func (c *Client) TagRole(ctx context.Context, name, key, value string) error {
	_, err := aliyun.Do[sdk.TagResourcesRequest, sdk.TagResourcesResponseBody](ctx, c.session, write("TagResources"),
		&sdk.TagResourcesRequest{ResourceType: new(role), ResourceNames: []*string{&name}, Tag: []*sdk.TagResourcesRequestTag{{Key: &key, Value: &value}}})
	return err
}

// UntagRole takes one tag off a role, whatever its value.
func (c *Client) UntagRole(ctx context.Context, name, key string) error {
	_, err := aliyun.Do[sdk.UntagResourcesRequest, sdk.UntagResourcesResponseBody](ctx, c.session, write("UntagResources"),
		&sdk.UntagResourcesRequest{ResourceType: new(role), ResourceNames: []*string{&name}, TagKeys: []*string{&key}})
	return err
}

// SetTrust replaces the whole trust document of a role. RAM compares nothing: read the
// role right before, and after.
func (c *Client) SetTrust(ctx context.Context, name, trust string) error {
	_, err := aliyun.Do[sdk.UpdateRoleRequest, sdk.UpdateRoleResponseBody](ctx, c.session, write("UpdateRole"),
		&sdk.UpdateRoleRequest{RoleName: &name, NewAssumeRolePolicyDocument: &trust})
	return err
}

// SetPolicy makes document the default version of a custom policy. The oldest of its
// five versions gives way.
func (c *Client) SetPolicy(ctx context.Context, name, document string) error {
	delete(c.documents, string(fleet.CustomPolicy)+"/"+name)
	_, err := aliyun.Do[sdk.CreatePolicyVersionRequest, sdk.CreatePolicyVersionResponseBody](ctx, c.session, write("CreatePolicyVersion"),
		&sdk.CreatePolicyVersionRequest{PolicyName: &name, PolicyDocument: &document,
			SetAsDefault:   new(true), // the default is false, and then nothing changes
			RotateStrategy: new("DeleteOldestNonDefaultVersionWhenLimitExceeded")})
	return err
}

// Fresh is Policy, asked anew whatever this pass has read.
func (c *Client) Fresh(ctx context.Context, p fleet.Policy) (string, error) {
	delete(c.documents, string(p.Type)+"/"+p.Name)
	return c.Policy(ctx, p)
}

// DetachPolicy takes a policy from a role.
func (c *Client) DetachPolicy(ctx context.Context, name string, p fleet.Policy) error {
	_, err := aliyun.Do[sdk.DetachPolicyFromRoleRequest, sdk.DetachPolicyFromRoleResponseBody](ctx, c.session, write("DetachPolicyFromRole"),
		&sdk.DetachPolicyFromRoleRequest{RoleName: &name, PolicyName: &p.Name, PolicyType: new(string(p.Type))})
	return err
}
