package sweep_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
)

// names are all that a sweep may be about, and nothing that leads out of its folders.
var objectNames = regexp.MustCompile(`^(starts/(sweep-[0-9TZ]*)?([A-Za-z0-9_-]{1,64})?(\.json)?|sweeps/[A-Za-z0-9_-]{1,64}/([0-9]+\.(shares|[a-z0-9-]+)/(([0-9]{2}-[0-9]{6}|end)\.json)?)?|memory/[0-9]+/[a-z0-9-]+/(sweep-[A-Za-z0-9_-]{1,58}/[0-9]{6}\.(-|[A-Za-z0-9_-]{1,64})(\.last)?\.json)?|reports/[A-Za-z0-9_-]{1,64}/summary\.json|control/)$`)

// guarded fails the test when a pass asks for an object that is none of a sweep's.
func guarded(t *testing.T) doer {
	return func(op string, effect func() error) error {
		verb, name, _ := strings.Cut(op, " ")
		if slices.Contains([]string{"get", "put", "list"}, verb) && !objectNames.MatchString(name) {
			t.Errorf("a pass asks to %s", op)
		}
		return effect()
	}
}

// A message says where to look, and its words never become part of a name that the
// start object did not give.
func TestAForgedMessageReachesNoObjectAndEndsNothing(t *testing.T) {
	c := newCloud()
	run := c.begin(t, guarded(t))
	c.inbox = nil
	c.objects["starts/evil.json"] = []byte("{}")
	before := maps.Clone(c.objects)
	for _, ref := range []fleet.Ref{
		{Scope: hangzhou}, {Scope: hangzhou, Try: fleet.Try{Run: "../starts/" + run}}, {Scope: hangzhou, Try: fleet.Try{Run: run + "/../" + run}},
		{Scope: hangzhou, Try: fleet.Try{Run: strings.Repeat("a", 65)}}, {Scope: hangzhou, Try: fleet.Try{Run: "sweep.json"}},
		{Scope: hangzhou, Try: fleet.Try{Run: "sweep-19700101T000000Z-aaaaaa"}}, {Scope: hangzhou, Try: fleet.Try{Run: run + "\n"}},
		{Scope: at("../"+one, "cn-hangzhou"), Try: fleet.Try{Run: run}}, {Scope: at(one, "../../starts"), Try: fleet.Try{Run: run}},
		{Scope: at(one, "shares"), Try: fleet.Try{Run: run}}, {Scope: at("3", ""), Try: fleet.Try{Run: run}}, {Try: fleet.Try{Run: run}},
	} {
		sum, err := c.sweep(guarded(t)).Shard(t.Context(), ref)
		if err != nil || sum.Ignored != 1 || sum.Refs != 0 {
			t.Errorf("%v: sum %+v, error %v", ref, sum, err)
		}
	}
	if diff := cmp.Diff(before, c.objects); diff != "" || c.calls > 0 || len(c.inbox) > 0 || len(c.notified) > 0 {
		t.Errorf("%d calls, inbox %v, notified %v, %s", c.calls, c.inbox, c.notified, diff)
	}
	if len(c.said()) != 12 {
		t.Errorf("of 12 messages it said %q", c.said())
	}
}

func TestASweepTouchesItsOwnObjectsOnly(t *testing.T) {
	c := newCloud()
	c.swept(t, guarded(t))
	for name := range c.objects {
		if !objectNames.MatchString(name) {
			t.Error(name)
		}
	}
}

// A message about another kind of thing, with a call in it, wakes the shard and no more.
func TestAMessageWakesItsShardWhateverElseItSays(t *testing.T) {
	c := newCloud()
	run := c.begin(t, fine)
	for i := range c.inbox {
		c.inbox[i].ref.Kind, c.inbox[i].ref.ID, c.inbox[i].ref.Call = fleet.KindRole, "root", &fleet.Call{Name: "Evil"}
	}
	c.drain(t, func(op string, effect func() error) error {
		for _, m := range c.inbox {
			if m.ref.Try.N > 0 && (m.ref.Call != nil || m.ref.ID != "") {
				t.Errorf("passed on: %+v", m.ref)
			}
		}
		return effect()
	})
	if diff := cmp.Diff(newCloud().swept(t, fine), c.outcome(t, run)); diff != "" {
		t.Error(diff)
	}
}

const (
	newer  = `{"v":2,"n":1,"run":"?","next":"page:6"}`
	noJSON = `{"v":1,"n":`
)

