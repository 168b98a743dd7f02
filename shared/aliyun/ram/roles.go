package ram

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	sdk "github.com/alibabacloud-go/ram-20150501/v2/client"

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
	names, err := list(name)
	if err != nil {
		return nil, err
	}
	req := &sdk.ListTagResourcesShrinkRequest{ResourceType: new(role), ResourceNamesShrink: names, PageSize: new(int32(100))}
	for {
		page, err := aliyun.Do[sdk.ListTagResourcesShrinkRequest, sdk.ListTagResourcesResponseBody](ctx, c.session, read("ListTagResources"), req)
		if err != nil {
			return nil, err
		}
		for _, t := range page.TagResources {
			if strings.EqualFold(deref(t.ResourceName), name) {
				out[deref(t.TagKey)] = deref(t.TagValue)
			}
		}
		if deref(page.NextToken) == "" {
			return out, nil
		}
		req.NextToken = page.NextToken
	}
}

// list is a JSON array of one text, as RAM's tag APIs take lists.
func list[T any](one T) (*string, error) {
	b, err := json.Marshal([]T{one})
	if err != nil {
		return nil, fmt.Errorf("writing a list: %w", err)
	}
	return new(string(b)), nil
}

// tag is one tag as RAM's tag APIs take it.
type tag struct{ Key, Value string }

// TagRole sets one tag on a role. Read it back: see [Client.RoleTags].
func (c *Client) TagRole(ctx context.Context, name, key, value string) error {
	names, err := list(name)
	if err != nil {
		return err
	}
	tags, err := list(tag{key, value})
	if err != nil {
		return err
	}
	_, err = aliyun.Do[sdk.TagResourcesShrinkRequest, sdk.TagResourcesResponseBody](ctx, c.session, write("TagResources"),
		&sdk.TagResourcesShrinkRequest{ResourceType: new(role), ResourceNamesShrink: names, TagShrink: tags})
	return err
}

// UntagRole removes one tag from a role, whatever its value.
func (c *Client) UntagRole(ctx context.Context, name, key string) error {
	names, err := list(name)
	if err != nil {
		return err
	}
	keys, err := list(key)
	if err != nil {
		return err
	}
	_, err = aliyun.Do[sdk.UntagResourcesShrinkRequest, sdk.UntagResourcesResponseBody](ctx, c.session, write("UntagResources"),
		&sdk.UntagResourcesShrinkRequest{ResourceType: new(role), ResourceNamesShrink: names, TagKeysShrink: keys})
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
