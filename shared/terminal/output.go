package terminal

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/report"
)

// output writes a session's results, for people or for programs.
type output interface {
	record(fleet.Record) error
	note(string) error
}

func newOutput(f invocation.Function, fl flags, w io.Writer) output {
	if fl.json {
		return lines{report.NewLines(w)}
	}
	return &prose{w: w, dry: dryRun(f)}
}

type lines struct{ out *report.Lines }

func (l lines) record(r fleet.Record) error { return l.out.Record(r) }

func (l lines) note(string) error { return nil }

// prose writes findings as sentences, the resource first.
type prose struct {
	w    io.Writer
	last string
	dry  string // what a dry run means
}

// dryRun is the note on a dry run of a function. One that a timer wakes writes its findings
// to the ledger all the same.
func dryRun(f invocation.Function) string {
	if f.Wakes != nil {
		return "dry run: no owner was notified of drift; what it found is in the ledger; --apply notifies the owners"
	}
	return "dry run: nothing was written; --apply makes the changes that the policy enforces"
}

func (p *prose) record(r fleet.Record) error {
	switch {
	case r.Finding != nil:
		return p.finding(r.Finding)
	case r.Change != nil:
		return p.change(r.Change)
	case r.Pass != nil:
		return p.sum(r.Pass)
	}
	return nil
}

func (p *prose) finding(f *fleet.FindingRecord) error {
	var b strings.Builder
	p.heading(&b, place(f.Account, f.Region, f.Kind, f.ID))
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
	fmt.Fprintf(&b, "  %s: %s\n", name, outcome)
	fmt.Fprintf(&b, "    %s\n", Clean(f.Reason))
	for _, e := range f.Evidence {
		fmt.Fprintf(&b, "    %s: %s (%s)\n", e.Name, quoteEmpty(Clean(e.Value)), e.Source)
	}
	if f.Remedy != "" {
		fmt.Fprintf(&b, "    to do: %s\n", Clean(f.Remedy))
	}
	if f.AgainSeconds > 0 {
		fmt.Fprintf(&b, "    next check in %s\n", time.Duration(f.AgainSeconds)*time.Second)
	}
	return p.write(b.String())
}

func (p *prose) change(c *fleet.ChangeRecord) error {
	var b strings.Builder
	p.heading(&b, place(c.Account, c.Region, c.RefKind, c.ID))
	fmt.Fprintf(&b, "  %s: %s: %s → %s\n", Clean(string(c.Kind)), strings.ToUpper(string(c.State)), quoteEmpty(Clean(c.Before)), quoteEmpty(Clean(c.Want)))
	if c.Why != "" {
		fmt.Fprintf(&b, "    %s\n", Clean(c.Why))
	}
	if c.State == fleet.Done {
		fmt.Fprintf(&b, "    now: %s\n", quoteEmpty(Clean(c.After)))
	}
	return p.write(b.String())
}

func (p *prose) heading(b *strings.Builder, where string) {
	if where != p.last {
		fmt.Fprintf(b, "%s\n", Clean(where))
		p.last = where
	}
}

func (p *prose) sum(s *fleet.Pass) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d checked; %s", s.Refs, counts(s.Outcomes))
	if len(s.States) > 0 {
		fmt.Fprintf(&b, "; changes: %s", counts(s.States))
	}
	if s.Bad > 0 {
		fmt.Fprintf(&b, "; %d could not be read", s.Bad)
	}
	if s.Stopped != "" {
		fmt.Fprintf(&b, "; stopped early: %s", Clean(s.Stopped))
	}
	b.WriteString("\n")
	if s.DryRun {
		b.WriteString(p.dry + "\n")
	}
	return p.write(b.String())
}

func (p *prose) note(s string) error { return p.write(s + "\n") }

func (p *prose) write(s string) error {
	if _, err := io.WriteString(p.w, s); err != nil {
		return fmt.Errorf("writing to the terminal: %w", err)
	}
	return nil
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

func counts[K ~string](m map[K]int) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%d %s", m[k], k))
	}
	if len(parts) == 0 {
		return "no findings"
	}
	return strings.Join(parts, ", ")
}

// Clean replaces characters of cloud text that would control the terminal or disguise other
// text: control characters, and format characters such as those that turn the direction of
// writing.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf) {
			return ' '
		}
		return r
	}, s)
}

// CleanLines is Clean for a text of several lines.
func CleanLines(s string) string {
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = Clean(parts[i])
	}
	return strings.Join(parts, "\n")
}

func quoteEmpty(s string) string {
	return cmp.Or(s, "(none)")
}
