package fleet_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
)

func TestAShareOfVersionOneIsStillRead(t *testing.T) {
	old, err := os.ReadFile("testdata/share-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	var m fleet.Message
	if err := json.Unmarshal(old, &m); err != nil {
		t.Fatal(err)
	}
	want := []fleet.FailedShare{{ImageID: "m-bp1a2b3c4d5e6f7g8h9i", Accounts: []fleet.AccountID{"1000000000000002", "1000000000000003"}, Time: "2026-11-20T08:15:31Z", Code: fleet.AssumeRoleError}}
	if diff := cmp.Diff(want, m.Refs()[0].Call.FailedShares()); diff != "" {
		t.Error(diff)
	}
}

// A function of the last version does not know what joined the share: it still has the
// share itself where it always was.
func TestFailedSharesGoThroughAMessage(t *testing.T) {
	call := &fleet.Call{Name: "ModifyImageSharePermission", ErrorCode: fleet.AssumeRoleError, Time: "2026-11-20T08:15:31Z",
		Share: &fleet.Share{ImageID: "m-1", Add: []fleet.AccountID{"3", "2", "3"}, Also: []fleet.FailedShare{{ImageID: "m-2", Accounts: []fleet.AccountID{"4"}, Time: "2026-11-20T08:15:30Z", Code: "OperationDeined.FullImage"}}}}
	text, err := json.Marshal(fleet.Messages([]fleet.Ref{{Scope: here, Kind: fleet.KindImageShare, Call: call}}))
	if err != nil {
		t.Fatal(err)
	}
	var back []fleet.Message
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	got := back[0].Refs()[0].Call
	want := []fleet.FailedShare{
		{ImageID: "m-1", Accounts: []fleet.AccountID{"2", "3"}, Time: "2026-11-20T08:15:31Z", Code: fleet.AssumeRoleError},
		{ImageID: "m-2", Accounts: []fleet.AccountID{"4"}, Time: "2026-11-20T08:15:30Z", Code: "OperationDeined.FullImage"},
	}
	if diff := cmp.Diff(want, got.FailedShares()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(call, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyACallWithACodeOfTheTableHasFailedShares(t *testing.T) {
	share := &fleet.Share{ImageID: "m-1", Add: []fleet.AccountID{"2"}}
	for name, c := range map[string]*fleet.Call{
		"no call": nil, "no share": {ErrorCode: fleet.AssumeRoleError}, "no error": {Share: share}, "another error": {ErrorCode: "Throttling", Share: share},
	} {
		if got := c.FailedShares(); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Whoever writes a message need not sort: what is the same is the same.
func TestAccountsOfFailedSharesAreSortedWhoeverWroteThem(t *testing.T) {
	mixed := []fleet.AccountID{"4", "3", "4"}
	call := &fleet.Call{ErrorCode: fleet.AssumeRoleError, Share: &fleet.Share{Add: mixed, Also: []fleet.FailedShare{{ImageID: "m-2", Accounts: mixed}}}}
	want := []fleet.FailedShare{{Accounts: []fleet.AccountID{"3", "4"}, Code: fleet.AssumeRoleError}, {ImageID: "m-2", Accounts: []fleet.AccountID{"3", "4"}, Code: fleet.AssumeRoleError}}
	if diff := cmp.Diff(want, call.FailedShares()); diff != "" {
		t.Error(diff)
	}
	if mixed[0] != "4" {
		t.Error("the message was written to")
	}
}
