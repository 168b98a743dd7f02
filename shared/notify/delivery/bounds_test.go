package delivery_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
)

// card stores a card, and returns the ref by which a channel is to take it.
func (w *world) card(channel string, c notify.Card) fleet.Ref {
	w.Helper()
	c.V, c.Day, c.At = notify.CardVersion, "2026-12-01", start
	if err := ledger.PutJSON(w.Context(), store{w}, notify.CardObject(c.Day, c.Key), c); err != nil && fleet.ClassOf(err) != fleet.Exists {
		w.Fatal(err)
	}
	return fleet.Ref{Scope: home, Kind: fleet.KindCard, ID: notify.CardID(c.Day, channel, c.Key)}
}

// The class: each function may write to the inbox, and a policy changes while cards wait. No
// message has a channel take a card that it is not for.
func TestNoMessageBringsACardToAChannelThatItIsNotFor(t *testing.T) {
	member, critical, shares, plain := robot("member"), robot("critical"), robot("shares"), robot("plain")
	member.Accounts, critical.Least, shares.Controls = []fleet.AccountID{"1"}, fleet.Critical, []string{"share-role"}
	member.Digest, critical.Digest, shares.Digest = true, true, true
	w := newWorld(t, member, critical, shares, plain)
	var refs []fleet.Ref
	finding := notify.Card{Kind: notify.KindFinding, Key: "agent.x.2.high", Group: one("x", "2", fleet.High, "i-1")}
	change := notify.Card{Kind: notify.KindChange, Key: "agent.change-push-agent.1", Group: notify.Group{Control: "agent", Change: fleet.PushAgent, Account: "1", Severity: fleet.Info}}
	digest := notify.Card{Kind: notify.KindDigest, Key: "digest.sweep-1.other", Digest: &notify.Digest{Run: "sweep-1"}}
	for _, channel := range []string{"member", "critical", "shares"} {
		refs = append(refs, w.card(channel, finding), w.card(channel, change), w.card(channel, digest))
	}
	digest.Key = "digest.sweep-1.plain" // which has no digests any more
	refs = append(refs, w.card("plain", digest))
	if err := w.pass(refs...); err != nil {
		t.Fatal(err)
	}
	for _, p := range w.posts {
		t.Errorf("channel %s got %s", p.channel, p.card.Key)
	}
	if f := w.faults(); len(f) != len(refs) {
		t.Errorf("%d faults for %d cards: %q", len(f), len(refs), f)
	}
	if err := w.pass(w.card("plain", finding)); err != nil || len(w.posts) != 1 {
		t.Errorf("%v, %d posts", err, len(w.posts))
	}
}

// The class: whatever channels do, a pass ends in time, and each card is sent or waits.
func TestAPassEndsInTimeWhateverItsChannelsDo(t *testing.T) {
	for _, hang := range []time.Duration{10 * time.Second, 40 * time.Second, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for i := range 20 {
				w.notify.Channels = append(w.notify.Channels, robot(fmt.Sprintf("c%02d", i)))
			}
			ref := w.found(start, "one", one("x", "1", fleet.High, "i-1"))
			w.waiting = nil
			w.hang, w.deadline = hang, 2*time.Minute
			began := time.Now()
			if err := w.pass(ref); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 110*time.Second {
				t.Errorf("channels that answer after %s: the pass took %s", hang, took)
			}
			if len(w.posts) != 0 || len(w.waiting) != 20 {
				t.Errorf("%d posts, %d wait", len(w.posts), len(w.waiting))
			}
		})
	}
}

