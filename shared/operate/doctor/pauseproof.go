package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

var errUnstopped = errors.New("this build changes what is paused")

// pauseStops has the loop of all functions make a change, with and without an order that pauses it, in
// a world of its own.
func pauseStops(ctx context.Context) error {
	for _, order := range []*fleet.Order{nil, {Control: policy.ControlAgent, By: "the doctor", Reason: "an examination", Until: time.Now().Add(time.Hour)}} {
		changed := false
		act := func(_ context.Context, _ fleet.Scope, cs []fleet.Change) []fleet.Result {
			changed = true
			return make([]fleet.Result, len(cs))
		}
		ref := fleet.Ref{Scope: fleet.Scope{Account: "1", Region: "cn-hangzhou"}, Kind: fleet.KindInstance, ID: "i-doctor"}
		control := reconcile.Control[struct{}]{
			Observe: func(context.Context, fleet.Batch) (struct{}, error) { return struct{}{}, nil },
			Decide: func(struct{}, *policy.Policy) []fleet.Verdict {
				return []fleet.Verdict{{Ref: ref, Control: policy.ControlAgent, Rule: "agent-online", Outcome: fleet.Violation, Changes: []fleet.Change{{Kind: fleet.PushAgent, Ref: ref}}}}
			},
			Steps: []reconcile.Step{{Kind: fleet.PushAgent, Act: act}},
		}
		p := policy.Default().WithHome(ref.Scope.Account)
		p.Agent.Mode = policy.Enforce
		source := func(yield func(fleet.Batch, error) bool) {
			yield(fleet.Batch{Scope: ref.Scope, Refs: []fleet.Ref{ref}}, nil)
		}
		_, _, err := reconcile.Run(ctx, func(context.Context, fleet.AccountID) (reconcile.Control[struct{}], error) { return control, nil }, source,
			reconcile.Options{Policy: p, Meter: apart{}, Inbox: apart{}, Pauses: apart{order}, Record: func(fleet.Record) error { return nil }})
		switch {
		case err != nil:
			return fmt.Errorf("having a change stopped: %w", err)
		case changed != (order == nil):
			return errUnstopped
		}
	}
	return nil
}

// apart is the surroundings of a pass that reaches nothing.
type apart struct{ order *fleet.Order }

func (apart) Now() time.Time                   { return time.Now() }
func (apart) Left() int                        { return 1 }
func (apart) Excess(bool)                      {}
func (apart) Calls() map[string]map[string]int { return nil }

func (apart) Again(context.Context, []fleet.Ref, time.Duration) error { return nil }
func (apart) Forward(context.Context, []fleet.Change) error           { return nil }

// Paused implements reconcile.Pauses.
func (a apart) Paused(context.Context, string, fleet.AccountID, time.Time) (*fleet.Order, bool, error) {
	return a.order, false, nil
}
