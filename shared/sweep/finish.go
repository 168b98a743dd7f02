package sweep

import (
	"context"
	"fmt"
	"maps"
	"slices"

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
}

// finish tells the owners of the drift that the limits let through, and ends the shard.
// Until the end is written all of it may happen again: owners look before they act.
// What was not read to its end is reported, and nobody is told anything: a share of an
// unknown whole says nothing.
func (s *Sweep) finish(ctx context.Context, p place, fault string) error {
	remembered, err := s.remember(ctx, p, fault)
	if err != nil {
		return err
	}
	held := s.holds(p, fault)
	if err := s.tellOwners(ctx, p, held); err != nil {
		return err
	}
	e := end{V: Version, Attempt: p.attempt, Parts: p.parts, Exempt: p.totals.Exempt, Memory: remembered, Shard: report.Shard{
		Scope: p.scope, Seen: p.totals.Seen, Counts: p.totals.Counts, Changes: outcomes(p.totals.Changes, held),
		Fault: fault, Calls: p.calls(s.Options.Meter),
	}}
	for _, control := range slices.Sorted(maps.Keys(held)) {
		h := held[control]
		if h.why == "" || p.totals.Drift[control] == 0 {
			continue
		}
		e.Shard.Held = append(e.Shard.Held, report.Held{Control: control, Why: h.why, N: p.totals.Drift[control]})
		if err := s.tell(p.start.Run, p.heldFinding(control, h)); err != nil {
			return err
		}
	}
	if fault != "" {
		if err := s.tell(p.start.Run, p.faultFinding(fault)); err != nil {
			return err
		}
	}
	err = putJSON(ctx, s.Store, endObject(p.start.Run, p.scope), e)
	if err != nil && fleet.ClassOf(err) != fleet.Exists {
		return err
	}
	return s.last(ctx, p.start)
}

// outcomes are the changes of a shard now that it is known who was told.
func outcomes(changes []report.ChangeCount, held map[string]hold) []report.ChangeCount {
	out := slices.Clone(changes)
	for i := range out {
		h, decided := held[out[i].Control]
		switch {
		case !decided || out[i].State != fleet.Planned:
		case h.why == "":
			out[i].State = fleet.Forwarded
		default:
			out[i].State = fleet.Held
		}
	}
	return out
}

func (p place) heldFinding(control string, h hold) fleet.FindingRecord {
	return fleet.FindingRecord{Control: control, Rule: "limit", Outcome: fleet.Fault, Severity: fleet.High, Account: p.scope.Account,
		Region: p.scope.Region, Kind: fleet.KindFleet, Remedy: h.remedy,
		Reason: fmt.Sprintf("changes to %d things are held: %s", p.totals.Drift[control], h.why)}
}

func (p place) faultFinding(why string) fleet.FindingRecord {
	return fleet.FindingRecord{Rule: "sweep", Outcome: fleet.Fault, Severity: fleet.High, Account: p.scope.Account, Region: p.scope.Region,
		Kind: fleet.KindFleet, Reason: "not read to its end: " + why, Remedy: "make sure that the sweep's role may read there; the next sweep tries again"}
}

// tell writes a finding of the sweep itself.
func (s *Sweep) tell(run string, f fleet.FindingRecord) error {
	r := s.Options.Stamp
	if run != "" {
		r.Run = run
	}
	r.V, r.Type, r.Time, r.Finding = fleet.RecordVersion, "finding", s.Options.Meter.Now(), &f
	if err := s.Options.Record(r); err != nil {
		return ours{fmt.Errorf("writing a finding: %w", err)}
	}
	return nil
}

// last writes the report when all shards have ended.
func (s *Sweep) last(ctx context.Context, start Start) error {
	if s.Publish == nil {
		return nil
	}
	if over, err := s.over(ctx, start); !over {
		return err
	}
	_, err := s.Store.Get(ctx, SummaryObject(start.Run))
	switch {
	case err == nil:
		return nil // it is written
	case fleet.ClassOf(err) != fleet.NotFound:
		return ours{fmt.Errorf("looking for the report of sweep %s: %w", start.Run, err)}
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
