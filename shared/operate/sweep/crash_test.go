package sweep_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
)

var errKilled = errors.New("killed")

// mishaps are what may happen to one operation. The first two end the pass.
var mishaps = map[string]func(c *cloud, effect func() error) error{
	"killed before it": func(c *cloud, _ func() error) error {
		c.dead = true
		return errKilled
	},
	"killed after it": func(c *cloud, effect func() error) error {
		_ = effect()
		c.dead = true
		return errKilled
	},
	"refused once": func(*cloud, func() error) error { return failure{class: fleet.Throttled} },
	"its answer lost": func(_ *cloud, effect func() error) error {
		if err := effect(); err != nil {
			return err
		}
		return failure{class: fleet.Lost}
	},
}

// once has a mishap happen to the nth operation. It notes what that was.
func (c *cloud) once(n int, mishap func(*cloud, func() error) error, what *string) doer {
	return func(op string, effect func() error) error {
		if c.dead {
			return errKilled
		}
		if n--; n == 0 {
			*what = op
			return mishap(c, effect)
		}
		return effect()
	}
}

// Whatever becomes of any single operation of a sweep, its numbers are exact and each
// owner is notified of everything.
func TestASweepComesToTheSameWhateverOperationFailsOrKillsItsPass(t *testing.T) {
	want := newCloud().swept(t, fine)
	for name, mishap := range mishaps {
		happened := 1
		for n := 1; happened > 0; n++ {
			c, what := newCloud(), ""
			got := c.swept(t, c.once(n, mishap, &what))
			if what == "" {
				happened = 0
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("operation %d, %s: %s: %s", n, what, name, diff)
			}
			if n > 2000 {
				t.Fatal("a sweep of this size takes fewer operations")
			}
		}
	}
}

