package events_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/events"
	"fleetwarden/shared/fleet"
)

func at(minute int) string {
	return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC).Format(time.RFC3339)
}

// lacking is an event of a share that failed for want of the role.
func lacking(minute int, image string, accounts ...fleet.AccountID) events.Event {
	return claiming(fleet.AssumeRoleError, image, at(minute), accounts...)
}

func share(minute int, image string, accounts ...fleet.AccountID) fleet.FailedShare {
	return fleet.FailedShare{ImageID: image, Accounts: accounts, Time: at(minute), Code: fleet.AssumeRoleError}
}

func TestFailedSharesOfAWindowKeepTheirImagesAndTheirAccounts(t *testing.T) {
	one, two, other := lacking(0, "m-1", "3", "2"), lacking(1, "m-2", "3", "4"), lacking(2, "m-1", "5")
	want := []fleet.FailedShare{share(2, "m-1", "5"), share(1, "m-2", "3", "4"), share(0, "m-1", "2", "3")}
	for _, window := range [][]events.Event{{one, two, other}, {other, two, one}, {two, other, one}, {one, other, two}} {
		c := joined(t, window...).Call
		if diff := cmp.Diff(want, c.FailedShares()); diff != "" {
			t.Error(diff)
		}
	}
	if s := one.Refs[0].Call.Share; len(s.Also) != 0 || s.Add[0] != "3" {
		t.Errorf("an event's own call was written to: %+v", s)
	}
}

func TestAFailedShareThatComesTwiceIsOneAndTheLaterTimeCounts(t *testing.T) {
	window := []events.Event{lacking(0, "m-1", "2", "3"), lacking(5, "m-2", "2"), lacking(3, "m-1", "3", "2"), lacking(5, "m-2", "2")}
	want := []fleet.FailedShare{share(5, "m-2", "2"), share(3, "m-1", "2", "3")}
	if diff := cmp.Diff(want, joined(t, window...).Call.FailedShares()); diff != "" {
		t.Error(diff)
	}
}

func TestJoinedSharesKeepTheirCodes(t *testing.T) {
	one, two := claiming("OperationDeined.FullImage", "m-1", at(0), "2"), lacking(1, "m-2", "3")
	full := share(0, "m-1", "2")
	full.Code = "OperationDeined.FullImage"
	for _, window := range [][]events.Event{{one, two}, {two, one}} {
		if diff := cmp.Diff([]fleet.FailedShare{share(1, "m-2", "3"), full}, joined(t, window...).Call.FailedShares()); diff != "" {
			t.Error(diff)
		}
	}
}

// Windows join again: a message holds what a window came to, and comes with others.
func TestJoinedSharesJoinAgain(t *testing.T) {
	again := events.Event{Kind: fleet.EventImageShare, Refs: []fleet.Ref{joined(t, lacking(0, "m-1", "2"), lacking(1, "m-2", "3"))}}
	other := events.Event{Kind: fleet.EventImageShare, Refs: []fleet.Ref{joined(t, lacking(2, "m-3", "4"), lacking(1, "m-2", "3"))}}
	want := []fleet.FailedShare{share(2, "m-3", "4"), share(1, "m-2", "3"), share(0, "m-1", "2")}
	for _, window := range [][]events.Event{{again, other}, {other, again}} {
		if diff := cmp.Diff(want, joined(t, window...).Call.FailedShares()); diff != "" {
			t.Error(diff)
		}
	}
}

// A queue takes messages of 64 KiB; what is left out is the oldest.
func TestAWindowOfFailedSharesFitsIntoAMessage(t *testing.T) {
	long := make([]fleet.AccountID, 100)
	for i := range long {
		long[i] = fleet.AccountID(fmt.Sprintf("%016d", i))
	}
	for name, x := range map[string]struct {
		accounts []fleet.AccountID
		keeps    func(n int) bool
	}{
		"as many accounts as ECS obeys": {long[:10], func(n int) bool { return n == fleet.MaxBatch }},
		"ten times as many":             {long, func(n int) bool { return n >= 10 && n < fleet.MaxBatch }},
	} {
		var window []events.Event
		for i := range 150 {
			window = append(window, lacking(i, fmt.Sprintf("m-bp1a2b3c4d5e6f7g%04d", i), x.accounts...))
		}
		ref := joined(t, window...)
		got := ref.Call.FailedShares()
		if !x.keeps(len(got)) || got[0].Time != at(149) || got[len(got)-1].Time != at(150-len(got)) {
			t.Errorf("%s: kept %d, from %s to %s", name, len(got), got[len(got)-1].Time, got[0].Time)
		}
		body, err := json.Marshal(fleet.Messages([]fleet.Ref{ref}))
		if err != nil || len(body) > 48<<10 {
			t.Errorf("%s: a message of %d bytes, %v", name, len(body), err)
		}
	}
}

// One request that names more than fits does not crowd out the others.
func TestAShareThatIsTooLongIsLeftOutAndNotItsNeighbours(t *testing.T) {
	huge := make([]fleet.AccountID, 10_000)
	for i := range huge {
		huge[i] = fleet.AccountID(fmt.Sprintf("%016d", i))
	}
	got := joined(t, lacking(0, "m-1", "2"), lacking(1, "m-huge", huge...), lacking(2, "m-2", "3")).Call.FailedShares()
	if diff := cmp.Diff([]fleet.FailedShare{share(2, "m-2", "3"), share(0, "m-1", "2")}, got); diff != "" {
		t.Error(diff)
	}
}

// Of the accounts of a request, a record is taken for a hundred: ECS obeys ten.
func TestARecordNamesNoMoreAccountsThanAreWorthKeeping(t *testing.T) {
	var params []string
	for i := range 300 {
		params = append(params, fmt.Sprintf(`"AddAccount.%d": "%016d"`, i+1, i))
	}
	record := `{"specversion": "1.0", "id": "e-1", "source": "acs.ecs", "type": "ecs:ActionTrail:ApiCall", "aliyunaccountid": "1000000000000001", "aliyunregionid": "cn-hangzhou",
		"data": {"eventId": "e-1", "eventVersion": 1, "eventName": "ModifyImageSharePermission", "eventType": "ApiCall", "serviceName": "Ecs", "eventTime": "2026-01-05T00:00:00Z",
		"acsRegion": "cn-hangzhou", "recipientAccountId": "1000000000000001", "errorCode": "AssumeRoleError",
		"requestParameters": {"ImageId": "m-1", ` + strings.Join(params, ", ") + `}}}`
	for ev, err := range events.Decode([]byte(record)) {
		if err != nil || ev.Call == nil || ev.Call.Share == nil {
			t.Fatalf("%+v, %v", ev, err)
		}
		if n := len(ev.Call.Share.Add); n != 100 {
			t.Errorf("%d accounts", n)
		}
	}
}

// Ids of images are claimed, too: what stands in one takes more room once it is written.
func TestImagesWithOddNamesFitIntoAMessageAsWell(t *testing.T) {
	var window []events.Event
	for i := range 150 {
		window = append(window, lacking(i, strings.Repeat("<\x01", 100)+fmt.Sprint(i), "2"))
	}
	ref := joined(t, window...)
	body, err := json.Marshal(fleet.Messages([]fleet.Ref{ref})[0])
	if err != nil || len(body) > 64<<10 || len(ref.Call.FailedShares()) < 10 {
		t.Errorf("%d bytes for %d shares, %v", len(body), len(ref.Call.FailedShares()), err)
	}
}
