package scenario_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/simcloud/ecs"
	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
)

// Eight windows come to a function at once, and each of its passes takes 200 s. Of what
// only one pass at a time may write there is one writer: the other windows are refused
// with 429 and tried again, for as long as it takes.

const (
	windows = 8
	full    = 100 // messages
	passing = 200 * time.Second
)

// crowd puts eight full windows into the inbox of a function whose passes last.
func crowd(t *testing.T, s *stage.Stage, function string, message func(n int) fleet.Message) {
	t.Helper()
	s.Stack.Lengthen(function, passing)
	for n := range windows * full {
		body, err := json.Marshal(message(n))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Server.MNS.Send(inbox(function), mns.Outgoing{Body: string(body)}); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, s)
}

func inbox(function string) mns.Queue {
	return mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fleetwarden-" + function}
}

// wantOneWriter checks that no two passes overlapped, though windows came beside one, and
// that nothing was lost.
func wantOneWriter(t *testing.T, s *stage.Stage, function string) {
	t.Helper()
	refused := 0
	var passes []fc.Invocation
	for _, i := range s.Stack.Invocations() {
		switch {
		case i.Function != function:
		case i.ErrorType == fc.Exhausted:
			refused++
		case i.ErrorType != "":
			t.Errorf("a pass of %s failed: %s", function, i.Error)
		default:
			passes = append(passes, i)
		}
	}
	slices.SortFunc(passes, func(a, b fc.Invocation) int { return a.Start.Compare(b.Start) })
	for n := 1; n < len(passes); n++ {
		if passes[n].Start.Before(passes[n-1].End) {
			t.Errorf("a pass of %s began at %v, before the end of another at %v", function, passes[n].Start, passes[n-1].End)
		}
	}
	if refused < windows-1 || len(passes) < windows {
		t.Errorf("%s: %d windows were refused and %d passes made, want at least %d and %d", function, refused, len(passes), windows-1, windows)
	}
	if n := deadLetters(s); n != 0 {
		t.Errorf("%d dead letters", n)
	}
	st, err := s.Server.MNS.Attributes(inbox(function))
	if err != nil || st.Active+st.Inactive+st.Delayed != 0 {
		t.Errorf("the inbox of %s holds %+v (%v)", function, st, err)
	}
}

func TestEightWindowsAtOncePushOnceToEachInstance(t *testing.T) {
	t.Parallel()
	s := play(t, stage.Options{})
	linux, err := s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 120, Agent: "uninstalled"})
	if err != nil {
		t.Fatal(err)
	}
	windowsFleet, err := s.Server.ECS.SeedFleet(ecs.FleetSpec{Count: 40, Agent: "uninstalled", OS: "windows"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := soon()
	defer stop()
	if err := s.Advance(ctx, 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	ids := slices.Concat(linux.IDs, windowsFleet.IDs)
	crowd(t, s, "push-agent", func(n int) fleet.Message { // each window overlaps the one before by 40 instances
		return fleet.Message{V: fleet.MessageVersion, Scope: fleet.Scope{Account: server.Sharer, Region: server.Home}, Kind: fleet.KindInstance,
			IDs: []string{ids[(n/full*60+n%full)%len(ids)]}}
	})
	wantOneWriter(t, s, "push-agent")
	wantOnline(t, s, fleet.CommandAgentLinux, linux.IDs)
	wantOnline(t, s, fleet.CommandAgentWindows, windowsFleet.IDs)
}

func TestEightWindowsAtOnceMakeAShareRoleOnce(t *testing.T) {
	t.Parallel()
	s := newSharer(t, stage.Options{})
	image := s.image()
	if err := s.shareImage(image, server.Sharee); err == nil {
		t.Fatal("the first share needs no role")
	}
	kinds := []fleet.Kind{fleet.KindImageShare, fleet.KindSnapshotShare}
	crowd(t, s.Stage, "setup-share-role", func(n int) fleet.Message {
		return fleet.Message{V: fleet.MessageVersion, Scope: fleet.Scope{Account: server.Sharer}, Kind: kinds[n%2], IDs: []string{""}}
	})
	wantOneWriter(t, s.Stage, "setup-share-role")
	s.wantRecord(1, map[string]string{"kind": "ensure-share-role", "state": "done", "id": fleet.ImageShareRole})
	if err := s.shareImage(image, server.Sharee); err != nil {
		t.Fatal(err)
	}
	s.wantUsable(server.Sharee, image, true)
	if n := count(s.Stage, "setup-share-role", "ram:UpdateRole", anyCode); n != 0 {
		t.Errorf("%d changes of a role that was right", n)
	}
}
