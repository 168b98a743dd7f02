package reconcile

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"io"

	"fleetwarden/shared/fleet"
)

// Gate returns the state of a change that the policy or a dry run holds back, and why; an
// empty state where neither does.
func (o Options) Gate(control string, c fleet.Change) (state fleet.State, why string) {
	switch {
	case !o.Policy.Guards(c.Ref.Scope):
		return fleet.Skipped, "the policy does not guard " + c.Ref.Scope.String()
	case !o.Policy.Makes(control, c.Covered):
		return fleet.Planned, cmp.Or(c.Uncovered, "the control is in audit mode")
	case o.DryRun:
		return fleet.Planned, "dry run"
	}
	return "", ""
}

// covered are the changes that at least one of the verdicts has made: that another, which the
// policy audits, asks for the same does not hold them back.
func covered(verdicts []fleet.Verdict) map[fleet.ChangeID]bool {
	out := map[fleet.ChangeID]bool{}
	for _, v := range verdicts {
		for _, c := range v.Changes {
			if c.Covered {
				out[c.Identity()] = true
			}
		}
	}
	return out
}

// gate holds back what the policy, a dry run or the rate of a pass does not let through:
// what a change needs first.
func (p *plan) gate(it *item) {
	if it.gated {
		return
	}
	it.gated = true
	for _, need := range p.needs(it) {
		p.gate(need)
	}
	state, why := p.r.o.Gate(it.control, it.change)
	switch {
	case state != "":
		it.settle(state, why)
	case p.r.beyondRate(it) && !p.goesAlong(it):
		it.settle(fleet.Later, fmt.Sprintf("it follows in a later pass: one pass makes %d changes", p.r.o.Policy.Limits.PerPass))
		it.follows = true
	}
}

// beyondRate counts a change, unless the pass has as many as its rate in the scope of the refs
// that ask for it.
func (r *pass) beyondRate(it *item) bool {
	of := stopped{it.refs[0].Scope, it.control}
	n := r.changed[of]
	if n == nil {
		n = &fleet.Distinct{}
		r.changed[of] = n
	}
	if rate := r.o.Policy.Limits.PerPass; rate > 0 && n.N >= rate {
		return true
	}
	n.Add(it.change.Identity())
	return false
}

// goesAlong reports whether the change goes beyond the rate with the one that it needs: the
// first that needs a change does. One that finds its work done already would otherwise use up
// the rate of each pass, and what needs it would never follow.
func (p *plan) goesAlong(it *item) bool {
	for _, need := range p.needs(it) {
		if !need.settled && !need.leads {
			need.leads = true
			return true
		}
	}
	return false
}

// needs are the changes that have to be made before one.
func (p *plan) needs(it *item) (out []*item) {
	if it.change.Needs == (fleet.Key{}) {
		return nil
	}
	for _, need := range p.items {
		if need != it && need.change.Ref.Key() == it.change.Needs {
			out = append(out, need)
		}
	}
	return out
}

// turn is the one of n changes that has the first turn in this invocation.
func (r *pass) turn(n int) int {
	h := fnv.New32a()
	_, _ = io.WriteString(h, r.o.Stamp.Request)
	return int(h.Sum32() % uint32(n))
}
