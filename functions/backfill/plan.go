package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/lookout"
	"fleetwarden/shared/plan"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/sweep"
	"fleetwarden/shared/terminal"
)

const planUsage = `backfill plan: look at the fleet and save what would be changed

Usage:
  backfill plan [flags]

It looks at all accounts and regions of the policy, or at those that flags name, and
saves a plan: each thing that a control would change, as it stands and as it should.
Nothing else is written. Look at the plan, then apply it.

Flags:
  --account ID    only this account (may be given again, or with commas)
  --region ID     only this region
  --control ID    only this control: trusted-instance, instance-role, agent, share-role
  --id ID         only this thing, such as i-bp67acfmxazb4ph
  --sweep RUN     take what this sweep found, and do not look again
  --out FILE      write the plan to a file as well
  --json          the plan as JSON
  --policy FILE   the policy file (default: $FLEETWARDEN_POLICY; without one, audit)
`

func (j *job) plan(ctx context.Context, args []string) error {
	var f plan.Filter
	var run, out string
	set := j.flags("plan")
	set.Var((*list[fleet.AccountID])(&f.Accounts), "account", "")
	set.Var((*list[fleet.Region])(&f.Regions), "region", "")
	set.Var((*list[string])(&f.Controls), "control", "")
	set.Var((*list[string])(&f.IDs), "id", "")
	set.StringVar(&run, "sweep", "", "")
	if !j.inside {
		set.StringVar(&out, "out", "", "")
	}
	if err := j.parse(set, args, planUsage, 0); err != nil {
		return err
	}
	if err := checkFilter(f); err != nil {
		return err
	}
	call, err := j.start(ctx, "plan")
	if err != nil {
		return err
	}
	if run == "" {
		if run, err = j.look(ctx, call, f); err != nil {
			return err
		}
	}
	found, err := sweep.Load(ctx, call.Store, run)
	if err != nil {
		return err
	}
	if len(found.Open) > 0 {
		return fmt.Errorf("sweep %s has not ended: %d of %d shards are open", run, len(found.Open), len(found.Start.Shards))
	}
	p, err := plan.New(found, found.Drift(ctx), f, call.Session.Now())
	if err != nil {
		return err
	}
	if err := plan.Save(ctx, call.Store, p); err != nil {
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
		if len(policy.Rules(c)) == 0 {
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

// sweeper looks with the eyes of all controls, and tells nobody.
func (j *job) sweeper(call *fcrun.Call, wake func(context.Context, []fleet.Ref, time.Duration) error) *sweep.Sweep {
	o := call.Options
	o.Ledger = nil // what others left open is the sweep's to settle
	return &sweep.Sweep{
		Store: call.Store, Fleet: lookout.Fleet(call), Shares: lookout.Shares(call), Wake: wake, Options: o,
		Lister: func(ctx context.Context, account fleet.AccountID) (sweep.Lister, error) {
			session, err := call.In(ctx, account)
			return ecs.New(session), err
		},
		Tell: func(context.Context, string, fleet.Region, []fleet.Ref) error {
			return errors.New("a plan tells nobody")
		},
	}
}

// look goes over the fleet like a sweep that tells nobody, and returns its run.
func (j *job) look(ctx context.Context, call *fcrun.Call, f plan.Filter) (string, error) {
	accounts, err := lookout.Accounts(ctx, call)
	if err != nil {
		return "", err
	}
	if len(f.Accounts) > 0 {
		for _, a := range f.Accounts {
			if !slices.Contains(accounts, a) {
				return "", fmt.Errorf("account %s is none of the policy's", a)
			}
		}
		accounts = f.Accounts
	}
	regions := lookout.Regions(call)
	if len(f.Regions) > 0 {
		regions = func(context.Context, fleet.AccountID) ([]fleet.Region, error) { return f.Regions, nil }
	}
	var todo []fleet.Ref
	var pause time.Duration
	s := j.sweeper(call, func(_ context.Context, refs []fleet.Ref, after time.Duration) error {
		todo, pause = append(todo, refs...), after
		return nil
	})
	run, err := s.Look(ctx, sweep.Where{Accounts: accounts, Regions: regions})
	if err != nil {
		return "", err
	}
	bar := j.progress("looking", 0)
	defer bar.end()
	for len(todo) > 0 {
		ref := todo[0]
		todo, pause = todo[1:], 0
		bar.say("looking at " + ref.Scope.String())
		sum, err := s.Shard(ctx, ref)
		if err != nil {
			return "", err
		}
		bar.add(sum.Refs)
		if ctx.Err() != nil {
			return "", fmt.Errorf("stopped while looking; nothing was saved: %w", ctx.Err())
		}
		if pause > 0 && len(todo) == 1 {
			if err := j.sleep(ctx, pause); err != nil {
				return "", fmt.Errorf("stopped while looking; nothing was saved: %w", err)
			}
		}
	}
	return run, nil
}

// showPlan prints what a plan comes to.
func (j *job) showPlan(p plan.Plan, found sweep.Result) error {
	if j.json {
		return j.line(p)
	}
	seen := 0
	for _, s := range p.Seen {
		seen += s.N
	}
	if err := j.print("%s: looked at %d things in %d places; %d would be changed\n\n", p.ID, seen, len(p.Seen), len(p.Items)); err != nil {
		return err
	}
	if err := j.planTable(p); err != nil {
		return err
	}
	for _, s := range found.Summary.Shards {
		if s.Fault != "" {
			if err := j.print("not read: %s: %s\n", s.Scope, terminal.Clean(s.Fault)); err != nil {
				return err
			}
		}
	}
	if len(p.Items) == 0 {
		return j.print("nothing to apply\n")
	}
	return j.print("\nsee it:    backfill show %s\napply it:  backfill apply --plan %s\n", p.ID, p.ID)
}

func (j *job) planTable(p plan.Plan) error {
	type row struct {
		place   fleet.Scope
		control string
		kind    fleet.ChangeKind
	}
	var rows []row
	things := map[row]int{}
	changed := map[row]map[string]bool{} // a role is made once for many instances
	for _, item := range p.Items {
		for _, c := range item.Changes {
			r := row{item.Scope, item.Control, c.Kind}
			if things[r]++; things[r] == 1 {
				rows, changed[r] = append(rows, r), map[string]bool{}
			}
			changed[r][c.ID+" "+c.Want] = true
		}
	}
	if len(rows) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(j.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tREGION\tCONTROL\tCHANGE\tTIMES\tFOR THINGS")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\n", r.place.Account, regionName(r.place.Region), r.control, r.kind, len(changed[r]), things[r])
	}
	return w.Flush()
}

func regionName(r fleet.Region) string {
	if r == "" {
		return "(all)"
	}
	return string(r)
}
