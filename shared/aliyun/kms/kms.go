// Package kms reads from Key Management Service (2016-01-20) what the rules need, and secrets of
// its Secrets Manager.
package kms

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type noParameters struct{}

type accountStatus struct {
	AccountStatus string `json:"AccountStatus"`
}

// Client calls KMS for one pass.
type Client struct{ session *aliyun.Session }

// New returns a Client that counts its calls in session.
func New(session *aliyun.Session) *Client { return &Client{session} }

// AccountStatus returns whether KMS is enabled in the account, with
// DescribeAccountKmsStatus: Enabled, NotEnabled, InDebt or Suspended. Where KMS is not
// served it is [fleet.NoKMS], without a call.
func (c *Client) AccountStatus(ctx context.Context, region fleet.Region) (string, error) {
	if aliyun.KMS.Absent(region) {
		return fleet.NoKMS, nil
	}
	got, err := aliyun.Do[noParameters, accountStatus](ctx, c.session,
		aliyun.API{Product: aliyun.KMS, Action: "DescribeAccountKmsStatus", Region: region}, &noParameters{})
	if err != nil {
		return "", err
	}
	return got.AccountStatus, nil
}

type describeKey struct {
	KeyID *string `json:"KeyId,omitempty" xml:"KeyId,omitempty"`
}

type keyMetadata struct {
	KeyMetadata struct {
		KeyID string `json:"KeyId"`
	} `json:"KeyMetadata"`
}

// serviceAlias is the alias of the key that ECS creates, one for each account and region
// (https://www.alibabacloud.com/help/en/ecs/user-guide/access-ecs-encrypted-resources-through-the-ram-role).
const serviceAlias = "alias/acs/ecs"

// ServiceKey returns the id of the key that ECS created, with DescribeKey; "" when there is
// none, and, without a call, where KMS is not served.
func (c *Client) ServiceKey(ctx context.Context, region fleet.Region) (string, error) {
	if aliyun.KMS.Absent(region) {
		return "", nil
	}
	got, err := aliyun.Do[describeKey, keyMetadata](ctx, c.session,
		aliyun.API{Product: aliyun.KMS, Action: "DescribeKey", Region: region}, &describeKey{KeyID: new(serviceAlias)})
	switch {
	case fleet.ClassOf(err) == fleet.NotFound:
		return "", nil
	case err != nil:
		return "", err
	}
	return got.KeyMetadata.KeyID, nil
}
