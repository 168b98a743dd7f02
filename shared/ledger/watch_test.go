package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

func TestAProcessSearchesOnceForIntentsOfDeadPasses(t *testing.T) {
	m := newMemory()
	for at, id := range map[time.Duration]string{-2 * time.Hour: "for the sweep", -30 * time.Minute: "dead", -time.Minute: "young"} {
		write(t, ledger.New(m, pass("theirs"), nil), intent(noon.Add(at), id))
	}
	closed := intent(noon.Add(-20*time.Minute), "closed")
	write(t, ledger.New(m, pass("theirs"), nil), closed)
	write(t, ledger.New(m, pass("theirs"), nil), after(closed, fleet.StageOutcome, fleet.Done))
	tried := intent(noon.Add(-time.Second), "ours, tried before")
	write(t, ledger.New(m, pass("ours"), nil), tried)

	watch := &ledger.Watch{}
	ids, errs := settle(t, ledger.New(m, pass("ours"), watch), noon)
	if diff := cmp.Diff([]string{"dead", "ours, tried before"}, ids); diff != "" || len(errs) != 0 {
		t.Error(diff, errs)
	}
	m.lists = 0
	if ids, _ = open(t, ledger.New(m, pass("next"), watch), noon.Add(time.Minute)); len(ids) != 0 || m.lists != 0 {
		t.Errorf("the second pass found %v with %d calls, want none", ids, m.lists)
	}
	// The young one has come of age.
	if ids, _ = settle(t, ledger.New(m, pass("next"), watch), noon.Add(9*time.Minute)); !slices.Equal(ids, []string{"young"}) {
		t.Errorf("got %v", ids)
	}
	m.lists = 0
	if open(t, ledger.New(m, pass("next"), watch), noon.Add(24*time.Hour)); m.lists != 0 {
		t.Error("it searches although no intent is open")
	}
}

func TestAnUnsettledIntentIsSearchedForAgainByTheSameProcess(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	write(t, ledger.New(m, pass("theirs"), nil), intent(noon.Add(-30*time.Minute), "undecided"))
	write(t, ledger.New(m, pass("theirs"), nil), intent(noon.Add(-20*time.Minute), "clear"))
	first := ledger.New(m, pass("p"), watch)
	for e, err := range first.Open(t.Context(), noon) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Changes[0].ID == "clear" {
			write(t, first, after(&e, fleet.StageSettled, fleet.Done))
		}
	}
	m.lists = 0
	if ids, _ := open(t, ledger.New(m, pass("q"), watch), noon.Add(9*time.Minute)); len(ids) != 0 || m.lists != 0 {
		t.Errorf("too soon: %v with %d calls", ids, m.lists)
	}
	for _, at := range []time.Duration{10 * time.Minute, 20 * time.Minute} {
		if ids, _ := open(t, ledger.New(m, pass("q"), watch), noon.Add(at)); !slices.Equal(ids, []string{"undecided"}) {
			t.Errorf("after %s: %v", at, ids)
		}
	}
	if ids, _ := settle(t, ledger.New(m, pass("q"), watch), noon.Add(30*time.Minute)); len(ids) != 1 {
		t.Errorf("got %v", ids)
	}
	m.lists = 0
	if open(t, ledger.New(m, pass("q"), watch), noon.Add(time.Hour)); m.lists != 0 {
		t.Error("it searches although all is settled")
	}
}

func TestAnIntentThatAnotherPassSettledIsNotSearchedForAgain(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	e := intent(noon.Add(-30*time.Minute), "i-1")
	write(t, ledger.New(m, pass("theirs"), nil), e)
	l := ledger.New(m, pass("p"), watch)
	for found, err := range l.Open(t.Context(), noon) {
		write(t, ledger.New(m, pass("q"), watch), after(e, fleet.StageSettled, fleet.Done)) // in the same moment
		if err != nil || fleet.ClassOf(l.Write(t.Context(), after(&found, fleet.StageSettled, fleet.Done))) != fleet.Exists {
			t.Errorf("got %+v, %v", found, err)
		}
	}
	m.lists = 0
	if open(t, ledger.New(m, pass("p"), watch), noon.Add(time.Hour)); m.lists != 0 {
		t.Error("it searches although all is settled")
	}
}

