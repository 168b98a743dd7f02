package sweep

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// hold says why a control's owner is not notified of drift, and what the operator can do.
// Without a reason it is notified. limit says that the reason is a limit of the policy.
type hold struct {
	why, remedy string
	limit       bool
}

// holds decides for each control that may change things, made being what it would change. The
// mode is asked only now: the policy may have changed since the shard was begun.
func (s *Sweep) holds(p progress, made []report.ChangeCount, fault string) map[string]hold {
	out := map[string]hold{}
	for control, n := range changed(made) {
		switch why := s.Options.Policy.Limits.Exceeded(n, p.totals.Seen); {
		case fault != "":
			out[control] = hold{why: "the shard could not be read to its end", remedy: "the next sweep tries again"}
		case why != "":
			out[control] = hold{why, policy.LetThrough(p.scope, control), true}
		case fleet.Owner(control) == "":
			out[control] = hold{why: "no function owns the control", remedy: "this is a mistake in the program: report it"}
		case !p.start.DryRun:
			out[control] = hold{}
		}
	}
	return out
}

// informs returns the controls whose owners are notified of violations that have matured:
// those that are enforced, of which notifyOwners takes what is covered. The limits are for changes, of which these have none.
func (s *Sweep) informs(p progress, fault string) map[string]hold {
	out := map[string]hold{}
	for _, f := range fleet.Functions() {
		ofInstances := f.Control != "" && slices.Contains(f.Refs, fleet.KindInstance)
		if ofInstances && fault == "" && !p.start.DryRun && s.Options.Policy.Makes(f.Control, true) {
			out[f.Control] = hold{}
		}
	}
	return out
}

// notifyOwners reads the parts once. In held and matured it notes the owners that cannot be
// notified.
func (s *Sweep) notifyOwners(ctx context.Context, p progress, held, matured map[string]hold) error {
	for n := 1; n <= p.parts && (anyOpen(held, nil) || anyOpen(matured, p.totals.Due)); n++ {
		x, err := p.part(ctx, s.Store, n)
		if err != nil {
			return err
		}
		for _, y := range []struct {
			found []Drift
			holds map[string]hold
		}{{x.Drift, held}, {x.Due, matured}} {
			refs := p.refs(y.found, s.Options.Policy)
			for _, control := range slices.Sorted(maps.Keys(refs)) {
				if h, decided := y.holds[control]; !decided || h.why != "" {
					continue
				}
				if y.holds[control], err = s.notifyOwner(ctx, p, control, refs[control]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// anyOpen reports whether an owner is to be notified, of those in among unless it is nil.
func anyOpen(holds map[string]hold, among map[string]int) bool {
	for control, h := range holds {
		if h == (hold{}) && (among == nil || among[control] > 0) {
			return true
		}
	}
	return false
}

// refs are those of what was found in one part and is enforced, by control.
func (p progress) refs(found []Drift, enforced *policy.Policy) map[string][]fleet.Ref {
	by := map[string][]fleet.Ref{}
	for _, d := range found {
		if !enforced.Makes(d.Control, d.Covered) {
			continue
		}
		by[d.Control] = append(by[d.Control], fleet.Ref{Scope: p.scope, Kind: d.Kind, ID: d.ID, Try: fleet.Try{Run: p.start.Run}})
	}
	return by
}

// notifyOwner notifies one owner. The error is one that time may heal, while there is time.
func (s *Sweep) notifyOwner(ctx context.Context, p progress, control string, refs []fleet.Ref) (hold, error) {
	owner := fleet.Owner(control)
	err := s.Enqueue(ctx, owner, p.scope.Region, refs)
	where := cmp.Or(string(p.scope.Region), "the home region")
	switch {
	case err == nil:
		return hold{}, nil
	case fleet.ClassOf(err) == fleet.NotFound:
		return hold{why: fmt.Sprintf("there is no inbox of %s in %s", owner, where), remedy: "deploy the functions there; the next sweep tries again"}, nil
	case passing(err) && !p.tired:
		return hold{}, fmt.Errorf("notifying %s: %w", owner, err)
	}
	return hold{why: fmt.Sprintf("%s in %s could not be notified: %v", owner, where, err), remedy: "make sure that the sweep's role may send to its inbox; the next sweep tries again"}, nil
}
