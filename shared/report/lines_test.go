package report_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/report"
)

func finding(id, reason string) fleet.Record {
	return fleet.Record{V: 1, Type: "finding", Time: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Run: "r", Finding: &fleet.FindingRecord{
		Control: "instance-role", Rule: "systrust-role", Outcome: fleet.Violation, Account: "1000000000000001", Kind: fleet.KindInstance, ID: id, Reason: reason}}
}

func TestARecordIsOneLineWithStableNames(t *testing.T) {
	var b bytes.Buffer
	if err := report.NewLines(&b).Record(finding("i-1", "first\nsecond")); err != nil {
		t.Fatal(err)
	}
	want := `{"v":1,"type":"finding","time":"2026-11-20T12:00:00Z","run":"r","finding":{"control":"instance-role","rule":"systrust-role",` +
		`"outcome":"violation","account":"1000000000000001","kind":"instance","id":"i-1","reason":"first\nsecond"}}` + "\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// writes counts Write calls: lines of several passes must not mix.
type writes struct {
	bytes.Buffer
	calls int
}

func (w *writes) Write(p []byte) (int, error) {
	w.calls++
	return w.Buffer.Write(p)
}

func TestSeveralPassesMayShareTheLines(t *testing.T) {
	w := &writes{}
	lines := report.NewLines(w)
	const passes, each = 8, 50
	var wg sync.WaitGroup
	for p := range passes {
		wg.Go(func() {
			for n := range each {
				if err := lines.Record(finding(fmt.Sprint("i-", p, "-", n), strings.Repeat("x", 5000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if w.calls != passes*each {
		t.Errorf("%d writes, want %d", w.calls, passes*each)
	}
	seen := map[string]bool{}
	scan := bufio.NewScanner(&w.Buffer)
	for scan.Scan() {
		var r fleet.Record
		if err := json.Unmarshal(scan.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		seen[r.Finding.ID] = true
	}
	if len(seen) != passes*each {
		t.Errorf("%d records, want %d", len(seen), passes*each)
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFailingWriteIsAnError(t *testing.T) {
	if err := report.NewLines(full{}).Record(finding("i-1", "")); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}
