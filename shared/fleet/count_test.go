package fleet_test

import (
	"fmt"
	"testing"

	"fleetwarden/shared/fleet"
)

var place = fleet.Scope{Account: "1000000000000001", Region: "cn-hangzhou"}

func attach(id string) fleet.Change {
	return fleet.Change{Kind: fleet.AttachRole, Ref: fleet.Ref{Scope: place, Kind: fleet.KindInstance, ID: id}, Want: "role"}
}

func ensure(role string) fleet.Change {
	return fleet.Change{Kind: fleet.EnsureRole, Ref: fleet.Ref{Scope: fleet.Scope{Account: place.Account}, Kind: fleet.KindRole, ID: role}, Want: "policy"}
}

func TestAChangeThatManyInstancesShareIsCountedOnce(t *testing.T) {
	var d fleet.Distinct
	for i := range 1000 {
		id := fmt.Sprintf("i-%d", i)
		d.Add(ensure("shared").Identity())
		d.Add(attach(id).Identity())
		replace := attach(id)
		replace.Kind, replace.Before = fleet.ReplaceRole, "theirs"
		d.Add(replace.Identity())
		if d.Add(attach(id).Identity()) {
			t.Fatal("two rules that ask for the same of an instance are two changes")
		}
	}
	if d.N != 2001 || d.Disturbing != 1000 {
		t.Errorf("%d changes, %d of them disturb; want 2001 and 1000", d.N, d.Disturbing)
	}
}

func TestChangesThatDifferInAnyMemberAreSeveral(t *testing.T) {
	base := ensure("a")
	others := []fleet.Change{base, base, base, base, base}
	others[0].Kind = fleet.GrantRole
	others[1].Ref.ID = "b"
	others[2].Ref.Scope.Account = "1000000000000002"
	others[3].Before = "x"
	others[4].Want = "y"
	var d fleet.Distinct
	d.Add(base.Identity())
	for i, c := range others {
		if !d.Add(c.Identity()) {
			t.Errorf("change %d is taken for the first one", i)
		}
	}
	base.Reason = "in other words"
	if d.Add(base.Identity()) {
		t.Error("a reason makes no other change")
	}
}

func TestCountingContinuesElsewhere(t *testing.T) {
	var d fleet.Distinct
	d.Add(ensure("a").Identity())
	d.Add(attach("i-1").Identity())
	next := fleet.Resume(d.Total, d.Shared())
	if next.Add(ensure("a").Identity()) || !next.Add(ensure("b").Identity()) || next.N != 3 {
		t.Errorf("%d changes, want 3", next.N)
	}
}

func TestARecordHasTheIdentityOfItsChange(t *testing.T) {
	c := ensure("a")
	c.Before = "before"
	r := fleet.ChangeRecord{Kind: c.Kind, Account: c.Ref.Scope.Account, Region: c.Ref.Scope.Region, RefKind: c.Ref.Kind, ID: c.Ref.ID,
		Before: c.Before, Want: c.Want, State: fleet.Done, Why: "why", Rule: "rule"}
	if r.Identity() != c.Identity() {
		t.Errorf("%v, want %v", r.Identity(), c.Identity())
	}
}
