package sweep_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
)

// nightly has a sweep run a number of days after noon, and returns its run.
func (c *cloud) nightly(t tester, days int, do doer) string {
	t.Helper()
	c.now = noon.AddDate(0, 0, days)
	run := c.begin(t, do)
	c.drain(t, do)
	return run
}

// firsts are since when rules do not hold, in days after noon, in one region.
func (c *cloud) firsts(t tester, run string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for what, first := range c.remembered(t, run) {
		if id, ok := strings.CutPrefix(what, hangzhou.String()+" "); ok {
			out[id] = int(first.Sub(noon) / (24 * time.Hour))
		}
	}
	return out
}

func TestWhatFailsIsRememberedWhileItLasts(t *testing.T) {
	c := newCloud()
	c.fleets[hangzhou] = []string{"h1", "h2x", "h3e", "h4y", "h5xy", "h6", "h7x", "h8p", "h9x"}
	want := map[string]int{"h2x systrust-role": 0, "h4y agent-online": 0, "h5xy systrust-role": 0, "h5xy agent-online": 0,
		"h7x systrust-role": 0, "h8p systrust-role": 0, "h8p systrust-role_pending": 0, "h9x systrust-role": 0}
	if diff := cmp.Diff(want, c.firsts(t, c.nightly(t, 0, fine))); diff != "" {
		t.Fatal(diff)
	}
	// One holds, one is gone, one rule could not be determined while the other holds, one
	// fails that did not.
	c.as = map[string]string{"h2x": "", "h5xy": "u", "h1": "x"}
	c.fleets[hangzhou] = slices.DeleteFunc(c.fleets[hangzhou], func(id string) bool { return id == "h7x" })
	want = map[string]int{"h4y agent-online": 0, "h5xy agent-online": 0, "h8p systrust-role": 0, "h8p systrust-role_pending": 0,
		"h9x systrust-role": 0, "h1 systrust-role": 1}
	if diff := cmp.Diff(want, c.firsts(t, c.nightly(t, 1, fine))); diff != "" {
		t.Fatal(diff)
	}
	// Two nights are missed. What held once counts from now, what fails all the while goes
	// back to the first night.
	c.as = map[string]string{"h1": "x"}
	want = map[string]int{"h2x systrust-role": 4, "h4y agent-online": 0, "h5xy agent-online": 0, "h5xy systrust-role": 4, "h8p systrust-role": 0,
		"h8p systrust-role_pending": 0, "h9x systrust-role": 0, "h1 systrust-role": 1}
	if diff := cmp.Diff(want, c.firsts(t, c.nightly(t, 4, fine))); diff != "" {
		t.Fatal(diff)
	}
}

// A rule that was not found at fault once, whatever is unknown of others, begins again; one
// of which nothing could be determined does not.
func TestAFirstDayOutlivesANightOnlyWhereNothingWasDetermined(t *testing.T) {
	for end, want := range map[string]int{"x": 0, "xy": 0, "p": 0, "n": 0, "": 2, "u": 2, "m": 2, "o": 2, "-": 2} {
		c := newCloud()
		c.fleets[hangzhou] = []string{"h1", "h2x"}
		c.nightly(t, 0, fine)
		c.as = map[string]string{"h2x": end}
		c.nightly(t, 1, fine)
		c.as = nil
		if got := c.firsts(t, c.nightly(t, 2, fine))["h2x systrust-role"]; got != want {
			t.Errorf("after a night as %q it counts from day %d, want %d", end, got, want)
		}
	}
}

