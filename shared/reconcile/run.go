package reconcile

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Source yields batches. An error that is a [*fleet.BadInput] or [*fleet.Ignored]
// is recorded and the source goes on; any other error ends the pass.
type Source = iter.Seq2[fleet.Batch, error]

// Act carries out changes of one kind in one scope. It returns one result for each
// change, in their order, and believes no write that it has not read back.
type Act func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result

// Step is one kind of change and how it is carried out.
type Step struct {
	Kind fleet.ChangeKind
	Act  Act
}

// Control is what a function does: how it looks, how it decides, and in which
// order it acts. A change of a kind that no step carries out is forwarded.
type Control[W any] struct {
	Observe func(ctx context.Context, b fleet.Batch) (W, error)
	Decide  func(w W, p *policy.Policy) []fleet.Verdict
	Steps   []Step
}

// Meter is the API side of a pass.
type Meter interface {
	// Now is the cloud's time.
	Now() time.Time
	// Left is how many calls the pass may still send.
	Left() int
	// Calls counts the calls sent, by API and result.
	Calls() map[string]map[string]int
}

// Inbox takes refs to look at again, and changes for other owners.
type Inbox interface {
	// Again puts refs back for another look after that long.
	Again(ctx context.Context, refs []fleet.Ref, after time.Duration) error
	// Forward tells the owners of changes to look. The Ref of each change is what
	// was judged, which need not be what would be changed: the owner judges anew.
	Forward(ctx context.Context, cs []fleet.Change) error
}

// Ledger keeps what is about to be changed, and what became of it.
type Ledger interface {
	// Write stores an entry. It gives an intent its name; what follows an intent has
	// the same.
	Write(ctx context.Context, e *fleet.Entry) error
	// Open yields intents that passes left open, when it is time to look for them. A
	// [*fleet.BadInput] is one that cannot be read.
	Open(ctx context.Context, now time.Time) iter.Seq2[fleet.Entry, error]
}

// Options are what a pass needs beside its control and source.
type Options struct {
	Policy *policy.Policy
	Meter  Meter
	Inbox  Inbox
	// Ledger, when set, has each change before it is made: what it cannot store is
	// not changed.
	Ledger Ledger
	// Record takes each record as it is made. It must not keep pointers.
	Record func(fleet.Record) error
	// Stamp is copied into each record: function, run, request, policy digest.
	Stamp fleet.Record
	// DryRun: nothing is written, sent or put back.
	DryRun bool
	// Margin is how long before ctx's deadline the pass stops taking batches.
	Margin time.Duration
	// CallsPerBatch is how many calls a batch may need; with fewer left the pass
	// stops before taking one.
	CallsPerBatch int
	// Clock tells real time, for durations; nil means time.Now.
	Clock func() time.Time
}

// Run takes batches from src until its end, the margin before the deadline, or the
// end of the call budget. It pulls a batch only when the one before is recorded.
// What it could not finish is in the inbox, or named by the cursor.
//
// The error is not nil only when something was lost without it: the platform
// should try again. Whatever failed for good is in the records.
func Run[W any](ctx context.Context, c Control[W], src Source, o Options) (fleet.Pass, fleet.Cursor, error) {
	r := newPass(o)
	for b, err := range src {
		if err != nil {
			if err := r.element(err); err != nil {
				return r.end(ctx, "", err)
			}
			continue
		}
		if why := r.exhausted(ctx); why != "" {
			r.sum.Stopped = why
			if err := r.again(b.Refs); err != nil {
				return r.end(ctx, "", err)
			}
			if b.Next == "" {
				// The rest of a payload has no cursor: it goes to the inbox as well.
				continue
			}
			return r.end(ctx, b.Next, nil)
		}
		if err := runBatch(ctx, c, b, r); err != nil {
			return r.end(ctx, "", err)
		}
		if err := r.flush(ctx); err != nil {
			return r.finish(), "", err
		}
	}
	return r.end(ctx, "", nil)
}

func runBatch[W any](ctx context.Context, c Control[W], b fleet.Batch, r *pass) error {
	r.sum.Refs += len(b.Refs)
	w, err := c.Observe(ctx, b)
	r.delay(b.Refs) // not earlier: only an answer tells the cloud's time
	if err == nil {
		// Not earlier: only now is the cloud's time known.
		found, serr := settleOpen(ctx, c, r, b.Scope)
		if serr != nil {
			return serr
		}
		if found {
			w, err = c.Observe(ctx, b)
		}
	}
	if err != nil {
		return r.unobserved(b, err)
	}
	return r.carryOut(ctx, c.Steps, b.Scope, c.Decide(w, r.o.Policy))
}

// carryOut does what verdicts ask for, and records it: intent, acts, outcome, lines.
func (r *pass) carryOut(ctx context.Context, steps []Step, s fleet.Scope, verdicts []fleet.Verdict) error {
	plan := newPlan(verdicts, r)
	plan.intend(ctx, steps, s)
	for _, step := range steps {
		plan.carryOut(ctx, s, step)
	}
	plan.conclude(ctx)
	return errors.Join(plan.forward(ctx), plan.record(verdicts))
}

// unobserved handles a batch that could not be read: later, if time may heal it.
func (r *pass) unobserved(b fleet.Batch, err error) error {
	if !fleet.ClassOf(err).Passing() && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("observing %s: %w", b.Scope, err)
	}
	for _, ref := range b.Refs {
		v := fleet.Verdict{Ref: ref, Rule: "observe", Outcome: fleet.Pending, Reason: err.Error(), Again: retryDelay(err, ref.Try.N)}
		if err := errors.Join(r.finding(v), r.againRef(ref, v.Again)); err != nil {
			return err
		}
	}
	return nil
}

// firstDelay and longestDelay bound the wait between looks.
const (
	firstDelay   = 15 * time.Second
	longestDelay = 5 * time.Minute
)

// retryDelay is how long to leave a failing API alone: what it asked for, else a
// doubling wait. ECS counts calls by the minute.
func retryDelay(err error, tries int) time.Duration {
	if asked := fleet.RetryAfter(err); asked > 0 {
		return asked
	}
	return min(firstDelay<<min(max(tries, 0), 8), longestDelay)
}
