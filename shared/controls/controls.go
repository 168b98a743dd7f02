// Package controls wires observe and decide of each control once, for its owner as for
// sweeps and plans: it says of which resources a control needs which facets, and decides
// from those. It knows no cloud and no act: a main passes the readers, and the steps that it
// may take, so that a reader of the main sees the function's whole power.
//
// Package all, below it, is every control with the clients of an account.
package controls

import (
	"context"

	"fleetwarden/events"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules/instances"
	"fleetwarden/shared/rules/shares"
)

// Decide is the rules of a control.
type Decide func(*fleet.World, *policy.Policy) []fleet.Verdict

// Control is one control of instances: it sets in w of which instances it needs a facet,
// and returns its rules. The readers in w are the caller's.
type Control func(w *observe.World, p *policy.Policy) Decide

// TrustedInstance reads Disks or Survey, Images and KMS.
func TrustedInstance(w *observe.World, p *policy.Policy) Decide {
	w.WantsImage, w.WantsKMS = instances.WantsImage(p), instances.WantsKMS(p)
	if c := p.TrustedInstance; c.Mode != policy.Off && c.Require == policy.RequireAll {
		w.Candidate = nil
	}
	return instances.TrustedInstance
}

// InstanceRole reads RoleNames, Roles and, where a part of the control is enforced, Users, of
// the regions that the policy lists or else all of the account.
func InstanceRole(w *observe.World, p *policy.Policy) Decide {
	w.Needed = []string{p.InstanceRole.Role}
	return instances.Role
}

// Agent reads Agents, Assistants and, where the policy asks for the trust client, UserData,
// of which Script finds the install script.
func Agent(w *observe.World, p *policy.Policy) Decide {
	w.Lacking, w.WantsScript = instances.LacksAgent, instances.WantsTrustClient
	if !p.Agent.TrustClient {
		w.UserData = nil
	}
	return instances.Agent
}

// Run judges what an invocation's payload names, by the control of each account, and takes
// its steps.
func Run[W any](ctx context.Context, inv *invocation.Invocation, control func(fleet.AccountID, *aliyun.Session) (reconcile.Control[W], error)) (fleet.Pass, error) {
	source := events.Batches(events.Decode(inv.Payload), inv, fleet.FunctionNamed(inv.Options.Stamp.Function))
	sum, _, err := reconcile.Run(ctx, invocation.PerAccount(inv, control), source, inv.Options)
	return sum, err
}

// Instances is controls of instances together: each facet is read once for all of them. w
// has their readers; a facet without one is not read. Past dates violations.
func Instances(w observe.World, p *policy.Policy, steps []reconcile.Step, controls ...Control) reconcile.Control[*fleet.World] {
	w.Candidate = instances.Candidate
	var each []Decide
	for _, c := range controls {
		each = append(each, c(&w, p))
	}
	decide := func(w *fleet.World, p *policy.Policy) (out []fleet.Verdict) {
		for _, d := range each {
			out = append(out, d(w, p)...)
		}
		return out
	}
	w.Waits = instances.Waiting(decide, p)
	w.WantsUsers, w.UsersIn = instances.SharedRoles(decide, p), p.Regions
	return reconcile.Control[*fleet.World]{Observe: w.Observe, Decide: decide, InPlace: instances.InPlace, Steps: steps}
}

// Shares is the control of what an account shares. w has its readers, and the home region.
func Shares(w observe.Shares, p *policy.Policy, account fleet.AccountID, steps []reconcile.Step) reconcile.Control[*fleet.ShareWorld] {
	approved := p.ShareRole.Approved
	for _, f := range approved.Folders {
		w.Folders = append(w.Folders, f.ID)
	}
	w.AsksDirectory = approved.Directory != "" || len(approved.Folders) > 0
	w.Named = func(id fleet.AccountID) bool { _, ok := approved.Account(id); return ok }
	w.Guards = func(r fleet.Region) bool { return p.Guards(fleet.Scope{Account: account, Region: r}) }
	return reconcile.Control[*fleet.ShareWorld]{Observe: w.Observe, Decide: shares.Role, InPlace: shares.InPlace, Steps: steps}
}
