package ram

import (
	"context"
	"strings"

	sdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// role is the resource type of a role, for tags.
const role = "role"

// RoleTags reads the tags of an existing role, with ListTagResources; a missing role is an
// error, not a role without tags. The names are sent as one JSON text, as the published
// metadata declare and the SDK's own methods do; a service that ignores them answers with
// the tags of all roles, which are filtered.
func (c *Client) RoleTags(ctx context.Context, name string) (map[string]string, error) {
	out := map[string]string{}
	req := &sdk.ListTagResourcesShrinkRequest{ResourceType: new(role), ResourceNamesShrink: aliyun.List(name), PageSize: new(int32(100))}
	for {
		page, err := aliyun.Do[sdk.ListTagResourcesShrinkRequest, sdk.ListTagResourcesResponseBody](ctx, c.session, read("ListTagResources"), req)
		if err != nil {
			return nil, err
		}
		for _, t := range page.TagResources {
			if strings.EqualFold(dara.StringValue(t.ResourceName), name) {
				out[dara.StringValue(t.TagKey)] = dara.StringValue(t.TagValue)
			}
		}
		if dara.StringValue(page.NextToken) == "" {
			return out, nil
		}
		req.NextToken = page.NextToken
	}
}

// tag is one tag as RAM's tag APIs take it.
type tag struct{ Key, Value string }

// TagRole sets one tag on a role. Read it back: see [Client.RoleTags].
func (c *Client) TagRole(ctx context.Context, name, key, value string) error {
	_, err := aliyun.Do[sdk.TagResourcesShrinkRequest, sdk.TagResourcesResponseBody](ctx, c.session, write("TagResources"),
		&sdk.TagResourcesShrinkRequest{ResourceType: new(role), ResourceNamesShrink: aliyun.List(name), TagShrink: aliyun.List(tag{key, value})})
	return err
}

// UntagRole removes one tag from a role, whatever its value.
func (c *Client) UntagRole(ctx context.Context, name, key string) error {
	_, err := aliyun.Do[sdk.UntagResourcesShrinkRequest, sdk.UntagResourcesResponseBody](ctx, c.session, write("UntagResources"),
		&sdk.UntagResourcesShrinkRequest{ResourceType: new(role), ResourceNamesShrink: aliyun.List(name), TagKeysShrink: aliyun.List(key)})
	return err
}

// SetTrust replaces the whole trust document of a role. RAM has no conditional writes: read
// the role right before, and after.
func (c *Client) SetTrust(ctx context.Context, name, trust string) error {
	_, err := aliyun.Do[sdk.UpdateRoleRequest, sdk.UpdateRoleResponseBody](ctx, c.session, write("UpdateRole"),
		&sdk.UpdateRoleRequest{RoleName: &name, NewAssumeRolePolicyDocument: &trust})
	return err
}

// SetPolicy makes document the default version of a custom policy, in place of the oldest
// of its five versions.
func (c *Client) SetPolicy(ctx context.Context, name, document string) error {
	delete(c.documents, string(fleet.CustomPolicy)+"/"+name)
	_, err := aliyun.Do[sdk.CreatePolicyVersionRequest, sdk.CreatePolicyVersionResponseBody](ctx, c.session, write("CreatePolicyVersion"),
		&sdk.CreatePolicyVersionRequest{PolicyName: &name, PolicyDocument: &document,
			SetAsDefault:   new(true), // the default, false, would leave the old version in effect
			RotateStrategy: new("DeleteOldestNonDefaultVersionWhenLimitExceeded")})
	return err
}

// Fresh is Policy without the cache.
func (c *Client) Fresh(ctx context.Context, p fleet.Policy) (string, error) {
	delete(c.documents, string(p.Type)+"/"+p.Name)
	return c.Policy(ctx, p)
}

// DetachPolicy detaches a policy from a role.
func (c *Client) DetachPolicy(ctx context.Context, name string, p fleet.Policy) error {
	_, err := aliyun.Do[sdk.DetachPolicyFromRoleRequest, sdk.DetachPolicyFromRoleResponseBody](ctx, c.session, write("DetachPolicyFromRole"),
		&sdk.DetachPolicyFromRoleRequest{RoleName: &name, PolicyName: &p.Name, PolicyType: new(string(p.Type))})
	return err
}
