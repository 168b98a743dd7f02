package sweep_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Beyond a limit of a shard, owners are notified of none of the control's drift there.
func TestALimitHoldsAllOfAShardsChanges(t *testing.T) {
	for name, limits := range map[string]policy.Limits{
		"maxChanges": {MaxChanges: 3, MaxPercent: 100, PercentAbove: 0, MaxPerHour: 100},
		"maxPercent": {MaxChanges: 500, MaxPercent: 39, PercentAbove: 3, MaxPerHour: 100},
	} {
		c := newCloud()
		c.policy.Limits = limits
		got := c.swept(t, fine)
		s := got.shard(t, hangzhou)
		if len(s.Held) != 1 || s.Held[0].N != 4 || !s.Held[0].Limit || !strings.Contains(s.Held[0].Why, name) || s.Fault != "" {
			t.Errorf("%s: held %v, fault %q", name, s.Held, s.Fault)
		}
		if diff := cmp.Diff(map[string]int{"agent planned": 2, "instance-role held": 4}, changes(s)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if notified := strings.Join(got.Notified, "\n"); strings.Contains(notified, string(one)+"/") || !strings.Contains(notified, "g2x") {
			t.Errorf("%s: notified %s", name, notified)
		}
		if said := strings.Join(c.said(), "\n"); !strings.Contains(said, "4 changes of rule systrust-role are held since ") {
			t.Errorf("%s: said %s", name, said)
		}
	}
}

func TestAtALimitAllChangesAreForwarded(t *testing.T) {
	c := newCloud()
	c.policy.Limits = policy.Limits{MaxChanges: 4, MaxPercent: 40, PercentAbove: 0, MaxPerHour: 100}
	if s := c.swept(t, fine).shard(t, hangzhou); len(s.Held) != 0 || changes(s)["instance-role forwarded"] != 4 {
		t.Errorf("held %v, changes %v", s.Held, changes(s))
	}
}

// Where no functions are deployed, the report says so, and the owners in other regions are
// notified.
func TestChangesInARegionWithoutInboxAreHeld(t *testing.T) {
	c := newCloud()
	c.fleets[at(two, "cn-beijing")] = []string{"b1x"}
	s := c.swept(t, failing(failure{class: fleet.NotFound}, 1000, "notify attach-role cn-beijing"))
	held := s.shard(t, at(two, "cn-beijing")).Held
	if len(held) != 1 || held[0].N != 1 || held[0].Why != "there is no inbox of attach-role in cn-beijing" {
		t.Errorf("held %v", held)
	}
	if notified := strings.Join(s.Notified, "\n"); !strings.Contains(notified, "h2x") || strings.Contains(notified, "b1x") {
		t.Errorf("notified %s", notified)
	}
}

func TestChangesAreHeldWhenTheirOwnerMayNotBeNotified(t *testing.T) {
	c := newCloud()
	s := c.swept(t, failing(failure{class: fleet.Denied}, 1000, "notify setup-share-role")).shard(t, at(one, ""))
	if len(s.Held) != 1 || s.Held[0].Limit || !strings.Contains(s.Held[0].Why, "setup-share-role in the home region could not be notified: denied") {
		t.Errorf("held %v", s.Held)
	}
}

// An inbox that fails for hours does not keep the sweep from ending. With one that fails for
// a while its owner is notified later: see TestAPassingFailureIsWaitedFor.
func TestChangesAreHeldWhenTheInboxOfTheirOwnerFailsForHours(t *testing.T) {
	c := newCloud()
	got := c.swept(t, failing(failure{class: fleet.Unavailable}, 1000, "notify attach-role cn-hangzhou"))
	held := 0
	for _, s := range got.Shards {
		if s.Fault != "" {
			t.Errorf("shard %s: fault %q", s.Scope, s.Fault)
		}
		held += len(s.Held)
	}
	if held != 2 || c.now.Sub(noon) < time.Hour {
		t.Errorf("%d of 2 are held after %s", held, c.now.Sub(noon))
	}
}

// A pass settles intents that others left open. That is recorded, and no part of the numbers.
func TestSettledIntentsDoNotCount(t *testing.T) {
	want := newCloud().swept(t, fine)
	c := newCloud()
	settled := &settled{}
	c.ledger = settled
	for _, scope := range []fleet.Scope{hangzhou, at(two, "cn-hangzhou"), at(two, "cn-beijing")} {
		ref := fleet.Ref{Scope: scope, Kind: fleet.KindInstance, ID: "s1x"}
		change := fleet.ChangeRecord{Control: policy.ControlInstanceRole, Rule: "systrust-role", Kind: fleet.AttachRole, Account: scope.Account,
			Region: scope.Region, RefKind: fleet.KindInstance, ID: "s1x", Want: "role"}
		c.open = append(c.open, fleet.Entry{Name: "attach-role/" + string(scope.Account), Look: fleet.Messages([]fleet.Ref{ref}),
			Changes: []fleet.EntryChange{{ChangeRecord: change}}})
	}
	if diff := cmp.Diff(want, c.swept(t, fine)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]bool{"attach-role/" + string(one): true, "attach-role/" + string(two): true}, settled.names); diff != "" {
		t.Error(diff)
	}
	logged := 0
	for _, r := range c.records {
		if r.Change != nil && r.Change.ID == "s1x" && r.Change.State == fleet.Skipped {
			logged++
		}
	}
	if logged < 2 {
		t.Errorf("%d of 2 are in the log", logged)
	}
}

