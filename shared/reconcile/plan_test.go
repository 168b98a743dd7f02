package reconcile_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// want compares the states of all changes of a pass.
func (b *bench) want(t *testing.T, states map[string]fleet.State) {
	t.Helper()
	if diff := cmp.Diff(states, b.states()); diff != "" {
		t.Error(diff)
	}
}

func role(id string) fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: here.Account}, Kind: fleet.KindRole, ID: id}
}

// needy is a verdict whose change needs the role r to be made first.
func needy(id string) fleet.Verdict {
	ensure := fleet.Change{Kind: first, Ref: role("r"), Want: "p", Reason: "r is missing"}
	return broken(id, ensure, fleet.Change{Kind: mend, Ref: ref(id), Want: "r", Needs: ensure.Ref.Key()})
}

func TestOnlyEnforceActs(t *testing.T) {
	for mode, state := range map[policy.Mode]fleet.State{policy.Off: fleet.Planned, policy.Audit: fleet.Planned, policy.Enforce: fleet.Done} {
		t.Run(string(mode), func(t *testing.T) {
			b := newBench(mode)
			b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
			b.ran(t, batch("i-1"))
			b.want(t, map[string]fleet.State{"attach-role i-1": state})
			if acted := len(b.acted) > 0; acted != (mode == policy.Enforce) {
				t.Errorf("acted: %v", b.acted)
			}
		})
	}
}

// Of a control in audit, what the gate of the rules has marked is made, if the policy enforces
// a part.
func TestAPartOfAControlActs(t *testing.T) {
	only := []policy.Selector{{Tags: map[string]string{"rollout": "canary"}}}
	for name, tc := range map[string]struct {
		mode   policy.Mode
		only   []policy.Selector
		change fleet.Change
		want   fleet.State
		why    string
	}{
		"covered":              {policy.Audit, only, fleet.Change{Covered: true}, fleet.Done, ""},
		"not covered":          {policy.Audit, only, fleet.Change{Uncovered: "not this"}, fleet.Planned, "not this"},
		"covered before":       {policy.Audit, nil, fleet.Change{Covered: true}, fleet.Planned, "the control is in audit mode"},
		"covered, and off now": {policy.Off, only, fleet.Change{Covered: true}, fleet.Planned, "the control is in audit mode"},
	} {
		b := newBench(tc.mode)
		b.o.Policy.InstanceRole.EnforceFor = tc.only
		tc.change.Kind, tc.change.Ref = mend, ref("i-1")
		b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", tc.change)}
		b.ran(t, batch("i-1"))
		b.want(t, map[string]fleet.State{"attach-role i-1": tc.want})
		for _, r := range b.records {
			if r.Change != nil && r.Change.Why != tc.why {
				t.Errorf("%s: %q", name, r.Change.Why)
			}
		}
	}
}

