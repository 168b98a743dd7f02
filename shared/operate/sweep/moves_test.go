package sweep_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/report"
)

// moved are how many instances of a shard are new, still and fixed, by rule; nil where that is
// not known. It compares them with the shard's counts.
func (c *cloud) moved(t tester, run string, scope fleet.Scope) map[string][3]int {
	t.Helper()
	s := c.outcome(t, run).shard(t, scope)
	if !s.Compared {
		if s.Moves != nil {
			t.Errorf("%s has moves that nothing was compared for: %v", scope, s.Moves)
		}
		return nil
	}
	out, failing := map[string][3]int{}, map[report.Move]int{}
	for _, m := range s.Moves {
		n := out[m.Rule]
		out[m.Rule] = [3]int{n[0] + m.New, n[1] + m.Still, n[2] + m.Fixed}
		if m.Severity == "" && m.New+m.Still > 0 || m.Severity != "" && m.Fixed > 0 {
			t.Errorf("the severity is not that of what fails: %+v", m)
		}
		failing[report.Move{Control: m.Control, Rule: m.Rule, Severity: m.Severity}] += m.New + m.Still
	}
	for _, x := range s.Counts {
		if (x.Outcome == fleet.Violation || x.Outcome == fleet.Conflict) && x.Rule != "kms-enabled" {
			failing[report.Move{Control: x.Control, Rule: x.Rule, Severity: x.Severity}] -= x.N
		}
	}
	for m, n := range failing {
		if n != 0 {
			t.Errorf("%s: of rule %s, %d more are new or still fail than fail", scope, m.Rule, n)
		}
	}
	return out
}