// Sooner or later everything fails, at any operation, again and again.
func TestASweepComesToTheSameWhenEverySoManyOperationsFail(t *testing.T) {
	want := newCloud().swept(t, fine)
	for name, mishap := range mishaps {
		for every := 29; every < 60; every++ {
			c, n := newCloud(), 0
			got := c.swept(t, func(op string, effect func() error) error {
				if c.dead {
					return errKilled
				}
				if n++; n%every == 0 {
					return mishap(c, effect)
				}
				return effect()
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("each %dth operation %s: %s", every, name, diff)
			}
		}
	}
}

// lane is one pass that stops before each operation until it is let continue.
type lane struct {
	next func() (string, bool)
	kill func()
	m    message
	err  error
	dead bool
}

// launch begins a pass over a message.
func (c *cloud) launch(t tester, m message, mishap func(op string, effect func() error) error) *lane {
	l, budget := &lane{m: m}, c.budget
	ops := func(yield func(string) bool) {
		do := func(op string, effect func() error) error {
			if l.dead || !yield(op) {
				l.dead = true
				return errKilled
			}
			return mishap(op, effect)
		}
		c.budget = budget
		_, l.err = c.sweep(do).Shard(t.Context(), m.ref)
	}
	l.next, l.kill = iter.Pull(iter.Seq[string](ops))
	return l
}

// Several passes at once, also at the same shard, in any order of their operations,
// killed and refused at any of them: the sweep comes to what it comes to undisturbed.
func TestPassesAtTheSameShardDoNotHarmEachOther(t *testing.T) {
	want := newCloud().swept(t, fine)
	rapid.Check(t, func(t *rapid.T) {
		c := newCloud()
		c.twice = rapid.Bool().Draw(t, "twice")
		run, err := c.sweep(fine).Begin(t.Context(), c.where(), false)
		if err != nil {
			t.Fatal(err)
		}
		trouble := rapid.IntRange(0, 40).Draw(t, "troubles")
		c.race(t, &trouble)
		got := c.outcome(t, run)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// race runs passes side by side until there is no message left.
func (c *cloud) race(t *rapid.T, trouble *int) {
	var lanes []*lane
	mishap := func(op string, effect func() error) error {
		if *trouble > 0 && rapid.IntRange(0, 30).Draw(t, "refuse") == 0 {
			*trouble--
			if rapid.Bool().Draw(t, "done") {
				return mishaps["its answer lost"](c, effect)
			}
			return failure{class: fleet.Throttled}
		}
		return effect()
	}
	for n := 0; len(c.inbox)+len(lanes) > 0; n++ {
		if n > 50_000 {
			t.Fatal("the sweep does not end")
		}
		if len(c.inbox) > 0 && (len(lanes) == 0 || len(lanes) < 4 && rapid.IntRange(0, 8).Draw(t, "start") == 0) {
			i := rapid.IntRange(0, len(c.inbox)-1).Draw(t, "message")
			c.budget = rapid.IntRange(1, 6).Draw(t, "budget")
			lanes = append(lanes, c.launch(t, c.inbox[i], mishap))
			// A message may come twice.
			if *trouble == 0 || rapid.IntRange(0, 4).Draw(t, "again") > 0 {
				c.inbox = slices.Delete(c.inbox, i, i+1)
			} else {
				*trouble--
			}
			continue
		}
		i := rapid.IntRange(0, len(lanes)-1).Draw(t, "lane")
		l := lanes[i]
		killed := *trouble > 0 && rapid.IntRange(0, 60).Draw(t, "kill") == 0
		if killed {
			*trouble--
			l.kill()
		}
		if _, more := l.next(); more {
			continue
		}
		lanes = slices.Delete(lanes, i, i+1)
		if l.err != nil || l.dead || killed {
			c.inbox = append(c.inbox, l.m)
		}
	}
}

// A pass that meets another's part leaves the shard to it, and a message for later.
func TestASlowerPassStopsAndComesBackInCaseTheFasterOneDied(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	i := slices.IndexFunc(c.inbox, func(m message) bool { return m.ref.Scope == hangzhou })
	m := c.inbox[i]
	c.inbox = nil
	fast := c.sweep(fine)
	slow := c.sweep(func(op string, effect func() error) error {
		if op == "put sweeps/"+m.ref.Try.Run+"/1000000000000001.cn-hangzhou/01-000001.json" {
			c.now = c.now.Add(time.Second)
			if _, err := fast.Shard(t.Context(), m.ref); err != nil {
				t.Error(err)
			}
		}
		return effect()
	})
	objects := len(c.objects)
	sum, err := slow.Shard(t.Context(), m.ref)
	if err != nil || sum.Stopped == "" {
		t.Errorf("stopped %q, error %v", sum.Stopped, err)
	}
	if len(c.objects) != objects+1 || len(c.inbox) != 2 {
		t.Fatalf("objects %v, %d messages", slices.Sorted(maps.Keys(c.objects)), len(c.inbox))
	}
	if waits := fmt.Sprint(c.inbox[0].after, c.inbox[1].after); waits != "1s 10m0s" {
		t.Errorf("they wait %s", waits)
	}
}

// A store may say that it took a part when another pass's is there: the first try of
// the write was refused, and what it met the second time it took for its own.
func TestAPartIsBelievedOnlyWhenReadBack(t *testing.T) {
	want := newCloud().swept(t, fine)
	c := newCloud()
	run := c.begin(t, fine)
	c.inbox = append(c.inbox, slices.Clone(c.inbox)...) // each shard has two chains of passes
	liar := func(op string, effect func() error) error {
		err := effect()
		if strings.HasPrefix(op, "put sweeps/") && fleet.ClassOf(err) == fleet.Exists {
			return nil
		}
		return err
	}
	var l []*lane
	for i, m := range c.inbox {
		c.budget = 2 + 98*(i/5) // so they come differently far
		l = append(l, c.launch(t, m, liar))
	}
	c.inbox = nil
	for len(l) > 0 { // all of them in turn
		l = slices.DeleteFunc(l, func(l *lane) bool {
			c.now = c.now.Add(time.Second)
			_, more := l.next()
			return !more
		})
	}
	c.drain(t, liar)
	if diff := cmp.Diff(want, c.outcome(t, run)); diff != "" {
		t.Error(diff)
	}
}

func TestAPassThatFindsItsShardEndedByAnotherIsDone(t *testing.T) {
	c := newCloud()
	c.begin(t, fine)
	ref := slicesOf(c.inbox, shanghai)[0].ref
	c.inbox = nil
	fast := c.sweep(fine)
	slow := c.sweep(func(op string, effect func() error) error {
		if strings.HasSuffix(op, "1000000000000001.cn-shanghai/end.json") && strings.HasPrefix(op, "put") {
			c.now = c.now.Add(time.Second)
			if _, err := fast.Shard(t.Context(), ref); err != nil {
				t.Error(err)
			}
		}
		return effect()
	})
	if sum, err := slow.Shard(t.Context(), ref); err != nil || sum.Stopped != "" || len(c.inbox) > 0 {
		t.Errorf("stopped %q, error %v, inbox %v", sum.Stopped, err, c.inbox)
	}
}
