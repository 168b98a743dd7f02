// Package kms asks Key Management Service (2016-01-20) what the rules need.
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

// AccountStatus returns whether the account has switched KMS on, with
// DescribeAccountKmsStatus: Enabled, NotEnabled, InDebt or Suspended.
func (c *Client) AccountStatus(ctx context.Context, region fleet.Region) (string, error) {
	got, err := aliyun.Do[noParameters, accountStatus](ctx, c.session,
		aliyun.API{Product: aliyun.KMS, Action: "DescribeAccountKmsStatus", Region: region}, &noParameters{})
	if err != nil {
		return "", err
	}
	return got.AccountStatus, nil
}
