package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
)

// Old objects stay readable for as long as their version is: the files in
// testdata/old are what each version wrote, and are never changed.
func TestOldObjectsAreStillRead(t *testing.T) {
	for file, stage := range map[string]fleet.Stage{"v1-intent.json": fleet.StageIntent, "v1-outcome.json": fleet.StageOutcome, "v1-settled.json": fleet.StageSettled} {
		body, err := os.ReadFile(filepath.Join("testdata", "old", file))
		if err != nil {
			t.Fatal(err)
		}
		e, err := ledger.Decode("attach-role/2026-01-05/120000.run-1.req-1.p.r."+string(stage)+".json", body)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want := fleet.ChangeRecord{
			Control: "instance-role", Rule: "systrust-role", Kind: fleet.AttachRole, Account: "1000000000000001", Region: "cn-hangzhou",
			RefKind: fleet.KindInstance, ID: "i-1", Want: "AliyunECSInstanceForYundunSysTrustRole", Reason: "the instance has no RAM role",
		}
		if stage != fleet.StageIntent {
			want.State, want.After, want.RequestIDs = fleet.Done, want.Want, []string{"51C1"}
		} else if refs := e.Refs(); len(refs) != 2 || refs[1].ID != "i-2" || refs[0].Try.FirstSeen.IsZero() || refs[0].Call.Name != "RunInstances" {
			t.Errorf("%s: got refs %+v", file, refs)
		}
		if e.Stage != stage || e.Function != "attach-role" || e.Name != "attach-role/2026-01-05/120000.run-1.req-1.p.r" || len(e.Changes) != 2 || e.Changes[0].Run != "run-1" {
			t.Errorf("%s: got %+v", file, e)
		}
		if diff := cmp.Diff(want, e.Changes[0].ChangeRecord); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func TestInvalidEntriesAreRefusedWithoutQuotingThem(t *testing.T) {
	for _, body := range []string{"", "canary", "[]", "{}", `{"v":0}`, `{"v":-1}`, `{"v":"canary"}`, `{"v":1}`, `{"v":1,"stage":"canary"}`,
		`{"v":1,"stage":"intent","changes":"canary"}`, `{"v":1,"stage":"intent","time":"canary"}`} {
		_, err := ledger.Decode("name", []byte(body))
		var bad *fleet.BadInput
		if !errors.As(err, &bad) || errors.Is(err, ledger.ErrNewer) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v", body, err)
		}
	}
	for _, body := range []string{`{"v":2}`, `{"v":99,"stage":7}`, `{"v":1,"stage":"intent","look":[{"v":2}]}`} {
		if _, err := ledger.Decode("name", []byte(body)); !errors.Is(err, ledger.ErrNewer) {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func FuzzDecodeNeverPanicsNorInvents(f *testing.F) {
	old, err := filepath.Glob(filepath.Join("testdata", "old", "*.json"))
	if err != nil || len(old) == 0 {
		f.Fatal("no old objects", err)
	}
	for _, path := range old {
		body, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(body))
	}
	f.Add(`{"v":2}`)
	f.Fuzz(func(t *testing.T, body string) {
		e, err := ledger.Decode("a/2026-01-05/120000.r.q.p.x.intent.json", []byte(body))
		if err != nil {
			return
		}
		if e.Stage == "" || e.V < 1 || e.V > fleet.EntryVersion {
			t.Errorf("%q was taken for %+v", body, e)
		}
		// An object that was read can be stored, and reads the same again.
		m := newMemory()
		e.Stage = fleet.StageOutcome
		if err := ledger.New(m, ledger.Pass{Function: e.Function, Request: e.Request}, nil).Write(t.Context(), &e); err != nil {
			return // a time that JSON cannot hold
		}
		for name, stored := range m.objects {
			again, err := ledger.Decode(name, stored)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(len(e.Changes), len(again.Changes)); diff != "" {
				t.Error(diff)
			}
		}
	})
}
