package controls

import (
	"context"
	"slices"

	"fleetwarden/shared/acts/agent"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules"
)

// Fleet returns, for each account, all controls of instances that the policy switches on.
// What many instances share, such as a role, is read once for each region and each control
// that is returned.
func Fleet(call *fcrun.Call) reconcile.Of[*fleet.World] { return compose(call, nil) }

// ForOwners is [Fleet] with the results of the controls' owners: the memory of the sweep
// dates violations.
func ForOwners(call *fcrun.Call, memory observe.Past) reconcile.Of[*fleet.World] {
	return compose(call, memory)
}

func compose(call *fcrun.Call, past observe.Past) reconcile.Of[*fleet.World] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[*fleet.World], error) {
		return new(Memories).fleet(call, past)(ctx, account)
	}
}

// Fleet is [Fleet] for one pass of several: what instances share is read once for each
// region and run, while it is cached.
func (m *Memories) Fleet(call *fcrun.Call) reconcile.Of[*fleet.World] { return m.fleet(call, nil) }

func (m *Memories) fleet(call *fcrun.Call, past observe.Past) reconcile.Of[*fleet.World] {
	return fcrun.PerAccount(call, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		c := clients{session, ecs.New(session), ram.New(session), kms.New(session), sas.New(session)}
		return reconcile.Control[*fleet.World]{
			Observe: func(ctx context.Context, b fleet.Batch) (*fleet.World, error) {
				known := m.take(of(b), session.Now())
				defer func() { m.keep(known, session.Now()) }()
				w := c.world(call.Options.Policy, known.Memory)
				w.Past, w.Waits = past, rules.Waiting(decide, call.Options.Policy)
				return w.Observe(ctx, b)
			},
			Decide:  decide,
			InPlace: rules.InPlace,
		}, nil
	})
}

// clients are one pass's clients of one account.
type clients struct {
	session *aliyun.Session
	ecs     *ecs.Client
	ram     *ram.Client
	kms     *kms.Client
	sas     *sas.Client
}

func decide(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	return slices.Concat(rules.TrustedInstance(w, p), rules.InstanceRole(w, p), rules.Agent(w, p))
}

// world reads the facets that the active controls need and that are not known yet.
func (c clients) world(p *policy.Policy, known *observe.Memory) observe.World {
	w := observe.World{Listings: c.ecs, Now: c.session.Now, Candidate: rules.Candidate}
	if p.TrustedInstance.Mode != policy.Off {
		w.Survey = known.Survey(c.ecs, p.TrustedInstance.SystemDisk, c.session.Now)
		w.Images, w.WantsImage = known.Images(c.ecs), rules.WantsImage(p)
		w.KMS, w.WantsKMS = known.KMS(c.kms), rules.WantsKMS(p)
		if p.TrustedInstance.Require == policy.RequireAll {
			w.Candidate = nil
		}
	}
	if p.InstanceRole.Mode != policy.Off {
		w.RoleNames, w.WantsRole = c.ecs, rules.WantsRole(p)
		w.Roles, w.Needed = known.Roles(c.ram), []string{p.InstanceRole.Role}
	}
	if p.Agent.Mode != policy.Off {
		w.Agents, w.Assistants, w.Lacking = c.sas, known.Assistants(c.ecs), rules.LacksAgent
		if p.Agent.TrustClient {
			w.UserData, w.WantsScript, w.Script = c.ecs, rules.WantsTrustClient, agent.TrustScript
		}
	}
	return w
}
