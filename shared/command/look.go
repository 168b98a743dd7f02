package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
)

// look sweeps a part of the fleet, and enqueues nothing.
func (c *Call) look(ctx context.Context, inv *invocation.Invocation, s scope) (sweep.Result, error) {
	inv.Options.Policy = s.policy(inv.Options.Policy)
	where, err := c.where(ctx, inv, s.Filter)
	if err != nil {
		return sweep.Result{}, err
	}
	bar := c.Progress("checking the fleet", 0)
	defer bar.End()
	run, err := c.sweeper(inv, s, bar).Look(ctx, where, inv.Session.Cloud().Wait, func(n, of int) {
		bar.Say(fmt.Sprintf("checking place %d of %d", n, of))
	})
	if ctx.Err() != nil {
		return sweep.Result{}, errors.New("stopped while checking the fleet: what was found is incomplete; run it again")
	}
	if err != nil {
		return sweep.Result{}, err
	}
	return sweep.Load(ctx, inv.Store, run)
}

// sweeper is a sweep of all controls that enqueues nothing.
func (c *Call) sweeper(inv *invocation.Invocation, s scope, bar Progress) *sweep.Sweep {
	o := inv.Options
	o.Ledger = nil // open intents are settled by the nightly sweep
	instances := all.Fleet(inv, nil)
	if s.narrow() {
		instances = all.Few(inv, nil)
	}
	tags := map[string]string{}
	for _, t := range s.tags {
		key, value, _ := strings.Cut(t, "=")
		tags[key] = value
	}
	read := map[fleet.Scope]int{} // a shard may take several passes
	return &sweep.Sweep{
		Store: inv.Store, Fleet: instances, Shares: all.Shares(inv), Options: o,
		Lister: func(ctx context.Context, account fleet.AccountID) (sweep.Lister, error) {
			session, err := inv.In(ctx, account)
			return &counting{Lister: ecs.Some{Client: ecs.New(session), Tags: tags, Group: s.group}, bar: bar, most: s.most, n: read}, err
		},
		Enqueue: func(context.Context, string, fleet.Region, []fleet.Ref) error {
			return errors.New("a plan enqueues nothing")
		},
	}
}

// where are the accounts and regions of the policy that a filter takes.
func (c *Call) where(ctx context.Context, inv *invocation.Invocation, f plan.Filter) (sweep.Where, error) {
	w := sweep.Where{Regions: all.Regions(inv)}
	accounts, err := all.Accounts(ctx, inv)
	if err != nil {
		return w, err
	}
	for _, a := range f.Accounts {
		if !slices.Contains(accounts, a) {
			return w, Wrong("the policy has no account %s", a)
		}
	}
	for _, r := range f.Regions {
		if !inv.Options.Policy.Guards(fleet.Scope{Account: inv.Home.Account, Region: r}) {
			return w, Wrong("the policy has no region %s", r)
		}
	}
	w.Accounts = either(f.Accounts, accounts)
	if len(f.Regions) > 0 {
		w.Regions = func(context.Context, fleet.AccountID) ([]fleet.Region, error) { return f.Regions, nil }
	}
	return w, nil
}

// counting counts the instances that a lister lists, and ends the list of a region at most.
type counting struct {
	sweep.Lister
	bar  Progress
	most int
	n    map[fleet.Scope]int
}

// Page is that of the lister.
func (c *counting) Page(ctx context.Context, at fleet.Scope, token string) ([]fleet.Instance, string, error) {
	page, next, err := c.Lister.Page(ctx, at, token)
	if c.n[at] += len(page); c.most > 0 && c.n[at] >= c.most {
		page, next = page[:max(0, len(page)-(c.n[at]-c.most))], ""
	}
	c.bar.Add(len(page))
	return page, next, err
}
