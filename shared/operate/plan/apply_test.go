package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/plan"
	"fleetwarden/shared/policy"
)

// checks are those of a plan of which nothing has changed.
func checks(p plan.Plan) []plan.Check {
	out := make([]plan.Check, len(p.Items))
	for i, item := range p.Items {
		out[i] = plan.Check{Item: item}
	}
	return out
}

func TestItemsAreEnqueuedForTheirOwnersAsPartOfTheRun(t *testing.T) {
	all := checks(made(t,
		drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(hangzhou, agent, "i-1", push(hangzhou, "i-1")),
		drifted(member, role, "i-2", attach(member, "i-2")), drifted(shanghai, role, "i-3", attach(shanghai, "i-3")),
		drifted(hangzhou, role, "i-stale", attach(hangzhou, "i-stale")), drifted(hangzhou, role, "i-held", attach(hangzhou, "i-held"))))
	all[4].Stale, all[5].Held = "changed", "in audit"
	var got []string
	queued, err := plan.Enqueue(t.Context(), all, run, func(_ context.Context, function string, region fleet.Region, refs []fleet.Ref) error {
		if function == "attach-role" && region == "cn-shanghai" {
			return failure{fleet.NotFound}
		}
		for _, r := range refs {
			got = append(got, fmt.Sprint(function, " ", region, " ", r.Scope.Account, " ", r.ID, " ", r.Try.Run == run))
		}
		return nil
	})
	want := []string{
		"attach-role cn-hangzhou 1000000000000001 i-1 true", "attach-role cn-hangzhou 1000000000000003 i-2 true",
		"push-agent cn-hangzhou 1000000000000001 i-1 true",
	}
	if diff := cmp.Diff(want, got); diff != "" || queued != 3 || err != nil {
		t.Errorf("%d enqueued, %v %s", queued, err, diff)
	}
	if held := all[3].Held; held != "there is no inbox of attach-role in cn-shanghai: deploy the functions there" {
		t.Errorf("without an inbox: %q", held)
	}
}

func TestTheInboxForSharesIsInTheHomeRegion(t *testing.T) {
	shares := fleet.Scope{Account: hangzhou.Account}
	all := checks(made(t, drifted(shares, policy.ControlShareRole, "", fleet.Change{Kind: fleet.SetShareTrust})))
	queued, err := plan.Enqueue(t.Context(), all, run, func(context.Context, string, fleet.Region, []fleet.Ref) error { return failure{fleet.NotFound} })
	if want := "there is no inbox of setup-share-role in the home region: deploy the functions there"; queued != 0 || err != nil || all[0].Held != want {
		t.Errorf("%d enqueued, %v, held: %q", queued, err, all[0].Held)
	}
}

func TestAnInboxThatFailsEndsTheEnqueuing(t *testing.T) {
	all := checks(made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(shanghai, role, "i-3", attach(shanghai, "i-3"))))
	queued, err := plan.Enqueue(t.Context(), all, run, func(_ context.Context, _ string, region fleet.Region, _ []fleet.Ref) error {
		if region == "cn-shanghai" {
			return failure{fleet.Denied}
		}
		return nil
	})
	if queued != 1 || fleet.ClassOf(err) != fleet.Denied || all[1].Held != "" {
		t.Errorf("%d enqueued, %v", queued, err)
	}
}

// awaited is what an apply waits for, and the ledger that owners write to.
func awaited(t *testing.T, p plan.Plan) (*plan.Awaited, *ledger.Folder) {
	t.Helper()
	store := ledger.NewFolder(t.TempDir())
	return plan.Await(store, run, noon, checks(p)), store
}

// states reads the ledger, and returns the state of each item.
func states(t *testing.T, a *plan.Awaited) []fleet.State {
	t.Helper()
	if err := a.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out []fleet.State
	open := 0
	for _, o := range a.Outcomes {
		out = append(out, o.State)
		if o.State == "" {
			open++
		}
	}
	if a.Open() != open {
		t.Errorf("%d are said to be open, of %q", a.Open(), out)
	}
	return out
}

func TestOnlyFreshItemsAreAwaited(t *testing.T) {
	all := checks(made(t, drifted(hangzhou, role, "i-1"), drifted(hangzhou, role, "i-2"), drifted(hangzhou, role, "i-3")))
	all[0].Stale, all[1].Held = "changed", "in audit"
	if a := plan.Await(nil, run, noon, all); len(a.Outcomes) != 1 || a.Outcomes[0].Item.ID != "i-3" {
		t.Errorf("got %+v", a.Outcomes)
	}
}