// An intent about a resource that cannot be read any more does not stay open either.
func TestAnIntentOfYesterdayThatCannotBeCheckedIsSettled(t *testing.T) {
	for age, want := range map[time.Duration]bool{2 * time.Hour: false, 25 * time.Hour: true} {
		c := newCloud()
		ledger := &settled{}
		c.ledger = ledger
		ref := fleet.Ref{Scope: hangzhou, Kind: fleet.KindInstance, ID: "s1x"}
		c.open = []fleet.Entry{{Name: "attach-role/x", Time: noon.Add(-age), Look: fleet.Messages([]fleet.Ref{ref}), Changes: []fleet.EntryChange{{}}}}
		c.swept(t, failing(failure{class: fleet.Denied}, 1000, fmt.Sprintf("observe %s s1x", hangzhou)))
		if ledger.names["attach-role/x"] != want {
			t.Errorf("after %s: settled %v, want %t", age, ledger.names, want)
		}
	}
}

// Where a part of a control is enforced, the owner is notified of that, and the limits count it
// alone: the rest is only reported.
func TestOwnersAreNotifiedOfThePartThatIsEnforced(t *testing.T) {
	c := newCloud()
	c.policy.InstanceRole.Mode, c.policy.InstanceRole.EnforceFor = policy.Audit, []policy.Selector{{VPCs: []string{"vpc-h2x", "vpc-g2x", "vpc-h1"}}}
	c.policy.Limits = policy.Limits{MaxChanges: 1, MaxPercent: 25, PercentAbove: 0, MaxPerHour: 100}
	got := c.swept(t, fine)
	notified := strings.Join(got.Notified, "\n")
	if !strings.Contains(notified, "instance h2x") || !strings.Contains(notified, "instance g2x") || strings.Count(notified, "attach-role") != 2 {
		t.Errorf("notified %s", notified)
	}
	s := got.shard(t, hangzhou)
	if diff := cmp.Diff(map[string]int{"agent planned": 2, "instance-role forwarded": 1, "instance-role planned": 3}, changes(s)); len(s.Held) != 0 || diff != "" {
		t.Errorf("held %v; %s", s.Held, diff)
	}
	c = newCloud()
	c.policy.InstanceRole.Mode, c.policy.InstanceRole.EnforceFor = policy.Audit, []policy.Selector{{VPCs: []string{"vpc-h2x", "vpc-h4x", "vpc-h7x"}}}
	c.policy.Limits = policy.Limits{MaxChanges: 1, MaxPercent: 100, PercentAbove: 0, MaxPerHour: 100}
	s = c.swept(t, fine).shard(t, hangzhou)
	if len(s.Held) != 1 || s.Held[0].N != 2 || changes(s)["instance-role held"] != 2 || changes(s)["instance-role planned"] != 2 {
		t.Errorf("held %v, changes %v", s.Held, changes(s))
	}
}

// With an empty list, or one that takes nothing, a sweep is one in audit; with one that takes
// all, it is one that enforces.
func TestASweepOfNoPartOrOfAllIsOneOfAMode(t *testing.T) {
	swept := func(mode policy.Mode, only ...policy.Selector) outcome {
		c := newCloud()
		c.policy.InstanceRole.Mode, c.policy.InstanceRole.EnforceFor = mode, only
		return c.swept(t, fine)
	}
	all := policy.Selector{Accounts: []fleet.AccountID{one, two}}
	for name, diff := range map[string]string{
		"none": cmp.Diff(swept(policy.Audit), swept(policy.Audit, policy.Selector{VPCs: []string{"vpc-other"}})),
		"all":  cmp.Diff(swept(policy.Enforce), swept(policy.Audit, all)),
	} {
		if diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
