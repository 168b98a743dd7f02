package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Owner returns the function that carries out a control's changes; "" when none does.
func Owner(control string) string {
	switch control {
	case policy.ControlTrustedInstance:
		return "validate-instance"
	case policy.ControlInstanceRole:
		return "attach-role"
	case policy.ControlAgent:
		return "push-agent"
	case policy.ControlShareRole:
		return "setup-share-role"
	}
	return ""
}

// hold says why nobody is told of a control's drift, and what a person can do. Without
// a reason its owner is told.
type hold struct{ why, remedy string }

// holds decides for each control that may change things. The mode is asked only now,
// and all drift counts: the policy may have changed since the shard was begun.
func (s *Sweep) holds(p place, fault string) map[string]hold {
	out := map[string]hold{}
	for control, n := range p.totals.changed() {
		if s.Options.Policy.ModeOf(control) != policy.Enforce {
			continue
		}
		switch why := s.Options.Policy.Limits.Exceeded(n, p.totals.Seen); {
		case fault != "":
			out[control] = hold{"the shard could not be read to its end", "the next sweep looks again"}
		case why != "":
			out[control] = hold{why, policy.LetThrough(p.scope, control)}
		case Owner(control) == "":
			out[control] = hold{"no function owns the control", "this is a mistake in the program: report it"}
		case !p.start.DryRun:
			out[control] = hold{}
		}
	}
	for control := range p.totals.Due {
		_, decided := out[control]
		if !decided && fault == "" && !p.start.DryRun && Owner(control) != "" && s.Options.Policy.ModeOf(control) == policy.Enforce {
			out[control] = hold{}
		}
	}
	return out
}

// tellOwners goes through the parts once. It notes in held who cannot be told.
func (s *Sweep) tellOwners(ctx context.Context, p place, held map[string]hold) error {
	for n := 1; n <= p.parts && slices.Contains(slices.Collect(maps.Values(held)), hold{}); n++ {
		x, err := p.part(ctx, s.Store, n)
		if err != nil {
			return err
		}
		refs := p.refs(x)
		for _, control := range slices.Sorted(maps.Keys(refs)) {
			if h, decided := held[control]; !decided || h.why != "" {
				continue
			}
			if held[control], err = s.tellOwner(ctx, p, control, refs[control]); err != nil {
				return err
			}
		}
	}
	return nil
}

// refs are those of the things in one part that have drifted, by control.
func (p place) refs(x part) map[string][]fleet.Ref {
	by := map[string][]fleet.Ref{}
	for _, d := range slices.Concat(x.Drift, x.Due) {
		by[d.Control] = append(by[d.Control], fleet.Ref{Scope: p.scope, Kind: d.Kind, ID: d.ID, Try: fleet.Try{Run: p.start.Run}})
	}
	return by
}

// tellOwner tells one owner. The error is one that time may heal, while there is time.
func (s *Sweep) tellOwner(ctx context.Context, p place, control string, refs []fleet.Ref) (hold, error) {
	owner := Owner(control)
	err := s.Tell(ctx, owner, p.scope.Region, refs)
	where := string(p.scope.Region)
	if where == "" {
		where = "the home region"
	}
	switch {
	case err == nil:
		return hold{}, nil
	case fleet.ClassOf(err) == fleet.NotFound:
		return hold{fmt.Sprintf("there is no inbox of %s in %s", owner, where), "deploy the functions there; the next sweep tells it again"}, nil
	case passing(err) && !p.tired:
		return hold{}, fmt.Errorf("telling %s: %w", owner, err)
	}
	return hold{fmt.Sprintf("%s in %s could not be told: %v", owner, where, err), "make sure that the sweep's role may send to its inbox; the next sweep tells it again"}, nil
}
