package observe_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"fleetwarden/shared/fleet"
)

// In whatever region: what a survey says is so, and it says something of everybody
// unless a disk or a category is hidden.
func TestASurveyIsNeverWrong(t *testing.T) {
	categories := []string{"cloud_essd", "cloud_auto", "cloud_efficiency", "cloud", "local_hdd_pro"}
	rapid.Check(t, func(t *rapid.T) {
		n := map[string]int{}
		for _, category := range categories {
			n[category] = rapid.SampledFrom([]int{0, 1, 499, 500, 501, 5000}).Draw(t, category)
		}
		hidden := rapid.Bool().Draw(t, "hidden")
		if hidden {
			n["of_tomorrow"] = rapid.IntRange(0, 2).Draw(t, "of_tomorrow")
		}
		r := with(n)
		if hidden {
			r.instances = rapid.IntRange(0, 2).Draw(t, "diskless")
		} else {
			churn(t, r)
		}
		s := survey(r, rapid.SampledFrom([][]string{nil, {"cloud_essd"}, {"cloud_auto", "cloud_essd"}, {"cloud"}}).Draw(t, "accepted")...)
		for category, count := range n {
			if count == 0 {
				continue
			}
			got, err := s.SystemDisk(t.Context(), old(category+"-0"))
			if err != nil || (got.Known() && got != fleet.See(category)) || (!got.Known() && got.Why == "") {
				t.Errorf("%s: got %+v, %v", category, got, err)
			}
			if !hidden && r.after == nil && !got.Known() {
				t.Errorf("%s: unknown: %s", category, got.Why)
			}
		}
		if got, err := s.SystemDisk(t.Context(), old("i-diskless")); r.instances > 0 && (err != nil || got.Known()) {
			t.Errorf("without a disk: got %+v, %v", got, err)
		}
	})
}

// churn launches and releases others while the region is read.
func churn(t *rapid.T, r *region) {
	at := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 4).Draw(t, "churn")
	if len(at) == 0 {
		return
	}
	for i := range at { // to be released
		r.disks = append(r.disks, fleet.SystemDisk{Instance: fmt.Sprint("short-", i), Category: "cloud_essd"})
	}
	r.after = func(calls int) {
		for i, call := range at {
			switch {
			case call != calls:
			case i%2 == 0:
				r.disks = append(r.disks, fleet.SystemDisk{Instance: fmt.Sprint("late-", calls), Category: "cloud_efficiency"})
			default: // never one of those that stay
				r.disks = r.disks[:len(r.disks)-1]
			}
		}
	}
}
