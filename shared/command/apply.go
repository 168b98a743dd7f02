package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"fleetwarden/shared/controls/all"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/memory"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/pause"
)

// Apply has the owners of the controls carry a saved plan out.
func Apply() Command {
	return Command{Name: "apply", About: "have the owners carry a saved plan out, and wait for it", Long: `
It checks each resource of the plan again, and queues those that are still as planned for
the function that owns the control. That function checks, decides and acts, within its own
rights and the policy's mode. A resource that has changed since is left out as stale; one
that would exceed the policy's limits, or whose control is paused or in audit, is held. Then it
waits for the functions' records in the ledger. Applying a plan again continues it.

Exit status 1 means that something failed, is held, has changed in another way than
planned, or is open when the waiting ends.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		id := set.String("plan", "", "the plan: its `ID`, or the file that has it")
		dry := set.Bool("dry-run", false, "check again, and show what would be queued; queue nothing")
		wait := c.waiting(set)
		return func(ctx context.Context, _ []string) error {
			if *id == "" || *wait < 0 {
				return Wrong("give --plan ID, and no negative --wait; see %s apply --help", Tool)
			}
			if *id == Latest {
				return Wrong("a plan that is applied is named, so that it is the one that was read: see %s runs", Tool)
			}
			return c.applySaved(ctx, *id, *dry, *wait)
		}
	}}
}

func (c *Call) applySaved(ctx context.Context, id string, dry bool, wait time.Duration) error {
	inv, err := c.start(ctx, "apply")
	if err != nil {
		return err
	}
	p, err := c.openPlan(ctx, inv, id)
	if err != nil {
		return err
	}
	return c.apply(ctx, inv, p, dry, wait)
}

func (c *Call) apply(ctx context.Context, inv *invocation.Invocation, p plan.Plan, dry bool, wait time.Duration) error {
	past := memory.Reader{Store: inv.Store, Now: inv.Session.Now}
	checker := plan.Checker{Fleet: all.Fleet(inv, past), Shares: all.Shares(inv), Paused: pausesOf(inv)}
	a := &application{Call: c, inv: inv, plan: p, checker: checker, waits: wait > 0}
	return a.do(ctx, dry, wait)
}

// pausesOf reads what is paused whenever a plan is checked.
func pausesOf(inv *invocation.Invocation) func(context.Context) (plan.Paused, error) {
	return func(ctx context.Context) (plan.Paused, error) {
		orders, err := pause.Read(ctx, inv.Store, inv.Session.Now())
		return func(control string, account fleet.AccountID) string {
			o, ok := orders.On(control, account, inv.Session.Now())
			if !ok {
				return ""
			}
			return pause.Fill(ctx, inv.Store, o).Sentence()
		}, err
	}
}

// openPlan reads a plan from the ledger or, if its id is the name of a file, from that file.
func (c *Call) openPlan(ctx context.Context, inv *invocation.Invocation, id string) (plan.Plan, error) {
	if c.Inside || !strings.ContainsAny(id, "./\\") {
		return savedPlan(ctx, inv.Store, id)
	}
	text, err := os.ReadFile(id)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("reading the plan: %w", err)
	}
	p, err := plan.Decode(text)
	if err != nil {
		return p, fmt.Errorf("reading the plan %s: %w", id, err)
	}
	return p, nil
}

// application is a plan that is being applied.
type application struct {
	*Call
	inv     *invocation.Invocation
	plan    plan.Plan
	checker plan.Checker
	waits   bool // for the outcomes
}

func (a *application) run() string { return a.inv.Options.Stamp.Run }

func (a *application) do(ctx context.Context, dry bool, wait time.Duration) error {
	bar := a.Progress("checking again", len(a.plan.Items))
	all, err := a.checker.Check(ctx, a.plan, a.inv.Options.Policy, bar.Add)
	bar.End()
	switch {
	case ctx.Err() != nil:
		return errors.New("stopped while checking again; nothing was queued")
	case err != nil:
		return fmt.Errorf("%w; nothing was queued", err)
	}
	if dry {
		return a.summarize(all, nil)
	}
	if err := a.owners(ctx); err != nil {
		return err
	}
	if fresh(all) == 0 {
		return a.summarize(all, &plan.Awaited{})
	}
	began := a.inv.Session.Now()
	note := plan.Applied{Run: a.run(), Plan: a.plan.ID, Digest: a.plan.Digest, At: began, Queued: fresh(all)}
	if err := plan.Note(ctx, a.inv.Store, note); err != nil {
		return err
	}
	if _, err := plan.Enqueue(ctx, all, a.run(), a.inv.Enqueue); err != nil {
		return fmt.Errorf("%w\n  some may be queued: see fleetwarden show %s\n  continue with: fleetwarden apply --plan %s", err, a.run(), a.plan.ID)
	}
	awaited := plan.Await(a.inv.Store, a.run(), began, all)
	if err := a.wait(ctx, awaited, wait); err != nil {
		return err
	}
	return a.summarize(all, awaited)
}

func fresh(all []plan.Check) int {
	n := 0
	for _, s := range all {
		if s.Fresh() {
			n++
		}
	}
	return n
}

// wait waits for the owners' records, at most for the patience.
func (a *application) wait(ctx context.Context, w *plan.Awaited, patience time.Duration) error {
	bar := a.Progress("waiting for the owners", len(w.Outcomes))
	defer bar.End()
	err := w.Wait(ctx, patience, a.inv.Session.Cloud().Wait, a.again, bar.Add)
	switch open := w.Open(); {
	case err != nil && ctx.Err() != nil:
		return a.stopped(open)
	case err != nil:
		return fmt.Errorf("waiting for %d: %w\n  the owners continue: see fleetwarden show %s", open, err, a.run())
	}
	return nil
}

// stopped is the error if the operator stops the waiting.
func (a *application) stopped(open int) error {
	return fmt.Errorf("stopped waiting for %d; the owners continue\n  see it:         fleetwarden show %s\n  undo it:        fleetwarden undo --run %s\n  continue with:  fleetwarden apply --plan %s",
		open, a.run(), a.run(), a.plan.ID)
}

func (a *application) again(ctx context.Context, items []plan.Item) ([]plan.Check, error) {
	p := a.plan
	p.Items = items
	return a.checker.Check(ctx, p, a.inv.Options.Policy, func(int) {})
}
