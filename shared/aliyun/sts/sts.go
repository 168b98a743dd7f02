// Package sts reads the caller's identity from Security Token Service (2015-04-01), and
// assumes roles in other accounts.
package sts

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type noParameters struct{}

type identity struct {
	AccountID string `json:"AccountId"`
	Arn       string `json:"Arn"`
}

// CallerAccount returns the account whose keys sign our requests, with
// GetCallerIdentity. The call needs no permission.
func CallerAccount(ctx context.Context, s *aliyun.Session, region fleet.Region) (fleet.AccountID, error) {
	id, err := aliyun.Do[noParameters, identity](ctx, s,
		aliyun.API{Product: aliyun.STS, Action: "GetCallerIdentity", Region: region}, &noParameters{})
	if err != nil {
		return "", err
	}
	return fleet.AccountID(id.AccountID), nil
}
