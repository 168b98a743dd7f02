package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/policy"
)

// session runs passes until nothing is pending or the wait is over.
type session struct {
	f       invocation.Function
	fl      flags
	env     Env
	cloud   *aliyun.Cloud
	policy  *policy.Policy
	home    fleet.Scope
	out     output
	process invocation.Process
	run     string // names this command's passes in records and ledger
}

func (t *session) untilSettled(ctx context.Context, payload []byte) error {
	left, bad := t.fl.wait, 0
	for {
		inbox := &collected{}
		sum, err := t.pass(ctx, payload, inbox)
		bad += sum.Bad
		switch {
		case err != nil:
			return err
		case len(inbox.refs) == 0:
			return unread(bad)
		case left <= 0 && t.f.Wakes == nil:
			return errors.Join(unread(bad), t.out.note(fmt.Sprintf("%d pending: run it again later, or wait with --apply --wait 5m", len(inbox.refs))))
		}
		pause := inbox.soonest
		if t.f.Wakes == nil {
			pause = min(pause, left)
			left -= pause
		}
		if err := t.out.note(fmt.Sprintf("%d pending; next check in %s", len(inbox.refs), pause)); err != nil {
			return err
		}
		if err := t.cloud.Wait(ctx, pause); err != nil {
			return fmt.Errorf("waiting: %w", err)
		}
		if payload, err = json.Marshal(fleet.Messages(inbox.refs)); err != nil {
			return fmt.Errorf("writing a message: %w", err)
		}
	}
}

// unread is the error for elements that are faults in the output.
func unread(n int) error {
	switch n {
	case 0:
		return nil
	case 1:
		return errors.New("1 element could not be read")
	}
	return fmt.Errorf("%d elements could not be read", n)
}

// pass runs one pass, and writes its results.
func (t *session) pass(ctx context.Context, payload []byte, inbox *collected) (fleet.Pass, error) {
	s := t.cloud.NewSession(0)
	s.Limit(t.policy.Pacing.Calls)
	inv := t.process.Open(t.home, s, t.policy, ledger.Pass{Function: t.f.Name, Request: t.run, Payload: payload})
	inv.Options.Inbox, inv.Options.Record = inbox, t.out.record
	inv.Options.DryRun, inv.Options.Forward = !t.fl.apply, t.f.Writers != invocation.ManyWriters
	inbox.deployed = t.deployed(inv)
	sum, err := t.f.Handle(ctx, inv)
	if err != nil {
		return sum, err
	}
	stamp := inv.Options.Stamp
	stamp.Type, stamp.Time, stamp.Pass = "pass", s.Now(), &sum
	return sum, t.out.record(stamp)
}

// deployed returns a function that sends changes to the inbox of the deployed function,
// which makes them; nil for a function whose changes the terminal makes itself.
func (t *session) deployed(inv *invocation.Invocation) func(context.Context, []fleet.Change) error {
	if t.f.Writers == invocation.ManyWriters {
		return nil
	}
	return func(ctx context.Context, cs []fleet.Change) error {
		byRegion := map[fleet.Region][]fleet.Ref{}
		for _, c := range cs {
			region := c.Ref.Scope.Region
			if t.f.Writers == invocation.OneAtHome {
				region = inv.HomeOf("").Region
			}
			if !slices.ContainsFunc(byRegion[region], func(r fleet.Ref) bool { return r.Key() == c.Ref.Key() }) {
				byRegion[region] = append(byRegion[region], c.Ref)
			}
		}
		for _, region := range slices.Sorted(maps.Keys(byRegion)) {
			inbox, err := inv.InboxIn(t.f.Name, region)
			if err == nil {
				err = inbox.Enqueue(ctx, t.f.Name, byRegion[region])
			}
			if fleet.ClassOf(err) == fleet.NotFound {
				return fmt.Errorf("%s is not deployed in %s, and only it makes its changes: %w", t.f.Name, region, err)
			}
			if err != nil {
				return fmt.Errorf("sending to the inbox of %s in %s: %w", t.f.Name, region, err)
			}
			if err := t.out.note(fmt.Sprintf("%d sent to the inbox of %s in %s; the deployed function makes the changes, one pass at a time", len(byRegion[region]), t.f.Name, region)); err != nil {
				return err
			}
		}
		return nil
	}
}

// collected is the inbox of a terminal: it keeps the refs to check again.
type collected struct {
	refs    []fleet.Ref
	soonest time.Duration
	// deployed sends changes to the deployed function; nil where there is none.
	deployed func(context.Context, []fleet.Change) error
}

// Again implements reconcile.Inbox.
func (c *collected) Again(_ context.Context, refs []fleet.Ref, after time.Duration) error {
	if len(c.refs) == 0 || after < c.soonest {
		c.soonest = after
	}
	c.refs = append(c.refs, refs...)
	return nil
}

// Forward implements reconcile.Inbox.
func (c *collected) Forward(ctx context.Context, cs []fleet.Change) error {
	if c.deployed != nil {
		return c.deployed(ctx, cs)
	}
	kinds := make([]string, len(cs))
	for i, ch := range cs {
		kinds[i] = string(ch.Kind)
	}
	slices.Sort(kinds)
	return fmt.Errorf("changes of kind %v belong to another function; run that one", slices.Compact(kinds))
}
