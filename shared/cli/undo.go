package cli

import (
	"context"
	"errors"
	"fmt"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/undo"
)

const undoUsage = `backfill undo: take back what one run changed

Usage:
  backfill undo --run RUN [flags]

It reads the run's changes from the ledger, the last first, and restores what is still as
the run left it. A resource that another caller has changed since is left alone. So are
roles that were made and agents that were installed: for these it shows the command to
type. Runs are those of "backfill runs": a sweep, an apply, or a live function's own.

A control that enforces makes its change again at its next check: set it to audit first.
A control's mode does not hold an undo. It changes the account itself, with the rights of
deploy/ram/optional/backfill-undo.json, and can be undone by its own run.

Flags:
  --run RUN       the run
  --apply         take it back; without it, only show what would be taken back
  --json          one "finding" or "change" each, as functions record them, and the "sum"
  --policy FILE   the policy file (default: $FLEETWARDEN_POLICY; without one, audit)
`

// Undo takes back what one run changed.
func Undo() Command { return Command{"undo", "take back what one run changed", (*job).undo} }

func (j *job) undo(ctx context.Context, args []string) error {
	var run string
	var apply bool
	set := j.flags("undo")
	set.StringVar(&run, "run", "", "")
	set.BoolVar(&apply, "apply", false, "")
	if _, err := j.parse(set, args, undoUsage, 0); err != nil {
		return err
	}
	if run == "" {
		return wrongUsage{errors.New("give --run RUN; see backfill undo --help, and backfill runs")}
	}
	inv, err := j.start(ctx, "undo")
	if err != nil {
		return err
	}
	if !j.inside {
		// The same command settles at once the open intents of an undo of this run that was killed.
		pass := ledger.Pass{Function: name, Payload: []byte("undo " + run)}
		inv.Options.Ledger = inv.Place.Open(inv.Session, inv.Home.Region, pass, &ledger.Watch{})
	}
	p, err := undo.Read(ctx, inv.Store, undo.Order{Run: run, Functions: fleet.Writers(), Policy: inv.Options.Policy})
	if err != nil {
		return err
	}
	if len(p.Items) == 0 && len(p.Unread) == 0 {
		return fmt.Errorf("the ledger knows no change of run %s; see backfill runs", run)
	}
	u := &undoing{job: j, inv: inv, plan: p, found: map[fleet.Key]fleet.FindingRecord{}}
	return u.do(ctx, apply)
}

// undoing is an undo that is being carried out.
type undoing struct {
	*job
	inv     *invocation.Invocation
	plan    *undo.Plan
	changes []fleet.ChangeRecord
	// found are the last findings of resources of which nothing is undone.
	found map[fleet.Key]fleet.FindingRecord
}

func (u *undoing) do(ctx context.Context, apply bool) error {
	o := u.inv.Options
	o.DryRun, o.Record = !apply, u.record
	o.LetThrough = func(fleet.Scope, string) string {
		return "undo the rest an hour later with the same command, or raise limits.maxPerHour in the policy file of --policy"
	}
	bar := u.progress("undoing", len(u.plan.Items))
	defer bar.end()
	c := undo.Carrier{Options: o, Seen: bar.add, Hands: func(ctx context.Context, account fleet.AccountID) (undo.Hands, error) {
		session, err := u.inv.In(ctx, account)
		return undo.Hands{ECS: ecs.New(session), RAM: ram.New(session)}, err
	}}
	if !u.inside {
		c.Sleep = u.inv.Session.Cloud().Wait
	}
	err := c.Carry(ctx, u.plan)
	bar.end()
	if err != nil {
		err = fmt.Errorf("%w\n  continue with: backfill undo --run %s --apply", err, u.plan.Run)
	}
	return errors.Join(u.sum(apply), err)
}

func (u *undoing) record(r fleet.Record) error {
	switch {
	case r.Change != nil:
		u.changes = append(u.changes, *r.Change)
	case r.Finding != nil && r.Finding.Outcome != fleet.Violation:
		f := r.Finding
		u.found[fleet.Key{Scope: fleet.Scope{Account: f.Account, Region: f.Region}, Kind: f.Kind, ID: f.ID + " " + f.Rule}] = *f
	}
	if u.json {
		return u.line(r)
	}
	return nil
}