// Each search would report it again; it is for the sweep.
func TestAnUnreadableObjectIsNotSearchedForAgain(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	write(t, ledger.New(m, pass("p"), nil), intent(noon, "i-1"))
	for name := range m.objects {
		m.objects[name] = []byte("canary")
	}
	write(t, ledger.New(m, pass("p"), nil), intent(noon.Add(-time.Second), "i-2"))
	if ids, errs := settle(t, ledger.New(m, pass("p"), watch), noon); len(ids) != 1 || len(errs) != 1 {
		t.Errorf("got %v, %v", ids, errs)
	}
	m.lists = 0
	if open(t, ledger.New(m, pass("p"), watch), noon.Add(time.Hour)); m.lists != 0 {
		t.Error("it searches again")
	}
}

func TestASettledEntryThatWasNotStoredIsSearchedForAgain(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	write(t, ledger.New(m, pass("p"), nil), intent(noon, "i-1"))
	l := ledger.New(m, pass("p"), watch)
	for e := range l.Open(t.Context(), noon) {
		m.err = errors.New("out of order")
		if l.Write(t.Context(), after(&e, fleet.StageSettled, fleet.Done)) == nil {
			t.Error("a store that is out of order took it")
		}
		m.err = nil
	}
	if ids, _ := open(t, ledger.New(m, pass("q"), watch), noon.Add(10*time.Minute)); len(ids) != 1 {
		t.Errorf("got %v", ids)
	}
}

func TestARepeatedInvocationSearchesAgain(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	open(t, ledger.New(m, pass("p"), watch), noon)
	write(t, ledger.New(m, pass("p"), watch), intent(noon, "i-1"))
	p := pass("p")
	if ids, _ := open(t, ledger.New(m, p, watch), noon); len(ids) != 0 {
		t.Errorf("an ordinary invocation found %v", ids)
	}
	p.Repeated = true
	if ids, _ := open(t, ledger.New(m, p, watch), noon); len(ids) != 1 {
		t.Errorf("a repeated one found %v", ids)
	}
}

func TestAFailedSearchIsRepeated(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	m.err = errors.New("out of order")
	if _, errs := open(t, ledger.New(m, pass("p"), watch), noon); len(errs) != 1 {
		t.Errorf("got %v", errs)
	}
	m.err, m.lists = nil, 0
	if open(t, ledger.New(m, pass("p"), watch), noon); m.lists != 1 {
		t.Error("the next pass does not search")
	}
}

func TestAnOutcomeThatCouldNotBeStoredIsSearchedForLater(t *testing.T) {
	m := newMemory()
	watch := &ledger.Watch{}
	l := ledger.New(m, pass("p"), watch)
	open(t, l, noon)
	e := intent(noon, "i-1")
	write(t, l, e)
	m.err = errors.New("out of order")
	if l.Write(t.Context(), after(e, fleet.StageOutcome, fleet.Done)) == nil {
		t.Error("a store that is out of order took an outcome")
	}
	m.err = nil
	if ids, _ := open(t, ledger.New(m, pass("q"), watch), noon.Add(9*time.Minute)); len(ids) != 0 {
		t.Errorf("too early: %v", ids)
	}
	if ids, _ := open(t, ledger.New(m, pass("q"), watch), noon.Add(11*time.Minute)); len(ids) != 1 {
		t.Errorf("got %v", ids)
	}
}

// A pass without time or budget ends its search.
func TestTheNextPassSearchesTheRest(t *testing.T) {
	for name, prepare := range map[string]func(*testing.T, *memory){
		"one that can be read": func(t *testing.T, m *memory) {
			write(t, ledger.New(m, pass("theirs"), nil), intent(noon.Add(-40*time.Minute), "i-0"))
		},
		"one that cannot": func(t *testing.T, m *memory) {
			write(t, ledger.New(m, pass("theirs"), nil), intent(noon.Add(-40*time.Minute), "i-0"))
			for object := range m.objects {
				m.objects[object] = []byte("canary")
			}
		},
	} {
		m := newMemory()
		prepare(t, m)
		write(t, ledger.New(m, pass("theirs"), nil), intent(noon.Add(-30*time.Minute), "i-1"))
		watch := &ledger.Watch{}
		l := ledger.New(m, pass("p"), watch)
		for e, err := range l.Open(t.Context(), noon) {
			if err == nil {
				write(t, l, after(&e, fleet.StageSettled, fleet.Done))
			}
			break
		}
		if m.gets != 1 {
			t.Errorf("%s: %d objects were read", name, m.gets)
		}
		if ids, _ := settle(t, ledger.New(m, pass("q"), watch), noon.Add(time.Second)); !slices.Equal(ids, []string{"i-1"}) {
			t.Errorf("%s: the next pass finds %v", name, ids)
		}
		m.lists = 0
		if open(t, ledger.New(m, pass("q"), watch), noon.Add(time.Hour)); m.lists != 0 {
			t.Errorf("%s: it searches although all was searched", name)
		}
	}
}
