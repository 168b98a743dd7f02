package fcrun

import (
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// The class: what is kept grows with a fleet, and no budget that is meant for the cloud's
// APIs may keep it from being read to its end. A function that asks an API is bounded.
func TestTheBudgetIsOfTheCloudsAPIsAndNotOfTheStore(t *testing.T) {
	p := policy.Default()
	p.Pacing.CallsPerInvocation, p.Pacing.Calls = 10, map[string]int{"AttachInstanceRamRole": 3}
	r := &runner{policy: p}
	s := r.session()
	spend := func(api string) (n int) {
		for range 5000 {
			if err := s.Call(t.Context(), api, func() error { return nil }); err != nil {
				if fleet.ClassOf(err) != fleet.OutOfBudget {
					t.Fatal(err)
				}
				break
			}
			n++
		}
		return n
	}
	for api, want := range map[string]int{"oss:GetObject": 5000, "oss:PutObject": 5000, "oss:ListObjects": 5000,
		"ecs:DescribeInstances": 10, "ecs:AttachInstanceRamRole": 3} {
		if got := spend(api); got != want {
			t.Errorf("%s: %d calls, want %d", api, got, want)
		}
	}
}
