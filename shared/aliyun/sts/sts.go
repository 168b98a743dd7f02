// Package sts reads the caller's identity from Security Token Service (2015-04-01), and
// assumes roles in other accounts.
package sts

import (
	"context"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

type noParameters struct{}

// Identity is the caller whose keys sign our requests.
type Identity struct {
	Account fleet.AccountID `json:"AccountId"`
	ARN     string          `json:"Arn"`
}

// Caller returns the identity of the caller, with GetCallerIdentity. The call needs no
// permission.
func Caller(ctx context.Context, s *aliyun.Session, region fleet.Region) (Identity, error) {
	id, err := aliyun.Do[noParameters, Identity](ctx, s,
		aliyun.API{Product: aliyun.STS, Action: "GetCallerIdentity", Region: region}, &noParameters{})
	if err != nil {
		return Identity{}, err
	}
	return *id, nil
}

// CallerAccount returns the account of [Caller].
func CallerAccount(ctx context.Context, s *aliyun.Session, region fleet.Region) (fleet.AccountID, error) {
	id, err := Caller(ctx, s, region)
	return id.Account, err
}