// One change that several resources ask for is made if one of them is enforced, whatever the
// order; then it is that one's alone.
func TestAChangeThatOneOfTwoHasMadeIsMade(t *testing.T) {
	for name, first := range map[string]bool{"the first": true, "the second": false} {
		b := newBench(policy.Audit)
		b.o.Policy.InstanceRole.EnforceFor = []policy.Selector{{Tags: map[string]string{"rollout": "canary"}}}
		for id, covered := range map[string]bool{"i-1": first, "i-2": !first} {
			v := needy(id)
			for i := range v.Changes {
				v.Changes[i].Covered = covered
			}
			b.verdicts[id] = []fleet.Verdict{v}
		}
		b.ran(t, batch("i-1", "i-2"))
		want := map[string]fleet.State{"ensure-role r": fleet.Done, "attach-role i-1": fleet.Planned, "attach-role i-2": fleet.Done}
		if first {
			want["attach-role i-1"], want["attach-role i-2"] = fleet.Done, fleet.Planned
		}
		if diff := cmp.Diff(want, b.states()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestAChangeOfAControlThatThePolicyDoesNotKnowIsNotMade(t *testing.T) {
	b := newBench(policy.Enforce)
	v := broken("i-1")
	v.Control = "invented"
	b.verdicts["i-1"] = []fleet.Verdict{v}
	b.ran(t, batch("i-1"))
	b.want(t, map[string]fleet.State{"attach-role i-1": fleet.Planned})
}

func TestADryRunWritesNothingAnywhere(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.DryRun = true
	b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: mend, Ref: ref("i-1")}, fleet.Change{Kind: other, Ref: ref("i-1")})}
	b.verdicts["i-2"] = []fleet.Verdict{{Control: policy.ControlInstanceRole, Outcome: fleet.Pending, Again: time.Minute}}
	b.observe["i-3"] = failure{class: fleet.Throttled}
	sum, _, err := b.run(t.Context(), item{batch: batch("i-1", "i-2")}, item{batch: batch("i-3")})
	if err != nil {
		t.Fatal(err)
	}
	if len(b.acted)+len(b.again)+len(b.forwarded) != 0 {
		t.Errorf("acted %v, put back %v, forwarded %v", b.acted, b.again, b.forwarded)
	}
	b.want(t, map[string]fleet.State{"attach-role i-1": fleet.Planned, "stop-instance i-1": fleet.Planned})
	if !sum.DryRun || sum.Again != 0 {
		t.Errorf("sum %+v; nothing was put back", sum)
	}
}

func TestTheRateOfAPassCountsOverBatchesAndPutsTheRestBack(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Policy.Limits.PerPass = 3
	var ids []string
	for i := range 5 {
		id := fmt.Sprint("i-", i)
		ids = append(ids, id)
		b.verdicts[id] = []fleet.Verdict{broken(id)}
	}
	sum := b.ran(t, batch(ids[:2]...), batch(ids[2:]...))
	if diff := cmp.Diff(map[fleet.State]int{fleet.Done: 3, fleet.Later: 2}, sum.States); diff != "" {
		t.Error(diff)
	}
	if sum.Again != 2 {
		t.Errorf("%d put back", sum.Again)
	}
}

// The class: whatever a rate keeps back is done in the end, however often it was put back.
func TestWhatTheRateKeepsBackIsPutBackUntilItIsDone(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Policy.Limits.PerPass = 7
	var left []fleet.Ref
	for i := range 400 { // more passes than a ref is otherwise put back
		r := ref(fmt.Sprint("i-", i))
		b.verdicts[r.ID] = []fleet.Verdict{broken(r.ID)}
		left = append(left, r)
	}
	done, last := 0, time.Duration(0)
	for len(left) > 0 {
		b.again, b.records = nil, nil
		batches := []fleet.Batch{}
		for part := range slices.Chunk(left, fleet.MaxBatch) {
			batches = append(batches, fleet.Batch{Scope: here, Refs: part})
		}
		sum := b.ran(t, batches...)
		if sum.States[fleet.Done] == 0 || sum.States[fleet.Held] > 0 || sum.Outcomes[fleet.Fault] > 0 {
			t.Fatalf("a pass that does nothing, or gives up: %+v", sum)
		}
		done += sum.States[fleet.Done]
		left = nil
		for _, put := range b.again {
			if put.After < last && put.After < 5*time.Minute {
				t.Errorf("put back for %s, after %s", put.After, last)
			}
			last = put.After
			left = append(left, put.Refs...)
		}
	}
	if done != 400 {
		t.Errorf("%d of 400 done", done)
	}
}

