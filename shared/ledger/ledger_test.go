package ledger_test

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

func TestAnIntentAndItsOutcomeAreNeighbours(t *testing.T) {
	m := newMemory()
	l := ledger.New(m, pass("p"), nil)
	e := intent(noon, "i-1", "i-2")
	write(t, l, e)
	write(t, l, after(e, fleet.StageOutcome, fleet.Done))
	names := slices.Sorted(maps.Keys(m.objects))
	want := regexp.MustCompile(`^attach-role/2026-01-05/120000\.run-1\.req-1\.[0-9a-f]{12}\.[a-z2-7]{8}\.(intent|outcome)\.json$`)
	if len(names) != 2 || !want.MatchString(names[0]) || !want.MatchString(names[1]) ||
		strings.TrimSuffix(names[0], "intent.json") != strings.TrimSuffix(names[1], "outcome.json") {
		t.Errorf("got %v", names)
	}
}

func TestANameHasNoReservedCharacters(t *testing.T) {
	for _, id := range []string{"", "a/b", "../../x", "a.b", strings.Repeat("x", 65), "é", "a\nb"} {
		m := newMemory()
		e := intent(noon, "i-1")
		e.Changes[0].Run = id
		write(t, ledger.New(m, ledger.Pass{Function: "attach-role", Request: id}, nil), e)
		for name := range m.objects {
			if !strings.HasPrefix(name, "attach-role/2026-01-05/120000.+.+.") {
				t.Errorf("%q became %s", id, name)
			}
		}
		batches(t, m, ledger.Query{Function: "attach-role", Run: id}, 1)
	}
}

// accounts checks how many batches a query selects.
func batches(t *testing.T, m *memory, q ledger.Query, want int) []ledger.Batch {
	t.Helper()
	var out []ledger.Batch
	for a, err := range ledger.Batches(t.Context(), m, q) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	if len(out) != want {
		t.Errorf("%+v selects %d batches, want %d", q, len(out), want)
	}
	return out
}

func TestAQuerySelectsByTimeAndRun(t *testing.T) {
	m := newMemory()
	l := ledger.New(m, pass("p"), nil)
	for day := range 4 {
		e := intent(noon.AddDate(0, 0, day), "i-1", "i-2")
		if day == 1 {
			e.Changes[1].Run = "run-2" // two runs in one batch
		}
		write(t, l, e)
		write(t, l, after(e, fleet.StageOutcome, fleet.Done))
	}
	write(t, ledger.New(m, ledger.Pass{Function: "attach-role-2"}, nil), intent(noon, "i-9"))
	all := ledger.Query{Function: "attach-role"}
	for _, a := range batches(t, m, all, 4) {
		if a.Last == nil || a.Last.Stage != fleet.StageOutcome || len(a.Intent.Refs()) != 2 {
			t.Errorf("got %+v", a)
		}
	}
	batches(t, m, ledger.Query{Function: "attach-role", From: noon.AddDate(0, 0, 1)}, 3)
	batches(t, m, ledger.Query{Function: "attach-role", From: noon.AddDate(0, 0, 1), To: noon.AddDate(0, 0, 3)}, 2)
	batches(t, m, ledger.Query{Function: "attach-role", To: noon}, 0)
	batches(t, m, ledger.Query{Function: "attach-role", Run: "run-1"}, 4)
	batches(t, m, ledger.Query{Function: "attach-role", Run: "run-2"}, 1)
	m.gets = 0
	batches(t, m, ledger.Query{Function: "attach-role", Run: "run-3"}, 0)
	if m.gets != 2 {
		t.Errorf("%d objects were read to find that no batch is of that run, want the 2 of the mixed one", m.gets)
	}
}

func TestAnOutcomeOverridesASettledEntry(t *testing.T) {
	m := newMemory()
	l := ledger.New(m, pass("p"), nil)
	slow, dead, alive := intent(noon, "slow"), intent(noon.Add(time.Second), "dead"), intent(noon.Add(2*time.Second), "alive")
	for _, e := range []*fleet.Entry{slow, dead, alive} {
		write(t, l, e)
	}
	write(t, l, after(slow, fleet.StageSettled, fleet.Skipped))
	write(t, l, after(slow, fleet.StageOutcome, fleet.Done))
	write(t, l, after(dead, fleet.StageSettled, fleet.Unclear))
	got := batches(t, m, ledger.Query{Function: "attach-role"}, 3)
	if got[0].Last.Changes[0].State != fleet.Done || got[1].Last.Changes[0].State != fleet.Unclear || got[2].Last != nil {
		t.Errorf("got %+v", got)
	}
	if err := l.Write(t.Context(), after(dead, fleet.StageSettled, fleet.Done)); fleet.ClassOf(err) != fleet.Exists {
		t.Errorf("settling twice: got %v", err)
	}
}

