package sweep

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/reconcile"
)

// Lister reads the instances of one account in a region, page by page, at most
// [fleet.MaxBatch] a page. The first token is empty; next is empty after the last page.
type Lister interface {
	Page(ctx context.Context, s fleet.Scope, token string) (page []fleet.Instance, next string, err error)
}

// Sweep is what a pass of a sweep works with.
type Sweep struct {
	Store ledger.Store
	// Fleet and Shares observe and decide. Steps that they have are not taken.
	Fleet  reconcile.Of[*fleet.World]
	Shares reconcile.Of[*fleet.ShareWorld]
	// Lister lists the instances of an account.
	Lister func(ctx context.Context, account fleet.AccountID) (Lister, error)
	// Enqueue puts refs into the inbox of a function in a region; an empty region is the
	// home region. An error of class NotFound says that there is no such inbox.
	Enqueue func(ctx context.Context, function string, region fleet.Region, refs []fleet.Ref) error
	// Wake sends messages that wake shards after that long.
	Wake func(ctx context.Context, refs []fleet.Ref, after time.Duration) error
	// Settle yields intents that a pass left open and that are about resources of a scope.
	Settle func(ctx context.Context, now time.Time, scope fleet.Scope) iter.Seq2[fleet.Entry, error]
	// Publish writes the report of a sweep that has ended, the summary last; nil writes
	// none. It may be called again for the same sweep, also by two passes at once: what
	// it finds written is as good as its own. Its context ends Options.Margin before the
	// pass does, and then the next pass publishes: all of a report has to fit into one.
	Publish func(ctx context.Context, r Result) error
	// Log takes the records that the report has as well; nil is Options.Record.
	Log func(fleet.Record) error
	// Options are those of the pass: policy, meter, record, stamp, margin.
	Options reconcile.Options
}

// A shard is given up after maxAttempts attempts, or after maxTries passes without progress if
// no pass made progress for maxIdle. The last progress is read from the store, because a
// message can claim any number of tries.
const (
	maxAttempts = 3
	maxTries    = 40
	maxIdle     = time.Hour
)

// Shard continues a shard until it has ended, or the pass has to. The error is not
// nil only when the shard would be lost without it: the platform should try again.
func (s *Sweep) Shard(ctx context.Context, ref fleet.Ref) (fleet.Pass, error) {
	p, err := find(ctx, s.Store, ref)
	if err != nil {
		return fleet.Pass{Ignored: 1}, s.astray(ctx, ref, err)
	}
	p.spent = calls(s.Options.Meter.Calls()).plus(nil)
	err = p.resume(ctx, s.Store)
	if p.ended {
		// The pass that ended the last shard may not have come to write the report.
		sum := fleet.Pass{Ignored: 1, Stopped: fmt.Sprintf("shard %s of sweep %s has ended", p.scope, p.start.Run)}
		if err = s.last(ctx, p.start); err != nil && passing(err) && p.tries < maxTries {
			err = s.again(ctx, p, retryAfter(err))
		}
		return sum, err
	}
	p.tired = p.tries >= maxTries && s.Options.Meter.Now().Sub(p.since) >= maxIdle
	var sum fleet.Pass
	if err == nil {
		sum, err = s.look(ctx, &p)
	}
	if err == nil && p.read {
		err = s.finish(ctx, p, p.unread())
		if err == nil {
			return sum, nil
		}
	}
	if sum.Stopped == "" && err != nil {
		sum.Stopped = err.Error()
	}
	return sum, s.stopped(ctx, p, sum, err)
}

// stopped gives up a shard that a pass could not bring to its end, or has another pass try.
func (s *Sweep) stopped(ctx context.Context, p progress, sum fleet.Pass, err error) error {
	switch {
	case errors.Is(err, errTaken):
		// It is in the other pass's hands, unless that one died.
		return s.again(ctx, p, ledger.LongestPass)
	case err != nil && !passing(err) && errors.As(err, new(ours)):
		return err
	case err != nil && !passing(err):
		return s.finish(ctx, p, err.Error())
	case p.tired && !p.wrote:
		return s.finish(ctx, p, "it came no further: "+sum.Stopped)
	}
	return s.again(ctx, p, max(sum.Wait, retryAfter(err)))
}

// longestPause bounds the wait between passes that come no further, of which each waits
// twice as long as the one before.
const longestPause = 5 * time.Minute

// again sends the message that wakes the shard for its next pass.
func (s *Sweep) again(ctx context.Context, p progress, wait time.Duration) error {
	ref := shardRef(p.start.Run, p.scope)
	ref.Try.N = 1
	if !p.wrote {
		ref.Try.N = p.tries + 1
		wait = max(wait, min(time.Second<<min(p.tries, 9), longestPause))
	}
	if err := s.Wake(ctx, []fleet.Ref{ref}, wait); err != nil {
		return fmt.Errorf("waking shard %s of sweep %s: %w", p.scope, p.start.Run, err)
	}
	return nil
}

// retryAfter is how long to leave what failed alone.
func retryAfter(err error) time.Duration {
	if asked := fleet.RetryAfter(err); asked > 0 {
		return asked
	}
	if err == nil || fleet.ClassOf(err) == fleet.OutOfBudget {
		return time.Second
	}
	return 15 * time.Second
}

// passing reports whether time may heal a failure, or newer code.
func passing(err error) bool {
	return fleet.ClassOf(err).Passing() || errors.Is(err, errNewer) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// astray handles a message whose shard does not exist or cannot be read.
func (s *Sweep) astray(ctx context.Context, ref fleet.Ref, err error) error {
	f := fleet.FindingRecord{Rule: "sweep", Outcome: fleet.NotApplicable, Account: ref.Scope.Account, Region: ref.Scope.Region,
		Kind: ref.Kind, Reason: err.Error()}
	tries := max(ref.Try.N, 0)
	switch {
	case errors.As(err, new(*errNoShard)):
	case errors.Is(err, errNewer) && tries < maxTries:
		again := shardRef(ref.Try.Run, ref.Scope)
		again.Try.N = tries + 1
		return s.Wake(ctx, []fleet.Ref{again}, longestPause)
	case errors.As(err, new(*fleet.BadInput)):
		f.Outcome, f.Severity = fleet.Fault, fleet.Medium
	default:
		return err
	}
	return s.record("", f)
}
