package sharerole_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/acts/sharerole"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

const role = fleet.SnapshotShareRole

var home = fleet.Scope{Account: "1000000000000001"}

func trust(t *testing.T, ids ...fleet.AccountID) string {
	t.Helper()
	merged, err := (&rampolicy.Trust{}).Merge(rampolicy.Sharees{Accounts: ids})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := merged.Print()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func keys(ids ...string) string {
	var out rampolicy.Keys
	for _, id := range ids {
		out = append(out, "acs:kms:cn-hangzhou:1000000000000001:key/"+id)
	}
	return rampolicy.KeyPolicy(out)
}

func change(kind fleet.ChangeKind, on fleet.Kind, id, before, want string) fleet.Change {
	return fleet.Change{Kind: kind, Ref: fleet.Ref{Scope: home, Kind: on, ID: id}, Before: before, Want: want}
}

type act = func(context.Context, fleet.Scope, []fleet.Change) []fleet.Result

// do carries out one change and checks what became of it, and what was written.
func do(t *testing.T, c *cloud, a act, ch fleet.Change, want fleet.State, wrote ...string) fleet.Result {
	t.Helper()
	c.wrote = nil
	res := a(t.Context(), home, []fleet.Change{ch})
	if len(res) != 1 || res[0].State != want || !slices.Equal(c.wrote, wrote) {
		t.Errorf("got %+v, wrote %v; want %s and %v", res, c.wrote, want, wrote)
	}
	if res[0].State == fleet.Later && res[0].Again == 0 {
		t.Errorf("later, and not when: %+v", res[0])
	}
	if (res[0].State == fleet.Started) != (res[0].State != fleet.Later && res[0].State != fleet.Failed && res[0].Err != nil) {
		t.Errorf("what is not seen yet has a cause, what is done has none: %+v", res[0])
	}
	return res[0]
}

func TestARoleIsCreatedAndReadBack(t *testing.T) {
	ch := change(fleet.EnsureShareRole, fleet.KindRole, role, "", trust(t, "2"))
	for name, prepare := range map[string]func(*cloud){
		"": func(*cloud) {}, "answer lost": func(c *cloud) { c.fails["CreateRole"] = lost },
	} {
		c := newCloud()
		prepare(c)
		if res := do(t, c, sharerole.Ensure(c), ch, fleet.Done, "CreateRole"); res.After != ch.Want {
			t.Errorf("%s: after %s", name, res.After)
		}
	}
	c := newCloud()
	c.fails["CreateRole"] = denied
	do(t, c, sharerole.Ensure(c), ch, fleet.Failed)
}

// RAM may not read the tags that a role is made with, or any: a role of ours that does not
// show it would count as another's for good.
func TestACreatedRoleWithoutItsTagIsMarkedOrFails(t *testing.T) {
	ch := change(fleet.EnsureShareRole, fleet.KindRole, role, "", trust(t, "2"))
	for name, x := range map[string]struct {
		tagless, deaf bool
		fails         map[string]error
		want          fleet.State
		wrote         []string
	}{
		"shown":                  {false, false, nil, fleet.Done, []string{"CreateRole"}},
		"not sent with the role": {true, false, nil, fleet.Done, []string{"CreateRole", "TagRole"}},
		"never shown":            {true, true, nil, fleet.Failed, []string{"CreateRole", "TagRole"}},
		"not allowed":            {true, false, map[string]error{"TagRole": denied}, fleet.Failed, []string{"CreateRole"}},
		"not readable":           {true, false, map[string]error{"RoleTags": denied}, fleet.Failed, []string{"CreateRole"}},
	} {
		c := newCloud()
		c.tagless, c.deaf = x.tagless, x.deaf
		for api, err := range x.fails {
			c.fails[api] = err
		}
		got := sharerole.Ensure(c)(t.Context(), fleet.Scope{}, []fleet.Change{ch})[0]
		if got.State != x.want || !slices.Equal(c.wrote, x.wrote) || got.After == "" {
			t.Errorf("%s: %+v, wrote %v", name, got, c.wrote)
		}
	}
}

func TestAnExistingRoleIsNotOurs(t *testing.T) {
	c := newCloud()
	c.roles[role] = &fleet.Role{Trust: trust(t, "2")}
	ch := change(fleet.EnsureShareRole, fleet.KindRole, role, "", trust(t, "2"))
	if res := do(t, c, sharerole.Ensure(c), ch, fleet.Skipped); !strings.Contains(res.Why, "already") {
		t.Errorf("got %+v", res)
	}
}

func TestACreatedRoleThatCannotBeReadIsReportedAsCreated(t *testing.T) {
	ensure := change(fleet.EnsureShareRole, fleet.KindRole, role, "", trust(t, "2"))
	set := change(fleet.SetShareTrust, fleet.KindRole, role, trust(t, "2"), trust(t, "2", "3"))
	mark := change(fleet.MarkUnused, fleet.KindRole, role, "", "since")
	key := change(fleet.SetKeyPolicy, fleet.KindPolicy, "fleetwarden-share-image-1", "", keys("a"))
	attach := change(fleet.AttachKeyPolicy, fleet.KindPolicy, "AliyunKMSFullAccess", "", role)
	for name, x := range map[string]struct {
		act    func(*cloud) act
		change fleet.Change
		stands bool // the role
		write  string
		read   string
	}{
		"a role":              {func(c *cloud) act { return sharerole.Ensure(c) }, ensure, false, "CreateRole", "Bare"},
		"trust":               {func(c *cloud) act { return sharerole.SetTrust(c) }, set, true, "SetTrust", "Bare"},
		"a mark":              {func(c *cloud) act { return sharerole.Mark(c) }, mark, true, "TagRole", "RoleTags"},
		"a policy":            {func(c *cloud) act { return sharerole.SetKeys(c) }, key, true, "CreatePolicy", "Fresh"},
		"an attached policy":  {func(c *cloud) act { return sharerole.Attach(c) }, attach, true, "AttachPolicy", "Bare"},
		"a mark that is back": {func(c *cloud) act { return sharerole.Remark(c) }, mark, true, "TagRole", "RoleTags"},
	} {
		for answer, want := range map[error]fleet.State{nil: fleet.Started, lost: fleet.Later} {
			c := newCloud()
			if x.stands {
				c.roles[role] = &fleet.Role{Trust: set.Before}
			}
			c.fails[x.write] = answer
			c.after[x.write] = func() { c.fails[x.read] = denied }
			t.Log(name, answer)
			do(t, c, x.act(c), x.change, want, x.write)
		}
	}
}

func TestARoleThatAnotherCallerCreatedMeanwhileIsUnchanged(t *testing.T) {
	c := newCloud()
	c.roles[role] = &fleet.Role{Trust: trust(t, "7")}
	do(t, c, sharerole.Ensure(c), change(fleet.EnsureShareRole, fleet.KindRole, role, "", trust(t, "2")), fleet.Later)
	if c.roles[role].Trust != trust(t, "7") {
		t.Error("it was touched")
	}
}

func TestOnlyTheTrustThatWasDecidedOnIsReplaced(t *testing.T) {
	ch := change(fleet.SetShareTrust, fleet.KindRole, role, trust(t, "2"), trust(t, "2", "3"))
	for name, x := range map[string]struct {
		now   string
		fails map[string]error
		want  fleet.State
		wrote []string
	}{
		"as decided":     {ch.Before, nil, fleet.Done, []string{"SetTrust"}},
		"answer lost":    {ch.Before, map[string]error{"SetTrust": lost}, fleet.Done, []string{"SetTrust"}},
		"denied":         {ch.Before, map[string]error{"SetTrust": denied}, fleet.Failed, nil},
		"edited":         {trust(t, "2", "9"), nil, fleet.Later, nil},
		"done already":   {" " + ch.Want, nil, fleet.Skipped, nil},
		"broken now":     {"{", nil, fleet.Later, nil},
		"cannot be read": {ch.Before, map[string]error{"Bare": denied}, fleet.Failed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.roles[role] = &fleet.Role{Trust: x.now}
			if x.fails != nil {
				c.fails = x.fails
			}
			do(t, c, sharerole.SetTrust(c), ch, x.want, x.wrote...)
		})
	}
	c := newCloud()
	do(t, c, sharerole.SetTrust(c), ch, fleet.Skipped)
}

