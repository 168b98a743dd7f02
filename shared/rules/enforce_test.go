package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/instances"
	"fleetwarden/shared/rules/shares"
	"fleetwarden/shared/rules/verdict"
)

// made names the changes that the policy has made.
func made(vs []fleet.Verdict) map[string]bool {
	out := map[string]bool{}
	for _, v := range vs {
		for _, c := range v.Changes {
			if c.Covered {
				out[fmt.Sprint(c.Kind, " ", c.Ref, " ", c.Before, " ", c.Want)] = true
			}
		}
	}
	return out
}

// unmarked are verdicts without what the gate says of enforcing.
func unmarked(vs []fleet.Verdict) []fleet.Verdict {
	out := slices.Clone(vs)
	for i := range out {
		out[i].Covered, out[i].Changes = false, slices.Clone(out[i].Changes)
		for j := range out[i].Changes {
			out[i].Changes[j].Covered, out[i].Changes[j].Uncovered = false, ""
		}
	}
	return out
}

// partly sets all controls of instances to audit, and to enforce what the selectors take.
func partly(p *policy.Policy, only ...policy.Selector) *policy.Policy {
	out := *p
	for _, c := range []*policy.Control{&out.TrustedInstance.Control, &out.InstanceRole.Control, &out.Agent.Control} {
		c.Mode, c.EnforceFor = policy.Audit, only
	}
	return &out
}

// withUsers fills in which instances of the world have each role.
func withUsers(w *fleet.World) *fleet.World {
	w.Users = map[string]fleet.Fact[[]fleet.Instance]{}
	for _, role := range []string{systrust, theirs, strings.ToLower(systrust)} {
		var users []fleet.Instance
		for _, in := range w.Instances {
			if in.RoleName.Seen() && strings.EqualFold(in.RoleName.V, role) {
				users = append(users, in)
			}
		}
		w.Users[role] = fleet.See(users)
	}
	return w
}

var vpcOne = policy.Selector{VPCs: []string{"vpc-1"}}

func TestAnEmptyListEnforcesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := withUsers(anyWorld(t)), anyPolicy(t)
		audit := all(w, partly(p))
		if diff := cmp.Diff(audit, all(w, partly(p, []policy.Selector{}...))); diff != "" {
			t.Error(diff)
		}
		if got := made(audit); len(got) > 0 || slices.ContainsFunc(audit, func(v fleet.Verdict) bool { return v.Covered }) {
			t.Errorf("audit makes %v", got)
		}
	})
}

func TestASelectorThatTakesEverythingIsTheModeEnforce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyWorld(t), anyPolicy(t)
		p.Agent.Mode = policy.Enforce
		p.InstanceRole.Include, p.InstanceRole.Exclude = nil, nil // which leave out users of a role
		p.Exemptions = slices.DeleteFunc(p.Exemptions, func(e policy.Exemption) bool { return e.Control == policy.ControlInstanceRole })
		var everything []policy.Selector
		switch pick(t, "by", "account", "regions", "tags") {
		case "account":
			everything = []policy.Selector{{Accounts: []fleet.AccountID{"1000000000000009"}}, {Accounts: []fleet.AccountID{here.Account}}}
		case "regions":
			p.Regions = []fleet.Region{here.Region}
			everything = []policy.Selector{{Regions: []fleet.Region{here.Region}}}
		default:
			everything = []policy.Selector{{Tags: map[string]string{"rollout": "*"}}}
			for i := range w.Instances {
				if w.Instances[i].Listed.Seen() {
					w.Instances[i].Listed.V.Tags["rollout"] = "1"
				}
			}
			withUsers(w)
		}
		if len(instances.SharedRoles(all, partly(p, everything...))(w)) > 0 && w.Users == nil {
			t.Error("the users of roles are read, which an account or its regions do not depend on")
		}
		enforced, got := all(w, p), all(w, partly(p, everything...))
		if diff := cmp.Diff(made(enforced), made(got)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(changes(enforced), made(enforced)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(unmarked(enforced), unmarked(got)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAPartIsJudgedAsAllIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := withUsers(anyWorld(t)), anyPolicy(t)
		some := all(w, partly(p, vpcOne))
		if diff := cmp.Diff(unmarked(all(w, partly(p))), unmarked(some)); diff != "" {
			t.Error(diff)
		}
		for _, v := range some {
			at := slices.IndexFunc(w.Instances, func(i fleet.Instance) bool { return i.Ref.Key() == v.Ref.Key() })
			for _, c := range v.Changes {
				if c.Covered && w.Instances[at].Listed.V.VPC != "vpc-1" {
					t.Errorf("made, and not taken: %+v", c)
				}
				if c.Covered == (c.Uncovered != "") {
					t.Errorf("without a reason, or in spite of one: %+v", c)
				}
			}
		}
	})
}

func TestKnowingLessNeverEnforcesMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := withUsers(anyWorld(t)), partly(anyPolicy(t), vpcOne, policy.Selector{Tags: map[string]string{fleet.TagACK: "x"}})
		before := made(all(w, p))
		masks := append(blurs(w), func(w *fleet.World) { w.Users = nil })
		for role := range w.Users {
			masks = append(masks, func(w *fleet.World) {
				w.Users = map[string]fleet.Fact[[]fleet.Instance]{role: fleet.Unknown[[]fleet.Instance]("masked")}
			})
		}
		for _, mask := range masks {
			less := clone(w)
			mask(less)
			within(t, made(all(less, p)), before)
		}
	})
}

// Exclude and exemptions win, and rules without a change are judged alike.
func TestEveryRuleIsEnforcedByItsPart(t *testing.T) {
	account := policy.Selector{Accounts: []fleet.AccountID{here.Account}}
	other := policy.Selector{Accounts: []fleet.AccountID{"1000000000000007"}}
	for rule, fault := range findsFault() {
		control := controlOf(rule)
		for name, tc := range map[string]struct {
			only   []policy.Selector
			change func(broken)
			want   bool
		}{
			"taken":              {only: []policy.Selector{other, account}, change: func(broken) {}, want: true},
			"not taken":          {only: []policy.Selector{other}, change: func(broken) {}},
			"taken and excluded": {only: []policy.Selector{account}, change: func(b broken) { b.control(control).Exclude = []policy.Selector{account} }},
			"taken and exempt":   {only: []policy.Selector{account}, change: func(b broken) { b.policy.Exemptions = exempting(control, rule, account, 1) }},
			"off":                {only: []policy.Selector{account}, change: func(b broken) { b.control(control).Mode = policy.Off }},
		} {
			b := fault()
			b.control(control).Mode = policy.Enforce
			asks := len(made(b.decide())) > 0
			b.control(control).Mode, b.control(control).EnforceFor = policy.Audit, tc.only
			tc.change(b)
			got := false
			for _, v := range b.decide() {
				got = got || v.Control == control && v.Rule == rule && len(made([]fleet.Verdict{v})) > 0
			}
			if got && !tc.want {
				t.Errorf("%s, %s: a change is made", rule, name)
			}
			if tc.want && asks && len(made(b.decide())) == 0 {
				t.Errorf("%s, %s: no change is made, and mode enforce makes some", rule, name)
			}
		}
	}
}

