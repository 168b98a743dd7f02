package sweep_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/operate/sweep"
)

func TestRunsSortByTimeAndDiffer(t *testing.T) {
	form := regexp.MustCompile(`^sweep-20261120T120000Z-[a-z2-7]{6}$`)
	a, b := sweep.NewRun("sweep", noon), sweep.NewRun("sweep", noon.In(time.FixedZone("", 8*3600)))
	if !form.MatchString(a) || !form.MatchString(b) || a == b {
		t.Errorf("%s, %s", a, b)
	}
	if later := sweep.NewRun("sweep", noon.Add(time.Second)); later <= a {
		t.Errorf("%s sorts before %s", later, a)
	}
}

func TestASweepHasAShardForEachAccountAndRegionAndOneForWhatAnAccountShares(t *testing.T) {
	c := newCloud()
	c.accounts = append(c.accounts, one) // named twice
	run := c.begin(t, fine)
	r, err := sweep.Load(t.Context(), c.sweep(fine).Store, run)
	if err != nil {
		t.Fatal(err)
	}
	want := []fleet.Scope{at(one, ""), hangzhou, shanghai, at(two, ""), at(two, "cn-hangzhou")}
	if diff := cmp.Diff(want, r.Start.Shards); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, r.Open); diff != "" {
		t.Error(diff)
	}
	if r.Start.Policy != "digest" || !r.Start.At.Equal(noon) || r.Start.DryRun {
		t.Errorf("%+v", r.Start)
	}
	for i, m := range c.inbox {
		if m.ref.Scope != want[i] || m.ref.Try.Run != run || (m.ref.Kind == fleet.KindAccount) != (want[i].Region == "") {
			t.Errorf("message %d is %v", i, m.ref)
		}
	}
}

func TestNothingToSweepIsAnErrorAndNoSweep(t *testing.T) {
	c := newCloud()
	c.accounts = nil
	if run, err := c.sweep(fine).Begin(t.Context(), c.where(), false); err == nil || len(c.objects) > 0 {
		t.Errorf("run %q, objects %v", run, c.objects)
	}
}

// regions gives each account cn-hangzhou, or an error.
func regions(errs map[fleet.AccountID]error) func(context.Context, fleet.AccountID) ([]fleet.Region, error) {
	return func(_ context.Context, a fleet.AccountID) ([]fleet.Region, error) {
		if err := errs[a]; err != nil {
			return nil, err
		}
		return []fleet.Region{"cn-hangzhou"}, nil
	}
}

// An account whose regions cannot be determined is reported; the others are swept.
func TestAnAccountWithoutRegionsIsAFaultOfItsOwn(t *testing.T) {
	for _, class := range []fleet.Class{fleet.Denied, fleet.Throttled, fleet.OutOfBudget} {
		c := newCloud()
		w := sweep.Where{Accounts: c.accounts, Regions: regions(map[fleet.AccountID]error{two: failure{class: class}})}
		run, err := c.sweep(fine).Begin(t.Context(), w, false)
		if err != nil {
			t.Fatal(err)
		}
		c.drain(t, failing(plain("there is no region auto"), 1000, "page 1000000000000002/auto"))
		for _, s := range c.outcome(t, run).Shards {
			faulty := s.Scope == at(two, "auto")
			if (s.Fault != "") != faulty || faulty && s.Fault != "finding the account's regions: "+class.String() {
				t.Errorf("%s: shard %s: fault %q", class, s.Scope, s.Fault)
			}
		}
	}
}

