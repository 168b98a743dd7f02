package notify_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/report"
)

var now = time.Date(2026, 12, 1, 18, 30, 0, 0, time.UTC)

const (
	prod = fleet.AccountID("1000000000000001")
	dev  = fleet.AccountID("1000000000000002")
)

func at(a fleet.AccountID, r fleet.Region) fleet.Scope { return fleet.Scope{Account: a, Region: r} }

func all(string, fleet.AccountID, fleet.Severity) bool { return true }

// from takes what has at least a severity.
func from(least fleet.Severity) func(string, fleet.AccountID, fleet.Severity) bool {
	return func(_ string, _ fleet.AccountID, s fleet.Severity) bool {
		return s == "" || s.Rank() >= least.Rank()
	}
}

func count(control, rule string, o fleet.Outcome, s fleet.Severity, n int) report.Count {
	return report.Count{Control: control, Rule: rule, Outcome: o, Severity: s, N: n}
}

func move(control, rule string, s fleet.Severity, isNew, still, fixed int) report.Move {
	return report.Move{Control: control, Rule: rule, Severity: s, New: isNew, Still: still, Fixed: fixed}
}

func summary() report.Summary {
	return report.Summary{Run: "sweep-1", Started: now.Add(-time.Hour), Ended: now.Add(-50 * time.Minute), Shards: []report.Shard{
		{Scope: at(prod, ""), Seen: 11, Counts: []report.Count{count("share-role", "share-trust", fleet.Violation, fleet.Critical, 1)}},
		{Scope: at(prod, "cn-hangzhou"), Seen: 100, Compared: true,
			Counts: []report.Count{count("agent", "agent-online", fleet.Violation, fleet.Medium, 3), count("agent", "agent-online", fleet.Undecided, fleet.Medium, 2),
				count("instance-role", "systrust-role", fleet.Violation, fleet.High, 4), count("instance-role", "systrust-role", fleet.Conflict, fleet.High, 1),
				count("trusted-instance", "kms-enabled", fleet.Violation, fleet.Medium, 1), count("trusted-instance", "vpc", fleet.Passes, "", 90)},
			Moves: []report.Move{move("agent", "agent-online", fleet.Medium, 3, 0, 0), move("agent", "agent-online", "", 0, 0, 2),
				move("instance-role", "systrust-role", fleet.High, 1, 4, 0), move("trusted-instance", "vpc", "", 0, 0, 5)},
			Held: []report.Held{{Control: "instance-role", Rule: "systrust-role", Why: "5 changes, more than maxChanges 4", Since: now.AddDate(0, 0, -2), N: 5, Limit: true}}},
		{Scope: at(dev, "cn-hangzhou"), Seen: 10, Counts: []report.Count{count("agent", "agent-online", fleet.Violation, fleet.Medium, 7), count("agent", "agent-online", fleet.Pending, "", 1)}},
		{Scope: at(dev, "cn-shanghai"), Fault: "ecs:DescribeInstances is denied"},
	}, Exemptions: []report.Exemption{
		{Control: "agent", Owner: "ops", Reason: "later", Expires: now.AddDate(0, 0, 15)},
		{Control: "agent", Rule: "agent-online", Owner: "ops", Reason: "ticket 1", Expires: now.AddDate(0, 0, 14)},
		{Control: "trusted-instance", Rule: "vpc", Owner: "eva", Reason: "old", Expires: now.AddDate(0, 0, -1)}}}
}

var orders = []fleet.Order{
	{Resume: true, At: now.Add(-2 * time.Hour), By: "acs:ram::1:user/b", Reason: "done"},
	{Control: "agent", At: now.Add(-3 * time.Hour), Until: now.Add(time.Hour), By: "acs:ram::1:user/a", Reason: "ticket 2"},
	{Account: dev, At: now.Add(-9 * time.Hour), Until: now.Add(-time.Hour), By: "acs:ram::1:user/a", Reason: "ended"},
}

