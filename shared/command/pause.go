package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/pause"
	"fleetwarden/shared/policy"
)

// ordering is a command line that orders a pause, or to resume.
type ordering struct {
	fleet.Order
	dry bool
}

func (o *ordering) bind(set *flag.FlagSet, verb string) {
	set.StringVar(&o.Control, "control", "", "only this `CONTROL`: "+strings.Join(policy.Controls(), ", "))
	set.StringVar((*string)(&o.Account), "account", "", "only in the account with this `ID`")
	set.StringVar(&o.Reason, "reason", "", "`TEXT` that says why, for all who read the finding")
	set.BoolVar(&o.dry, "dry-run", false, "show what would be "+verb+", and order nothing")
}

func (o *ordering) valid() error {
	if !pause.ValidReason(o.Reason) {
		return Wrong("give a --reason: one line of text in UTF-8, of at most %d bytes", pause.MaxReason)
	}
	return known(given(o.Control), given(o.Account), nil, policy.Controls())
}

// Pause stops changes for a time.
func Pause() Command {
	return Command{Name: "pause", About: "stop changes for a time, without a deployment", Long: `
It has the functions make no changes: of one control, in one account, or at all. They check
and report as before. They read the order right before they would change something, at
most 30 seconds after another reading, and again before each batch; what is stopped is
done after the end of the pause. An undo is not stopped.

  fleetwarden pause --for 2h --reason "agents break the build hosts"
  fleetwarden pause --control agent --account 1000000000000002 --for 30m --reason "..."

--list shows what is paused. A pause that should last longer than 72h is a change of the
policy file. A pause is a finding of severity high that names its caller.

A pause needs no policy file: where that cannot be read, the region of the profile is taken for
the home region. To resume needs one.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		var o ordering
		o.bind(set, "paused")
		length := set.Duration("for", 0, "for this `TIME`, such as 2h or 30m, and 72h at most")
		list := set.Bool("list", false, "show what is paused, and order nothing")
		return func(ctx context.Context, _ []string) error {
			if *list {
				if o != (ordering{}) || *length != 0 {
					return Wrong("--list is given alone")
				}
				return c.pauses(ctx)
			}
			if *length <= 0 || *length > pause.MaxFor {
				return Wrong("give --for TIME, such as 2h, and 72h at most; see %s pause --help", Tool)
			}
			if err := o.valid(); err != nil {
				return err
			}
			return c.pause(ctx, o, *length)
		}
	}}
}

// Resume ends pauses.
func Resume() Command {
	return Command{Name: "resume", About: "end a pause before its time", Long: `
It ends the pauses of a control, or in an account, or all of them, whoever ordered them. A
wider pause ends for what is named alone. What is waiting for the end that was ordered
waits until then, unless it is checked before: see fleetwarden sweep --apply.

  fleetwarden resume --reason "the agent is repaired"
  fleetwarden resume --control agent --reason "..."`, Bind: func(c *Call, set *flag.FlagSet) Run {
		o := ordering{Order: fleet.Order{Resume: true}}
		o.bind(set, "resumed")
		return func(ctx context.Context, _ []string) error {
			if err := o.valid(); err != nil {
				return err
			}
			return c.resume(ctx, o)
		}
	}}
}

// pause stops changes also while an order, or the policy file, cannot be read. The functions go
// by the policies in their packages: an order decides nothing by the file.
func (c *Call) pause(ctx context.Context, o ordering, length time.Duration) error {
	c.Lenient = true
	inv, err := c.start(ctx, "pause")
	if err != nil {
		return err
	}
	if c.NoPolicy != nil {
		c.Note("the policy file could not be read, which a pause does not need: %v", c.NoPolicy)
	}
	orders, err := pause.Read(ctx, inv.Store, inv.Session.Now())
	if err != nil {
		c.Note("%v", err)
	}
	o.At = orders.Next(inv.Session.Now())
	o.Until = o.At.Add(length)
	if o.Account != "" && c.NoPolicy == nil && !inv.Options.Policy.Knows(o.Account) {
		c.Note("the policy has no account %s: nothing is changed there anyway", o.Account)
	}
	return c.order(ctx, inv, o)
}

func (c *Call) resume(ctx context.Context, o ordering) error {
	inv, err := c.start(ctx, "resume")
	if err != nil {
		return err
	}
	orders, err := pause.Read(ctx, inv.Store, inv.Session.Now())
	if err != nil {
		return err
	}
	o.At = orders.Next(inv.Session.Now())
	if !orders.Ends(o.Order) {
		c.Note("none of it is paused: nothing was ordered")
		return nil
	}
	return c.order(ctx, inv, o)
}

// order gives an order, unless the run is dry, and shows it.
func (c *Call) order(ctx context.Context, inv *invocation.Invocation, o ordering) error {
	// A pause is ordered also where it could not be determined that the functions see it: it may
	// stop them, and the status is not that of success.
	unseen := c.owners(ctx)
	if unseen != nil && (o.Resume || o.dry || errors.As(unseen, new(Elsewhere))) {
		return unseen
	}
	o.By = inv.Caller
	if !o.dry {
		var err error
		if o.Order, err = pause.Give(ctx, inv.Store, o.Order); err != nil {
			return fmt.Errorf("%w\n  an operator's right to do it: oss:PutObject on %s*", err, inv.Place.Address(pause.Folder))
		}
	}
	if err := c.Show(ordered(inv, o.Order)); err != nil {
		return err
	}
	switch {
	case unseen != nil:
		return fmt.Errorf("it is ordered in %s, and whether the functions look there could not be determined: %w", inv.Place.Address(pause.Folder), unseen)
	case o.dry:
		c.Note("a dry run: nothing was ordered")
	case o.Resume:
		c.Note("the functions notice within 30 seconds")
	default:
		c.Note("the functions notice within 30 seconds, before their next batch of changes")
	}
	return nil
}

// pauses shows the pauses that still last.
func (c *Call) pauses(ctx context.Context) error {
	c.Lenient = true
	inv, err := c.start(ctx, "pause")
	if err != nil {
		return err
	}
	now := inv.Session.Now()
	orders, err := pause.Read(ctx, inv.Store, now)
	if err != nil {
		return err
	}
	last := orders.Since(now, now)
	for _, o := range slices.Backward(last) {
		if err := c.Show(ordered(inv, pause.Fill(ctx, inv.Store, o))); err != nil {
			return err
		}
	}
	if len(last) == 0 {
		c.Note("nothing is paused")
	}
	return nil
}

// ordered is the finding about an order.
func ordered(inv *invocation.Invocation, o fleet.Order) fleet.Record {
	r := inv.Options.Stamp
	f := pause.Finding(o, inv.HomeOf(""))
	r.Type, r.Time, r.Finding = "finding", inv.Session.Now(), &f
	return r
}