func TestAPassEndsInTimeHoweverSlowTheLedgerIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, robot("a"), robot("b"))
		var refs []fleet.Ref
		for i := range 400 {
			refs = append(refs, w.found(start, fmt.Sprint("r-", i), one(fmt.Sprint("x-", i%300), "1", fleet.High, fmt.Sprint("i-", i))))
		}
		for i := range 400 {
			refs = append(refs, w.card("a", notify.Card{Kind: notify.KindFinding, Key: fmt.Sprintf("agent.y-%d.1.high", i), Group: one("y", "1", fleet.High, "i-1")}))
		}
		w.waiting = nil
		w.slow, w.deadline = 100*time.Millisecond, 2*time.Minute
		began := time.Now()
		if err := w.pass(refs...); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 115*time.Second {
			t.Errorf("the pass took %s", took)
		}
		waits := map[string]bool{}
		for _, x := range w.waiting {
			waits[x.ref.ID] = true
		}
		for _, p := range w.posts {
			waits[notify.CardID(p.card.Day, p.channel, p.card.Key)] = true
		}
		for i, ref := range refs {
			key := fmt.Sprintf("agent.x-%d.1.high", i%300)
			if !waits[ref.ID] && (ref.Kind == fleet.KindCard || !waits[notify.CardID("2026-12-01", "a", key)] || !waits[notify.CardID("2026-12-01", "b", key)]) {
				t.Errorf("%s is neither sent nor waits", ref.ID)
			}
		}
	})
}

// The class: however much comes at once, a pass takes a part of it, what is new first, and
// returns the rest.
func TestAPassTakesNoMoreThanItCan(t *testing.T) {
	w := newWorld(t, robot("a"))
	var refs []fleet.Ref
	for i := range 3000 {
		rule := fmt.Sprint("waits-", i)
		refs = append(refs, w.card("a", notify.Card{Kind: notify.KindFinding, Key: "agent." + rule + ".1.high", Group: one(rule, "1", fleet.High, "i-1")}))
	}
	refs = append(refs, w.found(start, "one", one("new", "1", fleet.Critical, "i-1")))
	var many []notify.Group
	for i := range 2000 {
		many = append(many, one(fmt.Sprint("many-", i), "1", fleet.High, "i-1"))
	}
	flood := w.found(start, "two", many...)
	w.waiting, w.calls = nil, 0
	if err := w.pass(refs...); err != nil {
		t.Fatal(err)
	}
	if len(w.posts) != 5 || w.posts[0].card.Rule != "new" || len(w.posts)+len(w.waiting) != len(refs) {
		t.Errorf("%d posts, %d wait", len(w.posts), len(w.waiting))
	}
	if w.calls > 2000 {
		t.Errorf("%d calls for cards", w.calls)
	}
	before := len(w.waiting)
	w.calls = 0
	if err := w.pass(flood); err != nil {
		t.Fatal(err)
	}
	if n := len(w.waiting) - before; n < 400 || n > 600 || !slices.ContainsFunc(w.waiting, func(x waiting) bool { return x.ref.Key() == flood.Key() }) {
		t.Errorf("%d wait", n)
	}
	if w.calls > 2500 {
		t.Errorf("%d calls for what was found", w.calls)
	}
	if err := w.pass(flood); err != nil || len(w.waiting)-before < 800 {
		t.Errorf("%v: a second pass has taken no others: %d wait", err, len(w.waiting)-before)
	}
}

// A card that was given up is tried for as long again once an operator has redriven it.
func TestACardThatIsRedrivenIsTriedAgain(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.thousand()
	up := start.Add(48*time.Hour + 10*time.Minute)
	w.answers = func(w *world, _ string, _ notify.Card) error {
		if w.time.Before(up) {
			return refused{after: time.Hour}
		}
		return nil
	}
	w.play()
	if len(w.buried) != 15 {
		t.Fatalf("%d dead letters", len(w.buried))
	}
	for _, ref := range w.buried {
		ref.Try = fleet.Try{}
		w.waiting = append(w.waiting, waiting{start.Add(48 * time.Hour), ref})
	}
	w.buried = nil
	w.play()
	w.once("a", 15)
	if len(w.buried) > 0 {
		t.Errorf("%d are dead letters again", len(w.buried))
	}
}

