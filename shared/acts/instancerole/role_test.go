package instancerole_test

import (
	"slices"
	"strings"
	"testing"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
)

func ensure(t *testing.T, c *cloud, want string) fleet.Result {
	t.Helper()
	rs := instancerole.Ensure(c)(t.Context(), here, ensures(want))
	if len(rs) != 1 {
		t.Fatalf("%d results", len(rs))
	}
	return rs[0]
}

// stands checks that the systrust role is as it should be.
func (c *cloud) stands(t *testing.T, policy string) {
	t.Helper()
	r := c.roles[systrust]
	if r == nil || r.Trust != rampolicy.ECSTrust() || len(r.Policies) != 1 || r.Policies[0].Name != policy || c.policies[policy] != rampolicy.SysTrustPolicy() {
		t.Errorf("the role is %+v, policies %v", r, c.policies)
	}
}

func TestEnsureCreatesTheRoleAndItsPolicy(t *testing.T) {
	c := newCloud()
	if r := ensure(t, c, ours); r.State != fleet.Done || r.After != ours {
		t.Errorf("got %+v", r)
	}
	c.stands(t, ours)
	c.once(t)
}

func TestEnsureTakesAlibabaCloudsPolicyWithoutMakingIt(t *testing.T) {
	c := newCloud()
	if r := ensure(t, c, "AliyunSysTrustFullAccess"); r.State != fleet.Done {
		t.Errorf("got %+v", r)
	}
	c.stands(t, "AliyunSysTrustFullAccess")
	if c.calls["CreatePolicy"] != 0 {
		t.Error("it made a policy")
	}
}

func TestEnsureOfAnExistingRoleChangesNothing(t *testing.T) {
	c := ready()
	if r := ensure(t, c, ours); r.State != fleet.Skipped || !strings.Contains(r.Why, "already") || r.After != ours || len(c.did) != 0 {
		t.Errorf("got %+v, did %v", r, c.did)
	}
}

func TestEnsureFinishesWhatAnotherBegan(t *testing.T) {
	t.Run("the policy is there", func(t *testing.T) {
		c := newCloud()
		c.policies[ours] = rampolicy.SysTrustPolicy()
		if r := ensure(t, c, ours); r.State != fleet.Done {
			t.Errorf("got %+v", r)
		}
		c.stands(t, ours)
	})
	t.Run("the role is there", func(t *testing.T) {
		c := newCloud()
		c.role(systrust)
		if r := ensure(t, c, ours); r.State != fleet.Done {
			t.Errorf("got %+v", r)
		}
		c.stands(t, ours)
	})
}

// Any write may lose its answer, before or after it took effect: the role exists at the
// latest after another pass, and no write is made twice.
func TestEveryWriteOfEnsureMayLoseItsAnswer(t *testing.T) {
	for _, api := range []string{"CreateRole", "CreatePolicy", "AttachPolicy"} {
		for _, after := range []bool{false, true} {
			t.Run(api+map[bool]string{false: " before", true: " after"}[after], func(t *testing.T) {
				c := newCloud()
				c.faults[api] = []fault{{lost, after}}
				r := ensure(t, c, ours)
				if after && r.State != fleet.Done {
					t.Errorf("it was done, and the result is %+v", r)
				}
				if after && api == "AttachPolicy" && !strings.Contains(r.Why, "lost") {
					t.Errorf("the reason does not mention the lost answer: %+v", r)
				}
				if !after && r.State != fleet.Later {
					t.Errorf("it was not done, and the result is %+v", r)
				}
				if r := ensure(t, c, ours); r.State != map[bool]fleet.State{true: fleet.Skipped, false: fleet.Done}[after] {
					t.Errorf("the second pass ends with %+v", r)
				}
				c.stands(t, ours)
				c.once(t)
			})
		}
	}
}

func TestARoleThatAnotherCallerCreatedMeanwhileIsUsed(t *testing.T) {
	c := newCloud()
	c.faults["CreateRole"] = []fault{{failure{fleet.Exists, "EntityAlreadyExists.Role"}, true}}
	c.faults["CreatePolicy"] = []fault{{failure{fleet.Exists, "EntityAlreadyExists.Policy"}, true}}
	if r := ensure(t, c, ours); r.State != fleet.Done { // its policy was attached here
		t.Errorf("got %+v", r)
	}
	c.stands(t, ours)
}

