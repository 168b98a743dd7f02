package page

import (
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

// soon is the remaining time from which an exemption is shown as expiring.
const soon = 30 * 24 * time.Hour

// history is the maximum of sweeps in the trend.
const history = 30

// view is what the template shows.
type view struct {
	report.Summary
	Guard  string
	Style  template.CSS
	Script template.JS
	Took   string

	Whole      report.Posture
	Step       string
	Before     *report.Summary
	Controls   []controlRow
	ControlsIn chart
	Rules      []report.RulePosture
	Urgent     []report.SeverityCount
	Ring       template.HTML
	Failing    int

	Sweeps []report.Summary
	Trend  trend
	Heat   heat

	Offenders []offender
	Changes   []report.ChangeCount
	Held      []report.HeldTotal
	HeldN     int
	Soon      []exemption
	Others    []exemption
	Calls     []report.CallCount
	CallsN    int

	Notes    []report.Remark
	Findings []fleet.FindingRecord
	Left     int
}

// controlRow is a control now, and how it moved.
type controlRow struct {
	report.RulePosture
	Step string
}

// trend is empty for a first sweep.
type trend struct {
	Chart chart
	Lines []line
	Rows  []trendRow
	// Partial is set where a sweep did not read all of its shards.
	Partial bool
}

type trendRow struct {
	At     time.Time
	Whole  string
	Fail   int
	Open   int
	Unread int
	Now    bool
}

type exemption struct {
	report.Exemption
	Left    string
	Expired bool
}

func viewOf(s report.Summary, earlier []report.Summary, kept findings) (view, error) {
	v := view{
		Summary: s, Guard: guard(), Style: template.CSS(style), Script: template.JS(script), Took: took(s),
		Whole: s.Posture(), Rules: s.Rules(), Urgent: s.Severities(), Sweeps: sweepsOf(s, earlier),
		Heat: heatOf(s.Scopes()), Offenders: offenders(kept.rows), Changes: s.Changes(), Held: s.Held(), Calls: s.Calls(),
		Notes: s.Remarks(), Findings: kept.rows, Left: kept.left,
	}
	if n := len(v.Sweeps); n > 1 {
		v.Before = &v.Sweeps[n-2]
		v.Step = step(v.Whole, v.Before.Posture())
	}
	for _, c := range s.Controls() {
		row := controlRow{RulePosture: c}
		if v.Before != nil {
			row.Step = step(c.Posture, postureOf(*v.Before, c.Control))
		}
		v.Controls = append(v.Controls, row)
	}
	v.sum()
	v.exempt()
	return v, v.draw()
}

// sum computes the tiles.
func (v *view) sum() {
	for _, c := range v.Urgent {
		v.Failing += c.N
	}
	for _, h := range v.Held {
		v.HeldN += h.N
	}
	for _, c := range v.Calls {
		v.CallsN += c.N
	}
}

func (v *view) exempt() {
	ending, others := v.Expiring(v.At(), soon)
	for _, e := range ending {
		v.Soon = append(v.Soon, exemption{e, left(e.Expires, v.At()), !e.Expires.After(v.At())})
	}
	for _, e := range others {
		v.Others = append(v.Others, exemption{e, left(e.Expires, v.At()), false})
	}
}

func (v *view) draw() error {
	var err error
	if len(v.Controls) > 0 {
		if v.ControlsIn, err = controlsChart(v.Summary.Controls()); err != nil {
			return err
		}
	}
	if v.Failing > 0 {
		if v.Ring, err = severityChart(v.Urgent); err != nil {
			return err
		}
	}
	v.Trend, err = trendOf(v.Sweeps)
	return err
}

// sweepsOf returns the history with this sweep as its last, the oldest first. A sweep that
// is in its own history counts once; later sweeps are left out.
func sweepsOf(s report.Summary, earlier []report.Summary) []report.Summary {
	sweeps := slices.DeleteFunc(slices.Clone(earlier), func(e report.Summary) bool {
		return e.Run == s.Run || !e.At().Before(s.At())
	})
	slices.SortStableFunc(sweeps, func(a, b report.Summary) int { return a.At().Compare(b.At()) })
	sweeps = append(sweeps, s)
	return sweeps[max(0, len(sweeps)-history):]
}

func trendOf(sweeps []report.Summary) (trend, error) {
	var t trend
	var times []time.Time
	judged := 0
	for i, s := range sweeps {
		p := s.Posture()
		t.Rows = append(t.Rows, trendRow{s.At(), percent(p), p.Fail, p.Open, len(s.Unread()), i == len(sweeps)-1})
		times = append(times, s.At())
		t.Partial = t.Partial || len(s.Unread()) > 0
		if p.Judged() > 0 {
			judged++
		}
	}
	slices.Reverse(t.Rows)
	if judged < 2 {
		return trend{}, nil
	}
	t.Lines = trendLines(sweeps)
	var err error
	t.Chart, err = trendChart(t.Lines, times)
	return t, err
}

// Headline is the posture in one sentence.
func (v view) Headline() string {
	unread := len(v.Unread())
	switch {
	case len(v.Shards) == 0:
		return "Nothing was swept: no account and region is in scope."
	case unread == len(v.Shards):
		return "No shard could be read to its end. This page does not mean that all is well."
	case v.Whole.Judged() == 0:
		return "Nothing was judged: no rule applies to a resource in scope."
	case unread > 0:
		return fmt.Sprintf("%s failed, and %s could not be read to their end.", plural(v.Whole.Fail, "check", "checks"), plural(unread, "shard", "shards"))
	case v.Whole.Fail == 0 && v.Whole.Open == 0:
		return "Every check that was judged passes."
	case v.Whole.Fail == 0:
		return fmt.Sprintf("No check failed; %s could not be decided.", plural(v.Whole.Open, "check", "checks"))
	}
	return fmt.Sprintf("%s of %s failed; %s could not be decided.", plural(v.Whole.Fail, "check", "checks"), count(v.Whole.Judged()), count(v.Whole.Open))
}

// NoFindings is the text where there are no findings.
func (v view) NoFindings() string {
	switch unread := len(v.Unread()); {
	case v.Whole.Fail+v.Whole.Open > 0:
		return "The findings are not included in this page; see the JSON Lines of this sweep."
	case unread > 0:
		return "There is no finding to show. " + plural(unread, "shard was", "shards were") + " not read to the end."
	case v.Whole.Judged() == 0:
		return "There is no finding: nothing was judged."
	}
	return "There is no finding: every check passes."
}

// NoOffenders is the text where there are no offenders.
func (v view) NoOffenders() string {
	if v.Failing == 0 && v.Whole.Judged() > 0 && len(v.Unread()) == 0 {
		return "No resource violates a rule."
	}
	if v.Failing == 0 && v.Whole.Judged() > 0 {
		return "No resource that was read violates a rule."
	}
	return v.NoFindings()
}

// ControlsText describes the chart of controls.
func (v view) ControlsText() string {
	var parts []string
	for _, c := range v.Controls {
		parts = append(parts, fmt.Sprintf("%s: %s pass, %s failing, %s undecided", c.Control, percent(c.Posture), count(c.Fail), count(c.Open)))
	}
	return "Bars of each control. " + strings.Join(parts, "; ") + "."
}

// TrendText describes the chart of the trend.
func (v view) TrendText() string {
	rows := v.Trend.Rows
	first, last := rows[len(rows)-1], rows[0]
	return fmt.Sprintf("Lines of the posture over %d sweeps: %s on %s, %s on %s.", len(rows), first.Whole, moment(first.At), last.Whole, moment(last.At))
}

// RingText describes the ring of severities.
func (v view) RingText() string {
	var parts []string
	for _, c := range v.Urgent {
		parts = append(parts, fmt.Sprintf("%s %s", count(c.N), severityName(c.Severity)))
	}
	return "Ring of failed checks by severity: " + strings.Join(parts, ", ") + "."
}