func TestEachTryThatFailedIsInTheRecords(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	tries := 0
	w.answers = func(*world, string, notify.Card) error {
		if tries++; tries < 4 {
			return refused{}
		}
		return nil
	}
	w.play()
	var got []string
	for _, r := range w.records {
		if r.Finding != nil && r.Finding.ID == "a" {
			got = append(got, fmt.Sprint(r.Finding.Outcome, " ", r.Finding.AgainSeconds, " ", strings.Contains(r.Finding.Reason, "refused: false")))
		}
	}
	if want := []string{"pending 60 true", "pending 120 true", "pending 240 true", "pass 0 false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A store that lost an answer takes an object with the same bytes for its own: what two passes
// compete for has the name of the pass.
func TestPassesThatCompeteWriteDifferentBytes(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.request = "1-65a4"
	if err := w.pass(w.card("a", notify.Card{Kind: notify.KindFinding, Key: "agent.x.1.high", Group: one("x", "1", fleet.High, "i-1")})); err != nil {
		t.Fatal(err)
	}
	n := 0
	for name, body := range w.objects {
		if strings.HasPrefix(name, notify.RateFolder) || strings.HasSuffix(name, ".claim.json") {
			if n++; !strings.Contains(string(body), w.request) {
				t.Errorf("%s: %s", name, body)
			}
		}
	}
	if n != 2 || len(w.posts) != 1 {
		t.Errorf("%d objects, %d posts", n, len(w.posts))
	}
}

// The class: what a channel refuses for its text alone keeps no other card back.
func TestACardThatIsRefusedForItsTextHarmsNoOther(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.thousand()
	w.found(start, "bad", one("bad", "1", fleet.Critical, "i-1"))
	w.answers = func(_ *world, _ string, c notify.Card) error {
		if c.Rule == "bad" {
			return fleet.WithClass(fleet.Invalid, errors.New("unsafe content"))
		}
		return nil
	}
	w.play()
	w.once("a", 15)
	if f := w.faults(); len(w.buried) != 1 || len(f) != 1 || !strings.Contains(f[0], "unsafe content") {
		t.Errorf("%d dead letters, %q", len(w.buried), f)
	}
}

// The class: between any two calls of a pass another one takes the same message.
func TestTwoPassesAtOnceSendACardOnce(t *testing.T) {
	for call := 0; ; call++ {
		w := newWorld(t, robot("a"))
		ref := w.found(start, "one", one("x", "1", fleet.High, "i-1"), one("y", "1", fleet.High, "i-1"))
		w.waiting, w.calls = nil, 0
		met := false
		w.between = func(n int) {
			if n == call && !met {
				met = true
				if err := w.pass(ref); err != nil {
					t.Error(err)
				}
			}
		}
		if err := w.pass(ref); err != nil {
			t.Error(err)
		}
		w.between = nil
		w.play()
		if w.once("a", 2); t.Failed() {
			t.Fatalf("at call %d", call)
		}
		if !met {
			return
		}
	}
}

// A claim whose pass may be alive is waited for; one whose pass has died is followed by another.
func TestACardWaitsForThePassThatIsAtIt(t *testing.T) {
	w := newWorld(t, robot("a"))
	ref := w.card("a", notify.Card{Kind: notify.KindFinding, Key: "agent.x.1.high", Group: one("x", "1", fleet.High, "i-1")})
	w.objects[notify.SentFolder+"2026-12-01/a/agent.x.1.high/1.claim.json"] = []byte(`{"v":1,"at":"2026-12-01T02:00:00Z"}`)
	w.waiting = append(w.waiting, waiting{start.Add(time.Minute), ref})
	w.play()
	w.once("a", 1)
	if at := w.posts[0].at.Sub(start); at < 5*time.Minute || at > 6*time.Minute {
		t.Errorf("it was sent after %s", at)
	}
}

// A message is carried on by what was found and by itself, where the note of it is missing.
func TestACardThatComesTwiceInAPassIsSentOnce(t *testing.T) {
	w := newWorld(t, robot("a"))
	found := w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	ref := w.card("a", notify.Card{Kind: notify.KindFinding, Key: "agent.x.1.high", Group: one("x", "1", fleet.High, "i-1")})
	w.waiting = nil
	if err := w.pass(found, ref); err != nil || len(w.waiting) > 0 {
		t.Errorf("%v, %d wait", err, len(w.waiting))
	}
	w.once("a", 1)
}

func TestTheMostSevereCardsAreSentFirst(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.notify.Channels[0].Least = fleet.Info
	for i, s := range []fleet.Severity{fleet.Low, fleet.Critical, fleet.Info, fleet.High, fleet.Medium} {
		w.found(start, fmt.Sprint(i), one(fmt.Sprint("x-", i), "1", s, "i-1"))
	}
	w.play()
	for i, p := range w.posts {
		if want := fleet.Severities()[i]; p.card.Severity != want {
			t.Errorf("%d: %s, want %s", i, p.card.Severity, want)
		}
	}
}

// All channels and tries have the card that was stored first.
func TestACardIsTheSameInEachChannelAndTry(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	w.play()
	w.notify.Channels = append(w.notify.Channels, robot("b"))
	w.found(start.Add(time.Hour), "two", one("x", "1", fleet.High, "i-2", "i-3"))
	w.play()
	w.once("b", 1)
	if a, b := w.posts[0].card, w.posts[1].card; !cmp.Equal(a, b) {
		t.Error(cmp.Diff(a, b))
	}
}

func TestAChannelIsAskedAgainWhenItSays(t *testing.T) {
	w := newWorld(t, robot("a"))
	w.found(start, "one", one("x", "1", fleet.High, "i-1"))
	var at []time.Duration
	w.answers = func(w *world, _ string, _ notify.Card) error {
		if at = append(at, w.time.Sub(start)); len(at) == 1 {
			return refused{after: 47 * time.Minute}
		}
		return nil
	}
	w.play()
	if d := at[1] - at[0]; len(at) != 2 || d < 47*time.Minute || d > 48*time.Minute {
		t.Errorf("asked at %v", at)
	}
}

// A message cannot say that it has just begun, for ever.
func TestAMessageFromTheFutureIsGivenUpToo(t *testing.T) {
	w := newWorld(t, robot("a"))
	ref := w.card("a", notify.Card{Kind: notify.KindFinding, Key: "agent.x.1.high", Group: one("x", "1", fleet.High, "i-1")})
	ref.Try.FirstSeen = start.AddDate(1, 0, 0)
	w.waiting = append(w.waiting, waiting{start, ref})
	w.answers = func(*world, string, notify.Card) error { return refused{} }
	w.play()
	if len(w.buried) != 1 || w.time.Sub(start) > 26*time.Hour {
		t.Errorf("%d dead letters after %s", len(w.buried), w.time.Sub(start))
	}
}

// A card counts what was found in the minute before, also by passes whose messages were lost, and
// says so where that is too much to read.
func TestACardCountsWhatOthersFoundMeanwhile(t *testing.T) {
	for n, more := range map[int]bool{20: false, 600: true} {
		w := newWorld(t, robot("a"))
		for i := range n {
			w.found(start.Add(time.Duration(i)*50*time.Millisecond), fmt.Sprint("lost-", i), one("x", "1", fleet.High, fmt.Sprint("i-", i)))
		}
		w.waiting = nil
		w.found(start.Add(40*time.Second), "last", one("x", "1", fleet.High, "i-last"))
		w.play()
		w.once("a", 1)
		if c := w.posts[0].card; c.More != more || c.Count != min(n, 500)+1 || len(c.IDs) != 10 {
			t.Errorf("%d others: counts %d, more %t", n, c.Count, c.More)
		}
	}
}
