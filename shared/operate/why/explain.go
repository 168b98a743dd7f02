package why

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/aliyun/trail"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// Explain makes the page of what is known.
func Explain(f *Facts) Page {
	p := Page{Type: "why", V: Version, Kind: f.Kind, ID: f.ID, Resource: f.Resource, Account: f.Ref.Scope.Account, Region: f.Ref.Scope.Region,
		At: f.At, Missing: f.Denied, NoPasses: f.NoPasses, NoTrail: f.NoTrail, Passes: f.Passes.V}
	if f.isOtherBuild() {
		p.NoPolicy = fmt.Sprintf("whether the functions have the policy file that is read here is not known: their build %s is not that of this tool, and may have other defaults", f.Deployed.V.Build)
	}
	if len(f.MorePasses) > 0 {
		p.NoPasses = "the newest records alone were read of " + strings.Join(f.MorePasses, ", ")
	}
	var chosen view
	chosen, p.Cause = f.choose()
	for _, v := range f.verdicts(open) {
		x := view{f, v}
		c := x.explained(x.first())
		p.Rules = append(p.Rules, x.row(c))
		if v.Control != chosen.v.Control || v.Rule != chosen.v.Rule || v.Reason != chosen.v.Reason {
			p.Also = append(p.Also, c)
		}
	}
	for _, v := range f.verdicts(fine) {
		p.Rules = append(p.Rules, view{f, v}.row(Cause{}))
	}
	if p.Cause.Rule == "" {
		p.Also = nil // one cause for all of them
	}
	for _, c := range f.controls() {
		p.Controls = append(p.Controls, f.control(c))
	}
	p.Now = f.shown()
	p.Trail = Trails{f.Window, f.At.Sub(f.Window.Until) < trail.Delay, some(f.Calls.V), []TrailState{}}
	for _, t := range f.Trails.V {
		p.Trail.Trails = append(p.Trail.Trails, TrailState(t))
	}
	p.Ledger = f.ledger()
	if s := f.Sweep; s.Seen() && s.V.Run != "" {
		p.Sweep = &Swept{s.V.Run, s.V.At, s.V.Policy, s.V.Fault}
	}
	p.Unread = f.unread()
	p.Lines = f.lines(p.Cause)
	return p
}

// some is a list that JSON shows as a list, also without elements.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// verdicts are those of a level: the most severe first, and of equal ones first those of controls
// that enforce. That nothing is done is more surprising there.
func (f *Facts) verdicts(l level) (out []fleet.Verdict) {
	for _, v := range f.asked() {
		isOpen := slices.Contains([]fleet.Outcome{fleet.Violation, fleet.Conflict, fleet.Undecided, fleet.Pending, fleet.Fault}, v.Outcome)
		if isOpen == (l == open) {
			out = append(out, v)
		}
	}
	audits := func(v fleet.Verdict) int {
		if f.modeFor(v.Control) == policy.Enforce {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(out, func(a, b fleet.Verdict) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), cmp.Compare(audits(a), audits(b)))
	})
	return out
}

// choose is the first row that holds, and what it is about. Of several verdicts that are open the
// first one counts.
func (f *Facts) choose() (view, Cause) {
	last := len(causes) - 1 // holds always
	for _, c := range causes[:last] {
		about := f.verdicts(c.level)
		switch {
		case c.level == whole:
			about = []fleet.Verdict{{}}
		case c.level == open:
			about = about[:min(1, len(about))]
		}
		for _, v := range about {
			if x := (view{f, v}); c.is(x) {
				return x, x.explained(c)
			}
		}
	}
	x := view{Facts: f}
	return x, x.explained(causes[last])
}

// first is the first row of open verdicts that holds for one.
func (x view) first() cause {
	i := slices.IndexFunc(causes[:], func(c cause) bool { return c.level == open && c.is(x) })
	return causes[i]
}

func (x view) explained(c cause) Cause {
	out := Cause{ID: c.id, Says: c.says(x), Next: x.next(c), Todo: c.todo(x)}
	if x.v.Rule != "" {
		out.Rule = x.rule()
	}
	out.Since, out.By = x.since(c)
	return out
}

// since is since when it has been so, and who says that.
func (x view) since(c cause) (time.Time, string) {
	switch {
	case c.level == whole || x.v.Rule == "":
		return time.Time{}, ""
	case c.id == "right-missing" && x.failure() != nil:
		return x.failing(), "the ledger"
	}
	remembered, known := x.Found.V[x.v.Rule]
	switch {
	case known && (x.v.Since.IsZero() || x.v.Since.Equal(remembered)):
		return remembered, "the memory of the sweep"
	case !x.v.Since.IsZero():
		return x.v.Since, "what the cloud shows"
	}
	return time.Time{}, ""
}

// failing is the time of the first of the failures that the control's last change ends.
func (x view) failing() (at time.Time) {
	for _, e := range x.events() {
		if e.Control != x.v.Control || e.Rule != x.v.Rule {
			continue
		}
		if e.state() != fleet.Failed {
			break
		}
		at = e.at
	}
	return at
}

// next is when it is checked again.
func (x view) next(c cause) string {
	if p, on := x.pause(); on && c.id == "paused" {
		return "at the end of the pause, " + stamp(p.Until)
	}
	if x.v.Again > 0 && c.id != "no-event" && c.id != "trail-stopped" {
		return fmt.Sprintf("%s after the last pass, or by %s", x.v.Again.Round(time.Second), x.nightly())
	}
	return "by " + x.nightly()
}

// night is the time between two sweeps.
const night = 24 * time.Hour

func (f *Facts) nightly() string {
	s := f.Sweep
	switch {
	case !s.Seen():
		return "the nightly sweep"
	case s.V.Run == "":
		return "the nightly sweep (the ledger has none that ended)"
	case s.V.At.Add(night + time.Hour).Before(f.At):
		return "the nightly sweep, which is overdue: the last began at " + stamp(s.V.At)
	}
	return "the nightly sweep, about " + stamp(s.V.At.Add(night))
}

// lines are the three of the page.
func (f *Facts) lines(c Cause) [3]string {
	place := f.Ref.Scope.String()
	if !f.Place.Found {
		place = ""
	} else if f.Kind == fleet.KindInstance || f.Resource != "" {
		place = " in " + place
	} else {
		place = " of " + place
	}
	since := "since when is not known"
	switch {
	case !c.Since.IsZero():
		since = "since " + stamp(c.Since) + " (by " + c.By + ")"
	case c.Rule == "":
		since = "as of " + stamp(f.At)
	case f.Listed.Seen() && !f.Listed.V.Created.IsZero():
		since += "; created at " + stamp(f.Listed.V.Created)
	}
	return [3]string{f.name() + place + ": " + c.Says, since + "; next check: " + c.Next, "to do: " + c.Todo.String()}
}
