package command

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/undo"
)

// Undone is what became of an undo. As JSON it is the sum: the records came before it.
type Undone struct {
	Unread []error `json:"-"`
	// Changes are all records of changes, in order; Latest the last of each.
	Changes []fleet.ChangeRecord `json:"-"`
	Latest  []fleet.ChangeRecord `json:"-"`
	// Found are the last findings about resources of which nothing is undone.
	Found []fleet.FindingRecord `json:"-"`

	Type   string              `json:"type"` // sum
	Run    string              `json:"run"`
	Undoes string              `json:"undoes"`
	DryRun bool                `json:"dryRun"`
	States map[fleet.State]int `json:"states"`
}

// Undo takes back what one run changed.
func Undo() Command {
	return Command{Name: "undo", About: "take back what one run changed", Long: `
It reads the run's changes from the ledger, the last first, and restores what is still as
the run left it. A resource that another caller has changed since is left alone. So are
roles that were made and agents that were installed: for these it shows the command to
type. Runs are those of "fleetwarden runs": a sweep, an apply, or a live function's own.

A control that enforces makes its change again at its next check: pause it first, and set it
to audit. Neither mode nor pause holds an undo. It changes the account itself, with the rights of
deploy/ram/optional/backfill-undo.json, and can be undone by its own run.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		run := set.String("run", "", "the `RUN`")
		apply := set.Bool("apply", false, "take it back; without it, only show what would be taken back")
		return func(ctx context.Context, _ []string) error {
			if *run == "" {
				return Wrong("give --run RUN; see %s undo --help, and %s runs", Tool, Tool)
			}
			return c.undo(ctx, *run, *apply)
		}
	}}
}

func (c *Call) undo(ctx context.Context, run string, apply bool) error {
	inv, err := c.start(ctx, "undo")
	if err != nil {
		return err
	}
	if apply {
		if err := c.owners(ctx); err != nil {
			return err
		}
	}
	if !c.Inside {
		// The same command settles at once the open intents of an undo of this run that was killed.
		pass := ledger.Pass{Function: fleet.FunctionBackfill, Payload: []byte("undo " + run)}
		inv.Options.Ledger = inv.Place.Open(inv.Session, inv.Home.Region, pass, &ledger.Watch{})
	}
	bar := c.Progress("reading the run", 0)
	p, err := undo.Read(ctx, inv.Store, undo.Order{Run: run, Functions: fleet.Writers(), Policy: inv.Options.Policy})
	bar.End()
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped while reading what the run changed; nothing was taken back")
	case err != nil:
		return err
	}
	if len(p.Items) == 0 && len(p.Unread) == 0 {
		return fmt.Errorf("the ledger knows no change of run %s; see %s runs", run, Tool)
	}
	u := &undoing{Call: c, inv: inv, plan: p, found: map[fleet.Key]fleet.FindingRecord{}}
	return u.do(ctx, apply)
}

// undoing is an undo that is being carried out.
type undoing struct {
	*Call
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
	bar := u.Progress("undoing", len(u.plan.Items))
	defer bar.End()
	c := undo.Carrier{Options: o, Seen: bar.Add, Hands: func(ctx context.Context, account fleet.AccountID) (undo.Hands, error) {
		session, err := u.inv.In(ctx, account)
		return undo.Hands{ECS: ecs.New(session), RAM: ram.New(session)}, err
	}}
	if !u.Inside {
		c.Sleep = u.inv.Session.Cloud().Wait
	}
	err := c.Carry(ctx, u.plan)
	bar.End()
	if err != nil {
		err = fmt.Errorf("%w\n  continue with: fleetwarden undo --run %s --apply", err, u.plan.Run)
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
	return u.Line(r)
}

// sum shows what became of the run's changes, and what was left alone.
func (u *undoing) sum(apply bool) error {
	sum := Undone{Unread: u.plan.Unread, Changes: u.changes, Type: "sum", Run: u.inv.Options.Stamp.Run, Undoes: u.plan.Run, DryRun: !apply,
		States: map[fleet.State]int{}}
	latest := map[fleet.Key]fleet.ChangeRecord{}
	for _, c := range u.changes {
		latest[fleet.Key{Scope: fleet.Scope{Account: c.Account, Region: c.Region}, Kind: c.RefKind, ID: c.ID + " " + string(c.Kind)}] = c
	}
	sum.Latest = slices.SortedFunc(maps.Values(latest), func(a, b fleet.ChangeRecord) int {
		return cmp.Or(cmp.Compare(a.State, b.State), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ID, b.ID))
	})
	for _, c := range sum.Latest {
		sum.States[c.State]++
	}
	sum.Found = slices.SortedFunc(maps.Values(u.found), func(a, b fleet.FindingRecord) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Rule, b.Rule))
	})
	return errors.Join(u.Show(sum), u.unfinished(sum.States))
}

// unfinished is the error of an undo that is incomplete.
func (u *undoing) unfinished(states map[fleet.State]int) error {
	var errs []error
	for _, err := range u.plan.Unread {
		errs = append(errs, fmt.Errorf("not read: %w", err))
	}
	if n := states[fleet.Failed] + states[fleet.Unclear] + states[fleet.Later] + states[fleet.Held]; n > 0 {
		errs = append(errs, fmt.Errorf("%s not taken back\n  continue with:  %s undo --run %s --apply", Plural(n, "change was", "changes were"), Tool, u.plan.Run))
	}
	return errors.Join(errs...)
}
