package shares

import (
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/verdict"
)

// maxCustomPolicies is how many custom policies a role takes
// (https://www.alibabacloud.com/help/en/ram/product-overview/limits).
const maxCustomPolicies = 10

// prefix begins the names of Fleetwarden's policies for the keys of one side.
func (s *share) prefix() string {
	return strings.TrimSuffix(fleet.KeyPolicyName(s.side.Ref.Kind, 1), "1")
}

// inUse lists the account's own keys that resources are encrypted with, and why others may
// be missing.
func (s *share) inUse(resources []fleet.SharedResource) (keys rampolicy.Keys, unsure []string) {
	for _, r := range resources {
		if !r.Keys.Seen() {
			unsure = append(unsure, unreadKeys(r))
		}
		for _, k := range r.Keys.V {
			name, ok := rampolicy.KeyResource(k)
			switch {
			case !k.Service.Seen():
				unsure = append(unsure, "whether ECS made the key "+k.ID+" of "+r.ID+" could not be read: "+k.Service.Why)
			case k.Service.V: // said by service-key
			case !ok, k.Account != s.world.Account:
				unsure = append(unsure, "the key "+k.ID+" of "+r.ID+" is not one of this account")
			default:
				keys = append(keys, name)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), unsure
}

// shareKeys checks that the share role grants the keys in use.
func shareKeys(s *share) fleet.Verdict {
	role := s.side.Role
	keys, unsure := s.inUse(s.wanted.resources)
	unsure = append(unsure, s.wanted.unseen()...)
	switch {
	case !role.Seen():
		return verdict.Undecided("the policies of the role " + s.roleName() + " could not be read: " + role.Why)
	case len(keys) == 0 && len(unsure) > 0:
		return verdict.Undecided(together(unsure))
	case len(keys) == 0:
		return verdict.NotApplicable("no key of the account's own is in use by an approved share")
	}
	missing := s.ungranted(keys)
	switch {
	case len(missing) > 0:
		return s.grantKeys(missing)
	case len(unsure) > 0:
		return verdict.Undecided("the role grants the keys that are known, but: " + together(unsure))
	}
	return verdict.Passes(fmt.Sprintf("the role grants the %d keys in use", len(keys)), verdict.Observed("role", s.roleName()), verdict.Observed("keys", strings.Join(keys, " ")))
}

// unseen is why keys may be in use beyond those of the resources.
func (w *wanted) unseen() []string {
	out := slices.Clone(w.unsure)
	if w.blind != "" {
		out = append(out, w.blind)
	}
	if slices.ContainsFunc(w.failed, func(f failedTry) bool { return f.ImageID == "" && f.lacks() && len(f.wanted) > 0 }) {
		out = append(out, "the record of a share that failed names no image")
	}
	return out
}

// ungranted are the keys that the role's policies do not certainly grant.
func (s *share) ungranted(keys rampolicy.Keys) rampolicy.Keys {
	docs, _ := verdict.Documents(s.side.Role.V.Policies)
	var out rampolicy.Keys
	for _, key := range keys {
		list, _, _ := strings.Cut(key, "/")
		used := rampolicy.Grants(docs, rampolicy.KeyActions(), key)
		if min(used, rampolicy.Grants(docs, []string{rampolicy.ListKeys}, list)) != rampolicy.Allowed {
			out = append(out, key)
		}
	}
	return out
}

// together joins reasons without duplicates.
func together(unsure []string) string {
	unsure = slices.Clone(unsure)
	slices.Sort(unsure)
	return strings.Join(slices.Compact(unsure), "; ")
}

func (s *share) grantKeys(missing rampolicy.Keys) fleet.Verdict {
	v := verdict.Violation(fleet.High, fmt.Sprintf("the role %s does not grant the keys %s: sharees cannot use what they encrypt", s.roleName(), strings.Join(missing, ", ")),
		"grant the use of exactly these keys to the role "+s.roleName(), verdict.Observed("role", s.roleName()), verdict.Observed("not granted", strings.Join(missing, " ")))
	var changes []fleet.Change
	blocked := s.unmakeable()
	if blocked == "" {
		changes, blocked = s.keyChanges(missing, v.Reason)
	}
	if blocked != "" {
		v.Reason += "; not granted: " + blocked
	}
	v.Changes = changes
	return v
}

// keyChanges adds the missing keys to Fleetwarden's policies, or attaches the system policy
// if the operator chose it.
func (s *share) keyChanges(missing rampolicy.Keys, reason string) (out []fleet.Change, blocked string) {
	if s.policy.ShareRole.KeyPolicy == policy.KeysAll {
		if s.attached(policy.KeysAll) {
			return nil, "another policy of the role denies them, or cannot be read"
		}
		return []fleet.Change{s.attach(policy.KeysAll, s.needs(), reason)}, ""
	}
	for _, p := range s.shards() {
		missing = slices.DeleteFunc(slices.Clone(missing), func(k string) bool { return slices.Contains(p.keys, k) })
	}
	if len(missing) == 0 {
		return nil, "another policy of the role denies them, or cannot be read"
	}
	for _, p := range s.shards() {
		with, left := p.keys.Fit(missing)
		if len(left) < len(missing) {
			out = append(out, s.setPolicy(p.Name, p.Document, rampolicy.KeyPolicy(with), reason))
		}
		missing = left
	}
	room := maxCustomPolicies - s.customPolicies()
	for n := 1; len(missing) > 0; n++ {
		name := fleet.KeyPolicyName(s.side.Ref.Kind, n)
		if s.attached(name) || slices.Contains(s.side.Taken.V, name) {
			continue
		}
		if room == 0 {
			return out, fmt.Sprintf("%s: a role takes %d custom policies", strings.Join(missing, ", "), maxCustomPolicies)
		}
		var with rampolicy.Keys
		with, missing = rampolicy.Keys(nil).Fit(missing)
		set := s.setPolicy(name, "", rampolicy.KeyPolicy(with), reason)
		out = append(out, set, s.attach(name, set.Ref.Key(), reason))
		room--
	}
	return out, ""
}

// shard is a policy of ours, and the keys that it grants.
type shard struct {
	fleet.Policy
	keys rampolicy.Keys
}

// shards are the attached policies with Fleetwarden's name and form. A rewritten one is
// left unchanged.
func (s *share) shards() []shard {
	var out []shard
	for _, p := range s.side.Role.V.Policies {
		if p.Type != fleet.CustomPolicy || !strings.HasPrefix(p.Name, s.prefix()) {
			continue
		}
		if keys, ok := rampolicy.ParseKeyPolicy(p.Document); ok {
			out = append(out, shard{p, keys})
		}
	}
	return out
}

func (s *share) attached(name string) bool {
	return slices.ContainsFunc(s.side.Role.V.Policies, func(p fleet.Policy) bool { return strings.EqualFold(p.Name, name) })
}

func (s *share) customPolicies() int {
	n := 0
	for _, p := range s.side.Role.V.Policies {
		if p.Type == fleet.CustomPolicy {
			n++
		}
	}
	return n
}

// unmakeable is why a missing role cannot be created; "" when it can, or exists.
func (s *share) unmakeable() string {
	if !s.side.Role.V.Missing {
		return ""
	}
	_, blocked := printed((&rampolicy.Trust{}).Merge(s.wanted.trust))
	return blocked
}

// needs is the role, until it is created.
func (s *share) needs() fleet.Key {
	if s.side.Role.V.Missing {
		return s.roleRef().Key()
	}
	return fleet.Key{}
}

func (s *share) policyRef(name string) fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: s.world.Account}, Kind: fleet.KindPolicy, ID: name}
}

