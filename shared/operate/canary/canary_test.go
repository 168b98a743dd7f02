package canary_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/canary"
)

var noon = time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)

const (
	home = fleet.Region("cn-hangzhou")
	far  = fleet.Region("cn-shanghai")
)

// cloud has each leg appear some time after the call; what has no time never does.
type cloud struct {
	now     time.Time
	after   map[string]time.Duration // by "SOURCE FUNCTION REGION"
	fail    map[string]error
	asked   map[string]int
	refs    []fleet.Ref
	waiting error
}

type classed fleet.Class

func (c classed) Error() string      { return fleet.Class(c).String() }
func (c classed) Class() fleet.Class { return fleet.Class(c) }

// sound is a cloud where all legs are seen within a minute.
func sound() *cloud {
	c := &cloud{now: noon, after: map[string]time.Duration{}, fail: map[string]error{}, asked: map[string]int{}}
	for _, l := range canary.Plan(home, []fleet.Region{home, far}) {
		c.after[key(l.Source, l.Function, l.Region)] = map[string]time.Duration{canary.SourceHistory: 20 * time.Second, canary.SourceBus: 21 * time.Second, canary.SourceLog: 22 * time.Second}[l.Source]
	}
	return c
}

func key(source, function string, region fleet.Region) string {
	return strings.Join(strings.Fields(source+" "+function+" "+string(region)), " ")
}

func (c *cloud) ask(k string) (time.Time, error) {
	c.asked[k]++
	after, ok := c.after[k]
	if err := c.fail[k]; err != nil || !ok || c.now.Before(noon.Add(after)) {
		return time.Time{}, err
	}
	return noon.Add(after), nil
}

func (c *cloud) Launch(_ context.Context, region fleet.Region, token string) error {
	if !strings.HasPrefix(token, fleet.CanaryPrefix) || !fleet.Plain(token) {
		return fmt.Errorf("bad token %q", token)
	}
	return c.fail[key(canary.SourceECS, "", region)]
}

func (c *cloud) Enqueue(_ context.Context, function string, region fleet.Region, ref fleet.Ref) error {
	c.refs = append(c.refs, ref)
	return c.fail[key(canary.SourceQueue, function, region)]
}

func (c *cloud) Recorded(_ context.Context, region fleet.Region, token string, _ time.Time) (bool, error) {
	at, err := c.ask(key(canary.SourceHistory, "", region))
	return !at.IsZero(), err
}

func (c *cloud) Trails(_ context.Context, region fleet.Region) ([]string, error) {
	at, err := c.ask(key(canary.SourceTrail, "", region))
	if at.IsZero() {
		return nil, err
	}
	return []string{"audit"}, nil
}

func (c *cloud) Pushed(_ context.Context, region fleet.Region, event string) (time.Time, string, error) {
	if event != "E-"+string(region) {
		return time.Time{}, "", fmt.Errorf("bad event %q", event)
	}
	at, err := c.ask(key(canary.SourceBus, "", region))
	return at, "[200]Ok", err
}

func (c *cloud) Logged(_ context.Context, function string, region fleet.Region, text string, _ time.Time) (at time.Time, event string, err error) {
	at, err = c.ask(key(canary.SourceLog, function, region))
	if !at.IsZero() && strings.HasPrefix(text, fleet.CanaryPrefix) {
		event = "E-" + string(region)
	}
	return at, event, err
}

func (c *cloud) Now() time.Time { return c.now }

func (c *cloud) Wait(_ context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return c.waiting
}

func fly(t *testing.T, c *cloud) (canary.Flight, map[string]canary.Leg, int) {
	t.Helper()
	ended := 0
	legs := canary.Plan(home, []fleet.Region{home, far})
	f, err := canary.Fly(t.Context(), c, "1000000000000001", legs, "x1", canary.Patience, func() { ended++ })
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]canary.Leg{}
	for _, l := range f.Legs {
		if l.State == "" || (l.State == canary.Seen) != (l.Why == "") {
			t.Errorf("%+v", l)
		}
		kind := l.Source
		if l.Function != "" {
			kind += " " + l.Function
		}
		by[kind+" "+string(l.Region)] = l
	}
	return f, by, ended
}

