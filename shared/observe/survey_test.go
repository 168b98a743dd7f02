package observe_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetwarden/shared/fleet"
)

func TestASmallRegionsDisksAreAllRead(t *testing.T) {
	for n, calls := range map[int]int{1: 2, 499: 2, 500: 2, 501: 3, 5000: 11} {
		r := with(map[string]int{"cloud_essd": n - 1, "of_tomorrow": 1})
		s := survey(r, "cloud_essd")
		if n > 1 && of(t, s, "cloud_essd-0") != fleet.See("cloud_essd") {
			t.Errorf("got %+v", of(t, s, "cloud_essd-0"))
		}
		if got := of(t, s, "of_tomorrow-0"); got != fleet.See("of_tomorrow") {
			t.Errorf("got %+v: an unpublished category counts too", got)
		}
		unknown(t, of(t, s, "i-diskless"), "returned no system disk")
		if len(r.calls) != calls {
			t.Errorf("%d disks took %d calls, want %d: %v", n, len(r.calls), calls, r.calls)
		}
	}
}

func TestALargeRegionsDisksAreDeterminedByElimination(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 30_000, "cloud_efficiency": 501, "cloud": 1})
	r.disks = append(r.disks, fleet.SystemDisk{Category: "cloud_essd"}, fleet.SystemDisk{Category: "cloud_ssd"}) // attached to nothing
	s := survey(r, "cloud_essd")
	for id, want := range map[string]string{"cloud_essd-0": "cloud_essd", "cloud_essd-29999": "cloud_essd", "cloud_efficiency-500": "cloud_efficiency", "cloud-0": "cloud"} {
		if got := of(t, s, id); got != fleet.See(want) {
			t.Errorf("%s: got %+v", id, got)
		}
	}
	// 1 to count, 9 categories of which one has a second page, 5 to compare.
	if len(r.calls) != 1+10+5 {
		t.Errorf("%d calls: %v", len(r.calls), r.calls)
	}
	for _, call := range r.calls {
		if call == "page cloud_essd" || call == "page " {
			t.Errorf("the most frequent category was listed: %v", r.calls)
		}
	}
}

func TestOfSeveralAcceptedCategoriesTheMostFrequentIsNotListed(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 1000, "cloud_auto": 4001, "special": 10})
	s := survey(r, "cloud_essd", "cloud_auto", "special")
	for _, category := range []string{"cloud_essd", "cloud_auto", "special"} {
		if got := of(t, s, category+"-1"); got != fleet.See(category) {
			t.Errorf("got %+v", got)
		}
	}
	if calls := strings.Join(r.calls, ","); strings.Contains(calls, "page cloud_auto") || !strings.Contains(calls, "page special") || len(r.calls) != 1+3+11+5 {
		t.Errorf("%d calls: %s", len(r.calls), calls)
	}
}

func TestWithoutAnAcceptedCategoryFactsAreTheSame(t *testing.T) {
	s := survey(with(map[string]int{"cloud_essd": 1, "cloud_ssd": 5001}))
	if a, b := of(t, s, "cloud_essd-0"), of(t, s, "cloud_ssd-0"); a != fleet.See("cloud_essd") || b != fleet.See("cloud_ssd") {
		t.Errorf("got %+v, %+v", a, b)
	}
}

func TestADiskOfAnUnpublishedCategoryIsNoPass(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 6000, "cloud_ssd": 1, "of_tomorrow": 1})
	s := survey(r, "cloud_essd")
	unknown(t, of(t, s, "of_tomorrow-0"), "6002 in all and 6001 of known categories")
	unknown(t, of(t, s, "cloud_essd-0"), "do not add up")
	if got := of(t, s, "cloud_ssd-0"); got != fleet.See("cloud_ssd") {
		t.Errorf("got %+v: what was read is known", got)
	}
}

func TestAnInstanceWithoutAVisibleDiskIsNoPass(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 6000})
	r.instances = 1
	unknown(t, of(t, survey(r, "cloud_essd"), "i-diskless"), "6001 instances and 6000 attached")
	// A disk that is attached to nothing does not make up for it.
	r.disks = append(r.disks, fleet.SystemDisk{Category: "cloud_essd"})
	unknown(t, of(t, survey(r, "cloud_essd"), "i-diskless"), "6001 instances and 6000 attached")
}

