package events_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"

	"github.com/google/go-cmp/cmp"
)

var (
	hangzhou = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
	shanghai = fleet.Scope{Account: "1000000000000001", Region: "cn-shanghai"}
)

// member is an account in which we assume a role.
const member fleet.AccountID = "1000000000000004"

// receiver is an invocation in hangzhou's account.
type receiver struct{ requeue func(body []byte) error }

func (receiver) Knows(a fleet.AccountID) bool {
	return a == hangzhou.Account || a == member || a == "1000000000000003"
}
func (receiver) Guards(s fleet.Scope) bool      { return s.Region != "cn-far" }
func (receiver) Reaches(a fleet.AccountID) bool { return a == hangzhou.Account || a == member }
func (receiver) RoleIn(a fleet.AccountID) (role string, ok bool) {
	return "FleetwardenMember", a == member
}
func (r receiver) Requeue(body []byte) error { return r.requeue(body) }

func launchOf(s fleet.Scope, ids ...string) events.Event {
	ev := events.Event{Kind: fleet.EventLaunch, ID: "s|1", Type: "ecs:ActionTrail:ApiCall", Call: &fleet.Call{Name: "RunInstances"}}
	for _, id := range ids {
		ev.Refs = append(ev.Refs, fleet.Ref{Scope: s, Kind: fleet.KindInstance, ID: id, Call: ev.Call})
	}
	return ev
}

// one is what Decode yields for one element.
type one struct {
	ev  events.Event
	err error
}

func sequence(elements ...one) iter.Seq2[events.Event, error] {
	return func(yield func(events.Event, error) bool) {
		for _, e := range elements {
			if !yield(e.ev, e.err) {
				return
			}
		}
	}
}

// collect has attach-role receive the elements.
func collect(r receiver, elements ...one) (batches []fleet.Batch, errs []error) {
	for b, err := range events.Batches(sequence(elements...), r, fleet.FunctionNamed(fleet.FunctionAttachRole)) {
		if err != nil {
			errs = append(errs, err)
		} else {
			batches = append(batches, b)
		}
	}
	return batches, errs
}

func idsOf(batches []fleet.Batch) [][]string {
	var out [][]string
	for _, b := range batches {
		var of []string
		for _, r := range b.Refs {
			of = append(of, r.ID)
		}
		out = append(out, of)
	}
	return out
}

func TestAnEventThatIsForUsBecomesABatch(t *testing.T) {
	batches, errs := collect(receiver{}, one{ev: launchOf(hangzhou, "i-1", "i-2")})
	if len(errs) != 0 || len(batches) != 1 || batches[0].Scope != hangzhou || batches[0].Next != "" {
		t.Fatalf("batches %+v, errors %v", batches, errs)
	}
	if diff := cmp.Diff([][]string{{"i-1", "i-2"}}, idsOf(batches)); diff != "" {
		t.Error(diff)
	}
}

func TestAnEventThatIsNotForUsSaysWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*events.Event)
		bad    bool // reported as bad input, not only ignored
		why    string
	}{
		"another kind":       {func(e *events.Event) { e.Kind = fleet.EventTimer }, false, "timer"},
		"our own session":    {func(e *events.Event) { e.Role, e.Session = "Fleetwarden-Attach-Role", "s-1" }, false, "s-1"},
		"the decoder's word": {func(e *events.Event) { e.Ignored, e.Refs = "a dry run", nil }, false, "a dry run"},
		"a strange account":  {func(e *events.Event) { e.Refs[0].Scope.Account = "1000000000000009" }, true, "1000000000000009"},
		"a member's account": {func(e *events.Event) { e.Refs[0].Scope.Account = "1000000000000003" }, true, "add role to it"},
		"our session in a member": {func(e *events.Event) {
			e.Account, e.Role, e.Session = member, "fleetwardenmember", "fleetwarden-attach-role"
		}, false, "fleetwarden-attach-role of role fleetwardenmember"},
		"no ref of ours": {func(e *events.Event) { e.Refs[0].Kind = fleet.KindCall }, false, "nothing that this function checks"},
		"no ref at all":  {func(e *events.Event) { e.Refs = nil }, false, "nothing that this function checks"},
	} {
		t.Run(name, func(t *testing.T) {
			ev := launchOf(hangzhou, "i-1")
			tc.change(&ev)
			batches, errs := collect(receiver{}, one{ev: ev}, one{ev: launchOf(hangzhou, "i-2")})
			if diff := cmp.Diff([][]string{{"i-2"}}, idsOf(batches)); diff != "" {
				t.Error("the other event is not handled as usual:", diff)
			}
			if len(errs) != 1 {
				t.Fatalf("errors %v", errs)
			}
			_, bad := errors.AsType[*fleet.BadInput](errs[0])
			_, ignored := errors.AsType[*fleet.Ignored](errs[0])
			if bad != tc.bad || ignored == tc.bad || !strings.Contains(errs[0].Error(), tc.why) || !strings.Contains(errs[0].Error(), "s|1") {
				t.Errorf("got %T: %v", errs[0], errs[0])
			}
		})
	}
}