// An account whose changes always fail uses up its own rate, and no other's.
func TestEachAccountAndRegionHasTheRateOfAPass(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Policy.Limits.PerPass = 1
	var batches []fleet.Batch
	for i, s := range []fleet.Scope{here, {Account: "2", Region: here.Region}, {Account: here.Account, Region: "cn-shanghai"}} {
		var refs []fleet.Ref
		for j := range 3 {
			r := fleet.Ref{Scope: s, Kind: fleet.KindInstance, ID: fmt.Sprintf("i-%d%d", i, j)}
			v := broken(r.ID)
			v.Ref = r
			for k := range v.Changes {
				v.Changes[k].Ref = r
			}
			b.verdicts[r.ID] = []fleet.Verdict{v}
			refs = append(refs, r)
		}
		batches = append(batches, fleet.Batch{Scope: s, Refs: refs})
	}
	sum := b.ran(t, batches...)
	if diff := cmp.Diff(map[fleet.State]int{fleet.Done: 3, fleet.Later: 6}, sum.States); diff != "" {
		t.Error(diff)
	}
	var scopes []fleet.Scope
	for _, r := range b.records {
		if r.Change != nil && r.Change.State == fleet.Done {
			scopes = append(scopes, fleet.Scope{Account: r.Change.Account, Region: r.Change.Region})
		}
	}
	if len(scopes) != 3 || scopes[0] == scopes[1] || scopes[1] == scopes[2] {
		t.Errorf("done in %v", scopes)
	}
}

func TestPlannedChangesDoNotCountAgainstTheRate(t *testing.T) {
	b := newBench(policy.Audit)
	b.o.Policy.Limits.PerPass = 1
	b.verdicts["i-1"], b.verdicts["i-2"] = []fleet.Verdict{broken("i-1")}, []fleet.Verdict{broken("i-2")}
	sum := b.ran(t, batch("i-1", "i-2"))
	if diff := cmp.Diff(map[fleet.State]int{fleet.Planned: 2}, sum.States); diff != "" {
		t.Error(diff)
	}
}

func TestAChangeThatManyAskForIsMadeOnce(t *testing.T) {
	b := newBench(policy.Enforce)
	b.verdicts["i-1"], b.verdicts["i-2"] = []fleet.Verdict{needy("i-1")}, []fleet.Verdict{needy("i-2")}
	b.ran(t, batch("i-1", "i-2"))
	want := [][]string{{"ensure-role", "r"}, {"attach-role", "i-1", "i-2"}}
	if diff := cmp.Diff(want, b.acted); diff != "" {
		t.Error(diff)
	}
}

func TestChangesThatDifferInWhatTheyWantAreBothMade(t *testing.T) {
	b := newBench(policy.Enforce)
	b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: mend, Ref: ref("i-1"), Want: "a"}, fleet.Change{Kind: mend, Ref: ref("i-1"), Want: "b"})}
	b.ran(t, batch("i-1"))
	if diff := cmp.Diff([][]string{{"attach-role", "i-1", "i-1"}}, b.acted); diff != "" {
		t.Error(diff)
	}
}

