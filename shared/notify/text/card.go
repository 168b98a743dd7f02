package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

const (
	mostIDs     = 5
	mostRegions = 8
	// deployment stands in the findings of the doctor where those of the rules have their control.
	deployment = "deployment"
)

// group writes a card of findings or of changes.
func (w writer) group(c notify.Card) notify.Document {
	title, tone := w.finding(c.Group), cmp.Or(c.Severity, fleet.Info)
	if c.Kind == notify.KindChange {
		title = w.change(c.Change)
	}
	n := w.number(c)
	switch {
	case c.Account == "":
	case c.Count > 1 || ofInstances(c):
		title = w.titleNumber.with(title, n, w.name(c.Account))
	default:
		title = w.titleAccount.with(title, w.name(c.Account))
	}
	if word := w.severity(c.Severity); word != "" {
		title = w.tagged.with(word, title)
	}
	d := notify.Document{Title: title, Tone: tone, Sections: []notify.Section{{Lines: w.facts(c, n)}}}
	d.Sections = append(d.Sections, w.example(c)...)
	if id := instance(c); id != "" {
		d.Sections = append(d.Sections, notify.Section{Lines: command(w.toSeeWhy, "fleetwarden why "+id)})
		// The regions are those of all instances: of several it is not known which is the first one's.
		if len(c.Regions) == 1 && c.Regions[0].Valid() {
			d.Links = []notify.Link{{Text: w.console.with(id), URL: fmt.Sprintf("https://ecs.console.aliyun.com/server/%s/detail?regionId=%s", id, c.Regions[0])}}
		}
	}
	return d
}

// finding is the title of findings, without their number.
func (w writer) finding(g notify.Group) string {
	rule := line(g.Rule, most)
	title, known := w.rules[g.Rule]
	switch {
	case g.Outcome == fleet.Undecided, g.Outcome == fleet.Pending, g.Outcome == fleet.Fault && policy.ControlOf(g.Rule) != "":
		return w.undetermined.with(rule)
	case g.Control == deployment:
		return w.check.with(rule)
	case known:
		return title
	}
	return w.otherRule.with(rule)
}

// rule is the title of a rule that does not hold.
func (w writer) rule(control, rule string) string {
	return w.finding(notify.Group{Control: control, Rule: rule, Outcome: fleet.Violation})
}

func (w writer) change(kind fleet.ChangeKind) string {
	if title, ok := w.changes[kind]; ok {
		return title
	}
	return w.otherChange.with(line(string(kind), most))
}

// number is how many there are of what a card is about.
func (w writer) number(c notify.Card) string {
	noun := w.findings
	switch {
	case ofInstances(c):
		noun = w.instances
	case c.Kind == notify.KindChange:
		noun = w.changed
	}
	n := noun.count(max(c.Count, len(c.IDs)))
	if c.More {
		n = w.atLeast.with(n)
	}
	return n
}

// facts are the lines that each card has.
func (w writer) facts(c notify.Card, n string) []notify.Line {
	account, id := w.name(c.Account), line(string(c.Account), most)
	if account != id {
		account = w.bracketed.with(account, id)
	}
	regions := lines(c.Regions, mostRegions)
	if more := len(c.Regions) - mostRegions; more > 0 {
		regions = append(regions, w.more.with(more))
	}
	return slices.Concat(labelled(w.account, account), labelled(w.regions, join(", ", regions...)), labelled(w.count, n), w.firstIDs(c),
		labelled(w.ruleLabel, ruleName(c.Control, c.Rule)), labelled(w.day, w.bracketed.with(line(c.Day, most), w.zone())))
}

// lines are the first of some ids.
func lines[T ~string](ids []T, n int) (out []string) {
	for _, id := range ids[:min(n, len(ids))] {
		out = append(out, line(string(id), most))
	}
	return out
}

// firstIDs are the first ids, to be copied unless they are not what ids look like.
func (w writer) firstIDs(c notify.Card) []notify.Line {
	ids := lines(c.IDs, mostIDs)
	out := labelled(w.ids, join(" ", ids...))
	if len(out) == 0 {
		return nil
	}
	out[0].Code = !slices.ContainsFunc(ids, func(id string) bool { return !fleet.Plain(id) })
	if more := max(c.Count, len(c.IDs)) - len(ids); more > 0 {
		out = append(out, notify.Line{Text: w.more.with(more)})
	}
	return out
}

// example is the reason and remedy of one resource.
func (w writer) example(c notify.Card) []notify.Section {
	lines := append(labelled(w.reason, line(c.Reason, mostText)), labelled(w.remedy, line(c.Remedy, mostText))...)
	if len(lines) == 0 {
		return nil
	}
	s := notify.Section{Lines: lines}
	if id := exampleOf(c); c.Count > 1 && id != "" {
		s.Heading = w.exampleOf.with(line(id, most))
	}
	return []notify.Section{s}
}

// ofInstances reports whether a card is about ECS instances.
func ofInstances(c notify.Card) bool { return instance(c) != "" }

// instance is the id of the example if that is an instance.
func instance(c notify.Card) string {
	if id := exampleOf(c); strings.HasPrefix(id, "i-") && fleet.Plain(id) && len(id) <= most {
		return id
	}
	return ""
}

// exampleOf is the resource that the reason is about, as far as that is known.
func exampleOf(c notify.Card) string {
	if c.Example == "" && len(c.IDs) > 0 {
		return c.IDs[0]
	}
	return c.Example
}
