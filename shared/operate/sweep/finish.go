package sweep

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// end is what a shard came to.
type end struct {
	V       int                `json:"v"`
	Attempt int                `json:"attempt"`
	Parts   int                `json:"parts"`
	Shard   report.Shard       `json:"shard"`
	Exempt  []report.Exemption `json:"exempt,omitempty"`
	// Memory is how many objects the shard left for the memory.
	Memory int `json:"memory,omitempty"`
	// Forgot says that there was something to remember, and it could not be kept.
	Forgot bool `json:"forgot,omitempty"`
	// Notified are the controls whose owners know of every violation that had matured.
	Notified []string `json:"notified,omitempty"`
	// NotifiedPart are those whose owners know of that in the part that is enforced.
	NotifiedPart []string `json:"notifiedPart,omitempty"`
	// Findings are those about the shard itself.
	Findings []fleet.Record `json:"findings,omitempty"`
}

// finish notifies the owners of the drift that the limits let through, and ends the shard.
// Until the end is written all of it may happen again: owners observe before they act.
// A shard that was not read to its end is reported, and no owner is notified: limits cannot be
// applied to a part of the region, and the next sweep notifies them.
func (s *Sweep) finish(ctx context.Context, p progress, fault string) error {
	remembered, err := s.remember(ctx, p, fault)
	if err != nil {
		return err
	}
	made := p.totals.made(s.Options.Policy)
	held, matured := s.holds(p, made, fault), s.informs(p, fault)
	if err := s.holdPaused(ctx, p, held); err != nil {
		return err
	}
	if err := s.notifyOwners(ctx, p, held, matured); err != nil {
		return err
	}
	e := end{V: Version, Attempt: p.attempt, Parts: p.parts, Exempt: p.totals.Exempt, Memory: remembered,
		Forgot: remembered == 0 && p.totals.Remembered > 0, Shard: report.Shard{
			Scope: p.scope, Seen: p.totals.Seen, Counts: p.totals.Counts, Changes: outcomes(p.totals.Changes, made, held),
			Fault: fault, Calls: p.calls(s.Options.Meter),
		}}
	if p.compared && p.parts > 0 {
		e.Shard.Compared, e.Shard.Moves = true, p.totals.Moves
	}
	var found []fleet.FindingRecord
	if e.Shard.Held, err = s.held(ctx, p, made, held); err != nil {
		return err
	}
	for _, h := range e.Shard.Held {
		found = append(found, p.heldFinding(h, held[h.Control].remedy))
	}
	for _, control := range slices.Sorted(maps.Keys(matured)) {
		if h := matured[control]; h.why != "" {
			found = append(found, p.dueFinding(control, h))
			continue
		}
		switch {
		case p.start.Policy != s.Options.Stamp.Policy: // another one may have judged what matured
		case s.Options.Policy.Partly(control): // of the rest the owner knows nothing
			e.NotifiedPart = append(e.NotifiedPart, control)
		default:
			e.Notified = append(e.Notified, control)
		}
	}
	if fault != "" {
		found = append(found, p.faultFinding(fault))
	}
	for _, f := range found {
		r := s.stamp(p.start.Run, f)
		if err := s.log(r); err != nil {
			return ours{fmt.Errorf("writing a finding: %w", err)}
		}
		e.Findings = append(e.Findings, r)
	}
	err = putJSON(ctx, s.Store, endObject(p.start.Run, p.scope), e)
	if err != nil && fleet.ClassOf(err) != fleet.Exists {
		return err
	}
	return s.last(ctx, p.start)
}

// outcomes are the changes of a shard after its owners were notified of those that are made, or
// not.
func outcomes(changes, made []report.ChangeCount, held map[string]hold) []report.ChangeCount {
	out := counted(changes)
	for _, c := range made {
		h, decided := held[c.Control]
		if !decided || c.State != fleet.Planned {
			continue
		}
		n := c.N
		c.N = 0
		to := c
		to.State = fleet.Forwarded
		if h.why != "" {
			to.State = fleet.Held
		}
		n = min(n, out[c]) // one that another rule asked for first stays where that counted it
		if out[c] -= n; out[c] == 0 {
			delete(out, c)
		}
		if n > 0 {
			out[to] += n
		}
	}
	return sums(out)
}