func TestWhatNeedsAnotherChangeFollowsItsState(t *testing.T) {
	wait := time.Minute // longer than the default wait
	again := []requeued{{[]fleet.Ref{{Scope: here, Kind: fleet.KindInstance, ID: "i-1", Try: fleet.Try{N: 1, FirstSeen: noon, Run: "run-1"}}}, wait}}
	for name, tc := range map[string]struct {
		need fleet.Result
		want fleet.State
		put  []requeued
	}{
		"done":           {fleet.Result{State: fleet.Done}, fleet.Done, nil},
		"skipped":        {fleet.Result{State: fleet.Skipped}, fleet.Done, nil},
		"failed":         {fleet.Result{State: fleet.Failed, Why: "denied"}, fleet.Failed, nil},
		"later":          {fleet.Result{State: fleet.Later, Again: wait}, fleet.Later, again},
		"made, not seen": {fleet.Result{State: fleet.Started, Again: wait, Err: failure{class: fleet.Denied}}, fleet.Later, again},
		"under way":      {fleet.Result{State: fleet.Started, Again: wait}, fleet.Later, again},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(policy.Enforce)
			b.results["r"] = tc.need
			b.verdicts["i-1"] = []fleet.Verdict{needy("i-1")}
			b.ran(t, batch("i-1"))
			b.want(t, map[string]fleet.State{"ensure-role r": tc.need.State, "attach-role i-1": tc.want})
			if diff := cmp.Diff(tc.put, b.again); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatNeedsAChangeBeyondTheRateFollowsWithIt(t *testing.T) {
	turns := map[bool]int{}
	for n := range 20 {
		b := newBench(policy.Enforce)
		b.o.Stamp.Request = fmt.Sprint("request-", n)
		b.o.Policy.Limits.PerPass = 1
		b.verdicts["i-0"], b.verdicts["i-1"] = []fleet.Verdict{broken("i-0")}, []fleet.Verdict{needy("i-1")}
		b.ran(t, batch("i-0", "i-1"))
		first := b.states()["attach-role i-0"] == fleet.Done
		turns[first]++
		if first {
			b.want(t, map[string]fleet.State{"attach-role i-0": fleet.Done, "ensure-role r": fleet.Later, "attach-role i-1": fleet.Later})
		} else {
			b.want(t, map[string]fleet.State{"attach-role i-0": fleet.Later, "ensure-role r": fleet.Done, "attach-role i-1": fleet.Done})
		}
	}
	if len(turns) != 2 {
		t.Errorf("in 20 passes the same is always first: %v", turns)
	}
}

// A change that always fails does not keep the others from their turn.
func TestWhatAlwaysFailsDoesNotUseUpTheRateOfEachPass(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Policy.Limits.PerPass = 1
	b.results["i-bad"] = fleet.Result{State: fleet.Failed, Why: "never"}
	left := []fleet.Ref{ref("i-bad"), ref("i-good")}
	for _, r := range left {
		b.verdicts[r.ID] = []fleet.Verdict{broken(r.ID)}
		b.verdicts[r.ID][0].Again = time.Minute
	}
	good, passes := 0, 0
	for ; len(left) > 0 && passes < 200; passes++ {
		b.again, b.records, b.o.Stamp.Request = nil, nil, fmt.Sprint("request-", passes)
		b.ran(t, fleet.Batch{Scope: here, Refs: left})
		if b.states()["attach-role i-good"] == fleet.Done {
			good = passes + 1
			b.verdicts["i-good"] = []fleet.Verdict{{Control: policy.ControlInstanceRole, Rule: "rule", Outcome: fleet.Passes}}
		}
		left = nil
		for _, put := range b.again {
			left = append(left, put.Refs...)
		}
	}
	if good == 0 || good > 20 || passes == 200 {
		t.Errorf("the good one was done in pass %d of %d", good, passes)
	}
}

// Where all changes of an instance fail, those that the rate kept back are given up, too.
func TestChangesThatAllFailAreGivenUp(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Policy.Limits.PerPass = 1
	b.results["i-1"] = fleet.Result{State: fleet.Failed, Why: "never"}
	one, other := broken("i-1"), broken("i-1")
	other.Rule, other.Changes = "other", []fleet.Change{{Kind: first, Ref: ref("i-1"), Want: "other"}}
	b.verdicts["i-1"] = []fleet.Verdict{one, other}
	left := []fleet.Ref{ref("i-1")}
	for passes := 0; len(left) > 0; passes++ {
		if passes == 200 {
			t.Fatalf("after %d passes, %v is still queued", passes, left)
		}
		b.again, b.o.Stamp.Request = nil, fmt.Sprint("request-", passes)
		if _, _, err := b.run(t.Context(), item{batch: fleet.Batch{Scope: here, Refs: left}}); err != nil {
			t.Fatal(err)
		}
		left = nil
		for _, put := range b.again {
			left = append(left, put.Refs...)
		}
	}
}

// A pass may find that what a change needs is there already. If that used up its rate, none
// would ever come further.
func TestTheFirstThatNeedsAChangeGoesAlongWithItBeyondTheRate(t *testing.T) {
	for _, state := range []fleet.State{fleet.Done, fleet.Skipped} {
		b := newBench(policy.Enforce)
		b.o.Policy.Limits.PerPass = 1
		b.results["r"] = fleet.Result{State: state}
		b.verdicts["i-1"], b.verdicts["i-2"] = []fleet.Verdict{needy("i-1")}, []fleet.Verdict{needy("i-2")}
		b.ran(t, batch("i-1", "i-2"))
		b.want(t, map[string]fleet.State{"ensure-role r": state, "attach-role i-1": fleet.Done, "attach-role i-2": fleet.Later})
	}
}

func TestWhatNeedsAForwardedChangeIsForwardedToo(t *testing.T) {
	b := newBench(policy.Enforce)
	b.steps = []reconcile.Step{{Kind: mend, Act: b.act}} // no step makes roles
	b.verdicts["i-1"] = []fleet.Verdict{needy("i-1")}
	b.ran(t, batch("i-1"))
	b.want(t, map[string]fleet.State{"ensure-role r": fleet.Forwarded, "attach-role i-1": fleet.Forwarded})
	if len(b.acted) != 0 {
		t.Errorf("acted: %v", b.acted)
	}
}

// The owner looks at what the verdict was about: a role alone says nothing to a
// control that judges instances.
func TestAForwardedChangeLeadsTheOwnerToTheThingThatWasJudged(t *testing.T) {
	b := newBench(policy.Enforce)
	b.steps = nil
	b.verdicts["i-1"], b.verdicts["i-2"] = []fleet.Verdict{needy("i-1")}, []fleet.Verdict{needy("i-2")}
	b.ran(t, batch("i-1", "i-2"))
	got := map[string][]string{}
	for _, c := range b.forwarded {
		got[string(c.Kind)] = append(got[string(c.Kind)], c.Ref.ID)
	}
	want := map[string][]string{"ensure-role": {"i-1", "i-2"}, "attach-role": {"i-1", "i-2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"r", "i-1", "i-2"}, recorded(b)); diff != "" {
		t.Error("the records name what would be changed:", diff)
	}
}

func recorded(b *bench) []string {
	var ids []string
	for _, c := range b.changes() {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestALaterChangePutsBackEveryoneWhoAskedForIt(t *testing.T) {
	b := newBench(policy.Enforce)
	b.results["r"] = fleet.Result{State: fleet.Later, Err: failure{class: fleet.Unavailable}}
	b.verdicts["i-1"], b.verdicts["i-2"] = []fleet.Verdict{needy("i-1")}, []fleet.Verdict{needy("i-2")}
	sum := b.ran(t, batch("i-1", "i-2"))
	if sum.Again != 2 {
		t.Errorf("%d put back, want 2: %+v", sum.Again, b.again)
	}
}

// A change that runs is checked when its verdict asks for it; one that was made and is not to be seen
// has no other verdict that asks.
func TestWhatWasMadeAndNotSeenIsLookedAtAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{"under way": {nil, 0}, "not seen": {failure{class: fleet.Denied}, 1}} {
		b := newBench(policy.Enforce)
		b.results["i-1"] = fleet.Result{State: fleet.Started, Err: tc.err}
		b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
		if sum := b.ran(t, batch("i-1")); sum.Again != tc.want || sum.States[fleet.Started] != 1 {
			t.Errorf("%s: %d put back, want %d: %+v", name, sum.Again, tc.want, sum)
		}
	}
}

func TestARefIsPutBackOnceABatchAsSoonAsAnyoneAsks(t *testing.T) {
	b := newBench(policy.Enforce)
	pending := func(after time.Duration) fleet.Verdict {
		return fleet.Verdict{Control: policy.ControlInstanceRole, Outcome: fleet.Pending, Again: after}
	}
	b.verdicts["i-1"] = []fleet.Verdict{pending(time.Minute), pending(time.Second)}
	b.ran(t, batch("i-1"))
	if len(b.again) != 1 || len(b.again[0].Refs) != 1 || b.again[0].After != time.Second {
		t.Errorf("put back: %+v", b.again)
	}
}

func TestLookingAgainCountsTheTryAndKeepsItsBeginning(t *testing.T) {
	since := noon.Add(-time.Hour)
	for name, tc := range map[string]struct{ have, want fleet.Try }{
		"first look": {fleet.Try{}, fleet.Try{N: 1, FirstSeen: noon, Run: "run-1"}},
		"third look": {fleet.Try{N: 2, FirstSeen: since, Run: "run-0"}, fleet.Try{N: 3, FirstSeen: since, Run: "run-0"}},
		"a beginning that is still to come would never end": {fleet.Try{N: 1, FirstSeen: noon.Add(time.Hour), Run: "run-0"},
			fleet.Try{N: 2, FirstSeen: noon, Run: "run-0"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(policy.Enforce)
			b.verdicts["i-1"] = []fleet.Verdict{{Control: policy.ControlInstanceRole, Outcome: fleet.Pending, Again: time.Minute}}
			in := batch("i-1")
			in.Refs[0].Try = tc.have
			b.ran(t, in)
			if len(b.again) != 1 {
				t.Fatalf("put back %d times", len(b.again))
			}
			if diff := cmp.Diff(tc.want, b.again[0].Refs[0].Try); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAVerdictWithoutAgainIsNotPutBack(t *testing.T) {
	b := newBench(policy.Enforce)
	b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
	b.results["i-1"] = fleet.Result{State: fleet.Failed, Why: "denied", Err: failure{class: fleet.Denied}}
	b.ran(t, batch("i-1"))
	if len(b.again) != 0 {
		t.Errorf("put back: %+v", b.again)
	}
}

func TestARefThatComesInTwoBatchesMayBePutBackTwice(t *testing.T) {
	b := newBench(policy.Enforce)
	b.verdicts["i-1"] = []fleet.Verdict{{Control: policy.ControlInstanceRole, Outcome: fleet.Pending, Again: time.Minute}}
	b.ran(t, batch("i-1"), batch("i-1"))
	if len(b.again) != 2 {
		t.Errorf("put back %d times, want 2", len(b.again))
	}
}

func TestAChangeRecordSaysWhatWasBeforeAndAfter(t *testing.T) {
	b := newBench(policy.Enforce)
	b.results["i-1"] = fleet.Result{State: fleet.Done, After: "new", RequestIDs: []string{"q-1"}}
	b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: mend, Ref: ref("i-1"), Before: "old", Want: "new", Reason: "because"})}
	b.ran(t, batch("i-1"))
	want := []fleet.ChangeRecord{{Control: policy.ControlInstanceRole, Rule: "rule", Kind: mend, Account: here.Account, Region: here.Region,
		RefKind: fleet.KindInstance, ID: "i-1", State: fleet.Done, Reason: "because", Before: "old", Want: "new", After: "new", RequestIDs: []string{"q-1"}}}
	if diff := cmp.Diff(want, b.changes()); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsChangedWhereThePolicyDoesNotGuard(t *testing.T) {
	for _, mode := range []policy.Mode{policy.Enforce, policy.Audit} {
		b := newBench(mode)
		b.o.Policy.Regions = []fleet.Region{"cn-elsewhere"}
		b.verdicts["i-1"] = []fleet.Verdict{broken("i-1")}
		b.ran(t, batch("i-1"))
		if len(b.acted) != 0 || len(b.forwarded) != 0 || b.states()[string(mend)+" i-1"] != fleet.Skipped {
			t.Errorf("%s: acted %v, forwarded %v, states %v", mode, b.acted, b.forwarded, b.states())
		}
	}
}

func TestWhatIsSaidOfAnAccountAsAWholeIsSaidOnceAPass(t *testing.T) {
	b := newBench(policy.Audit)
	whole := fleet.Verdict{Control: policy.ControlTrustedInstance, Rule: "kms-enabled", Outcome: fleet.Violation}
	b.wholes = []fleet.Verdict{whole, {Rule: "ledger", Outcome: fleet.Fault}}
	sum := b.ran(t, batch("i-1"), batch("i-2"), batch("i-3"))
	if sum.Outcomes[fleet.Violation] != 1 || sum.Outcomes[fleet.Fault] != 3 {
		t.Errorf("got %v", sum.Outcomes)
	}
}
