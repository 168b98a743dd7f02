package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

func ask(at time.Time, n int) fleet.Allowance {
	return fleet.Allowance{Scope: fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}, Control: "instance-role", At: at, N: n}
}

func allow(t *testing.T, l *ledger.Ledger, a fleet.Allowance) fleet.Allowance {
	t.Helper()
	got, err := l.Allow(t.Context(), a, 100)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAnHourAllowsNoMoreThanItsMaximum(t *testing.T) {
	l := ledger.New(newMemory(), pass("p"), &ledger.Watch{})
	for _, c := range []struct {
		after   time.Duration
		n, want int
		free    time.Duration // after noon
	}{
		{0, 60, 60, 0},
		{30 * time.Minute, 60, 40, time.Hour},
		{59 * time.Minute, 5, 0, time.Hour},
		{time.Hour, 70, 60, 90 * time.Minute},
		{90*time.Minute - time.Second, 1, 0, 90 * time.Minute},
		{2 * time.Hour, 100, 100, 0},
	} {
		got := allow(t, l, ask(noon.Add(c.after), c.n))
		want := time.Time{}
		if c.free > 0 {
			want = noon.Add(c.free)
		}
		if got.N != c.want || !got.Free.Equal(want) {
			t.Errorf("after %s: %d of %d, free at %s; want %d, %s", c.after, got.N, c.n, got.Free, c.want, want)
		}
	}
}

func TestEachAccountRegionControlAndFunctionHasItsOwnHour(t *testing.T) {
	store := newMemory()
	l := ledger.New(store, pass("p"), &ledger.Watch{})
	allow(t, l, ask(noon, 100))
	others := []fleet.Allowance{ask(noon, 1), ask(noon, 1), ask(noon, 1)}
	others[0].Scope.Account = "1000000000000002"
	others[1].Scope.Region = "cn-shanghai"
	others[2].Control = "trusted-instance"
	for _, a := range others {
		if got := allow(t, l, a); got.N != 1 {
			t.Errorf("%s %s: %d", a.Scope, a.Control, got.N)
		}
	}
	other := ledger.New(store, ledger.Pass{Function: "backfill"}, &ledger.Watch{})
	if got := allow(t, other, ask(noon, 1)); got.N != 1 {
		t.Error("undoing waits for what it undoes")
	}
}

// The class: however many passes count at once, the sum is exact.
func TestConcurrentPassesShareTheMaximum(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	var wg sync.WaitGroup
	var mu sync.Mutex
	sum := 0
	for i := range 16 {
		wg.Go(func() {
			l := ledger.New(store, pass(fmt.Sprint(i)), &ledger.Watch{})
			got, err := l.Allow(t.Context(), ask(noon.Add(time.Duration(i)*time.Millisecond), 10), 100)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum += got.N
		})
	}
	wg.Wait()
	if sum != 100 {
		t.Errorf("16 passes that asked for 10 each were allowed %d, want 100", sum)
	}
}

func TestAnUnusedAllowanceIsReturnedOnce(t *testing.T) {
	l := ledger.New(newMemory(), pass("p"), &ledger.Watch{})
	first := allow(t, l, ask(noon, 50))
	second := allow(t, l, ask(noon.Add(time.Minute), 50))
	if err := l.Release(t.Context(), first, 20); err != nil {
		t.Fatal(err)
	}
	// More than there is of it takes nothing from another one.
	if err := l.Release(t.Context(), second, 70); err != nil {
		t.Fatal(err)
	}
	if got := allow(t, l, ask(noon.Add(2*time.Minute), 100)); got.N != 70 {
		t.Errorf("%d are free, want 70", got.N)
	}
}

// The class: a write whose answer was lost counts once, whatever it was for.
func TestACountWhoseAnswerWasLostCountsOnce(t *testing.T) {
	store := &deaf{memory: newMemory()}
	l := ledger.New(store, pass("p"), &ledger.Watch{})
	// Another pass is allowed some in the same second.
	other := allow(t, l, ask(noon, 10))
	store.lose = true
	a := allow(t, l, ask(noon, 60))
	if a.N != 60 {
		t.Errorf("%d allowed, want 60", a.N)
	}
	store.lose = true
	if err := l.Release(t.Context(), a, 20); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as often as it is asked for
		if err := l.Release(t.Context(), other, 5); err != nil {
			t.Fatal(err)
		}
	}
	if got := allow(t, l, ask(noon.Add(time.Second), 100)); got.N != 100-40-5 {
		t.Errorf("%d are free, want 55", got.N)
	}
}

// deaf stores the next object, and says that there was one before.
type deaf struct {
	*memory
	lose bool
}

func (d *deaf) Put(ctx context.Context, name string, body []byte) error {
	err := d.memory.Put(ctx, name, body)
	if d.lose && err == nil {
		d.lose = false
		return exists{errors.New("there is one")}
	}
	return err
}