// Half of a region says nothing of the other half; what was seen counts.
func TestAShardThatIsNotReadToItsEndForgetsNothingThatItDidNotSee(t *testing.T) {
	c := newCloud()
	c.fleets[hangzhou] = []string{"h1", "h2x", "h3x", "h4y", "h5x", "h6x", "h7x"}
	c.nightly(t, 0, fine)
	c.as = map[string]string{"h2x": "", "h7x": "", "h1": "y"}
	run := c.nightly(t, 1, failing(failure{class: fleet.Denied}, 1, "page "+hangzhou.String()+" 6"))
	want := map[string]int{"h1 agent-online": 1, "h3x systrust-role": 0, "h4y agent-online": 0, "h5x systrust-role": 0, "h6x systrust-role": 0, "h7x systrust-role": 0}
	if diff := cmp.Diff(want, c.firsts(t, run)); diff != "" {
		t.Fatal(diff)
	}
	// A region that nothing was seen of keeps the memory that it has.
	c.as = nil
	if got := c.firsts(t, c.nightly(t, 2, failing(failure{class: fleet.Denied}, 99, "page "+hangzhou.String()))); len(got) > 0 {
		t.Fatalf("it remembers %v", got)
	}
	want = map[string]int{"h2x systrust-role": 3, "h3x systrust-role": 0, "h4y agent-online": 0, "h5x systrust-role": 0, "h6x systrust-role": 0, "h7x systrust-role": 0}
	if diff := cmp.Diff(want, c.firsts(t, c.nightly(t, 3, fine))); diff != "" {
		t.Fatal(diff)
	}
}

// Whatever becomes of any single operation of the second night, also around those that
// read and write the memory: nothing is lost, doubled or younger, and what is new and fixed
// is counted once.
func TestAMemoryIsTheSameWhateverOperationFailsOrKillsItsPass(t *testing.T) {
	begin := func() *cloud {
		c := newCloud()
		c.nightly(t, 0, fine)
		c.as = map[string]string{"h2x": "", "h7x": "u", "h9": "x"}
		return c
	}
	c := begin()
	run := c.nightly(t, 1, fine)
	want, moved := c.firsts(t, run), c.moved(t, run, hangzhou)
	if want["h10x systrust-role"] != 0 || want["h9 systrust-role"] != 1 || len(want) < 5 || moved["systrust-role"] != [3]int{1, 2, 2} {
		t.Fatalf("got %v, %v", want, moved)
	}
	for name, mishap := range mishaps {
		for n, what := 1, "begin"; what != ""; n++ {
			c := begin()
			what = ""
			run := c.nightly(t, 1, c.once(n, mishap, &what))
			if diff := cmp.Diff(want, c.firsts(t, run)) + cmp.Diff(moved, c.moved(t, run, hangzhou)); diff != "" {
				t.Fatalf("operation %d, %s: %s: %s", n, what, name, diff)
			}
			if n > 2000 {
				t.Fatal("a sweep of this size takes fewer operations")
			}
		}
	}
}

// memories are the names of what all sweeps remember of one region.
func (c *cloud) memories() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(c.objects)), func(name string) bool {
		return !strings.HasPrefix(name, "memory/"+string(hangzhou.Account)+"/"+string(hangzhou.Region)+"/")
	})
}

func TestAMemoryThatIsLostOrUnreadableBeginsAgainAndSaysSo(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(c *cloud)
		says  string
	}{
		"the newest is lost, an older one is there": {func(c *cloud) { delete(c.objects, c.memories()[1]) }, "left one, and it is not there"},
		"all is lost": {func(c *cloud) {
			for _, name := range c.memories() {
				delete(c.objects, name)
			}
		}, "left one, and it is not there"},
		"it is cut":             {func(c *cloud) { c.objects[c.memories()[1]] = c.objects[c.memories()[1]][:40] }, "not a whole object"},
		"it is another night's": {func(c *cloud) { c.objects[c.memories()[1]] = c.objects[c.memories()[0]] }, "of another shard or sweep"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.nightly(t, 0, fine)
			c.nightly(t, 1, fine)
			tc.spoil(c)
			c.records = nil
			for what, day := range c.firsts(t, c.nightly(t, 2, fine)) {
				if day != 2 {
					t.Errorf("%s counts from day %d", what, day)
				}
			}
			said := slices.DeleteFunc(c.said(), func(s string) bool { return !strings.HasPrefix(s, "memory fault") })
			if len(said) != 1 || !strings.Contains(said[0], tc.says) {
				t.Errorf("it said %q", said)
			}
		})
	}
}