// partway is a sweep of which each shard has made one pass.
func partway(t *testing.T) (*cloud, string) {
	c := newCloud()
	run := c.begin(t, fine)
	for range len(c.inbox) {
		if _, err := c.deliver(t, fine); err != nil {
			t.Fatal(err)
		}
	}
	return c, run
}

func part(run string, n int) string {
	return fmt.Sprintf("sweeps/%s/1000000000000001.cn-hangzhou/01-%06d.json", run, n)
}

func TestAPartThatCannotBeReadEndsItsShardAsAFault(t *testing.T) {
	for _, body := range []string{noJSON, `{"v":1}`, `{}`, `[]`, `{"v":1,"n":2,"next":"page:3"}`, `{"v":1,"n":1,"totals":[]}`} {
		c, run := partway(t)
		c.objects[part(run, 1)] = []byte(body)
		c.objects[part(run, 2)+"x"] = []byte("none of ours")
		c.drain(t, fine)
		got := c.outcome(t, run)
		if s := got.shard(t, hangzhou); !strings.Contains(s.Fault, part(run, 1)) {
			t.Errorf("%s: fault %q", body, s.Fault)
		}
		if strings.Contains(strings.Join(got.Notified, ""), string(one)+"/") {
			t.Errorf("%s: notified %v", body, got.Notified)
		}
	}
}

// A part in the middle is read when owners are notified, and when findings are shown.
func TestAnEarlierPartThatCannotBeReadHoldsAllOfItsShard(t *testing.T) {
	c, run := partway(t)
	c.inbox = append(slicesOf(c.inbox, hangzhou), slices.DeleteFunc(slices.Clone(c.inbox), func(m message) bool { return m.ref.Scope == hangzhou })...)
	if _, err := c.deliver(t, fine); err != nil {
		t.Fatal(err)
	}
	c.objects[part(run, 1)] = []byte(noJSON)
	c.drain(t, fine)
	r, err := sweep.Load(t.Context(), c.sweep(fine).Store, run)
	if err != nil || len(r.Open) > 0 || len(c.published) != 1 {
		t.Fatal(err, r.Open)
	}
	for _, s := range r.Summary.Shards {
		if (s.Scope == hangzhou) != strings.Contains(s.Fault, part(run, 1)) {
			t.Errorf("shard %s: fault %q", s.Scope, s.Fault)
		}
	}
	lost, found := 0, 0
	for f, err := range r.Findings(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		found++
		if strings.Contains(f.Finding.Reason, "not complete") && f.Finding.Outcome == fleet.Fault && f.Finding.Region == "cn-hangzhou" {
			lost++
		}
	}
	if lost != 1 || found != 5 { // with one of account one, one of account two, and two about the shard itself
		t.Errorf("%d findings, %d about what is lost", found, lost)
	}
	var failed error
	for _, err := range r.Drift(t.Context()) {
		failed = errors.Join(failed, err)
	}
	if !errors.As(failed, new(*fleet.BadInput)) {
		t.Errorf("a plan would leave out the part that could not be read: %v", failed)
	}
}

// While another version is being deployed, its objects are left to it.
func TestWhatNewerCodeWroteIsPutBack(t *testing.T) {
	c, run := partway(t)
	good := c.objects[part(run, 1)]
	c.objects[part(run, 1)] = []byte(newer)
	for range 20 {
		if _, err := c.deliver(t, fine); err != nil {
			t.Fatal(err)
		}
	}
	if _, ended := c.objects["sweeps/"+run+"/1000000000000001.cn-hangzhou/end.json"]; ended {
		t.Error("the shard has ended")
	}
	c.objects[part(run, 1)] = good
	c.drain(t, fine)
	if diff := cmp.Diff(newCloud().swept(t, fine), c.outcome(t, run)); diff != "" {
		t.Error(diff)
	}
}

func TestWhatNewerCodeWroteIsGivenUpInTheEnd(t *testing.T) {
	c, run := partway(t)
	c.objects[part(run, 1)] = []byte(newer)
	c.drain(t, fine)
	if s := c.outcome(t, run).shard(t, hangzhou); !strings.Contains(s.Fault, "newer program") {
		t.Errorf("fault %q", s.Fault)
	}
}

