package sts

import (
	"regexp"
	"strings"
	"time"

	"fleetwarden/deploy/local/simcloud/wire"
)

// Empty is a request without parameters.
type Empty struct{}

// GetCallerIdentityResponse says who signed the request.
type GetCallerIdentityResponse struct {
	AccountId, Arn, IdentityType, PrincipalId string
	UserId                                    string `json:",omitempty"`
	RoleId                                    string `json:",omitempty"`
}

// GetCallerIdentity needs no permission.
func (s *STS) GetCallerIdentity(c *wire.Call, _ *Empty) (*GetCallerIdentityResponse, error) {
	who := c.Caller
	out := &GetCallerIdentityResponse{AccountId: who.Account, IdentityType: who.Type, PrincipalId: who.PrincipalID}
	switch who.Type {
	case "Account":
		out.UserId, out.Arn = who.Account, "acs:ram::"+who.Account+":root"
	case "RAMUser":
		out.UserId, out.Arn = who.PrincipalID, "acs:ram::"+who.Account+":user/"+who.Name
	default:
		out.RoleId, _, _ = strings.Cut(who.PrincipalID, ":")
		out.Arn = assumedARN(who.Account, who.Name, who.Session)
	}
	return out, nil
}

func assumedARN(account, role, session string) string {
	return "acs:ram::" + account + ":assumed-role/" + role + "/" + session
}

// AssumeRoleRequest are the parameters of AssumeRole.
type AssumeRoleRequest struct {
	RoleArn, RoleSessionName, Policy, ExternalId, SourceIdentity string
	DurationSeconds                                              *int64
}

// AssumeRoleResponse holds the new credentials.
type AssumeRoleResponse struct {
	Credentials     CredentialsInfo
	AssumedRoleUser AssumedRoleUser
	SourceIdentity  string `json:",omitempty"`
}

// CredentialsInfo is credentials as they are answered.
type CredentialsInfo struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }

// AssumedRoleUser names the session.
type AssumedRoleUser struct{ Arn, AssumedRoleId string }

var (
	arnPattern     = regexp.MustCompile(`^acs:ram::([0-9]{1,32}):role/([A-Za-z0-9.-]{1,64})$`)
	sessionPattern = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)
)

// AssumeRole opens a session of a role. Both sides must agree: the caller's
// policies, and the role's trust policy, which is evaluated for the caller. The
// account itself may not assume roles.
func (s *STS) AssumeRole(c *wire.Call, in *AssumeRoleRequest) (*AssumeRoleResponse, error) {
	m := arnPattern.FindStringSubmatch(in.RoleArn)
	if m == nil {
		return nil, wire.Errorf(400, "InvalidParameter.RoleArn", "The parameter RoleArn is wrongly formed.") // code assumed
	}
	if !sessionPattern.MatchString(in.RoleSessionName) {
		return nil, wire.Errorf(400, "InvalidParameter.RoleSessionName", "The parameter RoleSessionName is wrongly formed.") // code assumed
	}
	account, name := m[1], m[2]
	if c.Caller.Type == "Account" {
		return nil, notAuthorized("Roles may not be assumed by root accounts.")
	}
	if err := c.Allow("sts:AssumeRole", "acs:ram:*:"+account+":role/"+name); err != nil {
		return nil, err
	}
	role, ok := s.ram.FindRole(account, name)
	if !ok {
		return nil, wire.Errorf(404, "EntityNotExist.Role", "The role not exists: %s.", in.RoleArn)
	}
	keys := map[string]string{}
	if in.ExternalId != "" {
		keys["sts:ExternalId"] = in.ExternalId
	}
	if !s.ram.TrustsCaller(account, name, c.Caller, keys) {
		return nil, notAuthorized("The trust policy of the role does not name the caller.")
	}
	lasts, err := in.lasts(role.MaxSession)
	if err != nil {
		return nil, err
	}
	cred := s.open(account, role, in.RoleSessionName, sessionOptions{lasts, in.Policy, c.Caller.Session})
	c.Refer("ACS::RAM::Role", role.Name)
	return &AssumeRoleResponse{
		Credentials: CredentialsInfo{
			cred.AccessKeyId, cred.AccessKeySecret, cred.SecurityToken, cred.Expiration.Format("2006-01-02T15:04:05Z"),
		},
		AssumedRoleUser: AssumedRoleUser{in.RoleArn + "/" + in.RoleSessionName, role.ID + ":" + in.RoleSessionName},
		SourceIdentity:  in.SourceIdentity,
	}, nil
}

func notAuthorized(why string) *wire.Error {
	return wire.Errorf(403, "NoPermission", "You are not authorized to do this action. %s", why)
}

// lasts is 900 s to the role's maximum, an hour by default. The code is assumed.
func (in *AssumeRoleRequest) lasts(most time.Duration) (time.Duration, error) {
	n := wire.Given(in.DurationSeconds, int64(min(time.Hour, most)/time.Second))
	if n < 900 || n > int64(most/time.Second) {
		return 0, wire.Errorf(400, "InvalidParameter.DurationSeconds", "DurationSeconds must be 900 to %d.", int64(most/time.Second))
	}
	return time.Duration(n) * time.Second, nil
}