func TestAnEditRightAfterTheWriteIsKept(t *testing.T) {
	c := newCloud()
	ch := change(fleet.SetShareTrust, fleet.KindRole, role, trust(t, "2"), trust(t, "2", "3"))
	c.roles[role] = &fleet.Role{Trust: ch.Before}
	c.after["SetTrust"] = func() { c.roles[role].Trust = trust(t, "9") }
	if res := do(t, c, sharerole.SetTrust(c), ch, fleet.Started, "SetTrust"); res.After != trust(t, "9") {
		t.Errorf("after %s", res.After)
	}
}

func TestAnInvisibleWriteIsCheckedAgain(t *testing.T) {
	c := newCloud()
	ch := change(fleet.SetShareTrust, fleet.KindRole, role, trust(t, "2"), trust(t, "2", "3"))
	c.roles[role] = &fleet.Role{Trust: ch.Before}
	c.after["SetTrust"] = func() { c.roles[role].Trust = ch.Before }
	do(t, c, sharerole.SetTrust(c), ch, fleet.Started, "SetTrust")
}

func TestTheMarkIsSetAndReadBack(t *testing.T) {
	c := newCloud()
	ch := change(fleet.MarkUnused, fleet.KindRole, role, "", "20261120T120000Z-ab")
	do(t, c, sharerole.Mark(c), ch, fleet.Done, "TagRole")
	c.fails["TagRole"] = lost
	do(t, c, sharerole.Mark(c), ch, fleet.Done, "TagRole")
	c.fails["TagRole"] = denied
	do(t, c, sharerole.Mark(c), ch, fleet.Failed)
}

