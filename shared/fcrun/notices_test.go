package fcrun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/shared/fleet"
	"fleetwarden/shared/ledger"
	"fleetwarden/shared/notify"
	"fleetwarden/shared/policy"
)

var now = time.Date(2026, 12, 1, 17, 0, 0, 0, time.UTC) // the day after, in Shanghai

func collecting(channels ...policy.Channel) *notices {
	return &notices{policy: policy.Notify{Zone: time.FixedZone("Asia/Shanghai", 8*60*60), Channels: channels}}
}

// handed ends the notices, and returns the ids that were sent and what they name.
func handed(t *testing.T, n *notices) (ids []string, found notify.Found, store ledger.Store) {
	t.Helper()
	store = ledger.NewFolder(t.TempDir())
	stamp := fleet.Record{Function: "attach-role", Request: "1-65a4"}
	err := n.end(t.Context(), store, now, stamp, func(id string) error { ids = append(ids, id); return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		text, err := store.Get(t.Context(), notify.FoundObject(id))
		if err != nil {
			t.Fatal(err)
		}
		if found, err = notify.DecodeFound(id, text); err != nil {
			t.Fatal(err)
		}
	}
	return ids, found, store
}

func TestAPassHandsOverWhatChannelsWantAsOneObject(t *testing.T) {
	n := collecting(policy.Channel{Least: fleet.High}, policy.Channel{Least: fleet.Low, Accounts: []fleet.AccountID{"2"}, Changes: true})
	add := func(account fleet.AccountID, outcome fleet.Outcome, severity fleet.Severity, id string) {
		n.record(fleet.Record{Finding: &fleet.FindingRecord{Control: "agent", Rule: "agent-online", Outcome: outcome, Severity: severity, Account: account, Region: "cn-hangzhou", ID: id, Reason: "reason of " + id}})
	}
	add("1", fleet.Violation, fleet.High, "i-1")
	add("1", fleet.Violation, fleet.High, "i-1") // checked twice
	add("1", fleet.Undecided, fleet.Critical, "i-2")
	add("1", fleet.Violation, fleet.Low, "i-3") // no channel wants it
	add("1", fleet.Pending, fleet.High, "i-4")
	add("1", fleet.Passes, "", "i-5")
	add("2", fleet.Violation, fleet.Low, "i-6")
	for _, state := range []fleet.State{fleet.Done, fleet.Planned, fleet.Failed} {
		for _, account := range []fleet.AccountID{"1", "2"} {
			n.record(fleet.Record{Change: &fleet.ChangeRecord{Control: "agent", Rule: "agent-online", Kind: fleet.PushAgent, Account: account, Region: "cn-hangzhou", ID: fmt.Sprint("i-", state), State: state}})
		}
	}
	ids, found, _ := handed(t, n)
	if diff := cmp.Diff([]string{"2026-12-02/20261201T170000.attach-role.1-65a4"}, ids); diff != "" {
		t.Error(diff)
	}
	here := []fleet.Region{"cn-hangzhou"}
	want := []notify.Group{
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Violation, Severity: fleet.Critical, Account: "1", Regions: here, IDs: []string{"i-1", "i-2"}, Count: 2, Example: "i-2", Reason: "reason of i-2"},
		{Control: "agent", Rule: "agent-online", Outcome: fleet.Violation, Severity: fleet.Low, Account: "2", Regions: here, IDs: []string{"i-6"}, Count: 1, Example: "i-6", Reason: "reason of i-6"},
		{Control: "agent", Rule: "agent-online", Change: fleet.PushAgent, Severity: fleet.Info, Account: "2", Regions: here, IDs: []string{"i-done"}, Count: 1, Example: "i-done"},
	}
	if diff := cmp.Diff(want, found.Groups); diff != "" {
		t.Error(diff)
	}
}

// The class: what no channel wants costs no call.
func TestAPassWithoutNewsHandsOverNothing(t *testing.T) {
	failing := fleet.Record{Finding: &fleet.FindingRecord{Outcome: fleet.Violation, Severity: fleet.High}}
	for name, n := range map[string]*notices{"no channel": collecting(), "a channel of other controls": collecting(policy.Channel{Controls: []string{"agent"}}), "not configured": {}} {
		n.record(failing)
		n.record(fleet.Record{Pass: &fleet.Pass{}})
		if err := n.end(t.Context(), nil, now, fleet.Record{}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatCannotBeHandedOverIsAnErrorThatSaysWhy(t *testing.T) {
	full, refused := func() *notices {
		n := collecting(policy.Channel{})
		n.record(fleet.Record{Finding: &fleet.FindingRecord{Outcome: fleet.Violation, Severity: fleet.High, ID: "i-1"}})
		return n
	}, errors.New("the queue does not exist")
	store := ledger.NewFolder(t.TempDir())
	stamp := fleet.Record{Function: "f", Request: "r"}
	if err := full().end(t.Context(), store, now, stamp, func(string) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if err := full().end(t.Context(), store, now, stamp, func(string) error { return nil }); err != nil {
		t.Errorf("the object is there, as when the answer was lost: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := full().end(ended, store, now, stamp, func(string) error { t.Error("sent"); return nil }); err == nil {
		t.Error("an object that could not be written is no error")
	}
	late, cancel := context.WithTimeout(t.Context(), closing/2)
	defer cancel()
	if err := full().end(late, store, now, stamp, nil); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("without time: %v", err)
	}
}
