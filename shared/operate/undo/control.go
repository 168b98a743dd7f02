package undo

import (
	"context"
	"fmt"
	"time"

	"fleetwarden/shared/acts/instancerole"
	"fleetwarden/shared/acts/sanction"
	"fleetwarden/shared/acts/sharerole"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

// Ordered returns p for carrying out an undo. A mode, and the rate of a pass, limit what a
// control decides by itself; an undo was ordered by an operator who has seen the plan. The
// limit maxPerHour of changes that disturb workloads still holds: the operator may have chosen
// the wrong run. The digest stays that of the file.
func Ordered(p *policy.Policy) *policy.Policy {
	o := *p
	o.TrustedInstance.Mode = policy.Enforce
	o.InstanceRole.Mode = policy.Enforce
	o.Agent.Mode = policy.Enforce
	o.ShareRole.Mode = policy.Enforce
	o.Limits.PerPass = 0
	return &o
}

// World is what is observed for one batch of an undo.
type World struct {
	items []*Item
	now   map[slot]value
}

// Control is the plan as a control, with the clients of one account. Run it with the policy of
// [Ordered] and the batches of [Plan.Source]; refs to recheck can be passed to it in batches of
// their own.
func (p *Plan) Control(h Hands) reconcile.Control[World] {
	by := map[fleet.Key][]*Item{}
	for _, it := range p.Items {
		by[it.ref.Key()] = append(by[it.ref.Key()], it)
	}
	return reconcile.Control[World]{
		Observe: func(ctx context.Context, b fleet.Batch) (w World, err error) {
			var targets []target
			for _, r := range b.Refs {
				for _, it := range by[r.Key()] {
					w.items = append(w.items, it)
					if it.Why == "" {
						targets = append(targets, target{it.slot, it.ref})
					}
				}
			}
			w.now, err = h.observe(ctx, b.Scope, targets)
			return w, err
		},
		Decide:  func(w World, _ *policy.Policy) []fleet.Verdict { return w.decide() },
		InPlace: World.inPlace,
		Steps:   p.steps(h),
	}
}

// steps detach before they attach: in between there are fewer rights, not more.
func (p *Plan) steps(h Hands) []reconcile.Step {
	steps := []reconcile.Step{
		{Kind: fleet.StartInstance, Act: sanction.Start(h.ECS)},
		{Kind: fleet.StopInstance, Act: sanction.Stop(h.ECS)},
		{Kind: fleet.UntagInstance, Act: sanction.Untag(h.ECS)},
		{Kind: fleet.TagInstance, Act: sanction.Tag(h.ECS)},
		{Kind: fleet.DetachRole, Act: instancerole.Detach(h.ECS)},
		{Kind: fleet.ReplaceRole, Act: instancerole.Replace(h.ECS)},
		{Kind: fleet.AttachRole, Act: instancerole.Attach(h.ECS)},
		{Kind: fleet.RevokeRole, Act: instancerole.Revoke(h.RAM)},
		{Kind: fleet.GrantRole, Act: instancerole.Grant(h.RAM)},
		{Kind: fleet.DetachKeyPolicy, Act: sharerole.Detach(h.RAM)},
		{Kind: fleet.SetKeyPolicy, Act: sharerole.SetKeys(h.RAM)},
		{Kind: fleet.SetShareTrust, Act: sharerole.SetTrust(h.RAM)},
		{Kind: fleet.AttachKeyPolicy, Act: sharerole.Attach(h.RAM)},
		{Kind: fleet.MarkUnused, Act: sharerole.Remark(h.RAM)},
	}
	for i := range steps {
		steps[i].Act = p.still(h, steps[i].Act)
	}
	return steps
}

// still lets an act make only those changes whose Before is still the value, read right before
// the act.
func (p *Plan) still(h Hands, act reconcile.Act) reconcile.Act {
	return func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result {
		out := make([]fleet.Result, len(cs))
		var open []fleet.Change
		var index []int
		now, err := h.observe(ctx, s, targetsOf(cs))
		for i, c := range cs {
			if err != nil {
				out[i] = fleet.Failure(c, "reading the value right before undoing it", err)
				continue
			}
			m, _ := moved(c)
			if why := m.stale(now[m.slot]); why != "" {
				out[i] = fleet.Result{Change: c, State: fleet.Skipped, After: now[m.slot].text, Why: why}
				continue
			}
			if it := p.slots[m.slot]; it != nil && it.undoneBy(m) {
				it.half = true // until it is observed to be done
			}
			open, index = append(open, c), append(index, i)
		}
		if len(open) > 0 {
			for i, res := range act(ctx, s, open) {
				out[index[i]] = res
			}
		}
		return out
	}
}

func targetsOf(cs []fleet.Change) []target {
	out := make([]target, len(cs))
	for i, c := range cs {
		m, _ := moved(c)
		out[i] = target{m.slot, c.Ref}
	}
	return out
}

// stale says why a move must not be made from a value; empty if it may.
func (m move) stale(now value) string {
	switch same := m.slot.facet.same; {
	case now.why != "":
		return now.why
	case same(now.text, m.to):
		return "already in place"
	case !same(now.text, m.from):
		return "another caller changed it meanwhile"
	}
	return ""
}

func (w World) inPlace(c fleet.Change) bool {
	m, ok := moved(c)
	now := w.now[m.slot]
	return ok && now.why == "" && m.slot.facet.same(now.text, m.to)
}

func (w World) decide() []fleet.Verdict {
	out := make([]fleet.Verdict, len(w.items))
	for i, it := range w.items {
		out[i] = it.verdict(w.now[it.slot])
		out[i].Ref, out[i].Control = it.ref, it.Made.Control
		out[i].Rule = "undo"
		if it.slot.facet != "" {
			out[i].Rule = "undo-" + string(it.slot.facet)
		}
	}
	return out
}

// verdict is the verdict on an item by its value now.
func (i *Item) verdict(now value) fleet.Verdict {
	same := i.slot.facet.same
	switch {
	case i.Why != "":
		return fleet.Verdict{Outcome: fleet.NotApplicable, Reason: "left as it is: " + i.Why, Remedy: i.Remedy}
	case now.gone:
		return fleet.Verdict{Outcome: fleet.NotApplicable, Reason: now.why}
	case now.why != "":
		return fleet.Verdict{Outcome: fleet.Undecided, Reason: now.why}
	case same(now.text, i.From):
		return fleet.Verdict{Outcome: fleet.Passes, Reason: "it is as it was before the run", Evidence: i.evidence(now.text)}
	case i.Since != nil:
		return i.stale()
	case i.half && now.text == "":
		return i.restore(now.text, "an undo without a recorded outcome has left the instance without a role")
	case !same(now.text, i.To):
		return fleet.Verdict{Outcome: fleet.Conflict, Severity: fleet.Info, Evidence: i.evidence(now.text),
			Reason: "left as it is: another caller has changed it since the run", Remedy: "repair it by hand, if the run did harm"}
	}
	return i.restore(now.text, "it is as the run left it, and is restored")
}

// stale is the verdict on an item that another run has changed since. That run's id is claimed
// by its entry.
func (i *Item) stale() fleet.Verdict {
	since := i.Since
	return fleet.Verdict{Outcome: fleet.Conflict, Severity: fleet.Info,
		Reason: fmt.Sprintf("left as it is: run %q of %s changed it later, at %s: %s", since.Run, since.Function, since.At.UTC().Format(time.RFC3339), since.Kind),
		Remedy: fmt.Sprintf("undo run %q first, if that is what you want", since.Run)}
}

func (i *Item) restore(now, reason string) fleet.Verdict {
	return fleet.Verdict{Outcome: fleet.Violation, Severity: fleet.Info, Evidence: i.evidence(now), Reason: reason, Changes: []fleet.Change{i.back(now)}}
}

func (i *Item) evidence(text string) []fleet.Evidence {
	return []fleet.Evidence{{Name: string(i.slot.facet), Value: text, Source: fleet.Observed.String()}}
}
