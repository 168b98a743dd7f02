package reconcile_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// disturbs has instances ask for another role than the one they have.
func (b *bench) disturbs(n int) fleet.Batch {
	b.steps = []reconcile.Step{{Kind: first, Act: b.act}, {Kind: mend, Act: b.act}, {Kind: fleet.ReplaceRole, Act: b.act}}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%03d", i)
		c := fleet.Change{Kind: fleet.ReplaceRole, Ref: ref(ids[i]), Before: "theirs", Want: "ours"}
		b.verdicts[ids[i]] = []fleet.Verdict{{Control: policy.ControlInstanceRole, Rule: "systrust-role", Outcome: fleet.Conflict, Changes: []fleet.Change{c}}}
	}
	return batch(ids...)
}

func (b *bench) limits(t *testing.T) (out []fleet.FindingRecord) {
	t.Helper()
	for _, r := range b.records {
		if r.Finding != nil && r.Finding.Rule == "limit" {
			out = append(out, *r.Finding)
		}
	}
	return out
}

func TestTheStopOfAnHourHoldsOverPassesAndPutsNothingBack(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	b.o.Policy.Limits.MaxPerHour = 100
	in := b.disturbs(60)
	b.ran(t, in)
	b.records = nil
	sum := b.ran(t, in)
	if diff := cmp.Diff(map[fleet.State]int{fleet.Done: 40, fleet.Held: 20}, sum.States); diff != "" {
		t.Error(diff)
	}
	if sum.Again != 0 || s.asked != 2 {
		t.Errorf("%d put back, the hour was asked %d times", sum.Again, s.asked)
	}
	// Held changes are not in the intent.
	if n := len(s.written[len(s.written)-1].Changes); n != 40 {
		t.Errorf("%d changes in the outcome, want the 40 that were made", n)
	}
	found := b.limits(t)
	if len(found) != 1 {
		t.Fatalf("%d findings, want one for the rule", len(found))
	}
	for _, want := range []string{"20 changes of rule systrust-role are held since 2026-11-20T12:00:00Z", "100 changes of control instance-role", here.String(), "possible at 2026-11-20T13:00:00Z"} {
		if !strings.Contains(found[0].Reason, want) {
			t.Errorf("%q is missing in %q", want, found[0].Reason)
		}
	}
	if want := "fleetwarden plan --account 1000000000000001 --region cn-hangzhou --control instance-role --part"; !strings.Contains(found[0].Remedy, want) {
		t.Errorf("%q is missing in %q", want, found[0].Remedy)
	}
}

