package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// SweepMade is what a sweep by hand found, and where its report is.
type SweepMade struct {
	Type    string         `json:"type"` // sweep
	Run     string         `json:"run"`
	Report  string         `json:"report"`
	Summary report.Summary `json:"summary"`
	// Failing counts violations and conflicts by what the remedy is.
	Failing []Failing `json:"failing,omitempty"`
}

// Failing are the findings of one rule that have the same remedy.
type Failing struct {
	Control  string         `json:"control"`
	Rule     string         `json:"rule"`
	Severity fleet.Severity `json:"severity"`
	N        int            `json:"n"`
	Remedy   string         `json:"remedy,omitempty"`
}

// scope is what part of the fleet is read.
type scope struct {
	plan.Filter
	tags  []string
	group string
	most  int
}

func (s *scope) bind(set *flag.FlagSet) {
	set.Var(several(&s.Accounts), "account", "only the account with this `ID` (may be given again, or with commas)")
	set.Var(several(&s.Regions), "region", "only the region with this `ID`; what accounts share, which is of no region, is then left out")
	set.Var(several(&s.Controls), "control", "only this `CONTROL`: "+strings.Join(policy.Controls(), ", "))
	set.Var(several(&s.IDs), "id", "only the instance with this `ID`, such as i-bp67acfmxazb4ph")
	set.Var(several(&s.tags), "tag", "only instances with this tag, as `KEY=VALUE` or KEY")
	set.StringVar(&s.group, "resource-group", "", "only instances of the resource group with this `ID`")
}

func (s *scope) valid() error {
	for _, id := range s.IDs {
		if !fleet.ValidInstanceID(id) {
			return Wrong("--id: %q is not an instance id such as i-bp67acfmxazb4ph", id)
		}
	}
	if s.most < 0 || s.Most < 0 {
		return Wrong("--max must not be negative")
	}
	keys := map[string]bool{}
	for _, t := range s.tags {
		key, _, _ := strings.Cut(t, "=")
		if key == "" || keys[key] {
			return Wrong("--tag: %q has no key, or one that came before: an instance has one value of each", t)
		}
		keys[key] = true
	}
	if len(s.Controls) > 0 && (len(s.Regions) > 0 || s.narrow()) && !slices.ContainsFunc(s.Controls, func(c string) bool { return c != policy.ControlShareRole }) {
		return Wrong("--control %s is about an account, and not about a region or some instances", policy.ControlShareRole)
	}
	return known(s.Controls, s.Accounts, s.Regions, policy.Controls())
}

// narrow reports whether only some instances of a region are read.
func (s *scope) narrow() bool { return len(s.tags) > 0 || s.group != "" || s.most > 0 }

// policy returns p with the controls that are asked for.
func (s *scope) policy(p *policy.Policy) *policy.Policy {
	controls := s.Controls
	if len(s.Regions) > 0 || s.narrow() { // what is shared is the account's
		controls = slices.DeleteFunc(slices.Clone(either(controls, policy.Controls())), func(c string) bool { return c == policy.ControlShareRole })
	}
	return p.Only(controls)
}

func either[T any](a, b []T) []T {
	if len(a) > 0 {
		return a
	}
	return b
}

// Publish makes the report of a sweep.
type Publish func(ctx context.Context, inv *invocation.Invocation, found sweep.Result) error

// Sweep checks the fleet and reports.
func Sweep(publish Publish) Command {
	return Command{Name: "sweep", About: "check the fleet, or a part of it, and report", Long: `
It checks all accounts and regions of the policy by all controls, as the function sweep does
each night, and keeps findings and report in the ledger. The nightly sweep does not continue
it, and it dates no violation. With --apply, what has to be changed is queued for the functions
that own the controls, within the policy's limits, and the outcome is awaited.

Exit status 1 means that a place could not be read, or a check not be decided.`, Bind: func(c *Call, set *flag.FlagSet) Run {
		var s scope
		s.bind(set)
		set.IntVar(&s.most, "max", 0, "at most this `NUMBER` of instances of each account and region; 0: all")
		findings := set.Bool("findings", false, "show each finding, too")
		apply := set.Bool("apply", false, "have the owners make the changes")
		wait, failOn := c.waiting(set), failOnFlag(set)
		return func(ctx context.Context, _ []string) error {
			if err := knownSeverity(*failOn); err != nil {
				return err
			}
			if len(s.IDs) > 0 {
				return Wrong("a sweep is of all; for single instances there is %s check ID", Tool)
			}
			if err := s.valid(); err != nil {
				return err
			}
			return c.sweep(ctx, publish, s, *findings, *apply, *failOn, *wait)
		}
	}}
}

func (c *Call) sweep(ctx context.Context, publish Publish, s scope, findings, apply bool, failOn string, wait time.Duration) error {
	inv, err := c.start(ctx, "sweep")
	if err != nil {
		return err
	}
	if apply {
		if err := c.owners(ctx); err != nil {
			return err
		}
	}
	found, err := c.look(ctx, inv, s)
	if err != nil {
		return err
	}
	made := SweepMade{Type: "sweep", Run: found.Start.Run, Report: inv.Place.Address(sweep.ReportObject(found.Start.Run, "report.html")), Summary: found.Summary}
	for r, err := range found.Findings(ctx) {
		if err == nil && findings {
			err = c.Show(r)
		}
		if err != nil {
			return err
		}
		made.count(r.Finding)
	}
	if err := publish(ctx, inv, found); err != nil {
		return err
	}
	if err := c.Show(made); err != nil {
		return err
	}
	if apply {
		err = c.applySweep(ctx, inv, found, s.narrow(), wait)
	}
	if unread := len(found.Summary.Unread()); unread > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d places could not be read", unread, len(found.Summary.Shards)))
	}
	if n := made.undecided(); n > 0 {
		err = errors.Join(err, errors.New(Plural(n, "check could not be decided", "checks could not be decided")))
	}
	if err != nil {
		return err
	}
	worst := map[fleet.Severity]int{}
	for _, s := range made.Summary.Severities() {
		worst[s.Severity] = s.N
	}
	return reaching(worst, failOn)
}

func (c *Call) applySweep(ctx context.Context, inv *invocation.Invocation, found sweep.Result, named bool, wait time.Duration) error {
	inv.Options.Stamp.Run = sweep.NewRun("apply", inv.Session.Now())
	p, err := plan.New(found, found.Drift(ctx), plan.Filter{Named: named}, inv.Session.Now())
	if err != nil || len(p.Items) == 0 {
		return err
	}
	if err := plan.Save(ctx, inv.Store, p); err != nil {
		return err
	}
	return c.apply(ctx, inv, p, false, wait)
}

// count adds a finding.
func (m *SweepMade) count(f *fleet.FindingRecord) {
	if f == nil || f.Outcome != fleet.Violation && f.Outcome != fleet.Conflict {
		return
	}
	x := Failing{f.Control, f.Rule, f.Severity, 1, f.Remedy}
	for i := range m.Failing {
		if y := m.Failing[i]; y.Control == x.Control && y.Rule == x.Rule && y.Severity == x.Severity {
			m.Failing[i].N++
			return
		}
	}
	m.Failing = append(m.Failing, x)
}

// undecided counts checks without a result.
func (m SweepMade) undecided() (n int) {
	for _, c := range m.Summary.Controls() {
		n += c.Open
	}
	return n
}
