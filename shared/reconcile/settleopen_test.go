package reconcile_test

import (
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func TestAnIntentAboutSeveralScopesIsReportedAndNotLookedAt(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	leftOpen(b, s, "dead")
	b.mends("dead", "far")
	far := ref("far")
	far.Scope.Region = "cn-shanghai"
	s.open[0].Look = fleet.Messages([]fleet.Ref{ref("dead"), far})
	sum, _, err := b.run(t.Context(), item{batch: batch("i-1")})
	if err != nil || sum.Bad != 1 || b.observed != 1 || len(b.acted) != 0 || len(s.written) != 0 {
		t.Errorf("%v, %d bad, %d looks, acted %v, wrote %+v", err, sum.Bad, b.observed, b.acted, s.written)
	}
}
