package aliyun_test

import (
	"sync"
	"testing"

	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/shared/aliyun"
	"fleetwarden/shared/fleet"
)

var memberKeys = aliyun.Keys{AccessKeyID: "member-ak", AccessKeySecret: "member-sk"}

func TestASessionOfAnotherAccountSignsWithItsOwnKeys(t *testing.T) {
	cloud := startCloud(t)
	home, _ := newSession(t, cloud.URL(), 0)
	member := home.As(memberKeys, nil)
	for range 2 { // neither takes the other's keys
		for s, want := range map[*aliyun.Session]string{home: server.Sharer, member: server.Member} {
			if got, err := read(t.Context(), s); err != nil || got.AccountID != want {
				t.Errorf("got %v, %v, want account %s", got, err, want)
			}
		}
	}
}

func TestSessionsOfOnePassSpendOneBudgetAndHaveOneClock(t *testing.T) {
	cloud := startCloud(t)
	home, _ := newSession(t, cloud.URL(), 2)
	home.Limit(map[string]int{"CreateRole": 1})
	member := home.As(memberKeys, nil)
	if _, err := read(t.Context(), member); err != nil {
		t.Fatal(err)
	}
	if !home.Now().Equal(member.Now()) || !home.Now().Equal(cloud.World.Clock.Now()) {
		t.Errorf("home %s, member %s, the cloud %s", home.Now(), member.Now(), cloud.World.Clock.Now())
	}
	if err := write(t.Context(), home, "a"); err != nil {
		t.Fatal(err)
	}
	if err := write(t.Context(), member, "b"); fleet.ClassOf(err) != fleet.OutOfBudget {
		t.Errorf("beyond the action's limit: %v", err)
	}
	if _, err := read(t.Context(), home); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t.Context(), member); fleet.ClassOf(err) != fleet.OutOfBudget || home.Left() != 0 || member.Left() != 0 {
		t.Errorf("beyond the budget: %v, %d and %d left", err, home.Left(), member.Left())
	}
	if n := home.Calls()["sts:GetCallerIdentity"]["ok"]; n != 2 || member.Calls()["ram:CreateRole"]["ok"] != 1 {
		t.Errorf("counted %v", home.Calls())
	}
}

// The race detector sees what the sessions share.
func TestSessionsOfTwoAccountsWorkSideBySide(t *testing.T) {
	cloud := startCloud(t)
	home, _ := newSession(t, cloud.URL(), 0)
	var wg sync.WaitGroup
	for _, s := range []*aliyun.Session{home, home.As(memberKeys, nil), home.As(memberKeys, nil)} {
		wg.Go(func() {
			for range 10 {
				if _, err := read(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := home.Calls()["sts:GetCallerIdentity"]["ok"]; n != 30 {
		t.Errorf("counted %d calls, want 30", n)
	}
}
