package ram

import (
	"context"
	"fmt"

	sdk "github.com/alibabacloud-go/ram-20150501/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// managedTag marks what Fleetwarden created, in the JSON form of RAM's Tag parameter.
const managedTag = `[{"Key":"fleetwarden","Value":"managed"}]`

// Client calls RAM for one pass.
type Client struct {
	session *aliyun.Session
	// documents holds the policies read in this pass: many roles share a few.
	documents map[string]string
}

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client {
	return &Client{session: session, documents: map[string]string{}}
}

func read(action string) aliyun.API { return aliyun.API{Product: aliyun.RAM, Action: action} }

func write(action string) aliyun.API {
	return aliyun.API{Product: aliyun.RAM, Action: action, Write: true}
}

// Role reads a role, its policies and their documents: GetRole, ListPoliciesForRole, and
// GetPolicy for each policy not yet read in this pass. A role that does not exist is
// returned with Missing set.
func (c *Client) Role(ctx context.Context, name string) (fleet.Role, error) {
	role, err := c.Bare(ctx, name)
	if err != nil || role.Missing {
		return role, err
	}
	role.Policies, err = c.policies(ctx, name)
	return role, err
}

// Bare is Role without the policies: GetRole alone.
func (c *Client) Bare(ctx context.Context, name string) (fleet.Role, error) {
	got, err := aliyun.Do[sdk.GetRoleRequest, sdk.GetRoleResponseBody](ctx, c.session, read("GetRole"), &sdk.GetRoleRequest{RoleName: &name})
	if fleet.ClassOf(err) == fleet.NotFound {
		return fleet.Role{Name: name, Missing: true}, nil
	}
	if err != nil {
		return fleet.Role{}, err
	}
	if got.Role == nil {
		return fleet.Role{}, fmt.Errorf("reading role %s: the answer holds no role", name)
	}
	return fleet.Role{Name: name, ARN: dara.StringValue(got.Role.Arn), Trust: dara.StringValue(got.Role.AssumeRolePolicyDocument), Updated: dara.StringValue(got.Role.UpdateDate)}, nil
}

func (c *Client) policies(ctx context.Context, role string) ([]fleet.Policy, error) {
	list, err := aliyun.Do[sdk.ListPoliciesForRoleRequest, sdk.ListPoliciesForRoleResponseBody](ctx, c.session,
		read("ListPoliciesForRole"), &sdk.ListPoliciesForRoleRequest{RoleName: &role})
	if err != nil || list.Policies == nil {
		return nil, err
	}
	var out []fleet.Policy
	for _, p := range list.Policies.Policy {
		policy := fleet.Policy{Name: dara.StringValue(p.PolicyName), Type: fleet.PolicyType(dara.StringValue(p.PolicyType))}
		if policy.Document, err = c.Policy(ctx, policy); err != nil {
			return nil, err
		}
		out = append(out, policy)
	}
	return out, nil
}

// Policy returns the default version's text, cached for the pass. GetPolicy's own
// PolicyDocument is deprecated and empty; DefaultPolicyVersion has the text.
func (c *Client) Policy(ctx context.Context, p fleet.Policy) (string, error) {
	key := string(p.Type) + "/" + p.Name
	if doc, ok := c.documents[key]; ok {
		return doc, nil
	}
	got, err := aliyun.Do[sdk.GetPolicyRequest, sdk.GetPolicyResponseBody](ctx, c.session, read("GetPolicy"),
		&sdk.GetPolicyRequest{PolicyName: &p.Name, PolicyType: new(string(p.Type))})
	if err != nil {
		return "", err
	}
	if got.DefaultPolicyVersion == nil {
		return "", fmt.Errorf("reading policy %s: the answer holds no default version", key)
	}
	doc := dara.StringValue(got.DefaultPolicyVersion.PolicyDocument)
	c.documents[key] = doc
	return doc, nil
}

// CreateRole makes a role with our tag.
func (c *Client) CreateRole(ctx context.Context, name, trust, description string) error {
	_, err := aliyun.Do[sdk.CreateRoleShrinkRequest, sdk.CreateRoleResponseBody](ctx, c.session, write("CreateRole"),
		&sdk.CreateRoleShrinkRequest{RoleName: &name, AssumeRolePolicyDocument: &trust, Description: &description, TagShrink: new(managedTag)})
	return err
}

// CreatePolicy makes a custom policy with our tag.
func (c *Client) CreatePolicy(ctx context.Context, name, document, description string) error {
	_, err := aliyun.Do[sdk.CreatePolicyShrinkRequest, sdk.CreatePolicyResponseBody](ctx, c.session, write("CreatePolicy"),
		&sdk.CreatePolicyShrinkRequest{PolicyName: &name, PolicyDocument: &document, Description: &description, TagShrink: new(managedTag)})
	return err
}

// AttachPolicy attaches a policy to a role.
func (c *Client) AttachPolicy(ctx context.Context, role string, p fleet.Policy) error {
	_, err := aliyun.Do[sdk.AttachPolicyToRoleRequest, sdk.AttachPolicyToRoleResponseBody](ctx, c.session, write("AttachPolicyToRole"),
		&sdk.AttachPolicyToRoleRequest{RoleName: &role, PolicyName: &p.Name, PolicyType: new(string(p.Type))})
	return err
}