// A bucket keeps the counts of years.
func TestTheEndOfALongChainIsFoundWithoutListingAllOfIt(t *testing.T) {
	const prefix = "attach-role/~hour/1000000000000001.cn-hangzhou.instance-role/"
	for _, c := range []struct{ first, last, lists int }{
		{1, 0, 1}, {1, 1, 1}, {1, 1000, 1}, {1, 1001, 3}, {1, 1999, 3}, {1, 2000, 3}, {1, 2001, 3}, {1, 12_345, 8}, {990_001, 1_000_000, 7}, {1, 300_000, 20},
	} {
		store := &long{prefix: prefix, first: c.first, last: c.last, memory: newMemory()}
		l := ledger.New(store, pass("p"), &ledger.Watch{})
		if got := allow(t, l, ask(noon, 1)); got.N != 1 {
			t.Errorf("%d to %d: %d allowed", c.first, c.last, got.N)
		}
		if _, ok := store.objects[fmt.Sprintf("%s%09d.json", prefix, c.last+1)]; !ok || store.lists > c.lists {
			t.Errorf("%d to %d: %d listings, want %d; made %v", c.first, c.last, store.lists, c.lists, slices.Collect(maps.Keys(store.objects)))
		}
	}
}

// long is a store of a chain with pages of a thousand names.
type long struct {
	*memory
	prefix      string
	first, last int
}

func (s *long) name(n int) string { return fmt.Sprintf("%s%09d.json", s.prefix, n) }

func (s *long) Get(context.Context, string) ([]byte, error) { return []byte(`{"v":1,"uses":[]}`), nil }

func (s *long) List(_ context.Context, _, after string) (names []string, more bool, err error) {
	s.lists++
	n := max(s.first, 1+sort.Search(s.last, func(i int) bool { return s.name(i+1) > after }))
	for ; n <= s.last; n++ {
		if len(names) == 1000 {
			return names, true, nil
		}
		names = append(names, s.name(n))
	}
	return names, false, nil
}

func TestAnUnreadableCountAllowsNoChange(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON": "}", "newer": `{"v":2,"uses":[]}`, "without a version": `{}`,
		"less than nothing": `{"v":1,"uses":[{"at":"2026-01-05T12:00:00Z","n":-500}]}`, "without a time": `{"v":1,"uses":[{"n":1}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			store.objects["attach-role/~hour/1000000000000001.cn-hangzhou.instance-role/000000007.json"] = []byte(body)
			l := ledger.New(store, pass("p"), &ledger.Watch{})
			got, err := l.Allow(t.Context(), ask(noon, 1), 100)
			if got.N != 0 || !errors.As(err, new(*fleet.BadInput)) || body != "}" && strings.Contains(err.Error(), body) {
				t.Errorf("%d allowed, error %v", got.N, err)
			}
		})
	}
	store := newMemory()
	store.err = errors.New("no store")
	if got, err := ledger.New(store, pass("p"), &ledger.Watch{}).Allow(t.Context(), ask(noon, 1), 100); got.N != 0 || !errors.Is(err, store.err) {
		t.Errorf("%d allowed, error %v", got.N, err)
	}
}

// full is a store in which another pass always writes first.
type full struct{ *memory }

func (full) List(context.Context, string, string) ([]string, bool, error) { return nil, false, nil }

func TestAPassThatOthersAlwaysOvertakeTriesLater(t *testing.T) {
	store := newMemory()
	store.objects["attach-role/~hour/1000000000000001.cn-hangzhou.instance-role/000000001.json"] = []byte(`{"v":1,"uses":[]}`)
	got, err := ledger.New(full{store}, pass("p"), &ledger.Watch{}).Allow(t.Context(), ask(noon, 1), 100)
	if got.N != 0 || !fleet.ClassOf(err).Passing() {
		t.Errorf("%d allowed, error %v", got.N, err)
	}
}

// Listings of batches are as if there were no counts, and make no call for them.
func TestListingsOfBatchesSkipCounts(t *testing.T) {
	store := newMemory()
	l := ledger.New(store, pass("p"), &ledger.Watch{})
	write(t, l, intent(noon, "i-1"))
	looks := func() (out []string, lists int) {
		store.lists = 0
		ids, errs := open(t, ledger.New(store, pass("p"), &ledger.Watch{}), noon.Add(time.Hour))
		out = append(out, fmt.Sprint(ids, errs))
		for a, err := range ledger.Batches(t.Context(), store, ledger.Query{Function: "attach-role"}) {
			out = append(out, fmt.Sprint(a.Intent.Name, err))
		}
		for r, err := range ledger.Runs(t.Context(), store, ledger.RunQuery{Functions: []string{"attach-role"}, Count: true}) {
			out = append(out, fmt.Sprint(r, err))
		}
		return out, store.lists
	}
	before, lists := looks()
	for i := range 20 {
		allow(t, l, ask(noon.Add(time.Duration(i)*time.Second), 1))
	}
	after, listsAfter := looks()
	if diff := cmp.Diff(before, after); diff != "" || listsAfter > lists+3 {
		t.Errorf("%d listings instead of %d; %s", listsAfter, lists, diff)
	}
}