// A role is changed once all instances that are known to have it are enforced.
func TestARoleOfOthersIsChangedOnlyWithAllOfThem(t *testing.T) {
	canary := policy.Selector{Tags: map[string]string{"rollout": "canary"}}
	tagged := func(l *fleet.Listing) { l.Tags["rollout"] = "canary" }
	having := func(id, role string, change func(*fleet.Listing)) fleet.Instance {
		i := listed(trusted(), change)
		i.Ref.ID, i.RoleName = id, fleet.See(role)
		return i
	}
	plain := func(*fleet.Listing) {}
	elsewhere := having("i-3", theirs, plain)
	elsewhere.Ref.Scope.Region = "cn-beijing"
	unread := having("i-3", theirs, plain)
	unread.Listed = fleet.Unknown[fleet.Listing]("denied")
	for name, tc := range map[string]struct {
		instances []fleet.Instance
		users     fleet.Fact[[]fleet.Instance]
		role      fleet.Fact[fleet.Role] // the systrust role
		want      []string
		why       string
	}{
		"alone": {[]fleet.Instance{having("i-1", theirs, tagged)}, fleet.See([]fleet.Instance{having("i-1", theirs, tagged)}), granting(narrow),
			[]string{"grant-role " + theirs}, ""},
		"with one that is not taken": {[]fleet.Instance{having("i-1", theirs, tagged)}, fleet.See([]fleet.Instance{having("i-1", theirs, tagged), having("i-2", theirs, plain)}), granting(narrow),
			nil, "the role AppRole is the account's, and enforceFor does not take all instances that have it: not i-2"},
		"with one in another region": {[]fleet.Instance{having("i-1", theirs, tagged)}, fleet.See([]fleet.Instance{elsewhere}), granting(narrow), nil, "not i-3"},
		"with one beside it":         {[]fleet.Instance{having("i-1", theirs, tagged), having("i-2", strings.ToUpper(theirs), plain)}, fleet.See[[]fleet.Instance](nil), granting(narrow), nil, "not i-2"},
		"with two":                   {[]fleet.Instance{having("i-1", theirs, tagged)}, fleet.See([]fleet.Instance{elsewhere, having("i-2", theirs, plain)}), granting(narrow), nil, "not i-2 and 1 more"},
		"with one that is not read":  {[]fleet.Instance{having("i-1", theirs, tagged)}, fleet.See([]fleet.Instance{unread}), granting(narrow), nil, "whether enforceFor takes all instances that have it could not be determined: i-3"},
		"with those who are not known": {[]fleet.Instance{having("i-1", theirs, tagged)}, fleet.Unknown[[]fleet.Instance]("denied"), granting(narrow), nil,
			"which instances have it could not be read: denied"},
		"one of another role": {[]fleet.Instance{having("i-1", theirs, tagged), having("i-2", systrust, plain)}, fleet.See([]fleet.Instance{having("i-1", theirs, tagged)}), granting(rampolicy.SysTrustPolicy()),
			[]string{"grant-role " + theirs}, ""},
		"a role that is missing": {[]fleet.Instance{having("i-1", "", tagged), having("i-2", "", plain)}, fleet.See[[]fleet.Instance](nil), missing(),
			[]string{"attach-role i-1", "ensure-role " + systrust}, ""},
		"a missing role that another still names": {[]fleet.Instance{having("i-1", "", tagged), having("i-2", systrust, plain)}, fleet.See[[]fleet.Instance](nil), missing(), nil,
			"it needs what is not made: the role " + systrust + " is the account's, and enforceFor does not take all instances that have it: not i-2"},
		"an unfit role that another has": {[]fleet.Instance{having("i-1", "", tagged), having("i-2", systrust, plain)}, fleet.See[[]fleet.Instance](nil), granting(narrow), nil, "it needs what is not made"},
	} {
		w := world(tc.instances...)
		w.Roles[systrust], w.Roles[strings.ToUpper(theirs)] = tc.role, w.Roles[theirs]
		w.Users = map[string]fleet.Fact[[]fleet.Instance]{theirs: tc.users, systrust: tc.users, strings.ToUpper(theirs): tc.users}
		p := partly(enforcing(), canary)
		p.InstanceRole.Conflict = policy.ConflictGrant
		var got, why []string
		for _, v := range instances.Role(w, p) {
			for _, c := range v.Changes {
				if why = append(why, c.Uncovered); c.Covered {
					got = append(got, string(c.Kind)+" "+c.Ref.ID)
				}
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if said := strings.Join(why, "\n"); !strings.Contains(said, tc.why) {
			t.Errorf("%s: said %s", name, said)
		}
	}
}

// Of the users of a role none is one that the policy leaves alone: by include, by exclude or by an
// exemption that works for the rule, whether enforceFor goes by tags or takes the account.
func TestARoleIsNotChangedWhileItsUsersAreLeftOut(t *testing.T) {
	tag := func(k, v string) policy.Selector { return policy.Selector{Tags: map[string]string{k: v}} }
	exempt := func(rule string, hours int, s policy.Selector, ids ...string) []policy.Exemption {
		e := exempting(policy.ControlInstanceRole, rule, s, hours)
		e[0].Instances = ids
		return e
	}
	const left, unsure = "include, exclude or an exemption leaves out instances that have it: i-2", "could not be determined: i-2"
	for name, tc := range map[string]struct {
		change func(*policy.Policy)
		unread bool
		why    string // "" if the role is changed
	}{
		"none":                 {change: func(*policy.Policy) {}},
		"excluded":             {change: func(p *policy.Policy) { p.InstanceRole.Exclude = []policy.Selector{tag("env", "prod")} }, why: left},
		"excluded, and unread": {change: func(p *policy.Policy) { p.InstanceRole.Exclude = []policy.Selector{tag("env", "prod")} }, unread: true, why: unsure},
		"another is excluded":  {change: func(p *policy.Policy) { p.InstanceRole.Exclude = []policy.Selector{tag("env", "lab")} }},
		"excluded by its region": {change: func(p *policy.Policy) {
			p.InstanceRole.Exclude = []policy.Selector{{Regions: []fleet.Region{"cn-beijing"}}}
		}, why: left},
		"not included":                {change: func(p *policy.Policy) { p.InstanceRole.Include = []policy.Selector{tag("env", "test")} }, why: left},
		"exempt":                      {change: func(p *policy.Policy) { p.Exemptions = exempt("", 1, policy.Selector{}, "i-2") }, why: left},
		"exempt from the rule":        {change: func(p *policy.Policy) { p.Exemptions = exempt(policy.RuleSystrustRole, 1, tag("env", "prod")) }, why: left},
		"exempt by a tag, and unread": {change: func(p *policy.Policy) { p.Exemptions = exempt("", 1, tag("env", "prod")) }, unread: true, why: unsure},
		"exempt from another rule":    {change: func(p *policy.Policy) { p.Exemptions = exempt(policy.RuleOverBroadRole, 1, policy.Selector{}, "i-2") }},
		"exempt until before":         {change: func(p *policy.Policy) { p.Exemptions = exempt("", 0, policy.Selector{}, "i-2") }},
		"another is exempt":           {change: func(p *policy.Policy) { p.Exemptions = exempt("", 1, policy.Selector{}, "i-3") }},
	} {
		for by, only := range map[string]policy.Selector{"a tag": tag("rollout", "canary"), "the account": {Accounts: []fleet.AccountID{here.Account}}} {
			one := listed(trusted(), func(l *fleet.Listing) { l.Tags["rollout"], l.Tags["env"] = "canary", "test" })
			one.Ref.ID, one.RoleName = "i-1", fleet.See(theirs)
			two := listed(trusted(), func(l *fleet.Listing) { l.Tags["rollout"], l.Tags["env"] = "canary", "prod" })
			two.Ref.ID, two.Ref.Scope.Region, two.RoleName = "i-2", "cn-beijing", fleet.See(theirs)
			if tc.unread {
				two.Listed = fleet.Unknown[fleet.Listing]("denied")
			}
			p := partly(enforcing(), only)
			p.InstanceRole.Conflict = policy.ConflictGrant
			tc.change(p)
			w := world(one)
			asks := instances.SharedRoles(instances.Role, p)(w)
			if alone := by == "the account" && name == "none"; alone != (len(asks) == 0) && !strings.HasPrefix(name, "exempt ") {
				t.Errorf("%s, by %s: it asks for the users of %v", name, by, asks)
			}
			if len(asks) > 0 {
				w.Users = map[string]fleet.Fact[[]fleet.Instance]{theirs: fleet.See([]fleet.Instance{one, two})}
			}
			var why []string
			changed := false
			for _, v := range instances.Role(w, p) {
				for _, c := range v.Changes {
					changed, why = changed || c.Covered, append(why, c.Uncovered)
				}
			}
			if said := strings.Join(why, ""); changed != (tc.why == "") || !strings.Contains(said, tc.why) {
				t.Errorf("%s, by %s: changed %t, %q", name, by, changed, said)
			}
		}
	}
}

// The share roles are the account's: an account takes all, or nothing.
func TestSharesAreEnforcedByTheAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, p := anyShareWorld(t), anySharePolicy(t)
		enforced := shares.Role(w, p)
		p.ShareRole.Mode, p.ShareRole.EnforceFor = policy.Audit, []policy.Selector{{Accounts: []fleet.AccountID{stranger, w.Account}}}
		if diff := cmp.Diff(enforced, shares.Role(w, p)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(changes(enforced), made(enforced)); diff != "" {
			t.Error(diff)
		}
		for _, only := range [][]policy.Selector{nil, {{Accounts: []fleet.AccountID{stranger}}}} {
			p.ShareRole.EnforceFor = only
			got := shares.Role(w, p)
			if diff := cmp.Diff(unmarked(enforced), unmarked(got)); diff != "" || len(made(got)) > 0 {
				t.Errorf("made %v; %s", made(got), diff)
			}
		}
	})
}

