package memory_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/memory"
)

var (
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	here = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}
)

func run(at time.Time) string { return "sweep-" + at.Format("20060102T150405Z") + "-abcdef" }

// store is in memory; a page of it has three names.
type store struct {
	objects map[string][]byte
	err     error
	calls   int
}

type failure fleet.Class

func (f failure) Error() string      { return fleet.Class(f).String() }
func (f failure) Class() fleet.Class { return fleet.Class(f) }

func (s *store) Put(_ context.Context, name string, body []byte) error {
	s.calls++
	if _, ok := s.objects[name]; ok {
		return failure(fleet.Exists)
	}
	s.objects[name] = slices.Clone(body)
	return s.err
}

func (s *store) Get(_ context.Context, name string) ([]byte, error) {
	s.calls++
	body, ok := s.objects[name]
	if !ok {
		return nil, failure(fleet.NotFound)
	}
	return body, s.err
}

func (s *store) List(_ context.Context, prefix, after string) (page []string, more bool, err error) {
	s.calls++
	for _, name := range slices.Sorted(maps.Keys(s.objects)) {
		if strings.HasPrefix(name, prefix) && name > after {
			page = append(page, name)
		}
	}
	return page[:min(3, len(page))], len(page) > 3, s.err
}

func empty() *store { return &store{objects: map[string][]byte{}} }