func TestWhatFailsSinceTheSweepBeforeIsNewAndWhatHoldsAgainIsFixed(t *testing.T) {
	const role, agent = "systrust-role", "agent-online"
	type moves = map[string][3]int
	for name, nights := range map[string][]struct {
		as   map[string]string
		want moves // new, still, fixed
	}{
		"it fails, fails, and holds": {
			{map[string]string{}, moves{}},
			{map[string]string{"h1": "x"}, moves{role: {1, 0, 0}}},
			{map[string]string{"h1": "x", "h2": "xy"}, moves{role: {1, 1, 0}, agent: {1, 0, 0}}},
			{map[string]string{"h2": "y"}, moves{role: {0, 0, 2}, agent: {0, 1, 0}}},
			{map[string]string{}, moves{agent: {0, 0, 1}}},
			{map[string]string{}, moves{}},
		},
		"a conflict fails as well": {
			{map[string]string{"h1": "x"}, moves{role: {1, 0, 0}}},
			{map[string]string{"h1": "r", "h2": "r"}, moves{role: {1, 1, 0}}},
			{map[string]string{}, moves{role: {0, 0, 2}}},
		},
		"pending is no failure": {
			{map[string]string{"h1": "p", "h2": "p"}, moves{}},
			{map[string]string{"h1": "p", "h2": "x"}, moves{role: {1, 0, 0}}},
			{map[string]string{"h1": "x", "h2": "x"}, moves{role: {1, 1, 0}}},
			{map[string]string{"h1": "x", "h2": "x"}, moves{role: {0, 2, 0}}},
			{map[string]string{}, moves{role: {0, 0, 2}}},
			{map[string]string{"h1": "p"}, moves{}},
			{map[string]string{}, moves{}},
		},
		"a failure that is pending meanwhile is the same failure": {
			{map[string]string{"h1": "x", "h2": "x"}, moves{role: {2, 0, 0}}},
			{map[string]string{"h1": "p", "h2": "p"}, moves{}},
			{map[string]string{"h1": "x"}, moves{role: {0, 1, 1}}},
		},
		"a failure that is unknown meanwhile is the same failure": {
			{map[string]string{"h1": "y", "h2": "y", "h3": "y"}, moves{agent: {3, 0, 0}}},
			{map[string]string{"h1": "u", "h2": "m", "h3": "u"}, moves{}},
			{map[string]string{"h1": "u", "h2": "y"}, moves{agent: {0, 1, 1}}},
			{map[string]string{"h1": "y"}, moves{agent: {0, 1, 1}}},
		},
		"pending and then unknown has not failed yet": {
			{map[string]string{"h1": "p"}, moves{}},
			{map[string]string{"h1": "n"}, moves{}},
			{map[string]string{"h1": "xm"}, moves{role: {1, 0, 0}}},
			{map[string]string{"h1": "n"}, moves{}},
			{map[string]string{"h1": "x"}, moves{role: {0, 1, 0}}},
		},
		"what is not required any more is not fixed": {
			{map[string]string{"h1": "x"}, moves{role: {1, 0, 0}}},
			{map[string]string{"h1": "-"}, moves{}},
			{map[string]string{"h1": "x"}, moves{role: {1, 0, 0}}},
		},
		"what has no memory is not counted": {
			{map[string]string{"h1": "k"}, moves{}},
			{map[string]string{}, moves{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.fleets[hangzhou] = []string{"h1", "h2", "h3", "h4"}
			c.nightly(t, 0, fine)
			for i, night := range nights {
				c.as = night.as
				if diff := cmp.Diff(night.want, c.moved(t, c.nightly(t, i+1, fine), hangzhou)); diff != "" {
					t.Errorf("night %d: %s", i+1, diff)
				}
			}
		})
	}
}

func TestAnInstanceThatIsGoneOrExemptIsNotFixed(t *testing.T) {
	c := newCloud()
	c.fleets[hangzhou] = []string{"h1x", "h2x", "h3x"}
	c.nightly(t, 0, fine)
	c.fleets[hangzhou] = []string{"h1x", "h3x", "h4x"}
	c.as = map[string]string{"h3x": "e"}
	c.policy.Exemptions[0].Instances = []string{"h3x"}
	if got := c.moved(t, c.nightly(t, 1, fine), hangzhou)["systrust-role"]; got != [3]int{1, 1, 0} {
		t.Errorf("new, still and fixed: %v", got)
	}
}

func TestWithoutAMemoryItIsNotKnownWhatIsNew(t *testing.T) {
	denied := failure{class: fleet.Denied}
	lose := func(c *cloud) {
		for _, name := range c.memories() {
			delete(c.objects, name)
		}
	}
	for name, nights := range map[string][]struct {
		before func(c *cloud)
		do     doer
		want   any // new, still and fixed of systrust-role; nil for unknown
	}{
		"the first sweep":                  {{nil, fine, nil}, {nil, fine, [3]int{0, 1, 0}}},
		"the memory is lost":               {{nil, fine, nil}, {lose, fine, nil}, {nil, fine, [3]int{0, 1, 0}}},
		"it may not be read":               {{nil, fine, nil}, {nil, failing(denied, 99, "list memory"), nil}},
		"it may not be written":            {{nil, failing(denied, 99, "put memory"), nil}, {nil, failing(denied, 99, "put memory"), nil}, {nil, fine, nil}, {nil, fine, [3]int{0, 1, 0}}},
		"the night before saw nothing":     {{nil, fine, nil}, {nil, failing(denied, 99, "page "+hangzhou.String()), nil}, {nil, fine, [3]int{0, 1, 0}}},
		"only nights that saw nothing are": {{nil, failing(denied, 99, "page "+hangzhou.String()), nil}, {nil, fine, nil}},
		"it had nothing to remember": {
			{func(c *cloud) { c.as = map[string]string{"h2x": ""} }, fine, nil}, {func(c *cloud) { c.as = nil }, fine, [3]int{1, 0, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			c.fleets[hangzhou] = []string{"h1", "h2x"}
			for day, night := range nights {
				if night.before != nil {
					night.before(c)
				}
				got := c.moved(t, c.nightly(t, day, night.do), hangzhou)
				if (got == nil) != (night.want == nil) || got != nil && got["systrust-role"] != night.want {
					t.Errorf("night %d: got %v, want %v", day, got, night.want)
				}
			}
		})
	}
}

// The memory that a shard began with may be gone in its middle.
func TestAMemoryThatIsLostHalfWayMakesAllOfItsShardUnknown(t *testing.T) {
	c := newCloud()
	c.nightly(t, 0, fine)
	c.now = noon.AddDate(0, 0, 1)
	run := c.begin(t, fine)
	lost := false
	c.drain(t, func(op string, effect func() error) error {
		if strings.HasPrefix(op, "page "+hangzhou.String()+" 6") && !lost {
			lost = true
			for _, name := range c.memories() {
				delete(c.objects, name)
			}
		}
		return effect()
	})
	if got := c.moved(t, run, hangzhou); got != nil || !lost {
		t.Errorf("got %v", got)
	}
}

func TestWhatAnAccountSharesIsNotCompared(t *testing.T) {
	c := newCloud()
	c.nightly(t, 0, fine)
	if got := c.moved(t, c.nightly(t, 1, fine), at(one, "")); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestAShardThatIsNotReadToItsEndCountsWhatItSaw(t *testing.T) {
	c := newCloud()
	c.fleets[hangzhou] = []string{"h1", "h2x", "h3x", "h4y", "h5x", "h6x", "h7x"}
	c.nightly(t, 0, fine)
	c.as = map[string]string{"h2x": "", "h7x": "", "h1": "x"}
	run := c.nightly(t, 1, failing(failure{class: fleet.Denied}, 1, "page "+hangzhou.String()+" 6"))
	if got := c.moved(t, run, hangzhou)["systrust-role"]; got != [3]int{1, 3, 1} {
		t.Errorf("new, still and fixed: %v", got)
	}
	c.as = map[string]string{"h2x": "", "h7x": ""}
	if got := c.moved(t, c.nightly(t, 2, fine), hangzhou)["systrust-role"]; got != [3]int{0, 3, 2} {
		t.Errorf("the night after: %v", got)
	}
}

// endings of an id, and what each makes of a rule: it fails, holds, is not required, or leaves
// it as it was.
var endings = map[string]map[string]string{
	"systrust-role": {"": "holds", "x": "fails", "xy": "fails", "r": "fails", "y": "holds", "u": "holds", "m": "holds", "xm": "fails", "n": "", "p": "", "-": "not required"},
	"agent-online":  {"": "holds", "x": "holds", "xy": "fails", "r": "holds", "y": "fails", "u": "", "m": "", "xm": "", "n": "holds", "p": "holds", "-": "not required"},
}

// Over any nights with any memory that is lost, the numbers are those of a model that
// remembers all by itself.
func TestTheMovesOfAnyNightsAreThoseOfAModel(t *testing.T) {
	all := slices.Sorted(maps.Keys(endings["agent-online"]))
	rapid.Check(t, func(t *rapid.T) {
		c := newCloud()
		delete(c.fleets, at(two, "cn-hangzhou"))
		c.twice = rapid.Bool().Draw(t, "twice")
		failing, known := map[string]bool{}, false
		for day := range rapid.IntRange(2, 5).Draw(t, "nights") {
			if known && rapid.IntRange(0, 4).Draw(t, "lose") == 0 {
				names := c.memories()
				for _, name := range names {
					delete(c.objects, name)
				}
				if len(names) > 0 { // else there was nothing to lose
					failing, known = map[string]bool{}, false
				}
			}
			c.fleets[hangzhou], c.as = nil, map[string]string{}
			want, now := map[string][3]int{}, map[string]bool{}
			for i := range 8 {
				id := fmt.Sprintf("h%d", i)
				if rapid.IntRange(0, 6).Draw(t, "gone") == 0 {
					continue
				}
				c.fleets[hangzhou] = append(c.fleets[hangzhou], id)
				c.as[id] = rapid.SampledFrom(all).Draw(t, "ending")
				for rule, makes := range endings {
					what, n := id+" "+rule, want[rule]
					switch makes[c.as[id]] {
					case "fails":
						now[what] = true
						if failing[what] {
							n[1]++
						} else {
							n[0]++
						}
					case "holds":
						if failing[what] {
							n[2]++
						}
					case "":
						now[what] = failing[what]
					}
					if n != ([3]int{}) {
						want[rule] = n
					}
				}
			}
			c.budget = rapid.IntRange(1, 5).Draw(t, "budget")
			got := c.moved(t, c.nightly(t, day, fine), hangzhou)
			if !known {
				want = nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("night %d: %s", day, diff)
			}
			failing, known = now, true
		}
	})
}

// Of a million resources a shard keeps a few numbers.
func TestMovesDoNotGrowWithTheFleet(t *testing.T) {
	c := newCloud()
	c.fleets[hangzhou] = nil
	for i := range 500 {
		c.fleets[hangzhou] = append(c.fleets[hangzhou], fmt.Sprintf("h%dxy", i))
	}
	c.budget = 1000
	c.nightly(t, 0, fine)
	run := c.nightly(t, 1, fine)
	if got := c.moved(t, run, hangzhou)["systrust-role"]; got != [3]int{0, 500, 0} {
		t.Errorf("got %v", got)
	}
	r, err := sweep.Load(t.Context(), c.sweep(fine).Store, run)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Summary.Shards {
		if len(s.Moves) > 4 {
			t.Errorf("%s has %d moves", s.Scope, len(s.Moves))
		}
	}
}
