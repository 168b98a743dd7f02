package fcrun

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fleetwarden/shared/aliyun/mns"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/policy"
)

func violation(i int) fleet.Record {
	return fleet.Record{Type: "finding", Finding: &fleet.FindingRecord{Rule: "r", Outcome: fleet.Violation, Severity: fleet.High, ID: fmt.Sprint("i-", i)}}
}

func copier(send func([]mns.Message) (int, error)) *findings {
	return &findings{sinks: policy.Sinks{Findings: "fleetwarden-findings", Least: fleet.Low}, write: func(fleet.Record) error { return nil }, send: send}
}

// The class: however many findings a pass has, it holds one call's worth of copies.
func TestCopiesAreSentImmediately(t *testing.T) {
	most, sent := 0, 0
	f := copier(func(m []mns.Message) (int, error) { sent += len(m); return len(m), nil })
	for i := range 1000 {
		if err := f.record(violation(i)); err != nil {
			t.Fatal(err)
		}
		most = max(most, len(f.pending))
	}
	if err := f.end(); err != nil || sent != 1000 || most > mns.MaxBatch {
		t.Errorf("%v, %d sent, %d held at most", err, sent, most)
	}
}

func TestACopyThatIsTooLongGoesWithoutItsEvidence(t *testing.T) {
	var got []mns.Message
	f := copier(func(m []mns.Message) (int, error) { got = append(got, m...); return len(m), nil })
	long := violation(1)
	long.Finding.Evidence = []fleet.Evidence{{Name: "n", Value: strings.Repeat("x", mns.MaxBytes)}}
	for _, r := range []fleet.Record{violation(0), long, violation(2)} {
		if err := f.record(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.end(); err != nil || len(got) != 3 || len(got[1].Body) > mns.MaxBytes || !strings.Contains(got[1].Body, `"i-1"`) {
		t.Errorf("%v, %d copies", err, len(got))
	}
	if len(long.Finding.Evidence) != 1 {
		t.Error("the record itself was cut")
	}
}

// One that is refused is said to be, and its neighbours are sent; a queue that takes
// nothing is not asked for ever.
func TestFailedCopiesAreReportedAndCostLittle(t *testing.T) {
	refused := errors.New("refused")
	f := copier(func(m []mns.Message) (int, error) { return len(m) - 1, refused })
	for i := range 160 {
		_ = f.record(violation(i))
	}
	if err := f.end(); !errors.Is(err, refused) || !strings.Contains(err.Error(), "150 of 160 sent") {
		t.Errorf("got %v", err)
	}
	calls := 0
	f = copier(func([]mns.Message) (int, error) { calls++; return 0, refused })
	for i := range 10_000 {
		_ = f.record(violation(i))
	}
	if err := f.end(); !errors.Is(err, refused) || calls != maxFruitless || !strings.Contains(err.Error(), "0 of 10000 sent") {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestFindingsBelowTheSeverityOrWithoutAQueueAreNotCopied(t *testing.T) {
	f := copier(func([]mns.Message) (int, error) { return 0, errors.New("asked") })
	f.sinks.Least = fleet.Critical
	_ = f.record(violation(1))
	if err := f.end(); err != nil {
		t.Error(err)
	}
	f.sinks.Findings = ""
	if err := errors.Join(f.notify([]byte("{}")), f.end()); err != nil {
		t.Error(err)
	}
}
