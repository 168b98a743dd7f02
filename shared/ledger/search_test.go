package ledger_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
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
	if s.To.IsZero() {
		s.To = noon.Add(24 * time.Hour)
	}
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
	if len(found.Batches) != 0 || found.Listed != 3 || found.Read != 2 || found.Late || !found.Since.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("got %+v", found)
	}
	if found := search(t, m, ledger.Search{From: noon.Add(time.Hour), Most: 9, About: aboutInstance("i-1")}); len(found.Batches) != 0 || found.Listed != 3 {
		t.Errorf("since one: %+v", found)
	}
}

// crowd is a ledger with a batch each second, up to noon, in pages as those of OSS.
func crowd(t *testing.T, n int) *memory {
	t.Helper()
	m := newMemory()
	m.page = 1000
	for i := range n {
		l := ledger.New(m, pass("p"), nil)
		e := intent(noon.Add(-time.Duration(n-i)*time.Second), "i-"+strconv.Itoa(i))
		write(t, l, e)
		write(t, l, after(e, fleet.StageOutcome, fleet.Done))
	}
	return m
}

// However many batches there are, the cost is that of what is read, and all are found where all
// may be read.
func TestASearchListsNoMoreThanItReads(t *testing.T) {
	const many = 20_000
	m := crowd(t, many)
	found := search(t, m, ledger.Search{From: noon.Add(-24 * time.Hour), To: noon.Add(time.Hour), Most: 100, About: aboutInstance("i-19950")})
	if len(found.Batches) != 1 || found.Read != 100 || found.Listed != 101 || !found.Since.Equal(noon.Add(-100*time.Second)) {
		t.Errorf("%d batches, %d of %d read, since %v", len(found.Batches), found.Read, found.Listed, found.Since)
	}
	if m.lists > 12 || m.gets > 101 {
		t.Errorf("%d listings, %d objects", m.lists, m.gets)
	}
	m.lists = 0
	found = search(t, m, ledger.Search{To: noon.Add(time.Hour), Most: many + 1, About: aboutInstance("i-0")})
	if len(found.Batches) != 1 || found.Read != many || found.Listed != many || !found.Since.IsZero() {
		t.Errorf("%d batches, %d of %d read, since %v", len(found.Batches), found.Read, found.Listed, found.Since)
	}
	if m.lists > 400 { // a minute is a page
		t.Errorf("%d listings of all", m.lists)
	}
}

// Batches of one second, and objects of other forms before all days, are read to their end.
func TestASearchFindsAllOfAMomentAndBehindOtherObjects(t *testing.T) {
	m := newMemory() // pages of two names
	for i := range 30 {
		e := intent(noon, "i-"+strconv.Itoa(i))
		write(t, ledger.New(m, pass("p"+strconv.Itoa(i)), nil), e)
		m.objects[fmt.Sprintf("attach-role/0odd-%02d", i)] = nil
	}
	if found := search(t, m, ledger.Search{Most: 99, About: aboutInstance("i-7")}); len(found.Batches) != 1 || found.Read != 30 || found.Listed != 30 {
		t.Errorf("%+v", found)
	}
}

// When the time is up, what was read until then counts, and that it is not all is said.
func TestASearchThatIsLateSaysWhatItRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := crowd(t, 1000)
		m.lag = 100 * time.Millisecond
		began := time.Now()
		found := search(t, m, ledger.Search{From: noon.Add(-24 * time.Hour), To: noon.Add(time.Hour), Most: 5000, Within: 5 * time.Second, About: aboutInstance("i-990")})
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
		if !found.Late || len(found.Batches) != 1 || found.Read < 100 || found.Read >= 1000 || found.Listed <= found.Read || len(found.Unread) > 0 || !found.Since.After(noon.Add(-1000*time.Second)) {
			t.Errorf("%d batches, %d of %d read, since %v, %v", len(found.Batches), found.Read, found.Listed, found.Since, found.Unread)
		}
	})
}

// One function's listing that fails is an error, also where others have enough.
func TestAListingThatFailsIsNotLostAmongTheOthers(t *testing.T) {
	m := crowd(t, 20)
	m.refused = "push-agent/"
	_, err := ledger.Find(t.Context(), m, ledger.Search{Functions: []string{"attach-role", "push-agent"}, To: noon, Most: 3, About: aboutInstance("i-1")})
	if err == nil || !strings.Contains(err.Error(), "listing the ledger of push-agent") {
		t.Error(err)
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
	_, err := ledger.Find(t.Context(), m, ledger.Search{Functions: []string{"attach-role"}, To: noon, Most: 9, About: aboutInstance("i-1")})
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
