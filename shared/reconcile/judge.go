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

// Source yields batches. An error that is a [*fleet.BadInput] or [*fleet.Ignored] is one of
// an element alone, and the source continues; any other error is its last.
type Source = iter.Seq2[fleet.Batch, error]

// Control is what a function does: how it observes, how it decides, and in which
// order it acts. A change of a kind that no step carries out is forwarded.
type Control[W any] struct {
	Observe func(ctx context.Context, b fleet.Batch) (W, error)
	Decide  func(w W, p *policy.Policy) []fleet.Verdict
	// InPlace reports whether the effect of a change is observed; nil: of none.
	InPlace func(w W, c fleet.Change) bool
	Steps   []Step
}

// Of gives the control of an account, whose clients have that account's keys. It is asked
// once a pass for each account. An error is that account's alone.
type Of[W any] func(ctx context.Context, account fleet.AccountID) (Control[W], error)

// Judged is a batch, what was observed of it, and what was decided on it.
type Judged[W any] struct {
	Batch    fleet.Batch
	World    W
	Verdicts []fleet.Verdict

	control Control[W]
}

// inPlace reports whether the effect of a change is observed.
func (j Judged[W]) inPlace(c fleet.Change) bool {
	return j.control.InPlace != nil && j.control.InPlace(j.World, c)
}

// Unjudged is a batch that was not judged, and why.
type Unjudged struct {
	Batch fleet.Batch
	Err   error
}

// Error returns why.
func (u *Unjudged) Error() string { return u.Err.Error() }

// Unwrap returns why.
func (u *Unjudged) Unwrap() error { return u.Err }

// Stops returns the state of a pass that ends at the batch and resumes there later; ok is
// false where the batch has no cursor, or where time does not help.
func (u *Unjudged) Stops() (stopped string, wait time.Duration, ok bool) {
	if u.Batch.At == "" || !passing(u.Err) {
		return "", 0, false
	}
	if !errors.As(u.Err, new(spent)) {
		wait = retryDelay(u.Err, 0)
	}
	return u.Error(), wait, true
}

// spent is why no further batch is taken.
type spent string

func (s spent) Error() string { return string(s) }

// Class is [fleet.OutOfBudget].
func (spent) Class() fleet.Class { return fleet.OutOfBudget }

// Judge observes and decides, and changes nothing. It serves one pass.
type Judge[W any] struct {
	of       Of[W]
	o        Options
	controls map[fleet.AccountID]Control[W]
	judged   int // refs
}

// NewJudge returns the judge of a pass.
func NewJudge[W any](of Of[W], o Options) *Judge[W] {
	return &Judge[W]{of: of, o: o.filled(), controls: map[fleet.AccountID]Control[W]{}}
}

// Batches judges the batches of a source, until its end, the margin before the deadline, or
// the end of the call budget. It takes a batch when the caller is done with the one before.
// An [*Unjudged] is about one batch, or about the rest of a source that has a cursor; any
// other error is the source's.
//
// The first batch may exceed the budget: one that needs more than the budget would
// otherwise be re-queued for ever.
func (j *Judge[W]) Batches(ctx context.Context, src Source) iter.Seq2[Judged[W], error] {
	return func(yield func(Judged[W], error) bool) {
		for b, err := range src {
			switch {
			case err != nil:
				if !yield(Judged[W]{}, err) {
					return
				}
			case !j.take(ctx, b, yield):
				return
			}
		}
	}
}

func (j *Judge[W]) take(ctx context.Context, b fleet.Batch, yield func(Judged[W], error) bool) bool {
	if why := j.exhausted(ctx); why != "" {
		return yield(Judged[W]{}, &Unjudged{b, why})
	}
	j.o.Meter.Excess(j.judged == 0)
	defer j.o.Meter.Excess(false)
	if !yield(j.judge(ctx, b)) {
		return false
	}
	j.judged += len(b.Refs)
	if why := j.exhausted(ctx); why != "" && b.Next != "" {
		yield(Judged[W]{}, &Unjudged{fleet.Batch{Scope: b.Scope, At: b.Next}, why})
		return false
	}
	return true
}

// Batch judges one batch. An error is an [*Unjudged].
func (j *Judge[W]) Batch(ctx context.Context, b fleet.Batch) (Judged[W], error) {
	j.judged += len(b.Refs)
	return j.judge(ctx, b)
}

// Intent judges what an open intent is about. It is false, without an error, for the first one
// that time or calls do not last for. An error that is no [*Unjudged] is a [*fleet.BadInput].
func (j *Judge[W]) Intent(ctx context.Context, e fleet.Entry) (judged Judged[W], ok bool, err error) {
	scope, ok := e.Scope()
	switch refs := e.Refs(); {
	case j.exhausted(ctx) != "":
		return judged, false, nil
	case !ok:
		return judged, true, &fleet.BadInput{Where: "ledger object " + e.Name, What: "it is about nothing, or about several accounts or regions"}
	default:
		judged, err = j.Batch(ctx, fleet.Batch{Scope: scope, Refs: refs})
		return judged, true, err
	}
}

func (j *Judge[W]) judge(ctx context.Context, b fleet.Batch) (Judged[W], error) {
	c, err := j.control(ctx, b.Scope.Account)
	if err != nil {
		return Judged[W]{}, &Unjudged{b, err}
	}
	w, err := c.Observe(ctx, b)
	if err != nil {
		return Judged[W]{}, &Unjudged{b, err}
	}
	return Judged[W]{b, w, c.Decide(w, j.o.Policy), c}, nil
}

// exhausted says why no further batch can be taken; "" when one can.
func (j *Judge[W]) exhausted(ctx context.Context) spent {
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(j.o.Clock()) < j.o.Margin {
		return "the deadline is near"
	}
	// The first batch is always taken: a pass that only re-queues would never end.
	if j.judged > 0 && j.o.Meter.Left() < j.o.CallsPerBatch {
		return "the API calls of this pass are spent"
	}
	return ""
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

func (j *Judge[W]) control(ctx context.Context, account fleet.AccountID) (Control[W], error) {
	c, ok := j.controls[account]
	if ok {
		return c, nil
	}
	c, err := j.of(ctx, account)
	if err != nil {
		return c, &unreachable{account, err}
	}
	j.controls[account] = c
	return c, nil
}
