package rules_test

import (
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// A folder outside our directory is not unknown: it is another organisation's, and its path
// is not awaited.
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
