// Package sts is simcloud's Security Token Service, API version 2015-04-01. Its
// tokens expire by real time, as clients refresh them by their own clocks.
//
// Apart from the API, [STS.Issue] plays a service of Alibaba Cloud that assumes
// a role for its customer, as Function Compute does for a function.
package sts

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"time"

	"fleetwarden/deploy/local/simcloud/ram"
	"fleetwarden/deploy/local/simcloud/wire"
)

// STS is the product.
type STS struct {
	ram  *ram.RAM
	real func() time.Time

	mu       sync.Mutex
	sessions map[string]session // by access key id
}

type session struct {
	secret  string
	token   string
	expires time.Time
	who     wire.Identity
}

// New returns STS without sessions. real is the real time; nil for time.Now.
func New(r *ram.RAM, real func() time.Time) *STS {
	if real == nil {
		real = time.Now
	}
	return &STS{ram: r, real: real, sessions: map[string]session{}}
}

// Credentials are temporary credentials.
type Credentials struct {
	AccessKeyId     string
	AccessKeySecret string
	SecurityToken   string
	Expiration      time.Time // real time
}

// Issue gives Function Compute the credentials of a role for d of real time, as
// the service gets them for a function. The role must trust fc.aliyuncs.com.
func (s *STS) Issue(account, role, sessionName string, d time.Duration) (Credentials, error) {
	x, ok := s.ram.FindRole(account, role)
	if !ok {
		return Credentials{}, fmt.Errorf("assuming role %s of account %s: no such role", role, account)
	}
	if !s.ram.Trusts(account, role, "fc.aliyuncs.com", nil) {
		return Credentials{}, fmt.Errorf("assuming role %s of account %s: it does not trust fc.aliyuncs.com, or is not visible yet", role, account)
	}
	return s.open(account, x, sessionName, sessionOptions{lasts: d}), nil
}

type sessionOptions struct {
	lasts  time.Duration
	policy string
	source string
}

func (s *STS) open(account string, r ram.Role, name string, o sessionOptions) Credentials {
	id, secret, token := random(12), random(24), random(96)
	c := Credentials{"STS." + id, secret, token, s.real().Add(o.lasts).UTC().Truncate(time.Second)}
	who := wire.Identity{
		Account: account, Type: "AssumedRoleUser", Name: r.Name, Session: name,
		PrincipalID: r.ID + ":" + name, AccessKeyID: c.AccessKeyId, SessionPolicy: o.policy, Source: o.source,
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	s.sessions[c.AccessKeyId] = session{secret, token, c.Expiration, who}
	return c
}

// keepExpired is how long an expired session is remembered, so that its token
// is distinguished from one that never was.
const keepExpired = time.Hour

// sweep forgets sessions that expired long ago. It runs when sessions are
// opened, which bounds their number.
func (s *STS) sweep() {
	now := s.real()
	for id, x := range s.sessions {
		if now.Sub(x.expires) > keepExpired {
			delete(s.sessions, id)
		}
	}
}

// Expire ends temporary credentials now, by their access key. Those that are not
// there stay away.
func (s *STS) Expire(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.sessions[accessKeyID]; ok {
		x.expires = s.real()
		s.sessions[accessKeyID] = x
	}
}

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // crypto/rand.Read does not fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// Key implements wire.Keys for temporary keys.
func (s *STS) Key(id, token string) (string, wire.Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.sessions[id]
	switch {
	case !ok:
		return "", wire.Identity{}, wire.Errorf(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
	case token == "":
		return "", wire.Identity{}, wire.Errorf(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.")
	case token != x.token:
		return "", wire.Identity{}, wire.Errorf(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.")
	case !s.real().Before(x.expires):
		return "", wire.Identity{}, wire.Errorf(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")
	}
	return x.secret, x.who, nil
}
