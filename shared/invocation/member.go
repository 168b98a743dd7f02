package invocation

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
)

// Members caches the keys of roles in other accounts for the passes of one process. The
// zero Members is ready to use.
type Members struct {
	// Now is real time, by which keys expire; nil means time.Now. Set it before use.
	Now func() time.Time

	mu      sync.Mutex
	assumed map[sts.Role]sts.Assumed
}

// spare is the remaining validity that keys must have at first use. No user needs them for
// longer: an event function lives 290 s at most, and longer tasks, such as backfill,
// request keys for each shard or check.
const spare = 20 * time.Minute

// keys returns keys of a role that outlast a pass, new ones if necessary: other ones than
// those that were refused. Concurrent passes may each request new ones: any are valid.
func (m *Members) keys(ctx context.Context, s *aliyun.Session, region fleet.Region, r sts.Role, refused aliyun.Keys) (aliyun.Keys, error) {
	m.mu.Lock()
	have, ok := m.assumed[r]
	m.mu.Unlock()
	if ok && have.Keys != refused && have.Expires.Sub(m.now()) >= spare {
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

// Knows reports whether the policy covers an account.
func (inv *Invocation) Knows(account fleet.AccountID) bool { return inv.Options.Policy.Knows(account) }

// Guards reports whether the policy covers an account and region.
func (inv *Invocation) Guards(s fleet.Scope) bool { return inv.Options.Policy.Guards(s) }

// RoleIn returns the role to assume in another account. At home there is none: the function
// has its own keys.
func (inv *Invocation) RoleIn(account fleet.AccountID) (role string, ok bool) {
	if account == inv.Home.Account {
		return "", false
	}
	return inv.Options.Policy.RoleIn(account)
}

// Reaches reports whether [Invocation.In] can reach an account.
func (inv *Invocation) Reaches(account fleet.AccountID) bool {
	_, ok := inv.RoleIn(account)
	return ok || account == inv.Home.Account
}

// In returns the session for an account: at home the pass's own, elsewhere one with keys of
// the role that the policy names there, which counts as the pass's own. The session has the
// name of the function's own role, and is limited to the function's actions; see
// [SessionPolicy]. An account without a role gives an error of class Denied.
func (inv *Invocation) In(ctx context.Context, account fleet.AccountID) (*aliyun.Session, error) {
	if account == inv.Home.Account {
		return inv.Session, nil
	}
	name, ok := inv.RoleIn(account)
	if !ok {
		return nil, noRole(account)
	}
	function := inv.Options.Stamp.Function
	role := sts.Role{Account: account, Name: name, Session: Role(function), Policy: SessionPolicy(function)}
	if role.Policy == "" {
		return nil, noBusiness(function)
	}
	keys, err := inv.Members.keys(ctx, inv.Session, inv.Home.Region, role, aliyun.Keys{})
	if err != nil {
		return nil, err
	}
	return inv.Session.As(keys, func(ctx context.Context, refused aliyun.Keys) (aliyun.Keys, error) {
		return inv.Members.keys(ctx, inv.Session, inv.Home.Region, role, refused)
	}), nil
}

// noRole is an account without a role.
type noRole fleet.AccountID

func (e noRole) Error() string {
	return "account " + string(e) + " has no role to assume: add role to it under accounts in the policy file"
}

// Class is read by [fleet.ClassOf].
func (noRole) Class() fleet.Class { return fleet.Denied }

// noBusiness is a function without actions in other accounts.
type noBusiness string

func (e noBusiness) Error() string { return string(e) + " takes no actions in other accounts" }

// Class is read by [fleet.ClassOf].
func (noBusiness) Class() fleet.Class { return fleet.Denied }
