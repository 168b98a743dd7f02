package reconcile

import (
	"errors"
	"fmt"
	"time"

	"fleetwarden/shared/fleet"
)

// Recorder writes the records of a pass and sums them up.
type Recorder struct {
	o       Options
	sum     fleet.Pass
	started time.Time
	// said are the verdicts on accounts and regions as a whole.
	said map[said]bool
}

// said is a verdict on an account and region as a whole.
type said struct {
	about         fleet.Key
	control, rule string
	outcome       fleet.Outcome
}

// NewRecorder returns the recorder of a pass that begins now.
func NewRecorder(o Options) *Recorder {
	o = o.filled()
	return &Recorder{o: o, started: o.Clock(), said: map[said]bool{},
		sum: fleet.Pass{DryRun: o.DryRun, Outcomes: map[fleet.Outcome]int{}, States: map[fleet.State]int{}}}
}

// Judged counts refs that were judged, and notes how old the oldest event is. Only an answer
// of the cloud says what time it is there, so that this comes after observing.
func (r *Recorder) Judged(refs []fleet.Ref) {
	r.sum.Refs += len(refs)
	for _, ref := range refs {
		if ref.Call == nil {
			continue
		}
		if t, err := time.Parse(time.RFC3339, ref.Call.Time); err == nil {
			r.sum.DelayMS = max(r.sum.DelayMS, r.o.Meter.Now().Sub(t).Milliseconds())
		}
	}
}

// Element records what is wrong with one element of a source. It returns the error of one
// that ends the source.
func (r *Recorder) Element(err error) error {
	v := fleet.Verdict{Rule: "event", Reason: err.Error()}
	switch {
	case errors.As(err, new(*fleet.BadInput)):
		r.sum.Bad++
		v.Outcome, v.Severity = fleet.Fault, fleet.Medium
	case errors.As(err, new(*fleet.Ignored)):
		r.sum.Ignored++
		v.Outcome = fleet.NotApplicable
	default:
		return fmt.Errorf("reading the source: %w", err)
	}
	return r.Finding(v)
}

// Finding counts and records a verdict. One on an account and region as a whole, which comes
// with each batch, is recorded once.
func (r *Recorder) Finding(v fleet.Verdict) error {
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

// Verdicts records verdicts and, each once, the changes that they ask for. None of these is
// made; why says so of one that neither the policy nor a dry run holds back.
func (r *Recorder) Verdicts(verdicts []fleet.Verdict, why string) error {
	var errs []error
	seen, made := map[fleet.ChangeID]bool{}, covered(verdicts)
	for _, v := range verdicts {
		errs = append(errs, r.Finding(v))
	}
	for _, v := range verdicts {
		for _, c := range v.Changes {
			if seen[c.Identity()] || made[c.Identity()] && !c.Covered {
				continue
			}
			seen[c.Identity()] = true
			state, because := r.o.Gate(v.Control, c)
			if state == "" {
				state, because = fleet.Planned, why
			}
			errs = append(errs, r.Change(v.Control, v.Rule, fleet.Result{Change: c, State: state, Why: because}))
		}
	}
	return errors.Join(errs...)
}

// Change counts and records a change and what became of it.
func (r *Recorder) Change(control, rule string, res fleet.Result) error {
	return r.change(changeRecord(control, rule, res))
}

func (r *Recorder) change(c fleet.ChangeRecord) error {
	r.sum.States[c.State]++
	rec := r.stamp("change")
	rec.Change = &c
	return r.o.Record(rec)
}

func changeRecord(control, rule string, res fleet.Result) fleet.ChangeRecord {
	c := res.Change
	return fleet.ChangeRecord{
		Control: control, Rule: rule, Kind: c.Kind, Account: c.Ref.Scope.Account, Region: c.Ref.Scope.Region,
		RefKind: c.Ref.Kind, ID: c.Ref.ID, State: res.State, Reason: c.Reason, Why: res.Why,
		Before: c.Before, Want: c.Want, After: res.After, RequestIDs: res.RequestIDs,
	}
}

func (r *Recorder) stamp(kind string) fleet.Record {
	rec := r.o.Stamp
	rec.V, rec.Type, rec.Time = fleet.RecordVersion, kind, r.o.Meter.Now()
	return rec
}

// Add counts what a part of the pass came to that was summed up by itself.
func (r *Recorder) Add(part fleet.Pass) {
	r.sum.Refs += part.Refs
	r.sum.Ignored += part.Ignored
	r.sum.Bad += part.Bad
	r.sum.Again += part.Again
	r.sum.DryRun = r.sum.DryRun || part.DryRun
	for outcome, n := range part.Outcomes {
		r.sum.Outcomes[outcome] += n
	}
	for state, n := range part.States {
		r.sum.States[state] += n
	}
}

// Sum returns what the pass came to until now.
func (r *Recorder) Sum() fleet.Pass {
	r.sum.Calls = r.o.Meter.Calls()
	r.sum.DurationMS = r.o.Clock().Sub(r.started).Milliseconds()
	return r.sum
}
