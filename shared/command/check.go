package command

import (
	"cmp"
	"context"
	"flag"
	"iter"
	"slices"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

// order is a check that was asked for.
type order struct {
	account  fleet.AccountID
	region   fleet.Region
	controls []string
	event    string
	apply    bool
	wait     time.Duration
	failOn   string
}

// Check judges some resources by all controls.
func Check() Command {
	return Command{Name: "check", Args: "[ID…]", Most: 1000, About: "check instances, or what an event is about, by all controls", Long: `
It checks the instances with these ids, or all that an event names, by each control of the
policy, and shows each finding and the changes that the policy would have made. Nothing is
written. With --apply, what has to be changed is queued for the functions that own the
controls, as "fleetwarden apply" does, and the outcome is awaited.

An event is what a trigger or EventBridge delivers, a record of a trail, the output of
"aliyun actiontrail LookupEvents", or logs of Simple Log Service; also gzipped.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		var o order
		set.StringVar((*string)(&o.account), "account", "", "the `ID` of the account of the instances (default that of the credentials)")
		set.StringVar((*string)(&o.region), "region", "", "the `ID` of the region of the instances (default that of the profile)")
		set.Var(several(&o.controls), "control", "only this `CONTROL` (may be given again, or with commas)")
		if !c.Inside {
			set.StringVar(&o.event, "event", "", "check what this `FILE` has events of; \"-\" reads stdin")
		}
		set.BoolVar(&o.apply, "apply", false, "have the owners make the changes")
		wait, failOn := c.waiting(set), failOnFlag(set)
		return func(ctx context.Context, ids []string) error {
			o.wait, o.failOn = *wait, *failOn
			slices.Sort(ids)
			ids = slices.Compact(ids)
			if err := o.valid(ids); err != nil {
				return err
			}
			return c.check(ctx, o, ids)
		}
	}}
}

// valid checks a command line before anything is read.
func (o order) valid(ids []string) error {
	switch {
	case o.event == "" && len(ids) == 0:
		return Wrong("nothing to check: give instance ids, or --event FILE; see %s check --help", Tool)
	case o.event != "" && len(ids) > 0:
		return Wrong("give either instance ids or --event FILE, not both")
	case o.wait < 0:
		return Wrong("--wait must not be negative")
	}
	if err := knownSeverity(o.failOn); err != nil {
		return err
	}
	for _, id := range ids {
		if !fleet.ValidInstanceID(id) {
			return Wrong("%q is not an instance id such as i-bp67acfmxazb4ph", id)
		}
	}
	return known(o.controls, given(o.account), given(o.region), policy.Controls())
}

func (c *Call) check(ctx context.Context, o order, ids []string) error {
	payload, err := c.readEvent(o.event)
	if err != nil {
		return err
	}
	inv, err := c.Open(ctx)
	switch {
	case err != nil:
		return err
	case o.apply && inv.Store == nil:
		return c.missingLedger()
	}
	inv.Options.Stamp.Run = sweep.NewRun("check", inv.Session.Now())
	inv.Options.Policy = inv.Options.Policy.Only(o.controls)
	if o.event == "" && !slices.ContainsFunc(policy.Controls(), func(control string) bool {
		return control != policy.ControlShareRole && inv.Options.Policy.ModeOf(control) != policy.Off
	}) {
		return Wrong("no control of instances is on: see --control, and the policy file")
	}
	at := fleet.Scope{Account: cmp.Or(o.account, inv.Home.Account), Region: cmp.Or(o.region, c.Region, inv.Home.Region)}
	if o.event == "" && !inv.Options.Policy.Guards(at) {
		return Wrong("the policy does not guard %s", at)
	}
	if o.apply {
		if err := c.owners(ctx); err != nil {
			return err
		}
	}
	k := newChecking(c, inv)
	k.applies = o.apply
	batches := k.inEvent(payload)
	if o.event == "" {
		if err := present(ctx, inv, at, ids); err != nil {
			return err
		}
		batches = named(at, ids)
	}
	if err := k.run(ctx, batches, c.Show); err != nil {
		return err
	}
	if err := k.apply(ctx, o); err != nil {
		return err // what failed is not clean, whatever was found
	}
	return k.found(o.failOn)
}

// batch is one of a source.
type batch struct {
	fleet.Batch
	err error
}

func named(at fleet.Scope, ids []string) iter.Seq[batch] {
	return func(yield func(batch) bool) {
		for part := range slices.Chunk(ids, fleet.MaxBatch) {
			b := fleet.Batch{Scope: at}
			for _, id := range part {
				b.Refs = append(b.Refs, fleet.Ref{Scope: at, Kind: fleet.KindInstance, ID: id})
			}
			if !yield(batch{Batch: b}) {
				return
			}
		}
	}
}

func (k *checking) inEvent(payload []byte) iter.Seq[batch] {
	var owners []fleet.Function
	for _, name := range fleet.Owners() {
		owners = append(owners, fleet.FunctionNamed(name))
	}
	return func(yield func(batch) bool) {
		for b, err := range events.Batches(events.Decode(payload), k.inv, owners...) {
			if !yield(batch{b, err}) {
				return
			}
		}
	}
}