// held says for each rule how many of its changes are held, why and since when.
func (s *Sweep) held(ctx context.Context, p progress, made []report.ChangeCount, holds map[string]hold) (out []report.Held, err error) {
	for _, control := range slices.Sorted(maps.Keys(holds)) {
		if holds[control].why == "" {
			continue
		}
		asked := asked(made, control)
		for _, rule := range slices.Sorted(maps.Keys(asked)) {
			out = append(out, report.Held{Control: control, Rule: rule, Why: holds[control].why, N: asked[rule], Limit: holds[control].limit})
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	earlier, err := Earlier(ctx, s.Store, p.start, nights)
	if err != nil {
		return nil, ours{fmt.Errorf("reading since when changes are held: %w", err)}
	}
	for i := range out {
		out[i].Since = heldSince(out[i], p.scope, p.start.At, earlier)
	}
	return out, nil
}

// nights is how many earlier sweeps are searched for the first one that held a rule's changes.
// A night on which a shard could not be read does not end what is held there.
const nights = 14

// heldSince is since when the changes of a rule are held in a scope, as far as the earlier
// sweeps say, of which the newest is the last.
func heldSince(h report.Held, at fleet.Scope, now time.Time, earlier []report.Summary) time.Time {
	for _, s := range slices.Backward(earlier) {
		for _, shard := range s.Shards {
			if shard.Scope != at {
				continue
			}
			for _, x := range shard.Held {
				if x.Control == h.Control && x.Rule == h.Rule {
					if x.Since.IsZero() {
						return s.Started // an older program has not noted it
					}
					return x.Since
				}
			}
			if shard.Fault == "" {
				return now
			}
		}
	}
	return now
}

func (p progress) heldFinding(h report.Held, remedy string) fleet.FindingRecord {
	return fleet.FindingRecord{Control: h.Control, Rule: "limit", Outcome: fleet.Fault, Severity: fleet.High, Account: p.scope.Account,
		Region: p.scope.Region, Kind: fleet.KindFleet, Remedy: remedy,
		Reason:   fmt.Sprintf("%d changes of rule %s are held since %s: %s", h.N, h.Rule, h.Since.UTC().Format(time.RFC3339), h.Why),
		Evidence: []fleet.Evidence{{Name: "rule", Value: h.Rule, Source: fleet.Observed.String()}}}
}

func (p progress) dueFinding(control string, h hold) fleet.FindingRecord {
	return fleet.FindingRecord{Control: control, Rule: "owner", Outcome: fleet.Fault, Severity: fleet.Medium, Account: p.scope.Account,
		Region: p.scope.Region, Kind: fleet.KindFleet, Remedy: h.remedy,
		Reason: fmt.Sprintf("%s was not notified of violations whose patience has ended (%d): %s", fleet.Owner(control), p.totals.Due[control], h.why)}
}

func (p progress) faultFinding(why string) fleet.FindingRecord {
	return fleet.FindingRecord{Rule: "sweep", Outcome: fleet.Fault, Severity: fleet.High, Account: p.scope.Account, Region: p.scope.Region,
		Kind: fleet.KindFleet, Reason: "not read to its end: " + why, Remedy: "make sure that the sweep's role may read there; the next sweep tries again"}
}

// record writes a finding that no report has.
func (s *Sweep) record(run string, f fleet.FindingRecord) error {
	if err := s.Options.Record(s.stamp(run, f)); err != nil {
		return ours{fmt.Errorf("writing a finding: %w", err)}
	}
	return nil
}

// stamp is the record of a finding of a sweep.
func (s *Sweep) stamp(run string, f fleet.FindingRecord) fleet.Record {
	r := s.Options.Stamp
	r.Run = cmp.Or(run, r.Run)
	r.V, r.Type, r.Time, r.Finding = fleet.RecordVersion, "finding", s.Options.Meter.Now(), &f
	return r
}

// log writes a record that the report has as well.
func (s *Sweep) log(r fleet.Record) error {
	if s.Log != nil {
		return s.Log(r)
	}
	return s.Options.Record(r)
}

// last writes the report when all shards have ended. It leaves the pass the time to have
// another one try again.
func (s *Sweep) last(ctx context.Context, start Start) error {
	if s.Publish == nil {
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-s.Options.Margin))
		defer cancel()
	}
	if over, err := s.over(ctx, start); !over {
		return err
	}
	if reported, err := s.reported(ctx, start.Run); reported || err != nil {
		return err
	}
	r, err := Load(ctx, s.Store, start.Run)
	if err != nil {
		return err
	}
	r.Summary.Ended = s.Options.Meter.Now()
	r.Summary.Exemptions = r.exemptions(s.Options.Policy)
	if err := s.Publish(ctx, r); err != nil {
		return ours{fmt.Errorf("publishing the report of sweep %s: %w", start.Run, err)}
	}
	return nil
}

// reported reports whether a sweep has its report.
func (s *Sweep) reported(ctx context.Context, run string) (bool, error) {
	_, err := s.Store.Get(ctx, SummaryObject(run))
	if err != nil && fleet.ClassOf(err) != fleet.NotFound {
		return false, ours{fmt.Errorf("looking for the report of sweep %s: %w", run, err)}
	}
	return err == nil, nil
}

// over reports whether all shards have ended. It reads names up to the first end that
// is missing, which as long as many shards are under way is soon.
func (s *Sweep) over(ctx context.Context, start Start) (bool, error) {
	ends := make([]string, len(start.Shards))
	for i, scope := range start.Shards {
		ends[i] = endObject(start.Run, scope)
	}
	slices.Sort(ends)
	for name, err := range list(ctx, s.Store, sweeps+start.Run+"/", "") {
		if err != nil {
			return false, err
		}
		switch missing := ends[0]; {
		case name > missing:
			return false, nil
		case name == missing:
			ends = ends[1:]
		}
		if len(ends) == 0 {
			return true, nil
		}
	}
	return false, nil
}