func TestASoundDeploymentShowsEachLeg(t *testing.T) {
	c := sound()
	f, _, _ := fly(t, c)
	if !f.Success || c.now.Sub(noon) > time.Minute {
		t.Errorf("%+v after %s", f, c.now.Sub(noon))
	}
	longest := slices.DeleteFunc(slices.Clone(f.Legs), func(l canary.Leg) bool { return !l.Longest })
	if len(longest) != 1 {
		t.Errorf("the longest: %+v", longest)
	}
	inboxes := 0
	for _, fn := range fleet.Functions() {
		switch {
		case fn.HasInbox() && fn.Home:
			inboxes++
		case fn.HasInbox():
			inboxes += 2
		}
	}
	if len(c.refs) != inboxes {
		t.Errorf("%d messages to %d inboxes", len(c.refs), inboxes)
	}
	for _, r := range c.refs {
		if !fleet.ValidInstanceID(r.ID) || r.ID != f.ID || r.Kind != fleet.KindInstance {
			t.Errorf("sent %+v", r)
		}
	}
}

// With the trail stopped nothing is waited for that it would deliver.
func TestAStoppedTrailIsNamed(t *testing.T) {
	c := sound()
	delete(c.after, key(canary.SourceTrail, "", far))
	f, by, _ := fly(t, c)
	if l := by[key(canary.SourceTrail, "", far)]; f.Success || l.State != canary.Missing || !strings.Contains(l.Why, "no trail logs") || c.now.Sub(noon) > time.Minute {
		t.Errorf("%+v after %s", l, c.now.Sub(noon))
	}
	skipped := 0
	for _, l := range f.Legs {
		if l.State == canary.Skipped && l.Region == far && (l.Source == canary.SourceLog || l.Source == canary.SourceBus) {
			skipped++
		} else if l.State == canary.Skipped {
			t.Errorf("%+v", l)
		}
	}
	if skipped != 3 {
		t.Errorf("%d legs are skipped: %+v", skipped, f.Legs)
	}
}

// Each leg that can be missing is named, and only what needs it.
func TestTheLegThatIsMissingIsNamed(t *testing.T) {
	for missing := range sound().after {
		c := sound()
		delete(c.after, missing)
		f, by, _ := fly(t, c)
		source, _, _ := strings.Cut(missing, " ")
		switch {
		case source == "log":
		case source == canary.SourceECS, source == canary.SourceQueue:
			continue // sent by us: see below
		case source == canary.SourceTrail:
			continue
		case source == canary.SourceBus, source == canary.SourceHistory:
			if !f.Success || c.now.Sub(noon) > time.Minute {
				t.Errorf("without %s: %+v", missing, f)
			}
			continue
		}
		if l := by[missing]; f.Success || l.State != canary.Missing || !strings.Contains(l.Why, "fleetwarden doctor --category") || c.now.Sub(noon) < canary.Patience {
			t.Errorf("without %s after %s: %+v", missing, c.now.Sub(noon), l)
		}
	}
}

func TestALegThatCannotBeReadIsSaidAndTheOthersAreFollowed(t *testing.T) {
	c := sound()
	denied, refused, throttled := key(canary.SourceLog, "attach-role", far), key(canary.SourceECS, "", home), key(canary.SourceHistory, "", far)
	c.fail[denied], c.fail[refused], c.fail[throttled] = classed(fleet.Denied), errors.New("not refused"), classed(fleet.Throttled)
	f, by, _ := fly(t, c)
	if l := by[denied]; l.State != canary.Unread && f.Success {
		t.Errorf("%+v", l)
	}
	// The same key is that of the call's record and of the message's: both were asked once.
	if n := c.asked[denied]; n != 2 {
		t.Errorf("what is denied was asked %d times", n)
	}
	if l := by[refused]; l.State != canary.Missing || l.Why != "not refused" {
		t.Errorf("%+v", l)
	}
	if l := by[key(canary.SourceTrail, "", home)]; l.State != canary.Skipped {
		t.Errorf("%+v", l)
	}
	if l := by[throttled]; l.State != canary.Unread || c.asked[throttled] < 2 {
		t.Errorf("%+v after %d questions", l, c.asked[throttled])
	}
	if l := by[key(canary.SourceLog, "push-agent", far)]; l.State != canary.Seen {
		t.Errorf("%+v", l)
	}
}

func TestAFlightEndsWhenItIsStopped(t *testing.T) {
	c := sound()
	c.after, c.waiting = nil, context.Canceled
	_, err := canary.Fly(t.Context(), c, "1", canary.Plan(home, []fleet.Region{home}), "x1", canary.Patience, func() {})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
