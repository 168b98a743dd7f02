package lookout

import (
	"context"
	"slices"

	"fleetwarden/shared/agent"
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

// Fleet gives, for each account, all controls of instances that the policy switches on.
// What many instances have in common, such as a role, is read once for each region.
func Fleet(call *fcrun.Call) reconcile.Of[*fleet.World] {
	return func(ctx context.Context, account fleet.AccountID) (reconcile.Control[*fleet.World], error) {
		session, err := call.In(ctx, account)
		if err != nil {
			return reconcile.Control[*fleet.World]{}, err
		}
		worlds := map[fleet.Region]observe.World{}
		return reconcile.Control[*fleet.World]{
			Observe: func(ctx context.Context, b fleet.Batch) (*fleet.World, error) {
				w, ok := worlds[b.Scope.Region]
				if !ok {
					w = world(session, call.Options.Policy)
					worlds[b.Scope.Region] = w
				}
				return w.Observe(ctx, b)
			},
			Decide: decide,
		}, nil
	}
}

// decide asks all controls; one that is switched off has nothing to say.
func decide(w *fleet.World, p *policy.Policy) []fleet.Verdict {
	return slices.Concat(rules.TrustedInstance(w, p), rules.InstanceRole(w, p), rules.Agent(w, p))
}

// world reads what the controls that are switched on ask for.
func world(session *aliyun.Session, p *policy.Policy) observe.World {
	instances := ecs.New(session)
	w := observe.World{Listings: instances, Now: session.Now, Candidate: rules.Candidate}
	if p.TrustedInstance.Mode != policy.Off {
		w.Survey = observe.NewSurvey(instances, p.TrustedInstance.SystemDisk, session.Now)
		w.Images, w.KMS = observe.ImagesOnce(instances), observe.KMSOnce(kms.New(session))
		if p.TrustedInstance.Require == policy.RequireAll {
			w.Candidate = nil
		}
	}
	if p.InstanceRole.Mode != policy.Off {
		w.RoleNames, w.WantsRole = instances, rules.WantsRole(p)
		w.Roles, w.Needed = observe.RolesOnce(ram.New(session)), []string{p.InstanceRole.Role}
	}
	if p.Agent.Mode != policy.Off {
		w.Agents, w.Assistants, w.Lacking = sas.New(session), instances, rules.LacksAgent
		if p.Agent.TrustClient {
			w.UserData, w.WantsScript, w.Script = instances, rules.WantsTrustClient, agent.TrustScript
		}
	}
	return w
}