// A night that saw a rule hold and could not keep that in mind leaves no gap that an older
// memory spans; one that saw nothing does.
func TestAnOlderMemoryCountsOnlyWhereNothingWasSeenSince(t *testing.T) {
	denied := failure{class: fleet.Denied}
	for name, tc := range map[string]struct {
		do   doer
		as   string
		want int
	}{
		"it may not write the memory":                     {failing(denied, 99, "put memory"), "", 3},
		"it may not write the memory, and the rule fails": {failing(denied, 99, "put memory"), "x", 3},
		"it may not read it, and finds all in order":      {failing(denied, 99, "get memory", "list memory"), "", 3},
		"it may not list instances":                       {failing(denied, 99, "page "+hangzhou.String()), "", 0},
	} {
		c := newCloud()
		c.fleets[hangzhou] = []string{"h1", "h2x"}
		c.nightly(t, 0, fine)
		c.as = map[string]string{"h2x": tc.as}
		c.nightly(t, 1, tc.do)
		c.as = nil
		// Whatever that night left: one that sees nothing changes nothing about it.
		c.nightly(t, 2, failing(denied, 99, "page "+hangzhou.String()))
		if got := c.firsts(t, c.nightly(t, 3, fine))["h2x systrust-role"]; got != tc.want {
			t.Errorf("%s: it counts from day %d, want %d", name, got, tc.want)
		}
	}
}

func TestASweepThatMayNotRememberSaysSoAndIsASweepAllTheSame(t *testing.T) {
	want, c := newCloud().swept(t, fine), newCloud()
	got := c.swept(t, failing(failure{class: fleet.Denied}, 99, "put memory"))
	want.Memory = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(c.said(), func(s string) bool {
		return strings.HasPrefix(s, "memory fault since when rules do not hold could not be kept")
	}) {
		t.Errorf("it said %q", c.said())
	}
}

func TestADrySweepAndAPlanLeaveNoMemory(t *testing.T) {
	c := newCloud()
	if _, err := c.sweep(fine).Begin(t.Context(), c.where(), true); err != nil {
		t.Fatal(err)
	}
	c.drain(t, fine)
	c.budget = 1000 // all passes of a look share one
	passes := 0
	run, err := c.sweep(failing(failure{class: fleet.Throttled}, 1, "page")).Look(t.Context(), c.where(), c.wait, func(n, of int) {
		if passes++; n > of || of != 5 || passes > 6 {
			t.Fatalf("pass %d is at shard %d of %d", passes, n, of)
		}
	})
	if err != nil || passes != 6 || len(c.inbox) > 0 {
		t.Errorf("%d passes, left %v: %v", passes, c.inbox, err)
	}
	if got := c.outcome(t, run); len(got.Drift) == 0 {
		t.Errorf("the look found nothing: %+v", got)
	}
	if len(c.published) == 0 || len(c.memories()) > 0 {
		t.Errorf("%d reports, %q", len(c.published), c.memories())
	}
}

// The owner of a control hears once of a violation that only time brought about, and that
// it cannot repair; each report has it.
func TestAnOwnerIsNotifiedOnceWhenAPatienceEnds(t *testing.T) {
	for mode, want := range map[policy.Mode]int{policy.Enforce: 1, policy.Audit: 0} {
		c := newCloud()
		c.policy.Agent.Mode = mode
		c.fleets[hangzhou] = []string{"h1", "h2o", "h3"}
		const message = "push-agent@cn-hangzhou: 1000000000000001/cn-hangzhou instance h2o"
		for day, n := range []int{0, want, want, want} {
			run := c.nightly(t, day, fine)
			violations := slices.DeleteFunc(c.outcome(t, run).Findings, func(f string) bool { return !strings.HasSuffix(f, "h2o agent-online violation") })
			if c.notified[message] != n || len(violations) != min(day, 1) {
				t.Errorf("%s, day %d: notified %d times, want %d; %q", mode, day, c.notified[message], n, violations)
			}
		}
		if changes := c.outcome(t, c.nightly(t, 4, fine)).Drift; slices.ContainsFunc(changes, func(d string) bool { return strings.Contains(d, "h2o") }) {
			t.Errorf("it is drift: %q", changes)
		}
	}
}

