package cli

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
)

// record shows what a check or a sweep found as sentences, the resource first.
func (t *text) record(r fleet.Record) error {
	switch {
	case r.Finding != nil:
		return t.finding(r.Finding)
	case r.Change != nil:
		return t.planned(r.Change)
	case r.Pass != nil:
		return t.pass(r.Pass)
	}
	return nil
}

func (t *text) finding(f *fleet.FindingRecord) error {
	var b strings.Builder
	t.heading(&b, place(f.Account, f.Region, f.Kind, f.ID))
	outcome := strings.ToUpper(string(f.Outcome))
	if f.Severity != "" {
		outcome += ", " + string(f.Severity)
	}
	if f.Count > 0 {
		outcome += fmt.Sprintf(", %d in all", f.Count)
	}
	name := f.Rule
	if f.Control != "" {
		name = f.Control + "/" + f.Rule
	}
	fmt.Fprintf(&b, "  %s: %s\n    %s\n", clean(name), clean(outcome), clean(f.Reason))
	for _, e := range f.Evidence {
		fmt.Fprintf(&b, "    %s: %s (%s)\n", clean(e.Name), cmp.Or(clean(e.Value), "(none)"), clean(e.Source))
	}
	if f.Remedy != "" {
		fmt.Fprintf(&b, "    to do: %s\n", clean(f.Remedy))
	}
	if f.AgainSeconds > 0 {
		fmt.Fprintf(&b, "    next check in %s\n", time.Duration(f.AgainSeconds)*time.Second)
	}
	return t.write(b.String())
}

func (t *text) planned(c *fleet.ChangeRecord) error {
	var b strings.Builder
	t.heading(&b, place(c.Account, c.Region, c.RefKind, c.ID))
	fmt.Fprintf(&b, "  %s: %s: %s → %s\n", clean(string(c.Kind)), clean(strings.ToUpper(string(c.State))), t.value(c.Before), t.value(c.Want))
	if c.Why != "" {
		fmt.Fprintf(&b, "    %s\n", clean(c.Why))
	}
	return t.write(b.String())
}

func (t *text) heading(b *strings.Builder, where string) {
	if where != t.last {
		fmt.Fprintf(b, "%s\n", clean(where))
		t.last = where
	}
}

func (t *text) pass(s *fleet.Pass) error {
	line := fmt.Sprintf("%d checked: %s", s.Refs, counts(s.Outcomes, "no findings"))
	if len(s.States) > 0 {
		line += "; changes: " + counts(s.States, "")
	}
	if s.Bad > 0 {
		line += fmt.Sprintf("; %d could not be read", s.Bad)
	}
	if s.Ignored > 0 {
		line += fmt.Sprintf("; %d not for us", s.Ignored)
	}
	if s.Stopped != "" {
		line += "; stopped early: " + clean(s.Stopped)
	}
	if s.DryRun && len(s.States) > 0 {
		line += "\ndry run: nothing was written; --apply has the owners make the changes that the policy enforces"
	}
	return t.write(line + "\n")
}

func place(account fleet.AccountID, region fleet.Region, kind fleet.Kind, id string) string {
	switch {
	case account == "":
		return "the event"
	case id == "":
		return fmt.Sprintf("%s in %s", kind, fleet.Scope{Account: account, Region: region})
	}
	return fmt.Sprintf("%s %s in %s", kind, id, fleet.Scope{Account: account, Region: region})
}

func counts[K ~string](m map[K]int, none string) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[k], cmp.Or(clean(string(k)), "open")))
	}
	return cmp.Or(strings.Join(parts, ", "), none)
}
