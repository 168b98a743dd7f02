package sweep_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/operate/sweep"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/report"
)

// A pass holds one part and one page, however many things have drifted.
func TestAPartIsWrittenBeforeItGrowsLarge(t *testing.T) {
	c := newCloud()
	c.budget = 10_000
	for i := range 2000 {
		c.fleets[hangzhou] = append(c.fleets[hangzhou], fmt.Sprintf("h%dx", 100+i))
	}
	run := c.begin(t, fine)
	c.inbox = slicesOf(c.inbox, hangzhou)
	if _, err := c.deliver(t, fine); err != nil {
		t.Fatal(err)
	}
	parts, least := 0, 0
	for name, body := range c.objects {
		if !strings.Contains(name, "/01-") {
			continue
		}
		parts++
		if len(body) > 320<<10 {
			t.Errorf("%s has %d KiB", name, len(body)>>10)
		}
		if len(body) > 128<<10 {
			least++
		}
	}
	if parts < 4 || least < parts-1 {
		t.Errorf("%d parts, of which %d are of some size", parts, least)
	}
	r, err := sweep.Load(t.Context(), c.sweep(fine).Store, run)
	if err != nil {
		t.Fatal(err)
	}
	drift := 0
	for d, err := range r.Drift(t.Context()) {
		if err != nil || d.Scope != hangzhou || len(d.Changes) != 1 {
			t.Fatal(d, err)
		}
		drift++
	}
	if drift != 2006 || len(r.Summary.Shards) != 1 || r.Summary.Shards[0].Held[0].N != 2004 {
		t.Errorf("%d have drifted, shards %v", drift, r.Summary.Shards)
	}
}

// It says nothing of the whole that one shard has ended: names are read to the first
// that has not.
func TestWhetherAllShardsHaveEndedIsAskedNoFurtherThanNeedBe(t *testing.T) {
	c := newCloud()
	for i := range 30 {
		c.fleets[at(two, fleet.Region(fmt.Sprintf("cn-zone-%02d", i)))] = []string{"r1"}
	}
	run := c.begin(t, fine)
	first := slicesOf(c.inbox, hangzhou)
	for i, m := range c.inbox {
		if m.ref.Scope == hangzhou {
			c.inbox = append(c.inbox[:i], c.inbox[i+1:]...)
			break
		}
	}
	pages := 0
	c.drain(t, func(op string, effect func() error) error {
		if op == "list sweeps/"+run+"/" {
			pages++
		}
		return effect()
	})
	if pages > 2*34 || len(c.published) > 0 {
		t.Errorf("%d pages of names for 34 shards, %d reports", pages, len(c.published))
	}
	c.inbox = first
	c.drain(t, fine)
	if len(c.published) != 1 {
		t.Errorf("%d reports", len(c.published))
	}
}

func TestAReportHasAllExemptionsAndHowOftenEachWasUsed(t *testing.T) {
	c := newCloud()
	used := c.policy.Exemptions[0]
	unused := policy.Exemption{Control: policy.ControlAgent, Rule: "agent-online", Owner: "eva", Reason: "new", Instances: []string{"z"}, Expires: noon}
	elsewhere := used
	elsewhere.Instances = []string{"h9"}
	c.policy.Exemptions = []policy.Exemption{unused, used, elsewhere}
	want := []report.Exemption{
		{Control: policy.ControlAgent, Rule: "agent-online", Owner: "eva", Reason: "new", Expires: noon},
		{Control: policy.ControlInstanceRole, Owner: "eva", Reason: "old", Expires: used.Expires.UTC(), Uses: 1},
	}
	if diff := cmp.Diff(want, c.swept(t, fine).Exempt); diff != "" {
		t.Error(diff)
	}
}

