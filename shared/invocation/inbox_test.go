package invocation_test

import (
	"testing"

	simmns "fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/fleet"
)

// elsewhere is a region beside the one that calls run in.
const elsewhere = "cn-shanghai"

func TestTheInboxOfAFunctionThatExistsOnceIsInThePolicysHomeRegion(t *testing.T) {
	const owner = "setup-share-role"
	for name, c := range map[string]struct {
		region, home fleet.Region
		want         string
	}{
		"no home region: where the call runs":      {"", "", server.Home},
		"another home region":                      {"", elsewhere, elsewhere},
		"a region, whatever the home region":       {server.Home, elsewhere, server.Home},
		"another region, whatever the home region": {elsewhere, server.Home, elsewhere},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAbroad(t)
			for _, region := range []string{server.Home, elsewhere} {
				if _, err := a.cloud.MNS.Create(simmns.Queue{Account: server.Sharer, Region: region, Name: "fleetwarden-" + owner}, simmns.Defaults()); err != nil {
					t.Fatal(err)
				}
			}
			call := a.call()
			call.Options.Policy.HomeRegion = c.home
			ref := fleet.Ref{Scope: fleet.Scope{Account: server.Sharer}, Kind: fleet.KindImageShare}
			for range 2 { // the second over the connections of the first
				inbox, err := call.InboxIn(owner, c.region)
				if err != nil {
					t.Fatal(err)
				}
				if err := inbox.Again(t.Context(), []fleet.Ref{ref}, 0); err != nil {
					t.Fatal(err)
				}
			}
			for _, region := range []string{server.Home, elsewhere} {
				want := 0
				if region == c.want {
					want = 2
				}
				if n := a.cloud.MNS.Visible(simmns.Queue{Account: server.Sharer, Region: region, Name: "fleetwarden-" + owner}); n != want {
					t.Errorf("%d messages in %s, want %d", n, region, want)
				}
			}
		})
	}
}

func TestAnInboxNeedsARegion(t *testing.T) {
	a := newAbroad(t)
	if inbox, err := a.call().InboxIn("setup-share-role", "no/region"); inbox != nil || err == nil {
		t.Errorf("%v, %v", inbox, err)
	}
}
