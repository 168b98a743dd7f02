package policy_test

import (
	"testing"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

var (
	hangzhou = fleet.Scope{Account: "1", Region: "cn-hangzhou"}
	unread   = fleet.Unknown[fleet.Listing]("throttled")
	plain    = fleet.See(fleet.Listing{
		Family: "ecs.g7t", VPC: "vpc-1", ResourceGroup: "rg-1",
		Tags: map[string]string{"env": "prod", "team": ""},
	})
	scaled = fleet.See(fleet.Listing{Tags: map[string]string{fleet.TagAutoScaling: "asg-1"}})
	node   = fleet.See(fleet.Listing{Tags: map[string]string{fleet.TagACK: "c-1"}})
)

func TestASelectorMatchesOneValueOfEachOfItsKeys(t *testing.T) {
	type listing = fleet.Fact[fleet.Listing]
	for _, c := range []struct {
		name     string
		selector policy.Selector
		listing  listing
		want     policy.Match
	}{
		{"no key means nothing", policy.Selector{}, plain, policy.No},
		{"the account", policy.Selector{Accounts: []fleet.AccountID{"2", "1"}}, unread, policy.Yes},
		{"another account", policy.Selector{Accounts: []fleet.AccountID{"2"}}, unread, policy.No},
		{"the region", policy.Selector{Regions: []fleet.Region{"cn-hangzhou"}}, unread, policy.Yes},
		{"another region", policy.Selector{Regions: []fleet.Region{"cn-beijing"}}, unread, policy.No},
		{"the resource group", policy.Selector{ResourceGroups: []string{"rg-1"}}, plain, policy.Yes},
		{"another resource group", policy.Selector{ResourceGroups: []string{"rg-2"}}, plain, policy.No},
		{"the VPC", policy.Selector{VPCs: []string{"vpc-1"}}, plain, policy.Yes},
		{"another VPC", policy.Selector{VPCs: []string{"vpc-2"}}, plain, policy.No},
		{"the tag", policy.Selector{Tags: map[string]string{"env": "prod"}}, plain, policy.Yes},
		{"the tag with another value", policy.Selector{Tags: map[string]string{"env": "lab"}}, plain, policy.No},
		{"the tag with any value", policy.Selector{Tags: map[string]string{"env": "*"}}, plain, policy.Yes},
		{"the empty tag with any value", policy.Selector{Tags: map[string]string{"team": "*"}}, plain, policy.Yes},
		{"a tag that is not there, with any value", policy.Selector{Tags: map[string]string{"owner": "*"}}, plain, policy.No},
		{"a tag that is not there, with the empty value", policy.Selector{Tags: map[string]string{"owner": ""}}, plain, policy.No},
		{"both tags", policy.Selector{Tags: map[string]string{"env": "prod", "team": ""}}, plain, policy.Yes},
		{"one tag of two", policy.Selector{Tags: map[string]string{"env": "prod", "team": "a"}}, plain, policy.No},
		{"the family", policy.Selector{Families: []string{"g7t"}}, plain, policy.Yes},
		{"a family of a longer name", policy.Selector{Families: []string{"g7"}}, plain, policy.No},
		{"unmanaged", policy.Selector{Managed: []string{"none"}}, plain, policy.Yes},
		{"managed is not unmanaged", policy.Selector{Managed: []string{"none"}}, scaled, policy.No},
		{"Auto Scaling", policy.Selector{Managed: []string{"auto-scaling"}}, scaled, policy.Yes},
		{"ACK", policy.Selector{Managed: []string{"ack"}}, node, policy.Yes},
		{"ACK is not Auto Scaling", policy.Selector{Managed: []string{"auto-scaling"}}, node, policy.No},
		{"two keys that hold", policy.Selector{VPCs: []string{"vpc-1"}, Families: []string{"g7t"}}, plain, policy.Yes},
		{"two keys of which one holds", policy.Selector{VPCs: []string{"vpc-1"}, Families: []string{"g7"}}, plain, policy.No},
		{"a fact that is unknown", policy.Selector{VPCs: []string{"vpc-1"}}, unread, policy.Maybe},
		{"a fact that a request claimed", policy.Selector{VPCs: []string{"vpc-1"}}, fleet.Claim(plain.V), policy.Maybe},
		{"an unknown fact of another account", policy.Selector{Accounts: []fleet.AccountID{"2"}, VPCs: []string{"vpc-1"}}, unread, policy.No},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.selector.Match(hangzhou, c.listing); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestAControlCoversWhatIsIncludedAndNotExcluded(t *testing.T) {
	here := policy.Selector{Accounts: []fleet.AccountID{"1"}}
	prod := policy.Selector{Tags: map[string]string{"env": "prod"}}
	lab := policy.Selector{Tags: map[string]string{"env": "lab"}}
	for _, c := range []struct {
		name    string
		control policy.Control
		listing fleet.Fact[fleet.Listing]
		want    policy.Match
	}{
		{"all without selectors", policy.Control{Mode: policy.Audit}, unread, policy.Yes},
		{"nothing when off", policy.Control{Mode: policy.Off, Include: []policy.Selector{here}}, plain, policy.No},
		{"the included", policy.Control{Include: []policy.Selector{lab, prod}}, plain, policy.Yes},
		{"not the rest", policy.Control{Include: []policy.Selector{lab}}, plain, policy.No},
		{"not the excluded", policy.Control{Exclude: []policy.Selector{lab, prod}}, plain, policy.No},
		{"what is not excluded", policy.Control{Exclude: []policy.Selector{lab}}, plain, policy.Yes},
		{"not what is both", policy.Control{Include: []policy.Selector{here}, Exclude: []policy.Selector{prod}}, plain, policy.No},
		{"maybe what is maybe included", policy.Control{Include: []policy.Selector{prod}}, unread, policy.Maybe},
		{"maybe what is maybe excluded", policy.Control{Exclude: []policy.Selector{prod}}, unread, policy.Maybe},
		{"what one selector includes for certain", policy.Control{Include: []policy.Selector{prod, here}}, unread, policy.Yes},
		{"not what one selector excludes for certain", policy.Control{Include: []policy.Selector{prod}, Exclude: []policy.Selector{prod, here}}, unread, policy.No},
		{"managed instances", policy.Control{}, scaled, policy.Yes},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.control.Covers(hangzhou, c.listing); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestAManagedInstanceIsChangedOnlyIfAScopeNamesItsManager(t *testing.T) {
	here := policy.Selector{Accounts: []fleet.AccountID{"1"}}
	ack := policy.Selector{Managed: []string{"ack"}}
	ackElsewhere := policy.Selector{Managed: []string{"ack"}, Regions: []fleet.Region{"cn-beijing"}}
	for _, c := range []struct {
		name    string
		control policy.Control
		listing fleet.Fact[fleet.Listing]
		want    policy.Match
	}{
		{"unmanaged", policy.Control{}, plain, policy.Yes},
		{"unmanaged and outside", policy.Control{Include: []policy.Selector{ack}}, plain, policy.No},
		{"managed without scopes", policy.Control{}, node, policy.No},
		{"managed and included by another key", policy.Control{Include: []policy.Selector{here}}, node, policy.No},
		{"managed and named", policy.Control{Include: []policy.Selector{ack}}, node, policy.Yes},
		{"managed and named elsewhere", policy.Control{Include: []policy.Selector{here, ackElsewhere}}, node, policy.No},
		{"managed by another service than named", policy.Control{Include: []policy.Selector{here, ack}}, scaled, policy.No},
		{"named and excluded", policy.Control{Include: []policy.Selector{ack}, Exclude: []policy.Selector{here}}, node, policy.No},
		{"unread", policy.Control{}, unread, policy.Maybe},
		{"claimed", policy.Control{}, fleet.Claim(plain.V), policy.Maybe},
		{"unread and off", policy.Control{Mode: policy.Off}, unread, policy.No},
		{"audit, which plans the same", policy.Control{Mode: policy.Audit}, plain, policy.Yes},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.control.MayChange(hangzhou, c.listing); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestSelfManagedFollowsTheSelectorsOfThePolicy(t *testing.T) {
	p := policy.Policy{SelfManaged: []policy.Selector{{VPCs: []string{"vpc-2"}}, {Tags: map[string]string{"env": "prod"}}}}
	for name, c := range map[string]struct {
		listing fleet.Fact[fleet.Listing]
		want    policy.Match
	}{"tagged": {plain, policy.Yes}, "other": {scaled, policy.No}, "unread": {unread, policy.Maybe}} {
		if got := p.IsSelfManaged(hangzhou, c.listing); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := new(policy.Policy).IsSelfManaged(hangzhou, unread); got != policy.No {
		t.Errorf("without selectors: %s, want no", got)
	}
}

// Unknown facts must not decide: reading the listing may turn Maybe into
func TestReadingAListingOnlyDecidesMaybe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := policy.Control{
			Include: rapid.SliceOfN(selector(), 0, 3).Draw(t, "include"),
			Exclude: rapid.SliceOfN(selector(), 0, 3).Draw(t, "exclude"),
		}
		listed := rapid.SampledFrom([]fleet.Fact[fleet.Listing]{plain, scaled, node}).Draw(t, "listing")
		if before, after := c.Covers(hangzhou, unread), c.Covers(hangzhou, listed); before != policy.Maybe && before != after {
			t.Errorf("covers: %s turned into %s", before, after)
		}
		if before, after := c.MayChange(hangzhou, unread), c.MayChange(hangzhou, listed); before != policy.Maybe && before != after {
			t.Errorf("may change: %s turned into %s", before, after)
		}
		if c.MayChange(hangzhou, unread) == policy.Yes {
			t.Error("may change what was not read")
		}
		if c.MayChange(hangzhou, listed) == policy.Yes && c.Covers(hangzhou, listed) != policy.Yes {
			t.Error("may change what it does not cover")
		}
	})
}

func selector() *rapid.Generator[policy.Selector] {
	return rapid.Custom(func(t *rapid.T) policy.Selector {
		var s policy.Selector
		if rapid.Bool().Draw(t, "accounts") {
			s.Accounts = []fleet.AccountID{rapid.SampledFrom([]fleet.AccountID{"1", "2"}).Draw(t, "account")}
		}
		if rapid.Bool().Draw(t, "tags") {
			s.Tags = map[string]string{rapid.SampledFrom([]string{"env", "team"}).Draw(t, "tag"): policy.AnyValue}
		}
		if rapid.Bool().Draw(t, "managed") {
			s.Managed = []string{rapid.SampledFrom([]string{"none", "ack", "auto-scaling"}).Draw(t, "manager")}
		}
		return s
	})
}

// Beside audit, the resources that a selector of enforceFor takes are enforced, and no others.
func TestAPartOfAControlIsEnforced(t *testing.T) {
	canary := fleet.See(fleet.Listing{Tags: map[string]string{"env": "canary"}, ResourceGroup: "rg-1"})
	other := fleet.See(fleet.Listing{Tags: map[string]string{"env": "prod"}})
	unread := fleet.Unknown[fleet.Listing]("denied")
	byTag := policy.Selector{Tags: map[string]string{"env": "canary"}}
	for name, c := range map[string]struct {
		mode   policy.Mode
		only   []policy.Selector
		listed fleet.Fact[fleet.Listing]
		want   policy.Match
		made   bool
		byTag  bool
	}{
		"enforce":                        {mode: policy.Enforce, listed: unread, want: policy.Yes, made: true},
		"audit":                          {mode: policy.Audit, listed: canary},
		"off":                            {mode: policy.Off, only: []policy.Selector{byTag}, listed: canary},
		"audit and its tag":              {mode: policy.Audit, only: []policy.Selector{byTag}, listed: canary, want: policy.Yes, made: true, byTag: true},
		"audit and another tag":          {mode: policy.Audit, only: []policy.Selector{byTag}, listed: other, byTag: true},
		"audit and nothing read":         {mode: policy.Audit, only: []policy.Selector{byTag}, listed: unread, want: policy.Maybe, byTag: true},
		"audit and its group":            {mode: policy.Audit, only: []policy.Selector{byTag, {ResourceGroups: []string{"rg-1"}}}, listed: canary, want: policy.Yes, made: true},
		"audit and its region":           {mode: policy.Audit, only: []policy.Selector{{Regions: []fleet.Region{"cn-hangzhou"}}}, listed: unread, want: policy.Yes, made: true},
		"audit and an empty selector":    {mode: policy.Audit, only: []policy.Selector{{}}, listed: canary},
		"audit and another account's":    {mode: policy.Audit, only: []policy.Selector{{Accounts: []fleet.AccountID{"2"}}}, listed: canary},
		"audit and an account of ours":   {mode: policy.Audit, only: []policy.Selector{{Accounts: []fleet.AccountID{"1"}}}, listed: canary, want: policy.Yes, made: true},
		"audit and a tag in the account": {mode: policy.Audit, only: []policy.Selector{{Accounts: []fleet.AccountID{"1"}, Tags: byTag.Tags}}, listed: canary, want: policy.Yes, made: true, byTag: true},
	} {
		p := policy.Default()
		p.Agent.Mode, p.Agent.EnforceFor = c.mode, c.only
		scope := fleet.Scope{Account: "1", Region: "cn-hangzhou"}
		got := p.Enforces(policy.ControlAgent, scope, c.listed)
		if got != c.want || p.Makes(policy.ControlAgent, got == policy.Yes) != c.made || p.EnforcesByTag(policy.ControlAgent, scope, c.listed) != c.byTag {
			t.Errorf("%s: got %s, made %t, by its tags %t", name, got, p.Makes(policy.ControlAgent, got == policy.Yes), p.EnforcesByTag(policy.ControlAgent, scope, c.listed))
		}
	}
}

// Only accounts and regions can be known to take all of an account.
func TestAllOfAnAccountIsEnforcedByAccountsAndRegionsAlone(t *testing.T) {
	for name, c := range map[string]struct {
		regions []fleet.Region
		only    []policy.Selector
		want    bool
	}{
		"nothing":                       {},
		"the account":                   {only: []policy.Selector{{Accounts: []fleet.AccountID{"1"}}}, want: true},
		"another account":               {only: []policy.Selector{{Accounts: []fleet.AccountID{"2"}}}},
		"a region of all":               {only: []policy.Selector{{Regions: []fleet.Region{"cn-hangzhou"}}}},
		"a region of two":               {regions: []fleet.Region{"cn-hangzhou", "cn-beijing"}, only: []policy.Selector{{Regions: []fleet.Region{"cn-hangzhou"}}}},
		"two regions of two":            {regions: []fleet.Region{"cn-hangzhou", "cn-beijing"}, only: []policy.Selector{{Regions: []fleet.Region{"cn-hangzhou"}}, {Regions: []fleet.Region{"cn-beijing"}}}, want: true},
		"the account by a tag that all": {only: []policy.Selector{{Accounts: []fleet.AccountID{"1"}, Tags: map[string]string{"env": "*"}}}},
	} {
		p := policy.Default()
		p.Regions, p.InstanceRole.EnforceFor = c.regions, c.only
		if got := p.EnforcesAll(policy.ControlInstanceRole, "1"); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
