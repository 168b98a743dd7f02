package policy

import (
	"fmt"
	"slices"

	"fleetwarden/shared/fleet"
)

// Version is the only value of the file's key "version" that this build reads.
const Version = 1

// Mode is how far a control goes.
type Mode string

// The modes of a control.
const (
	// Off: the control checks nothing.
	Off Mode = "off"
	// Audit: the control checks, and reports the changes it would make. It writes nothing,
	// except for what [Control.EnforceFor] selects.
	Audit Mode = "audit"
	// Enforce: the control changes what its own choices allow.
	Enforce Mode = "enforce"
)

// Policy is one policy file with its defaults. It is immutable after loading, so goroutines
// may share it.
type Policy struct {
	// Digest is the SHA-256, in hex, of [Policy.JSON]. Files of equal meaning have equal
	// digests, whether they are YAML or JSON, and with or without defaults.
	Digest string
	// Accounts are the policy's accounts. Empty means only the function's own: see
	// [Policy.WithHome].
	Accounts []Account
	// Directory configures access to the accounts of our resource directory.
	Directory Directory
	// HomeRegion has the functions that exist once; empty means that of the deployment or,
	// in a terminal, the command's region.
	HomeRegion fleet.Region
	// Regions are the guarded regions; empty means all that are enabled.
	Regions []fleet.Region
	// SelfManaged are the resources of the operator's own trust service: rules
	// systrust-role and trust-client do not apply to them.
	SelfManaged []Selector

	TrustedInstance TrustedInstance
	InstanceRole    InstanceRole
	Agent           Agent
	ShareRole       ShareRole

	Limits     Limits
	Pacing     Pacing
	Exemptions []Exemption
	Sinks      Sinks
	Notify     Notify
}

// Account is an account of the policy.
type Account struct {
	ID   fleet.AccountID
	Name string
	// Role is the RAM role to assume in a member account; empty for our own.
	Role string
}

// Directory adds all accounts of the resource directory, if it is set.
type Directory struct {
	// Role is the RAM role to assume in each of them.
	Role string
}

// Knows reports whether the policy covers the account: it names it, or there is a role for
// all of the resource directory.
func (p *Policy) Knows(account fleet.AccountID) bool {
	_, ok := p.RoleIn(account)
	return ok || p.names(account)
}

func (p *Policy) names(account fleet.AccountID) bool {
	return slices.ContainsFunc(p.Accounts, func(a Account) bool { return a.ID == account })
}

// RoleIn returns the RAM role to assume in an account: that of accounts, else that of the
// resource directory.
//
// With a role for the directory it does so for every account id, in the directory or not. A
// forged message does no harm: a session opens only where the account's owner created a
// role of that name that trusts us, and only that owner's resources are read and changed
// through it.
func (p *Policy) RoleIn(account fleet.AccountID) (role string, ok bool) {
	if !account.Valid() {
		return "", false
	}
	role = p.Directory.Role
	for _, a := range p.Accounts {
		if a.ID == account && a.Role != "" {
			role = a.Role
		}
	}
	return role, role != ""
}

// WithHome returns p with the account that the function itself runs in, which a file need
// not name. The digest stays that of the file.
func (p *Policy) WithHome(account fleet.AccountID) *Policy {
	if p.names(account) {
		return p
	}
	with := *p
	with.Accounts = append(slices.Clip(p.Accounts), Account{ID: account})
	return &with
}

// Limits are of two kinds. A stop prevents runaway changes: what it holds is reported until
// an operator releases a part of it. A rate spreads changes: later passes make the rest.
// Both count distinct changes, see [fleet.Distinct].
type Limits struct {
	// MaxChanges stops a sweep or a plan that has more changes of one control in one
	// account and region.
	MaxChanges int
	// MaxPercent stops one whose changes are a larger share of what it saw there; 0 to 100.
	MaxPercent int
	// PercentAbove is a number of changes up to which MaxPercent does not apply: one
	// instance of two is half of the fleet, and no reason to stop.
	PercentAbove int
	// MaxPerHour stops, over all passes, changes that disturb workloads: the maximum of one
	// control in one account and region within an hour.
	MaxPerHour int
	// PerPass is the rate: the maximum of changes of one control in one account and region in
	// one pass; later passes make the rest. 0 is no rate.
	PerPass int
}

// Exceeded returns why a sweep or a plan must not make these changes of the resources it
// saw, or "" when it may.
func (l Limits) Exceeded(n fleet.Total, seen int) string {
	switch {
	case n.N > l.MaxChanges:
		return fmt.Sprintf("%s, more than maxChanges %d", Changes(n.N), l.MaxChanges)
	case n.N > l.PercentAbove && n.N*100 > seen*l.MaxPercent:
		return fmt.Sprintf("%s of %d seen, more than maxPercent %d", Changes(n.N), seen, l.MaxPercent)
	case n.Disturbing > l.MaxPerHour:
		return fmt.Sprintf("%s that may disturb a workload, more than maxPerHour %d", Changes(n.Disturbing), l.MaxPerHour)
	}
	return ""
}

// Changes writes a number of changes.
func Changes(n int) string {
	if n == 1 {
		return "1 change"
	}
	return fmt.Sprint(n, " changes")
}

// LetThrough describes how an operator releases a part of held changes.
func LetThrough(s fleet.Scope, control string) string {
	return fmt.Sprintf("check the changes, then let as many through as the limits allow: %s, and fleetwarden apply --plan ID with the id that it prints; "+
		"for fewer add --max NUMBER; or raise the limit in the policy file", PlanPart(s, control))
}

// PlanPart is the command that plans a part of held changes.
func PlanPart(s fleet.Scope, control string) string {
	where := "--account " + string(s.Account)
	if s.Region != "" {
		where += " --region " + string(s.Region)
	}
	return fmt.Sprintf("fleetwarden plan %s --control %s --part", where, control)
}

// Pacing is the number of calls one invocation may spend before it queues its
// cursor and ends.
type Pacing struct {
	// CallsPerInvocation applies to each API that Calls does not name.
	CallsPerInvocation int
	// Calls holds budgets by API name, such as DescribeInstances.
	Calls map[string]int
}

// Budget returns the number of calls of an API that one invocation may spend.
func (p Pacing) Budget(api string) int {
	if n, ok := p.Calls[api]; ok {
		return n
	}
	return p.CallsPerInvocation
}

// Sinks are destinations of records besides the function's log.
type Sinks struct {
	// Findings is a queue of the home region that gets a copy of each live finding, and
	// one message for each sweep; empty means none.
	Findings string
	// Least is the least severity that the queue Findings gets.
	Least fleet.Severity
}
