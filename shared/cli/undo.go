package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetwarden/shared/aliyun/ecs"
	"fleetwarden/shared/aliyun/ram"
	"fleetwarden/shared/fcrun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/undo"
	"fleetwarden/shared/reconcile"
)

const undoUsage = `backfill undo: take back what one run changed

Usage:
  backfill undo --run RUN [flags]

It reads from the ledger what the run changed, the last first, and puts back what still is
as the run left it. What somebody has changed since is left alone; so is what a program
should not unmake, with the command to type: roles that were made, agents that were
installed. Runs are those of "backfill runs": a sweep, an apply, or a live function's own.

A control that enforces makes its change again at its next look: set it to audit first.
An undo is not held by a control's mode. It changes the account itself, with the rights of
deploy/ram/optional/backfill-undo.json, and can be undone by its own run.

Flags:
  --run RUN       the run
  --apply         take it back; without it, only say what would be
  --json          a "finding" or "change" each, as functions record them, and the "sum"
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
	call, err := j.start(ctx, "undo")
	if err != nil {
		return err
	}
	if !j.inside {
		// Typed again, it settles at once what an undo of this run left open that was cut off.
		pass := ledger.Pass{Function: name, Payload: []byte("undo " + run)}
		call.Options.Ledger = call.Place.Open(call.Session, call.Home.Region, pass, &ledger.Watch{})
	}
	p, err := undo.Read(ctx, call.Store, undo.Order{Run: run, Functions: fleet.Writers(), Policy: call.Options.Policy})
	if err != nil {
		return err
	}
	if len(p.Items) == 0 && len(p.Unread) == 0 {
		return fmt.Errorf("the ledger knows no change of run %s; see backfill runs", run)
	}
	u := &undoing{job: j, call: call, plan: p, again: map[fleet.Key]fleet.Ref{}, found: map[fleet.Key]fleet.FindingRecord{}}
	return u.do(ctx, apply)
}

// undoing is an undo on its way.
type undoing struct {
	*job
	call    *fcrun.Call
	plan    *undo.Plan
	changes []fleet.ChangeRecord
	// found are the last findings of things that nothing is undone of.
	found map[fleet.Key]fleet.FindingRecord
	// again are refs to look at once more, soonest after that long.
	again map[fleet.Key]fleet.Ref
	pause time.Duration
}

// looks is how often an undo that had to stop is gone on with.
const looks = 40

func (u *undoing) do(ctx context.Context, apply bool) error {
	o := u.call.Options
	o.Policy, o.DryRun, o.Record, o.Inbox = undo.Ordered(o.Policy), !apply, u.record, u
	o.LetThrough = func(fleet.Scope, string) string {
		return "undo the rest an hour later with the same command, or raise limits.maxPerHour in the policy file of --policy"
	}
	of := func(ctx context.Context, account fleet.AccountID) (reconcile.Control[undo.World], error) {
		session, err := u.call.In(ctx, account)
		if err != nil {
			return reconcile.Control[undo.World]{}, err
		}
		return u.plan.Control(undo.Hands{ECS: ecs.New(session), RAM: ram.New(session)}), nil
	}
	bar := u.progress("undoing", len(u.plan.Items))
	defer bar.end()
	err := u.passes(ctx, func(src reconcile.Source) (fleet.Pass, fleet.Cursor, error) {
		sum, next, err := reconcile.Run(ctx, of, src, o)
		bar.add(sum.Refs)
		return sum, next, err
	})
	bar.end()
	if err != nil {
		err = fmt.Errorf("%w\n  go on with: backfill undo --run %s --apply", err, u.plan.Run)
	}
	return errors.Join(u.sum(apply), err)
}

// passes goes over the plan to its end, where a pass may have to stop, and then over what
// has to be looked at again.
func (u *undoing) passes(ctx context.Context, pass func(reconcile.Source) (fleet.Pass, fleet.Cursor, error)) error {
	src := u.plan.Source("")
	for n := 0; ; n++ {
		sum, next, err := pass(src)
		pause := sum.Wait
		switch {
		case err != nil:
			return err
		case next != "":
			src = u.plan.Source(next)
		case len(u.again) == 0:
			return nil
		default:
			src, pause = u.rest(), u.pause
		}
		if u.inside || n == looks {
			return errUnfinished
		}
		if err := u.sleep(ctx, pause); err != nil {
			return err
		}
	}
}

var errUnfinished = errors.New("not all could be taken back yet")

// Again implements reconcile.Inbox.
func (u *undoing) Again(_ context.Context, refs []fleet.Ref, after time.Duration) error {
	if len(u.again) == 0 || after < u.pause {
		u.pause = after
	}
	for _, r := range refs {
		u.again[r.Key()] = r
	}
	return nil
}

// Forward implements reconcile.Inbox.
func (u *undoing) Forward(context.Context, []fleet.Change) error {
	return errors.New("an undo has no owner but itself")
}

// rest yields what has to be looked at again.
func (u *undoing) rest() reconcile.Source {
	by := map[fleet.Scope][]fleet.Ref{}
	for _, r := range u.again {
		by[r.Scope] = append(by[r.Scope], r)
	}
	u.again = map[fleet.Key]fleet.Ref{}
	return func(yield func(fleet.Batch, error) bool) {
		for scope, refs := range by {
			for part := range slices.Chunk(refs, fleet.MaxBatch) {
				if !yield(fleet.Batch{Scope: scope, Refs: part}, nil) {
					return
				}
			}
		}
	}
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
