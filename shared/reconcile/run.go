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

// Of gives the control of an account, whose clients have that account's keys. It is asked
// once a pass for each account. An error is that account's alone.
type Of[W any] func(ctx context.Context, account fleet.AccountID) (Control[W], error)

// Same is one control for all accounts.
func Same[W any](c Control[W]) Of[W] {
	return func(context.Context, fleet.AccountID) (Control[W], error) { return c, nil }
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
	// Record takes each record as it is made. It must not keep pointers.
	Record func(fleet.Record) error
	// Stamp is copied into each record: function, run, request, policy digest.
	Stamp fleet.Record
	// DryRun: nothing is written, sent or put back.
	DryRun bool
	// Forward: no change is carried out here; all are forwarded.
	Forward bool
	// LetThrough says how a person has a part of what a stop holds made; nil is
	// [policy.LetThrough].
	LetThrough func(s fleet.Scope, control string) string
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
// What it could not finish is in the inbox or, if the source can go back, named by the
// cursor; then the sum's Stopped says why, and its Wait how long to leave it alone.
//
// The error is not nil only when something was lost without it: the platform
// should try again. Whatever failed for good is in the records.
func Run[W any](ctx context.Context, of Of[W], src Source, o Options) (fleet.Pass, fleet.Cursor, error) {
	r := &run[W]{pass: newPass(o), of: of, controls: map[fleet.AccountID]Control[W]{}}
	next, err := r.all(ctx, src)
	err = errors.Join(err, r.flush(ctx), r.reportHeld())
	if err != nil {
		next = ""
	}
	return r.finish(), next, err
}

// all takes batches until the source or the pass ends, and returns where to continue.
func (r *run[W]) all(ctx context.Context, src Source) (next fleet.Cursor, err error) {
	for b, err := range src {
		if err != nil {
			if err := r.element(err); err != nil {
				return "", err
			}
			continue
		}
		next, err := r.take(ctx, b)
		if err = errors.Join(err, r.flush(ctx)); err != nil || next != "" {
			return next, err
		}
	}
	return "", nil
}

// run is a pass with the controls of the accounts that it has met.
type run[W any] struct {
	*pass
	of       Of[W]
	controls map[fleet.AccountID]Control[W]
}

// take handles one batch. next, when set, ends the pass: that is where to go on.
func (r *run[W]) take(ctx context.Context, b fleet.Batch) (next fleet.Cursor, err error) {
	if why := r.exhausted(ctx); why != "" {
		r.sum.Stopped = why
		if b.At != "" {
			return b.At, nil
		}
		// The rest of a payload has no cursor: it goes to the inbox.
		return "", r.again(b.Refs)
	}
	if err := r.within(ctx, b); err != nil {
		if b.At == "" || !passing(err) || !errors.As(err, new(unseen)) {
			return "", r.unobserved(b, err)
		}
		r.sum.Stopped, r.sum.Wait = err.Error(), retryDelay(err, 0)
		return b.At, nil
	}
	if why := r.exhausted(ctx); why != "" && b.Next != "" {
		r.sum.Stopped = why
		return b.Next, nil
	}
	return "", nil
}

// within handles a batch within the budget of the pass; the first one also beyond it. One
// that needs more than the budget would otherwise be put back for ever.
func (r *run[W]) within(ctx context.Context, b fleet.Batch) error {
	r.o.Meter.Excess(r.sum.Refs == 0)
	defer r.o.Meter.Excess(false)
	return r.batch(ctx, b)
}

// unseen is why a batch could not be observed.
type unseen struct{ error }

func (e unseen) Unwrap() error { return e.error }

func (r *run[W]) batch(ctx context.Context, b fleet.Batch) error {
	c, err := r.control(ctx, b.Scope.Account)
	if err != nil {
		return unseen{err}
	}
	w, err := c.Observe(ctx, b)
	r.delay(b.Refs) // not earlier: only an answer tells the cloud's time
	if err == nil {
		// Not earlier: only now is the cloud's time known.
		found, serr := r.settleOpen(ctx, b.Scope)
		if serr != nil {
			return serr
		}
		if found {
			w, err = c.Observe(ctx, b)
		}
	}
	if err != nil {
		return unseen{err}
	}
	r.sum.Refs += len(b.Refs)
	steps := c.Steps
	if r.o.Forward {
		steps = nil
	}
	return r.carryOut(ctx, steps, b.Scope, c.Decide(w, r.o.Policy))
}

// unreachable is why no control could be had for an account.
type unreachable struct {
	account fleet.AccountID
	cause   error
}

func (e *unreachable) Error() string {
	return fmt.Sprintf("reaching account %s: %v", e.account, e.cause)
}
func (e *unreachable) Unwrap() error { return e.cause }

func (r *run[W]) control(ctx context.Context, account fleet.AccountID) (Control[W], error) {
	c, ok := r.controls[account]
	if ok {
		return c, nil
	}
	c, err := r.of(ctx, account)
	if err != nil {
		return c, &unreachable{account, err}
	}
	r.controls[account] = c
	return c, nil
}

// unobserved handles a batch that could not be read: later, if time may heal it. An
// account that cannot be reached is reported, and the others go on.
func (r *pass) unobserved(b fleet.Batch, err error) error {
	var why unseen
	if !errors.As(err, &why) {
		return err
	}
	r.sum.Refs += len(b.Refs)
	var far *unreachable
	switch {
	case passing(err):
		return r.each(b.Refs, fleet.Verdict{Rule: "observe", Outcome: fleet.Pending, Reason: err.Error()}, err)
	case errors.As(err, &far):
		return r.each(b.Refs, fleet.Verdict{Rule: "observe", Outcome: fleet.Fault, Severity: fleet.High, Reason: err.Error(),
			Remedy: "name the account's role in the policy file, and let it trust this function's role"}, nil)
	}
	return fmt.Errorf("observing %s: %w", b.Scope, why.error)
}

// each records the same of all refs, and puts them back after a while if there is a cause
// that time may heal.
func (r *pass) each(refs []fleet.Ref, v fleet.Verdict, cause error) error {
	again := r.againRef
	if holds(cause) {
		again = r.heldRef
	}
	for _, ref := range refs {
		v.Ref = ref
		if cause != nil {
			v.Again = retryDelay(cause, ref.Try.N)
		}
		err := r.finding(v)
		if v.Again > 0 {
			err = errors.Join(err, again(ref, v.Again))
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
	if asked := fleet.RetryAfter(err); asked > 0 {
		return asked
	}
	return min(firstDelay<<min(max(tries, 0), 8), longestDelay)
}