func TestADigestSumsUpASweepTheMostSevereFirst(t *testing.T) {
	want := &notify.Digest{Run: "sweep-1", Started: now.Add(-time.Hour), Ended: now.Add(-50 * time.Minute), Seen: 121,
		Unread: 1, NotRead: []notify.NotReadDigest{{Account: dev, Region: "cn-shanghai", Why: "ecs:DescribeInstances is denied"}},
		Undetermined: 3, Uncompared: 1,
		Rules: []notify.RuleDigest{
			{Control: "share-role", Rule: "share-trust", Severity: fleet.Critical, Failing: 1, Uncompared: 1},
			{Control: "instance-role", Rule: "systrust-role", Severity: fleet.High, Failing: 5, New: 1},
			{Control: "agent", Rule: "agent-online", Severity: fleet.Medium, Failing: 10, New: 3, Fixed: 2, Uncompared: 7},
			{Control: "trusted-instance", Rule: "kms-enabled", Severity: fleet.Medium, Failing: 1, Uncompared: 1},
			{Control: "trusted-instance", Rule: "vpc", Fixed: 5},
		},
		Held: []notify.HeldDigest{{Control: "instance-role", Rule: "systrust-role", Account: prod, Region: "cn-hangzhou", N: 5,
			Since: now.AddDate(0, 0, -2), Why: "5 changes, more than maxChanges 4", Limit: true}},
		Expiring: []notify.ExpiringDigest{
			{Control: "trusted-instance", Rule: "vpc", Owner: "eva", Reason: "old", Expires: now.AddDate(0, 0, -1)},
			{Control: "agent", Rule: "agent-online", Owner: "ops", Reason: "ticket 1", Expires: now.AddDate(0, 0, 14)}},
		Pauses: []notify.PauseDigest{{Control: "agent", Until: now.Add(time.Hour), By: "acs:ram::1:user/a", Reason: "ticket 2"}},
	}
	got := notify.NewDigest(summary(), orders, all, now)
	if diff := cmp.Diff(want, got); diff != "" || got.Well() {
		t.Errorf("well %t (-want +got):\n%s", got.Well(), diff)
	}
}

