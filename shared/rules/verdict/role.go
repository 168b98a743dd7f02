package verdict

import (
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

// ECSMayAssume reports whether a trust document admits ECS, the answer behind it, and why not:
// for Denied a text that continues "the role X", for Unsure a clause of its own.
func ECSMayAssume(trust string) (bool, rampolicy.Answer, string) {
	t, err := rampolicy.ParseTrust(trust)
	if err != nil {
		return false, rampolicy.Unsure, "its trust policy cannot be read: " + err.Error()
	}
	switch t.TrustsService(rampolicy.ECSService) {
	case rampolicy.Allowed:
		return true, rampolicy.Allowed, ""
	case rampolicy.Unsure:
		return false, rampolicy.Unsure, "a condition in its trust policy is not known"
	}
	return false, rampolicy.Denied, "does not trust " + rampolicy.ECSService
}

// Documents parses policies. One that cannot be read is nil, which for rampolicy may grant
// or deny anything; unread is which, and why.
func Documents(policies []fleet.Policy) (docs []*rampolicy.Document, unread string) {
	for _, p := range policies {
		d, err := rampolicy.Parse(p.Document)
		if err != nil {
			unread = "its policy " + p.Name + " cannot be read: " + err.Error()
		}
		docs = append(docs, d)
	}
	return docs, unread
}

// Attaches reports whether a role has a policy of that name, whose case RAM ignores.
func Attaches(r fleet.Role, policy string) bool {
	return slices.ContainsFunc(r.Policies, func(p fleet.Policy) bool { return strings.EqualFold(p.Name, policy) })
}
