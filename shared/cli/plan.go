package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

const planUsage = `backfill plan: check the fleet and save what would be changed

Usage:
  backfill plan [flags]

It checks all accounts and regions of the policy, or those that flags name, and saves a
plan: each resource that a control would change, with its value now and after. Nothing else
is written. Review the plan, then apply it. If a place could not be read, the plan lacks
it, and the exit status is 1.

Flags:
  --account ID    only this account (may be given again, or with commas)
  --region ID     only this region
  --control ID    only this control: trusted-instance, instance-role, agent, share-role
  --id ID         only this resource, such as i-bp67acfmxazb4ph
  --part          only as much as the policy's limits let through, of each account, region
                  and control: the rest is for the next plan
  --sweep RUN     take what this sweep found, and do not check again
  --out FILE      write the plan to a file as well
  --json          the plan as JSON, as it is saved
  --policy FILE   the policy file (default: $FLEETWARDEN_POLICY; without one, audit)
`

// Plan checks the fleet, and saves what would be changed.
func Plan() Command {
	return Command{"plan", "check the fleet and save what would be changed", (*job).plan}
}

func (j *job) plan(ctx context.Context, args []string) error {
	var f plan.Filter
	var run, out string
	var part bool
	set := j.flags("plan")
	set.BoolVar(&part, "part", false, "")
	set.Var((*list[fleet.AccountID])(&f.Accounts), "account", "")
	set.Var((*list[fleet.Region])(&f.Regions), "region", "")
	set.Var((*list[string])(&f.Controls), "control", "")
	set.Var((*list[string])(&f.IDs), "id", "")
	set.StringVar(&run, "sweep", "", "")
	if !j.inside {
		set.StringVar(&out, "out", "", "")
	}
	if _, err := j.parse(set, args, planUsage, 0); err != nil {
		return err
	}
	if err := checkFilter(f); err != nil {
		return err
	}
	inv, err := j.start(ctx, "plan")
	if err != nil {
		return err
	}
	if run == "" {
		if run, err = j.check(ctx, inv, f); err != nil {
			return err
		}
	}
	found, err := sweep.Load(ctx, inv.Store, run)
	if err != nil {
		return err
	}
	if len(found.Open) > 0 {
		return fmt.Errorf("sweep %s has not ended: %d of %d shards are open", run, len(found.Open), len(found.Start.Shards))
	}
	if part {
		f.Part = &inv.Options.Policy.Limits
	}
	p, err := plan.New(found, found.Drift(ctx), f, inv.Session.Now())
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
	return j.showPlan(p, found)
}

func checkFilter(f plan.Filter) error {
	for _, c := range f.Controls {
		if !slices.Contains(policy.Controls(), c) {
			return wrongUsage{fmt.Errorf("--control: there is no control %q; see backfill plan --help", c)}
		}
	}
	for _, a := range f.Accounts {
		if !a.Valid() {
			return wrongUsage{fmt.Errorf("--account: %q is not the number of an account", a)}
		}
	}
	return nil
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

// sweeper is a sweep of all controls that enqueues nothing.
func (j *job) sweeper(inv *invocation.Invocation, bar *progress) *sweep.Sweep {
	o := inv.Options
	o.Ledger = nil // open intents are settled by the nightly sweep
	return &sweep.Sweep{
		Store: inv.Store, Fleet: all.Fleet(inv, nil), Shares: all.Shares(inv), Options: o,
		Lister: func(ctx context.Context, account fleet.AccountID) (sweep.Lister, error) {
			session, err := inv.In(ctx, account)
			return counting{ecs.New(session), bar}, err
		},
		Enqueue: func(context.Context, string, fleet.Region, []fleet.Ref) error {
			return errors.New("a plan enqueues nothing")
		},
	}
}

// check sweeps the fleet without enqueuing anything, and returns the run.
func (j *job) check(ctx context.Context, inv *invocation.Invocation, f plan.Filter) (string, error) {
	accounts, err := all.Accounts(ctx, inv)
	if err != nil {
		return "", err
	}
	if len(f.Accounts) > 0 {
		for _, a := range f.Accounts {
			if !slices.Contains(accounts, a) {
				return "", fmt.Errorf("the policy has no account %s", a)
			}
		}
		accounts = f.Accounts
	}
	regions := all.Regions(inv)
	for _, r := range f.Regions {
		if !inv.Options.Policy.Guards(fleet.Scope{Account: inv.Home.Account, Region: r}) {
			return "", fmt.Errorf("the policy has no region %s", r)
		}
	}
	if len(f.Regions) > 0 {
		regions = func(context.Context, fleet.AccountID) ([]fleet.Region, error) { return f.Regions, nil }
	}
	bar := j.progress("checking the fleet", 0)
	defer bar.end()
	run, err := j.sweeper(inv, bar).Look(ctx, sweep.Where{Accounts: accounts, Regions: regions}, inv.Session.Cloud().Wait, func(n, of int) {
		bar.say(fmt.Sprintf("checking place %d of %d", n, of))
	})
	if ctx.Err() != nil {
		return "", errors.New("stopped while checking the fleet; no plan was made")
	}
	return run, err
}

// counting counts the instances that a lister lists.
type counting struct {
	sweep.Lister
	bar *progress
}

func (c counting) Page(ctx context.Context, at fleet.Scope, token string) ([]fleet.Instance, string, error) {
	page, next, err := c.Lister.Page(ctx, at, token)
	c.bar.add(len(page))
	return page, next, err
}
