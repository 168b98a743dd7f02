package fcrun

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
)

// Members holds the keys of roles in other accounts, from pass to pass of one process.
// The zero Members is ready to use.
type Members struct {
	// Now tells real time, by which keys expire; nil means time.Now. Set it before use.
	Now func() time.Time

	mu      sync.Mutex
	assumed map[sts.Role]sts.Assumed
}

// spare is how long keys must still last when somebody begins to use them, which nobody
// does for longer: a function that events wake lives 290 s at most, and what runs for
// longer, such as backfill, asks anew for each shard or look.
const spare = 20 * time.Minute

// keys returns keys of a role that outlast a pass, new ones if need be. Passes that run
// side by side may each ask for new ones: any will do.
func (m *Members) keys(ctx context.Context, s *aliyun.Session, region fleet.Region, r sts.Role) (aliyun.Keys, error) {
	m.mu.Lock()
	have, ok := m.assumed[r]
	m.mu.Unlock()
	if ok && have.Expires.Sub(m.now()) >= spare {
		return have.Keys, nil
	}
	fresh, err := sts.AssumeRole(ctx, s, region, r)
	if err != nil {
		return aliyun.Keys{}, fmt.Errorf("assuming role %s: %w", r.Name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.assumed == nil {
		m.assumed = map[sts.Role]sts.Assumed{}
	}
	m.assumed[r] = fresh
	return fresh.Keys, nil
}

func (m *Members) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

// RoleIn returns the role to assume in another account. At home there is none: the
// function's own keys are for that.
func (c *Call) RoleIn(account fleet.AccountID) (role string, ok bool) {
	if account == c.Home.Account {
		return "", false
	}
	return c.Options.Policy.RoleIn(account)
}

// Reaches reports whether [Call.In] has a way to an account.
func (c *Call) Reaches(account fleet.AccountID) bool {
	_, ok := c.RoleIn(account)
	return ok || account == c.Home.Account
}

// In returns the session for what belongs to an account: at home the pass's own,
// elsewhere one with keys of the role that the policy names there, which counts as the
// pass's own. The role's session is called as the function's own role, and may do no more
// than the function was made for; see [SessionPolicy]. An account without a role gives an
// error of class Denied.
func (c *Call) In(ctx context.Context, account fleet.AccountID) (*aliyun.Session, error) {
	if account == c.Home.Account {
		return c.Session, nil
	}
	name, ok := c.RoleIn(account)
	if !ok {
		return nil, noRole(account)
	}
	function := c.Options.Stamp.Function
	role := sts.Role{Account: account, Name: name, Session: Role(function), Policy: SessionPolicy(function)}
	if role.Policy == "" {
		return nil, noBusiness(function)
	}
	keys, err := c.Members.keys(ctx, c.Session, c.Home.Region, role)
	if err != nil {
		return nil, err
	}
	return c.Session.As(keys), nil
}

// noRole is an account that nobody can reach.
type noRole fleet.AccountID

func (e noRole) Error() string {
	return "account " + string(e) + " has no role to assume: add role to it under accounts in the policy file"
}

// Class is read by [fleet.ClassOf].
func (noRole) Class() fleet.Class { return fleet.Denied }

// noBusiness is a function that would have the rights of all others in another account.
type noBusiness string

func (e noBusiness) Error() string { return string(e) + " has no business in other accounts" }

// Class is read by [fleet.ClassOf].
func (noBusiness) Class() fleet.Class { return fleet.Denied }