// Where a part of a control is enforced, its owner hears once of what matures in that, and of
// what has matured when it comes into the part. A sweep does not claim that the owner knows of
// all that had matured, so that the rest is reported once it is enforced as well.
func TestAnOwnerIsNotifiedOnceOfWhatMaturesInThePartThatIsEnforced(t *testing.T) {
	c := newCloud()
	part := func(ids ...string) {
		c.policy.Agent.Mode, c.policy.Agent.EnforceFor = policy.Audit, []policy.Selector{{VPCs: ids}}
	}
	c.fleets[hangzhou] = []string{"h1", "h2o", "h3o", "h4o"}
	const message = "push-agent@cn-hangzhou: 1000000000000001/cn-hangzhou instance "
	day := 0
	nights := func(what string, n, two, three, four int, do doer) {
		t.Helper()
		for range n {
			c.nightly(t, day, do)
			day++
		}
		if got := [3]int{c.notified[message+"h2o"], c.notified[message+"h3o"], c.notified[message+"h4o"]}; got != [3]int{two, three, four} {
			t.Errorf("%s: notified %v times", what, got)
		}
	}
	part("vpc-h2o")
	nights("a part", 4, 1, 0, 0, fine)
	part("vpc-h2o", "vpc-h3o")
	nights("one came into the part, and no message can be sent", 2, 1, 0, 0, failing(failure{class: fleet.Denied}, 99, "notify push-agent"))
	nights("one came into the part", 3, 1, 1, 0, fine)
	c.as = map[string]string{"h2o": "u"}
	nights("one cannot be read", 1, 1, 1, 0, fine)
	c.as = nil
	nights("it can be read again", 2, 1, 1, 0, fine)
	part("vpc-h3o")
	nights("one has left the part", 2, 1, 1, 0, fine)
	part("vpc-h2o", "vpc-h3o")
	nights("it is back", 3, 2, 1, 0, fine)
	c.policy.Agent.Mode, c.policy.Agent.EnforceFor = policy.Enforce, nil
	nights("all is enforced", 3, 3, 2, 1, fine)
}

// A patience that ends in a night whose shard fails, or whose message does, or in which the
// control is in audit, is reported to the owner by the next sweep that can: not never.
func TestAnOwnerIsNotifiedByTheNextSweepOfWhatOneCouldNotReport(t *testing.T) {
	denied := failure{class: fleet.Denied}
	const message = "push-agent@cn-hangzhou: 1000000000000001/cn-hangzhou instance h2o"
	for name, tc := range map[string]struct {
		do   doer
		mode policy.Mode
	}{
		"nothing of the region is read": {failing(denied, 99, "page "+hangzhou.String()), policy.Enforce},
		"half of the region is read":    {failing(denied, 99, "page "+hangzhou.String()+" 3"), policy.Enforce},
		"there is no inbox":             {failing(failure{class: fleet.NotFound}, 99, "notify push-agent"), policy.Enforce},
		"it may not send":               {failing(denied, 99, "notify push-agent"), policy.Enforce},
		"audit":                         {fine, policy.Audit},
	} {
		c := newCloud()
		c.policy.Agent.Mode = policy.Enforce
		c.fleets[hangzhou] = []string{"h1", "h2o", "h3", "h4"}
		c.nightly(t, 0, fine)
		c.policy.Agent.Mode = tc.mode
		c.nightly(t, 1, tc.do)
		c.nightly(t, 2, tc.do)
		if c.notified[message] != 0 {
			t.Errorf("%s: notified all the same", name)
		}
		if name == "there is no inbox" || name == "it may not send" {
			if said := strings.Join(c.said(), "\n"); strings.Count(said, "owner fault push-agent was not notified of violations whose patience has ended (1)") != 2 {
				t.Errorf("%s: it said %s", name, said)
			}
		}
		c.policy.Agent.Mode = policy.Enforce
		for day := range 3 {
			c.nightly(t, 3+day, fine)
		}
		if c.notified[message] != 1 {
			t.Errorf("%s: notified %d times after that", name, c.notified[message])
		}
	}
}

