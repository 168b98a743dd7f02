package observe

import (
	"context"
	"time"

	"fleetwarden/shared/fleet"
)

// Agents reads the Security Center agents of instances. A missing instance is not listed
// there.
type Agents interface {
	Agents(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Agent, error)
}

// Assistants reads the Cloud Assistant clients of instances, and Fleetwarden's own
// invocations since a time.
type Assistants interface {
	Assistants(ctx context.Context, region fleet.Region, ids []string) (map[string]fleet.Assistant, error)
	Invocations(ctx context.Context, region fleet.Region, since time.Time) (map[string][]fleet.Invocation, error)
}

// UserData reads one instance's user data.
type UserData interface {
	UserData(ctx context.Context, region fleet.Region, id string) (fleet.Secret, error)
}

// invocationsBack is longer than a command may run plus Security Center's lag.
const invocationsBack = time.Hour

// agents fills Agent, for running instances: the agent of a stopped one is offline.
func (o World) agents(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	there = running(there)
	if o.Agents == nil || len(there) == 0 {
		return nil
	}
	got, err := o.Agents.Agents(ctx, w.Scope.Region, ids(there))
	if err := passing("reading agents from Security Center", err); err != nil {
		return err
	}
	for _, in := range there {
		in.Agent = fleet.FactOf(got[in.Ref.ID], err)
	}
	return nil
}

// assistants fills Assistant and Invocations of the running instances that a rule may push
// a command to. Where Cloud Assistant is not served, there are none.
func (o World) assistants(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	if o.Assistants == nil {
		return nil
	}
	lacking := those(o.Lacking, running(there))
	if len(lacking) == 0 {
		return nil
	}
	got, err := o.Assistants.Assistants(ctx, w.Scope.Region, ids(lacking))
	if fleet.ClassOf(err) == fleet.Absent {
		for _, in := range lacking {
			in.Assistant, in.Invocations = fleet.See(fleet.Assistant{Absent: true}), fleet.See[[]fleet.Invocation](nil)
		}
		return nil
	}
	if err := passing("reading Cloud Assistant clients", err); err != nil {
		return err
	}
	runs, runsErr := o.Assistants.Invocations(ctx, w.Scope.Region, o.Now().Add(-invocationsBack))
	if err := passing("reading our invocations", runsErr); err != nil {
		return err
	}
	for _, in := range lacking {
		in.Assistant, in.Invocations = fleet.FactOf(got[in.Ref.ID], err), fleet.FactOf(runs[in.Ref.ID], runsErr)
	}
	return nil
}

// trustScripts fills TrustScript of the instances for which a rule needs it. The user data
// is not kept: it may hold secrets.
func (o World) trustScripts(ctx context.Context, w *fleet.World, there []*fleet.Instance) error {
	if o.UserData == nil {
		return nil
	}
	for _, in := range there {
		if !o.WantsScript(in) {
			continue
		}
		data, err := o.UserData.UserData(ctx, w.Scope.Region, in.Ref.ID)
		if err := passing("reading user data", err); err != nil {
			return err
		}
		in.TrustScript = fleet.FactOf(o.Script(string(data)), err)
	}
	return nil
}

func running(there []*fleet.Instance) []*fleet.Instance {
	return those(func(in *fleet.Instance) bool { return in.Listed.V.Status == "Running" }, there)
}
