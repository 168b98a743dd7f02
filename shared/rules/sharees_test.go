package rules_test

import (
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// A folder that cannot be one of ours is not unknown: it is somebody else's, and nobody waits
// for its path.
func TestAFolderOfNoDirectoryOfOursIsRefused(t *testing.T) {
	p := approving(func(p *policy.ShareRole) { p.Approved.Directory = policy.TrustNow })
	for name, w := range map[string]*fleet.ShareWorld{
		"another directory's root": sharing(missing(), with("r-other")),
		"no directory":             sharing(missing(), with("fd-ghi")),
	} {
		if name == "no directory" {
			w.Directory = fleet.See(fleet.Directory{})
		}
		if v := ruled(t, w, p, policy.RuleShareeApproved); v.Outcome != fleet.Violation || len(v.Changes) > 0 {
			t.Errorf("%s: %s (%s)", name, v.Outcome, v.Reason)
		}
	}
}
