package ledger_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// aboutInstance selects entries that name an instance.
func aboutInstance(id string) func(fleet.Entry) bool {
	return func(e fleet.Entry) bool {
		return slices.ContainsFunc(e.Changes, func(c fleet.EntryChange) bool { return c.ID == id })
	}
}

// history is a ledger with batches of i-1 at noon, i-2 an hour later and so on, each with its
// outcome.
func history(t *testing.T, ids ...string) *memory {
	t.Helper()
	m := newMemory()
	for n, id := range ids {
		l := ledger.New(m, pass("p"), nil)
		e := intent(noon.Add(time.Duration(n)*time.Hour), id)
		write(t, l, e)
		write(t, l, after(e, fleet.StageOutcome, fleet.Done))
	}
	return m
}

func search(t *testing.T, m *memory, s ledger.Search) ledger.Found {
	t.Helper()
	s.Functions = []string{"attach-role", "push-agent"}
	found, err := ledger.Find(t.Context(), m, s)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestASearchFindsTheNewestFirstAndReadsOneObjectOfTheOthers(t *testing.T) {
	m := history(t, "i-1", "i-2", "i-1", "i-3")
	found := search(t, m, ledger.Search{Most: 10, About: aboutInstance("i-1")})
	if len(found.Batches) != 2 || !found.Batches[0].Intent.Time.After(found.Batches[1].Intent.Time) || found.Batches[0].Last == nil {
		t.Errorf("got %+v", found.Batches)
	}
	if found.Listed != 4 || found.Read != 4 || len(found.Unread) > 0 || m.gets != 4+2 {
		t.Errorf("%d listed, %d read, %v; %d objects", found.Listed, found.Read, found.Unread, m.gets)
	}
}

func TestASearchEndsAtItsMostAndSaysSinceWhenItRead(t *testing.T) {
	m := history(t, "i-1", "i-2", "i-3", "i-4")
	found := search(t, m, ledger.Search{Most: 2, About: aboutInstance("i-1")})
	if len(found.Batches) != 0 || found.Listed != 4 || found.Read != 2 || !found.Since.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("got %+v", found)
	}
	if found := search(t, m, ledger.Search{From: noon.Add(time.Hour), Most: 9, About: aboutInstance("i-1")}); len(found.Batches) != 0 || found.Listed != 3 {
		t.Errorf("since one: %+v", found)
	}
}

func TestALostObjectIsReportedAndItsNeighboursAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		harm    func(m *memory, names []string)
		batches int
		unread  string
	}{
		"an intent is gone": {func(m *memory, names []string) { delete(m.objects, names[0]) }, 2, "it is gone"},
		"an intent is cut":  {func(m *memory, names []string) { m.objects[names[0]] = []byte(`{"v":1`) }, 2, "not a JSON object"},
		"an end is cut":     {func(m *memory, names []string) { m.objects[names[1]] = nil }, 2, "not a JSON object"},
		"both are cut": {func(m *memory, names []string) {
			m.objects[names[0]], m.objects[names[1]] = nil, nil
		}, 1, "not a JSON object"},
	} {
		m := history(t, "i-1", "i-1")
		c.harm(m, slices.Sorted(maps.Keys(m.objects)))
		found := search(t, m, ledger.Search{Most: 9, About: aboutInstance("i-1")})
		for _, b := range found.Batches {
			if b.Lost != (b.Last == nil) {
				t.Errorf("%s: a batch that ended is open: %+v", name, b)
			}
		}
		if len(found.Batches) != c.batches || len(found.Unread) == 0 || !strings.Contains(found.Unread[0].Error(), c.unread) {
			t.Errorf("%s: %d batches, %v", name, len(found.Batches), found.Unread)
		}
	}
}

func TestALedgerThatCannotBeListedIsAnError(t *testing.T) {
	m := history(t, "i-1")
	m.err = errors.New("denied")
	_, err := ledger.Find(t.Context(), m, ledger.Search{Functions: []string{"attach-role"}, Most: 9, About: aboutInstance("i-1")})
	if err == nil || !strings.Contains(err.Error(), "listing the ledger of attach-role") {
		t.Error(err)
	}
}

func TestTheHoursChangesAreReadWithoutBeingCounted(t *testing.T) {
	m := newMemory()
	at := fleet.Scope{Account: "1", Region: "cn-hangzhou"}
	spent := func(now time.Time) (int, time.Time) {
		n, free, err := ledger.Spent(t.Context(), m, "attach-role", at, "instance-role", now)
		if err != nil {
			t.Fatal(err)
		}
		return n, free
	}
	if n, free := spent(noon); n != 0 || !free.IsZero() {
		t.Errorf("of none: %d, %v", n, free)
	}
	l := ledger.New(m, pass("p"), nil)
	for n := range 2 {
		if _, err := l.Allow(t.Context(), fleet.Allowance{Scope: at, Control: "instance-role", At: noon.Add(time.Duration(n) * time.Minute), N: 3}, 5); err != nil {
			t.Fatal(err)
		}
	}
	objects := len(m.objects)
	if n, free := spent(noon.Add(10 * time.Minute)); n != 5 || !free.Equal(noon.Add(time.Hour)) {
		t.Errorf("got %d, %v", n, free)
	}
	if n, free := spent(noon.Add(time.Hour)); n != 2 || !free.Equal(noon.Add(61*time.Minute)) {
		t.Errorf("an hour later: %d, %v", n, free)
	}
	if len(m.objects) != objects {
		t.Error("reading wrote an object")
	}
}