func (s *share) setPolicy(name, before, want, reason string) fleet.Change {
	return fleet.Change{Kind: fleet.SetKeyPolicy, Ref: s.policyRef(name), Before: before, Want: want, Reason: reason, Needs: s.needs()}
}

func (s *share) attach(name string, needs fleet.Key, reason string) fleet.Change {
	return fleet.Change{Kind: fleet.AttachKeyPolicy, Ref: s.policyRef(name), Want: s.roleName(), Reason: reason, Needs: needs}
}

// serviceKey reports resources that are encrypted with a key that ECS created: since
// 2025-07-01 they cannot be shared, and no policy would help.
func serviceKey(s *share) fleet.Verdict {
	all := slices.Concat(s.wanted.all, s.side.Claimed)
	var found []string
	for _, r := range all {
		if slices.ContainsFunc(r.Keys.V, func(k fleet.KMSKey) bool { return k.Service.Seen() && k.Service.V }) {
			found = append(found, r.ID)
		}
	}
	if len(found) == 0 {
		return fleet.Verdict{} // share-keys reports the unknown ones
	}
	slices.Sort(found)
	found = slices.Compact(found)
	return verdict.Violation(fleet.Medium, fmt.Sprintf("encrypted with the key that ECS made for itself, which no other account can use: %s", strings.Join(found, ", ")),
		"copy it with a key of your own (CopySnapshot or CopyImage with KMSKeyId) and share the copy", verdict.Observed("encrypted with a service key", strings.Join(found, " ")))
}