// The class: a run that asked for changes, such as that of an applied plan, finds in the
// ledger what became of each, and so waits for none that is held.
func TestTheLedgerSaysWhichChangesOfAnotherRunAreHeld(t *testing.T) {
	for name, c := range map[string]struct {
		run        string
		most       int
		want       map[fleet.State]int // in the outcome
		refuse     error               // of the intent
		wantStates map[fleet.State]int
	}{
		"some of an applied plan":       {"apply-1", 2, map[fleet.State]int{fleet.Done: 2, fleet.Held: 3}, nil, map[fleet.State]int{fleet.Done: 2, fleet.Held: 3}},
		"all of an applied plan":        {"apply-1", 0, map[fleet.State]int{fleet.Held: 5}, nil, map[fleet.State]int{fleet.Held: 5}},
		"its intent is not stored":      {"apply-1", 2, nil, classed(fleet.Throttled), map[fleet.State]int{fleet.Later: 2, fleet.Held: 3}},
		"an event":                      {"", 2, map[fleet.State]int{fleet.Done: 2}, nil, map[fleet.State]int{fleet.Done: 2, fleet.Held: 3}},
		"of an event, all":              {"", 0, nil, nil, map[fleet.State]int{fleet.Held: 5}},
		"the pass itself, such as undo": {"live-1", 0, nil, nil, map[fleet.State]int{fleet.Held: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := withLedger(policy.Enforce)
			b.o.Stamp.Run = "live-1"
			b.o.Policy.Limits.MaxPerHour = c.most
			s.refuse[fleet.StageIntent] = c.refuse
			in := b.disturbs(5)
			for i := range in.Refs {
				in.Refs[i].Try.Run = c.run
			}
			for _, vs := range b.verdicts {
				vs[0].Ref.Try.Run = c.run
			}
			sum := b.ran(t, in)
			if diff := cmp.Diff(c.wantStates, sum.States); diff != "" {
				t.Error(diff)
			}
			var got map[fleet.State]int
			for _, e := range s.written {
				if e.Stage != fleet.StageOutcome {
					continue
				}
				got = map[fleet.State]int{}
				for _, x := range e.Changes {
					got[x.State]++
					if x.State == fleet.Held && (x.Run != c.run || !strings.Contains(x.Why, "maxPerHour")) {
						t.Errorf("%+v", x)
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneFindingSpeaksOfAllBatchesOfAPass(t *testing.T) {
	b, _ := withLedger(policy.Enforce)
	b.o.Policy.Limits.MaxPerHour = 10
	all := b.disturbs(90)
	parts := []fleet.Batch{all, all, all}
	for i := range parts {
		parts[i].Refs = all.Refs[i*30 : i*30+30]
	}
	b.ran(t, parts...)
	if found := b.limits(t); len(found) != 1 || !strings.HasPrefix(found[0].Reason, "80 changes ") {
		t.Errorf("%+v", found)
	}
}

func TestWithoutALedgerTheStopHoldsForThePass(t *testing.T) {
	b := newBench(policy.Enforce)
	b.o.Policy.Limits.MaxPerHour = 50
	in := b.disturbs(60)
	again := in
	again.Refs = in.Refs[:10]
	sum := b.ran(t, in, again)
	if diff := cmp.Diff(map[fleet.State]int{fleet.Done: 50, fleet.Held: 20}, sum.States); diff != "" {
		t.Error(diff)
	}
}

// The class: a stop is for what disturbs, and nothing else asks for it.
func TestWhatDisturbsNothingIsNotStoppedAndAsksNothing(t *testing.T) {
	for _, kind := range []fleet.ChangeKind{fleet.EnsureRole, fleet.GrantRole, fleet.AttachRole, fleet.TagInstance, fleet.PushAgent,
		fleet.PushTrustClient, fleet.RefreshAssets, fleet.SetShareTrust, fleet.SetKeyPolicy, fleet.AttachKeyPolicy, fleet.DetachKeyPolicy, fleet.UntagInstance, fleet.StartInstance} {
		b, s := withLedger(policy.Enforce)
		b.o.Policy.Limits.MaxPerHour = 0
		b.steps = []reconcile.Step{{Kind: kind, Act: b.act}}
		b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: kind, Ref: ref("i-1"), Want: "w"})}
		if sum := b.ran(t, batch("i-1")); sum.States[fleet.Done] != 1 || s.asked != 0 {
			t.Errorf("%s: %v, the hour was asked %d times", kind, sum.States, s.asked)
		}
	}
	for _, kind := range []fleet.ChangeKind{fleet.ReplaceRole, fleet.DetachRole, fleet.StopInstance} {
		b, _ := withLedger(policy.Enforce)
		b.o.Policy.Limits.MaxPerHour = 0
		b.steps = []reconcile.Step{{Kind: kind, Act: b.act}}
		b.verdicts["i-1"] = []fleet.Verdict{broken("i-1", fleet.Change{Kind: kind, Ref: ref("i-1"), Want: "w"})}
		if sum := b.ran(t, batch("i-1")); sum.States[fleet.Held] != 1 || len(b.acted) != 0 {
			t.Errorf("%s: %v", kind, sum.States)
		}
	}
}

func TestAuditDryRunsAndForwardingAskNothingOfTheHour(t *testing.T) {
	for name, change := range map[string]func(*bench){
		"audit":     func(b *bench) { b.o.Policy.InstanceRole.Mode = policy.Audit },
		"dry run":   func(b *bench) { b.o.DryRun = true },
		"forwarded": func(b *bench) { b.steps = nil },
	} {
		b, s := withLedger(policy.Enforce)
		b.o.Policy.Limits.MaxPerHour = 0
		in := b.disturbs(1)
		change(b)
		if sum := b.ran(t, in); s.asked != 0 || sum.States[fleet.Held] != 0 {
			t.Errorf("%s: asked %d times, %v", name, s.asked, sum.States)
		}
	}
}

func TestWhatWasNotMadeIsGivenBack(t *testing.T) {
	for name, c := range map[string]struct {
		res  fleet.Result
		want int
	}{
		"done":                        {fleet.Result{State: fleet.Done}, 1},
		"made, not seen":              {fleet.Result{State: fleet.Started, Err: failure{class: fleet.Denied}}, 1},
		"failed halfway":              {fleet.Result{State: fleet.Failed, Err: failure{class: fleet.Denied}}, 1},
		"put off, perhaps made":       {fleet.Result{State: fleet.Later, Err: failure{class: fleet.Lost}}, 1},
		"changed by another caller":   {fleet.Result{State: fleet.Skipped}, 0},
		"put off before the first":    {fleet.Result{State: fleet.Later, Untouched: true, Err: failure{class: fleet.Throttled}}, 0},
		"refused, and nothing was so": {fleet.Result{State: fleet.Failed, Untouched: true, Err: failure{class: fleet.Denied}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, s := withLedger(policy.Enforce)
			in := b.disturbs(1)
			b.results["i-000"] = c.res
			b.ran(t, in)
			if got := s.used[here.String()+" instance-role"]; got != c.want {
				t.Errorf("the hour counts %d, want %d", got, c.want)
			}
		})
	}
	b, s := withLedger(policy.Enforce)
	s.refuse[fleet.StageIntent] = classed(fleet.Denied)
	b.ran(t, b.disturbs(3))
	if got := s.used[here.String()+" instance-role"]; got != 0 || len(b.acted) != 0 {
		t.Errorf("without an intent the hour counts %d; acted %v", got, b.acted)
	}
}

func TestAnHourThatCannotBeCountedLetsNothingDisturbingThrough(t *testing.T) {
	for class, want := range map[fleet.Class]fleet.State{fleet.Throttled: fleet.Later, fleet.Denied: fleet.Failed} {
		b, s := withLedger(policy.Enforce)
		s.allowErr = classed(class)
		in := b.disturbs(1)
		b.verdicts["i-ok"] = []fleet.Verdict{broken("i-ok")}
		in.Refs = append(in.Refs, ref("i-ok"))
		b.ran(t, in)
		b.want(t, map[string]fleet.State{"replace-role i-000": want, "attach-role i-ok": fleet.Done})
		if len(b.ledgerFaults()) != 1 {
			t.Errorf("faults %v", b.ledgerFaults())
		}
	}
}

func TestTheRateComesBeforeTheStop(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	b.o.Policy.Limits.PerPass, b.o.Policy.Limits.MaxPerHour = 5, 100
	sum := b.ran(t, b.disturbs(8))
	if sum.States[fleet.Later] != 3 || s.used[here.String()+" instance-role"] != 5 || sum.Again != 3 {
		t.Errorf("%v, the hour counts %v, %d put back", sum.States, s.used, sum.Again)
	}
}