func TestAFleetThatChangesWhileItIsCountedIsCountedAgain(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 6000, "cloud_ssd": 1})
	r.after = func(calls int) {
		if calls == 9 { // while categories are listed
			r.disks = append(r.disks, fleet.SystemDisk{Instance: "late", Category: "cloud"})
		}
	}
	s := survey(r, "cloud_essd")
	if got := of(t, s, "cloud_essd-0"); got != fleet.See("cloud_essd") {
		t.Errorf("got %+v", got)
	}
	if got := of(t, s, "late"); got != fleet.See("cloud") || len(r.calls) != 1+2*(9+5) {
		t.Errorf("got %+v after %d calls", got, len(r.calls))
	}
	// One that never stands still is unknown, and costs no more.
	r = with(map[string]int{"cloud_essd": 6000})
	r.after = func(int) { r.disks = append(r.disks, fleet.SystemDisk{Instance: "late", Category: "cloud_ssd"}) }
	unknown(t, of(t, survey(r, "cloud_essd"), "cloud_essd-0"), "changed from")
	if len(r.calls) != 1+2*(9+5) {
		t.Errorf("%d calls", len(r.calls))
	}
}

// A launch while the numbers are read must not make up for a disk that is in none.
func TestALaunchBetweenTwoCountsHidesNothing(t *testing.T) {
	for _, hidden := range []map[string]int{{"cloud_essd": 6000}, {"cloud_essd": 6000, "of_tomorrow": 1}} {
		for call := 11; call <= 15; call++ { // the first count, 9 categories, then the numbers
			r := with(hidden)
			r.instances = 1 - hidden["of_tomorrow"]
			r.after = func(calls int) {
				if calls == call || calls == call+14 {
					r.disks = append(r.disks, fleet.SystemDisk{Instance: fmt.Sprint("late-", calls), Category: "cloud_essd"})
				}
			}
			if got := of(t, survey(r, "cloud_essd"), "cloud_essd-0"); got.Known() {
				t.Errorf("%v, a launch at call %d: got %+v", hidden, call, got)
			}
		}
	}
}

// Elimination does not cover later launches. Creation times have minute precision.
func TestALaterLaunchIsUnknown(t *testing.T) {
	s := survey(with(map[string]int{"cloud_essd": 6000}), "cloud_essd")
	for created, known := range map[time.Time]bool{
		noon.Add(-time.Minute): true, noon: false, noon.Add(time.Hour): false, {}: false,
	} {
		in := old("i-1")
		in.Listed.V.Created = created
		if f, err := s.SystemDisk(t.Context(), in); err != nil || f.Known() != known {
			t.Errorf("%s: got %+v, %v", created, f, err)
		}
	}
	in := old("i-1")
	in.Listed = fleet.Unknown[fleet.Listing]("denied")
	if f, err := s.SystemDisk(t.Context(), in); err != nil || f.Known() {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestMoreExceptionsThanCanBeKeptAreUnknown(t *testing.T) {
	for n, known := range map[int]bool{20_000: true, 20_001: false} {
		r := with(map[string]int{"cloud_essd": 100, "cloud_efficiency": n})
		r.disks = append(r.disks, fleet.SystemDisk{Category: "cloud_efficiency"}) // unattached: not to be kept
		s := survey(r, "cloud_essd")
		if got := of(t, s, "cloud_essd-0"); got.Known() != known || (!known && !strings.Contains(got.Why, "too many")) {
			t.Errorf("%d: got %+v", n, got)
		}
		if got := of(t, s, "cloud_efficiency-7"); got != fleet.See("cloud_efficiency") {
			t.Errorf("%d: got %+v", n, got)
		}
		if len(r.calls) > 60 {
			t.Errorf("%d: %d calls", n, len(r.calls))
		}
	}
}

// An API that ignores the filter must not turn good disks into bad ones, nor the rest
// into a pass.
func TestTheAnswersCategoryCounts(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 6000, "cloud_ssd": 1})
	r.blind = true
	s := survey(r, "cloud_essd")
	if got := of(t, s, "cloud_essd-0"); got.Known() && got.V != "cloud_essd" {
		t.Errorf("got %+v", got)
	}
	unknown(t, of(t, s, "i-diskless"), "too many")
}

