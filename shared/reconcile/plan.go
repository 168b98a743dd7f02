package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fleetwarden/shared/fleet"
)

// plan is what is to be done about one batch. A change that several verdicts ask
// for is done once.
type plan struct {
	r     *pass
	items []*item
	by    map[fleet.ChangeID]*item
	// intended are the changes in intent, which is nil when the ledger has none.
	intended []*item
	intent   *fleet.Entry
	// allowed are the changes that an hour lets through.
	allowed []allowed
	// faults are what went wrong with the ledger.
	faults []fleet.Verdict
}

type item struct {
	change        fleet.Change
	control, rule string
	refs          []fleet.Ref // of the verdicts that ask for it
	result        fleet.Result
	settled       bool
	gated         bool
	// follows: the rate of a pass leaves it to a later one.
	follows bool
	// waits: it is re-queued until it can be done.
	waits bool
	// leads: a change that needs it goes along with it.
	leads bool
	// acted: a step has tried it.
	acted bool
}

func newPlan(verdicts []fleet.Verdict, r *pass) *plan {
	p := &plan{r: r, by: map[fleet.ChangeID]*item{}}
	made := covered(verdicts)
	for _, v := range verdicts {
		for _, c := range v.Changes {
			id := c.Identity()
			if made[id] && !c.Covered {
				continue
			}
			it := p.by[id]
			if it == nil {
				it = &item{change: c, control: v.Control, rule: v.Rule}
				p.by[id] = it
				p.items = append(p.items, it)
			}
			it.refs = append(it.refs, v.Ref)
		}
	}
	// The first that are asked for need not be the first that are let through: changes that
	// always fail would use up the rate of each pass, and others would never follow.
	if n := len(p.items); n > 0 {
		first := r.turn(n)
		for _, it := range slices.Concat(p.items[first:], p.items[:first]) {
			p.gate(it)
		}
	}
	return p
}

// carry does what verdicts ask for, and records it: gate, pause, stop, intent, acts, outcome, lines.
func (r *pass) carry(ctx context.Context, s fleet.Scope, steps []Step, verdicts []fleet.Verdict) error {
	plan := newPlan(verdicts, r)
	err := plan.pause(ctx, steps, s)
	if err == nil {
		err = plan.stop(ctx, steps, s)
	}
	if err == nil {
		err = plan.intend(ctx, steps, s)
	}
	if err != nil {
		return errors.Join(err, plan.record(verdicts))
	}
	for _, step := range steps {
		plan.carryOut(ctx, s, step)
	}
	plan.conclude(ctx)
	plan.release(ctx)
	return errors.Join(plan.forward(ctx), plan.record(verdicts))
}

func (it *item) settle(state fleet.State, why string) {
	it.result = fleet.Result{Change: it.change, State: state, Why: why}
	it.settled = true
}

// carryOut runs one step on all open changes of its kind.
func (p *plan) carryOut(ctx context.Context, s fleet.Scope, step Step) {
	var todo []*item
	var changes []fleet.Change
	for _, it := range p.items {
		if it.settled || it.change.Kind != step.Kind || !p.ready(it) {
			continue
		}
		todo = append(todo, it)
		changes = append(changes, it.change)
	}
	if len(todo) == 0 {
		return
	}
	for i, res := range step.Act(ctx, s, changes) {
		todo[i].result, todo[i].settled, todo[i].acted = res, true, true
		p.r.moves = p.r.moves || res.State != fleet.Failed
	}
}

// ready settles a change whose need was not met, and reports whether it can be
// made. One whose need no step carries out stays open, and is forwarded with it.
func (p *plan) ready(it *item) bool {
	for _, need := range p.needs(it) {
		switch need.result.State {
		case fleet.Done, fleet.Skipped:
		case "":
			return false
		case fleet.Later, fleet.Started:
			it.settle(fleet.Later, "waits for: "+need.change.Reason)
			it.result.Again, it.result.Err = need.result.Again, need.result.Err
			return false
		default:
			it.settle(need.result.State, "needs what was not done: "+need.result.Why)
			return false
		}
	}
	return true
}

// forward hands over what no step carried out. What is judged goes along, not what
// would be changed: a role alone says nothing to a control that judges instances.
func (p *plan) forward(ctx context.Context) error {
	var open []*item
	var cs []fleet.Change
	for _, it := range p.items {
		if it.settled {
			continue
		}
		it.settle(fleet.Forwarded, "its owner checks it and decides")
		open = append(open, it)
		for _, ref := range it.refs {
			c := it.change
			c.Ref = ref
			cs = append(cs, c)
		}
	}
	if len(cs) == 0 {
		return nil
	}
	err := p.r.o.Inbox.Forward(ctx, cs)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("forwarding %d changes: %w", len(open), err)
	for _, it := range open {
		it.settle(fleet.Later, err.Error())
		it.result.Err = err
	}
	return err
}

// record records each verdict and each change, and re-queues what must be checked again.
func (p *plan) record(verdicts []fleet.Verdict) error {
	for _, v := range slices.Concat(verdicts, p.faults) {
		err := p.r.Finding(v)
		if v.Again > 0 && !p.waits(v) {
			err = errors.Join(err, p.r.againRef(v.Ref, v.Again, false))
		}
		if err != nil {
			return fmt.Errorf("writing a finding: %w", err)
		}
	}
	for _, it := range p.items {
		err := p.r.change(it.record())
		if it.wantsLook() {
			err = errors.Join(err, p.requeue(it))
		}
		if err != nil {
			return fmt.Errorf("writing a change: %w", err)
		}
	}
	return nil
}

// waits reports whether a change that a verdict asks for is put off until a time: before that,
// another check would find nothing else.
func (p *plan) waits(v fleet.Verdict) bool {
	return slices.ContainsFunc(v.Changes, func(c fleet.Change) bool { return p.by[c.Identity()].waits })
}

// wantsLook: the change was put off, or it was made and could not be seen. The ledger
// keeps the latter as made, so nothing is lost if that look never comes.
func (it *item) wantsLook() bool {
	return it.result.State == fleet.Later || it.result.State == fleet.Started && it.result.Err != nil
}

// requeue asks for another look at what a change was put off for. Each look that ends
// so waits longer than the one before.
func (p *plan) requeue(it *item) error {
	for _, ref := range it.refs {
		if it.waits {
			ref.Try.N-- // an operator's pause is no try
		}
		after := retryDelay(it.result.Err, ref.Try.N)
		if it.result.Again > 0 {
			after = max(it.result.Again, min(it.result.Again<<min(max(ref.Try.N, 0), 8), longestDelay))
		}
		if err := p.r.againRef(ref, after, it.follows && p.r.moves || it.waits || holds(it.result.Err)); err != nil {
			return err
		}
	}
	return nil
}

func (it *item) record() fleet.ChangeRecord {
	res := it.result
	res.Change = it.change
	return changeRecord(it.control, it.rule, res)
}