func TestAnOutcomeIsWhatTheOwnerWroteLast(t *testing.T) {
	item := drifted(hangzhou, role, "i-1", ensure(hangzhou), attach(hangzhou, "i-1"))
	type entry struct {
		function string
		state    fleet.State
		change   fleet.Change
	}
	of := func(state fleet.State) entry { return entry{"attach-role", state, attach(hangzhou, "i-1")} }
	made1 := entry{"attach-role", fleet.Done, ensure(hangzhou)}
	for name, c := range map[string]struct {
		entries []entry
		want    fleet.State
	}{
		"nothing yet":                     {nil, ""},
		"an intent alone":                 {[]entry{of("")}, ""},
		"done":                            {[]entry{of(fleet.Done)}, fleet.Done},
		"started":                         {[]entry{of(fleet.Started)}, fleet.Started},
		"failed":                          {[]entry{of(fleet.Failed)}, fleet.Failed},
		"held by the owner":               {[]entry{of(fleet.Held)}, fleet.Held},
		"skipped":                         {[]entry{of(fleet.Skipped)}, fleet.Skipped},
		"put off":                         {[]entry{of(fleet.Later)}, ""},
		"put off, then done":              {[]entry{of(fleet.Later), of(fleet.Done)}, fleet.Done},
		"forwarded":                       {[]entry{of(fleet.Forwarded)}, ""},
		"forwarded, then done by another": {[]entry{of(fleet.Forwarded), {"push-agent", fleet.Done, attach(hangzhou, "i-1")}}, fleet.Done},
		"done, while another forwards":    {[]entry{of(fleet.Done), {"validate-instance", fleet.Forwarded, attach(hangzhou, "i-1")}}, fleet.Done},
		"the role, but not attached yet":  {[]entry{made1}, ""},
		"the role, then attached":         {[]entry{made1, of(fleet.Done)}, fleet.Done},
		"the role could not be made":      {[]entry{{"attach-role", fleet.Failed, ensure(hangzhou)}}, fleet.Failed},
		"the role failed, attached later": {[]entry{{"attach-role", fleet.Failed, ensure(hangzhou)}, of(fleet.Done)}, fleet.Done},
		"another instance":                {[]entry{{"attach-role", fleet.Done, attach(hangzhou, "i-2")}}, ""},
		"another region":                  {[]entry{{"attach-role", fleet.Done, attach(shanghai, "i-1")}}, ""},
	} {
		a, store := awaited(t, made(t, item))
		for i, e := range c.entries {
			owner{store, e.function}.writes(t, noon.Add(time.Duration(i+1)*time.Second), e.state, e.change)
		}
		if got := states(t, a); !slices.Equal(got, []fleet.State{c.want}) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestOneRoleIsMadeForManyAndEachHasItsOwner(t *testing.T) {
	a, store := awaited(t, made(t,
		drifted(hangzhou, role, "i-1", ensure(hangzhou)), drifted(shanghai, role, "i-2", ensure(shanghai)),
		drifted(member, role, "i-3", ensure(member)), drifted(hangzhou, agent, "i-1", push(hangzhou, "i-1"))))
	owner{store, "attach-role"}.writes(t, noon, fleet.Done, ensure(hangzhou))
	if got := states(t, a); !slices.Equal(got, []fleet.State{fleet.Done, fleet.Done, "", ""}) {
		t.Errorf("the member's role is another, and so is push-agent's work: got %q", got)
	}
	owner{store, "push-agent"}.writes(t, noon.Add(time.Second), fleet.Started, push(hangzhou, "i-1"))
	owner{store, "attach-role"}.writes(t, noon.Add(time.Second), fleet.Failed, ensure(member))
	if got := states(t, a); !slices.Equal(got, []fleet.State{fleet.Done, fleet.Done, fleet.Failed, fleet.Started}) {
		t.Errorf("got %q", got)
	}
	if why := a.Outcomes[2].Why; why != "because failed" {
		t.Errorf("why: %q", why)
	}
}

func TestOfSeveralChangesToAThingAllHaveToBeKnown(t *testing.T) {
	stop := fleet.Change{Kind: fleet.StopInstance, Ref: attach(hangzhou, "i-1").Ref, Want: "Stopped"}
	tag := fleet.Change{Kind: fleet.TagInstance, Ref: stop.Ref, Want: "tagged"}
	a, store := awaited(t, made(t, drifted(hangzhou, policy.ControlTrustedInstance, "i-1", tag, stop)))
	o := owner{store, "validate-instance"}
	o.writes(t, noon, fleet.Done, tag)
	if got := states(t, a); got[0] != "" {
		t.Errorf("half of it: got %q", got)
	}
	o.writes(t, noon.Add(time.Second), fleet.Failed, stop)
	if got := states(t, a); got[0] != fleet.Failed {
		t.Errorf("got %q", got)
	}
}

func TestAnotherRunsRecordsAreNotOurs(t *testing.T) {
	p := made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")))
	a, store := awaited(t, p)
	owner{store, "attach-role"}.writes(t, noon, fleet.Done, attach(hangzhou, "i-1"))
	a.Run = "apply-20261122T120000Z-others"
	if got := states(t, a); got[0] != "" {
		t.Errorf("got %q", got)
	}
}

func TestAnObjectThatCannotBeDecodedLeavesItsChangesOpen(t *testing.T) {
	a, store := awaited(t, made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(hangzhou, role, "i-2", attach(hangzhou, "i-2"))))
	owner{store, "attach-role"}.writes(t, noon, fleet.Done, attach(hangzhou, "i-1"))
	names, _, err := store.List(t.Context(), "attach-role/", "")
	if err != nil || len(names) != 2 {
		t.Fatalf("%v %q", err, names)
	}
	if err := store.Put(t.Context(), strings.Replace(names[0], "/120000.", "/115959.", 1), []byte("{")); err != nil {
		t.Fatal(err)
	}
	if got := states(t, a); !slices.Equal(got, []fleet.State{fleet.Done, ""}) {
		t.Errorf("got %q", got)
	}
}

func TestAnItemWithNothingLeftToDoNeedsNoRecord(t *testing.T) {
	a, store := awaited(t, made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(hangzhou, role, "i-2", attach(hangzhou, "i-2")),
		drifted(hangzhou, role, "i-3", attach(hangzhou, "i-3")), drifted(hangzhou, role, "i-4", attach(hangzhou, "i-4"))))
	owner{store, "attach-role"}.writes(t, noon, fleet.Done, attach(hangzhou, "i-1"))
	states(t, a)
	recheck := func(_ context.Context, items []plan.Item) ([]plan.Check, error) {
		if len(items) != 3 {
			t.Errorf("items with an outcome are checked again: %d", len(items))
		}
		return []plan.Check{
			{Item: items[0], Stale: "nothing is left to do", Over: true},
			{Item: items[1], Stale: "it cannot be checked"}, {Item: items[2], Held: "it is paused"},
		}, nil
	}
	if err := a.Recheck(t.Context(), recheck); err != nil {
		t.Fatal(err)
	}
	if got := states(t, a); !slices.Equal(got, []fleet.State{fleet.Done, plan.Over, "", fleet.Held}) || a.Outcomes[3].Why != "it is paused" {
		t.Errorf("got %q, %+v", got, a.Outcomes[3])
	}
	failing := func(context.Context, []plan.Item) ([]plan.Check, error) { return nil, errBroken }
	if err := a.Recheck(t.Context(), failing); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	a.Outcomes = a.Outcomes[:2]
	if err := a.Recheck(t.Context(), failing); err != nil {
		t.Errorf("with nothing open, nothing is checked: %v", err)
	}
}

