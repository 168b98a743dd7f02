package all

import (
	"context"

	"fleetwarden/shared/acts/agent"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/kms"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/aliyun/sas"
	"fleetwarden/shared/controls"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/observe"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
	"fleetwarden/shared/rules/instances"
)

// Fleet returns, for each account, all controls of instances that the policy switches on.
// The resources that many instances have in common, such as a role, are read once for each
// region and each control that is returned. With the memory of the sweep, past, the results
// are those of the controls' owners: it dates violations.
func Fleet(inv *invocation.Invocation, past observe.Past) reconcile.Of[*fleet.World] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[*fleet.World], error) {
		return new(Memories).Fleet(inv, past)(ctx, account)
	}
}

// Fleet is [Fleet] for one pass of several: those resources are read once for each region
// and run, while they are cached.
func (m *Memories) Fleet(inv *invocation.Invocation, past observe.Past) reconcile.Of[*fleet.World] {
	return invocation.PerAccount(inv, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		c := clients{session, ecs.New(session), ram.New(session), kms.New(session), sas.New(session)}
		control := c.instances(inv.Options.Policy, past, new(observe.Memory))
		control.Observe = func(ctx context.Context, b fleet.Batch) (*fleet.World, error) {
			known := m.take(of(b), session.Now())
			defer func() { m.keep(known, session.Now()) }()
			return c.instances(inv.Options.Policy, past, known.Memory).Observe(ctx, b)
		}
		return control, nil
	})
}

// Few is [Fleet] for instances and launches that a person or an event names: the disks are
// read for each instance, and not for its whole region.
func Few(inv *invocation.Invocation, past observe.Past) reconcile.Of[*fleet.World] {
	return invocation.PerAccount(inv, func(account fleet.AccountID, session *aliyun.Session) (reconcile.Control[*fleet.World], error) {
		c := clients{session, ecs.New(session), ram.New(session), kms.New(session), sas.New(session)}
		w := c.world(inv.Options.Policy, past, new(observe.Memory))
		w.Young = c.ecs
		if w.Survey != nil {
			w.Survey, w.Disks = nil, c.ecs
		}
		return wired(w, inv.Options.Policy), nil
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

// instances reads the facets that the active controls need and that are not known yet. Of
// many instances the roles of those alone are read that the rules judge.
func (c clients) instances(p *policy.Policy, past observe.Past, known *observe.Memory) reconcile.Control[*fleet.World] {
	return wired(c.world(p, past, known), p)
}

func wired(w observe.World, p *policy.Policy) reconcile.Control[*fleet.World] {
	return controls.Instances(w, p, nil, controls.TrustedInstance, controls.InstanceRole, controls.Agent)
}

func (c clients) world(p *policy.Policy, past observe.Past, known *observe.Memory) observe.World {
	w := observe.World{Listings: c.ecs, Past: past, Now: c.session.Now}
	if p.TrustedInstance.Mode != policy.Off {
		w.Survey = known.Survey(c.ecs, p.TrustedInstance.SystemDisk, c.session.Now)
		w.Images, w.KMS = known.Images(c.ecs), known.KMS(c.kms)
	}
	if p.InstanceRole.Mode != policy.Off {
		w.RoleNames, w.WantsRole, w.Roles = c.ecs, instances.WantsRole(p), known.Roles(c.ram)
		w.Users = known.Users(c.ecs)
	}
	if p.Agent.Mode != policy.Off {
		w.Agents, w.Assistants = c.sas, known.Assistants(c.ecs)
		w.UserData, w.Script = c.ecs, agent.TrustScript
	}
	return w
}