// The limits are for changes: what is held by them keeps no report from the owner.
func TestAnOwnerIsNotifiedOfWhatMaturesWhileItsChangesAreHeld(t *testing.T) {
	c := newCloud()
	c.policy.Agent.Mode, c.policy.Limits.MaxChanges = policy.Enforce, 1
	c.fleets[hangzhou] = []string{"h1y", "h2o", "h3y"}
	c.nightly(t, 0, fine)
	run := c.nightly(t, 1, fine)
	notified := slices.DeleteFunc(slices.Sorted(maps.Keys(c.notified)), func(s string) bool {
		return !strings.Contains(s, "push-agent@") || !strings.Contains(s, hangzhou.String())
	})
	if len(notified) != 1 || !strings.HasSuffix(notified[0], "h2o") || len(c.outcome(t, run).shard(t, hangzhou).Held) == 0 {
		t.Errorf("notified of %q; held %v", notified, c.outcome(t, run).shard(t, hangzhou).Held)
	}
}

// A sweep once a week, a little later each time, misses no grace.
func TestAWeeklySweepRemembers(t *testing.T) {
	c := newCloud()
	c.policy.Agent.Mode = policy.Enforce
	c.fleets[hangzhou] = []string{"h1", "h2o", "h3x"}
	var run string
	for week := range 4 {
		c.now = noon.AddDate(0, 0, 7*week).Add(time.Duration(week) * time.Minute)
		run = c.begin(t, fine)
		c.drain(t, fine)
	}
	got := c.firsts(t, run)
	if diff := cmp.Diff(map[string]int{"h2o agent-online": 0, "h3x systrust-role": 0}, got); diff != "" {
		t.Error(diff)
	}
	if n := c.notified["push-agent@cn-hangzhou: 1000000000000001/cn-hangzhou instance h2o"]; n != 1 {
		t.Errorf("notified %d times", n)
	}
}

// No two sweeps see an instance at the same time of the night. A grace of whole days that
// ends shortly after the sweep has seen it does not wait for the next one: the owner, which
// is notified, waits for its end.
func TestAGraceThatEndsSoonAfterItsSweepReachesTheOwner(t *testing.T) {
	for after, want := range map[time.Duration]int{22 * time.Hour: 0, 24*time.Hour - time.Minute: 1, 24 * time.Hour: 1} {
		c := newCloud()
		c.policy.TrustedInstance.Mode = policy.Enforce
		c.fleets[hangzhou] = []string{"h1", "h2g"}
		c.nightly(t, 0, fine)
		c.now = noon.Add(after)
		run := c.begin(t, fine)
		c.drain(t, fine)
		changes := c.outcome(t, run).Drift
		if early := !slices.ContainsFunc(changes, func(d string) bool { return strings.Contains(d, "h2g") }); early != (after < 24*time.Hour) {
			t.Errorf("after %s: changes %q", after, changes)
		}
		if n := c.notified["validate-instance@cn-hangzhou: 1000000000000001/cn-hangzhou instance h2g"]; n != want {
			t.Errorf("after %s: notified %d times, want %d", after, n, want)
		}
	}
}

// A start that names itself as the one before is no reason to read for ever.
func TestASweepThatNamesItselfHasNoPredecessor(t *testing.T) {
	c := newCloud()
	c.nightly(t, 0, fine)
	run := c.nightly(t, 1, failing(failure{class: fleet.Denied}, 99, "page "+hangzhou.String()))
	name := "starts/" + run + ".json"
	var start sweep.Start
	if err := json.Unmarshal(c.objects[name], &start); err != nil {
		t.Fatal(err)
	}
	start.Before, start.BeforeAt = run, start.At
	body, err := json.Marshal(start)
	if err != nil {
		t.Fatal(err)
	}
	c.objects[name] = body
	reads := 0
	c.nightly(t, 2, func(op string, effect func() error) error {
		if op == "get "+name {
			if reads++; reads > 100 {
				t.Fatal("it reads for ever")
			}
		}
		return effect()
	})
}
