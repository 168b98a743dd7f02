package plan_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/report"
)

const (
	systrust = "AliyunECSInstanceForYundunSysTrustRole"
	run      = "apply-20261122T120000Z-abcdef"
)

var (
	noon     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	hangzhou = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	shanghai = fleet.Scope{Account: "1000000000000001", Region: "cn-shanghai"}
	member   = fleet.Scope{Account: "1000000000000003", Region: "cn-hangzhou"}
)

// failure is an error with a class, as the clients return them.
type failure struct{ class fleet.Class }

func (f failure) Error() string      { return f.class.String() }
func (f failure) Class() fleet.Class { return f.class }

func attach(at fleet.Scope, id string) fleet.Change {
	return fleet.Change{Kind: fleet.AttachRole, Ref: fleet.Ref{Scope: at, Kind: fleet.KindInstance, ID: id}, Want: systrust, Reason: "it has no role"}
}

func ensure(at fleet.Scope) fleet.Change {
	return fleet.Change{Kind: fleet.EnsureRole, Ref: fleet.Ref{Scope: fleet.Scope{Account: at.Account}, Kind: fleet.KindRole, ID: systrust}, Want: "trust"}
}

func push(at fleet.Scope, id string) fleet.Change {
	return fleet.Change{Kind: fleet.PushAgent, Ref: fleet.Ref{Scope: at, Kind: fleet.KindInstance, ID: id}, Want: "online"}
}

// drifted is an instance that a control would change.
func drifted(at fleet.Scope, control, id string, changes ...fleet.Change) sweep.Drifted {
	return sweep.Drifted{Scope: at, Drift: sweep.Drift{Control: control, Kind: fleet.KindInstance, ID: id, Changes: changes}}
}

// found is the result of a sweep of three scopes.
func found() sweep.Result {
	return sweep.Result{
		Start: sweep.Start{V: 1, Run: "look-20261122T115900Z-abcdef", At: noon, Policy: "digest"},
		Summary: report.Summary{Shards: []report.Shard{
			{Scope: hangzhou, Seen: 100}, {Scope: shanghai, Seen: 50}, {Scope: member, Seen: 10},
		}},
	}
}

func each(all []sweep.Drifted, end error) iter.Seq2[sweep.Drifted, error] {
	return func(yield func(sweep.Drifted, error) bool) {
		for _, d := range all {
			if !yield(d, nil) {
				return
			}
		}
		if end != nil {
			yield(sweep.Drifted{}, end)
		}
	}
}

// made is a plan for what drifted.
func made(t testing.TB, all ...sweep.Drifted) plan.Plan {
	t.Helper()
	p, err := plan.New(found(), each(all, nil), plan.Filter{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fakeControls return verdicts, whatever is checked.
type fakeControls struct {
	verdicts []fleet.Verdict
	// reaching fails for an account, observing for a scope.
	reaching  map[fleet.AccountID]error
	observing map[fleet.Scope]error
	checked   []int
}

func (e *fakeControls) checker() plan.Checker {
	return plan.Checker{Fleet: fakeControl(e, &fleet.World{}), Shares: fakeControl(e, &fleet.ShareWorld{})}
}

func fakeControl[W any](e *fakeControls, w W) reconcile.Of[W] {
	return func(_ context.Context, account fleet.AccountID) (reconcile.Control[W], error) {
		return reconcile.Control[W]{
			Observe: func(_ context.Context, b fleet.Batch) (W, error) {
				e.checked = append(e.checked, len(b.Refs))
				return w, e.observing[b.Scope]
			},
			Decide: func(W, *policy.Policy) []fleet.Verdict { return e.verdicts },
		}, e.reaching[account]
	}
}

// says is a verdict with changes, or one that passes without any.
func says(at fleet.Scope, control, id string, changes ...fleet.Change) fleet.Verdict {
	v := fleet.Verdict{Ref: fleet.Ref{Scope: at, Kind: fleet.KindInstance, ID: id}, Control: control, Rule: "rule", Outcome: fleet.Passes, Reason: "it has the role"}
	if len(changes) > 0 {
		v.Outcome, v.Reason, v.Changes = fleet.Violation, "it has no role", changes
	}
	return v
}

// enforcing is a policy that lets everything through.
func enforcing() *policy.Policy {
	p := policy.Default()
	p.InstanceRole.Mode, p.Agent.Mode = policy.Enforce, policy.Enforce
	return p
}

func check(t *testing.T, e *fakeControls, p plan.Plan, pol *policy.Policy) []plan.Check {
	t.Helper()
	all, err := e.checker().Check(t.Context(), p, pol, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(p.Items) {
		t.Fatalf("%d of %d items have a check", len(all), len(p.Items))
	}
	return all
}

// owner writes to the ledger as a function does.
type owner struct {
	store    *ledger.Folder
	function string
}

func (o owner) writes(t *testing.T, at time.Time, state fleet.State, changes ...fleet.Change) {
	t.Helper()
	l := ledger.New(o.store, ledger.Pass{Function: o.function, Request: "req-" + at.Format("150405")}, nil)
	e := &fleet.Entry{Stage: fleet.StageIntent, Policy: "digest", Time: at}
	for _, c := range changes {
		e.Changes = append(e.Changes, fleet.EntryChange{Run: run, ChangeRecord: fleet.ChangeRecord{
			Kind: c.Kind, Account: c.Ref.Scope.Account, Region: c.Ref.Scope.Region, RefKind: c.Ref.Kind, ID: c.Ref.ID, Want: c.Want,
		}})
	}
	if err := l.Write(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if state == "" {
		return // it died
	}
	e.Stage = fleet.StageOutcome
	for i := range e.Changes {
		e.Changes[i].State, e.Changes[i].Why = state, "because "+string(state)
	}
	if err := l.Write(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

var errBroken = errors.New("broken")
