package invocation_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/aliyun/aliyuntest"
	"fleetwarden/shared/aliyun/sts"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/invocation"
	"fleetwarden/shared/policy"
	"fleetwarden/shared/reconcile"
)

var admin = aliyun.Keys{AccessKeyID: "local-ak", AccessKeySecret: "local-sk"}

// abroad is a process that makes calls, in a cloud whose member account has the role
// FleetwardenMember. Its clock is late by what a test adds.
type abroad struct {
	*testing.T
	cloud   *server.Server
	aliyun  *aliyun.Cloud
	members *invocation.Members
	late    time.Duration // set between calls
}

func newAbroad(t *testing.T) *abroad {
	t.Helper()
	cloud := aliyuntest.Serve(t, server.Options{})
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + server.Sharer + `:root"]}}]}`
	if err := cloud.RAM.AddRole(server.Member, "FleetwardenMember", trust, nil); err != nil {
		t.Fatal(err)
	}
	client := aliyuntest.Cloud(t, cloud.URL(), admin)
	a := &abroad{T: t, cloud: cloud, aliyun: client, members: &invocation.Members{}}
	a.members.Now = func() time.Time { return time.Now().Add(a.late) }
	return a
}

// call is an invocation of the process.
func (a *abroad) call() *invocation.Invocation {
	p := policy.Policy{Accounts: []policy.Account{
		{ID: server.Sharer}, {ID: server.Sharee}, {ID: server.Member, Role: "FleetwardenMember"}, {ID: "4", Role: "None"},
	}}
	return &invocation.Invocation{
		Home: fleet.Scope{Account: server.Sharer, Region: server.Home}, Session: a.aliyun.NewSession(0), Members: a.members,
		Options: reconcile.Options{Policy: &p, Stamp: fleet.Record{Function: "attach-role"}},
	}
}

// assumed is how often the cloud was asked for keys, well or not.
func (a *abroad) assumed() (n int) {
	for _, total := range a.cloud.Log.Totals() {
		if total.Action == "AssumeRole" {
			n += total.Count
		}
	}
	return n
}

func TestEachAccountHasASessionWithItsOwnKeys(t *testing.T) {
	a := newAbroad(t)
	call := a.call()
	for account, calls := range map[fleet.AccountID]int{server.Sharer: 0, server.Member: 1} {
		before := a.assumed()
		s, err := call.In(t.Context(), account)
		if err != nil || !call.Reaches(account) {
			t.Fatalf("%s: %v, reached %v", account, err, call.Reaches(account))
		}
		if got, err := sts.CallerAccount(t.Context(), s, server.Home); got != account || err != nil {
			t.Errorf("%s: the keys are those of %q, %v", account, got, err)
		}
		if n := a.assumed() - before; n != calls {
			t.Errorf("%s: asked for keys %d times, want %d", account, n, calls)
		}
	}
	if n := call.Session.Calls()["sts:GetCallerIdentity"]["ok"]; n != 2 {
		t.Errorf("the pass counts %d calls, want those of both accounts", n)
	}
}

func TestAnUnreachableAccountIsAnErrorWithTheReason(t *testing.T) {
	a := newAbroad(t)
	for account, c := range map[fleet.AccountID]struct {
		reaches bool
		class   fleet.Class
		says    string
	}{
		server.Sharee: {false, fleet.Denied, "account " + server.Sharee + " has no role to assume: add role"},
		"9":           {false, fleet.Denied, "account 9 has no role to assume"},
		"4":           {true, fleet.NotFound, "assuming role None: sts:AssumeRole"},
	} {
		s, err := a.call().In(t.Context(), account)
		if s != nil || fleet.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.says) || a.call().Reaches(account) != c.reaches {
			t.Errorf("%s: %v, %v", account, s, err)
		}
	}
}

func TestKeysAreReusedUntilTheyMightNotOutlastAPass(t *testing.T) {
	for late, want := range map[time.Duration]int{0: 1, 39 * time.Minute: 1, 41 * time.Minute: 2} {
		a := newAbroad(t)
		for _, a.late = range []time.Duration{0, late} {
			if _, err := a.call().In(t.Context(), server.Member); err != nil {
				t.Fatal(err)
			}
		}
		if n := a.assumed(); n != want {
			t.Errorf("after %s: asked for keys %d times, want %d", late, n, want)
		}
	}
}

// The member may make its role again, or end its sessions: a warm process has keys that look
// valid until then.
func TestRefusedKeysAreReplacedOnce(t *testing.T) {
	for refusals, want := range map[int]struct {
		assumed int
		class   fleet.Class
	}{0: {1, fleet.Unclassified}, 1: {2, fleet.Unclassified}, 2: {2, fleet.Denied}} {
		a := newAbroad(t)
		s, err := a.call().In(t.Context(), server.Member)
		if err != nil {
			t.Fatal(err)
		}
		if refusals > 0 {
			if err := a.cloud.Faults.Set(1, []simcloud.Fault{{Action: "GetCallerIdentity", Kind: simcloud.ExpiredCredentials, Count: refusals}}, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := sts.CallerAccount(t.Context(), s, server.Home); fleet.ClassOf(err) != want.class || (err == nil) != (got == server.Member) {
			t.Errorf("%d refusals: account %q, %v", refusals, got, err)
		}
		if n := a.assumed(); n != want.assumed {
			t.Errorf("%d refusals: asked for keys %d times, want %d", refusals, n, want.assumed)
		}
		if again, err := a.call().In(t.Context(), server.Member); err != nil || again == nil {
			t.Errorf("%d refusals: the next pass: %v", refusals, err)
		} else if _, err := sts.CallerAccount(t.Context(), again, server.Home); err != nil {
			t.Errorf("%d refusals: the next pass: %v", refusals, err)
		}
	}
}

// Passes of one process run side by side; the race detector sees what they share.
func TestPassesSideBySideReachAnAccount(t *testing.T) {
	a := newAbroad(t)
	var passes sync.WaitGroup
	for range 8 {
		passes.Go(func() {
			if _, err := a.call().In(t.Context(), server.Member); err != nil {
				t.Error(err)
			}
		})
	}
	passes.Wait()
	if n := a.assumed(); n < 1 || n > 8 {
		t.Errorf("asked for keys %d times", n)
	}
}

func TestARefusalIsNotCachedAndThrottlingIsRetried(t *testing.T) {
	a := newAbroad(t)
	for kind, class := range map[simcloud.FaultKind]fleet.Class{simcloud.Deny: fleet.Denied, simcloud.Throttle: fleet.Throttled} {
		fault := []simcloud.Fault{{Product: "sts", Action: "AssumeRole", Kind: kind}}
		if err := a.cloud.Faults.Set(1, fault, simcloud.EventFaults{}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.call().In(t.Context(), server.Member); fleet.ClassOf(err) != class || class.Passing() != (kind == simcloud.Throttle) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := a.cloud.Faults.Set(1, nil, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.call().In(t.Context(), server.Member); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
