package reconcile_test

import (
	"fmt"
	"testing"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

// benchmarkRun is one batch of a hundred, of which some want mending. What it reads,
// does and writes costs nothing: what remains is the loop, its plan and its records.
func benchmarkRun(b *testing.B, wanting int) {
	x := newBench(policy.Enforce)
	x.o.Record = func(fleet.Record) error { return nil }
	ids := make([]string, fleet.MaxBatch)
	for i := range ids {
		ids[i] = fmt.Sprintf("i-%03d", i)
		if i < wanting {
			x.verdicts[ids[i]] = []fleet.Verdict{broken(ids[i])}
		}
	}
	one := item{batch: batch(ids...)}
	b.ReportAllocs()
	for b.Loop() {
		x.acted = nil
		sum, _, err := x.run(b.Context(), one)
		if err != nil || sum.States[fleet.Done] != wanting {
			b.Fatalf("%d of %d changes, %v", sum.States[fleet.Done], wanting, err)
		}
	}
}

func BenchmarkRunOfAHundredThatPass(b *testing.B)         { benchmarkRun(b, 0) }
func BenchmarkRunOfAHundredOfWhichTenChange(b *testing.B) { benchmarkRun(b, 10) }
func BenchmarkRunOfAHundredThatChange(b *testing.B)       { benchmarkRun(b, fleet.MaxBatch) }