func TestTheSweepsBeforeAreReadTheNewestLast(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	put := func(name, body string) {
		t.Helper()
		if err := store.Put(t.Context(), name, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	runs := []string{"sweep-20260822T115959Z-old", "sweep-20260822T120000Z-a", "sweep-20261118T120000Z-b", "sweep-20261119T120000Z-c",
		"sweep-20261120T115959Z-d", "sweep-20261120T120000Z-e", "sweep-20261121T120000Z-f"}
	for i, run := range runs {
		body, err := report.EncodeSummary(report.Summary{Run: run, Started: noon.Add(time.Duration(i) * time.Minute)})
		if err != nil {
			t.Fatal(err)
		}
		put(sweep.SummaryObject(run), string(body))
		put(sweep.ReportObject(run, "report.html"), "x")
	}
	put(sweep.SummaryObject("sweep-20261118T120000Z-x"), `{"v":99}`)
	put(sweep.SummaryObject("backfill-20261118T120000Z-y"), `{"v":1,"run":"backfill-20261118T120000Z-y","shards":null}`)
	start := sweep.Start{Run: "sweep-20261120T120000Z-e", At: noon}
	for most, want := range map[int][]string{0: nil, 2: runs[3:5], 9: runs[1:5]} {
		got, err := sweep.Earlier(t.Context(), store, start, most)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, s := range got {
			found = append(found, s.Run)
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("at most %d: %s", most, diff)
		}
	}
}

// The newest sweep is that which began last, whatever else lies beside it, and it has ended when it
// has its summary.
func TestTheNewestSweepThatBegan(t *testing.T) {
	store := ledger.NewFolder(t.TempDir())
	newest := func() string {
		t.Helper()
		begun, err := sweep.Begun(t.Context(), store, noon.Add(-8*24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var last sweep.Began
		for _, s := range begun {
			if s.At.Before(last.At) {
				t.Errorf("out of order: %v", begun)
			}
			last = s
		}
		if last.Run != "" && !last.At.Equal(noon.Add(-time.Hour)) {
			t.Fatal(begun)
		}
		return last.Run
	}
	put := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := store.Put(t.Context(), name, []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
	}
	ended := func(run string) bool {
		t.Helper()
		ok, err := sweep.Ended(t.Context(), store, run)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if got := newest(); got != "" {
		t.Errorf("of none: %s", got)
	}
	id := func(ago time.Duration) string { return sweep.NewRun("sweep", noon.Add(-ago)) }
	old, last := id(9*24*time.Hour), id(time.Hour)
	put("starts/"+old+".json", "starts/look-20991231T000000Z-a.json", "starts/sweep-odd.json", sweep.SummaryObject(old))
	if got := newest(); got != "" {
		t.Errorf("of an old one: %s", got)
	}
	put("starts/"+id(2*time.Hour)+".json", "starts/"+last+".json", sweep.ReportObject(last, "report.html"))
	if got := newest(); got != last || ended(last) || !ended(old) {
		t.Errorf("got %s, want %s", got, last)
	}
	if put(sweep.SummaryObject(last)); !ended(last) {
		t.Error("it has its summary")
	}
}

func TestASweepRunsOverAFolder(t *testing.T) {
	want := newCloud().swept(t, fine)
	c := newCloud()
	store := ledger.NewFolder(t.TempDir())
	pass := func() *sweep.Sweep {
		s := c.sweep(fine)
		s.Store, s.Publish = store, nil
		return s
	}
	run, err := pass().Begin(t.Context(), c.where(), false)
	if err != nil {
		t.Fatal(err)
	}
	for len(c.inbox) > 0 {
		m := c.inbox[0]
		c.inbox = c.inbox[1:]
		if _, err := pass().Shard(t.Context(), m.ref); err != nil {
			t.Fatal(err)
		}
	}
	r, err := sweep.Load(t.Context(), store, run)
	if err != nil || len(r.Open) > 0 {
		t.Fatal(err, r.Open)
	}
	for i := range r.Summary.Shards {
		r.Summary.Shards[i].Calls = nil
	}
	if diff := cmp.Diff(want.Shards, r.Summary.Shards); diff != "" {
		t.Error(diff)
	}
}
