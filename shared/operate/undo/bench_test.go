package undo_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/acts/sharerole"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/undo"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/reconcile"
)

const (
	account  = "1000000000000001"
	systrust = "AliyunECSInstanceForYundunSysTrustRole"
	least    = "fleetwarden-systrust"
	shard    = "fleetwarden-share-image-1"
)

var (
	here = fleet.Scope{Account: account, Region: "cn-hangzhou"}
	all  = []string{"attach-role", "push-agent", "validate-instance", "setup-share-role", "backfill"}
)

// pol is a policy as an undo is given it: all accounts that tests share with are approved.
func pol() *policy.Policy {
	p := undo.Ordered(policy.Default())
	for _, id := range []fleet.AccountID{"1", "2", "3", "4", "7", "1000000000000002", "1000000000000003", "1000000000000009"} {
		p.ShareRole.Approved.Accounts = append(p.ShareRole.Approved.Accounts, policy.ApprovedAccount{ID: id})
	}
	return p
}

func trusting(id fleet.AccountID) string {
	t, err := (&rampolicy.Trust{}).Merge(rampolicy.Sharees{Accounts: []fleet.AccountID{id}})
	if err != nil {
		panic(err)
	}
	doc, err := t.Print()
	if err != nil {
		panic(err)
	}
	return doc
}

func granting(id string) string {
	key, _ := rampolicy.KeyResource(fleet.KMSKey{Account: account, Region: "cn-hangzhou", ID: id})
	return rampolicy.KeyPolicy(rampolicy.Keys{key})
}

func instance(id string) fleet.Ref {
	return fleet.Ref{Scope: here, Kind: fleet.KindInstance, ID: id}
}

func role(name string) fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: account}, Kind: fleet.KindRole, ID: name}
}

func policyRef(name string) fleet.Ref {
	return fleet.Ref{Scope: fleet.Scope{Account: account}, Kind: fleet.KindPolicy, ID: name}
}

// bench is an account with its ledger and functions.
type bench struct {
	*cloud
	store *memory
	now   time.Time
}

// parts are the dependencies of functions.
type parts struct {
	ecs    undo.ECS
	ram    undo.RAM
	store  ledger.Store
	meter  reconcile.Meter
	policy *policy.Policy
}

func (b *bench) parts() parts {
	return parts{b.cloud, b.cloud, b.store, b, pol()}
}

func newBench() *bench {
	l := &life{left: -1}
	return &bench{newCloud(l), &memory{l, map[string][]byte{}}, time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}
}

// machine puts an instance into the account.
func (b *bench) machine(id string) *machine {
	m := &machine{status: "Running", tags: map[string]string{}}
	b.machines[id] = m
	return m
}

// noInbox drops refs.
type noInbox struct{}

func (noInbox) Forward(context.Context, []fleet.Change) error           { return nil }
func (noInbox) Again(context.Context, []fleet.Ref, time.Duration) error { return nil }

func (b *bench) Now() time.Time                   { return b.now }
func (b *bench) Left() int                        { return 1000 }
func (b *bench) Excess(bool)                      {}
func (b *bench) Calls() map[string]map[string]int { return nil }

// done is the result of a pass.
type done struct {
	records []fleet.Record
	err     error
}

func (d done) changes(state fleet.State) (out []fleet.ChangeRecord) {
	for _, r := range d.records {
		if r.Change != nil && r.Change.State == state {
			out = append(out, *r.Change)
		}
	}
	return out
}

// outcomes are the findings' outcomes by kind and id of what they are about.
func (d done) outcomes() map[string]fleet.Outcome {
	out := map[string]fleet.Outcome{}
	for _, r := range d.records {
		if r.Finding != nil {
			out[r.Finding.ID] = r.Finding.Outcome
		}
	}
	return out
}

func (d done) reason(id string) string {
	for _, r := range d.records {
		if r.Finding != nil && r.Finding.ID == id {
			return r.Finding.Reason + " | " + r.Finding.Remedy
		}
	}
	return ""
}

// options are those of a pass of a function in a run.
func (w parts) options(function, run string, d *done) reconcile.Options {
	return reconcile.Options{
		Policy: w.policy, Meter: w.meter, Inbox: noInbox{}, Stamp: fleet.Record{Run: run, Function: function},
		Ledger: ledger.New(w.store, ledger.Pass{Function: function, Request: run}, &ledger.Watch{}),
		Record: func(r fleet.Record) error { d.records = append(d.records, r); return nil },
	}
}

// make has a function make changes in a run, by the real acts.
func (b *bench) make(function, run, control string, cs ...fleet.Change) done {
	b.now = b.now.Add(time.Minute)
	return b.parts().make(function, run, control, cs...)
}

