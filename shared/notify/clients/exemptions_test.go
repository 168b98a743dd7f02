package clients

import (
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// A digest has no exemption of accounts that its channel is not for: neither who owns it nor why.
func TestAChannelIsNotifiedOfNoExemptionOfOtherAccounts(t *testing.T) {
	expires := time.Date(2026, 12, 5, 0, 0, 0, 0, time.FixedZone("", 8*60*60))
	of := func(reason string, accounts ...fleet.AccountID) policy.Exemption {
		return policy.Exemption{Control: policy.ControlAgent, Owner: "eva", Reason: reason, Expires: expires, Selector: policy.Selector{Accounts: accounts}}
	}
	p := &policy.Policy{Exemptions: []policy.Exemption{of("of 1", "1"), of("of 2", "2"), of("of both", "1", "2"), of("of whichever"), of("the same", "1"), of("the same", "2")}}
	var all []report.Exemption
	for _, reason := range []string{"of 1", "of 2", "of both", "of whichever", "the same", "deleted since"} {
		all = append(all, report.Exemption{Control: policy.ControlAgent, Owner: "eva", Reason: reason, Expires: expires.UTC()})
	}
	for account, want := range map[fleet.AccountID][]string{"": {"of 1", "of 2", "of both", "of whichever", "the same"}, "2": {"of 2", "of both", "of whichever", "the same"}} {
		var c policy.Channel
		if account != "" {
			c.Accounts = []fleet.AccountID{account}
		}
		var got []string
		for _, e := range exemptions(p, c, all) {
			got = append(got, e.Reason)
		}
		if !slices.Equal(got, want) {
			t.Errorf("a channel of %q: %q, want %q", account, got, want)
		}
	}
}
