//go:build !race

package events_test

import "testing"

// The benchmark measures the time; the allocations do not vary.
func TestALaunchCostsAtMostTwelveAllocations(t *testing.T) {
	payload := compactSample(t, "run-instances-api.json")
	if got := testing.AllocsPerRun(100, func() { decodeAll(t, payload) }); got > 12 {
		t.Errorf("decoding a launch of two instances allocates %v times, want at most 12", got)
	}
}

func TestAnEventNotForUsCostsAtMostFourAllocations(t *testing.T) {
	payload := compactSample(t, "snapshot-completed.json")
	if got := testing.AllocsPerRun(100, func() { decodeAll(t, payload) }); got > 4 {
		t.Errorf("decoding an event that nothing is about allocates %v times, want at most 4", got)
	}
}
