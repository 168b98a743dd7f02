package scenario_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetwarden/deploy/local/fc"
	"fleetwarden/deploy/local/stage"
	"fleetwarden/shared/fleet"
	"fleetwarden/test/simcloud/mns"
	"fleetwarden/test/simcloud/server"
)

const repeatedShare = "ecs:ModifyImageSharePermission"

// Killed at each of its calls in turn, setup-share-role repeats a share once at most, and
// says so where it did not. What the sharer has ended since stays ended.
func TestAShareIsRepeatedOnceAtMostWhereverThePassDies(t *testing.T) {
	calls := repeating(t, 0, fc.Before)
	if calls < 10 {
		t.Fatalf("only %d calls", calls)
	}
	for n := range calls {
		for _, when := range []fc.When{fc.Before, fc.After} {
			t.Run(fmt.Sprintf("call %d, carried out %t", n+1, when), func(t *testing.T) {
				t.Parallel()
				repeating(t, n+1, when)
			})
		}
	}
}

// repeating tells the story of a share that fails and is repeated, by a function that dies
// at its nth call; 0 for none. It returns how many calls the function made.
func repeating(t *testing.T, n int, when fc.When) int {
	t.Helper()
	s := newSharer(t, stage.Options{Policy: "share_retry.yaml", Optional: []string{"setup-share-role-retry"}})
	id := s.image()
	if n > 0 {
		s.Stack.Kill("setup-share-role", n, when)
	}
	if err := s.shareImage(id, server.Sharee); err == nil {
		t.Fatal("an encrypted image was shared without the role")
	}
	s.pass(40 * time.Minute)
	calls := count(s.Stage, "setup-share-role", "*", anyCode)
	s.wantRepeatedOrSaid(id)

	// The sharer shares it, ends that, and the event of the first call comes again.
	if err := s.shareImage(id, server.Sharee); err != nil {
		t.Errorf("sharing again: %v", err)
	}
	s.operator("2014-05-26", "ModifyImageSharePermission", map[string]string{"ImageId": id, "RemoveAccount.1": server.Sharee})
	s.claim(id)
	s.pass(20 * time.Minute)
	s.wantUsable(server.Sharee, id, false)
	if made := count(s.Stage, "setup-share-role", repeatedShare, carriedOut); made > 1 {
		t.Errorf("the share was repeated %d times", made)
	}
	if letters := deadLetters(s.Stage); letters > 0 {
		t.Errorf("%d dead letters", letters)
	}
	return calls
}

// wantRepeatedOrSaid checks that the share stands, or that a finding says why not, and
// that the ledger tells of no share that was not made.
func (s *sharer) wantRepeatedOrSaid(image string) {
	s.t.Helper()
	usable, why := s.Server.Usable(server.Sharee, server.Home, image)
	all, err := s.Records()
	if err != nil {
		s.t.Fatal(err)
	}
	said := map[string]string{"rule": "failed-share", "outcome": "violation", "reason": "*the pass died before the share*"}
	if !usable && !slices.ContainsFunc(all, func(r stage.Record) bool { return r.Match(said) }) {
		s.t.Errorf("not usable (%s), and nothing says so:\n%s", why, showAll(all))
	}
	ledger, err := book(s.Stage, "setup-share-role")
	if err != nil {
		s.t.Fatal(err)
	}
	if done := ledger[entry{fleet.RetryShare, image, fleet.Done}]; done > 0 && !usable {
		s.t.Errorf("not usable (%s), and the ledger says that it was shared", why)
	}
}

// claim puts the message of a failed share into the inbox, as a queue may do twice.
func (s *sharer) claim(image string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"v": 1, "scope": {"account": %q}, "kind": "image-share", "ids": [""], "try": 0, "call": {"name": "ModifyImageSharePermission",
		"time": "2026-01-05T00:00:00Z", "errorCode": "AssumeRoleError", "share": {"imageId": %q, "add": [%q]}}}`, server.Sharer, image, server.Sharee)
	inbox := mns.Queue{Account: server.Sharer, Region: server.Home, Name: "fw-setup-share-role"}
	if _, err := s.Server.MNS.Send(inbox, mns.Outgoing{Body: body}); err != nil {
		s.t.Fatal(err)
	}
}