// leave has a sweep at a time leave a memory of entries, sorted or not.
func (s *store) leave(t testing.TB, at time.Time, past *memory.Past, entries ...memory.Entry) int {
	t.Helper()
	var sorter memory.Sorter
	defer sorter.Close()
	for _, e := range entries {
		if err := sorter.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	of := memory.Of{Scope: here, Run: run(at), At: at}
	if past != nil {
		of.Past = past.Run
	}
	n, err := memory.Write(t.Context(), s, of, &sorter, past)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func entry(id, rule string, first time.Time) memory.Entry {
	return memory.Entry{ID: id, Rule: rule, First: first}
}

func (s *store) past(t testing.TB, at time.Time) *memory.Past {
	t.Helper()
	p, err := memory.Newest(t.Context(), s, here, run(at), at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func (s *store) owner(now time.Time) memory.Reader {
	return memory.Reader{Store: s, Now: func() time.Time { return now }}
}

func TestAnOwnerReadsTheNewestMemoryInTwoCalls(t *testing.T) {
	s := empty()
	s.leave(t, noon.Add(-24*time.Hour), nil, entry("i-1", "vpc", noon.Add(-48*time.Hour)), entry("i-gone", "vpc", noon.Add(-48*time.Hour)))
	s.leave(t, noon, nil, entry("i-2", "image", noon), entry("i-1", "vpc", noon.Add(-48*time.Hour)), entry("i-1", "image", noon.Add(-24*time.Hour)))
	s.calls = 0
	got, err := s.owner(noon.Add(time.Hour)).Found(t.Context(), here, []string{"i-2", "i-1", "i-gone", "i-never"})
	want := map[string]map[string]time.Time{
		"i-1": {"vpc": noon.Add(-48 * time.Hour), "image": noon.Add(-24 * time.Hour)}, "i-2": {"image": noon},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || s.calls != 2 {
		t.Errorf("%d calls, %v, %s", s.calls, err, diff)
	}
}

// An owner decides by no memory that is not whole, fresh and of its shard.
func TestAMemoryThatIsLostOldTruncatedOrOfAnotherShardIsEmpty(t *testing.T) {
	for name, spoil := range map[string]func(s *store, names []string) fleet.Scope{
		"none":    func(s *store, _ []string) fleet.Scope { clear(s.objects); return here },
		"too old": func(*store, []string) fleet.Scope { return here },
		"its last object lost": func(s *store, names []string) fleet.Scope {
			delete(s.objects, names[len(names)-1])
			return here
		},
		"cut": func(s *store, names []string) fleet.Scope {
			s.objects[names[0]] = s.objects[names[0]][:len(s.objects[names[0]])/2]
			return here
		},
		"empty": func(s *store, names []string) fleet.Scope { s.objects[names[0]] = nil; return here },
		"of a newer program": func(s *store, names []string) fleet.Scope {
			s.objects[names[0]] = []byte(strings.Replace(string(s.objects[names[0]]), `"v":1`, `"v":2`, 1))
			return here
		},
		"of another shard": func(s *store, names []string) fleet.Scope {
			other := fleet.Scope{Account: "1000000000000002", Region: "cn-hangzhou"}
			s.objects[strings.Replace(names[0], string(here.Account), string(other.Account), 1)] = s.objects[names[0]]
			return other
		},
		"of an older sweep, under a newer name": func(s *store, names []string) fleet.Scope {
			s.objects[strings.Replace(names[0], run(noon), run(noon.Add(time.Minute)), 1)] = s.objects[names[0]]
			return here
		},
		"of times to come": func(s *store, names []string) fleet.Scope {
			s.objects[names[0]] = []byte(strings.Replace(string(s.objects[names[0]]), `"at":"2026`, `"at":"2027`, 1))
			return here
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := empty()
			s.leave(t, noon, nil, entry("i-1", "vpc", noon.Add(-48*time.Hour)))
			scope, now := spoil(s, slices.Sorted(maps.Keys(s.objects))), noon.Add(time.Hour)
			if name == "too old" {
				now = noon.Add(21 * time.Hour)
			}
			absent := name == "none" || name == "too old" || name == "its last object lost"
			if got, err := s.owner(now).Found(t.Context(), scope, []string{"i-1"}); (err == nil) != absent || got != nil || fleet.ClassOf(err).Passing() {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestAnOwnerWithoutALedgerHasNoMemory(t *testing.T) {
	if got, err := (memory.Reader{}).Found(t.Context(), here, []string{"i-1"}); err == nil || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAFailureOfTheStoreIsTheStores(t *testing.T) {
	s := empty()
	s.leave(t, noon, nil, entry("i-1", "vpc", noon))
	s.err = failure(fleet.Throttled)
	_, err := s.owner(noon).Found(t.Context(), here, []string{"i-1"})
	_, nerr := memory.Newest(t.Context(), s, here, run(noon.Add(time.Hour)), noon.Add(time.Hour))
	_, lerr := memory.Load(t.Context(), s, here, run(noon))
	_, werr := memory.Write(t.Context(), s, memory.Of{Scope: here, Run: run(noon), Past: "x"}, &memory.Sorter{}, nil)
	for _, err := range []error{err, nerr, lerr, werr} {
		if fleet.ClassOf(err) != fleet.Throttled {
			t.Errorf("got %v", err)
		}
	}
}

func TestASweepContinuesTheNewestMemoryAndLoadsTheOneThatItsPartsName(t *testing.T) {
	s := empty()
	if p := s.past(t, noon); p.Run != "" {
		t.Errorf("got %q", p.Run)
	}
	s.leave(t, noon.AddDate(0, 0, -9), nil, entry("i-1", "vpc", noon.AddDate(0, 0, -9)))
	if p := s.past(t, noon); p.Run != "" {
		t.Errorf("carried on from %q, nine days ago", p.Run)
	}
	// A night was missed.
	s.leave(t, noon.AddDate(0, 0, -2), nil, entry("i-1", "vpc", noon.AddDate(0, 0, -3)))
	p := s.past(t, noon)
	found, err := p.Found("i-1")
	if diff := cmp.Diff(map[string]time.Time{"vpc": noon.AddDate(0, 0, -3)}, found); err != nil || diff != "" || p.Run != run(noon.AddDate(0, 0, -2)) {
		t.Errorf("%q, %v, %s", p.Run, err, diff)
	}
	s.leave(t, noon, nil, entry("i-1", "vpc", noon))
	plan, err := memory.Newest(t.Context(), s, here, "look-20261120T130000Z-abcdef", noon.Add(time.Hour))
	if err != nil || plan.Run != run(noon) {
		t.Errorf("a plan reads %+v, %v", plan, err)
	}
	plan.Close()
	if p := s.past(t, noon); p.Run != run(noon.AddDate(0, 0, -2)) {
		t.Errorf("the sweep carries on from itself: %q", p.Run)
	}
	if _, err := memory.Load(t.Context(), s, here, run(noon.AddDate(0, 0, -1))); fleet.ClassOf(err) != fleet.NotFound {
		t.Errorf("got %v", err)
	}
}

// A memory of any size, found in any order, with instances that come twice, is what a map
// would hold.
func TestAMemoryHasFoundEntriesAndThoseOfUnseenInstances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gen := rapid.SliceOf(rapid.Custom(func(t *rapid.T) memory.Entry {
			e := memory.Entry{ID: fmt.Sprintf("i-%d", rapid.IntRange(0, 30).Draw(t, "id")), Rule: rapid.SampledFrom([]string{"image", "vpc"}).Draw(t, "rule")}
			if h := rapid.IntRange(0, 5).Draw(t, "first"); h > 0 {
				e.First = noon.Add(-time.Duration(h) * time.Hour)
			}
			return e
		}))
		old, now, partly := gen.Draw(t, "old"), gen.Draw(t, "now"), rapid.Bool().Draw(t, "partly")
		merged := func(entries []memory.Entry) map[memory.Entry]time.Time {
			out := map[memory.Entry]time.Time{}
			for _, e := range entries {
				k := memory.Entry{ID: e.ID, Rule: e.Rule}
				if first, ok := out[k]; !ok || e.First.Before(first) {
					out[k] = e.First
				}
			}
			return out
		}
		want := merged(now)
		for k, first := range merged(old) {
			if _, ok := want[k]; !ok && partly {
				want[k] = first
			}
		}
		s := empty()
		leave := func(at time.Time, past *memory.Past, entries []memory.Entry) {
			var sorter memory.Sorter
			defer sorter.Close()
			for _, e := range entries {
				if err := sorter.Add(e); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := memory.Write(context.Background(), s, memory.Of{Scope: here, Run: run(at), At: at, Past: "x"}, &sorter, past); err != nil {
				t.Fatal(err)
			}
		}
		leave(noon.AddDate(0, 0, -1), nil, old)
		var past *memory.Past
		if partly {
			var err error
			if past, err = memory.Newest(context.Background(), s, here, run(noon), noon); err != nil {
				t.Fatal(err)
			}
			defer past.Close()
		}
		leave(noon, past, now)
		left, err := memory.Load(context.Background(), s, here, run(noon))
		if err != nil {
			t.Fatal(err)
		}
		defer left.Close()
		got := map[memory.Entry]time.Time{}
		for e, err := range left.All() {
			if err != nil {
				t.Fatal(err)
			}
			got[memory.Entry{ID: e.ID, Rule: e.Rule}] = e.First
		}
		maps.DeleteFunc(want, func(_ memory.Entry, first time.Time) bool { return first.IsZero() })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		for id := range 31 {
			found, err := left.Found(fmt.Sprintf("i-%d", id))
			if err != nil {
				t.Fatal(err)
			}
			for _, rule := range []string{"image", "vpc"} {
				if first := want[memory.Entry{ID: fmt.Sprintf("i-%d", id), Rule: rule}]; !first.Equal(found[rule]) {
					t.Fatalf("%s of i-%d: %s, want %s", rule, id, found[rule], first)
				}
			}
		}
	})
}

// A memory is repeated by a pass that follows one that died; another one is not mixed in.
func TestAMemoryIsWrittenOnceAndNotMixed(t *testing.T) {
	s := empty()
	many := make([]memory.Entry, 25_000)
	for i := range many {
		many[i] = entry(fmt.Sprintf("i-%05d", i*7%25_000), "vpc", noon)
	}
	if n := s.leave(t, noon, nil, many...); n != 3 {
		t.Fatalf("%d objects", n)
	}
	names := slices.Sorted(maps.Keys(s.objects))
	delete(s.objects, names[2])
	if got, err := s.owner(noon).Found(t.Context(), here, []string{"i-00001"}); err != nil || got != nil {
		t.Error("a memory without its end was read")
	}
	slices.Reverse(many)
	if n := s.leave(t, noon, nil, many...); n != 3 || len(s.objects) != 3 {
		t.Errorf("%d objects, %d in the store", n, len(s.objects))
	}
	got, err := s.owner(noon).Found(t.Context(), here, []string{"i-00001", "i-09999", "i-10000", "i-24999", "i-99999"})
	if err != nil || len(got) != 4 {
		t.Errorf("got %v, %v", got, err)
	}
	var other memory.Sorter
	defer other.Close()
	if err := errors.Join(other.Add(entry("i-00000", "image", noon)), other.Add(entry("../x", "vpc", noon))); err != nil {
		t.Fatal(err)
	}
	_, err = memory.Write(t.Context(), s, memory.Of{Scope: here, Run: run(noon), At: noon}, &other, nil)
	if err != nil && fleet.ClassOf(err) != fleet.Exists || err == nil && len(s.objects) != 4 {
		t.Errorf("got %v", err)
	}
	// Now there are two ends.
	if got, err := s.owner(noon).Found(t.Context(), here, []string{"i-00001"}); err != nil || got != nil {
		t.Errorf("a memory of two passes was read: %v", got)
	}
}

// A folder with any extra object is no memory, and the previous one is read.
func TestAMemoryWithAnExtraObjectIsIgnored(t *testing.T) {
	for _, extra := range []string{"000002.i-2.last.json", "000002.i-2.json", "000001.i-0.json", "000001.i-2.last.json"} {
		s := empty()
		s.leave(t, noon, nil, entry("i-1", "vpc", noon))
		s.leave(t, noon.Add(time.Hour), nil, entry("i-1", "vpc", noon.Add(time.Hour)))
		s.objects["memory/"+string(here.Account)+"/"+string(here.Region)+"/"+run(noon.Add(time.Hour))+"/"+extra] = []byte("{}")
		got, err := s.owner(noon.Add(2*time.Hour)).Found(t.Context(), here, []string{"i-1"})
		if err != nil || !got["i-1"]["vpc"].Equal(noon) {
			t.Errorf("%s: got %v, %v", extra, got, err)
		}
	}
}

// Nothing to remember and nothing to forget leaves nothing.
func TestACleanShardLeavesNoMemory(t *testing.T) {
	s := empty()
	if n := s.leave(t, noon, nil); n != 0 || len(s.objects) != 0 {
		t.Errorf("%d objects", n)
	}
	past := &memory.Past{Run: run(noon.AddDate(0, 0, -1))}
	if n := s.leave(t, noon, past); n != 1 || len(s.objects) != 1 {
		t.Errorf("%d objects", n)
	}
	if got, err := s.owner(noon).Found(t.Context(), here, []string{"i-1"}); err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

// Thirty times as many entries take no more memory, but for the marks of a past. The
// benchmark does the same with a million.
func TestTheHeapDoesNotGrowWithTheFleet(t *testing.T) {
	small, large := heapOf(t, 10_000), heapOf(t, 300_000)
	t.Logf("10,000 entries: %.1f MiB, 300,000: %.1f MiB", small, large)
	if large > small+3 {
		t.Errorf("the heap grows from %.1f to %.1f MiB", small, large)
	}
}

func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(heapOf(b, 1_000_000), "MiB")
	}
}

// heapOf is the largest heap, in MiB, while a night of n entries is sorted, written, loaded
// by the next one and asked.
func heapOf(t testing.TB, n int) (peak float64) {
	t.Helper()
	s := &disk{store: empty(), dir: t.TempDir()}
	s.measure = func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		peak = max(peak, float64(m.HeapAlloc)/(1<<20))
	}
	id := func(i int) string { return fmt.Sprintf("i-bp1%018d", uint64(i)*2654435761%1_000_000_007) }
	var sorter memory.Sorter
	defer sorter.Close()
	for i := range n {
		if err := sorter.Add(entry(id(i), "system-disk", noon)); err != nil {
			t.Fatal(err)
		}
	}
	s.measure()
	if _, err := memory.Write(t.Context(), s, memory.Of{Scope: here, Run: run(noon), At: noon}, &sorter, nil); err != nil {
		t.Fatal(err)
	}
	p, err := memory.Load(t.Context(), s, here, run(noon))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := 0; i < n; i += n / 100 {
		if found, err := p.Found(id(i)); err != nil || !found["system-disk"].Equal(noon) {
			t.Fatalf("%s: %v, %v", id(i), found, err)
		}
	}
	s.measure()
	return peak
}