func TestASweepIsNotBegunWhileNoAccountCanBeAsked(t *testing.T) {
	c := newCloud()
	all := map[fleet.AccountID]error{one: failure{class: fleet.Throttled}, two: failure{class: fleet.Denied}}
	if _, err := c.sweep(fine).Begin(t.Context(), sweep.Where{Accounts: c.accounts, Regions: regions(all)}, false); !fleet.ClassOf(err).Passing() {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.sweep(fine).Begin(ctx, sweep.Where{Accounts: c.accounts, Regions: regions(nil)}, false); err == nil {
		t.Error("a pass that has ended has begun a sweep")
	}
	if len(c.objects) > 0 {
		t.Errorf("objects %v", c.objects)
	}
	all[one] = failure{class: fleet.Denied}
	if _, err := c.sweep(fine).Begin(t.Context(), sweep.Where{Accounts: c.accounts, Regions: regions(all)}, false); err != nil {
		t.Errorf("that no account may be read is what a report is for: %v", err)
	}
}

// The name of an account or a region becomes part of the names of objects.
func TestAScopeThatWouldLeadOutOfTheSweepsFolderIsRefused(t *testing.T) {
	for _, bad := range []fleet.Scope{at("../../starts", ""), at("", "cn-hangzhou"), at(one, "../x"), at(one, "a/b"), at(one, "shares"), at(one, "CN"), at(one, "a.b")} {
		c := newCloud()
		w := sweep.Where{Accounts: []fleet.AccountID{bad.Account}, Regions: func(context.Context, fleet.AccountID) ([]fleet.Region, error) {
			return []fleet.Region{bad.Region}, nil
		}}
		if _, err := c.sweep(fine).Begin(t.Context(), w, false); err == nil || len(c.objects) > 0 {
			t.Errorf("%v: error %v, objects %v", bad, err, c.objects)
		}
	}
}

func TestASweepThatIsUnderWayIsWokenAndNoOtherIsBegun(t *testing.T) {
	c := newCloud()
	run := c.begin(t, fine)
	i := slices.IndexFunc(c.inbox, func(m message) bool { return m.ref.Scope == shanghai })
	c.inbox = []message{c.inbox[i]}
	c.drain(t, fine)
	c.now = noon.Add(6 * time.Hour) // the messages of the other four are lost
	if again := c.begin(t, fine); again != run || len(c.inbox) != 4 {
		t.Fatalf("run %s after %s, %d messages", again, run, len(c.inbox))
	}
	if said := c.said(); len(said) != 1 || !strings.Contains(said[0], "4 of 5 shards of sweep "+run+" are open: under way") {
		t.Errorf("said %v", said)
	}
	c.drain(t, fine)
	if diff := cmp.Diff(newCloud().swept(t, fine), c.outcome(t, run)); diff != "" {
		t.Error(diff)
	}
	if next := c.begin(t, fine); next == run {
		t.Error("it has ended, and no other is begun")
	}
}

// The machine's clock may be wrong; the first answer of the cloud has the right time.
func TestASweepIsFoundUnderWayWhateverTheMachinesClockSays(t *testing.T) {
	for _, wrong := range []time.Duration{-300 * 24 * time.Hour, 300 * 24 * time.Hour} {
		c := newCloud()
		run := c.begin(t, fine)
		c.now = noon.Add(wrong)
		answering := func(op string, effect func() error) error {
			c.now = noon.Add(time.Minute)
			return fine(op, effect)
		}
		if again := c.begin(t, answering); again != run {
			t.Errorf("with a clock that is %s wrong, %s is begun beside %s", wrong, again, run)
		}
	}
}

func TestASweepThatDidNotEndInTimeIsReportedAndAnotherBegun(t *testing.T) {
	c := newCloud()
	run := c.begin(t, fine)
	c.inbox = nil
	c.now = noon.Add(6*time.Hour + time.Second)
	if next := c.begin(t, fine); next == run {
		t.Error("no other was begun")
	}
	if said := c.said(); len(said) != 1 || !strings.Contains(said[0], "fault 5 of 5 shards of sweep "+run+" are open: not ended in time") {
		t.Errorf("said %v", said)
	}
	c.records, c.inbox, c.now = nil, nil, c.now.Add(8*24*time.Hour)
	c.begin(t, fine)
	if said := c.said(); len(said) != 0 {
		t.Errorf("after a week it is still said: %v", said)
	}
}

func TestADrySweepAndARealOneAreNotInEachOthersWay(t *testing.T) {
	c := newCloud()
	var runs []string
	for i, dry := range []bool{true, false, true, false} {
		c.now = noon.Add(time.Duration(i) * time.Second)
		run, err := c.sweep(fine).Begin(t.Context(), c.where(), dry)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, run)
	}
	if runs[0] != runs[2] || runs[1] != runs[3] || runs[0] == runs[1] {
		t.Errorf("runs %v", runs)
	}
}

// A sweep of which only the report lacks gets it, and is not in the way of the next.
func TestAReportThatWasNotWrittenIsWrittenBeforeTheNextSweep(t *testing.T) {
	c := newCloud()
	run := c.begin(t, fine)
	for unpublished := failing(plain("no room"), 1000, "publish"); len(c.inbox) > 0; {
		_, _ = c.deliver(t, unpublished)
	}
	if len(c.published) != 0 {
		t.Fatal("it is written")
	}
	c.now = c.now.Add(time.Minute)
	if next, err := c.sweep(failing(plain("no room"), 1000, "publish")).Begin(t.Context(), c.where(), false); err != nil || next == run {
		t.Errorf("run %s, error %v: a report that fails is in the way", next, err)
	}
	if said := strings.Join(c.said(), "\n"); !strings.Contains(said, "no room") {
		t.Errorf("said %s", said)
	}
	c.inbox = nil
	delete(c.objects, fmt.Sprintf("starts/%s.json", lastStart(c, run)))
	c.now = c.now.Add(time.Minute)
	if next := c.begin(t, fine); next == run || len(c.published) != 1 || c.published[0].Start.Run != run {
		t.Errorf("run %s, reports %v", next, len(c.published))
	}
}

// lastStart is the newest run but that one.
func lastStart(c *cloud, but string) string {
	newest := ""
	for name := range c.objects {
		if run, ok := strings.CutPrefix(name, "starts/"); ok {
			if run = strings.TrimSuffix(run, ".json"); run != but && run > newest {
				newest = run
			}
		}
	}
	return newest
}

type plain string

func (e plain) Error() string { return string(e) }
