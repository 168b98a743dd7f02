package sweep

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/memory"
)

// patience is how long a sweep may run before a new one is begun beside it, recent how
// long one that did not end is spoken of.
const (
	patience = 6 * time.Hour
	recent   = memory.Keep
)

// kind begins the run ids of sweeps.
const kind = "sweep"

// Where says what a sweep goes over.
type Where struct {
	// Accounts are those to sweep.
	Accounts []fleet.AccountID
	// Regions returns the regions of an account.
	Regions func(ctx context.Context, account fleet.AccountID) ([]fleet.Region, error)
}

// NewRun returns the id of a run; ids sort by time.
func NewRun(kind string, at time.Time) string {
	return fmt.Sprintf("%s-%s-%s", kind, at.UTC().Format(timeForm), strings.ToLower(rand.Text()[:6]))
}

const timeForm = "20060102T150405Z"

// Begin begins a sweep and wakes its shards. While one is under way, no other is begun:
// its shards are woken again, in case a message was lost. A dry sweep and a real one
// are not in each other's way. It returns the run.
//
// Two that begin at the same moment both run. That costs calls and does no harm.
func (s *Sweep) Begin(ctx context.Context, w Where, dryRun bool) (string, error) {
	running, before, err := s.running(ctx, dryRun)
	if err != nil {
		return "", err
	}
	if running != nil {
		err := s.record(running.Start.Run, running.finding(fleet.NotApplicable, "", "under way: they are woken, and no other sweep is begun"))
		return running.Start.Run, errors.Join(err, s.wake(ctx, running.Start.Run, running.Open))
	}
	run, err := s.begin(ctx, kind, w, before, dryRun)
	if err != nil {
		return "", err
	}
	return run, s.reportOrders(ctx, run, w.Accounts[0], before.At)
}

// Look goes over the fleet like a sweep, to its end, and returns the run. It notifies no
// owner, and no later sweep continues or succeeds it. sleep waits where a shard has to; at
// is called before each pass of a shard, with how many shards have begun.
func (s *Sweep) Look(ctx context.Context, w Where, sleep func(context.Context, time.Duration) error, at func(n, of int)) (string, error) {
	var open []fleet.Ref
	var pause time.Duration
	l := *s
	l.Wake = func(_ context.Context, refs []fleet.Ref, after time.Duration) error {
		open, pause = append(open, refs...), after
		return nil
	}
	run, err := l.begin(ctx, "look", w, Start{}, true)
	for all := len(open); err == nil && len(open) > 0; {
		ref := open[0]
		open, pause = open[1:], 0
		at(max(1, all-len(open)), all)
		switch _, err = l.Shard(ctx, ref); {
		case err != nil:
		case ctx.Err() != nil:
			err = ctx.Err()
		case pause > 0 && len(open) == 1:
			err = sleep(ctx, pause)
		}
	}
	return run, err
}

func (s *Sweep) begin(ctx context.Context, kind string, w Where, before Start, dryRun bool) (string, error) {
	now := s.Options.Meter.Now()
	start := Start{V: Version, Run: NewRun(kind, now), At: now, Policy: s.Options.Stamp.Policy, DryRun: dryRun,
		Before: before.Run, BeforeAt: before.At}
	if err := start.plan(ctx, w); err != nil {
		return "", err
	}
	if err := putJSON(ctx, s.Store, startObject(start.Run), start); err != nil {
		return "", err
	}
	return start.Run, s.wake(ctx, start.Run, start.Shards)
}

// plan cuts the sweep into shards: one for each account and region, and one for what
// each account shares. An account whose regions cannot be determined is no reason to leave
// the others unswept; if that is so of all, the sweep is not begun.
func (s *Start) plan(ctx context.Context, w Where) error {
	var errs []error
	s.Unread = map[fleet.AccountID]string{}
	for _, account := range w.Accounts {
		regions, err := w.Regions(ctx, account)
		if ctx.Err() != nil {
			return fmt.Errorf("finding regions: %w", ctx.Err())
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("finding the regions of account %s: %w", account, err))
			s.Unread[account], regions = err.Error(), []fleet.Region{fleet.UnlistedRegions}
		}
		s.Shards = append(s.Shards, fleet.Scope{Account: account})
		for _, r := range regions {
			s.Shards = append(s.Shards, fleet.Scope{Account: account, Region: r})
		}
	}
	slices.SortFunc(s.Shards, func(a, b fleet.Scope) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	s.Shards = slices.Compact(s.Shards)
	switch {
	case len(s.Shards) == 0:
		return errors.New("there is no account to sweep")
	case len(errs) == len(w.Accounts) && slices.ContainsFunc(errs, passing):
		return errors.Join(errs...)
	}
	return s.check(s.Run)
}