func (w parts) make(function, run, control string, cs ...fleet.Change) (d done) {
	c := reconcile.Control[[]fleet.Ref]{
		Observe: func(_ context.Context, in fleet.Batch) ([]fleet.Ref, error) { return in.Refs, nil },
		Decide: func(refs []fleet.Ref, _ *policy.Policy) (out []fleet.Verdict) {
			for _, x := range cs {
				if slices.ContainsFunc(refs, func(r fleet.Ref) bool { return r.Key() == x.Ref.Key() }) {
					out = append(out, fleet.Verdict{Ref: x.Ref, Control: control, Rule: "rule", Outcome: fleet.Violation, Changes: []fleet.Change{x}})
				}
			}
			return out
		},
		Steps: []reconcile.Step{
			{Kind: fleet.TagInstance, Act: sanction.Tag(w.ecs)}, {Kind: fleet.StopInstance, Act: sanction.Stop(w.ecs)},
			{Kind: fleet.EnsureRole, Act: instancerole.Ensure(w.ram)}, {Kind: fleet.GrantRole, Act: instancerole.Grant(w.ram)},
			{Kind: fleet.AttachRole, Act: instancerole.Attach(w.ecs)}, {Kind: fleet.ReplaceRole, Act: instancerole.Replace(w.ecs)},
			{Kind: fleet.SetShareTrust, Act: sharerole.SetTrust(w.ram)}, {Kind: fleet.SetKeyPolicy, Act: sharerole.SetKeys(w.ram)},
			{Kind: fleet.AttachKeyPolicy, Act: sharerole.Attach(w.ram)}, {Kind: fleet.DetachKeyPolicy, Act: sharerole.Detach(w.ram)},
			{Kind: fleet.MarkUnused, Act: sharerole.Mark(w.ram)}, {Kind: fleet.EnsureShareRole, Act: sharerole.Ensure(w.ram)},
		},
	}
	src := func(yield func(fleet.Batch, error) bool) {
		for _, x := range cs {
			if !yield(fleet.Batch{Scope: x.Ref.Scope, Refs: []fleet.Ref{x.Ref}}, nil) {
				return
			}
		}
	}
	of := func(context.Context, fleet.AccountID) (reconcile.Control[[]fleet.Ref], error) { return c, nil }
	_, _, d.err = reconcile.Run(context.Background(), of, src, w.options(function, run, &d))
	return d
}

// undo undoes a run, in a run of its own.
func (b *bench) undo(run, as string) done { return b.undoWith(run, as, func() {}) }

// undoWith undoes a run; hook runs before each read of the account.
func (b *bench) undoWith(run, as string, hook func()) done {
	b.now = b.now.Add(time.Minute)
	w := b.parts()
	w.ecs, w.ram = hooked{b.cloud, hook}, hooked{b.cloud, hook}
	return w.undo(run, as)
}

func (w parts) undo(run, as string) (d done) {
	p, err := undo.Read(context.Background(), w.store, undo.Order{Run: run, Functions: all, Policy: w.policy})
	if err != nil {
		return done{err: err}
	}
	of := func(context.Context, fleet.AccountID) (reconcile.Control[undo.World], error) {
		return p.Control(undo.Hands{ECS: w.ecs, RAM: w.ram}), nil
	}
	_, _, d.err = reconcile.Run(context.Background(), of, p.Source(""), w.options("backfill", as, &d))
	return d
}

// hooked is a cloud that calls hook before its reads.
type hooked struct {
	*cloud
	hook func()
}

func (h hooked) Listings(ctx context.Context, r fleet.Region, ids []string) (map[string]fleet.Listing, error) {
	h.hook()
	return h.cloud.Listings(ctx, r, ids)
}

func (h hooked) Role(ctx context.Context, name string) (fleet.Role, error) {
	h.hook()
	return h.cloud.Role(ctx, name)
}

func (h hooked) Fresh(ctx context.Context, p fleet.Policy) (string, error) {
	h.hook()
	return h.cloud.Fresh(ctx, p)
}

func (b *bench) mustUndo(t testing.TB, run, as string) done {
	t.Helper()
	d := b.undo(run, as)
	if d.err != nil {
		t.Fatal(d.err)
	}
	return d
}

func says(cs []fleet.ChangeRecord) (out []string) {
	for _, c := range cs {
		out = append(out, fmt.Sprintf("%s %s: %q to %q: %s %s", c.Kind, c.ID, c.Before, c.Want, c.State, c.Why))
	}
	return out
}
