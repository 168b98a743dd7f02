package shares

import (
	"cmp"
	"fmt"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// Role decides control share-role: the ECS of approved sharees of encrypted snapshots
// and images may assume the account's share role and use the keys, and no other account
// may.
func Role(w *fleet.ShareWorld, p *policy.Policy) []fleet.Verdict {
	if p.ModeOf(policy.ControlShareRole) == policy.Off {
		return nil
	}
	var out []fleet.Verdict
	for i := range w.Sides {
		out = append(out, (&share{world: w, policy: p, side: &w.Sides[i]}).judge()...)
	}
	return out
}

// share is one side of an account's sharing.
type share struct {
	world  *fleet.ShareWorld
	policy *policy.Policy
	side   *fleet.ShareSide

	wanted wanted
	// trust is nil when the role is missing or its trust document cannot be read.
	trust *rampolicy.Trust
	// stale is trust of our role that no share needs.
	stale rampolicy.Sharees
	// strangers are trusted, and not approved.
	strangers strangers
}

func (s *share) judge() []fleet.Verdict {
	if v, ok := s.admit(); !ok {
		return []fleet.Verdict{s.sign(policy.RuleShareTrust, v)}
	}
	s.wanted = s.want()
	if r := s.side.Role; r.Seen() && !r.V.Missing {
		s.trust, _ = rampolicy.ParseTrust(r.V.Trust) // nil: share-trust reports it
	}
	if s.trust != nil {
		s.stale = s.trust.Sharees().Without(s.wanted.kept)
	}
	s.strangers = s.letIn()
	var out []fleet.Verdict
	for _, r := range []struct {
		id     string
		decide func(*share) fleet.Verdict
	}{
		{policy.RuleShareeApproved, shareeApproved}, {policy.RuleShareTrust, shareTrust}, {policy.RuleOpenTrust, openTrust},
		{policy.RuleShareKeys, shareKeys}, {policy.RuleServiceKey, serviceKey}, {policy.RuleTakeBack, takeBack}, {policy.RuleDiskEncryptRole, diskEncryptRole},
	} {
		if !s.policy.Asks(policy.ControlShareRole, r.id) {
			continue
		}
		if v := r.decide(s); v.Outcome != "" {
			out = append(out, s.sign(r.id, v))
		}
	}
	if s.policy.Asks(policy.ControlShareRole, policy.RuleFailedShare) {
		for _, v := range failedShare(s) {
			out = append(out, s.sign(policy.RuleFailedShare, v))
		}
	}
	return out
}

func (s *share) sign(rule string, v fleet.Verdict) fleet.Verdict {
	if v.Ref.Kind == "" {
		v.Ref = s.side.Ref
	}
	v.Control, v.Rule = policy.ControlShareRole, rule
	v = verdict.Waive(s.policy, v, verdict.NoInstance(), s.world.At)
	return verdict.Enforce(s.policy, v, verdict.NoInstance(), nil)
}

// admit decides whether the control covers the account. Its selectors name accounts only.
func (s *share) admit() (fleet.Verdict, bool) {
	if s.policy.Covers(policy.ControlShareRole, "", s.side.Ref.Scope, verdict.NoInstance()) != policy.Yes {
		return verdict.NotApplicable(verdict.OutsideScope), false
	}
	return fleet.Verdict{}, true
}

func (s *share) roleName() string { return fleet.ShareRole(s.side.Ref.Kind) }

func (s *share) roleRef() fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: s.world.Account}, Kind: fleet.KindRole, ID: s.roleName()}
}

// ours reports whether the role has our tag: only then is trust removed or rewritten.
func (s *share) ours() bool {
	return s.side.Tags.Seen() && s.side.Tags.V[fleet.TagManaged] == fleet.ManagedValue
}

// diskEncryptRole reports an account that encrypts disks with its own keys, and whose role
// for that is missing or unfit: ECS of the account may not assume it, or it may not use
// keys. It is judged with the snapshots only.
func diskEncryptRole(s *share) fleet.Verdict {
	w := s.world
	switch {
	case s.side.Ref.Kind != fleet.KindSnapshotShare:
		return fleet.Verdict{}
	case w.CMKDisk.Seen() && w.CMKDisk.V == "":
		return verdict.NotApplicable("no disk is encrypted with a key of the account's own")
	case !w.DiskRole.Seen():
		return verdict.Undecided("the role " + fleet.DiskEncryptRole + " could not be read: " + w.DiskRole.Why)
	}
	answer, why := worksForDisks(w.DiskRole.V)
	switch {
	case answer == rampolicy.Allowed:
		return verdict.Passes("the role "+fleet.DiskEncryptRole+" lets ECS use keys", verdict.Observed("role", fleet.DiskEncryptRole))
	case !w.CMKDisk.Seen():
		return verdict.Undecided("whether disks are encrypted with keys of the account's own could not be read: " + w.CMKDisk.Why)
	case answer == rampolicy.Unsure:
		return verdict.Undecided("whether the role " + fleet.DiskEncryptRole + " lets ECS use keys could not be determined: " + why)
	}
	return verdict.Violation(fleet.High, fmt.Sprintf("disk %s is encrypted with a key of the account's own, and the role %s, by which ECS uses it, %s: the disk may not attach or start again",
		w.CMKDisk.V, fleet.DiskEncryptRole, why),
		"choose a key for a disk in the ECS console and confirm the authorization, by which Alibaba Cloud makes the role; of a role that is there, put right that it trusts "+
			rampolicy.ECSService+" and has the system policy "+fleet.DiskEncryptPolicy,
		verdict.Observed("disk", w.CMKDisk.V), verdict.Observed("role "+fleet.DiskEncryptRole, why))
}

// worksForDisks answers whether ECS may assume the role and use keys by it; why, unless it
// may, continues after its name.
func worksForDisks(role fleet.Role) (rampolicy.Answer, string) {
	if role.Missing {
		return rampolicy.Denied, "is missing"
	}
	if _, answer, why := verdict.ECSMayAssume(role.Trust); answer != rampolicy.Allowed {
		return answer, why
	}
	docs, unread := verdict.Documents(role.Policies)
	// Named keys may be those of the disks: that is unknown.
	every := rampolicy.Grants(docs, rampolicy.DiskKeyActions(), "acs:kms:*:*:key/*")
	switch answer := max(every, rampolicy.Grants(docs, rampolicy.DiskKeyActions(), "*")); answer {
	case rampolicy.Denied:
		return answer, "does not grant the use of keys"
	case rampolicy.Unsure:
		return answer, cmp.Or(unread, "its policies grant it in part, or under a condition")
	default:
		return answer, ""
	}
}

// some lists the first of many.
func some[T fmt.Stringer](list []T) string {
	const most = 10
	var b strings.Builder
	for i, v := range list {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(list)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(v.String())
	}
	return b.String()
}
