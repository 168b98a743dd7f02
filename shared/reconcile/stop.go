package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// stopped is what an hour's limit is for.
type stopped struct {
	scope   fleet.Scope
	control string
}

// allowed is an allowance and the changes that it lets through.
type allowed struct {
	of    fleet.Allowance
	items []*item
}

// stop holds what would disturb more workloads than an hour's limit lets through. It is
// asked only where there is such a change that this pass would make. The error is that of
// a ledger that cannot serve at all.
func (p *plan) stop(ctx context.Context, steps []Step, s fleet.Scope) error {
	by := map[string][]*item{}
	for _, it := range p.items {
		if !it.settled && it.change.Kind.Disturbs() && carries(steps, it) {
			by[it.control] = append(by[it.control], it)
		}
	}
	for _, control := range slices.Sorted(maps.Keys(by)) {
		a := fleet.Allowance{Scope: s, Control: control, At: p.r.o.Meter.Now(), N: len(by[control])}
		if err := p.stopControl(ctx, a, by[control]); err != nil {
			return err
		}
	}
	return nil
}

func (p *plan) stopControl(ctx context.Context, a fleet.Allowance, items []*item) error {
	most := p.r.o.Policy.Limits.MaxPerHour
	a, err := p.r.allow(ctx, a, most)
	if err != nil {
		p.put(items, a.Scope, "not tried: "+err.Error(), err)
		return unfit(err)
	}
	if a.N > 0 {
		p.allowed = append(p.allowed, allowed{a, items[:a.N]})
	}
	why := fmt.Sprintf("as many changes that disturb a workload were made in %s within an hour as maxPerHour %d lets through", a.Scope, most) + nextPossible(a.Free)
	for _, it := range items[a.N:] {
		it.settle(fleet.Held, why)
		p.r.hold(it, a)
	}
	return nil
}

// put leaves changes undone: for a later pass where time may heal the ledger.
func (p *plan) put(items []*item, s fleet.Scope, why string, err error) {
	state := fleet.Failed
	if fleet.ClassOf(err).Passing() {
		state = fleet.Later
	}
	for _, it := range items {
		if !it.settled {
			it.settle(state, why)
			it.result.Err = err
		}
	}
	p.faults = append(p.faults, ledgerFault(s, "nothing was changed: "+err.Error()))
}

func (r *pass) allow(ctx context.Context, a fleet.Allowance, most int) (fleet.Allowance, error) {
	if r.o.Ledger != nil {
		got, err := r.o.Ledger.Allow(ctx, a, most)
		got.Scope, got.Control = a.Scope, a.Control
		return got, err
	}
	k := stopped{a.Scope, a.Control}
	a.N = max(0, min(a.N, most-r.alone[k]))
	r.alone[k] += a.N
	return a, nil
}

// release gives back what was surely not made. If that fails, it counts for an hour: the
// limit errs on the safe side.
func (p *plan) release(ctx context.Context) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), concludeTime)
	defer stop()
	for _, a := range p.allowed {
		unused := 0
		for _, it := range a.items {
			if it.untouched() {
				unused++
			}
		}
		switch {
		case unused == 0:
		case p.r.o.Ledger == nil:
			p.r.alone[stopped{a.of.Scope, a.of.Control}] -= unused
		default:
			if err := p.r.o.Ledger.Release(ctx, a.of, unused); err != nil {
				p.faults = append(p.faults, ledgerFault(a.of.Scope, err.Error()))
			}
		}
	}
}

// untouched: nothing was changed for it in this pass.
func (it *item) untouched() bool {
	return !it.acted || it.result.Untouched || it.result.State == fleet.Skipped
}

// heldRule is what one finding is about: the held changes that a rule asks for.
type heldRule struct {
	stopped
	rule string
}

type held struct {
	n           int
	since, free time.Time
}

func (r *pass) hold(it *item, a fleet.Allowance) {
	k := heldRule{stopped{a.Scope, a.Control}, it.rule}
	if r.held[k] == nil {
		r.held[k] = &held{since: a.At}
	}
	r.held[k].n++
	r.held[k].free = a.Free
}

// reportHeld writes one finding for each rule whose changes the stop of an hour holds. They
// are not re-queued: a person lets a part of them through, and each sweep reports them
// until they are done.
func (r *pass) reportHeld() error {
	order := func(a, b heldRule) int {
		return cmp.Or(cmp.Compare(a.scope.String(), b.scope.String()), cmp.Compare(a.control, b.control), cmp.Compare(a.rule, b.rule))
	}
	for _, k := range slices.SortedFunc(maps.Keys(r.held), order) {
		h := r.held[k]
		reason := fmt.Sprintf("%s of rule %s %s held since %s: maxPerHour lets %s of control %s disturb workloads in %s within an hour", policy.Changes(h.n), k.rule, isAre(h.n),
			h.since.UTC().Format(time.RFC3339), policy.Changes(r.o.Policy.Limits.MaxPerHour), k.control, k.scope)
		reason += nextPossible(h.free)
		err := r.Finding(fleet.Verdict{
			Ref: fleet.Ref{Scope: k.scope, Kind: fleet.KindFleet}, Control: k.control, Rule: "limit", Outcome: fleet.Fault, Severity: fleet.High,
			Reason: reason, Remedy: r.o.LetThrough(k.scope, k.control),
			Evidence: []fleet.Evidence{{Name: "rule", Value: k.rule, Source: fleet.Observed.String()}},
		})
		if err != nil {
			return fmt.Errorf("writing a finding: %w", err)
		}
	}
	return nil
}

func nextPossible(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return "; the next is possible at " + at.UTC().Format(time.RFC3339)
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}