func TestANewerObjectIsReportedAndLeftUnchanged(t *testing.T) {
	m := newMemory()
	write(t, ledger.New(m, pass("p"), nil), intent(noon.Add(-time.Minute), "i-1"))
	for name := range m.objects {
		m.objects[name] = []byte(`{"v": 2, "stage": "intent", "surprise": [1]}`)
	}
	write(t, ledger.New(m, pass("p"), nil), intent(noon, "i-2"))
	ids, errs := open(t, ledger.New(m, pass("p"), &ledger.Watch{}), noon)
	var bad *fleet.BadInput
	if !slices.Equal(ids, []string{"i-2"}) || len(errs) != 1 || !errors.Is(errs[0], ledger.ErrNewer) || !errors.As(errs[0], &bad) {
		t.Errorf("got %v, %v", ids, errs)
	}
	if len(m.objects) != 2 {
		t.Errorf("%d objects are left, want 2", len(m.objects))
	}
}

func TestAPrefixHidesOtherObjects(t *testing.T) {
	m := newMemory()
	m.objects["other/attach-role/2026-01-05/x"] = nil
	s := ledger.Below(m, "ledger")
	if err := s.Put(t.Context(), "a/1", []byte("one")); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), "a/1")
	names, _, lerr := s.List(t.Context(), "a/", "a/0")
	if string(got) != "one" || err != nil || lerr != nil || !slices.Equal(names, []string{"a/1"}) || m.objects["ledger/a/1"] == nil {
		t.Errorf("got %q, %v, %v, %v", got, names, err, lerr)
	}
}

func TestAnEndedContextEndsAFolder(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	f := ledger.NewFolder(t.TempDir())
	_, gerr := f.Get(ctx, "a")
	_, _, lerr := f.List(ctx, "", "")
	for _, err := range []error{f.Put(ctx, "a", nil), gerr, lerr} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestAnOutcomeWithOtherChangesThanItsIntentIsRefused(t *testing.T) {
	for name, x := range map[string]struct {
		edit func(*fleet.Entry)
		ok   bool
	}{
		"the same": {func(*fleet.Entry) {}, true},
		"with members of an end only": {func(e *fleet.Entry) {
			c := &e.Changes[0]
			c.State, c.Why, c.After, c.RequestIDs = fleet.Failed, "why", "after", []string{"r-1"}
		}, true},
		"one less":         {func(e *fleet.Entry) { e.Changes = e.Changes[:1] }, false},
		"one more":         {func(e *fleet.Entry) { e.Changes = append(e.Changes, e.Changes[0]) }, false},
		"another resource": {func(e *fleet.Entry) { e.Changes[0].ID = "canary" }, false},
		"another kind":     {func(e *fleet.Entry) { e.Changes[0].Kind = "canary" }, false},
		"before":           {func(e *fleet.Entry) { e.Changes[1].Before = "canary" }, false},
		"want":             {func(e *fleet.Entry) { e.Changes[1].Want = "canary" }, false},
		"another run":      {func(e *fleet.Entry) { e.Changes[0].Run = "run-2" }, false},
		"in an order":      {func(e *fleet.Entry) { slices.Reverse(e.Changes) }, false},
	} {
		for _, stage := range []fleet.Stage{fleet.StageOutcome, fleet.StageSettled} {
			m := newMemory()
			l := ledger.New(m, pass("p"), nil)
			e := intent(noon, "i-1", "i-2")
			write(t, l, e)
			end := after(e, stage, fleet.Done)
			x.edit(end)
			write(t, l, end)
			write(t, l, intent(noon.Add(time.Second), "i-3"))
			read, bad := 0, 0
			for a, err := range ledger.Across(t.Context(), m, both, ledger.Query{Run: "run-1"}) {
				switch {
				case errors.As(err, new(*fleet.BadInput)) && !strings.Contains(err.Error(), "canary"):
					bad++
				case err != nil:
					t.Errorf("%s, %s: %v", name, stage, err)
				case len(a.Intent.Changes) > 0:
					read++
				}
			}
			if want := map[bool][2]int{true: {2, 0}, false: {1, 1}}[x.ok]; [2]int{read, bad} != want {
				t.Errorf("%s, %s: %d read, %d bad", name, stage, read, bad)
			}
		}
	}
}