// running is the newest sweep, dry or not, if it has begun lately and not ended. A sweep that
// did not end in time is reported; one that lacks only its report gets it. before is
// the newest one that is not under way any more.
func (s *Sweep) running(ctx context.Context, dryRun bool) (running *Result, before Start, err error) {
	began, err := names(ctx, s.Store, starts+kind+"-", "")
	if err != nil {
		return nil, before, err
	}
	now := s.Options.Meter.Now() // as the cloud's clock has it: names has asked the store
	old := startObject(kind + "-" + now.Add(-recent).UTC().Format(timeForm))
	began = slices.DeleteFunc(began, func(name string) bool { return name < old })
	for _, name := range slices.Backward(began) {
		run := strings.TrimSuffix(strings.TrimPrefix(name, starts), suffix)
		r, err := s.begun(ctx, run)
		switch {
		case errors.As(err, new(*fleet.BadInput)):
			err = s.record(run, fleet.FindingRecord{Rule: "sweep", Outcome: fleet.Fault, Severity: fleet.Medium, Kind: fleet.KindFleet,
				Reason: "a sweep that cannot be read is taken for ended: " + err.Error()})
			if err != nil {
				return nil, before, err
			}
		case err != nil:
			return nil, before, err
		case r.Start.DryRun != dryRun:
		case len(r.Open) == 0:
			return nil, r.Start, nil
		case now.Sub(r.Start.At) > patience:
			return nil, r.Start, s.record(run, r.finding(fleet.Fault, fleet.High, "not ended in time: another sweep is begun, and this one has no report"))
		default:
			return &r, before, nil
		}
	}
	return nil, before, nil
}

// begun reads a sweep, and writes its report if it lacks only that. One that has
// its report has no open shards.
func (s *Sweep) begun(ctx context.Context, run string) (Result, error) {
	start, err := readStart(ctx, s.Store, run)
	if err != nil {
		return Result{}, err
	}
	if reported, err := s.reported(ctx, run); reported || err != nil {
		return Result{Start: start}, err
	}
	r, err := Load(ctx, s.Store, run)
	if err != nil || len(r.Open) > 0 {
		return r, err
	}
	if err := s.last(ctx, start); err != nil {
		return r, s.record(run, r.finding(fleet.Fault, fleet.High, err.Error()))
	}
	return r, nil
}

// finding is one about the sweep as a whole.
func (r Result) finding(o fleet.Outcome, severity fleet.Severity, what string) fleet.FindingRecord {
	return fleet.FindingRecord{Rule: "sweep", Outcome: o, Severity: severity, Account: r.Start.Shards[0].Account, Kind: fleet.KindFleet,
		Reason: fmt.Sprintf("%d of %d shards of sweep %s are open: %s", len(r.Open), len(r.Start.Shards), r.Start.Run, what)}
}

// wake wakes shards of a sweep.
func (s *Sweep) wake(ctx context.Context, run string, shards []fleet.Scope) error {
	refs := make([]fleet.Ref, len(shards))
	for i, scope := range shards {
		refs[i] = shardRef(run, scope)
	}
	if err := s.Wake(ctx, refs, 0); err != nil {
		return fmt.Errorf("waking the shards of sweep %s: %w", run, err)
	}
	return nil
}

// shardRef is the message that wakes a shard.
func shardRef(run string, scope fleet.Scope) fleet.Ref {
	ref := fleet.Ref{Scope: scope, Kind: fleet.KindFleet, Try: fleet.Try{Run: run}}
	if scope.Region == "" {
		ref.Kind = fleet.KindAccount
	}
	return ref
}
