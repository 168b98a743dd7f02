package ecs_test

import (
	"testing"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/shared/fleet"
)

func TestACanaryIsRefusedAndLaunchesNothing(t *testing.T) {
	b := newBench(t)
	if err := b.Canary(t.Context(), region, fleet.CanaryPrefix+"1"); err != nil {
		t.Error(err)
	}
	if page, _, err := b.Page(t.Context(), fleet.Scope{Region: region}, ""); err != nil || len(page) != 0 {
		t.Errorf("it launched %+v, %v", page, err)
	}
}

// A refusal by RAM is recorded as well; what may not have reached ECS is no canary.
func TestACanaryThatIsNotRefusedFails(t *testing.T) {
	for kind, fails := range map[simcloud.FaultKind]bool{
		simcloud.Deny: false, simcloud.Throttle: true, simcloud.InternalError: true, simcloud.TimeoutBefore: true, simcloud.Empty: true,
	} {
		b := newBench(t)
		if err := b.Faults.Set(1, []simcloud.Fault{{Product: "ecs", Action: "RunInstances", Kind: kind}}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		if err := b.Canary(t.Context(), region, fleet.CanaryPrefix+"1"); (err != nil) != fails {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
