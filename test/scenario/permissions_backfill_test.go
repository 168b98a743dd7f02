package scenario_test

import (
	"context"
	"encoding/json"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetwarden/deploy/local/simcloud/mns"
	"fleetwarden/deploy/local/simcloud/server"
	"fleetwarden/deploy/local/stage"
)

// The rights of backfill are checked by what it asks for in its everyday story: nothing that
// is refused, and each action of its policy at least once. That an action matters is not
// shown again for each, as it is for the others: it reads with the controls of the sweep,
// whose stories show that. The rights of an undo are the affair of shared/operate/undo.
func TestBackfillLacksNoActionAndHasNoneUnused(t *testing.T) {
	t.Parallel()
	s := everydayBackfill(t)
	wantAllAsked(t, s, "backfill")
}

// Those two look at everything, so their policies name more than actions: each of the
// things that they may act on comes up in their stories, too. What the sweep settles in
// place of others has a story of its own; a key that is named by its alias is asked for
// as a key by the local cloud, and the vendor does not say how it does.
func TestTheSweepAndBackfillMayTouchNothingThatTheyDoNot(t *testing.T) {
	t.Parallel()
	sweep, _ := everydaySweep(t, stage.Options{})
	for function, s := range map[string]*stage.Stage{"sweep": sweep, "backfill": everydayBackfill(t)} {
		var asked []string
		for _, p := range s.Server.RAM.Permissions() {
			if p.Caller == "fleetwarden-"+function && p.Allowed {
				asked = append(asked, p.Resource)
			}
		}
		for _, resource := range resources(t, function) {
			parts := strings.Split(resource, "*")
			for i := range parts {
				parts[i] = regexp.QuoteMeta(parts[i])
			}
			fits := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
			if !slices.ContainsFunc(asked, fits.MatchString) && !strings.HasSuffix(resource, ".settled.json") && !strings.Contains(resource, ":alias/") {
				t.Errorf("%s never asked for %s", function, resource)
			}
		}
	}
}

// everydayBackfill is a story in which an operator has the function backfill do all that
// it is for, on a fleet that no function has checked.
func everydayBackfill(t *testing.T) *stage.Stage {
	t.Helper()
	s := everydayFleet(t, stage.Options{})
	for _, letter := range []string{
		`{"v": 1, "function": "attach-role", "scope": {"account": "1000000000000001", "region": "cn-hangzhou"}, "kind": "instance", "ids": ["i-local000000000000001"]}`,
		`{"v": 1, "function": "notify", "scope": {"account": "1000000000000001", "region": "cn-hangzhou"}, "kind": "card", "ids": ["2026-01-05/ops/agent.agent-online.1000000000000001"]}`,
		`{"v": 1, "function": "sweep", "scope": {"account": "1000000000000001", "region": "cn-hangzhou"}, "kind": "fleet", "ids": [""], "run": "sweep-20260105T000000Z-aaaaaa"}`,
	} {
		if _, err := s.Server.MNS.Send(deadLetterQueue, mns.Outgoing{Body: letter}); err != nil {
			t.Fatal(err)
		}
	}
	s.pass(time.Minute)
	byFunction(t, s.Stage, "redrive")
	byFunction(t, s.Stage, "plan")
	plans := kept(s.Stage, "plans/")
	if len(plans) == 0 {
		t.Fatalf("no plan was saved; records:\n%s", records(t, s.Stage))
	}
	byFunction(t, s.Stage, "apply", "--plan", strings.TrimSuffix(path.Base(plans[0]), ".json"))
	s.pass(20 * time.Minute)
	byFunction(t, s.Stage, "plan")
	byFunction(t, s.Stage, "replay", "--since", "1h", "--apply")
	byFunction(t, s.Stage, "redrive", "--apply")
	byFunction(t, s.Stage, "runs", "--count")
	byFunction(t, s.Stage, "why", "i-local000000000000001")
	if n := deadLetters(s.Stage); n != 0 {
		t.Errorf("%d dead letters after they were redriven", n)
	}
	return s.Stage
}

// byFunction has the function backfill do what an operator could type.
func byFunction(t *testing.T, s *stage.Stage, args ...string) {
	t.Helper()
	payload, err := json.Marshal(map[string][]string{"args": args})
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Stack.Invoke(context.Background(), server.Home, "backfill", payload)
	if err != nil || res.ErrorType != "" {
		t.Errorf("backfill %s: %v %s %s", args, err, res.ErrorType, res.Body)
	}
}
