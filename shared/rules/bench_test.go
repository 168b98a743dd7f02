package rules_test

import (
	"fmt"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rampolicy"
	"fleetwarden/shared/rules/instances"
)

// aHundred are instances that share three roles.
func aHundred(change func(*fleet.Listing)) *fleet.World {
	w := world()
	w.Roles["Third"] = granting(sweeping, rampolicy.SysTrustPolicy())
	for n := range fleet.MaxBatch {
		i := trusted()
		i.Ref.ID = fmt.Sprintf("i-%03d", n)
		i.RoleName = fleet.See([]string{systrust, theirs, "Third"}[n%3])
		w.Instances = append(w.Instances, listed(i, change))
	}
	return w
}

func BenchmarkInstanceRoleOfAHundredTrustedInstancesWithThreeRoles(b *testing.B) {
	w, p := aHundred(func(*fleet.Listing) {}), enforcing()
	b.ReportAllocs()
	for b.Loop() {
		if len(instances.Role(w, p)) != 200 {
			b.Fatal("not two verdicts an instance")
		}
	}
}

func BenchmarkInstanceRoleOfAHundredOrdinaryInstances(b *testing.B) {
	w, p := aHundred(func(l *fleet.Listing) { l.Family, l.Tags = "ecs.g7", nil }), enforcing()
	b.ReportAllocs()
	for b.Loop() {
		if len(instances.Role(w, p)) != 200 {
			b.Fatal("not two verdicts an instance")
		}
	}
}

func BenchmarkTrustedInstanceOfAHundredOrdinaryInstances(b *testing.B) {
	w, p := aHundred(func(l *fleet.Listing) { l.Family, l.Tags = "ecs.g7", nil }), enforcing()
	b.ReportAllocs()
	for b.Loop() {
		if len(instances.TrustedInstance(w, p)) != 200 {
			b.Fatal("not two verdicts an instance: hardening is asked of each")
		}
	}
}
