package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Act carries out changes of one kind in one scope. It returns one result for each
// change, in their order, and believes no write that it has not read back.
type Act func(ctx context.Context, s fleet.Scope, cs []fleet.Change) []fleet.Result

// Step is one kind of change and how it is carried out.
type Step struct {
	Kind fleet.ChangeKind
	Act  Act
}

// Meter is the API side of a pass.
type Meter interface {
	// Now is the cloud's time.
	Now() time.Time
	// Left is how many calls the pass may still send.
	Left() int
	// Excess allows or forbids calls beyond that.
	Excess(allowed bool)
	// Calls counts the calls sent, by API and result.
	Calls() map[string]map[string]int
}

// Inbox takes refs to look at again, and changes for other owners.
type Inbox interface {
	// Again puts refs back for another look after that long.
	Again(ctx context.Context, refs []fleet.Ref, after time.Duration) error
	// Forward has the owners of changes check. The Ref of each change is what
	// was judged, which need not be what would be changed: the owner judges again.
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
	// Allow takes as many of a's changes as the hour lets through, of most in all
	// passes; without an error they count until they are released.
	Allow(ctx context.Context, a fleet.Allowance, most int) (fleet.Allowance, error)
	// Release gives n changes of an allowance back.
	Release(ctx context.Context, a fleet.Allowance, n int) error
}

// Options are what a pass needs beside its control and source.
type Options struct {
	Policy *policy.Policy
	Meter  Meter
	Inbox  Inbox
	// Ledger, when set, has each change before it is made: what it cannot store is
	// not changed. Without one, an hour's limit holds for this pass alone.
	Ledger Ledger
	// Pauses, when set, is asked before each batch of changes. Without it nothing is paused,
	// as for an undo.
	Pauses Pauses
	// Record takes each record as it is made. It must not keep pointers.
	Record func(fleet.Record) error
	// Stamp is copied into each record: function, run, request, policy digest.
	Stamp fleet.Record
	// DryRun: nothing is written, sent or re-queued.
	DryRun bool
	// LetThrough says how a person has a part of what a stop holds made; nil is
	// [policy.LetThrough].
	LetThrough func(s fleet.Scope, control string) string
	// Margin is how long before ctx's deadline the pass stops taking batches.
	Margin time.Duration
	// CallsPerBatch is how many calls a batch may need; with fewer left the pass
	// stops before taking one.
	CallsPerBatch int
	// Clock is real time, for durations; nil means time.Now.
	Clock func() time.Time
}

// filled returns o with its defaults.
func (o Options) filled() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.LetThrough == nil {
		o.LetThrough = policy.LetThrough
	}
	return o
}

// Run judges the batches of src and carries out what is decided, each before the next is
// taken, until the source's end, the margin before the deadline, or the end of the call
// budget. What it could not finish is in the inbox or, if the source can go back, named by
// the cursor; then the sum's Stopped says why, and its Wait how long to leave it alone.
//
// The error is not nil only when something was lost without it: the platform
// should try again. Whatever failed for good is in the records.
func Run[W any](ctx context.Context, of Of[W], src Source, o Options) (fleet.Pass, fleet.Cursor, error) {
	r := &run[W]{newPass(o), NewJudge(of, o)}
	next, err := r.all(ctx, src)
	err = errors.Join(err, r.flush(ctx), r.reportHeld())
	if err != nil {
		next = ""
	}
	return r.Sum(), next, err
}

// run is a pass and its judge.
type run[W any] struct {
	*pass
	judge *Judge[W]
}

// all takes batches until the source or the pass ends, and returns where to continue.
func (r *run[W]) all(ctx context.Context, src Source) (next fleet.Cursor, err error) {
	for judged, err := range r.judge.Batches(ctx, src) {
		next, err := r.take(ctx, judged, err)
		if err = errors.Join(err, r.flush(ctx)); err != nil || next != "" {
			return next, err
		}
	}
	return "", nil
}

// take carries out what was decided on a batch. next, when set, ends the pass: that is where
// to continue.
func (r *run[W]) take(ctx context.Context, judged Judged[W], err error) (next fleet.Cursor, _ error) {
	var not *Unjudged
	switch {
	case errors.As(err, &not):
		return r.unjudged(not)
	case err != nil:
		return "", r.Element(err)
	}
	b := judged.Batch
	found, err := r.settleOpen(ctx, b.Scope)
	if err != nil {
		return "", err
	}
	if found { // the world may have changed
		if judged, err = r.judge.judge(ctx, b); errors.As(err, &not) {
			return r.unjudged(not)
		}
	}
	r.Judged(b.Refs)
	return "", r.carry(ctx, judged.Batch.Scope, judged.control.Steps, judged.Verdicts)
}

// unjudged handles a batch that was not judged: later, if time may heal it. An account that
// cannot be reached is reported, and the others continue.
func (r *pass) unjudged(u *Unjudged) (next fleet.Cursor, err error) {
	stopped, wait, ok := u.Stops()
	if ok {
		r.sum.Stopped, r.sum.Wait = stopped, wait
		return u.Batch.At, nil
	}
	if errors.As(u.Err, new(spent)) {
		r.sum.Stopped = u.Error()
		return "", r.again(u.Batch.Refs) // the rest of a payload has no cursor
	}
	return "", r.unobserved(u.Batch, u.Err)
}

func (r *pass) unobserved(b fleet.Batch, err error) error {
	r.Judged(b.Refs)
	var far *unreachable
	switch {
	case passing(err):
		return r.each(b.Refs, fleet.Verdict{Rule: "observe", Outcome: fleet.Pending, Reason: err.Error()}, err)
	case errors.As(err, &far):
		return r.each(b.Refs, fleet.Verdict{Rule: "observe", Outcome: fleet.Fault, Severity: fleet.High, Reason: err.Error(),
			Remedy: "name the account's role in the policy file, and let it trust this function's role"}, nil)
	}
	return fmt.Errorf("observing %s: %w", b.Scope, err)
}

// each records the same of all refs, and puts them back after a while if there is a cause
// that time may heal.
func (r *pass) each(refs []fleet.Ref, v fleet.Verdict, cause error) error {
	for _, ref := range refs {
		v.Ref = ref
		if cause != nil {
			v.Again = retryDelay(cause, ref.Try.N)
		}
		err := r.Finding(v)
		if v.Again > 0 {
			err = errors.Join(err, r.againRef(ref, v.Again, holds(cause)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// passing: time may heal it.
func passing(err error) bool {
	return fleet.ClassOf(err).Passing() || errors.Is(err, context.DeadlineExceeded)
}

// firstDelay and longestDelay bound the wait between looks.
const (
	firstDelay   = 15 * time.Second
	longestDelay = 5 * time.Minute
)

// retryDelay is how long to leave a failing API alone: what it asked for, else a
// doubling wait. ECS counts calls by the minute.
func retryDelay(err error, tries int) time.Duration {
	return cmp.Or(fleet.RetryAfter(err), min(firstDelay<<min(max(tries, 0), 8), longestDelay))
}
