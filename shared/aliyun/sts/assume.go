package sts

import (
	"context"
	"errors"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

// Role is a RAM role of an account, and the session of it.
type Role struct {
	Account fleet.AccountID
	Name    string
	// Session is the session's name: it is in the account's trail beside the role's name.
	Session string
	// Policy, if not empty, narrows the session to what both the role's policies and this
	// one allow. It has at most 2048 characters.
	Policy string
}

// Assumed are keys of a role, and when they expire, in real time.
type Assumed struct {
	Keys    aliyun.Keys
	Expires time.Time
}

// assumeRole are the parameters of AssumeRole that we set. Without DurationSeconds a
// session lasts an hour, the least that a role can be limited to.
type assumeRole struct {
	RoleArn         *string `json:"RoleArn"`
	RoleSessionName *string `json:"RoleSessionName"`
	Policy          *string `json:"Policy,omitempty"`
}

type credentials struct {
	Credentials struct {
		AccessKeyID     string `json:"AccessKeyId"`
		AccessKeySecret string `json:"AccessKeySecret"`
		SecurityToken   string `json:"SecurityToken"`
		Expiration      string `json:"Expiration"` // RFC 3339, UTC
	} `json:"Credentials"`
}

var errNoKeys = errors.New("the answer has no keys with their expiry")

// AssumeRole opens a session of a role with the session's own keys, which have to be a RAM
// user's or a role's, not the account's. Both sides must agree: our policies with
// sts:AssumeRole on the role, and the role's trust. All callers of an account together may
// call it 100 times a second.
func AssumeRole(ctx context.Context, s *aliyun.Session, region fleet.Region, r Role) (Assumed, error) {
	api := aliyun.API{Product: aliyun.STS, Action: "AssumeRole", Region: region}
	arn := "acs:ram::" + string(r.Account) + ":role/" + r.Name
	req := &assumeRole{RoleArn: &arn, RoleSessionName: &r.Session, Policy: aliyun.Optional(r.Policy)}
	answer, err := aliyun.Do[assumeRole, credentials](ctx, s, api, req)
	if err != nil {
		return Assumed{}, err
	}
	c := answer.Credentials
	expires, err := time.Parse(time.RFC3339, c.Expiration)
	if err != nil || c.AccessKeyID == "" || c.AccessKeySecret == "" || c.SecurityToken == "" {
		return Assumed{}, aliyun.NoAnswer(ctx, api.String(), errNoKeys, api.Write)
	}
	return Assumed{aliyun.Keys{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}, expires}, nil
}