func TestARunNotesWhichPlanItApplies(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	if err := plan.Note(t.Context(), store, plan.Applied{Run: run, Plan: "plan-1", Digest: "d", At: noon, Queued: 2}); err != nil {
		t.Fatal(err)
	}
	got, err := store.Get(t.Context(), "applies/"+run+".json")
	const want = `{"v":1,"run":"` + run + `","plan":"plan-1","digest":"d","at":"2026-11-22T12:00:00Z","queued":2}`
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	if err := plan.Note(t.Context(), ledger.NewFolder("/dev/null/x"), plan.Applied{Run: run}); err == nil {
		t.Error("a store that cannot be written to is an error")
	}
}

func TestWaitingEndsWithTheLastOutcomeOrWithThePatience(t *testing.T) {
	items := made(t, drifted(hangzhou, role, "i-1", attach(hangzhou, "i-1")), drifted(hangzhou, role, "i-2", attach(hangzhou, "i-2")))
	noRecheck := func(context.Context, []plan.Item) ([]plan.Check, error) { return nil, nil }
	for patience, want := range map[time.Duration]time.Duration{time.Hour: 6 * time.Second, 4 * time.Second: 4 * time.Second, 0: 0} {
		a, store := awaited(t, items)
		var slept time.Duration
		ended := 0
		err := a.Wait(t.Context(), patience, func(_ context.Context, d time.Duration) error {
			switch slept += d; slept {
			case time.Second:
				owner{store, "attach-role"}.writes(t, noon, fleet.Done, attach(hangzhou, "i-1"))
			case 6 * time.Second:
				owner{store, "attach-role"}.writes(t, noon.Add(time.Second), fleet.Done, attach(hangzhou, "i-2"))
			}
			return nil
		}, noRecheck, func(n int) { ended += n })
		if err != nil || slept != want || ended != 2-a.Open() {
			t.Errorf("patience %s: waited %s, %d ended, %d open, %v", patience, slept, ended, a.Open(), err)
		}
	}
	a, _ := awaited(t, items)
	recheck := func(_ context.Context, items []plan.Item) ([]plan.Check, error) {
		return []plan.Check{{Item: items[0], Stale: "done by hand", Over: true}, {Item: items[1], Stale: "done by hand", Over: true}}, nil
	}
	if err := a.Wait(t.Context(), time.Hour, func(context.Context, time.Duration) error { return nil }, recheck, func(int) {}); err != nil || a.Open() != 0 {
		t.Errorf("the items are checked when no owner records them: %d open, %v", a.Open(), err)
	}
}
