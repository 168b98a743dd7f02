package cli

import (
	"cmp"
	"slices"

	"github.com/dustin/go-humanize"

	"fleetwarden/shared/command"
	"fleetwarden/shared/fleet"
)

// sweepMade is a sweep in at most 30 lines: its controls, what was not read, and the failing
// rules that most depends on.
func (t *text) sweepMade(s command.SweepMade) error {
	if err := t.print("checked %s in %s\n", command.Plural(s.Summary.Seen(), "resource", "resources"),
		command.Plural(len(s.Summary.Shards), "place", "places")); err != nil {
		return err
	}
	exempt := map[string]int{}
	for _, shard := range s.Summary.Shards {
		for _, c := range shard.Counts {
			if c.Outcome == fleet.Exempted {
				exempt[c.Control] += c.N
			}
		}
	}
	for _, c := range s.Summary.Controls() {
		if c.Control == "" {
			continue
		}
		if err := t.row("CONTROL\tPASS\tFAILING\tUNDECIDED\tEXEMPT", "%s\t%s\t%s\t%s\t%s", c.Control,
			humanize.Comma(int64(c.Pass)), humanize.Comma(int64(c.Fail)), humanize.Comma(int64(c.Open)), humanize.Comma(int64(exempt[c.Control]))); err != nil {
			return err
		}
	}
	if err := t.unread(s.Summary.Shards); err != nil {
		return err
	}
	slices.SortFunc(s.Failing, func(a, b command.Failing) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(b.N, a.N), cmp.Compare(a.Rule, b.Rule))
	})
	const most = 5
	for i, f := range s.Failing {
		if i == most {
			if err := t.print("… and %s more failing\n", command.Plural(len(s.Failing)-i, "rule is", "rules are")); err != nil {
				return err
			}
			break
		}
		if err := t.print("%s %s/%s, %s: %s\n", humanize.Comma(int64(f.N)), f.Control, f.Rule, f.Severity, cmp.Or(f.Remedy, "no remedy is known")); err != nil {
			return err
		}
	}
	return t.print("report:  %s\nrun:     %s\n", s.Report, s.Run)
}

func (t *text) sweepShown(found command.SweepShown) error {
	const header = "ACCOUNT\tREGION\tSEEN\tWRONG\tUNKNOWN\tQUEUED\tHELD\tREAD"
	for _, s := range found.Summary.Shards {
		wrong, unknown, queued, held := 0, 0, 0, 0
		for _, c := range s.Counts {
			switch c.Outcome {
			case fleet.Violation, fleet.Conflict:
				wrong += c.N
			case fleet.Undecided, fleet.Fault:
				unknown += c.N
			}
		}
		for _, c := range s.Changes {
			switch c.State {
			case fleet.Forwarded:
				queued += c.N
			case fleet.Held:
				held += c.N
			}
		}
		if err := t.row(header, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s", s.Scope.Account, regionName(s.Scope.Region), s.Seen, wrong, unknown, queued, held,
			cmp.Or(s.Fault, "complete")); err != nil {
			return err
		}
	}
	for _, scope := range found.Open {
		if err := t.row(header, "%s\t%s\t\t\t\t\t\tnot yet", scope.Account, regionName(scope.Region)); err != nil {
			return err
		}
	}
	for _, r := range found.Summary.Remarks() {
		if err := t.print("%d %s: %s/%s: %s\n", r.N, r.Outcome, r.Control, r.Rule, r.Reason); err != nil {
			return err
		}
	}
	return nil
}
