package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"fleetwarden/shared/command"
	"fleetwarden/shared/operate/why"
)

// page shows a page of why: the three lines that name the cause, and what they rest on.
func (t *text) page(p command.Explained) error {
	b := page{wide: t.wide}
	b.lines(p.Lines[:]...)
	for _, c := range p.Also {
		b.section("also")
		b.line("%s; to do: %s", c.Says, c.Todo)
	}
	for _, r := range p.Rules {
		b.section("rules")
		b.line("%s/%s: %s%s: %s", r.Control, r.Rule, strings.ToUpper(string(r.Outcome)), after(", ", string(r.Severity)), r.Reason)
		if len(r.Changes) > 0 {
			b.line("  would change: %s", strings.Join(r.Changes, ", "))
		}
	}
	for _, c := range p.Controls {
		b.section("policy")
		b.control(c)
	}
	if p.Now != nil {
		b.now(*p.Now)
	}
	b.trail(p.Trail)
	b.ledger(p.Page)
	for _, r := range first(&b, p.Passes) {
		b.section("functions' records")
		b.line("%s: %s: %s: %s%s", utc(r.Time), r.Function, cmp.Or(r.Rule, string(r.Kind)), strings.ToUpper(r.State), after(": ", r.Why))
	}
	b.rest(len(p.Passes))
	for _, action := range p.Missing {
		b.section("not read")
		b.line("the right %s is missing", action)
	}
	for _, u := range p.Unread {
		b.section("not read")
		b.line("%s: %s", u.What, u.Why)
	}
	if p.NoTrail != "" {
		b.section("not read")
		b.line("ActionTrail: %s", p.NoTrail)
	}
	if p.NoPolicy != "" {
		b.section("not read")
		b.line("the policy: %s", p.NoPolicy)
	}
	if p.NoPasses != "" {
		b.section("not read")
		b.line("passes that changed nothing: %s", p.NoPasses)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return t.write(b.String())
}

// page is text in sections.
type page struct {
	strings.Builder
	name string // of the section
	wide bool
}

// mostLines is how many changes of the ledger, records or calls are shown, unless all were asked
// for: the lines that name the cause stand above them.
const mostLines = 10

// first are the elements of a list that are shown.
func first[T any](b *page, list []T) []T {
	if b.wide {
		return list
	}
	return list[:min(mostLines, len(list))]
}

// rest says how many of n are not shown.
func (b *page) rest(n int) {
	if !b.wide && n > mostLines {
		b.line("… and %d more; see -o wide", n-mostLines)
	}
}

func (b *page) lines(texts ...string) {
	for _, s := range texts {
		fmt.Fprintln(b, clean(s))
	}
}

// section begins a section, unless it has begun.
func (b *page) section(name string) {
	if b.name != name {
		fmt.Fprintf(b, "\n%s\n", name)
		b.name = name
	}
}

func (b *page) line(format string, args ...any) {
	fmt.Fprintf(b, "  "+format+"\n", cleaned(args)...)
}

func (b *page) control(c why.Control) {
	covers := map[string]string{"yes": "in scope", "no": "out of scope", "maybe": "whether it is in scope is not known"}[c.Covers]
	if c.Covers == "yes" && c.Changes == "no" {
		covers += ", and not to be changed: a service owns it"
	}
	if c.Partly {
		covers += ", by enforceFor"
	}
	b.line("%s: %s, %s; %s", c.Control, string(c.Mode), covers, c.Limits)
	if c.Pause != nil {
		b.line("  paused until %s by %s: %s", utc(c.Pause.Until), c.Pause.By, c.Pause.Reason)
	}
	for _, h := range c.Held {
		b.line("  held by the newest sweep since %s: %s", utc(h.Since), h.Why)
	}
}

func (b *page) now(n why.Now) {
	b.section("now")
	b.line("%s, %s, created at %s", n.Status, n.Type, utc(n.Created))
	b.line("role: %s", n.Role)
	b.line("Security Center's agent: %s", n.Agent)
	b.line("Cloud Assistant: %s", n.Assistant)
	for _, r := range n.Runs {
		text := fmt.Sprintf("%s %s", r.Command, r.Status)
		if r.ExitCode != 0 {
			text += fmt.Sprintf(", exit code %d", r.ExitCode)
		}
		b.line("%s: %s", utc(r.Time), text+after(", ", r.ErrorCode))
	}
}

func (b *page) trail(x why.Trails) {
	b.section("ActionTrail")
	for _, c := range first(b, x.Calls) {
		b.line("%s: %s by %s%s", utc(c.Time), c.Name, cmp.Or(c.Caller, "an unknown caller"), after(": ", c.ErrorCode))
	}
	b.rest(len(x.Calls))
	if len(x.Calls) == 0 && !x.Since.IsZero() {
		b.line("no record of it between %s and %s%s", utc(x.Since), utc(x.Until), map[bool]string{true: "; records come some ten minutes after their calls"}[x.Late])
	}
	for _, s := range x.Trails {
		b.line("trail %s: %s%s", s.Name, map[bool]string{true: "logs", false: "does not log"}[s.Logging], after("; ", strings.Join(s.Faults, "; ")))
	}
}

func (b *page) ledger(p why.Page) {
	b.section("ledger")
	for _, e := range first(b, p.Ledger.Events) {
		b.line("%s: %s: %s %s: %s%s%s", utc(e.Time), e.Function, string(e.Kind), e.ID, string(e.State), after(": ", e.Why), after(", run ", e.Run))
	}
	b.rest(len(p.Ledger.Events))
	if len(p.Ledger.Events) == 0 && !p.Ledger.Since.IsZero() {
		b.line("no change of it in %s since %s", command.Plural(p.Ledger.Read, "batch", "batches"), utc(p.Ledger.Since))
	}
	if p.Sweep != nil {
		b.line("newest sweep: %s%s", p.Sweep.Run, after(", which could not read this place: ", p.Sweep.Fault))
	}
}

// after is a text after a separator, nothing for an empty one.
func after(separator, text string) string {
	if text == "" {
		return ""
	}
	return separator + text
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }
