package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// thousand has 1,000 instances fail one of 5 rules each, in 3 accounts and 40 passes of a minute.
func (w *world) thousand() {
	for pass := range 40 {
		var groups notify.Groups
		for i := range 25 {
			n := pass*25 + i
			groups.Finding(fleet.FindingRecord{Control: "agent", Rule: fmt.Sprintf("rule-%d", n%5), Outcome: fleet.Violation, Severity: fleet.High,
				Account: fleet.AccountID(fmt.Sprintf("100000000000000%d", 1+n%3)), Region: home.Region, Kind: fleet.KindInstance, ID: fmt.Sprintf("i-%04d", n)})
		}
		w.found(start.Add(time.Duration(pass)*1500*time.Millisecond), fmt.Sprintf("request-%02d", pass), groups.All()...)
	}
}

func one(rule, account string, severity fleet.Severity, ids ...string) notify.Group {
	return notify.Group{Control: "agent", Rule: rule, Outcome: fleet.Violation, Severity: severity, Account: fleet.AccountID(account), IDs: ids}
}

// once fails unless a channel got each of some cards once.
func (w *world) once(channel string, want int) {
	w.Helper()
	got := w.cards(channel)
	if len(got) != want {
		w.Errorf("channel %s got %d cards, want %d", channel, len(got), want)
	}
	for key, posts := range got {
		if len(posts) != 1 {
			w.Errorf("channel %s got card %s %d times", channel, key, len(posts))
		}
	}
	if n := w.busiest(channel); n > 10 {
		w.Errorf("channel %s got %d posts within a minute", channel, n)
	}
}

func TestAThousandFindingsOfAMinuteAreACardForEachRuleAndAccount(t *testing.T) {
	w := newWorld(t, robot("a"), robot("b"))
	w.thousand()
	w.play()
	for _, channel := range []string{"a", "b"} {
		w.once(channel, 15)
		sum := 0
		for _, posts := range w.cards(channel) {
			sum += posts[0].card.Count
			if posts[0].card.More || len(posts[0].card.IDs) != 10 {
				t.Errorf("%+v", posts[0].card)
			}
		}
		if sum != 1000 {
			t.Errorf("the cards of channel %s count %d resources", channel, sum)
		}
	}
	if len(w.buried) > 0 || len(w.faults()) > 0 {
		t.Errorf("buried %v, faults %q", w.buried, w.faults())
	}
}

