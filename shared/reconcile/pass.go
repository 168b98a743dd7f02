package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// pass is the running account of one Run.
type pass struct {
	o       Options
	sum     fleet.Pass
	started time.Time
	// later holds the refs to be put back after this batch, each once; at is
	// where.
	later []look
	at    map[fleet.Key]int
	// changed counts changes by control, for the rate of a pass.
	changed map[string]*fleet.Distinct
	// alone counts by scope and control what disturbed a workload, where there is no
	// ledger that does.
	alone map[stopped]int
	// held are the changes that the stop of an hour holds.
	held map[heldRule]*held
	// said are the verdicts on accounts and regions as a whole.
	said map[said]bool
	// asked says that the ledger was asked for open intents.
	asked bool
}

// said is a verdict on an account and region as a whole.
type said struct {
	about         fleet.Key
	control, rule string
	outcome       fleet.Outcome
}

// look is a ref that is looked at again, and when.
type look struct {
	ref   fleet.Ref
	after time.Duration
}

func newPass(o Options) *pass {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.LetThrough == nil {
		o.LetThrough = policy.LetThrough
	}
	return &pass{
		o: o, started: o.Clock(),
		sum:  fleet.Pass{DryRun: o.DryRun, Outcomes: map[fleet.Outcome]int{}, States: map[fleet.State]int{}},
		said: map[said]bool{}, at: map[fleet.Key]int{}, changed: map[string]*fleet.Distinct{}, alone: map[stopped]int{}, held: map[heldRule]*held{},
	}
}

// element records what is wrong with one element of the source. It returns what
// ends the pass.
func (r *pass) element(err error) error {
	v := fleet.Verdict{Rule: "event", Reason: err.Error()}
	var bad *fleet.BadInput
	var ignored *fleet.Ignored
	switch {
	case errors.As(err, &bad):
		r.sum.Bad++
		v.Outcome, v.Severity = fleet.Fault, fleet.Medium
	case errors.As(err, &ignored):
		r.sum.Ignored++
		v.Outcome = fleet.NotApplicable
	default:
		return fmt.Errorf("reading the source: %w", err)
	}
	return r.finding(v)
}

// exhausted says why no further batch can be taken; "" when one can.
func (r *pass) exhausted(ctx context.Context) string {
	if deadline, ok := ctx.Deadline(); ok && deadline.Sub(r.o.Clock()) < r.o.Margin {
		return "the deadline is near"
	}
	// The first batch is always taken, see within: a pass that only puts back would never end.
	if r.sum.Refs > 0 && r.o.Meter.Left() < r.o.CallsPerBatch {
		return "the API calls of this pass are spent"
	}
	return ""
}

// delay notes how old the oldest event is, where its time can be read.
func (r *pass) delay(refs []fleet.Ref) {
	for _, ref := range refs {
		if ref.Call == nil {
			continue
		}
		if t, err := time.Parse(time.RFC3339, ref.Call.Time); err == nil {
			r.sum.DelayMS = max(r.sum.DelayMS, r.o.Meter.Now().Sub(t).Milliseconds())
		}
	}
}

// again puts refs back that nobody has looked at in this pass.
func (r *pass) again(refs []fleet.Ref) error {
	for _, ref := range refs {
		if err := r.heldRef(ref, retryDelay(nil, ref.Try.N)); err != nil {
			return err
		}
	}
	return nil
}

// heldRef puts back what the rate or the budget of a pass, or a throttle, held: however often
// that was, until it is done.
func (r *pass) heldRef(ref fleet.Ref, after time.Duration) error {
	ref.Try.N = min(ref.Try.N, maxTries-1)
	return r.againRef(ref, after)
}

// holds reports whether an error says that a call was not made yet: a throttle, or the
// budget of a pass.
func holds(err error) bool {
	class := fleet.ClassOf(err)
	return class == fleet.Throttled || class == fleet.OutOfBudget
}

// maxTries is how often a ref is looked at before it is left to the next sweep. With
// the longest wait between looks that is some hours; the rules' own deadlines, which count
// from facts, are shorter. The count is what the ref's message says: one that claims too
// many ends its own rechecks alone, and one that claims too few has as many as any event.
const maxTries = 40

// againRef puts one ref back with its try counted: once a batch, as soon as anybody
// asks for.
func (r *pass) againRef(ref fleet.Ref, after time.Duration) error {
	if i, ok := r.at[ref.Key()]; ok {
		r.later[i].after = min(r.later[i].after, after)
		return nil
	}
	if ref.Try.N >= maxTries {
		return r.finding(fleet.Verdict{Ref: ref, Rule: "again", Outcome: fleet.Fault, Severity: fleet.Medium,
			Reason: fmt.Sprintf("its message counts %d checks without an end: this one is not re-queued, and the next sweep checks it", ref.Try.N)})
	}
	ref.Try.N++
	// A beginning still to come was not written by us, and no deadline that counts
	// from it would ever pass.
	if now := r.o.Meter.Now(); ref.Try.FirstSeen.IsZero() || ref.Try.FirstSeen.After(now) {
		ref.Try.FirstSeen = now
	}
	if ref.Try.Run == "" {
		ref.Try.Run = r.o.Stamp.Run
	}
	r.at[ref.Key()] = len(r.later)
	r.later = append(r.later, look{ref, after})
	return nil
}

// flush sends what was put back. If that fails, the pass has lost something and
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

func (r *pass) finish() fleet.Pass {
	r.sum.Calls = r.o.Meter.Calls()
	r.sum.DurationMS = r.o.Clock().Sub(r.started).Milliseconds()
	return r.sum
}

func (r *pass) stamp(kind string) fleet.Record {
	rec := r.o.Stamp
	rec.V, rec.Type, rec.Time = fleet.RecordVersion, kind, r.o.Meter.Now()
	return rec
}

// finding counts and records a verdict. What a rule says of an account and region as a
// whole, batch after batch, is said once a pass.
func (r *pass) finding(v fleet.Verdict) error {
	if v.Ref.Kind == fleet.KindAccount && v.Control != "" {
		about := said{v.Ref.Key(), v.Control, v.Rule, v.Outcome}
		if r.said[about] {
			return nil
		}
		r.said[about] = true
	}
	r.sum.Outcomes[v.Outcome]++
	rec := r.stamp("finding")
	rec.Finding = &fleet.FindingRecord{
		Control: v.Control, Rule: v.Rule, Outcome: v.Outcome, Severity: v.Severity,
		Account: v.Ref.Scope.Account, Region: v.Ref.Scope.Region, Kind: v.Ref.Kind, ID: v.Ref.ID,
		Reason: v.Reason, Remedy: v.Remedy, Evidence: v.Evidence, Remark: v.Remark, AgainSeconds: int(v.Again / time.Second),
	}
	return r.o.Record(rec)
}