func TestAChannelsFiltersBoundItsDigest(t *testing.T) {
	for name, tc := range map[string]struct {
		wants func(string, fleet.AccountID, fleet.Severity) bool
		want  string // seen, unread, undetermined, uncompared, failing by rule, held, expiring, pauses
	}{
		"an account": {func(_ string, a fleet.AccountID, _ fleet.Severity) bool { return a == "" || a == dev },
			"10 1 1 1 [agent-online 7 0 0] 0 2 1"},
		"a control": {func(c string, _ fleet.AccountID, _ fleet.Severity) bool { return c == "" || c == "trusted-instance" },
			"121 1 0 1 [kms-enabled 1 0 0 vpc 0 0 5] 0 1 0"},
		"a severity": {from(fleet.High),
			"121 1 3 1 [share-trust 1 0 0 systrust-role 5 1 0 agent-online 0 0 2 vpc 0 0 5] 1 2 1"},
		"nothing": {func(string, fleet.AccountID, fleet.Severity) bool { return false },
			"0 0 0 0 [] 0 0 0"},
	} {
		d := notify.NewDigest(summary(), orders, tc.wants, now)
		rules := []string{}
		for _, r := range d.Rules {
			rules = append(rules, fmt.Sprint(r.Rule, " ", r.Failing, " ", r.New, " ", r.Fixed))
		}
		if got := fmt.Sprint(d.Seen, d.Unread, d.Undetermined, d.Uncompared, rules, len(d.Held), len(d.Expiring), len(d.Pauses)); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// Whatever is not known, is held or is paused is not well, and neither is nothing at all.
func TestAllIsWellOnlyWhereAllWasReadAndHolds(t *testing.T) {
	well := func() report.Summary {
		return report.Summary{Shards: []report.Shard{{Scope: at(prod, "cn-hangzhou"), Seen: 3,
			Counts: []report.Count{count("agent", "agent-online", fleet.Passes, "", 1), count("agent", "agent-online", fleet.Exempted, "", 1), count("agent", "agent-online", fleet.NotApplicable, "", 1)},
			Moves:  []report.Move{move("agent", "agent-online", "", 0, 0, 1)}}}}
	}
	for name, tc := range map[string]struct {
		change func(s *report.Summary)
		orders []fleet.Order
		want   bool
	}{
		"all holds":         {func(*report.Summary) {}, nil, true},
		"nothing was seen":  {func(s *report.Summary) { s.Shards[0].Seen = 0 }, nil, false},
		"nothing at all":    {func(s *report.Summary) { s.Shards = nil }, nil, false},
		"one is unread":     {func(s *report.Summary) { s.Shards[0].Fault = "denied" }, nil, false},
		"one is held":       {func(s *report.Summary) { s.Shards[0].Held = []report.Held{{Control: "agent", N: 1}} }, nil, false},
		"it is paused":      {func(*report.Summary) {}, orders, false},
		"a pause has ended": {func(*report.Summary) {}, orders[2:], true},
		"an exemption ends": {func(s *report.Summary) { s.Exemptions = []report.Exemption{{Control: "agent", Expires: now}} }, nil, true},
	} {
		s := well()
		tc.change(&s)
		if got := notify.NewDigest(s, tc.orders, from(fleet.Critical), now); got.Well() != tc.want {
			t.Errorf("%s: well is %t: %+v", name, got.Well(), got)
		}
	}
	for _, o := range []fleet.Outcome{fleet.Violation, fleet.Conflict, fleet.Undecided, fleet.Pending, fleet.Fault, "new"} {
		s := well()
		s.Shards[0].Counts = append(s.Shards[0].Counts, count("agent", "agent-online", o, fleet.Critical, 1))
		if got := notify.NewDigest(s, nil, from(fleet.Critical), now); got.Well() {
			t.Errorf("%s is well", o)
		}
		s.Shards[0].Counts[len(s.Shards[0].Counts)-1].Severity = fleet.Low
		for name, wants := range map[string]func(string, fleet.AccountID, fleet.Severity) bool{"critical ones": from(fleet.Critical),
			"another control": func(c string, _ fleet.AccountID, _ fleet.Severity) bool { return c == "" || c == "share-role" }} {
			if got := notify.NewDigest(s, nil, wants, now); got.Well() {
				t.Errorf("%s of severity low, for a channel that is for %s, is well", o, name)
			}
		}
	}
	s := well()
	s.Shards[0].Held = []report.Held{{Control: "agent", N: 1}}
	if got := notify.NewDigest(s, nil, func(c string, _ fleet.AccountID, _ fleet.Severity) bool { return c == "" || c == "share-role" }, now); got.Well() || got.Elsewhere != 1 {
		t.Errorf("held for another control: %+v", got)
	}
	got := notify.NewDigest(well(), nil, all, now)
	if got.PausesNotRead = "denied"; got.Well() {
		t.Error("pauses that were not read are well")
	}
}

// The first shards that were not read are named, and all are counted.
func TestADigestNamesAFewOfManyShardsThatWereNotRead(t *testing.T) {
	var s report.Summary
	for i := range 100 {
		s.Shards = append(s.Shards, report.Shard{Scope: at(prod, fleet.Region(fmt.Sprint("cn-", i))), Fault: "denied"})
	}
	if d := notify.NewDigest(s, nil, all, now); d.Unread != 100 || len(d.NotRead) != 20 || d.Uncompared != 0 {
		t.Errorf("got %d, %d named, %d not compared", d.Unread, len(d.NotRead), d.Uncompared)
	}
}

// Of any summary, the numbers of a rule fit together, and the digests of two halves of the
// accounts add up to that of all.
func TestTheNumbersOfADigestAddUp(t *testing.T) {
	outcomes := []fleet.Outcome{fleet.Violation, fleet.Conflict, fleet.Passes, fleet.Undecided, fleet.Pending}
	rapid.Check(t, func(t *rapid.T) {
		var s report.Summary
		for range rapid.IntRange(0, 5).Draw(t, "shards") {
			x := report.Shard{Scope: at(rapid.SampledFrom([]fleet.AccountID{prod, dev}).Draw(t, "account"), "cn-hangzhou"), Seen: rapid.IntRange(0, 9).Draw(t, "seen"),
				Compared: rapid.Bool().Draw(t, "compared")}
			for _, rule := range []string{"a", "b"} {
				for _, severity := range []fleet.Severity{fleet.Low, fleet.High} {
					o, n := rapid.SampledFrom(outcomes).Draw(t, "outcome"), rapid.IntRange(0, 9).Draw(t, "n")
					x.Counts = append(x.Counts, count("c", rule, o, severity, n))
					if x.Compared && (o == fleet.Violation || o == fleet.Conflict) {
						still := rapid.IntRange(0, n).Draw(t, "still")
						x.Moves = append(x.Moves, move("c", rule, severity, n-still, still, 0))
					}
				}
				if x.Compared {
					x.Moves = append(x.Moves, move("c", rule, "", 0, 0, rapid.IntRange(0, 3).Draw(t, "fixed")))
				}
			}
			s.Shards = append(s.Shards, x)
		}
		sum := func(wants func(string, fleet.AccountID, fleet.Severity) bool) (out [7]int) {
			d := notify.NewDigest(s, nil, wants, now)
			if !slices.IsSortedFunc(d.Rules, func(a, b notify.RuleDigest) int { return b.Severity.Rank() - a.Severity.Rank() }) {
				t.Fatalf("not the most severe first: %+v", d.Rules)
			}
			for _, r := range d.Rules {
				if r.New+r.Uncompared > r.Failing || min(r.New, r.Fixed, r.Uncompared, r.Failing) < 0 || r.Failing+r.Fixed == 0 {
					t.Fatalf("impossible: %+v", r)
				}
				out[0], out[1], out[2], out[3] = out[0]+r.Failing, out[1]+r.New, out[2]+r.Fixed, out[3]+r.Uncompared
			}
			out[4], out[5], out[6] = d.Seen, d.Undetermined, d.Uncompared
			return out
		}
		whole := sum(all)
		one := sum(func(_ string, a fleet.AccountID, _ fleet.Severity) bool { return a != dev })
		two := sum(func(_ string, a fleet.AccountID, _ fleet.Severity) bool { return a != prod })
		for i := range whole {
			if one[i]+two[i] != whole[i] {
				t.Fatalf("%v and %v are not %v", one, two, whole)
			}
		}
	})
}
