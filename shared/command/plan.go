package command

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"iter"
	"os"

	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
)

// PlanMade is a plan, and the check that it was made from. As JSON it is the plan, as saved.
type PlanMade struct {
	plan.Plan
	Found sweep.Result `json:"-"`
}

// Plan checks the fleet, and saves what would be changed.
func Plan() Command {
	return Command{Name: "plan", About: "check the fleet and save what would be changed", Long: `
It checks all accounts and regions of the policy, or those that flags name, and saves a
plan: each resource that a control would change, with its value now and after. Nothing else
is written. Review the plan, then apply it. If a place could not be read, the plan lacks
it, and the exit status is 1.

To roll a control out, plan a part at a time: by --tag or --resource-group, and with --max and
--part as many of it as you and the policy's limits let through. Of a control in audit, both
take what its enforceFor enforces, and nothing without one.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		var f scope
		f.bind(set)
		set.IntVar(&f.Most, "max", 0, "at most this `NUMBER` of resources, for which the policy has something changed; 0: all")
		part := set.Bool("part", false, "only as much as the policy's limits let through, of each account, region and control: the rest is for the next plan")
		run := set.String("sweep", "", "take what this `RUN` of a sweep found, and do not check again")
		out := new(string)
		if !c.Inside {
			out = set.String("out", "", "write the plan to a `FILE` as well")
		}
		return func(ctx context.Context, _ []string) error {
			if err := f.valid(); err != nil {
				return err
			}
			if f.narrow() && (*run != "" || len(f.IDs) > 0) {
				return Wrong("--tag and --resource-group are for a check of the fleet: leave out --sweep or --id")
			}
			return c.plan(ctx, f, *run, *out, *part)
		}
	}}
}

func (c *Call) plan(ctx context.Context, s scope, run, out string, part bool) error {
	inv, err := c.start(ctx, "plan")
	if err != nil {
		return err
	}
	found, drift, err := c.drift(ctx, inv, s, run)
	if err != nil {
		return err
	}
	f := s.Filter
	f.Named = s.narrow() || len(s.IDs) > 0
	f.Part, f.Policy = part, inv.Options.Policy
	p, err := plan.New(found, drift, f, inv.Session.Now())
	if err != nil {
		return err
	}
	if err := plan.Save(ctx, inv.Store, p); err != nil {
		return err
	}
	if out != "" {
		if err := writePlan(out, p); err != nil {
			return err
		}
	}
	if err := c.Show(PlanMade{p, found}); err != nil {
		return err
	}
	if unread := len(found.Summary.Unread()); unread > 0 {
		return fmt.Errorf("%d of %d places could not be read: the plan lacks their resources", unread, len(p.Seen))
	}
	return nil
}

// drift is what has to be changed: as a sweep found it, or as it is now, of all or of some.
func (c *Call) drift(ctx context.Context, inv *invocation.Invocation, s scope, run string) (found sweep.Result, drift iter.Seq2[sweep.Drifted, error], err error) {
	switch {
	case run == "" && len(s.IDs) > 0:
		return c.driftOf(ctx, inv, s)
	case run == "":
		found, err = c.look(ctx, inv, s)
	default:
		found, err = sweep.Load(ctx, inv.Store, run)
	}
	if err == nil && len(found.Open) > 0 {
		err = fmt.Errorf("sweep %s has not ended: %d of %d shards are open", found.Start.Run, len(found.Open), len(found.Start.Shards))
	}
	return found, found.Drift(ctx), err
}

func writePlan(path string, p plan.Plan) error {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	return nil
}