func TestTwoPassesAtOnceAndARedeliverySendOneCard(t *testing.T) {
	w := newWorld(t, robot("a"))
	ref := w.found(start, "request", one("x", "1", fleet.High, "i-1"))
	done := make(chan error)
	for range 4 {
		go func() { done <- w.pass(ref) }()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	w.play()
	w.once("a", 1)
	if err := w.pass(ref); err != nil {
		t.Error(err)
	}
	w.once("a", 1)
}

func TestWhatIsFoundLaterOnTheSameDayIsNoSecondCard(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	w.found(start.Add(3*time.Hour), "two", one("x", "1", fleet.High, "i-2"))
	w.found(start.Add(3*time.Hour), "three", one("x", "2", fleet.High, "i-3"))
	w.play()
	w.once("a", 2)
}

func TestADayEndsAtMidnightOfThePolicysZone(t *testing.T) {
	w := newWorld(t, robot("a"))
	midnight := time.Date(2026, 12, 2, 0, 0, 0, 0, zone)
	w.found(midnight.Add(-time.Second), "before", one("x", "1", fleet.High, "i-1"))
	w.found(midnight, "after", one("x", "1", fleet.High, "i-2"))
	w.play()
	w.once("a", 2)
	for _, key := range []string{"2026-12-01/agent.x.1.high", "2026-12-02/agent.x.1.high"} {
		if len(w.cards("a")[key]) != 1 {
			t.Errorf("no card %s: %v", key, w.cards("a"))
		}
	}
}

func TestAChannelThatIsDownGetsItsCardsOnceAfterwards(t *testing.T) {
	for _, down := range []time.Duration{10 * time.Minute, time.Hour, 20 * time.Hour} {
		w := newWorld(t, robot("a"), robot("b"))
		w.thousand()
		w.answers = func(w *world, channel string, _ notify.Card) error {
			if channel == "a" && w.time.Before(start.Add(down)) {
				return refused{}
			}
			return nil
		}
		w.play()
		w.once("a", 15)
		w.once("b", 15)
		if len(w.buried) > 0 {
			t.Errorf("down for %s: %d dead letters", down, len(w.buried))
		}
		if late := w.posts[len(w.posts)-1].at; late.After(start.Add(down + 70*time.Minute)) {
			t.Errorf("down for %s: the last card came %s after the end", down, late.Sub(start.Add(down)))
		}
	}
}

func TestWhatAChannelRefusesForGoodIsADeadLetterAndCostsOneCallAPass(t *testing.T) {
	for _, cause := range []error{refused{no: true}, fleet.WithClass(fleet.NotFound, errors.New("no such secret")), &fleet.BadInput{Where: "the secret", What: "not an address"}} {
		w := newWorld(t, robot("a"), robot("b"))
		w.thousand()
		asked, mended := 0, false
		w.answers = func(_ *world, channel string, _ notify.Card) error {
			if channel == "a" && !mended {
				asked++
				return cause
			}
			return nil
		}
		w.play()
		w.once("a", 0)
		w.once("b", 15)
		if len(w.buried) != 15 || asked != 1 {
			t.Errorf("%v: %d dead letters, %d posts", cause, len(w.buried), asked)
		}
		if f := w.faults(); len(f) != 1 || !strings.Contains(f[0], cause.Error()) || !strings.HasPrefix(f[0], "high") {
			t.Errorf("%v: %q", cause, f)
		}
		mended = true
		for _, ref := range w.buried { // redriven
			w.waiting = append(w.waiting, waiting{w.time.Add(48 * time.Hour), ref})
		}
		w.play()
		w.once("a", 15)
	}
}

func TestAnAnswerThatNoDocumentationHasIsTriedTwice(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	tries := 0
	w.answers = func(*world, string, notify.Card) error { tries++; return refused{unknown: true} }
	w.play()
	if tries != 2 || len(w.buried) != 1 {
		t.Errorf("%d tries, %d dead letters", tries, len(w.buried))
	}
	w = newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	tries = 0
	w.answers = func(*world, string, notify.Card) error {
		tries++
		return []error{refused{}, refused{}, refused{unknown: true}, nil}[tries-1]
	}
	w.play()
	if w.once("a", 1); len(w.buried) > 0 {
		t.Errorf("after others, an unknown answer is final: %d tries", tries)
	}
}

func TestACardIsGivenUpAfterADayAndADeadLetterThen(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.thousand()
	w.answers = func(*world, string, notify.Card) error { return refused{after: time.Hour} }
	w.play()
	if len(w.buried) != 15 || len(w.cards("a")) != 0 {
		t.Errorf("%d dead letters", len(w.buried))
	}
	if d := w.time.Sub(start); d < 24*time.Hour || d > 27*time.Hour {
		t.Errorf("given up after %s", d)
	}
}

// The class: whatever call a pass dies at, the platform repeats it, and no card is lost. One may
// come twice only where the pass died between the post and the note of it.
func TestAPassThatDiesAtAnyCallLosesNoCard(t *testing.T) {
	for _, down := range []time.Duration{0, 5 * time.Minute} {
		for _, carried := range []bool{false, true} {
			call := 1
			for ; dying(t, call, carried, down); call++ {
			}
			if t.Logf("down for %s: %d calls", down, call-1); call < 20 {
				t.Error("the story is no longer that of many calls")
			}
		}
	}
}

// evening has two rules find fault, one of them again later, and a sweep whose digest the first
// channel gets.
func (w *world) evening() {
	w.Helper()
	w.found(start, "one", one("x", "1", fleet.High, "i-1"), one("y", "1", fleet.High, "i-2"))
	w.found(start.Add(2*time.Minute), "two", one("x", "1", fleet.High, "i-3"))
	w.reports["sweep-1"] = report.Summary{Run: "sweep-1", Started: start}
	w.notify.Channels[0].Digest = true
	w.waiting = append(w.waiting, waiting{start.Add(time.Minute), fleet.Ref{Scope: home, Kind: fleet.KindReport, ID: "sweep-1"}})
}

// dying plays a story in which a pass dies at a call; false: it makes fewer calls.
func dying(t *testing.T, call int, carried bool, down time.Duration) bool {
	w := newWorld(t, robot("a"), robot("b"))
	w.evening()
	w.answers = func(w *world, channel string, _ notify.Card) error {
		if channel == "a" && w.time.Before(start.Add(down)) {
			return refused{}
		}
		return nil
	}
	w.calls, w.dies, w.carried = 0, call, carried
	w.play()
	twice := 0
	for channel, want := range map[string]int{"a": 3, "b": 2} {
		got := w.cards(channel)
		if len(got) != want {
			t.Errorf("down for %s, died at call %d (carried out: %v): channel %s got %d cards", down, call, carried, channel, len(got))
		}
		for _, posts := range got {
			twice += len(posts) - 1
		}
	}
	if twice > 1 || len(w.buried) > 0 {
		t.Errorf("down for %s, died at call %d (carried out: %v): %d cards came again, %d dead letters", down, call, carried, twice, len(w.buried))
	}
	return w.dies == 0
}

func TestInQuietHoursOnlyCriticalCardsAreSentAndTheOthersFollow(t *testing.T) {
	night := robot("a")
	night.Quiet = policy.Quiet{From: 9 * 60, To: 18*60 + 30}
	w := newWorld(t, night)
	w.found(start, "one", one("x", "1", fleet.High, "i-1"), one("y", "1", fleet.Critical, "i-1"))
	w.play()
	w.once("a", 2)
	for key, posts := range w.cards("a") {
		at := posts[0].at.In(zone).Format("15:04")
		if critical := strings.Contains(key, ".y."); critical != (at < "11:00") || !critical && at < "18:30" {
			t.Errorf("%s was sent at %s", key, at)
		}
	}
}

func TestEachChannelGetsWhatItAskedFor(t *testing.T) {
	all, changes, member, other := robot("all"), robot("changes"), robot("member"), robot("other")
	all.Least, changes.Changes = fleet.Low, true
	member.Accounts, other.Controls = []fleet.AccountID{"2"}, []string{"share-role"}
	w := newWorld(t, all, changes, member, other)
	w.found(start, "one", one("x", "1", fleet.Low, "i-1"), one("x", "2", fleet.High, "i-2"),
		notify.Group{Control: "agent", Rule: "x", Change: fleet.PushAgent, Severity: fleet.Info, Account: "1", IDs: []string{"i-1"}})
	w.play()
	got := map[string][]string{}
	for _, p := range w.posts {
		got[p.channel] = append(got[p.channel], p.card.Key)
		slices.Sort(got[p.channel])
	}
	want := map[string][]string{
		"all":     {"agent.x.1.low", "agent.x.2.high"},
		"changes": {"agent.change-push-agent.1", "agent.x.2.high"},
		"member":  {"agent.x.2.high"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// The class: whatever call fails, the rest of the window is as without it. The platform has
// to repeat the window only where the inbox took nothing back.
func TestACallThatFailsHarmsOnlyItself(t *testing.T) {
	for _, carried := range []bool{false, true} {
		call := 1
		for ; failing(t, call, carried); call++ {
		}
		if t.Logf("%d calls", call-1); call < 40 {
			t.Error("the story is no longer that of many calls")
		}
	}
}

// failing plays a story in which a call fails; false: there are fewer calls. Channel a is down
// for some minutes, and c takes nothing.
func failing(t *testing.T, call int, carried bool) bool {
	w := newWorld(t, robot("a"), robot("b"), robot("c"))
	w.evening()
	w.answers = func(w *world, channel string, _ notify.Card) error {
		switch {
		case channel == "a" && w.time.Before(start.Add(5*time.Minute)):
			return refused{}
		case channel == "c":
			return refused{no: true}
		}
		return nil
	}
	w.calls, w.fails, w.carried = 0, call, carried
	w.play()
	twice := 0
	for channel, want := range map[string]int{"a": 3, "b": 2, "c": 0} {
		got := w.cards(channel)
		if len(got) != want {
			t.Errorf("call %d failed (carried out: %v): channel %s got %d cards", call, carried, channel, len(got))
		}
		for _, posts := range got {
			twice += len(posts) - 1
		}
	}
	buried := map[string]int{}
	for _, r := range w.buried {
		buried[r.ID]++
	}
	// That a message carries a card on may be what was not noted: then what is found later adds one.
	if again := len(w.buried) - len(buried); len(buried) != 2 || twice > 1 || (again > 1 || w.failed > 0) && !w.inboxed {
		t.Errorf("call %d failed (carried out: %v): %d cards came again, %d passes failed, dead letters %v", call, carried, twice, w.failed, buried)
	}
	return w.calls >= call
}

func TestADigestThatCannotBeMadeHarmsNoCard(t *testing.T) {
	a, b := robot("a"), robot("b")
	b.Digest = true
	w := newWorld(t, a, b)
	tries := 0
	w.digests = func() error {
		if tries++; tries < 4 {
			return fleet.WithClass(fleet.Unavailable, errors.New("the ledger does not answer"))
		}
		return nil
	}
	asked := 0
	w.answers = func(_ *world, channel string, _ notify.Card) error {
		if asked++; channel == "a" {
			return refused{no: true}
		}
		return nil
	}
	w.reports["sweep-1"] = report.Summary{Run: "sweep-1", Started: start}
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	w.waiting = append(w.waiting, waiting{start.Add(time.Minute), fleet.Ref{Scope: home, Kind: fleet.KindReport, ID: "sweep-1"}})
	w.play()
	w.once("b", 2)
	if len(w.buried) != 1 || asked != 3 || w.failed > 0 {
		t.Errorf("%d dead letters, %d posts, %d passes failed", len(w.buried), asked, w.failed)
	}
}

func TestWhatCannotBeReadForLongIsADeadLetter(t *testing.T) {
	for class, after := range map[fleet.Class]time.Duration{fleet.Denied: time.Hour, fleet.Unavailable: 24 * time.Hour} {
		w := newWorld(t, robot("a"))
		w.notify.Channels[0].Digest = true
		w.digests = func() error { return fleet.WithClass(class, errors.New("the ledger says no")) }
		w.reports["sweep-1"] = report.Summary{Run: "sweep-1", Started: start}
		w.waiting = append(w.waiting, waiting{start, fleet.Ref{Scope: home, Kind: fleet.KindReport, ID: "sweep-1"}})
		w.play()
		if d := w.time.Sub(start); len(w.buried) != 1 || d < after || d > after+2*time.Hour {
			t.Errorf("%s: %d dead letters after %s", class, len(w.buried), d)
		}
		if f := w.faults(); len(f) != 1 || !strings.Contains(f[0], "the ledger says no") {
			t.Errorf("%s: %q", class, f)
		}
	}
}

func TestALessSevereCardThatWaitedIsNotSentAfterAMoreSevereOne(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.notify.Channels[0].Least = fleet.Medium
	w.answers = func(*world, string, notify.Card) error { return refused{} }
	for i, severity := range []fleet.Severity{fleet.Medium, fleet.High} { // each is found once the one before waits
		w.time = start.Add(time.Duration(i) * 20 * time.Minute)
		if err := w.pass(w.found(w.time, fmt.Sprint(i), one("x", "1", severity, fmt.Sprint("i-", i)))); err != nil {
			t.Fatal(err)
		}
	}
	w.time, w.answers = start.Add(time.Hour), nil
	w.play()
	if len(w.posts) != 1 || w.posts[0].card.Severity != fleet.High {
		t.Errorf("%d posts: %+v", len(w.posts), w.posts)
	}
}

func TestADigestWaitsForItsReport(t *testing.T) {
	a := robot("a")
	a.Digest = true
	w := newWorld(t, a, robot("b"))
	ref := fleet.Ref{Scope: home, Kind: fleet.KindReport, ID: "sweep-1"}
	w.waiting = append(w.waiting, waiting{start, ref}, waiting{start, ref}, waiting{start.Add(time.Hour), ref})
	w.answers = func(w *world, _ string, c notify.Card) error {
		if c.Digest == nil || c.Digest.Run != "sweep-1" {
			t.Errorf("it is no digest: %+v", c)
		}
		return nil
	}
	if err := w.pass(ref); err != nil || len(w.posts) > 0 {
		t.Fatalf("%v, %d posts", err, len(w.posts))
	}
	w.reports["sweep-1"] = report.Summary{Run: "sweep-1", Started: start}
	w.play()
	w.once("a", 1)
	w.once("b", 0)
}

func TestAReportThatNeverComesIsAFinding(t *testing.T) {
	a := robot("a")
	a.Digest = true
	w := newWorld(t, a)
	w.waiting = append(w.waiting, waiting{start, fleet.Ref{Scope: home, Kind: fleet.KindReport, ID: "sweep-1"}})
	w.play()
	if f := w.faults(); len(f) != 1 || !strings.Contains(f[0], "no digest of the sweep") {
		t.Errorf("%q", f)
	}
}

func TestWhatCannotBeReadHarmsOnlyItself(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	for id, body := range map[string]string{"2026-12-01/20261201T020000.f.newer": `{"v":9}`, "2026-12-01/20261201T020000.f.half": `{"v":1,"gro`, "2026-12-01/20261201T020000.f.minus": `{"v":1,"groups":[{"count":-1}]}`,
		"2026-12-01/20261201T020000.f.long": `{"v":1,"groups":[{"rule":"` + strings.Repeat("x", 1000) + `","severity":"high"}]}`, "2026-12-02/20261202T020000.f.tomorrow": `{"v":1,"groups":[{"rule":"x","account":"1","severity":"high"}]}`} {
		w.objects[notify.FoundObject(id)] = []byte(body)
	}
	w.objects[notify.CardObject("2026-12-01", "half")] = []byte(`{"v":1,`)
	for _, r := range []fleet.Ref{
		{Kind: fleet.KindFound, ID: "2026-12-01/20261201T020000.f.newer"}, {Kind: fleet.KindFound, ID: "2026-12-01/20261201T020000.f.half"},
		{Kind: fleet.KindFound, ID: "2026-12-01/20261201T020000.f.minus"}, {Kind: fleet.KindFound, ID: "2026-12-01/20261201T020000.f.missing"},
		{Kind: fleet.KindFound, ID: "2026-12-01/20261201T020000.f.long"}, {Kind: fleet.KindFound, ID: "2026-12-02/20261202T020000.f.tomorrow"},
		{Kind: fleet.KindFound, ID: "2026-12-03/20261201T020000.f.r"}, {Kind: fleet.KindFound, ID: "no-day/x"}, {Kind: fleet.KindCard, ID: "2026-12-01/a/half"}, {Kind: fleet.KindCard, ID: "2026-12-01/a/missing"},
		{Kind: fleet.KindCard, ID: "2026-12-01/gone/agent.x.1"}, {Kind: fleet.KindCard, ID: "2026-12-01"},
	} {
		r.Scope = home
		w.waiting = append(w.waiting, waiting{start, r})
	}
	w.play()
	w.once("a", 1)
	if f := w.faults(); len(f) != 12 {
		t.Errorf("%d faults: %s", len(f), strings.Join(f, "\n"))
	}
}

func TestAPassWithoutTimeReturnsTheRestToTheInbox(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.thousand()
	w.deadline = 20 * time.Second // less than the margin and one post
	took := []fleet.Ref{w.waiting[0].ref, {Scope: home, Kind: fleet.KindCard, ID: "2026-12-01/a/x"}, {Scope: home, Kind: fleet.KindReport, ID: "sweep-1"}}
	if err := w.pass(took...); err != nil {
		t.Fatal(err)
	}
	if len(w.posts) != 0 || len(w.waiting) != 40+3 || w.calls != 40+1 { // 40 wrote what was found
		t.Errorf("%d posts, %d wait, %d calls", len(w.posts), len(w.waiting), w.calls)
	}
	w.waiting, w.deadline = slices.DeleteFunc(w.waiting, func(x waiting) bool { return x.ref.Kind != fleet.KindFound }), 0
	w.play()
	w.once("a", 15)
}

func FuzzIDs(f *testing.F) {
	f.Add("2026-12-01/20261201T020000.f.request", "2026-12-01/a/agent.x.1")
	f.Fuzz(func(t *testing.T, found, card string) {
		if day, at, ok := notify.FoundIn(found); ok && (!notify.ValidDay(day) || at.IsZero()) {
			t.Errorf("%q is of day %q, time %s", found, day, at)
		}
		if day, channel, key, ok := notify.CardIn(card); ok && notify.CardID(day, channel, key) != card {
			t.Errorf("%q is %q, %q, %q", card, day, channel, key)
		}
	})
}