// A selector over a fact that is not known enforces nothing, and the change says so.
func TestAnUnknownFactEnforcesNothingAndIsNamed(t *testing.T) {
	byTag := policy.Selector{Tags: map[string]string{"rollout": "canary"}}
	for name, tc := range map[string]struct {
		only   policy.Selector
		listed fleet.Fact[fleet.Listing]
		want   bool
		why    string
	}{
		"unread":               {byTag, fleet.Unknown[fleet.Listing]("denied"), false, "whether its enforceFor takes this could not be determined: denied"},
		"claimed":              {byTag, fleet.Claim(fleet.Listing{Tags: byTag.Tags}), false, "could not be determined"},
		"read":                 {byTag, fleet.See(fleet.Listing{Tags: byTag.Tags}), true, ""},
		"another by its tags":  {byTag, fleet.See(fleet.Listing{}), false, "by its tags, or the lack of them; whoever may tag can set that"},
		"another by its VPC":   {vpcOne, fleet.See(fleet.Listing{VPC: "vpc-2"}), false, "enforceFor does not take this"},
		"a region, and unread": {policy.Selector{Regions: []fleet.Region{here.Region}}, fleet.Unknown[fleet.Listing]("denied"), true, ""},
	} {
		v := fleet.Verdict{Ref: fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: "i-1"}, Control: policy.ControlAgent, Changes: []fleet.Change{{Kind: fleet.PushAgent}}}
		got := verdict.Enforce(partly(enforcing(), tc.only), v, tc.listed, nil)
		c := got.Changes[0]
		if got.Covered != tc.want || c.Covered != tc.want || !strings.Contains(c.Uncovered, tc.why) || (c.Uncovered == "") != tc.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