func TestAnotherSessionsCallIsNotOurOwn(t *testing.T) {
	for name, c := range map[string]struct {
		account       fleet.AccountID
		role, session string
	}{
		"another role":                        {hangzhou.Account, "deployer", "s-1"},
		"the member's role, at home":          {hangzhou.Account, "FleetwardenMember", "fleetwarden-attach-role"},
		"a person in the member's role":       {member, "FleetwardenMember", "alice"},
		"another function's session":          {member, "FleetwardenMember", "fleetwarden-push-agent"},
		"a role there that is called as ours": {member, "fleetwarden-attach-role", "fleetwarden-attach-role"},
		"another role, a session like ours":   {member, "deployer", "fleetwarden-attach-role"},
	} {
		ev := launchOf(fleet.Scope{Account: c.account, Region: "cn-hangzhou"}, "i-1")
		ev.Account, ev.Role, ev.Session = c.account, c.role, c.session
		if batches, errs := collect(receiver{}, one{ev: ev}); len(batches) != 1 || len(errs) != 0 {
			t.Errorf("%s: batches %v, errors %v", name, batches, errs)
		}
	}
}

func TestRefsOfKindsThatAreNotOursAreLeftOut(t *testing.T) {
	ev := launchOf(hangzhou, "i-1", "x")
	ev.Refs[1].Kind = fleet.KindRole
	batches, errs := collect(receiver{}, one{ev: ev})
	if diff := cmp.Diff([][]string{{"i-1"}}, idsOf(batches)); diff != "" || len(errs) != 0 {
		t.Error(diff, errs)
	}
}

func TestAWindowOfEventsAboutOneInstanceIsOneLook(t *testing.T) {
	var window []one
	for range 100 {
		window = append(window, one{ev: launchOf(hangzhou, "i-1")})
	}
	batches, errs := collect(receiver{}, window...)
	if diff := cmp.Diff([][]string{{"i-1"}}, idsOf(batches)); diff != "" || len(errs) != 0 {
		t.Error(diff, errs)
	}
}

func TestTheSameIDElsewhereIsAnotherThing(t *testing.T) {
	batches, _ := collect(receiver{}, one{ev: launchOf(hangzhou, "i-1")}, one{ev: launchOf(shanghai, "i-1")}, one{ev: launchOf(hangzhou, "i-2")})
	if diff := cmp.Diff([][]string{{"i-1", "i-2"}, {"i-1"}}, idsOf(batches)); diff != "" {
		t.Error(diff)
	}
	if batches[1].Scope != shanghai || batches[1].Refs[0].Scope != shanghai {
		t.Errorf("got %+v", batches[1])
	}
}

func TestABatchHoldsAHundred(t *testing.T) {
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprint("i-", i))
	}
	batches, _ := collect(receiver{}, one{ev: launchOf(hangzhou, many...)})
	if len(batches) != 3 || !slices.Equal(slices.Concat(idsOf(batches)...), many) {
		t.Errorf("%d batches", len(batches))
	}
	for _, b := range batches {
		if len(b.Refs) > fleet.MaxBatch {
			t.Errorf("a batch of %d", len(b.Refs))
		}
	}
}