func TestAKeyPolicyIsCreatedOnceAndReusedIfItIsOurs(t *testing.T) {
	ch := change(fleet.SetKeyPolicy, fleet.KindPolicy, "fleetwarden-share-image-1", "", keys("a"))
	c := newCloud()
	do(t, c, sharerole.SetKeys(c), ch, fleet.Done, "CreatePolicy")
	do(t, c, sharerole.SetKeys(c), ch, fleet.Skipped)
	c.policies[ch.Ref.ID] = keys("b")
	do(t, c, sharerole.SetKeys(c), ch, fleet.Done, "SetPolicy")
	c.policies[ch.Ref.ID] = rampolicy.SysTrustPolicy()
	do(t, c, sharerole.SetKeys(c), ch, fleet.Failed)
	if c.policies[ch.Ref.ID] != rampolicy.SysTrustPolicy() {
		t.Error("another author's policy was changed")
	}
	lostly := newCloud()
	lostly.fails["CreatePolicy"] = lost
	do(t, lostly, sharerole.SetKeys(lostly), ch, fleet.Done, "CreatePolicy")
}

func TestOnlyTheKeyPolicyThatWasDecidedOnIsReplaced(t *testing.T) {
	ch := change(fleet.SetKeyPolicy, fleet.KindPolicy, "fleetwarden-share-image-1", keys("a"), keys("a", "b"))
	c := newCloud()
	c.policies[ch.Ref.ID] = ch.Before
	do(t, c, sharerole.SetKeys(c), ch, fleet.Done, "SetPolicy")
	do(t, c, sharerole.SetKeys(c), ch, fleet.Skipped)
	c.policies[ch.Ref.ID] = keys("z")
	do(t, c, sharerole.SetKeys(c), ch, fleet.Later)
	c.policies[ch.Ref.ID], c.fails["SetPolicy"] = ch.Before, lost
	do(t, c, sharerole.SetKeys(c), ch, fleet.Done, "SetPolicy")
	c.policies[ch.Ref.ID], c.fails["SetPolicy"] = ch.Before, denied
	do(t, c, sharerole.SetKeys(c), ch, fleet.Failed)
}

func TestAPolicyIsAttachedAndDetachedAndReadBack(t *testing.T) {
	c := newCloud()
	in := change(fleet.AttachKeyPolicy, fleet.KindPolicy, "AliyunKMSFullAccess", "", role)
	do(t, c, sharerole.Attach(c), in, fleet.Later) // the role is not visible yet
	c.roles[role] = &fleet.Role{}
	c.fails["AttachPolicy"] = lost
	if res := do(t, c, sharerole.Attach(c), in, fleet.Done, "AttachPolicy"); !strings.Contains(res.Why, "lost") {
		t.Errorf("the reason does not mention the lost answer: %+v", res)
	}
	do(t, c, sharerole.Attach(c), in, fleet.Skipped)
	if p := c.roles[role].Policies[0]; p.Type != fleet.SystemPolicy {
		t.Errorf("got %+v", p)
	}
	out := change(fleet.DetachKeyPolicy, fleet.KindPolicy, "AliyunKMSFullAccess", role, "")
	c.fails["DetachPolicy"] = denied
	do(t, c, sharerole.Detach(c), out, fleet.Failed)
	c.fails["DetachPolicy"] = lost
	do(t, c, sharerole.Detach(c), out, fleet.Done, "DetachPolicy")
	do(t, c, sharerole.Detach(c), out, fleet.Skipped)
}
