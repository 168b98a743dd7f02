package ledger_test

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// batch is one batch as a test writes it.
type batch struct {
	function string
	at       time.Time
	runs     []string
	state    fleet.State // "" leaves it open
}

func (m *memory) record(t *testing.T, bs ...batch) {
	t.Helper()
	for _, b := range bs {
		l := ledger.New(m, ledger.Pass{Function: b.function, Request: "req-1", Payload: []byte("p")}, nil)
		e := intent(b.at, make([]string, len(b.runs))...)
		for i, run := range b.runs {
			e.Changes[i].Run = run
		}
		write(t, l, e)
		if b.state != "" {
			write(t, l, after(e, fleet.StageOutcome, b.state))
		}
	}
}

func runs(t *testing.T, m *memory, q ledger.RunQuery) (out []ledger.Run, errs []error) {
	t.Helper()
	for r, err := range ledger.Runs(t.Context(), m, q) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, r)
	}
	return out, errs
}

var both = []string{"attach-role", "push-agent"}

func TestRunsOfAllFunctionsAndDaysAreNewestFirst(t *testing.T) {
	m := newMemory()
	day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
	m.record(t,
		batch{"attach-role", day(0), []string{"old"}, fleet.Done},
		batch{"attach-role", day(1), []string{"long"}, fleet.Done},
		batch{"push-agent", day(3), []string{"long", "new"}, fleet.Failed}, // several in one batch
		batch{"push-agent", day(3).Add(time.Second), []string{"new"}, ""},
		batch{"setup-share-role", day(3), []string{"not asked for"}, fleet.Done},
	)
	got, errs := runs(t, m, ledger.RunQuery{Functions: both})
	want := []ledger.Run{
		{ID: "new", Functions: []string{"push-agent"}, First: day(3), Last: day(3).Add(time.Second), Batches: 2, Open: 1},
		{ID: "long", Functions: both, First: day(1), Last: day(3), Batches: 2},
		{ID: "old", Functions: []string{"attach-role"}, First: day(0), Last: day(0), Batches: 1},
	}
	if diff := gocmp.Diff(want, got); diff != "" || len(errs) != 0 {
		t.Errorf("%v %s", errs, diff)
	}
	if m.gets != 1 {
		t.Errorf("%d objects were read, want the one of several runs", m.gets)
	}
}

func TestChangesAreCountedByStateOnlyWhereAsked(t *testing.T) {
	m := newMemory()
	m.record(t, batch{"attach-role", noon, []string{"a", "a", "b"}, fleet.Done}, batch{"attach-role", noon.Add(time.Second), []string{"a"}, ""})
	got, errs := runs(t, m, ledger.RunQuery{Functions: both, Count: true})
	if len(errs) != 0 || len(got) != 2 {
		t.Fatalf("got %+v, %v", got, errs)
	}
	if diff := gocmp.Diff(map[fleet.State]int{fleet.Done: 2, "": 1}, got[0].States); diff != "" {
		t.Error(diff)
	}
	if diff := gocmp.Diff(map[fleet.State]int{fleet.Done: 1}, got[1].States); diff != "" {
		t.Error(diff)
	}
	if got, _ := runs(t, m, ledger.RunQuery{Functions: both}); got[0].States != nil {
		t.Errorf("counted without being asked: %+v", got)
	}
}

func TestRunsAreSelectedByTheTimesOfTheirBatches(t *testing.T) {
	m := newMemory()
	for n, id := range []string{"a", "b", "c"} {
		m.record(t, batch{"attach-role", noon.AddDate(0, 0, n), []string{id}, fleet.Done})
	}
	for want, q := range map[string]ledger.RunQuery{
		"c b a": {}, "c b": {From: noon.AddDate(0, 0, 1)}, "b": {From: noon.AddDate(0, 0, 1), To: noon.AddDate(0, 0, 2)},
		"c": {From: noon.AddDate(0, 0, 1).Add(time.Second)}, "": {To: noon}, "a": {To: noon.Add(time.Second)},
	} {
		q.Functions = both
		got, errs := runs(t, m, q)
		var ids []string
		for _, r := range got {
			ids = append(ids, r.ID)
		}
		if strings.Join(ids, " ") != want || len(errs) != 0 {
			t.Errorf("%v to %v: got %v, %v, want %s", q.From, q.To, ids, errs, want)
		}
	}
}

func TestARunWithALongPauseHasTwoRows(t *testing.T) {
	for rest, rows := range map[time.Duration]int{ledger.Apart - 48*time.Hour: 1, ledger.Apart + 72*time.Hour: 2} {
		m := newMemory()
		m.record(t, batch{"attach-role", noon, []string{"a"}, fleet.Done}, batch{"attach-role", noon.Add(rest), []string{"a"}, fleet.Done})
		if got, errs := runs(t, m, ledger.RunQuery{Functions: both}); len(got) != rows || len(errs) != 0 {
			t.Errorf("after %s: got %+v, %v", rest, got, errs)
		}
	}
}