// A message may claim to have been tried too often; what it says must not end the rechecks
// of an event, or of another message, of the same instance.
func TestADuplicateAddsWhatIsKnownAndEndsNoRechecks(t *testing.T) {
	since := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	message := func(n int, first time.Time) events.Event {
		ev := launchOf(hangzhou, "i-1")
		ev.Kind, ev.Refs[0].Call = fleet.EventMessage, nil
		ev.Refs[0].Try = fleet.Try{N: n, FirstSeen: first, Run: "r"}
		return ev
	}
	fresh, forged := launchOf(hangzhou, "i-1"), message(40, since.AddDate(-1, 0, 0))
	for name, c := range map[string]struct {
		order []one
		want  fleet.Try
	}{
		"an event first":           {[]one{{ev: fresh}, {ev: forged}}, fleet.Try{Run: "r"}},
		"an event last":            {[]one{{ev: forged}, {ev: fresh}}, fleet.Try{Run: "r"}},
		"a message first":          {[]one{{ev: message(3, since)}, {ev: forged}}, fleet.Try{N: 3, FirstSeen: since, Run: "r"}},
		"a message last":           {[]one{{ev: forged}, {ev: message(3, since)}}, fleet.Try{N: 3, FirstSeen: since, Run: "r"}},
		"an older history":         {[]one{{ev: message(3, since)}, {ev: message(3, since.AddDate(-1, 0, 0))}}, fleet.Try{N: 3, FirstSeen: since, Run: "r"}},
		"few tries since long ago": {[]one{{ev: message(3, since)}, {ev: message(0, since.AddDate(-1, 0, 0))}}, fleet.Try{FirstSeen: since, Run: "r"}},
		"few tries at last":        {[]one{{ev: message(0, since.AddDate(-1, 0, 0))}, {ev: message(3, since)}}, fleet.Try{FirstSeen: since, Run: "r"}},
		"no history, an old one":   {[]one{{ev: message(2, time.Time{})}, {ev: message(0, since)}}, fleet.Try{Run: "r"}},
		"an older history at last": {[]one{{ev: message(3, since.AddDate(-1, 0, 0))}, {ev: message(3, since)}}, fleet.Try{N: 3, FirstSeen: since, Run: "r"}},
	} {
		t.Run(name, func(t *testing.T) {
			batches, _ := collect(receiver{}, c.order...)
			got := batches[0].Refs[0]
			if strings.Contains(name, "event") != (got.Call != nil) || got.Try != c.want {
				t.Errorf("got %+v", got)
			}
		})
	}
	if fresh.Refs[0].Try.Run != "" {
		t.Error("the event's own ref was written to")
	}
}

func TestABadElementDoesNotStopItsNeighbours(t *testing.T) {
	bad := &events.Error{Index: 0, Err: &fleet.BadInput{What: "malformed"}}
	batches, errs := collect(receiver{}, one{err: bad}, one{ev: launchOf(hangzhou, "i-1")})
	if len(batches) != 1 || len(errs) != 1 || errs[0] != error(bad) {
		t.Errorf("batches %v, errors %v", batches, errs)
	}
}

func newer() one {
	return one{err: &events.Error{Digest: "d1", Body: []byte(`{"v":2}`), Err: events.ErrNewer}}
}

func TestANewerMessageGoesBackAndIsIgnored(t *testing.T) {
	var back []string
	r := receiver{func(body []byte) error { back = append(back, string(body)); return nil }}
	batches, errs := collect(r, newer(), one{ev: launchOf(hangzhou, "i-1")})
	if !slices.Equal(back, []string{`{"v":2}`}) || len(batches) != 1 || len(errs) != 1 {
		t.Fatalf("put back %v, batches %v, errors %v", back, batches, errs)
	}
	if _, ok := errors.AsType[*fleet.Ignored](errs[0]); !ok || !strings.Contains(errs[0].Error(), "d1") {
		t.Errorf("got %T: %v", errs[0], errs[0])
	}
}

