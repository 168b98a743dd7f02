package simcloud_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetwarden/deploy/local/simcloud"
)

func TestFaultHitsOnlyTheCallsItNames(t *testing.T) {
	var f simcloud.Faults
	err := f.Set(1, []simcloud.Fault{
		{Product: "ecs", Action: "RunInstances", Role: "fn", Kind: simcloud.Throttle, Skip: 1, Count: 2},
	}, simcloud.EventFaults{})
	if err != nil {
		t.Fatal(err)
	}
	calls := [][3]string{
		{"ecs", "RunInstances", "fn"}, {"ecs", "RunInstances", "other"}, {"ram", "RunInstances", "fn"},
		{"ecs", "DescribeInstances", "fn"}, {"ecs", "RunInstances", "fn"}, {"ecs", "RunInstances", "fn"}, {"ecs", "RunInstances", "fn"},
	}
	var got []simcloud.FaultKind
	for _, c := range calls {
		got = append(got, f.Next(simcloud.FaultCall{Product: c[0], Action: c[1], Role: c[2]}))
	}
	want := []simcloud.FaultKind{"", "", "", "", "throttle", "throttle", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFaultIsNarrowedByEveryField(t *testing.T) {
	call := simcloud.FaultCall{Product: "ecs", Action: "DescribeInstances", Account: "1", Region: "cn-hangzhou", Role: "fn"}
	next, paged, temporary := call, call, call
	next.Continues, next.Token = true, true
	paged.Continues = true
	temporary.Temporary = true
	for _, x := range []struct {
		fault simcloud.Fault
		call  simcloud.FaultCall
		hit   bool
	}{
		{simcloud.Fault{Kind: simcloud.Deny}, call, true},
		{simcloud.Fault{Kind: simcloud.Deny, Account: "1"}, call, true},
		{simcloud.Fault{Kind: simcloud.Deny, Account: "2"}, call, false},
		{simcloud.Fault{Kind: simcloud.TimeoutBefore, Region: "cn-hangzhou"}, call, true},
		{simcloud.Fault{Kind: simcloud.TimeoutBefore, Region: "cn-shanghai"}, call, false},
		{simcloud.Fault{Kind: simcloud.RepeatPage}, call, false},
		{simcloud.Fault{Kind: simcloud.RepeatPage}, paged, true},
		{simcloud.Fault{Kind: simcloud.RepeatPage, Action: "DescribeDisks"}, paged, false},
		{simcloud.Fault{Kind: simcloud.ExpiredPage}, paged, false},
		{simcloud.Fault{Kind: simcloud.ExpiredPage}, next, true},
		{simcloud.Fault{Kind: simcloud.ExpiredCredentials}, call, false},
		{simcloud.Fault{Kind: simcloud.ExpiredCredentials}, temporary, true},
	} {
		var f simcloud.Faults
		if err := f.Set(1, []simcloud.Fault{x.fault}, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		if got := f.Next(x.call) != simcloud.NoFault; got != x.hit {
			t.Errorf("%+v hits %+v: %t, want %t", x.fault, x.call, got, x.hit)
		}
	}
}

func TestSameSeedGivesTheSameFaults(t *testing.T) {
	run := func(seed uint64) (kinds []simcloud.FaultKind, fates []simcloud.EventFate) {
		var f simcloud.Faults
		err := f.Set(seed, []simcloud.Fault{{Kind: simcloud.Empty, Probability: 0.5}},
			simcloud.EventFaults{Duplicate: 0.3, Lose: 0.3, Delay: 0.5, MaxDelay: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			kinds = append(kinds, f.Next(simcloud.FaultCall{Product: "ecs", Action: "X"}))
			fates = append(fates, f.Event())
		}
		return kinds, fates
	}
	k1, e1 := run(7)
	k2, e2 := run(7)
	k3, _ := run(8)
	if !cmp.Equal(k1, k2) || !cmp.Equal(e1, e2) {
		t.Error("the same seed gave other faults")
	}
	if cmp.Equal(k1, k3) {
		t.Error("another seed gave the same faults")
	}
	for _, fate := range e1 {
		if fate.Copies != len(fate.Delay) || fate.Copies > 2 {
			t.Fatalf("odd fate %+v", fate)
		}
	}
}

func TestNoPlanMeansNoFault(t *testing.T) {
	var f simcloud.Faults
	if k := f.Next(simcloud.FaultCall{Product: "ecs", Action: "X"}); k != simcloud.NoFault {
		t.Errorf("got %q", k)
	}
	if diff := cmp.Diff(simcloud.EventFate{Copies: 1, Delay: []time.Duration{0}}, f.Event()); diff != "" {
		t.Error(diff)
	}
}

func TestBadPlansAreRefused(t *testing.T) {
	var f simcloud.Faults
	for _, x := range []simcloud.Fault{
		{Kind: "explode"}, {}, {Kind: simcloud.Throttle, Probability: 2}, {Kind: simcloud.Throttle, Count: -1},
	} {
		if f.Set(1, []simcloud.Fault{x}, simcloud.EventFaults{}) == nil {
			t.Errorf("%+v was taken", x)
		}
	}
	if f.Set(1, nil, simcloud.EventFaults{Lose: 1.5}) == nil {
		t.Error("a chance above 1 was taken")
	}
}
