package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
)

// pass is the state of one Run.
type pass struct {
	*Recorder
	// later holds the refs to be re-queued after this batch, each once; at is
	// where.
	later []look
	at    map[fleet.Key]int
	// changed counts changes by scope and control, for the rate of a pass: an account whose
	// changes always fail must not use up that of another.
	changed map[stopped]*fleet.Distinct
	// moves: something was done, or may yet be; what follows then is waited for without end.
	moves bool
	// alone counts by scope and control what disturbed a workload, where there is no
	// ledger that does.
	alone map[stopped]int
	// held are the changes that the stop of an hour holds.
	held map[heldRule]*held
	// asked says that the ledger was asked for open intents.
	asked bool
}

// look is a ref that is checked again, and when.
type look struct {
	ref   fleet.Ref
	after time.Duration
}

func newPass(o Options) *pass {
	return &pass{Recorder: NewRecorder(o),
		at: map[fleet.Key]int{}, changed: map[stopped]*fleet.Distinct{}, alone: map[stopped]int{}, held: map[heldRule]*held{}}
}

// again re-queues refs that this pass has not checked.
func (r *pass) again(refs []fleet.Ref) error {
	for _, ref := range refs {
		if err := r.againRef(ref, retryDelay(nil, ref.Try.N), true); err != nil {
			return err
		}
	}
	return nil
}

// holds reports whether an error says that a call was not made yet: a throttle, or the
// budget of a pass.
func holds(err error) bool {
	class := fleet.ClassOf(err)
	return class == fleet.Throttled || class == fleet.OutOfBudget
}

// maxTries is how often a ref is checked before it is left to the next sweep. With
// the longest wait between looks that is some hours; the rules' own deadlines, which count
// from facts, are shorter. The count is what the ref's message says: one that claims too
// many ends its own rechecks alone, and one that claims too few has as many as any event.
const maxTries = 40

// againRef puts one ref back with its try counted: once a batch, as soon as any caller asks
// for. What the rate or the budget of a pass, or a throttle, held is re-queued however often
// that was, until it is done.
func (r *pass) againRef(ref fleet.Ref, after time.Duration, held bool) error {
	if held {
		ref.Try.N = min(ref.Try.N, maxTries-1)
	}
	if i, ok := r.at[ref.Key()]; ok {
		r.later[i].after = min(r.later[i].after, after)
		return nil
	}
	if ref.Try.N >= maxTries {
		return r.Finding(fleet.Verdict{Ref: ref, Rule: "again", Outcome: fleet.Fault, Severity: fleet.Medium,
			Reason: fmt.Sprintf("its message counts %d checks without an end: this one is not re-queued, and the next sweep checks it", ref.Try.N)})
	}
	ref.Try.N++
	// A beginning still to come was not written by us, and no deadline that counts
	// from it would ever pass.
	if now := r.o.Meter.Now(); ref.Try.FirstSeen.IsZero() || ref.Try.FirstSeen.After(now) {
		ref.Try.FirstSeen = now
	}
	ref.Try.Run = cmp.Or(ref.Try.Run, r.o.Stamp.Run)
	r.at[ref.Key()] = len(r.later)
	r.later = append(r.later, look{ref, after})
	return nil
}

// flush sends what was re-queued. If that fails, the pass has lost something and
// the platform must try again.
func (r *pass) flush(ctx context.Context) error {
	byDelay := map[time.Duration][]fleet.Ref{}
	for _, l := range r.later {
		byDelay[l.after] = append(byDelay[l.after], l.ref)
	}
	r.later, r.at = nil, map[fleet.Key]int{}
	if r.o.DryRun {
		return nil
	}
	var errs []error
	for _, after := range slices.Sorted(maps.Keys(byDelay)) {
		refs := byDelay[after]
		if err := r.o.Inbox.Again(ctx, refs, after); err != nil {
			errs = append(errs, fmt.Errorf("putting %d refs back: %w", len(refs), err))
			continue
		}
		r.sum.Again += len(refs)
	}
	return errors.Join(errs...)
}
