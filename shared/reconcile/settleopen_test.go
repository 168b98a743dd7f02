package reconcile_test

import (
	"context"
	"slices"
	"testing"
	"time"

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

func TestAPassThatIsExhaustedFetchesNoFurtherIntents(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	leftOpen(b, s, "dead-1")
	for _, id := range []string{"dead-2", "dead-3", "dead-4"} {
		e := s.open[0]
		e.Name, e.Look = id, fleet.Messages([]fleet.Ref{ref(id)})
		s.open = append(s.open, e)
	}
	b.left = b.o.CallsPerBatch - 1 // enough for the first look of a pass alone
	if _, _, err := b.run(t.Context(), item{batch: batch("i-1")}); err != nil {
		t.Fatal(err)
	}
	// The first, and the one at which it was seen that no more can be looked at.
	if s.yielded != 2 || b.observed != 3 {
		t.Errorf("%d intents fetched, %d looks", s.yielded, b.observed)
	}
}

// A change that was made is recorded, also by a pass whose time is over.
func TestTheOutcomeIsStoredAfterTheDeadline(t *testing.T) {
	b, s := withLedger(policy.Enforce)
	b.mends("i-1")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	b.steps[1].Act = func(ctx context.Context, scope fleet.Scope, cs []fleet.Change) []fleet.Result {
		defer stop()
		return b.act(ctx, scope, cs)
	}
	var deadline time.Time
	s.check = func(ctx context.Context, e *fleet.Entry) error {
		if e.Stage == fleet.StageOutcome {
			deadline, _ = ctx.Deadline()
		}
		return ctx.Err()
	}
	if _, _, err := b.run(ctx, item{batch: batch("i-1")}); err != nil {
		t.Fatal(err)
	}
	recorded := slices.ContainsFunc(s.written, func(e fleet.Entry) bool { return e.Stage == fleet.StageOutcome })
	if left := time.Until(deadline); !recorded || len(b.ledgerFaults()) != 0 || left <= 0 || left > 10*time.Second {
		t.Errorf("recorded: %t, faults %v, %s left for it", recorded, b.ledgerFaults(), left)
	}
}
