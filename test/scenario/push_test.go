package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
	"fleetwarden/shared/rules/instances"
)

// lacks are the instances of a story in which push-agent makes each of its writes once:
// without the agent, by system; unknown to Security Center; without the trust client.
type lacks struct{ linux, windows, unknown, sixth []string }

func seedLacks(t *testing.T, s *stage.Stage) lacks {
	t.Helper()
	fleets := lacking(t, s, ecs.FleetSpec{Count: 2}, ecs.FleetSpec{Count: 1, OS: "windows"},
		ecs.FleetSpec{Count: 1, Agent: "unknown"}, ecs.FleetSpec{Count: 1, InstanceType: "ecs.g6t.large"})
	return lacks{linux: fleets[0], windows: fleets[1], unknown: fleets[2], sixth: fleets[3]}
}

// wantPushed checks that all have what they lacked, and that none was pushed to twice.
func (l lacks) wantPushed(t *testing.T, s *stage.Stage) {
	t.Helper()
	wantOnline(t, s, fleet.CommandAgentLinux, slices.Concat(l.linux, l.unknown, l.sixth))
	wantOnline(t, s, fleet.CommandAgentWindows, l.windows)
	wantRun(t, s, fleet.CommandTrustClient, l.sixth)
	for _, id := range l.sixth {
		i, _ := s.Server.ECS.Instance(server.Sharer, server.Home, id)
		if !i.TrustClient || i.Tags[instances.TagTrustClient] != instances.TrustClientVersion {
			t.Errorf("%s has the trust client: %t, and the tags %v", id, i.TrustClient, i.Tags)
		}
	}
	if n := deadLetters(s); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	if t.Failed() {
		t.Logf("records:\n%s", records(t, s))
	}
}

func wantOnline(t *testing.T, s *stage.Stage, command string, ids []string) {
	t.Helper()
	for _, id := range ids {
		if status, sub, _ := s.Server.SAS.Agent(server.Sharer, id); status != "online" {
			t.Errorf("the agent of %s is %s/%s", id, status, sub)
		}
	}
	wantRun(t, s, command, ids)
}

// wantRun checks that a command ran on each of the instances once, and well.
func wantRun(t *testing.T, s *stage.Stage, command string, ids []string) {
	t.Helper()
	all := tasks(s.Server, command)
	for _, id := range ids {
		if got := all[id]; len(got) != 1 || got["Success"] != 1 {
			t.Errorf("%s on %s: %v", command, id, got)
		}
	}
}

func TestTwoHundredAgentsComeOnlineThoughThreeCallsOfTenAreRefused(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			s := play(t, stage.Options{})
			var faults []simcloud.Fault
			for _, product := range []string{"ecs", "sas", "mns"} {
				faults = append(faults, simcloud.Fault{Product: product, Role: "fleetwarden-push-agent", Kind: simcloud.Throttle, Probability: 0.3})
			}
			if err := s.Server.Faults.Set(seed, faults, simcloud.EventFaults{}); err != nil {
				t.Fatal(err)
			}
			fleets := lacking(t, s, ecs.FleetSpec{Count: 140}, ecs.FleetSpec{Count: 60, OS: "windows"})
			settle(t, s)
			refused := count(s, "push-agent", "*", anyCode) - count(s, "push-agent", "*", carriedOut)
			if refused == 0 {
				t.Error("no call was refused")
			}
			wantOnline(t, s, fleet.CommandAgentLinux, fleets[0])
			wantOnline(t, s, fleet.CommandAgentWindows, fleets[1])
			if n := deadLetters(s); n != 0 {
				t.Errorf("%d dead letters", n)
			}
		})
	}
}

// TestPushAgentMayDieAtAnyCall kills push-agent with SIGKILL at each of its API calls in
// turn, before it is carried out and after, and lets the platform go on.
func TestPushAgentMayDieAtAnyCall(t *testing.T) {
	t.Parallel()
	for _, d := range deaths(pushCalls(t)) {
		t.Run(d.String(), func(t *testing.T) {
			t.Parallel()
			s := play(t, alone("push-agent", stage.Options{}))
			s.Stack.Kill("push-agent", d.call, d.when)
			l := seedLacks(t, s)
			settle(t, s)
			l.wantPushed(t, s)
			wantDeath(t, s)
			wantClosed(t, s)
		})
	}
}

// pushCalls is how many calls push-agent needs when nothing happens to it.
func pushCalls(t *testing.T) int {
	t.Helper()
	s := play(t, alone("push-agent", stage.Options{}))
	l := seedLacks(t, s)
	settle(t, s)
	l.wantPushed(t, s)
	return count(s, "push-agent", "*", anyCode)
}

// wantClosed checks that the ledger knows the end of each change that was begun. It asks
// for that with an event that comes when nothing that died could be alive any more.
func wantClosed(t *testing.T, s *stage.Stage) {
	t.Helper()
	ctx, stop := soon()
	defer stop()
	if err := s.Advance(ctx, 15*time.Minute); err != nil {
		t.Fatal(err)
	}
	fresh := lacking(t, s, ecs.FleetSpec{Count: 1})
	settle(t, s)
	wantOnline(t, s, fleet.CommandAgentLinux, fresh[0])
	all, err := book(s, "push-agent")
	if err != nil {
		t.Fatal(err)
	}
	for e, n := range all {
		if e.state == open {
			t.Errorf("%d times the end of %s %s is not known", n, e.kind, e.id)
		}
	}
}

// pushWrites are all writes of push-agent, by product:Action, and which of their calls
// go wrong: there is one command for each system, and the trust client's.
var pushWrites = map[string]int{
	"ecs:InvokeCommand": 3, "ecs:TagResources": 1, "sas:AddInstallCode": 2, "sas:RefreshAssets": 1, "mns:BatchSendMessage": 2,
}

func TestNothingIsPushedTwiceWhereAnAnswerIsLostOrACallRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range []simcloud.FaultKind{
		simcloud.TimeoutAfter, simcloud.Empty, simcloud.TimeoutBefore, simcloud.Throttle, simcloud.Unavailable, simcloud.InternalError,
	} {
		for api, calls := range pushWrites {
			for skip := range calls {
				t.Run(fmt.Sprintf("%s %d: %s", api, skip+1, kind), func(t *testing.T) {
					t.Parallel()
					pushedWith(t, api, kind, skip)
				})
			}
		}
	}
}

// pushedWith runs the story with one call going wrong, after some that went well.
func pushedWith(t *testing.T, api string, kind simcloud.FaultKind, skip int) {
	t.Helper()
	s := play(t, alone("push-agent", stage.Options{}))
	product, action, _ := strings.Cut(api, ":")
	const caller = "fleetwarden-push-agent"
	fault := simcloud.Fault{Product: product, Action: action, Role: caller, Kind: kind, Skip: skip, Count: 1}
	if err := s.Server.Faults.Set(1, []simcloud.Fault{fault}, simcloud.EventFaults{}); err != nil {
		t.Fatal(err)
	}
	l := seedLacks(t, s)
	settle(t, s)
	if s.Server.Faults.Next(simcloud.FaultCall{Product: product, Action: action, Role: caller}) != simcloud.NoFault {
		t.Errorf("%s was not called often enough for anything to go wrong", api)
	}
	l.wantPushed(t, s)
}