func TestANewerMessageThatCannotGoBackIsTheLastErrorAndHarmsNoNeighbour(t *testing.T) {
	full := errors.New("no such queue")
	r := receiver{func([]byte) error { return full }}
	batches, errs := collect(r, one{ev: launchOf(hangzhou, "i-1")}, newer(), newer(), one{ev: launchOf(hangzhou, "i-2")})
	if len(batches) != 1 || len(batches[0].Refs) != 2 || len(errs) != 1 || !errors.Is(errs[0], full) {
		t.Errorf("batches %v, errors %v", batches, errs)
	}
}

func TestANewerMessageThatIsGivenUpIsReported(t *testing.T) {
	r := receiver{func([]byte) error { return &fleet.BadInput{What: "it is a dead letter now"} }}
	batches, errs := collect(r, newer(), one{ev: launchOf(hangzhou, "i-1")})
	if len(batches) != 1 || len(errs) != 1 || !errors.As(errs[0], new(*fleet.BadInput)) {
		t.Errorf("batches %v, errors %v", batches, errs)
	}
}

func TestBatchesStopWhenTheLoopEnds(t *testing.T) {
	read := 0
	source := func(yield func(events.Event, error) bool) {
		for range 10 {
			read++
			if !yield(events.Event{Kind: fleet.EventTimer}, nil) {
				return
			}
		}
	}
	for range events.Batches(source, receiver{}, fleet.FunctionNamed(fleet.FunctionAttachRole)) {
		break
	}
	if read != 1 {
		t.Errorf("%d events read after the first was enough", read)
	}
	for range events.Batches(sequence(one{ev: launchOf(hangzhou, "i-1")}, one{ev: launchOf(shanghai, "i-1")}), receiver{}, fleet.FunctionNamed(fleet.FunctionAttachRole)) {
		break
	}
}

func TestAnEventOfARegionThatIsNotGuardedIsIgnored(t *testing.T) {
	far := fleet.Scope{Account: hangzhou.Account, Region: "cn-far"}
	share := events.Event{Kind: fleet.EventImageShare, Account: far.Account, Region: far.Region,
		Refs: []fleet.Ref{{Scope: fleet.Scope{Account: far.Account}, Kind: fleet.KindImageShare}}}
	launch := launchOf(far, "i-1")
	launch.Region = far.Region
	near := launchOf(hangzhou, "i-2")
	near.Region = hangzhou.Region
	ignored, refs := 0, 0
	for b, err := range events.Batches(sequence(one{ev: share}, one{ev: launch}, one{ev: near}), receiver{}, fleet.FunctionNamed(fleet.FunctionAttachRole), fleet.FunctionNamed(fleet.FunctionWatchShares)) {
		if err == nil {
			refs += len(b.Refs)
		} else if errors.As(err, new(*fleet.Ignored)) {
			ignored++
		}
	}
	if ignored != 2 || refs != 1 {
		t.Errorf("%d ignored, %d refs", ignored, refs)
	}
}

// Messages about the ledger are taken whichever regions are guarded: the home region need not be.
func TestMessagesAboutTheLedgerAreTakenFromARegionThatIsNotGuarded(t *testing.T) {
	far := fleet.Scope{Account: hangzhou.Account, Region: "cn-far"}
	for _, f := range fleet.Functions() {
		for _, kind := range f.Refs {
			ev := events.Event{Kind: fleet.EventMessage, ID: "1", Account: far.Account, Region: far.Region, Refs: []fleet.Ref{{Scope: far, Kind: kind, ID: "x"}}}
			taken := false
			for b := range events.Batches(func(yield func(events.Event, error) bool) { yield(ev, nil) }, receiver{}, f) {
				taken = taken || len(b.Refs) > 0
			}
			if want := f.Name == fleet.FunctionNotify; taken != want && slices.Contains(f.Events, fleet.EventMessage) {
				t.Errorf("%s takes %s: %t", f.Name, kind, taken)
			}
		}
	}
}