func TestARoleThatAnotherCallerCompletedMeanwhileIsNotOurs(t *testing.T) {
	c := newCloud()
	exists := []fault{{failure{fleet.Exists, "EntityAlreadyExists"}, true}}
	c.faults["CreateRole"], c.faults["AttachPolicy"] = exists, exists
	if r := ensure(t, c, ours); r.State != fleet.Skipped || r.After != ours {
		t.Errorf("got %+v", r)
	}
}

// Another author's document of that name would grant its rights to the whole fleet.
func TestAForeignPolicyOfOurNameIsReportedAndNotAttached(t *testing.T) {
	for name, doc := range map[string]string{
		"sweeping":   `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"too little": `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}]}`,
		"garbage":    `{`,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.policies[ours] = doc
			r := ensure(t, c, ours)
			if r.State != fleet.Failed || !strings.Contains(r.Why, ours) {
				t.Errorf("got %+v", r)
			}
			if strings.Contains(r.Why, "Statement") {
				t.Errorf("the reason quotes the document: %s", r.Why)
			}
			if role := c.roles[systrust]; role != nil && len(role.Policies) != 0 {
				t.Errorf("it was attached: %+v", role)
			}
		})
	}
}

func TestAForeignPolicyMadeInTheSameMomentIsNotAttachedEither(t *testing.T) {
	c := newCloud()
	c.policies[ours] = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	c.faults["Policy"] = []fault{{failure{fleet.NotFound, "EntityNotExist.Policy"}, false}}
	if r := ensure(t, c, ours); r.State != fleet.Failed || len(c.roles[systrust].Policies) != 0 {
		t.Errorf("got %+v, role %+v", r, c.roles[systrust])
	}
}

func TestOurPolicyWrittenOtherwiseIsStillOurs(t *testing.T) {
	c := newCloud()
	c.policies[ours] = strings.ReplaceAll(rampolicy.SysTrustPolicy(), ",", " ,\n ")
	if r := ensure(t, c, ours); r.State != fleet.Done {
		t.Errorf("got %+v", r)
	}
}

func TestEnsureSettlesByTheErrorsClass(t *testing.T) {
	for _, api := range []string{"CreateRole", "Policy", "CreatePolicy", "AttachPolicy", "Role"} {
		for err, want := range map[failure]fleet.State{
			denied: fleet.Failed, throttled: fleet.Later, {fleet.Limit, "LimitExceeded.Role.Policy"}: fleet.Failed,
			{class: fleet.OutOfBudget}: fleet.Later, {class: fleet.Unclassified}: fleet.Failed,
		} {
			if api == "Role" {
				want = fleet.Started // it was made, whatever the read's failure
			}
			t.Run(api+" "+err.Error(), func(t *testing.T) {
				c := newCloud()
				c.faults[api] = []fault{{err: err}}
				r := ensure(t, c, ours)
				if r.State != want || r.Err == nil || fleet.ClassOf(r.Err) != err.class || r.Why == "" {
					t.Errorf("got %+v, want %s", r, want)
				}
			})
		}
	}
}

func TestAWriteThatRAMDoesNotShowYetIsCheckedAgain(t *testing.T) {
	t.Run("the policy at the role", func(t *testing.T) {
		c := newCloud()
		c.hidden[systrust] = 2
		if r := ensure(t, c, ours); r.State != fleet.Started || r.Again == 0 || r.Err == nil {
			t.Errorf("got %+v", r)
		}
		if r := ensure(t, c, ours); r.State != fleet.Later || r.Again == 0 { // that of before may not show yet
			t.Errorf("then %+v", r)
		}
		if r := ensure(t, c, ours); r.State != fleet.Skipped {
			t.Errorf("at last %+v", r)
		}
	})
	t.Run("the role for its policy", func(t *testing.T) {
		c := newCloud()
		c.faults["AttachPolicy"] = []fault{{failure{fleet.NotFound, "EntityNotExist.Role"}, false}}
		if r := ensure(t, c, ours); r.State != fleet.Later || r.Again == 0 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("the policy itself", func(t *testing.T) {
		c := newCloud()
		unseen := fault{failure{fleet.NotFound, "EntityNotExist.Policy"}, false}
		c.faults["Policy"] = []fault{unseen, unseen}
		if r := ensure(t, c, ours); r.State != fleet.Later {
			t.Errorf("got %+v", r)
		}
	})
}

func TestARoleThatStaysUnfitFails(t *testing.T) {
	for name, spoil := range map[string]func(*cloud){
		"trusts another service": func(c *cloud) {
			c.roles[systrust].Trust = strings.ReplaceAll(rampolicy.ECSTrust(), "ecs.", "fc.")
		},
		"trust that cannot be read": func(c *cloud) { c.roles[systrust].Trust = "{" },
		"a policy denies it": func(c *cloud) {
			c.policies["no"] = `{"Version":"1","Statement":[{"Effect":"Deny","Action":"yundun-systrust:*","Resource":"*"}]}`
			c.role(systrust, fleet.Policy{Name: "no", Type: fleet.CustomPolicy})
		},
		"a policy that cannot be read": func(c *cloud) {
			c.policies["no"] = "{"
			c.role(systrust, fleet.Policy{Name: "no", Type: fleet.CustomPolicy})
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.role(systrust)
			spoil(c)
			trust := c.roles[systrust].Trust
			if r := ensure(t, c, ours); r.State != fleet.Started || r.Err == nil || r.Again == 0 {
				t.Errorf("the policy was attached, and the result is %+v", r)
			}
			if r := ensure(t, c, ours); r.State != fleet.Failed || r.Why == "" {
				t.Errorf("got %+v", r)
			}
			if c.roles[systrust].Trust != trust {
				t.Error("the trust of a role in use was rewritten")
			}
		})
	}
}

func TestGrantAttachesOurPolicyToARoleAndKeepsItsOwn(t *testing.T) {
	c := ready()
	c.policies["app"] = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:*","Resource":"*"}]}`
	c.role(theirs, fleet.Policy{Name: "app", Type: fleet.CustomPolicy})
	ref := fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: theirs}
	rs := instancerole.Grant(c)(t.Context(), here, []fleet.Change{{Kind: fleet.GrantRole, Ref: ref, Want: ours}})
	if rs[0].State != fleet.Done || rs[0].After != "app, "+ours {
		t.Errorf("got %+v", rs[0])
	}
	if want := []string{"attach policy " + ours + " to " + theirs}; !slices.Equal(c.did, want) {
		t.Errorf("did %v, want %v", c.did, want)
	}
}