func TestAnUnreadableObjectIsReportedAndTheOthersAreCounted(t *testing.T) {
	m := newMemory()
	m.record(t, batch{"attach-role", noon, []string{"good"}, fleet.Done})
	dir := "attach-role/2026-01-05/"
	m.objects[dir+"120001.+.q.p.bad.intent.json"] = []byte("canary")
	m.objects[dir+"120002.named.q.p.newer.intent.json"] = []byte(`{"v":99}`)
	m.objects[dir+"120003.gone.q.p.x.outcome.json"] = []byte(`{"v":99}`)
	got, errs := runs(t, m, ledger.RunQuery{Functions: both})
	if len(got) != 3 || len(errs) != 1 || !strings.Contains(errs[0].Error(), "bad.intent.json") {
		t.Errorf("from names: got %+v, %v", got, errs)
	}
	got, errs = runs(t, m, ledger.RunQuery{Functions: both, Count: true})
	newer := slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, ledger.ErrNewer) })
	if len(got) != 3 || len(errs) != 3 || !newer || got[1].ID != "named" || len(got[1].States) != 0 {
		t.Errorf("with counts: got %+v, %v", got, errs)
	}
	for a, err := range ledger.Batches(t.Context(), m, ledger.Query{Function: "attach-role", Run: "gone"}) {
		var bad *fleet.BadInput
		if !errors.As(err, &bad) {
			t.Errorf("an end without its intent: got %+v, %v", a, err)
		}
	}
	m.err = errors.New("the store is gone")
	if got, errs := runs(t, m, ledger.RunQuery{Functions: both}); len(got) != 0 || len(errs) != 1 || !errors.Is(errs[0], m.err) {
		t.Errorf("got %+v, %v", got, errs)
	}
}

func TestAcrossYieldsOneRunOfAllFunctionsByTime(t *testing.T) {
	m := newMemory()
	at := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }
	m.record(t,
		batch{"push-agent", at(1), []string{"a"}, fleet.Done},
		batch{"attach-role", at(0), []string{"a"}, fleet.Done},
		batch{"attach-role", at(2), []string{"b"}, fleet.Done},
		batch{"attach-role", at(4), []string{"b", "a"}, ""},
		batch{"push-agent", at(3), []string{"b", "c"}, fleet.Done},
		batch{"push-agent", at(5), []string{"a"}, fleet.Done},
	)
	m.objects["attach-role/2026-01-05/120003.a.q.p.bad.intent.json"] = []byte(`{"v":99}`)
	var got []string
	for a, err := range ledger.Across(t.Context(), m, both, ledger.Query{Run: "a"}) {
		if err != nil {
			got = append(got, "error")
			if !errors.Is(err, ledger.ErrNewer) {
				t.Error(err)
			}
			continue
		}
		got = append(got, a.Intent.Function+a.Intent.Time.Format(" 05"))
	}
	want := []string{"attach-role 00", "push-agent 01", "error", "attach-role 04", "push-agent 05"}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m.err = errors.New("the store is gone")
	for _, err := range ledger.Across(t.Context(), m, both, ledger.Query{Run: "a"}) {
		if !errors.Is(err, m.err) {
			t.Errorf("got %v", err)
		}
	}
}

// However batches fall, the rows agree with the batches, and come newest first.
func TestRowsAgreeWithTheBatches(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMemory()
		want := map[string]int{}
		for range rapid.IntRange(0, 12).Draw(rt, "batches") {
			b := batch{
				function: rapid.SampledFrom(both).Draw(rt, "function"),
				at:       noon.Add(time.Duration(rapid.IntRange(0, 6*24).Draw(rt, "hours")) * time.Hour),
				runs:     rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3, rapid.ID).Draw(rt, "runs"),
				state:    rapid.SampledFrom([]fleet.State{"", fleet.Done}).Draw(rt, "state"),
			}
			m.record(t, b)
			for _, id := range b.runs {
				want[id]++
			}
		}
		rows, errs := runs(t, m, ledger.RunQuery{Functions: both})
		got := map[string]int{}
		for _, r := range rows {
			got[r.ID] += r.Batches
		}
		if len(errs) != 0 || len(rows) != len(want) || !maps.Equal(want, got) {
			rt.Errorf("got %+v, %v, want %v", rows, errs, want)
		}
		if !slices.IsSortedFunc(rows, func(a, b ledger.Run) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.ID, b.ID)) }) {
			rt.Errorf("out of order: %+v", rows)
		}
	})
}