func TestAnInstanceWhoseDiskWasReplacedMeanwhileIsUnknown(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 6000})
	r.disks = append(r.disks, fleet.SystemDisk{Instance: "i-1", Category: "cloud"}, fleet.SystemDisk{Instance: "i-1", Category: "cloud_ssd"})
	unknown(t, of(t, survey(r, "cloud_essd"), "i-1"), "changed while")
}

var surveyReads = []string{"count ", "page cloud_ssd", "instances", "loose", "count cloud_essd"}

func TestASurveyWithATransientErrorStartsAgain(t *testing.T) {
	for _, read := range surveyReads {
		r := with(map[string]int{"cloud_essd": 6000, "cloud_ssd": 1})
		s := survey(r, "cloud_essd")
		r.fails[read] = throttled
		if f, err := s.SystemDisk(t.Context(), old("cloud_essd-0")); !errors.Is(err, throttled) || f.Known() {
			t.Errorf("%s: got %+v, %v", read, f, err)
		}
		delete(r.fails, read)
		if got := of(t, s, "cloud_essd-0"); got != fleet.See("cloud_essd") {
			t.Errorf("%s: got %+v", read, got)
		}
	}
}

func TestASurveyThatIsRefusedIsUnknownAndNotRepeated(t *testing.T) {
	for _, read := range surveyReads {
		r := with(map[string]int{"cloud_essd": 6000, "cloud_ssd": 1})
		s := survey(r, "cloud_essd")
		r.fails[read] = denied
		unknown(t, of(t, s, "cloud_essd-0"), denied.Error())
		calls := len(r.calls)
		unknown(t, of(t, s, "cloud_ssd-0"), denied.Error())
		if len(r.calls) != calls {
			t.Errorf("%s: %d calls more of what was refused", read, len(r.calls)-calls)
		}
	}
}

func TestAnotherAccountOrRegionIsSurveyedSeparately(t *testing.T) {
	r := with(map[string]int{"cloud_essd": 1})
	s := survey(r, "cloud_essd")
	of(t, s, "cloud_essd-0")
	r.disks[0].Category = "cloud"
	if got := of(t, s, "cloud_essd-0"); got != fleet.See("cloud_essd") {
		t.Errorf("got %+v", got)
	}
	elsewhere := old("cloud_essd-0")
	elsewhere.Ref.Scope.Account = "2"
	if got, err := s.SystemDisk(t.Context(), elsewhere); err != nil || got != fleet.See("cloud") {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheSurveyIsAskedForCandidatesOnlyAndNothingElseAboutDisks(t *testing.T) {
	c := newCloud("o-1", "i-1")
	c.instances["i-1"] = old("").Listed.V
	r := with(map[string]int{"cloud_essd": 1})
	r.disks[0].Instance = "i-1"
	o := everything(c)
	o.Survey = survey(r, "cloud_essd")
	if w := observed(t, o, batch("o-1")); w.Instances[0].SystemDisk.Known() || len(r.calls) != 0 {
		t.Errorf("a survey for an ordinary instance: %v", r.calls)
	}
	w := observed(t, o, batch("o-1", "i-1"))
	if w.Instances[0].SystemDisk.Known() || w.Instances[1].SystemDisk != fleet.See("cloud_essd") || c.calls["SystemDiskOf"] != 0 {
		t.Errorf("got %+v", w.Instances)
	}
	r.fails["count "] = throttled
	o.Survey = survey(r, "cloud_essd")
	if _, err := o.Observe(t.Context(), batch("i-1")); !errors.Is(err, throttled) {
		t.Errorf("got %v", err)
	}
}

func TestRolesAreReadOfThoseThatWantOne(t *testing.T) {
	c := newCloud("i-1", "i-2")
	c.roleNames["i-1"], c.roleNames["i-2"] = "A", "B"
	o := everything(c)
	o.WantsRole = func(in *fleet.Instance) bool { return in.Ref.ID == "i-2" }
	w := observed(t, o, batch("i-1", "i-2"))
	if w.Instances[0].RoleName.Known() || w.Instances[1].RoleName != fleet.See("B") || fmt.Sprint(c.asked["RoleNames"], c.asked["Role"]) != "[i-2] [B Systrust]" {
		t.Errorf("got %+v, asked %v", w.Instances, c.asked)
	}
	observed(t, o, batch("i-1"))
	if c.calls["RoleNames"] != 1 {
		t.Errorf("a read for no instances was made")
	}
}