func TestAGrantIsOursOnlyIfThisCallMadeIt(t *testing.T) {
	exists := failure{fleet.Exists, "EntityAlreadyExists.Role.Policy"}
	for name, x := range map[string]struct {
		attach, read fault
		want         fleet.State
	}{
		"made":                      {want: fleet.Done},
		"attached concurrently":     {attach: fault{exists, true}, want: fleet.Skipped},
		"lost and done":             {attach: fault{lost, true}, want: fleet.Done},
		"lost and not done":         {attach: fault{err: lost}, want: fleet.Later},
		"lost and not to be read":   {attach: fault{lost, true}, read: fault{err: denied}, want: fleet.Later},
		"made and not to be read":   {read: fault{err: denied}, want: fleet.Started},
		"theirs and not to be read": {attach: fault{exists, true}, read: fault{err: throttled}, want: fleet.Later},
	} {
		t.Run(name, func(t *testing.T) {
			c := ready()
			c.role(theirs)
			c.faults["AttachPolicy"], c.faults["Role"] = []fault{x.attach}, []fault{x.read}
			ref := fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: theirs}
			rs := instancerole.Grant(c)(t.Context(), here, []fleet.Change{{Kind: fleet.GrantRole, Ref: ref, Want: ours}})
			if rs[0].State != x.want || (rs[0].Why == "") != (name == "made") {
				t.Errorf("got %+v", rs[0])
			}
		})
	}
}

func TestGrantMakesNoRole(t *testing.T) {
	c := newCloud()
	ref := fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: theirs}
	rs := instancerole.Grant(c)(t.Context(), here, []fleet.Change{{Kind: fleet.GrantRole, Ref: ref, Want: ours}})
	if rs[0].State == fleet.Done || c.calls["CreateRole"] != 0 || c.roles[theirs] != nil {
		t.Errorf("got %+v, roles %v", rs[0], c.roles)
	}
}