func TestAStartThatCannotBeReadIsSaidOnceAMessage(t *testing.T) {
	const shards = `"shards":[{"account":"1000000000000001","region":"cn-hangzhou"}]`
	for body, deliveries := range map[string]int{
		noJSON: 1, `{"v":1}`: 1, newer: 41, `{"v":1,"run":"RUN"}`: 1, `{"v":1,"run":"other",` + shards + `}`: 1,
		`{"v":1,"run":"RUN","shards":[{"account":"../x"}]}`: 1,
	} {
		c := newCloud()
		run := c.begin(t, fine)
		c.inbox = slicesOf(c.inbox, hangzhou)
		c.objects["starts/"+run+".json"] = []byte(strings.ReplaceAll(body, "RUN", run))
		n := 0
		for ; len(c.inbox) > 0; n++ {
			if _, err := c.deliver(t, fine); err != nil {
				t.Fatal(err)
			}
		}
		if said := c.said(); n != deliveries || len(said) != 1 || !strings.HasPrefix(said[0], "sweep fault") {
			t.Errorf("%s: %d deliveries, said %v", body, n, said)
		}
		c.now, c.records = noon.Add(1), nil
		if next := c.begin(t, fine); next == run || len(c.said()) != 1 {
			t.Errorf("%s: run %s, said %v", body, next, c.said())
		}
	}
}

func TestAnEndThatCannotBeReadIsAFaultOfTheReport(t *testing.T) {
	for _, body := range []string{noJSON, `{"v":1}`, `{"v":1,"shard":{"scope":{"account":"2"}}}`} {
		c, run := partway(t)
		c.objects["sweeps/"+run+"/1000000000000001.cn-hangzhou/end.json"] = []byte(body)
		c.drain(t, fine)
		if s := c.outcome(t, run).shard(t, hangzhou); !strings.Contains(s.Fault, "cannot be read") {
			t.Errorf("%s: fault %q", body, s.Fault)
		}
	}
	c, run := partway(t)
	c.objects["sweeps/"+run+"/1000000000000001.cn-hangzhou/end.json"] = []byte(newer)
	if _, err := sweep.Load(t.Context(), c.sweep(fine).Store, run); err == nil {
		t.Error("what newer code wrote is no fault")
	}
}

func TestLoadingWhatIsNoSweepIsAnError(t *testing.T) {
	c := newCloud()
	for _, run := range []string{"", "../x", "a b"} {
		if _, err := sweep.Load(t.Context(), c.sweep(guarded(t)).Store, run); err == nil {
			t.Errorf("%q was loaded", run)
		}
	}
	if _, err := sweep.Load(t.Context(), c.sweep(fine).Store, "sweep-x"); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v", err)
	}
}

// Whatever stands in the store, a pass neither panics nor reaches for what is not the
// sweep's own, nor does it take a shard with such a part for read.
func FuzzObjects(f *testing.F) {
	c := newCloud()
	run := c.begin(f, fine)
	for range len(c.inbox) {
		if _, err := c.deliver(f, fine); err != nil {
			f.Fatal(err)
		}
	}
	c.drain(f, fine)
	at := []string{"starts/" + run + ".json", part(run, 1), "sweeps/" + run + "/1000000000000001.cn-hangzhou/end.json", sweep.SummaryObject(run)}
	for i, name := range at {
		f.Add(i, bytes.ReplaceAll(c.objects[name], []byte(run), []byte("sweep-20261120T120000Z-aaaaaa")))
		f.Add(i, []byte(newer))
		f.Add(i, []byte(`{"v":1,"n":1,"next":"page:9999999","totals":{"calls":{"a":null},"drift":{"x":-1}}}`))
	}
	f.Fuzz(func(t *testing.T, which int, body []byte) {
		c := newCloud()
		const run = "sweep-20261120T120000Z-aaaaaa"
		at := []string{"starts/" + run + ".json", part(run, 1), "sweeps/" + run + "/1000000000000001.cn-hangzhou/end.json", sweep.SummaryObject(run)}
		c.objects[at[0]] = fmt.Appendf(nil, `{"v":1,"run":%q,"at":"2026-11-20T12:00:00Z","policy":"","shards":[{"account":"1000000000000001","region":"cn-hangzhou"}]}`, run)
		c.objects[at[max(0, which)%len(at)]] = body
		ref := fleet.Ref{Scope: hangzhou, Try: fleet.Try{Run: run}}
		for range 3 {
			_, _ = c.sweep(guarded(t)).Shard(t.Context(), ref)
		}
		if r, err := sweep.Load(t.Context(), c.sweep(guarded(t)).Store, run); err == nil {
			for range r.Findings(t.Context()) {
			}
			for range r.Drift(t.Context()) {
			}
		}
		_, _ = sweep.Earlier(t.Context(), c.sweep(fine).Store, sweep.Start{Run: run + "z", At: noon}, 3)
		_, _ = c.sweep(guarded(t)).Begin(t.Context(), c.where(), false)
	})
}
